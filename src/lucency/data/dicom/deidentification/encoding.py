"""Write elements as Explicit VR Little Endian (PS3.5, 7.1.2), from their bytes."""

import struct
from collections.abc import Iterable
from dataclasses import dataclass

from lucency import __version__

IMPLEMENTATION_UID = "2.25.302916846105718024586279462081317629001"
IMPLEMENTATION_NAME = "LUCENCY"

_LONG = {"OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV"}
"""Value representations whose length takes four bytes."""

_MOST_SHORT = 0xFFFE
"""Longest value of the others; longer ones are written as UN, as PS3.5, 6.2.2 says."""

_NULL_PADDED = _LONG - {"UC", "UR", "UT"} | {"UI"}

_WORD_BYTES = {"US": 2, "SS": 2, "OW": 2, "AT": 2, "UL": 4, "SL": 4, "FL": 4, "OF": 4, "OL": 4}
_WORD_BYTES |= {"FD": 8, "OD": 8, "OV": 8, "SV": 8, "UV": 8}

UNDEFINED = 0xFFFFFFFF


@dataclass(frozen=True)
class Element:
    """One element to write: bytes in little endian, or the items of a sequence."""

    tag: int
    vr: str
    value: "bytes | tuple[tuple[Element, ...], ...]"
    is_encapsulated: bool = False
    """True for compressed pixels, whose length is left undefined."""


def text_element(tag: int, vr: str, text: str) -> Element:
    """Return an element that holds a text."""
    return Element(tag, vr, text.encode())


def file_bytes(dataset: Iterable[Element], sop_class: str, instance: str, transfer_syntax: str) -> bytes:
    """Return a whole file: a preamble of zeros, new file meta information, the elements."""
    meta = [
        Element(0x00020001, "OB", b"\0\1"),
        text_element(0x00020002, "UI", sop_class),
        text_element(0x00020003, "UI", instance),
        text_element(0x00020010, "UI", transfer_syntax),
        text_element(0x00020012, "UI", IMPLEMENTATION_UID),
        text_element(0x00020013, "SH", f"{IMPLEMENTATION_NAME} {__version__}"[:16]),
    ]
    group = encode(meta)
    return (
        bytes(128)
        + b"DICM"
        + encode([Element(0x00020000, "UL", struct.pack("<L", len(group)))])
        + group
        + encode(dataset)
    )


def encode(dataset: Iterable[Element]) -> bytes:
    """Return elements as bytes, in the order of their tags."""
    return b"".join(map(_encode_element, sorted(dataset, key=lambda element: element.tag)))


def swap_bytes(value: bytes, vr: str) -> bytes:
    """Turn big-endian words into little-endian ones; an incomplete word at the end is dropped."""
    n = _WORD_BYTES.get(vr, 1)
    if n == 1:
        return value
    value = value[: len(value) // n * n]
    swapped = bytearray(len(value))
    for i in range(n):
        swapped[i::n] = value[n - 1 - i :: n]
    return bytes(swapped)


def word_bytes(vr: str) -> int:
    """Return the bytes of one binary number of a value representation; 1 for texts and bytes."""
    return _WORD_BYTES.get(vr, 1)


def _encode_element(element: Element) -> bytes:
    vr = element.vr
    if isinstance(element.value, tuple):
        value = b"".join(_encode_item(item) for item in element.value)
    else:
        value = element.value
        if len(value) % 2:
            value += b"\0" if vr in _NULL_PADDED else b" "
    if vr not in _LONG and len(value) > _MOST_SHORT:
        vr = "UN"
    tag = struct.pack("<HH", element.tag >> 16, element.tag & 0xFFFF)
    if vr not in _LONG:
        return tag + vr.encode() + struct.pack("<H", len(value)) + value
    head = tag + vr.encode() + b"\0\0"
    if element.is_encapsulated:
        return head + struct.pack("<L", UNDEFINED) + value + struct.pack("<HHL", 0xFFFE, 0xE0DD, 0)
    return head + struct.pack("<L", len(value)) + value


def _encode_item(item: tuple[Element, ...]) -> bytes:
    content = encode(item)
    return struct.pack("<HHL", 0xFFFE, 0xE000, len(content)) + content
