"""Check one value against its value representation: what is not a number, code or date of its kind does not pass."""

import re
import struct
from datetime import date, timedelta

from pydicom.datadict import dictionary_VM
from pydicom.uid import UID_dictionary

from lucency.data.dicom.deidentification.encoding import word_bytes
from lucency.data.dicom.deidentification.identifiers import day_of
from lucency.data.dicom.deidentification.pseudonyms import Offset
from lucency.data.dicom.deidentification.terms import is_term

OLDEST_SHOWN = 90
"""Ages above 89 years are written as 90, because so few people reach them."""

REMOVED = "REMOVED"
"""Stands for a coded string that may be a name; many of them must not be empty."""

_DECIMAL = re.compile(r"\s*[+-]?(?:\d+[.,]?\d*|[.,]\d+)(?:[eE][+-]?\d+)?\s*")
_INTEGER = re.compile(r"\s*[+-]?\d{1,12}\s*")
_CODE = re.compile(r"\s*[A-Z0-9_ ]{0,16}\s*")
_TIME = re.compile(r"\s*(?:[01]\d|2[0-3])(?::?[0-5]\d(?::?(?:[0-5]\d|60)(?:\.\d{1,6})?)?)?\s*")
_DATE_AND_TIME = re.compile(r"(\d{8})((?:\d{2}){0,3}(?:\.\d{1,6})?)(?:[+-]\d{4})?")
_AGE = re.compile(r"(\d{3})([DWMY])")
_LETTERS = re.compile(rb"[A-Za-z0-9 ^_.,=-]+")
_TECHNICAL = re.compile(r"[\w .,;:/()+*#%\[\]<>=&'-]{0,64}")
_TERMS = {
    0x00281054: re.compile(r"[A-Z_]{1,7}"),  # rescale type
    0x00283004: re.compile(r"[A-Z_]{1,7}"),  # modality LUT type
    0x00180085: re.compile(r"\d{1,3}[A-Z][a-z]?|[A-Z][a-z]?-?\d{0,3}"),  # imaged nucleus
}
"""Technical texts that are short terms."""
_LOOKS_PERSONAL = re.compile(r"\d{6,}|\d{1,4}[-./]\d{1,2}[-./]\d{2,4}")
_SOP_CLASS_ROOT = re.compile(r"1\.2\.840\.10008\.5\.1\.4\.[0-9.]{1,20}")
"""Classes that are newer than pydicom's dictionary."""
_SEXES = {"M", "F", "O"}


def checked_number(tag: int, vr: str, value: bytes) -> bytes | None:
    """Return a number or code as it is (decimal commas as points), or None when it is none.

    Binary numbers beyond the count that the dictionary allows are cut off, and a value made of letters is no number.
    """
    size = word_bytes(vr)
    if size == 1 and vr != "OB":
        return _checked_text(vr, value)
    if len(value) % size or _is_letters(vr, value):
        return None
    if vr.startswith("O"):
        return value  # a stream of any length counts as one value
    n_allowed = _n_allowed(tag) * (2 if vr == "AT" else 1)
    return value[: n_allowed * size] if n_allowed else value


def checked_technical_text(tag: int, text: str) -> str | None:
    """Return a text about equipment, or None when it looks like more than that."""
    pattern = _TERMS.get(tag, _TECHNICAL)
    return text if pattern.fullmatch(text) and not _LOOKS_PERSONAL.search(text) else None


def is_registered_uid(uid: str) -> bool:
    """Tell whether a UID is one of the standard's own, which name kinds of things and never patients."""
    return uid in UID_dictionary or _SOP_CLASS_ROOT.fullmatch(uid) is not None


def checked_sex(text: str) -> str:
    """Return M, F or O; empty for anything else."""
    return text if text in _SEXES else ""


