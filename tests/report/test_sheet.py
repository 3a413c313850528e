"""The sheet that people fill in: safe, self-contained, and honest about what it leaves out."""

import io
import re

import numpy as np
import pytest
from PIL import Image

from lucency.report.sheet import Card, Chapter, Sheet, Table, render_sheet

HOSTILE = "<script>alert(1)</script>&'\""


def png(level: int = 90, side: int = 24) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.full((side, side), level, np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()


def sheet(*cards: Card, **more: object) -> Sheet:
    return Sheet("Suspect labels", ("Why.", "Look at each image."), cards, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("place", ["title", "step", "heading", "name", "value", "remark", "group", "cell", "blank"])
def test_every_text_is_escaped(place: str) -> None:
    """File names and labels come from outside; none may become part of the page."""
    text = {
        name: HOSTILE if name == place else "x"
        for name in ("title", "step", "heading", "name", "value", "remark", "group", "cell", "blank")
    }
    card = Card(png(), text["heading"], ((text["name"], text["value"]),), text["remark"], text["group"])
    table = Table((text["cell"],), ((text["cell"],),), text["cell"])
    chapter = Chapter(text["title"], text["step"], (card,), (table,), (text["cell"],), (text["blank"],))
    page = render_sheet(Sheet(text["title"], (text["step"], text["step"]), (card,), (text["blank"],), (chapter,)))
    assert "<script" not in page
    assert "&lt;script&gt;" in page


def test_the_page_needs_nothing_from_outside() -> None:
    """A sheet is sent to readers by mail; what it shows must be inside it."""
    page = render_sheet(sheet(Card(png(), "a/1.png")))
    assert "default-src 'none'" in page
    assert all(address.startswith("data:image/png;base64,") for address in re.findall(r'src="([^"]*)"', page))
    assert "http" not in page.replace("http-equiv", "")


def test_the_same_sheet_gives_the_same_bytes() -> None:
    """The record holds the hash of the page."""
    cards = [Card(png(level), f"{level}.png") for level in range(3)]
    assert render_sheet(sheet(*cards)) == render_sheet(sheet(*cards))


def test_what_is_too_heavy_is_left_out_and_said() -> None:
    """A page of thousands of images would not open; its reader must know that the table has more."""
    cards = [Card(png(), f"{number}.png") for number in range(5)]
    page = render_sheet(sheet(*cards), budget_bytes=2 * len(cards[0].png))
    assert page.count("<img") == 2
    assert "3 more stand in the table only" in page


def test_each_chapter_shows_at_least_one_card() -> None:
    """The first chapter must not use up what the others need to be understood."""
    cards = [Card(png(level), f"{level}.png") for level in range(3)]
    page = render_sheet(
        sheet(*cards, chapters=(Chapter("Conflicts", "Copies.", (Card(png(), "last.png"),)),)), budget_bytes=1
    )
    assert page.count("<img") == 2
    assert "last.png" in page


def test_copies_of_one_picture_stand_in_one_frame() -> None:
    """Who decides between two labels wants to see both pictures side by side."""
    cards = [Card(png(), name, group=group) for name, group in (("a", "1"), ("b", "1"), ("c", "2"))]
    page = render_sheet(sheet(*cards))
    frames = page.split('class="together"')[1:]
    assert [frame.count("<img") for frame in frames] == [2, 1]
