"""All that is worth telling of the agreement of readers, the most telling first."""

from collections import Counter
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from lucency.domain.estimate import Estimate
from lucency.domain.readings import Readings
from lucency.evaluation.agreement.bland_altman import bland_altman
from lucency.evaluation.agreement.cohen import cohen_kappa
from lucency.evaluation.agreement.fleiss import fleiss_kappa
from lucency.evaluation.agreement.gwet import gwet_ac
from lucency.evaluation.agreement.intraclass import IccForm, intraclass_correlation
from lucency.evaluation.agreement.krippendorff import krippendorff_alpha
from lucency.evaluation.agreement.specific import (
    agreement_of_all,
    observed_agreement,
    prevalence_index,
    specific_agreement,
)
from lucency.evaluation.agreement.votes import read_by_both
from lucency.evaluation.agreement.weighting import usual_weighting


def describe_agreement(
    readings: Readings, level: float = 0.95, seed: int = 0, are_readers_known: bool = True
) -> tuple[Estimate, ...]:
    """Estimate everything that suits the scale and the number of readers; nothing for a single reader.

    Where nobody knows which reader made which reading, the coefficients are those that need not know.
    """
    if len(readings.readers) < 2:
        return ()
    if not are_readers_known:
        return _of_anybody(readings, level, seed)
    if readings.is_categorical:
        return _of_categories(readings, level, seed)
    return _of_measurements(readings, level, seed)


def confusion_between(readings: Readings, first: str, second: str) -> NDArray[np.int64]:
    """Count the images that both read, axes (level by the first, level by the second)."""
    pair, _ = read_by_both(readings, first, second)
    n_levels = len(readings.levels)
    cells = (pair @ [n_levels, 1]).astype(np.int64)
    return np.bincount(cells, minlength=n_levels**2).reshape(n_levels, n_levels)


def count_images_read(readings: Readings) -> dict[str, int]:
    """Count the images that each reader read."""
    seen = (~np.isnan(readings.values)).sum(axis=0)
    return {reader: int(n) for reader, n in zip(readings.readers, seen, strict=True)}


def count_readings(readings: Readings) -> dict[int, int]:
    """Count the images by the number of their readings, from those that nobody read."""
    return dict(sorted(Counter((~np.isnan(readings.values)).sum(axis=1).tolist()).items()))


def _of_anybody(readings: Readings, level: float, seed: int) -> tuple[Estimate, ...]:
    """Estimate what stays the same when the readings of an image change places."""
    if not readings.is_categorical:
        return (
            intraclass_correlation(readings, IccForm.ICC_1_1, level, seed),
            krippendorff_alpha(readings, level, seed),
        )
    return (
        krippendorff_alpha(readings, level, seed),
        gwet_ac(readings, usual_weighting(readings), level, seed),
        agreement_of_all(readings, level, seed),
    )


def _of_categories(readings: Readings, level: float, seed: int) -> tuple[Estimate, ...]:
    weighting = usual_weighting(readings)
    found = [
        krippendorff_alpha(readings, level, seed),
        gwet_ac(readings, weighting, level, seed),
        fleiss_kappa(readings, level, seed),
        agreement_of_all(readings, level, seed),
    ]
    for first, second in combinations(readings.readers, 2):
        found.append(cohen_kappa(readings, first, second, weighting, level, seed))
        found.append(observed_agreement(readings, first, second, level))
        found.extend(specific_agreement(readings, first, second, level))
        if len(readings.levels) == 2:
            found.append(prevalence_index(readings, first, second, level, seed))
    return tuple(found)


def _of_measurements(readings: Readings, level: float, seed: int) -> tuple[Estimate, ...]:
    found = [intraclass_correlation(readings, IccForm.ICC_2_1, level, seed)]
    for first, second in combinations(readings.readers, 2):
        found.extend(bland_altman(readings, first, second, level, seed))
    return (*found, krippendorff_alpha(readings, level, seed))
