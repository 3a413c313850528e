"""Coded entries: the code says it all, so the meaning is written anew from the standard's own list.

The meaning of a code is a free text, and so is a local code. Codes of the vocabularies that DICOM uses are kept when
they look like codes of their vocabulary; all others are replaced by one that says that something was removed.
"""

import re
from functools import cache
from typing import Any

from pydicom.sr import _concepts_dict, _snomed_dict  # the only form in which pydicom looks a code up by its value

REPLACED = ("REMOVED", "99LUCENCY", "Removed in de-identification")
"""What stands for a code that may identify."""

_SEMANTIC_TAG = re.compile(r" \([a-z /]+\)$")
"""What SNOMED CT adds to a meaning, for example (body structure)."""

_SYNTAX = {
    "SCT": r"\d{6,18}",
    "SRT": r"[A-Z]-[0-9A-F]{4,7}",
    "SNM3": r"[A-Z]-[0-9A-F]{4,7}",
    "99SDM": r"[A-Z]-[0-9A-F]{4,7}",
    "DCM": r"1[0-3]\d{4}",
    "LN": r"\d{2,5}-\d",
    "RADLEX": r"RID\d{1,5}",
    "FMA": r"\d{4,6}",
    "UCUM": r"[A-Za-z0-9%/.*\[\]\-'^]{1,10}",
    "NCIt": r"C\d{3,6}",
    "IBSI": r"[A-Z0-9]{4}",
    "MDC": r"\d{1,6}",
}


def cleaned_code(value: str, scheme: str) -> tuple[str, str, str]:
    """Return value, scheme and meaning of a code, or those of the replacement."""
    meaning = _meanings().get((scheme, value))
    if meaning is None and scheme in ("SRT", "SNM3", "99SDM"):
        meaning = _meanings().get(("SCT", _snomed_dict.mapping["SRT"].get(value, "")))
    if meaning is not None:
        return value, scheme, _SEMANTIC_TAG.sub("", meaning)[:64]
    if re.fullmatch(_SYNTAX.get(scheme, r"(?!)"), value):
        return value, scheme, value if scheme == "UCUM" else REPLACED[2]
    return REPLACED


@cache
def _meanings() -> dict[tuple[str, str], str]:
    concepts: Any = _concepts_dict.concepts
    return {
        (scheme, value): meaning
        for scheme, keywords in concepts.items()
        for codes in keywords.values()
        for value, (meaning, _) in codes.items()
    }
