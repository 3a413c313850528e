"""Parse a DICOM header, and take texts and numbers from it that may be damaged."""

import io
import logging
import math
import zlib

import pydicom
from pydicom.datadict import tag_for_keyword
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset, FileDataset
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from lucency.data.reading import MOST_BYTES, RefusedImage, ignore_warnings_of

PIXELS = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")
"""Where the values of an image may stand."""

_ELEMENTS = [
    *("SpecificCharacterSet", "SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID", "Modality"),
    *("StudyDate", "InstitutionName", "StationName", "PatientID", "IssuerOfPatientID", "PatientBirthDate"),
    *("PatientSex", "PatientAge", "ViewPosition", "Laterality", "ImageLaterality", "PixelSpacing"),
    *("Manufacturer", "ManufacturerModelName", "KVP", "SliceThickness", "ConvolutionKernel", "FilterType"),
    *("MagneticFieldStrength",),
    *("ImagerPixelSpacing", "PixelAspectRatio", "SequenceOfUltrasoundRegions", "NumberOfFrames", "SamplesPerPixel"),
    *("PhotometricInterpretation", "PlanarConfiguration", "Rows", "Columns", "BitsAllocated", "BitsStored", "HighBit"),
    *("PixelRepresentation", "PixelPaddingValue", "PixelPaddingRangeLimit", "RescaleIntercept", "RescaleSlope"),
    "RescaleType",
    *("ModalityLUTSequence", "VOILUTSequence", "VOILUTFunction", "WindowCenter", "WindowWidth", "PixelPresentation"),
    *(f"{colour}PaletteColorLookupTableDescriptor" for colour in ("Red", "Green", "Blue", "Alpha")),
    *(f"{colour}PaletteColorLookupTableData" for colour in ("Red", "Green", "Blue", "Alpha")),
    *(f"Segmented{colour}PaletteColorLookupTableData" for colour in ("Red", "Green", "Blue", "Alpha")),
    *PIXELS,
]
"""All that is read of a header; other elements are skipped unread."""

_TAGS = [tag for keyword in _ELEMENTS if (tag := tag_for_keyword(keyword)) is not None]


def parse(content: bytes, notes: list[str]) -> FileDataset:
    """Parse the elements that matter; a missing transfer syntax is replaced by the one that the parser recognised."""
    refuse_deflate_bomb(content)
    header = pydicom.dcmread(io.BytesIO(content), force=True, specific_tags=_TAGS[:])
    if "TransferSyntaxUID" not in header.file_meta:
        is_implicit, is_little_endian = header.original_encoding
        explicit = ExplicitVRLittleEndian if is_little_endian else ExplicitVRBigEndian
        header.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian if is_implicit else explicit
        notes.append("N_NO_PREAMBLE")
    elif content[128:132] != b"DICM":
        notes.append("N_NO_PREAMBLE")
    return header


def refuse_deflate_bomb(content: bytes) -> None:
    """Refuse a deflated file that would unfold without bound, or that ends before its end mark."""
    if str(DeflatedExplicitVRLittleEndian).encode() not in content[:2048]:
        return
    start = 144 + int.from_bytes(content[140:144], "little")  # the file meta group tells its length first
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    inflater.decompress(content[start:], MOST_BYTES)
    if inflater.unconsumed_tail:
        raise RefusedImage("E_SIZEBOMB")
    if not inflater.eof:
        raise RefusedImage("E_TRUNCATED")


def silence_libraries() -> None:
    """Keep remarks of the libraries, which may quote the header, away from the terminal and from logs."""
    ignore_warnings_of("pydicom")
    # a level is inherited by the loggers below, which a disabled logger does not stop
    logging.getLogger("pydicom").setLevel(logging.CRITICAL + 1)


def text_of(header: Dataset, keyword: str) -> str:
    """Return an element as text; empty where it is absent or cannot be read."""
    try:
        value = header.get(keyword)
    except Exception:  # pydicom raises anything on a damaged element, and one without a text is treated as absent
        return ""
    if isinstance(value, (list, pydicom.multival.MultiValue)):
        value = value[0] if value else ""
    return "" if value is None else str(value).strip(" \0")


def integer_of(header: Dataset, keyword: str) -> int | None:
    """Return an element as an integer; None where it is absent or no whole number."""
    try:
        return int(text_of(header, keyword))
    except ValueError:
        return None


def numbers_of(header: Dataset, keyword: str, notes: list[str]) -> list[float]:
    """Return a text of numbers (DS, IS), reading decimal commas as points; empty where any of it is no number."""
    if keyword not in header:
        return []
    element = header.get_item(keyword)
    value = element.value
    if not isinstance(element, RawDataElement):
        value = "\\".join(str(part) for part in (value if isinstance(value, (list, tuple)) else [value]))
    return numbers_in(value.decode("latin-1") if isinstance(value, bytes) else str(value or ""), notes)


def numbers_in(text: str, notes: list[str]) -> list[float]:
    """Return the numbers of a text with a backslash between them, as `numbers_of` does."""
    if "," in text:
        notes.append("N_COMMA_DECIMAL")
    try:
        numbers = [float(part) for part in text.replace(",", ".").strip(" \0").split("\\")]
    except ValueError:
        return []
    return numbers if all(math.isfinite(number) for number in numbers) else []


def has_value(header: Dataset, keyword: str) -> bool:
    """Tell whether an element is present and not empty, without converting it."""
    if keyword not in header:
        return False
    value = header.get_item(keyword).value
    return value is not None and (value.strip(b" \0") != b"" if isinstance(value, bytes) else str(value) != "")
