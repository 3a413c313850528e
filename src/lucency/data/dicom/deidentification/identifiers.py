"""What a header itself says about who the patient is, so that the same words can be found elsewhere."""

import re
from collections.abc import Iterator
from datetime import date
from functools import cache

from pydicom.charset import convert_encodings, decode_bytes
from pydicom.datadict import dictionary_has_tag, dictionary_VR, keyword_for_tag
from pydicom.dataset import Dataset

from lucency.data.dicom.deidentification.parsing import sub_datasets, value_of
from lucency.data.dicom.deidentification.text import Identifiers

_NUMBER = re.compile(r"IDs?$|ID(?![a-z])|Number|Identifier|Identification$|Locator|Telecom|Phone|StationName|AETitle")
_PLACE = re.compile(
    r"Address|Institution|Residence|Location|Organization|SiteName|CoordinatingCenter|RequestingService"
)

_LIKELY = ("utf-8", "latin-1", "shift_jis", "gb18030", "euc_kr")
"""Character sets to try beside the declared one, which is often wrong."""


def find_identifiers(header: Dataset) -> Identifiers:
    """Collect names, numbers, places and dates from a header, at any depth."""
    names: set[str] = set()
    numbers: set[str] = set()
    places: set[str] = set()
    dates: set[date] = set()
    kinds = {"name": names, "number": numbers, "place": places}
    for kind, content, encodings in _identifying(header, character_sets(header)):
        if kind == "date":
            dates.update(filter(None, map(day_of, content.decode("ascii", "ignore").split("\\"))))
        else:
            for text in _readings(content, encodings):
                kinds[kind].update(part.strip(" \0") for part in text.split("\\") if part.strip(" \0^"))
    return Identifiers(frozenset(names), frozenset(numbers), frozenset(places), frozenset(dates))


def patient_identity(header: Dataset) -> str:
    """Return what tells one patient from another: the number with its issuer, else name and birth, else the exam.

    Two ways of writing one number (case, leading zeros) are the same patient, as they are when images are read.
    """
    encodings = character_sets(header)

    def text(tag: int) -> str:
        return decode(value_of(header, tag), encodings).strip(" \0").upper()

    number, issuer = text(0x00100020), text(0x00100021)
    if number:
        return (number.lstrip("0") or "0") + (f"@{issuer}" if issuer else "")
    name = text(0x00100010).strip("^ ")
    return f"name {name} {text(0x00100030)}" if name else f"exam {text(0x0020000D)}"


def character_sets(header: Dataset, inherited: tuple[str, ...] = ("iso8859",)) -> tuple[str, ...]:
    """Return the Python names of a header's character sets."""
    declared = value_of(header, 0x00080005).decode("ascii", "ignore").strip(" \0")
    if not declared:
        return inherited
    try:
        return tuple(convert_encodings([term.strip() for term in declared.split("\\")]))
    except (LookupError, ValueError):
        return inherited


def decode(content: bytes, encodings: tuple[str, ...]) -> str:
    """Return a text as the declared character sets read it."""
    return decode_bytes(content, list(encodings), {0x5C, 0x5E, 0x3D, 0x0A, 0x0D, 0x09, 0x0C})


def day_of(text: str) -> date | None:
    """Return the day of a DICOM date or date and time."""
    digits = text.strip(" \0").replace(".", "", 2) if re.match(r"\d{4}\.\d\d\.\d\d", text) else text.strip(" \0")
    if not re.match(r"\d{8}", digits):
        return None
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:8]))
    except ValueError:
        return None


def _readings(content: bytes, encodings: tuple[str, ...]) -> set[str]:
    """Read a text with the declared character set and, where it is not plain ASCII, with the likely ones."""
    texts = {decode(content, encodings)}
    if not content.isascii():
        for encoding in _LIKELY:
            try:
                texts.add(content.decode(encoding))
            except UnicodeDecodeError:
                continue
    return texts


def _identifying(header: Dataset, encodings: tuple[str, ...]) -> Iterator[tuple[str, bytes, tuple[str, ...]]]:
    for tag in header.keys():  # noqa: SIM118 - iterating a dataset itself would convert every value
        kind = _kind(int(tag))
        if kind == "sequence":
            for item in sub_datasets(header, int(tag)):
                yield from _identifying(item, character_sets(item, encodings))
        elif kind:
            content = value_of(header, int(tag))
            if content:
                yield kind, content, encodings


@cache
def _kind(tag: int) -> str:
    """Say what an element tells about a person: a name, a number, a place, a date, more inside, or nothing."""
    if not dictionary_has_tag(tag):
        return ""
    vr, keyword = dictionary_VR(tag), keyword_for_tag(tag)
    if vr in ("PN", "DA", "DT", "SQ"):
        return {"PN": "name", "SQ": "sequence"}.get(vr, "date")
    if vr not in ("LO", "SH", "ST", "LT", "UT", "UC", "AE"):
        return ""
    if _PLACE.search(keyword):
        return "place"
    return "number" if _NUMBER.search(keyword) else ""
