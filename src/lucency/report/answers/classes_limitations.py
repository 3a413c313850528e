"""The limitations that the results of classes give away: few images, wide intervals, unequal classes, a threshold that moved."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from lucency.domain.parts import Part
from lucency.report import words
from lucency.report.answers.classes_words import SENSITIVITY, SPECIFICITY
from lucency.report.counts import share_of_largest_class
from lucency.report.limitations import Limitation, wide_intervals
from lucency.report.material import Material

if TYPE_CHECKING:
    from lucency.report.answers.classes import Classes

FEW_POSITIVES = 50
WIDE_INTERVAL = 0.15
IMBALANCE = 0.75
"""Share of the largest class from which the classes count as imbalanced."""
SHIFT = 0.05
"""Difference between tuning and test that is worth a word."""


def limitations(answers: "Classes", material: Material) -> Iterator[Limitation]:
    """Look for every weakness of the results, the gravest first."""
    yield from _small_test(answers, material)
    yield from wide_intervals(answers.key_estimates(material), WIDE_INTERVAL)
    yield from _imbalance(answers, material)
    yield from _threshold_shift(answers, material)


def _small_test(answers: "Classes", material: Material) -> Iterator[Limitation]:
    counts, unit = answers.counts(material, Part.TEST), material.plan.unit
    rarest, n = min(counts.items(), key=lambda item: item[1])
    if answers.positive:
        rarest, n = answers.positive, counts[answers.positive]
    if n < FEW_POSITIVES:
        yield Limitation(
            f"Few test {unit}s of a class",
            f"The test part holds only {words.of_units(n, unit)} of {rarest}. A few more or fewer errors would change the "
            f"sensitivity visibly; {FEW_POSITIVES} or more are advisable.",
        )


def _imbalance(answers: "Classes", material: Material) -> Iterator[Limitation]:
    counts, unit = answers.counts(material, Part.TRAINING), material.plan.unit
    share = share_of_largest_class(counts)
    if share >= IMBALANCE and not answers.findings:
        largest = max(counts, key=lambda name: counts[name])
        weighed = material.plan.training.class_weights == "balanced"
        remedy = (
            "Training weighed the classes to make up for it."
            if weighed
            else "Training did not weigh the classes, which favours the frequent one."
        )
        yield Limitation(
            "Imbalanced classes",
            f"{words.proportion(share, 0)} of the training {unit}s are {largest}. {remedy} Accuracy and predictive values "
            "hold only where diseases are as frequent as here.",
        )


def _threshold_shift(answers: "Classes", material: Material) -> Iterator[Limitation]:
    for names in (SENSITIVITY, SPECIFICITY) if answers.positive else ():
        groups = ("all", answers.positive or "")
        test = words.find(material.estimates, names, Part.TEST, groups)
        tuning = words.find(material.estimates, names, Part.TUNING, groups)
        if test and tuning and test.value is not None and tuning.value is not None:
            drop = tuning.value - test.value
            if abs(drop) > SHIFT:
                yield Limitation(
                    f"The threshold moved: {test.name}",
                    f"At the threshold chosen on the tuning part, the {test.name} there was {words.quote(tuning)}; on the "
                    f"test part it is {words.quote(test)}. The threshold "
                    + ("promised more than it keeps." if drop > 0 else "was set on a harder sample."),
                )
