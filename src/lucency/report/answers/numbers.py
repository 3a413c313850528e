"""Answers that are numbers, measured on images."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from lucency.domain.estimate import Estimate
from lucency.domain.measurements import LearntRange, Measurements
from lucency.domain.parts import Part
from lucency.domain.regression_plan import Regression
from lucency.report.answers import numbers_figures, numbers_limitations, numbers_words
from lucency.report.answers.saliency import Explanation
from lucency.report.counts import rows_of
from lucency.report.limitations import Limitation
from lucency.report.material import Material


@dataclass(frozen=True)
class WorstCase:
    """A test image whose number the network missed by most."""

    image_id: str
    truth: float
    predicted: float
    png: bytes


@dataclass(frozen=True)
class Spread:
    """The numbers of one part, in the unit of the study."""

    title: str
    n: int
    lowest: float
    lower_quartile: float
    median: float
    upper_quartile: float
    highest: float
    mean: float
    standard_deviation: float


@dataclass(frozen=True)
class Numbers:
    """What the networks measured on the tuning and test parts, and what the report shows of it."""

    regression: Regression
    learnt: LearntRange
    """The numbers of the training part."""
    tuning: Measurements
    """The ensemble's answers for the tuning part."""
    test: Measurements
    """The ensemble's answers for the test part."""
    worst: tuple[WorstCase, ...] = ()
    explanation: Explanation | None = None

    ensemble = "the mean of their numbers is the answer"
    template = "answers/numbers.html.j2"
    shares_told: tuple[str, ...] = ()

    @property
    def unit(self) -> str:
        """Unit of the numbers; empty where they have none."""
        return self.regression.unit

    def sections(self) -> tuple[tuple[str, str], ...]:
        """List the errors, and the explanation where there is one."""
        return (("errors", "Worst cases"), *((("explanation", "Explanation"),) if self.explanation else ()))

    def counts(self, _material: Material, _part: Part) -> dict[str, int]:
        """Count nothing but images."""
        return {}

    def n_iterations(self, material: Material) -> int:
        """Count the batches that hold each training image once."""
        return math.ceil(len(rows_of(material.split, Part.TRAINING)) / material.plan.training.batch_size)

    def aim(self) -> str:
        """Say what is measured."""
        return f"measure: {self.regression.in_words}"

    def decision_sentence(self, _material: Material) -> str:
        """Say that nothing is decided from the number."""
        return "Its last layer gives the number itself, so that there is no threshold to choose."

    def result_sentences(self, material: Material) -> list[str]:
        """Say how far the network is off, and whether that is better than no network."""
        return numbers_words.result_sentences(self, material)

    def key_estimates(self, material: Material) -> tuple[Estimate, ...]:
        """Choose the mean absolute error, what it gains over the mean, and the agreement."""
        return numbers_words.key_estimates(material.estimates)

    def ruler(self, estimate: Estimate) -> tuple[float, float] | None:
        """Draw shares and coefficients from 0 to 1; an error has no end."""
        is_share = estimate.measured_in is None and (estimate.low or 0) >= 0
        return (0.0, 1.0) if is_share else None

    def everything(self, material: Material) -> str:
        """Name all images."""
        return f"All {material.plan.unit}s"

    def figures(self, material: Material) -> dict[str, str]:
        """Draw truth against prediction, Bland and Altman's plot, and the calibration of the mean."""
        return numbers_figures.figures(self, material)

    def limitations(self, material: Material) -> Iterator[Limitation]:
        """Look at numbers, baseline, range, proportional bias and scale."""
        return numbers_limitations.limitations(self, material)

    def spreads(self, material: Material) -> tuple[Spread, ...]:
        """Describe the numbers of each part."""
        number = {row.image_id: row.target for row in material.labels}
        return tuple(
            _spread(part.capitalize(), [float(number[row.image_id]) for row in rows_of(material.split, part)])
            for part in Part
        )

    def written(self, value: float) -> str:
        """Write one number with its unit, to four digits."""
        return numbers_words.written(value, self.unit)


def _spread(title: str, numbers: list[float]) -> Spread:
    values = np.array(numbers)
    lowest, lower, middle, upper, highest = (float(q) for q in np.quantile(values, [0, 0.25, 0.5, 0.75, 1]))
    deviation = float(values.std(ddof=1)) if len(values) > 1 else 0.0
    return Spread(title, len(values), lowest, lower, middle, upper, highest, float(values.mean()), deviation)
