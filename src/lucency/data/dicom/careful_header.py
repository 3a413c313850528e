"""Read any DICOM header with pydicom, and tell where it is cut or no header at all."""

import os
import zlib
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

from pydicom.datadict import dictionary_VR
from pydicom.dataset import Dataset, FileDataset
from pydicom.filereader import read_partial
from pydicom.multival import MultiValue
from pydicom.tag import BaseTag

from lucency.data.dicom.header import silence_libraries
from lucency.data.dicom.plain_header import PIXELS, UNDEFINED, Wanted
from lucency.data.reading import RefusedImage

MOST_INFLATED_BYTES = 1 << 22
"""How much of a deflated file is inflated in search of its header."""

_DEFLATED, _NOT_DEFLATED = b"1.2.840.10008.1.2.1.99", b"1.2.840.10008.1.2.1\0\0\0"
_UNKNOWN = -1
_FIRST_GROUPS = (b"\x02\0", b"\0\x02", b"\x08\0", b"\0\x08")
"""The groups with which a header without preamble begins, in both orders of bytes."""


def read_careful_header(path: Path, beginning: bytes, wanted: Wanted) -> tuple[dict[str, str], tuple[str, ...]]:
    """Return keyword → text of the wanted elements in front of the pixels and TransferSyntaxUID, and notes.

    Empty elements are left out. `beginning` holds the first bytes of the file, at least its file meta group.

    Raises:
        RefusedImage: it is no DICOM file, or ends within its header.
        Exception: anything a parser can raise on a damaged file.
    """
    silence_libraries()
    has_preamble = beginning[128:132] == b"DICM"
    if not has_preamble and beginning[:2] not in _FIRST_GROUPS:
        raise RefusedImage("E_UNREADABLE")  # pydicom would look for elements in anything
    is_deflated = _DEFLATED in beginning[132:2048]
    with _inflated(path, beginning) if is_deflated else path.open("rb") as file:
        header = _parse(file, wanted)
    texts = {keyword: text for keyword, _ in wanted.values() if (text := _text(header, keyword))}
    if not has_preamble and "SOPClassUID" not in texts:
        raise RefusedImage("E_UNREADABLE")
    if syntax := _DEFLATED.decode() if is_deflated else _text(header.file_meta, "TransferSyntaxUID"):
        texts["TransferSyntaxUID"] = syntax
    return texts, () if has_preamble and syntax else ("N_NO_PREAMBLE",)


def _inflated(path: Path, beginning: bytes) -> BinaryIO:
    """Inflate as much of a file as its header can need, and say that it was not deflated (PS3.5 A.5)."""
    start = 144 + int.from_bytes(beginning[140:144], "little")  # the file meta group tells its length first
    inflated = zlib.decompressobj(-zlib.MAX_WBITS).decompress(path.read_bytes()[start:], MOST_INFLATED_BYTES)
    return BytesIO(beginning[:start].replace(_DEFLATED, _NOT_DEFLATED) + inflated)


def _parse(file: BinaryIO, wanted: Wanted) -> FileDataset:
    """Let pydicom read up to the pixels, and refuse a file that ends before its elements do.

    pydicom takes the end of a file for the end of its header and says nothing, or drops all that it had read.
    """
    ends: dict[int, int] = {}

    def is_at_pixels(tag: BaseTag, _vr: str | None, length: int) -> bool:
        ends[tag] = _UNKNOWN if tag in PIXELS or length == UNDEFINED else file.tell() + length
        return tag in PIXELS

    header = read_partial(file, is_at_pixels, force=True, specific_tags=list(wanted))
    n_bytes = file.seek(0, os.SEEK_END)
    last_end = list(ends.values())[-1] if ends else 0
    was_dropped = not len(header) and not ends.keys().isdisjoint(wanted)
    if last_end not in (n_bytes, _UNKNOWN) or was_dropped:
        raise RefusedImage("E_TRUNCATED")
    return header


def _text(header: Dataset, keyword: str) -> str:
    """Return an element as text without outer blanks, a backslash between several values; empty if it has none."""
    if keyword not in header:
        return ""
    value = _value(header, keyword)
    if isinstance(value, bytes):
        text = value.decode("latin-1").strip(" \0")
        value = text.split("\\") if text.isprintable() else ""
    values = value if isinstance(value, (MultiValue, list, tuple)) else [value]
    return "\\".join("" if part is None else str(part).strip(" \0") for part in values)


def _value(header: Dataset, keyword: str) -> Any:
    """Return the value that pydicom makes of an element, or its bytes where a text would only change on the way."""
    element = header.get_item(keyword)
    if isinstance(element.value, bytes) and dictionary_VR(element.tag) in ("DS", "IS"):
        return element.value
    try:
        return header[keyword].value
    except Exception:  # pydicom raises anything on a damaged element; its bytes are as good as it gets
        return element.value
