"""What the members of a study measured on each image, where the answer is a number."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Measurements:
    """Predicted numbers for the images of one part, from one member or from the ensemble of all members."""

    part: str
    member: str
    """"member-0" … or "ensemble"."""
    image_ids: tuple[str, ...]
    patient_ids: tuple[str, ...]
    truth: NDArray[np.float64]
    """What was measured by the reference standard, in the unit of the study, axis (image)."""
    predicted: NDArray[np.float64]
    """What the network says, in the same unit, axis (image)."""

    def __len__(self) -> int:
        return len(self.image_ids)

    @property
    def errors(self) -> NDArray[np.float64]:
        """Prediction minus truth, in the unit of the study, axis (image)."""
        return self.predicted - self.truth


@dataclass(frozen=True)
class Baseline:
    """A simple answer that a network has to beat, to the same images."""

    name: str
    """In words, for example "mean of the training part"."""
    predicted: NDArray[np.float64]
    """In the unit of the study, axis (image)."""


@dataclass(frozen=True)
class LearntRange:
    """The numbers that the networks learnt from, in the unit of the study; beyond them every prediction is a guess."""

    n: int
    mean: float
    standard_deviation: float
    lowest: float
    lower_quartile: float
    median: float
    upper_quartile: float
    highest: float
