"""Disputed images: the sheet on which somebody decides, and the decisions read back."""

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lucency.data.ground_truth.consensus import is_disputed
from lucency.data.ground_truth.tables import read_table, rows_of_images
from lucency.data.ground_truth.verdicts import Verdict
from lucency.data.naming import Naming
from lucency.domain.cohort import CohortRow
from lucency.domain.readings import Readings
from lucency.errors import SourceError

SETTING = "data.labels.consensus.adjudicated"
HEADER = ("image", "image_id", "votes", "decision", "decided_by", "date", "remark")


@dataclass(frozen=True)
class Disputed:
    """An image on which readers disagree."""

    image: CohortRow
    votes: str
    is_open: bool
    """True where it has no label until somebody decides."""


def disputed_images(kept: Sequence[CohortRow], readings: Readings, verdicts: Sequence[Verdict]) -> tuple[Disputed, ...]:
    """List the images on which readers disagree and nobody decided yet, those without a label first."""
    found = [
        Disputed(image, verdict.votes, not verdict.target)
        for image, disputed, verdict in zip(kept, is_disputed(readings), verdicts, strict=True)
        if disputed and not verdict.notes
    ]
    return tuple(sorted(found, key=lambda one: (not one.is_open, one.image.source)))


def rows_to_decide(disputed: Sequence[Disputed], naming: Naming) -> list[tuple[str, ...]]:
    """Write a row for each disputed image, with empty cells for the decision (`HEADER`)."""
    return [(naming.path(one.image.source), one.image.image_id, one.votes, "", "", "", "") for one in disputed]


def read_decisions(
    path: Path, levels: Sequence[str], kept: Sequence[CohortRow], naming: Naming
) -> tuple[dict[str, str], tuple[int, ...]]:
    """Read the filled-in sheet: image identifier → level, and the rows (from 2) that name no image of the cohort.

    Empty decisions are still open. Only the columns `image` and `decision` are needed.

    Raises:
        SourceError: the table cannot be read, names an unknown level, or decides twice about one image.
    """
    table = read_table(path, ["image", "decision"], SETTING)
    for number, row in enumerate(table, start=2):
        if row["decision"] and row["decision"] not in levels:
            raise SourceError(f"Row {number} of {path.name} decides for “{row['decision']}”. {_hint(row, levels)}")
    rows_of = rows_of_images(table, kept, naming)
    decisions = {}
    for image_id, numbers in rows_of.items():
        deciding = [number for number in numbers if table[number]["decision"]]
        decided = {table[number]["decision"] for number in deciding}
        if len(decided) > 1:
            rows = " and ".join(str(number + 2) for number in deciding[:2])
            raise SourceError(f"Rows {rows} of {path.name} decide differently about one image. Keep one of them.")
        if decided:
            decisions[image_id] = decided.pop()
    matched = {number for numbers in rows_of.values() for number in numbers}
    return decisions, tuple(number + 2 for number in range(len(table)) if number not in matched)


def _hint(row: dict[str, str], levels: Sequence[str]) -> str:
    lower = {level.lower(): level for level in levels}
    close = difflib.get_close_matches(row["decision"].lower(), lower, n=1)
    return f"Did you mean “{lower[close[0]]}”?" if close else f"The answers are: {', '.join(levels[:8])}."
