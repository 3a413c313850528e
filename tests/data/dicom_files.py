"""Write small DICOM files whose pixels are known, for tests."""

import io
from pathlib import Path
from typing import Any

import gdcm
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import ExplicitVRLittleEndian, JPEGBaseline8Bit

DX_FOR_PRESENTATION = "1.2.840.10008.5.1.4.1.1.1.1"


def dataset(stored: NDArray[Any], *, bits_stored: int | None = None, **elements: Any) -> Dataset:
    """Return a DICOM dataset of stored values, axes (row, column) or (row, column, colour); elements override."""
    header = Dataset()
    header.file_meta = FileMetaDataset()
    header.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    header.SOPClassUID = header.file_meta.MediaStorageSOPClassUID = DX_FOR_PRESENTATION
    header.SOPInstanceUID = header.file_meta.MediaStorageSOPInstanceUID = "1.2.3.4"
    header.StudyInstanceUID, header.SeriesInstanceUID = "1.2.3", "1.2.3.1"
    header.Modality, header.PatientID = "DX", "0042"
    header.Rows, header.Columns = stored.shape[:2]
    header.SamplesPerPixel = 3 if stored.ndim == 3 else 1
    header.PhotometricInterpretation = "RGB" if stored.ndim == 3 else "MONOCHROME2"
    if stored.ndim == 3:
        header.PlanarConfiguration = 0
    header.BitsAllocated = 8 * stored.dtype.itemsize
    header.BitsStored = bits_stored or header.BitsAllocated
    header.HighBit = header.BitsStored - 1
    header.PixelRepresentation = int(stored.dtype.kind == "i")
    header.PixelData = stored.tobytes() + b"\0" * (stored.nbytes % 2)
    header["PixelData"].VR = "OB" if stored.dtype.itemsize == 1 else "OW"
    for keyword, value in elements.items():
        setattr(header, keyword, value)
    return header


def write(path: Path, header: Dataset) -> Path:
    """Write a dataset as a DICOM file."""
    header.save_as(path, enforce_file_format=True)
    return path


def write_dicom(path: Path, stored: NDArray[Any], **elements: Any) -> Path:
    """Write stored values as an uncompressed DICOM file; elements override."""
    return write(path, dataset(stored, **elements))


def write_with_gdcm(path: Path, stored: NDArray[Any], syntax: int, **elements: Any) -> Path:
    """Write stored values compressed by GDCM."""
    write_dicom(path, stored, **elements)
    reader = gdcm.ImageReader()
    reader.SetFileName(str(path))
    assert reader.Read()
    change = gdcm.ImageChangeTransferSyntax()
    change.SetTransferSyntax(gdcm.TransferSyntax(syntax))
    change.SetInput(reader.GetImage())
    assert change.Change()
    writer = gdcm.ImageWriter()
    writer.SetFileName(str(path))
    writer.SetFile(reader.GetFile())
    writer.SetImage(change.GetOutput())
    assert writer.Write()
    return path


def write_jpeg_baseline(path: Path, stored: NDArray[np.uint8], quality: int = 95, **elements: Any) -> Path:
    """Write 8-bit values compressed as JPEG baseline by Pillow."""
    stream = io.BytesIO()
    Image.fromarray(stored).save(stream, "JPEG", quality=quality, subsampling=0)
    header = dataset(stored, **elements)
    header.file_meta.TransferSyntaxUID = JPEGBaseline8Bit
    header.PixelData = encapsulate([stream.getvalue()])
    header["PixelData"].is_undefined_length = True
    return write(path, header)


CT_STORAGE, ENHANCED_CT = "1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.2.1"
AXIAL = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
SPACING = (0.7, 0.9)
"""Between rows and between columns, in millimetres."""


def position(k: float, step: tuple[float, float, float] = (0.0, 0.0, 2.5)) -> list[float]:
    """Return the position of slice k, in DICOM's patient coordinates."""
    return [round(float(mm), 6) for mm in np.array([-31.5, 12.25, 40.0]) + k * np.array(step)]


def ct_slices(
    hounsfield: NDArray[Any], positions: list[list[float]] | None = None, series: str = "1.2.3.1", **elements: Any
) -> list[Dataset]:
    """Return the slices of a CT, axes (slice, row, column), from the feet to the head; elements override."""
    headers = []
    for k, plane in enumerate(hounsfield):
        header = dataset((plane + 1024).astype(np.uint16), bits_stored=12)
        header.SOPClassUID = header.file_meta.MediaStorageSOPClassUID = CT_STORAGE
        header.SeriesInstanceUID = series
        header.SOPInstanceUID = header.file_meta.MediaStorageSOPInstanceUID = f"{series}.{k + 1}"
        header.Modality, header.InstanceNumber, header.PatientName = "CT", k + 1, "Invented^Person"
        header.RescaleSlope, header.RescaleIntercept = 1, -1024
        header.ImageType, header.FrameOfReferenceUID = ["ORIGINAL", "PRIMARY", "AXIAL"], "1.2.3.9"
        header.PixelSpacing, header.SliceThickness = list(SPACING), 2.5
        header.ImagePositionPatient = positions[k] if positions else position(k)
        header.ImageOrientationPatient = list(AXIAL)
        for keyword, value in elements.items():
            setattr(header, keyword, value)
        headers.append(header)
    return headers


def save_all(folder: Path, headers: list[Dataset], name: str = "s") -> list[Path]:
    """Write datasets under names that say nothing about their order."""
    folder.mkdir(parents=True, exist_ok=True)
    n = len(headers)
    stride = next(stride for stride in (7, 5, 3, 1) if np.gcd(stride, n) == 1)
    return [write(folder / f"{name}{(k * stride) % n:03d}.dcm", header) for k, header in enumerate(headers)]


def enhanced_ct(hounsfield: NDArray[Any], positions: list[list[float] | None], **elements: Any) -> Dataset:
    """Return an enhanced CT whose frames lie at positions; where there is None, the frame does not tell."""
    stored = (hounsfield + 1024).astype(np.uint16)
    header = ct_slices(hounsfield[:1])[0]
    for keyword in (
        "ImagePositionPatient",
        "ImageOrientationPatient",
        "PixelSpacing",
        "RescaleSlope",
        "RescaleIntercept",
    ):
        delattr(header, keyword)
    header.SOPClassUID = header.file_meta.MediaStorageSOPClassUID = ENHANCED_CT
    header.NumberOfFrames, header.PixelData = len(stored), stored.tobytes()
    header.SharedFunctionalGroupsSequence = [
        _item(
            PixelMeasuresSequence=[_item(PixelSpacing=list(SPACING), SliceThickness=2.5)],
            PlaneOrientationSequence=[_item(ImageOrientationPatient=list(AXIAL))],
            PixelValueTransformationSequence=[_item(RescaleSlope=1, RescaleIntercept=-1024, RescaleType="HU")],
        )
    ]
    header.PerFrameFunctionalGroupsSequence = [
        _item(PlanePositionSequence=[_item(ImagePositionPatient=place)]) if place else Dataset() for place in positions
    ]
    for keyword, value in elements.items():
        setattr(header, keyword, value)
    return header


def _item(**elements: Any) -> Dataset:
    item = Dataset()
    for keyword, value in elements.items():
        setattr(item, keyword, value)
    return item
