"""A page that shows what the rules read in radiology reports: counts, and reports with the words marked that decided.

One HTML file without script or network; every text is escaped.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from lucency.report.html import styles, template

ANSWERS = ("positive", "uncertain", "negative", "not mentioned")
MOST_CHARACTERS = 6000
"""Of a report's text on the page."""


@dataclass(frozen=True)
class Mark:
    """Words in a text."""

    start: int
    end: int
    kind: str
    """positive, uncertain, negative, void (not said of the image), or cue."""
    meaning: str
    """What a reader sees who points at them."""


@dataclass(frozen=True)
class ShownReport:
    """One report on the page."""

    name: str
    text: str
    marks: tuple[Mark, ...]
    labels: tuple[tuple[str, str], ...]
    """Finding and answer, for findings that the report mentions."""


@dataclass(frozen=True)
class Counted:
    """How many reports say what about a finding."""

    finding: str
    numbers: tuple[int, ...]
    """Positive, uncertain, negative, not mentioned."""


@dataclass(frozen=True)
class LabelledReports:
    """What the page tells."""

    n_reports: int
    n_read: int
    codes: tuple[tuple[str, int, str], ...]
    """Code, number of reports, meaning."""
    counts: tuple[Counted, ...]
    shown: tuple[ShownReport, ...]


@dataclass(frozen=True)
class Piece:
    """A stretch of text, marked or not."""

    text: str
    kind: str = ""
    meaning: str = ""


def render_labelled_reports(page: LabelledReports) -> str:
    """Write the page; the same material gives the same bytes."""
    return template("labelled_reports.html.j2").render(
        page=page, answers=ANSWERS, styles=styles("sheet.css", "labelled_reports.css"), pieces_of=pieces_of
    )


def pieces_of(report: ShownReport) -> list[Piece]:
    """Cut a text at its marks; of marks that overlap the first counts."""
    pieces, place = [], 0
    for mark in _apart(report.marks):
        if mark.end > MOST_CHARACTERS:
            break
        pieces += [
            Piece(report.text[place : mark.start]),
            Piece(report.text[mark.start : mark.end], mark.kind, mark.meaning),
        ]
        place = mark.end
    rest = report.text[place:MOST_CHARACTERS]
    pieces.append(Piece(rest + (" …" if len(report.text) > MOST_CHARACTERS else "")))
    return [piece for piece in pieces if piece.text]


def _apart(marks: Sequence[Mark]) -> list[Mark]:
    """Join the meanings of equal marks, and drop those that begin inside another."""
    kept: list[Mark] = []
    for mark in sorted(marks, key=lambda mark: (mark.start, -mark.end, mark.kind == "cue")):
        if kept and (mark.start, mark.end) == (kept[-1].start, kept[-1].end):
            kept[-1] = Mark(mark.start, mark.end, kept[-1].kind, f"{kept[-1].meaning}; {mark.meaning}")
        elif not kept or mark.start >= kept[-1].end:
            kept.append(mark)
    return kept
