"""Read back the decisions of people who looked at suspect labels: the sheet `suspects.csv`, filled in."""

import difflib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lucency.data.ground_truth.tables import Table, image_matcher, is_uid, read_table
from lucency.data.naming import SAME_NAMES, Naming
from lucency.domain.cohort import CohortRow
from lucency.errors import SourceError
from lucency.provenance import sha256_of

CORRECTIONS_TABLE = "data.labels.corrections"
"""The setting that names the table."""
IMAGE, IMAGE_ID, CORRECT_LABEL, DECIDED_BY, DECIDED_ON, REMARK = (
    "image",
    "image_id",
    "correct_label",
    "decided_by",
    "decided_on",
    "remark",
)


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
    rows_of = _rows_of_images(table, kept, naming)
    decided = {image_id: _one_decision(path, table, rows) for image_id, rows in rows_of.items()}
    matched = {number for rows in rows_of.values() for number in rows}
    return Corrections(
        by_image={
            image_id: Correction(
                image_id, *(row.get(name, "") for name in (CORRECT_LABEL, DECIDED_BY, DECIDED_ON, REMARK))
            )
            for image_id, row in decided.items()
            if row[CORRECT_LABEL]
        },
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


def _rows_of_images(table: Table, kept: Sequence[CohortRow], naming: Naming) -> dict[str, list[int]]:
    """Find the rows that speak of each image, by its identifier or else by its name."""
    by_id: defaultdict[str, list[int]] = defaultdict(list)
    for number, row in enumerate(table):
        by_id[row.get(IMAGE_ID, "")].append(number)
    known = {image.image_id for image in kept}
    nameless = [number for number, row in enumerate(table) if row.get(IMAGE_ID, "") not in known]
    match = image_matcher([_as_in_cohort(table[number], naming) for number in nameless], IMAGE)
    found: dict[str, list[int]] = {}
    for image in kept:
        by_name = {
            nameless[place]
            for source in (naming.path(image.source), image.source)
            for place in match(source, image.instance_sha256, image.n_files > 1)
        }
        rows = [*by_id.get(image.image_id, []), *sorted(by_name)]
        if rows:
            found[image.image_id] = rows
    return found


def _as_in_cohort(row: Mapping[str, str], naming: Naming) -> dict[str, str]:
    """Write UIDs as the cohort does, which holds no identifiers."""
    name = row[IMAGE]
    return {IMAGE: sha256_of(naming.new_uid(name)) if is_uid(name) else name}


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
