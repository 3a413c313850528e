"""Cut a radiology report into words and marks, as they are written.

Numbers, dates and the names behind titles are folded: they would tell one report from another and nothing about disease.
"""

import re
from collections.abc import Iterator

from lucency.data.ground_truth.reports.sections import telling_sections

NUMBER, DATE, NAME = "<number>", "<date>", "<name>"
FOLDED = frozenset({NUMBER, DATE, NAME})

_MONTH = r"(?:jan|feb|m[aä]r|apr|ma[iy]|jun|jul|aug|sep|o[ck]t|nov|de[cz])[a-zéû]*\.?"
_TOKEN = re.compile(
    rf"(?P<date>\d{{4}}[-./]\d{{1,2}}[-./]\d{{1,2}}|\d{{1,2}}[-./]\d{{1,2}}[-./](?:\d{{4}}|\d{{2}})(?!\d)"
    rf"|\d{{1,2}}(?:st|nd|rd|th|\.)?\s{_MONTH}\s\d{{4}}|{_MONTH}\s\d{{1,2}}(?:st|nd|rd|th)?,?\s\d{{4}})"
    r"|(?P<number>\d+(?:[.,:]\d+)*)"
    r"|(?P<title>(?-i:\b(?:Dr|Drs|Prof|Mr|Mrs|Ms|Miss|Herr|Frau|Doctor|Professor|DR\.|PROF\.|MRS)\b\.?(?=\s+[A-Z])))"
    r"|(?P<letter>[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af])"
    r"|(?P<word>[^\W\d_]+(?:'[^\W\d_]+)?)"
    r"|(?P<mark>[.?!,;])",
    re.IGNORECASE,
)
_MARKS = {"!": ".", ";": ","}
_MOST_NAMES = 3
"""Capitalised words behind a title that count as a name."""
_LONGEST_WORD = 60
"""Letters behind which a word is cut off: no language needs more, and broken files hold words of megabytes."""


def tokens_of(text: str) -> Iterator[str]:
    """Cut a clean text into words as they are written, marks, and what numbers, dates and names are folded to."""
    n_names_ahead, is_initial = 0, False
    for found in _TOKEN.finditer(text):
        kind, token = found.lastgroup or "", found.group()
        if kind == "title":
            n_names_ahead, is_initial = _MOST_NAMES, False
        elif n_names_ahead and kind == "word" and token[0].isupper():
            n_names_ahead, is_initial = n_names_ahead - 1, len(token) == 1
            yield NAME
        elif not (n_names_ahead and is_initial and token == "."):
            n_names_ahead = 0
            yield {"date": DATE, "number": NUMBER}.get(kind, _MARKS.get(token, token[:_LONGEST_WORD]))


def telling_text(text: str) -> str:
    """Return findings and impression, or the whole of a report that has no headings."""
    return "\n".join(text[section.start : section.end] for section in telling_sections(text))
