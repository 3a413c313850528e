"""The limitations that measured numbers give away: too few, no gain, extrapolation, a network that keeps to the middle."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from lucency.domain.parts import Part
from lucency.report import words
from lucency.report.answers.numbers_words import HEADER, MEAN, written
from lucency.report.limitations import Limitation
from lucency.report.material import Material

if TYPE_CHECKING:
    from lucency.report.answers.numbers import Numbers

FEW_IMAGES = 50
SCALE_DIFFERS = 0.02
"""Spread of the scale between images, as a share of their median, from which on it is worth a word."""


def limitations(answers: "Numbers", material: Material) -> Iterator[Limitation]:
    """Look for every weakness of the results, the gravest first."""
    yield from _no_gain(material)
    yield from _small_test(answers)
    yield from _scale(material)
    yield from _middle(material)
    yield from _range(answers)


def _no_gain(material: Material) -> Iterator[Limitation]:
    for group, simple in ((MEAN, "the mean of the training part"), (HEADER, "what the header alone tells")):
        gain = words.find(material.estimates, ("reduction of the mean absolute error",), Part.TEST, (group,))
        if gain and gain.value is not None and (gain.low is None or gain.low <= 0):
            yield Limitation(
                f"No gain over {simple} is shown",
                f"The mean absolute error is lower by {words.quote(gain)}. A network that does not beat an answer without a look "
                "at the image has not been shown to measure anything.",
            )


def _small_test(answers: "Numbers") -> Iterator[Limitation]:
    n = len(set(answers.test.patient_ids))
    if n < FEW_IMAGES:
        yield Limitation(
            "Few test patients",
            f"The test part holds only {words.of_patients(n)}; limits of agreement need {FEW_IMAGES} or more to be told "
            "within half a standard deviation.",
        )


def _scale(material: Material) -> Iterator[Limitation]:
    """Say that size cannot be seen where images of different extent are brought to one."""
    image = material.plan.data.image
    in_study = {row.image_id for row in material.split}
    rows = [row for row in material.cohort if row.image_id in in_study and row.rows and row.columns]
    if not rows:
        return
    resized = np.array([max(row.rows / image.shape[0], row.columns / image.shape[1]) for row in rows])
    scales = {"pixel": resized}
    if image.n_slices:
        scales["slice"] = np.array([row.slices / image.n_slices for row in rows])
    for what, scale in scales.items():
        low, middle, high = np.quantile(scale, [0.05, 0.5, 0.95])
        if (high - low) / middle > SCALE_DIFFERS:
            yield Limitation(
                f"Images of different extent were brought to one {'size' if what == 'pixel' else 'number of slices'}",
                f"One {what} that the network sees stands for {low:.2f} to {high:.2f} {what}s of the originals (5th to 95th "
                "percentile), and it is not told for how many. A size that is measured is blurred by as much.",
            )


def _middle(material: Material) -> Iterator[Limitation]:
    slope = words.find(material.estimates, ("proportional bias",), Part.TEST, ("all",))
    if slope and slope.high is not None and slope.high < 0:
        yield Limitation(
            "The network keeps to the middle",
            f"Large numbers come out too small and small ones too large (proportional bias {words.quote(slope)}). Do not use it "
            "to follow an extreme value over time.",
        )


def _range(answers: "Numbers") -> Iterator[Limitation]:
    learnt, test = answers.learnt, answers.test
    outside = (test.truth < learnt.lowest) | (test.truth > learnt.highest)
    told = f" {int(outside.sum())} test images lay outside." if outside.any() else ""
    yield Limitation(
        "Nothing beyond what was learnt",
        f"The training part holds numbers from {written(learnt.lowest, answers.unit)} to "
        f"{written(learnt.highest, answers.unit)}. Beyond, and near these ends, a prediction is a guess.{told}",
    )
