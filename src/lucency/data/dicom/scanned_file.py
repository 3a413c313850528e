"""Read the header of one file as texts: quickly where it is plain, with pydicom where it is not."""

import json
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lucency.data.dicom.children import serve
from lucency.data.dicom.plain_header import UnusualHeader, Wanted, read_plain_header

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


def scan_file(path: Path, wanted: Wanted) -> ScannedFile:
    """Read the header of a file; whatever is wrong with the file becomes its code."""
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):  # a pipe would keep us waiting for ever
            return ScannedFile(path, {}, "E_UNREADABLE")
        if not status.st_size:
            return ScannedFile(path, {}, "E_EMPTY_FILE")
        with path.open("rb", buffering=0) as file:
            beginning = file.read(N_BYTES_READ)
        return ScannedFile(path, read_plain_header(beginning, status.st_size, wanted))
    except UnusualHeader:
        return _scan_carefully(path, beginning, wanted)
    except OSError:
        return ScannedFile(path, {}, "E_UNREADABLE")


def _scan_carefully(path: Path, beginning: bytes, wanted: Wanted) -> ScannedFile:
    # pydicom takes most of a second and 90 MB, which a child that meets plain headers only need not pay.
    from lucency.data.dicom.careful_header import read_careful_header
    from lucency.data.reading import RefusedImage

    try:
        elements, notes = read_careful_header(path, beginning, wanted)
    except RefusedImage as refusal:
        return ScannedFile(path, {}, refusal.code)
    except Exception:  # pydicom raises anything on a damaged file
        return ScannedFile(path, {}, "E_UNREADABLE")
    return ScannedFile(path, elements, notes=notes)


def wanted_elements() -> Wanted:
    """Return what is read, as the readers of headers need it."""
    from pydicom.datadict import dictionary_VR, tag_for_keyword

    tags = ((keyword, tag_for_keyword(keyword)) for keyword in SCANNED)
    return {tag: (keyword, dictionary_VR(tag).encode()) for keyword, tag in tags if tag is not None}


# In and out of lines of text -----------------------------------------------------------------------------------------


def line_of(file: ScannedFile) -> bytes:
    """Return a line of JSON that holds all of a scanned file, with the stamp by which a change will be noticed."""
    return (
        json.dumps([str(file.path), stamp_of(file.path), dict(file.elements), file.code, file.notes]).encode() + b"\n"
    )


def stamp_of(path: Path) -> list[int]:
    """Return size and time of change; empty where the file cannot be found."""
    try:
        status = path.stat()
    except OSError:
        return []
    return [status.st_size, status.st_mtime_ns]


def serve_lines(wanted: Wanted) -> None:
    """Answer requests for the lines of some files: the life of a child."""
    serve(lambda fields, _: ({}, b"".join(line_of(scan_file(Path(path), wanted)) for path in fields["paths"])))
