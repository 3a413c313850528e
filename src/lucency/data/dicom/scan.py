"""Read the headers of many files as texts, without touching their pixels."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pydicom
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset, FileDataset
from pydicom.uid import DeflatedExplicitVRLittleEndian

from lucency.data.dicom.header import refuse_deflate_bomb, silence_libraries
from lucency.data.reading import MOST_BYTES, RefusedImage

SCANNED: tuple[str, ...] = (
    *("SpecificCharacterSet", "ImageType", "SOPClassUID", "SOPInstanceUID", "TransferSyntaxUID", "StudyInstanceUID"),
    *("SeriesInstanceUID", "FrameOfReferenceUID", "Modality", "SeriesDescription", "ProtocolName", "Manufacturer"),
    *("ManufacturerModelName", "InstitutionName", "StationName", "StudyDate", "PatientID", "IssuerOfPatientID"),
    *("PatientName", "PatientBirthDate", "PatientSex", "PatientAge", "BodyPartExamined", "ViewPosition", "Laterality"),
    *("ImageLaterality", "InstanceNumber", "AcquisitionNumber", "AcquisitionDate", "AcquisitionTime", "ContentTime"),
    *("TemporalPositionIdentifier", "EchoTime", "EchoNumbers", "RepetitionTime", "FlipAngle", "TriggerTime"),
    *("DiffusionBValue", "MagneticFieldStrength", "KVP", "ConvolutionKernel", "ImagePositionPatient"),
    *("ImageOrientationPatient", "PixelSpacing", "SliceThickness", "SpacingBetweenSlices", "GantryDetectorTilt"),
    *("NumberOfFrames", "Rows", "Columns", "SamplesPerPixel", "PhotometricInterpretation", "BitsAllocated"),
    *("BitsStored", "PixelRepresentation", "RescaleSlope", "RescaleIntercept"),
)
"""What is read of a header: enough to sort slices into volumes, and for a table of protocols."""


@dataclass(frozen=True)
class ScannedFile:
    """The header of one file."""

    path: Path
    elements: Mapping[str, str]
    """Keyword → text as in the file without outer blanks, several values with a backslash between; only elements of
    `SCANNED` at the top level; those that are absent or empty are not in it."""
    code: str = ""
    """Why the header cannot be read (E_…)."""
    notes: tuple[str, ...] = ()


def scan(paths: Iterable[Path]) -> Iterator[ScannedFile]:
    """Read headers in the given order; a file that cannot be read becomes one with a code."""
    silence_libraries()
    for path in paths:
        try:
            yield _scan(path)
        except RefusedImage as refused:
            yield ScannedFile(path, {}, refused.code)
        except Exception:  # a parser can raise anything on a damaged file
            yield ScannedFile(path, {}, "E_UNREADABLE")


def _scan(path: Path) -> ScannedFile:
    n_bytes = path.stat().st_size
    if n_bytes == 0:
        raise RefusedImage("E_EMPTY_FILE")
    if n_bytes > MOST_BYTES:
        raise RefusedImage("E_SIZEBOMB")
    with path.open("rb") as file:
        is_deflated = DeflatedExplicitVRLittleEndian.encode() + b"\0" in file.read(2048)
    if is_deflated:
        refuse_deflate_bomb(path.read_bytes())
    header = pydicom.dcmread(path, stop_before_pixels=True, force=True, specific_tags=list(SCANNED))
    if not header:
        raise RefusedImage("E_UNREADABLE")
    notes = () if header.preamble is not None and "TransferSyntaxUID" in header.file_meta else ("N_NO_PREAMBLE",)
    return ScannedFile(path, _texts(header), notes=notes)


def _texts(header: FileDataset) -> dict[str, str]:
    texts = {keyword: _text(header, keyword) for keyword in SCANNED if keyword in header}
    texts["TransferSyntaxUID"] = str(header.file_meta.get("TransferSyntaxUID", ""))
    return {keyword: text for keyword, text in texts.items() if text}


def _text(header: Dataset, keyword: str) -> str:
    """Return an element as it is written in the file; empty where it cannot be read."""
    element = header.get_item(keyword)
    is_number = pydicom.datadict.dictionary_VR(keyword) in ("DS", "IS")
    if is_number and isinstance(element, RawDataElement) and isinstance(element.value, bytes):
        return element.value.decode("latin-1").strip(" \0")
    try:
        value = header.get(keyword)
    except Exception:  # pydicom raises anything on a damaged element, and one without a text is treated as absent
        return ""
    values = value if isinstance(value, (list, tuple, pydicom.multival.MultiValue)) else [value]
    return "\\".join("" if part is None else str(part) for part in values).strip(" \0")
