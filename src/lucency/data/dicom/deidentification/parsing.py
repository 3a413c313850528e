"""Parse a file's elements without interpreting them; pydicom splits, and nothing is converted before it is asked for."""

import io
import logging
import zlib
from dataclasses import dataclass

import pydicom
from pydicom.datadict import dictionary_has_tag, dictionary_VR
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset, FileDataset
from pydicom.sequence import Sequence
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)
from pydicom.values import convert_SQ

from lucency.data.reading import MOST_BYTES, RefusedImage, ignore_warnings_of

UNDEFINED = 0xFFFFFFFF

DEEPEST = 50
"""Sequences in sequences; real objects use about ten."""


@dataclass(frozen=True)
class Parsed:
    """A file's elements, and how they were encoded."""

    header: FileDataset
    transfer_syntax: str
    is_big_endian: bool


def parse(content: bytes, with_pixels: bool = True) -> Parsed:
    """Split a DICOM file into its elements.

    Raises:
        RefusedImage: not DICOM, or damaged, or nested without end.
    """
    ignore_warnings_of("pydicom")
    logging.getLogger("pydicom").disabled = True
    _refuse_deflate_bomb(content)
    try:
        header = pydicom.dcmread(io.BytesIO(content), force=True, stop_before_pixels=not with_pixels)
    except RecursionError:
        raise RefusedImage("E_DEID_NESTED") from None
    except Exception:  # pydicom raises anything on a damaged file
        raise RefusedImage("E_UNREADABLE") from None
    if not header:
        raise RefusedImage("E_UNREADABLE")
    _refuse_cut_elements(header)
    is_implicit, is_little_endian = header.original_encoding
    syntax = str(header.file_meta.get("TransferSyntaxUID", "") or "").strip(" \0")
    if not syntax:
        syntax = ImplicitVRLittleEndian if is_implicit else ExplicitVRLittleEndian
    return Parsed(header, str(syntax), syntax == ExplicitVRBigEndian or not is_little_endian)


def value_of(header: Dataset, tag: int) -> bytes:
    """Return the bytes of an element; none where it is absent, empty or a sequence."""
    if tag not in header:
        return b""
    element = header.get_item(tag)
    if isinstance(element, RawDataElement):
        return bytes(element.value or b"")
    return b""


def has_undefined_length(header: Dataset, tag: int) -> bool:
    """Tell whether an element ends by a delimiter, as compressed pixels do."""
    element = header.get_item(tag)
    return isinstance(element, RawDataElement) and element.length == UNDEFINED


def sub_datasets(header: Dataset, tag: int) -> list[Dataset]:
    """Return the items of a sequence; none where it cannot be parsed.

    Elements are not asked for by pydicom's own way, `header[tag]`, which would convert others on the side.

    Raises:
        RefusedImage: nested without end.
    """
    element = header.get_item(tag)
    if not isinstance(element, RawDataElement):
        return list(element.value) if isinstance(element.value, Sequence) else []
    is_unknown = element.VR == "UN"  # holds a sequence in implicit little endian (PS3.5, 6.2.2)
    try:
        return list(
            convert_SQ(
                bytes(element.value or b""),
                element.is_implicit_VR or is_unknown,
                element.is_little_endian or is_unknown,
            )
        )
    except RecursionError:
        raise RefusedImage("E_DEID_NESTED") from None
    except Exception:  # pydicom raises anything on a damaged sequence; what cannot be parsed is not passed on
        return []


def vr_of(header: Dataset, tag: int, is_signed: bool) -> str:
    """Return the value representation: the dictionary's, the file's own only to choose between several."""
    choices = dictionary_VR(tag).split(" or ")
    written = header.get_item(tag).VR
    if len(choices) == 1:
        return choices[0]
    if written in choices:
        return str(written)
    if "OW" in choices:
        return "OW"
    return "SS" if is_signed and "SS" in choices else choices[0]


def _refuse_cut_elements(header: Dataset) -> None:
    """Refuse a file that ends within an element; what follows the data set and only looks like an element is no matter."""
    for tag in header.keys():  # noqa: SIM118 - iterating a dataset itself would convert every value
        element = header.get_item(tag)
        if not isinstance(element, RawDataElement) or not dictionary_has_tag(tag) or element.length == UNDEFINED:
            continue
        if len(element.value or b"") < element.length:
            raise RefusedImage("E_TRUNCATED")


def _refuse_deflate_bomb(content: bytes) -> None:
    """Refuse a deflated file that would unfold without bound."""
    if str(DeflatedExplicitVRLittleEndian).encode() + b"\0" not in content[:2048]:
        return
    start = 144 + int.from_bytes(content[140:144], "little")  # the file meta group tells its length first
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        inflater.decompress(content[start:], MOST_BYTES)
    except zlib.error:
        raise RefusedImage("E_UNREADABLE") from None
    if inflater.unconsumed_tail:
        raise RefusedImage("E_SIZEBOMB")
