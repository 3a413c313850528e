"""Give each readable image its label, and set aside the ones whose label cannot be trusted."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

from lucency.data.ground_truth.class_order import healthy, in_order
from lucency.data.ground_truth.verdicts import Verdict
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
    """Class names; for two classes the second is the positive one. Empty where the labels are numbers."""
    is_positive_guessed: bool
    """True when neither the plan nor the names tell which of two classes is the disease."""


def label(
    kept: Sequence[CohortRow],
    labels: Labels,
    verdicts: Sequence[Verdict],
    reference: Sequence[Verdict] | None = None,
    least_classes: int = 2,
) -> Labelling:
    """Label every kept image; refuse those without a label, with two, and copies of other images.

    `verdicts` say what is to be learnt, `reference` what is judged by, where that is another ground truth. Where structures
    are looked for that every image may have, one class is enough.

    Raises:
        SourceError: no image has a label, or all have the same, or the two ground truths name different classes.
    """
    rows = [_learnt_from(image, labels, verdict) for image, verdict in zip(kept, verdicts, strict=True)]
    if reference is not None:
        rows = [_judged_by(row, verdict) for row, verdict in zip(rows, reference, strict=True)]
        _refuse_other_classes(rows)
    rows = _set_copies_aside(kept, rows)
    classes = _classes(rows, labels, least_classes)
    rows = [_with_doubt(row, verdict, classes) for row, verdict in zip(rows, verdicts, strict=True)]
    is_guessed = len(classes) == 2 and not labels.positive and len(healthy(classes)) != 1
    return Labelling(tuple(rows), classes, is_guessed)


def label_structures(kept: Sequence[CohortRow], labels: Labels, verdicts: Sequence[Verdict]) -> tuple[LabelRow, ...]:
    """Say which structures are drawn on every kept image; refuse those without a mask, and copies of other images.

    Raises:
        SourceError: no image has a mask.
    """
    rows = [_learnt_from(image, labels, verdict) for image, verdict in zip(kept, verdicts, strict=True)]
    if not any(row.target for row in rows):
        raise SourceError("No image has a mask that fits it. Look at labels.csv, and check `data.labels.drawings`.")
    return tuple(_set_copies_aside(kept, rows))


def label_numbers(kept: Sequence[CohortRow], labels: Labels, verdicts: Sequence[Verdict]) -> Labelling:
    """Label every kept image with its number; refuse those without one, with two, and copies of other images.

    Raises:
        SourceError: no image has a number, or all have the same.
    """
    rows = [_learnt_from(image, labels, verdict) for image, verdict in zip(kept, verdicts, strict=True)]
    rows = _set_copies_aside(kept, rows)
    numbers = {row.target for row in rows if row.status == KEPT}
    if len(numbers) < 2:
        found = f"All images have the number {numbers.pop()}" if numbers else "No image has a number"
        raise SourceError(f"{found} (`data.labels.from: {labels.from_}`). Check `data.labels` in the plan.")
    return Labelling(tuple(rows), (), is_positive_guessed=False)


def _learnt_from(image: CohortRow, labels: Labels, verdict: Verdict) -> LabelRow:
    return LabelRow(
        image.image_id,
        verdict.target,
        labels.from_,
        KEPT if verdict.target else REFUSED,
        verdict.code,
        votes=verdict.votes,
        agreement=_share(verdict),
        notes=" ".join(verdict.notes),
    )


def _judged_by(row: LabelRow, verdict: Verdict) -> LabelRow:
    """Add what the image is judged by; one that nobody can learn from may still judge."""
    return replace(
        row,
        status=KEPT if row.target or verdict.target else REFUSED,
        votes=verdict.votes,
        agreement=_share(verdict),
        reference=verdict.target,
        reference_reason=verdict.code,
        notes=" ".join(dict.fromkeys([*row.notes.split(), *verdict.notes])),
    )


def _share(verdict: Verdict) -> str:
    return "" if verdict.agreement is None else f"{verdict.agreement:.3g}"


def _with_doubt(row: LabelRow, verdict: Verdict, classes: Sequence[str]) -> LabelRow:
    """Write down the probability of each class, where doubt shall teach too."""
    if row.status != KEPT or not row.target or verdict.probabilities is None:
        return row
    return replace(row, soft=" ".join(f"{verdict.probabilities.get(name, 0.0):.4g}" for name in classes))


def _refuse_other_classes(rows: Sequence[LabelRow]) -> None:
    """Stop when what is learnt and what is judged are called by different names."""
    learnt, judged = {row.target for row in rows} - {""}, {row.reference for row in rows} - {""}
    if learnt and judged and not (learnt <= judged or judged <= learnt):
        raise SourceError(
            f"`data.labels` names the classes {_listed(learnt)}, and `data.reference` {_listed(judged)}. Give them the same "
            "names with `names` in one of the two."
        )


def _listed(names: set[str]) -> str:
    return ", ".join(f"“{name}”" for name in sorted(names)[:6])


def _set_copies_aside(kept: Sequence[CohortRow], rows: list[LabelRow]) -> list[LabelRow]:
    """Keep one of equal images when their labels agree, none when they disagree."""
    copies: defaultdict[str, list[int]] = defaultdict(list)
    for number, (image, row) in enumerate(zip(kept, rows, strict=True)):
        if row.status == KEPT:
            copies[image.pixel_sha256].append(number)
    rows = list(rows)
    for numbers in copies.values():
        if _disagree([rows[number] for number in numbers]):
            refused, reason = numbers, "E_CONFLICT"
        else:
            refused, reason = sorted(numbers, key=lambda number: _rank(kept[number], rows[number]))[1:], "E_DUPLICATE"
        for number in refused:
            rows[number] = replace(rows[number], status=REFUSED, reason=reason)
    return rows


def _disagree(copies: Sequence[LabelRow]) -> bool:
    learnt = {row.target for row in copies if row.target}
    judged = {row.reference for row in copies if row.reference}
    return len(learnt) > 1 or len(judged) > 1


def _rank(image: CohortRow, row: LabelRow) -> tuple[int, bool, bool, str]:
    """Order copies: by official part, then those first that can both teach and judge, then by path."""
    return _KEEP_FIRST[image.official_part], not row.judged, not row.target, image.source


def _classes(rows: Sequence[LabelRow], labels: Labels, least_classes: int) -> tuple[str, ...]:
    """Order the classes: by name, but of two the one that means disease comes last."""
    names = sorted({name for row in rows if row.status == KEPT for name in (row.target, row.judged) if name})
    if not names:
        hint = ", but the images lie in no folders of their own" if labels.from_ == "folder" else ""
        raise SourceError(
            f"No image has a label (`data.labels.from: {labels.from_}`{hint}). Check `data.labels` in the plan."
        )
    if len(names) < least_classes:
        raise SourceError(
            f"All images have the label “{names[0]}”; a classification needs at least two. Check `data.labels` in the plan."
        )
    if labels.positive and labels.positive not in names:
        raise SourceError(
            f"No image has the positive label “{labels.positive}”. The labels are: {', '.join(names[:8])}."
        )
    return in_order(names, labels.positive)
