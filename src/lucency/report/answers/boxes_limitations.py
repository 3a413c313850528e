"""The limitations that the results of a detection give away: few or small lesions, wide intervals, a threshold that moved."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from lucency.domain.parts import Part
from lucency.report import words
from lucency.report.limitations import Limitation, wide_intervals
from lucency.report.material import Material

if TYPE_CHECKING:
    from lucency.report.answers.boxes import Boxes

FEW_LESIONS = 50
WIDE_INTERVAL = 0.15
LESS_FOUND = 0.15
"""Difference in sensitivity between sizes of lesions that is worth a word."""
SHIFT = 0.05
"""Difference in sensitivity between tuning and test that is worth a word."""
WELL_COVERED = 0.9
"""Share of lesions that anchors should overlap by half."""


def limitations(answers: "Boxes", material: Material) -> Iterator[Limitation]:
    """Look for every weakness of the results, the gravest first."""
    yield from _few_lesions(answers)
    yield from wide_intervals((e for e in answers.key_estimates(material) if answers.ruler(e)), WIDE_INTERVAL)
    yield from _only_ill(answers)
    yield from _sizes(answers, material)
    yield from _threshold_shift(material)
    yield from _anchors(answers)


def _few_lesions(answers: "Boxes") -> Iterator[Limitation]:
    n = answers.test.n_lesions
    if n < FEW_LESIONS:
        yield Limitation(
            "Few test lesions",
            f"The test part holds only {n} lesions. A few more or fewer misses would change the sensitivity visibly; "
            f"{FEW_LESIONS} or more are advisable.",
        )


def _only_ill(answers: "Boxes") -> Iterator[Limitation]:
    if answers.test.lesions and all(answers.test.lesions):
        yield Limitation(
            "No image without a lesion",
            "Every test image has a lesion. How often the network marks something in a healthy image is not known, and neither "
            "the AFROC area nor an image-level AUC can be given.",
        )


def _sizes(answers: "Boxes", material: Material) -> Iterator[Limitation]:
    by_size = [estimate for estimate in answers.by_size(material) if estimate.value is not None]
    if len(by_size) > 1 and (by_size[-1].value or 0) - (by_size[0].value or 0) > LESS_FOUND:
        small, large = by_size[0], by_size[-1]
        yield Limitation(
            "Small lesions are found less often",
            f"Of {small.group} it found {words.quote(small)}, of {large.group} {words.quote(large)}. A cohort with smaller "
            "lesions than this one would see a lower sensitivity.",
        )


def _threshold_shift(material: Material) -> Iterator[Limitation]:
    test, tuning = (
        words.find(material.estimates, ("lesion-wise sensitivity",), part, ("all",))
        for part in (Part.TEST, Part.TUNING)
    )
    if not (test and tuning) or test.value is None or tuning.value is None:
        return
    if abs(tuning.value - test.value) > SHIFT:
        yield Limitation(
            "The threshold moved",
            f"At the threshold chosen on the tuning part, the lesion-wise sensitivity there was {words.quote(tuning)}; on the "
            f"test part it is {words.quote(test)}.",
        )


def _anchors(answers: "Boxes") -> Iterator[Limitation]:
    share = answers.anchors.share_well_covered
    if share < WELL_COVERED:
        yield Limitation(
            "Anchors do not fit all lesions",
            f"Only {words.proportion(share, 0)} of the training lesions have an anchor that overlaps them by half, so that "
            "lesions of unusual size or shape are harder to learn. More `detection.n_anchor_sizes`, or larger images, may help.",
        )
