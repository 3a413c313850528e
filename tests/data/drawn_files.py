"""Make series in any direction, and segmentations and structure sets of them, without the code that reads them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import highdicom as hd
import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sr.codedict import codes
from pydicom.uid import ExplicitVRLittleEndian

from data.dicom_files import SPACING, ct_slices, save_all

FRAME_UID = "1.2.3.9"
RTSTRUCT = "1.2.840.10008.5.1.4.1.1.481.3"
ORIGIN = np.array([-31.5, 12.25, 40.0])
"""LPS millimetres of the first pixel of the first slice."""
STEP_MM = 2.5

DIRECTIONS: dict[str, tuple[float, ...]] = {
    "axial": (1, 0, 0, 0, 1, 0),
    "axial from head to feet": (1, 0, 0, 0, -1, 0),
    "coronal": (1, 0, 0, 0, 0, -1),
    "sagittal": (0, 1, 0, 0, 0, -1),
    "oblique": (0.8, 0.6, 0, -0.48, 0.64, -0.6),
    "nearly coronal": (0.96, 0.28, 0, 0, 0, -1),
}
"""Along a row and along a column."""


def series(folder: Path, shape: tuple[int, int, int], direction: str = "axial", **elements: Any) -> list[Path]:
    """Write a CT of zeros, axes (slice, row, column), under names that say nothing about its order."""
    cosines = np.array(DIRECTIONS[direction], float)
    normal = np.cross(cosines[:3], cosines[3:])
    positions = [(ORIGIN + k * STEP_MM * normal).tolist() for k in range(shape[0])]
    headers = ct_slices(np.zeros(shape, np.int16), positions, ImageOrientationPatient=cosines.tolist(), **elements)
    for header in headers:
        header.AccessionNumber, header.StudyID, header.StudyDate, header.StudyTime = "", "1", "20200101", "120000"
        header.PatientBirthDate, header.PatientSex = "", "O"
    return save_all(folder, headers)


def places_mm(shape: tuple[int, int, int], direction: str = "axial") -> NDArray[np.float64]:
    """Return where each stored pixel of `series` lies, LPS millimetres, axes (slice, row, column, xyz)."""
    cosines = np.array(DIRECTIONS[direction], float)
    normal = np.cross(cosines[:3], cosines[3:])
    k, row, column = (axis[..., None] for axis in np.indices(shape))
    return ORIGIN + k * STEP_MM * normal + row * SPACING[0] * cosines[3:] + column * SPACING[1] * cosines[:3]


def in_order(files: Sequence[Path]) -> list[Dataset]:
    """Return the headers of a series in the order in which `series` was given its slices."""
    return sorted((pydicom.dcmread(file) for file in files), key=lambda header: header.InstanceNumber)


def segmentation(
    files: Sequence[Path], pixels: NDArray[Any], kind: str = "BINARY", names: Sequence[str] = (), **options: Any
) -> Dataset:
    """Let highdicom make a segmentation of stored pixels, axes (slice, row, column, segment)."""
    n_segments = pixels.shape[-1] if pixels.ndim == 4 else int(pixels.max())
    return hd.seg.Segmentation(
        source_images=in_order(files),
        pixel_array=pixels,
        segmentation_type=kind,
        segment_descriptions=[
            hd.seg.SegmentDescription(number, name, codes.SCT.Tissue, codes.SCT.Lesion, algorithm_type="MANUAL")
            for number, name in enumerate(names or [f"s{n + 1}" for n in range(n_segments)], start=1)
        ],
        series_instance_uid="1.2.3.50",
        series_number=50,
        sop_instance_uid="1.2.3.50.1",
        instance_number=1,
        manufacturer="made up",
        manufacturer_model_name="made up",
        software_versions="1",
        device_serial_number="1",
        **options,
    )


def save(path: Path, header: Dataset) -> Path:
    """Write a dataset as a file."""
    header.save_as(path, enforce_file_format=True)
    return path


def structure_set(
    structures: dict[str, list[NDArray[np.float64]]],
    sources: Sequence[Dataset],
    source_of: Any = None,
    kind: str = "CLOSED_PLANAR",
) -> Dataset:
    """Return a structure set; contours have the axes (point, xyz) in LPS millimetres."""
    header = Dataset()
    header.file_meta = FileMetaDataset()
    header.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    header.SOPClassUID = header.file_meta.MediaStorageSOPClassUID = RTSTRUCT
    header.SOPInstanceUID = header.file_meta.MediaStorageSOPInstanceUID = "1.2.3.60.1"
    header.Modality, header.PatientID = "RTSTRUCT", "0042"
    listed = item(
        SeriesInstanceUID="1.2.3.1", ContourImageSequence=[reference(source.SOPInstanceUID) for source in sources]
    )
    header.ReferencedFrameOfReferenceSequence = [
        item(
            FrameOfReferenceUID=FRAME_UID,
            RTReferencedStudySequence=[item(RTReferencedSeriesSequence=[listed])],
        )
    ]
    header.StructureSetROISequence = [
        item(ROINumber=number, ROIName=name, ReferencedFrameOfReferenceUID=FRAME_UID)
        for number, name in enumerate(structures, start=1)
    ]
    header.ROIContourSequence = [
        item(
            ReferencedROINumber=number,
            ContourSequence=[contour(points, source_of(points) if source_of else None, kind) for points in contours],
        )
        for number, contours in enumerate(structures.values(), start=1)
    ]
    return header


def contour(points: NDArray[np.float64], source: str | None, kind: str) -> Dataset:
    made = item(
        ContourGeometricType=kind,
        NumberOfContourPoints=len(points),
        ContourData=[f"{mm:.6g}" for mm in np.ravel(points)],
    )
    if source:
        made.ContourImageSequence = [reference(source)]
    return made


def reference(uid: str) -> Dataset:
    return item(ReferencedSOPClassUID="1.2.840.10008.5.1.4.1.1.2", ReferencedSOPInstanceUID=uid)


def item(**elements: Any) -> Dataset:
    """Return an item of a sequence."""
    made = Dataset()
    for keyword, value in elements.items():
        setattr(made, keyword, value)
    return made
