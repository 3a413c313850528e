"""Read the header of one file as texts: quickly where it is plain, with pydicom where it is not."""

import stat
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pydicom.datadict import dictionary_VR, tag_for_keyword

from lucency.data.dicom.careful_header import read_careful_header
from lucency.data.dicom.plain_header import UnusualHeader, Wanted, read_plain_header
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

N_BYTES_READ = 1 << 15
"""How much of a file is read for a start; a header that is longer is left to pydicom."""


@dataclass(frozen=True)
class ScannedFile:
    """What the header of one file says."""

    path: Path
    elements: Mapping[str, str]
    """Keyword → text as in the file, without outer blanks, several values with a backslash between; only elements of
    `SCANNED` outside of sequences, the transfer syntax among them; absent or empty ones are not in it."""
    code: str = ""
    """E_… where the header cannot be read; there are no elements then."""
    notes: tuple[str, ...] = ()


def scan_file(path: Path) -> ScannedFile:
    """Read the header of a file; whatever is wrong with the file becomes its code."""
    try:
        return _scan(path)
    except RefusedImage as refusal:
        return ScannedFile(path, {}, refusal.code)
    except Exception:  # pydicom raises anything on a damaged file
        return ScannedFile(path, {}, "E_UNREADABLE")


def _scan(path: Path) -> ScannedFile:
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):  # a pipe would keep us waiting for ever
        raise RefusedImage("E_UNREADABLE")
    if not status.st_size:
        raise RefusedImage("E_EMPTY_FILE")
    if status.st_size > MOST_BYTES:
        raise RefusedImage("E_SIZEBOMB")
    with path.open("rb", buffering=0) as file:
        beginning = file.read(N_BYTES_READ)
    try:
        return ScannedFile(path, read_plain_header(beginning, status.st_size, wanted_elements()))
    except UnusualHeader:
        elements, notes = read_careful_header(path, beginning, wanted_elements())
        return ScannedFile(path, elements, notes=notes)


@cache
def wanted_elements() -> Wanted:
    """Return what is read, as the readers of headers need it."""
    tags = ((keyword, tag_for_keyword(keyword)) for keyword in SCANNED)
    return {tag: (keyword, dictionary_VR(tag).encode()) for keyword, tag in tags if tag is not None}
