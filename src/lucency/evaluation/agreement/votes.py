"""How many readers chose which level for each image."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from lucency.domain.estimate import Estimate
from lucency.domain.readings import Readings
from lucency.evaluation.intervals import patient_codes

NO_PAIR = "No image was read by two readers."
ONE_LEVEL = "All readings are of one level: there is nothing to agree on beyond chance."
NO_LEVELS = "This coefficient is for categories and grades, not for measurements."


def count_votes(readings: Readings) -> NDArray[np.float64]:
    """Count the readings of each level, axes (image, level)."""
    return np.stack([(readings.values == level).sum(axis=1) for level in range(len(readings.levels))], axis=1).astype(
        np.float64
    )


def read_by_both(readings: Readings, first: str, second: str) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return what two readers said of the images that both read, axes (image, reader), and the codes of the patients."""
    pair = readings.values[:, [readings.readers.index(first), readings.readers.index(second)]]
    both = ~np.isnan(pair).any(axis=1)
    return pair[both], patient_codes(readings.patient_ids)[both]


def why_no_pair(readings: Readings) -> str:
    """Say that no image was read by two readers, if so."""
    paired = (~np.isnan(readings.values)).sum(axis=1) > 1
    return "" if paired.any() else NO_PAIR


def name_pair(first: str, second: str) -> str:
    """Name two readers as one group."""
    return f"{first} and {second}"


def undefined(name: str, group: str, n: int, level: float, note: str) -> Estimate:
    """Say why a coefficient does not exist."""
    return Estimate(name, None, None, None, n, "image", "not computed", level, part="all", group=group, note=note)


def of_group(estimate: Estimate, group: str) -> Estimate:
    """Put readers' names on an estimate of their images."""
    return replace(estimate, part="all", group=group)
