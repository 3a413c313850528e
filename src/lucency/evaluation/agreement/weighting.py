"""How much two levels count as agreement: all or nothing, or by their distance in the order of grades."""

from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from lucency.domain.readings import Readings, Scale


class Weighting(StrEnum):
    """How near two levels are to agreement."""

    NONE = "none"
    """Only the same level agrees."""
    LINEAR = "linear"
    """Credit falls with the number of grades between two readings (Cicchetti & Allison 1971)."""
    QUADRATIC = "quadratic"
    """Credit falls with the square of it (Fleiss & Cohen 1973)."""


def agreement_weights(n_levels: int, weighting: Weighting) -> NDArray[np.float64]:
    """Return the credit of each pair of levels, axes (level, level): 1 for the same level, 0 for the farthest pair."""
    if weighting is Weighting.NONE or n_levels < 2:
        return np.eye(n_levels)
    steps = np.abs(np.subtract.outer(np.arange(n_levels), np.arange(n_levels))) / (n_levels - 1)
    return 1 - (steps if weighting is Weighting.LINEAR else steps**2)


def usual_weighting(readings: Readings) -> Weighting:
    """Choose quadratic weights for three or more grades, else none."""
    graded = readings.scale is Scale.ORDINAL and len(readings.levels) > 2
    return Weighting.QUADRATIC if graded else Weighting.NONE


def name_weighted(name: str, weighting: Weighting) -> str:
    """Put the weights before the name of a coefficient."""
    return name if weighting is Weighting.NONE else f"{weighting} weighted {name}"
