"""Give each readable image its label, and set aside the ones whose label cannot be trusted."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from lucency.data.ground_truth.class_order import healthy, in_order
from lucency.data.ground_truth.tables import image_matcher, read_table, require_table, with_hashed_uids
from lucency.data.naming import SAME_NAMES, Naming
from lucency.domain.cohort import KEPT, REFUSED, CohortRow, LabelRow
from lucency.domain.labels_plan import Labels
from lucency.domain.parts import Part
from lucency.errors import SourceError

_KEEP_FIRST = {Part.TEST: 0, Part.TUNING: 1, Part.TRAINING: 2, "": 3}
"""Of equal images in two official parts, the one in the test part stays: its number is the published one."""


@dataclass(frozen=True)
class Labelling:
    """The labels of a cohort."""

    rows: tuple[LabelRow, ...]
    classes: tuple[str, ...]
    """Class names; for two classes the second is the positive one."""
    is_positive_guessed: bool
    """True when neither the plan nor the names tell which of two classes is the disease."""
    unknown_rows: tuple[int, ...]
    """Rows of the table (counted from 2, as a spreadsheet does) that name no image of the cohort."""


def label(
    cohort: Sequence[CohortRow], labels: Labels, archive_labels: dict[str, str], naming: Naming = SAME_NAMES
) -> Labelling:
    """Label every kept image; refuse those without a label, with two, and copies of other images.

    `archive_labels` maps a source to its label, when the labels lie in the archive of the images. `naming` is the way
    from the names in a table to those of the images.

    Raises:
        SourceError: no image has a label, or all have the same.
    """
    kept = [row for row in cohort if row.status == KEPT]
    unknown: tuple[int, ...] = ()
    if labels.from_ == "table":
        rows, unknown = _from_table(kept, labels, naming)
    elif labels.from_ == "archive":
        rows = [_labelled(row, archive_labels.get(row.source, ""), labels) for row in kept]
    else:
        rows = [_labelled(row, PurePosixPath(naming.path(row.source)).parent.name, labels) for row in kept]
    rows = _set_copies_aside(kept, rows)
    classes = _classes(rows, labels)
    is_guessed = len(classes) == 2 and not labels.positive and len(healthy(classes)) != 1
    return Labelling(tuple(rows), classes, is_guessed, unknown)


def _labelled(row: CohortRow, target: str, labels: Labels) -> LabelRow:
    target = (labels.names or {}).get(target, target)
    if not target:
        return LabelRow(row.image_id, "", labels.from_, REFUSED, "E_NO_LABEL")
    return LabelRow(row.image_id, target, labels.from_, KEPT, "")


def _from_table(kept: list[CohortRow], labels: Labels, naming: Naming) -> tuple[list[LabelRow], tuple[int, ...]]:
    """Look each image up in the table; an image that stands there twice with different labels is refused."""
    table = read_table(require_table(labels.table), [labels.image_column, labels.label_column])
    match = image_matcher(with_hashed_uids(table, labels.image_column, naming), labels.image_column)
    rows, matched = [], set()
    for row in kept:
        numbers = match(naming.path(row.source), row.instance_sha256, row.n_files > 1)
        matched.update(numbers)
        targets = {table[number][labels.label_column] for number in numbers}
        if len(targets) > 1:
            rows.append(LabelRow(row.image_id, "", labels.from_, REFUSED, "E_DOUBLE_LABEL"))
        else:
            rows.append(_labelled(row, "".join(targets), labels))
    return rows, tuple(number + 2 for number in range(len(table)) if number not in matched)


def _set_copies_aside(kept: list[CohortRow], rows: list[LabelRow]) -> list[LabelRow]:
    """Keep one of equal images when their labels agree, none when they disagree."""
    copies: defaultdict[str, list[int]] = defaultdict(list)
    for number, (image, row) in enumerate(zip(kept, rows, strict=True)):
        if row.status == KEPT:
            copies[image.pixel_sha256].append(number)
    rows = list(rows)
    for numbers in copies.values():
        if len({rows[number].target for number in numbers}) > 1:
            refused, reason = numbers, "E_CONFLICT"
        else:
            ordered = sorted(numbers, key=lambda number: (_KEEP_FIRST[kept[number].official_part], kept[number].source))
            refused, reason = ordered[1:], "E_DUPLICATE"
        for number in refused:
            rows[number] = replace(rows[number], status=REFUSED, reason=reason)
    return rows


def _classes(rows: list[LabelRow], labels: Labels) -> tuple[str, ...]:
    """Order the classes: by name, but of two the one that means disease comes last."""
    names = sorted({row.target for row in rows if row.status == KEPT})
    if not names:
        hint = ", but the images lie in no folders of their own" if labels.from_ == "folder" else ""
        raise SourceError(
            f"No image has a label (`data.labels.from: {labels.from_}`{hint}). Check `data.labels` in the plan."
        )
    if len(names) == 1:
        raise SourceError(
            f"All images have the label “{names[0]}”; a classification needs at least two. Check `data.labels` in the plan."
        )
    if labels.positive and labels.positive not in names:
        raise SourceError(
            f"No image has the positive label “{labels.positive}”. The labels are: {', '.join(names[:8])}."
        )
    return in_order(names, labels.positive)
