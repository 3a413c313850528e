"""A sheet of images that people look through and fill in: suspect labels, disputed cases.

One HTML file without script or network, every text escaped, to be read on the screen or printed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from markupsafe import Markup

from lucency.report.html import styles, template

IMAGE_BUDGET_BYTES = 6_000_000
"""PNG bytes on one sheet: some 200 radiographs of 256 pixels, so that a browser opens the page at once."""


@dataclass(frozen=True)
class Card:
    """One image, and what is known about it."""

    png: bytes
    heading: str
    """How the image is called, for example its file."""
    facts: tuple[tuple[str, str], ...] = ()
    """Names and values, in the order in which they are shown: label, suggested label, readers' votes."""
    remark: str = ""
    group: str = ""
    """Neighbours of one group, for example copies of one picture, stand in a frame of this name."""


@dataclass(frozen=True)
class Table:
    """A small table between the cards; the first column names the row."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    caption: str = ""


@dataclass(frozen=True)
class Chapter:
    """A part of a sheet with a title of its own."""

    title: str
    text: str
    cards: tuple[Card, ...] = ()
    tables: tuple[Table, ...] = ()
    drawings: tuple[Markup, ...] = ()
    """Figures as inline SVG."""
    warnings: tuple[str, ...] = ()
    """What must not be overlooked, one sentence or two each."""
    blanks: tuple[str, ...] = ()
    """Lines to be written on below each card of the printed page, for example "Correct label"."""


@dataclass(frozen=True)
class Sheet:
    """A page of images to look through."""

    title: str
    instructions: tuple[str, ...]
    """What to do, in plain words: the first paragraph says why, the others are numbered steps."""
    cards: tuple[Card, ...] = ()
    blanks: tuple[str, ...] = ()
    """Lines to be written on below each card of the printed page, for example "Correct label"."""
    chapters: tuple[Chapter, ...] = ()
    """What follows after the cards."""


def render_sheet(sheet: Sheet, budget_bytes: int = IMAGE_BUDGET_BYTES) -> str:
    """Write a sheet as one self-contained HTML page; the first cards whose pictures fit into the budget are shown.

    What is left out is said on the page.
    """
    return template("sheet.html.j2").render(
        sheet=sheet,
        styles=styles("sheet.css"),
        shown=_within_budget(sheet, budget_bytes),
        in_groups=_in_groups,
    )


def _within_budget(sheet: Sheet, budget_bytes: int) -> list[list[Card]]:
    """Return the cards that are shown: those of the sheet itself, then those of each chapter, at least one of each."""
    shown = []
    for cards in (sheet.cards, *(chapter.cards for chapter in sheet.chapters)):
        kept: list[Card] = []
        for card in cards:
            budget_bytes -= len(card.png)
            if kept and budget_bytes < 0:
                break
            kept.append(card)
        shown.append(kept)
    return shown


def _in_groups(cards: Sequence[Card]) -> list[tuple[str, list[Card]]]:
    """Put neighbours of one group together; the group is empty for cards that stand alone."""
    return [(group, list(members)) for group, members in groupby(cards, key=lambda card: card.group)]
