"""Make up series whose every pixel is known, and segmentations of them written by highdicom, for the tests of drawings."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import highdicom
import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sr.codedict import codes
from pydicom.uid import ExplicitVRLittleEndian

from lucency.data.volumes import find_volumes, read_stack
from lucency.domain.volume import Volume

CT, DX = "1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.1.1"
FRAME_OF_REFERENCE = "1.2.3.9"
PLANES = {
    "axial": ((1, 0, 0), (0, 1, 0)),
    "axial, prone": ((-1, 0, 0), (0, -1, 0)),
    "coronal": ((1, 0, 0), (0, 0, -1)),
    "sagittal": ((0, 1, 0), (0, 0, -1)),
    "oblique": ((0.8, 0.6, 0), (-0.48, 0.64, 0.6)),
}
"""Directions of the rows and of the columns, LPS."""
ROW_MM, COLUMN_MM, STEP_MM = 0.8, 0.6, 2.5
SHAPE = (7, 12, 17)


@dataclass(frozen=True)
class Series:
    """A series on disk, and what it holds."""

    files: tuple[Path, ...]
    """In the order of `stored`."""
    headers: tuple[Dataset, ...]
    stored: NDArray[np.int16]
    """A number for each pixel that no other has, axes (slice, row, column), as imaged."""

    @property
    def volume(self) -> Volume:
        """What lucency reads of it."""
        (stack,) = find_volumes(self.files[0].parent)
        volume = read_stack(stack).volume
        assert volume is not None
        return volume

    def turned(self, drawn: NDArray[Any]) -> NDArray[Any]:
        """Lay what was drawn on the stored pixels on the voxels of the volume: it goes where their numbers went."""
        return drawn.reshape(-1)[self.volume.values.astype(int)]

    def millimetres(self, slice_: int, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return where points, axes (point, (row, column)), of a slice lie in the patient, LPS (PS3.3 C.7.6.2.1.1)."""
        header = self.headers[slice_]
        along_row, along_column = np.reshape(header.ImageOrientationPatient, (2, 3)).astype(float)
        row_mm, column_mm = map(float, header.PixelSpacing)
        rows, columns = points[:, :1] * row_mm, points[:, 1:] * column_mm
        return np.array(header.ImagePositionPatient, float) + rows * along_column + columns * along_row


def write_series(folder: Path, plane: str = "axial", shape: tuple[int, int, int] = SHAPE) -> Series:
    """Write a CT series under names that say nothing about the order of its slices."""
    folder.mkdir(parents=True, exist_ok=True)
    stored = np.arange(np.prod(shape), dtype=np.int16).reshape(shape)
    along_row, along_column = np.array(PLANES[plane], float)
    through = np.cross(along_row, along_column)
    files, headers = [], []
    for number, pixels in enumerate(stored):
        header = image(
            pixels,
            CT,
            SOPInstanceUID=f"1.2.3.4.{number + 1}",
            InstanceNumber=number + 1,
            Modality="CT",
            ImagePositionPatient=[round(float(x), 6) for x in (-31.5, 12.25, -700) + number * STEP_MM * through],
            ImageOrientationPatient=[*along_row, *along_column],
            PixelSpacing=[ROW_MM, COLUMN_MM],
            SliceThickness=STEP_MM,
            RescaleSlope=1,
            RescaleIntercept=0,
            RescaleType="HU",
            FrameOfReferenceUID=FRAME_OF_REFERENCE,
            PositionReferenceIndicator=None,
            ImageType=["ORIGINAL", "PRIMARY", "AXIAL"],
            KVP=120,
            AcquisitionNumber=1,
        )
        files.append(write(folder / f"{number * 5 % 7}-{number}.dcm", header))
        headers.append(header)
    return Series(tuple(files), tuple(headers), stored)


def image(pixels: NDArray[np.int16], sop_class: str = DX, **elements: Any) -> Dataset:
    """Return an image of stored values, axes (row, column); elements override."""
    header = Dataset()
    header.file_meta = FileMetaDataset()
    header.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    header.SOPClassUID, header.SOPInstanceUID = sop_class, "1.2.3.4"
    header.StudyInstanceUID, header.SeriesInstanceUID = "1.2.3", "1.2.3.1"
    header.Modality, header.SeriesNumber, header.InstanceNumber = "DX", 1, 1
    header.PatientID, header.PatientName, header.PatientSex, header.PatientBirthDate = (
        "0042",
        "Doe^Jane",
        "F",
        "19500101",
    )
    header.StudyDate, header.StudyTime, header.StudyID, header.AccessionNumber = "20240102", "101112", "1", "A1"
    header.Manufacturer, header.ReferringPhysicianName = "Nobody", None
    header.Rows, header.Columns = pixels.shape
    header.SamplesPerPixel, header.PhotometricInterpretation = 1, "MONOCHROME2"
    header.BitsAllocated, header.BitsStored, header.HighBit, header.PixelRepresentation = 16, 16, 15, 1
    header.PixelData = pixels.tobytes()
    header["PixelData"].VR = "OW"
    for keyword, value in elements.items():
        setattr(header, keyword, value)
    return header


def write(path: Path, header: Dataset) -> Path:
    """Write a dataset as a DICOM file."""
    header.file_meta.MediaStorageSOPClassUID = header.SOPClassUID
    header.file_meta.MediaStorageSOPInstanceUID = header.SOPInstanceUID
    header.save_as(path, enforce_file_format=True)
    return path


def shapes(n: int = 1, shape: tuple[int, int, int] = SHAPE) -> NDArray[np.bool_]:
    """Return structures that overlap and that no turn brings onto themselves, axes (slice, row, column, structure)."""
    drawn = np.zeros((*shape, n), np.bool_)
    for number in range(n):
        drawn[1 + number : 4 + number, 2:9, 3 + number : 7] = True
        drawn[3:6, 1 + number : 4, 5:15] = True
        drawn[3, 2, 6 + number] = False
    return drawn


def segmentation(
    series: Series | Sequence[Dataset], drawn: NDArray[Any], kind: str = "BINARY", **options: Any
) -> Dataset:
    """Let highdicom make a segmentation, axes (slice, row, column, structure); structures are called a, b, c…."""
    headers = list(series.headers if isinstance(series, Series) else series)
    descriptions = [
        highdicom.seg.SegmentDescription(
            number + 1,
            "abcdefgh"[number],
            codes.SCT.MorphologicallyAbnormalStructure,
            codes.SCT.Mass,
            highdicom.seg.SegmentAlgorithmTypeValues.MANUAL,
        )
        for number in range(drawn.shape[3])
    ]
    made: Dataset = highdicom.seg.Segmentation(
        headers,
        drawn if drawn.dtype.kind == "f" else drawn.astype(np.uint8),
        kind,
        descriptions,
        series_instance_uid="1.2.3.7",
        series_number=7,
        sop_instance_uid="1.2.3.7.1",
        instance_number=1,
        manufacturer="Nobody",
        manufacturer_model_name="Nothing",
        software_versions="0",
        device_serial_number="0",
        **options,
    )
    return made
