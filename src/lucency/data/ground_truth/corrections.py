"""Read back the decisions of people who looked at suspect labels: the sheet `suspects.csv`, filled in."""

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lucency.data.ground_truth.tables import IMAGE, Table, read_table, rows_of_images
from lucency.data.naming import SAME_NAMES, Naming
from lucency.domain.cohort import CohortRow
from lucency.errors import SourceError

CORRECTIONS_TABLE = "data.labels.corrections"
"""The setting that names the table."""
CORRECT_LABEL, DECIDED_BY, DECIDED_ON, REMARK = "correct_label", "decided_by", "decided_on", "remark"


@dataclass(frozen=True)
class Correction:
    """The right label of one image, and who says so."""

    image_id: str
    label: str
    decided_by: str
    decided_on: str
    remark: str


@dataclass(frozen=True)
class Corrections:
    """What people decided about the labels of a cohort."""

    by_image: Mapping[str, Correction]
    """Image identifier → its correction; images whose label stays are not in it."""
    n_confirmed: int
    """Images that somebody looked at (`decided_by` or `decided_on` is filled in) and whose label stays."""
    unknown_rows: tuple[int, ...]
    """Rows of the table (counted from 2, as a spreadsheet does) that name no image of the cohort."""


def read_corrections(
    path: Path, classes: Sequence[str], kept: Sequence[CohortRow], naming: Naming = SAME_NAMES
) -> Corrections:
    """Read the right labels from a table with the columns `image` and `correct_label`; an empty cell lets the label stay.

    A column `image_id`, as in `suspects.csv`, comes before `image`: it also tells the frames of one file apart. The columns
    `decided_by`, `decided_on` and `remark` are kept where they are there. `classes` are the labels that may be given.

    Raises:
        SourceError: the table cannot be read, names a class that is none, or decides twice about one image.
    """
    table = read_table(path, [IMAGE, CORRECT_LABEL], CORRECTIONS_TABLE)
    for number, row in enumerate(table):
        _refuse_unknown_class(path, number, row[CORRECT_LABEL], classes)
    rows_of = rows_of_images(table, kept, naming)
    decided = {image_id: _one_decision(path, table, rows) for image_id, rows in rows_of.items()}
    matched = {number for rows in rows_of.values() for number in rows}
    return Corrections(
        by_image={image_id: _correction(image_id, row) for image_id, row in decided.items() if row[CORRECT_LABEL]},
        n_confirmed=sum(
            not row[CORRECT_LABEL] and bool(row.get(DECIDED_BY) or row.get(DECIDED_ON)) for row in decided.values()
        ),
        unknown_rows=tuple(number + 2 for number in range(len(table)) if number not in matched),
    )


def _refuse_unknown_class(path: Path, number: int, label: str, classes: Sequence[str]) -> None:
    if not label or label in classes:
        return
    by_lower_case = {name.lower(): name for name in classes}
    close = difflib.get_close_matches(label.lower(), by_lower_case, n=1)
    hint = f"Did you mean “{by_lower_case[close[0]]}”?" if close else f"The classes are: {', '.join(classes[:8])}."
    raise SourceError(f"Row {number + 2} of {path.name} corrects to “{label}”, which is no class of this study. {hint}")


def _correction(image_id: str, row: Mapping[str, str]) -> Correction:
    return Correction(
        image_id,
        label=row[CORRECT_LABEL],
        decided_by=row.get(DECIDED_BY, ""),
        decided_on=row.get(DECIDED_ON, "").removesuffix(" 00:00:00"),  # what a day is in a spreadsheet
        remark=row.get(REMARK, ""),
    )


def _one_decision(path: Path, table: Table, rows: Sequence[int]) -> Mapping[str, str]:
    """Return the row that counts: of several about one image, those that decide must agree."""
    deciding = [number for number in rows if table[number][CORRECT_LABEL]]
    labels = {table[number][CORRECT_LABEL] for number in deciding}
    if len(labels) > 1:
        numbers = " and ".join(str(number + 2) for number in deciding[:2])
        raise SourceError(
            f"Rows {numbers} of {path.name} give one image different labels. Decide for one of them, and empty the other."
        )
    return table[(deciding or list(rows))[0]]
