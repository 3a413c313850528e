"""Read the commonest kind of DICOM header very quickly, and decline every other.

Most files are well-formed little endian with a preamble. For these a walk over the elements is many times faster than a
parser that is ready for anything. Whatever surprises it raises `UnusualHeader`, and pydicom reads the file instead. It
serves the scan of many thousand files and replaces nothing. PS3.5 section 7 (elements, sequences), PS3.10 section 7 (file
meta).
"""

from collections.abc import Iterator, Mapping
from struct import Struct, error

Wanted = Mapping[int, tuple[str, bytes]]
"""Tag → keyword, and the one value representation with which it is accepted."""

_EXPLICIT = Struct("<HH2sH").unpack_from
_IMPLICIT = Struct("<HHL").unpack_from
_LONG = Struct("<L").unpack_from

_NUMBERS = {
    vr: Struct(f"<{code}") for vr, code in zip((b"US", b"SS", b"UL", b"SL", b"FL", b"FD"), "HhLlfd", strict=True)
}
_IN_CHARACTER_SET = frozenset((b"LO", b"PN", b"SH"))
_IN_ASCII = frozenset((b"AE", b"AS", b"CS", b"DA", b"DS", b"DT", b"IS", b"TM", b"UI"))
_SHORT = frozenset((*_NUMBERS, *_IN_CHARACTER_SET, *_IN_ASCII, b"AT", b"LT", b"ST"))
_WITH_LONG_LENGTH = frozenset(
    (b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV")
)

_ENCODINGS = {"ISO_IR 100": "latin-1", "ISO_IR 192": "utf-8"}
"""With any other character set a text is accepted in ASCII, which all of them share."""

_CHARACTER_SET, _TRANSFER_SYNTAX = 0x00080005, 0x00020010
PIXELS = frozenset((0x7FE00008, 0x7FE00009, 0x7FE00010))
_ITEM, _END_OF_ITEM, _END_OF_SEQUENCE = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
UNDEFINED = 0xFFFFFFFF


class UnusualHeader(Exception):  # noqa: N818 - nothing is wrong: another reader takes over
    """The header is not exactly of the kind that is read here."""


def read_plain_header(content: bytes, n_bytes: int, wanted: Wanted) -> dict[str, str]:
    """Return keyword → text of the wanted elements in front of the pixels and TransferSyntaxUID; empty ones are left out.

    `content` is the beginning of the file, `n_bytes` the size of the whole.

    Raises:
        UnusualHeader: anything else than a well-formed header that ends within `content`.
    """
    if content[128:140] != b"DICM\x02\0\0\0UL\x04\0":
        raise UnusualHeader
    start = 144 + int.from_bytes(content[140:144], "little")
    try:
        syntax = _transfer_syntax(content, start)
        is_explicit = _is_explicit(syntax, content[start + 4 : start + 6])
        return {"TransferSyntaxUID": syntax} | _texts(content, start, n_bytes, is_explicit, wanted)
    except (error, UnicodeDecodeError, RecursionError):  # `error`: an element reaches beyond the content
        raise UnusualHeader from None


def _transfer_syntax(content: bytes, end: int) -> str:
    syntax = b""
    for tag, vr, at, length in _elements(content, 144, end, is_explicit=True):
        if tag >> 16 != 2:
            raise UnusualHeader
        if tag == _TRANSFER_SYNTAX and vr == b"UI":
            syntax = content[at : at + length].rstrip(b"\0")
    if not syntax.replace(b".", b"").isdigit():
        raise UnusualHeader
    return syntax.decode("ascii")


def _is_explicit(syntax: str, first_vr: bytes) -> bool:
    """Tell whether elements state their value representation; those of compressed images do (PS3.5 A.4)."""
    if syntax == "1.2.840.10008.1.2" and not first_vr.isalpha():
        return False
    if syntax in ("1.2.840.10008.1.2.1", "1.2.840.10008.1.2.5") or syntax.startswith("1.2.840.10008.1.2.4."):
        return True
    raise UnusualHeader


def _texts(content: bytes, start: int, end: int, is_explicit: bool, wanted: Wanted) -> dict[str, str]:
    texts: dict[str, str] = {}
    encoding = "ascii"
    for tag, vr, at, length in _elements(content, start, end, is_explicit):
        if tag in PIXELS:
            break
        if tag < 0x00080000:
            raise UnusualHeader
        if tag not in wanted:
            continue
        keyword, wanted_vr = wanted[tag]
        value = content[at : at + length]
        if (vr and vr != wanted_vr) or len(value) != length:
            raise UnusualHeader
        if text := _text(value, wanted_vr, encoding):
            texts[keyword] = text
        if tag == _CHARACTER_SET:
            encoding = _ENCODINGS.get(text, "ascii")
    return texts


def _elements(content: bytes, at: int, end: int | None, is_explicit: bool) -> Iterator[tuple[int, bytes, int, int]]:
    """Yield tag, value representation (empty if implicit), position and length of each value.

    Without `end`, they are those of an item, and the mark of its end is the last.
    """
    previous = 0
    while end is None or at < end:
        vr = b""
        if is_explicit:
            group, element, vr, length = _EXPLICIT(content, at)
        else:
            group, element, length = _IMPLICIT(content, at)
        at += 8
        tag = group << 16 | element
        if vr in _WITH_LONG_LENGTH and not length:
            (length,) = _LONG(content, at)
            at += 4
        elif vr and vr not in _SHORT and tag != _END_OF_ITEM:
            raise UnusualHeader
        if tag <= previous or (group == 0xFFFE and (tag != _END_OF_ITEM or length or end is not None)):
            raise UnusualHeader
        previous = tag
        yield tag, vr, at, length
        at = at + length if length != UNDEFINED else _end_of_sequence(content, at, tag, vr)
    if at != end:
        raise UnusualHeader


def _end_of_sequence(content: bytes, at: int, tag: int, vr: bytes) -> int:
    """Return the position behind a sequence that does not tell its length."""
    if vr != b"SQ" and (vr or not _can_be_sequence(tag)):
        raise UnusualHeader
    while True:
        group, element, length = _IMPLICIT(content, at)
        at += 8
        tag = group << 16 | element
        if tag == _END_OF_SEQUENCE and not length:
            return at
        if tag != _ITEM:
            raise UnusualHeader
        at = _end_of_item(content, at, None if length == UNDEFINED else at + length, is_explicit=bool(vr))


def _can_be_sequence(tag: int) -> bool:
    """Tell it of an element that does not state its value representation."""
    # pydicom takes most of a second to import, and the headers that come here are few.
    from pydicom.datadict import dictionary_has_tag, dictionary_VR

    is_private = bool(tag >> 16 & 1)
    return is_private or (dictionary_has_tag(tag) and dictionary_VR(tag) == "SQ")


def _end_of_item(content: bytes, at: int, end: int | None, is_explicit: bool) -> int:
    """Return the position behind an item, after a look at each of its elements."""
    for tag, _, after, _ in _elements(content, at, end, is_explicit):
        if tag == _CHARACTER_SET:  # one that pydicom cannot use makes the whole file unreadable to it
            raise UnusualHeader
        if tag == _END_OF_ITEM:
            return after
    return at if end is None else end


def _text(value: bytes, vr: bytes, encoding: str) -> str:
    """Return a value as text without outer blanks, a backslash between several."""
    if vr in _NUMBERS:
        number = _NUMBERS[vr]
        return "\\".join(str(part) for (part,) in number.iter_unpack(value))
    if vr not in _IN_ASCII and vr not in _IN_CHARACTER_SET:
        raise UnusualHeader
    text = value.decode(encoding if vr in _IN_CHARACTER_SET else "ascii").rstrip(" \0").lstrip(" ")
    if not text.isprintable() or (vr == b"PN" and "=" in text):
        raise UnusualHeader
    return "\\".join(part.strip(" ") for part in text.split("\\")) if "\\" in text else text