def capped_age(text: str) -> str | None:
    """Return an age in DICOM's form, 090Y for all who are older than 89 years; None when it is none."""
    match = _AGE.fullmatch(text.strip(" \0"))
    if match is None:
        return None
    years = int(match.group(1)) / {"D": 365.25, "W": 52.18, "M": 12, "Y": 1}[match.group(2)]
    return f"{OLDEST_SHOWN:03d}Y" if years >= OLDEST_SHOWN else match.group()


def age_at(birth: date, exam: date) -> str | None:
    """Return the completed years between two days in DICOM's form, capped; None when they cannot belong together."""
    years = exam.year - birth.year - ((exam.month, exam.day) < (birth.month, birth.day))
    return f"{min(years, OLDEST_SHOWN):03d}Y" if 0 <= years < 130 else None


def shifted(vr: str, text: str, offset: Offset) -> str | None:
    """Return dates, times or dates and times moved back by a patient's offset; None when any is none."""
    parts = [_shifted_one(vr, part.strip(" \0"), offset) for part in text.split("\\")]
    return None if None in parts else "\\".join(filter(None, parts))


def _shifted_one(vr: str, text: str, offset: Offset) -> str | None:
    if not text:
        return ""
    if vr == "TM":
        return _moved_clock(text.replace(":", ""), offset.minutes) if _TIME.fullmatch(text) else None
    clock = ""
    if vr == "DT":
        match = _DATE_AND_TIME.fullmatch(text)
        if match is None:
            return None
        text, clock = match.groups()  # the offset from UTC says where the patient was, and goes
    elif not re.fullmatch(r"\d{8}|\d{4}\.\d\d\.\d\d", text):
        return None
    day = day_of(text)
    if day is None or (day - date.min).days <= offset.days:
        return None
    moved = day - timedelta(offset.days)
    return f"{moved.year:04d}{moved.month:02d}{moved.day:02d}{_moved_clock(clock, offset.minutes) if clock else ''}"


def _moved_clock(clock: str, minutes: int) -> str:
    """Return another time of the same day, as exact as it was; before its beginning comes its end.

    The day itself is not touched, because it often stands in another element than the time.
    """
    n_minutes = (60 * int(clock[:2]) + int(clock[2:4] or 0) - minutes) % (24 * 60)
    return f"{n_minutes // 60:02d}{n_minutes % 60:02d}"[: len(clock)] + clock[4:]


def _checked_text(vr: str, value: bytes) -> bytes | None:
    pattern = {"DS": _DECIMAL, "IS": _INTEGER, "CS": _CODE}.get(vr)
    if pattern is None:
        return None
    try:
        text = value.decode("ascii").strip(" \0")
    except UnicodeDecodeError:
        return None
    parts = text.split("\\")
    if not all(not part.strip() or pattern.fullmatch(part) for part in parts):
        return None
    if vr == "CS":
        return "\\".join(part if is_term(part) else REMOVED for part in parts).encode()
    return text.replace(",", ".").encode()


def _n_allowed(tag: int) -> int:
    """Return how many values the dictionary allows; 0 for any number."""
    vm = dictionary_VM(tag)
    last = vm.rsplit("-", 1)[-1]
    return int(last) if last.isdigit() else 0


def _is_letters(vr: str, value: bytes) -> bool:
    """Tell whether binary numbers read as text; the exponents of common floating point numbers are no letters."""
    text = value.rstrip(b"\0 ")
    return len(text) >= (12 if vr in ("FL", "OF") else 8) and _LETTERS.fullmatch(text) is not None


def little_endian(number: int) -> bytes:
    """Return an unsigned number of two bytes."""
    return struct.pack("<H", number)


def checked_private_number(vr: str, value: bytes) -> bytes | None:
    """Return the number or code of a private element that is known to be one, or None when it is none."""
    size = word_bytes(vr)
    if size == 1:
        return _checked_text(vr, value) if len(value) <= 256 else None
    return value if len(value) % size == 0 and len(value) <= 32 * size and not _is_letters(vr, value) else None
