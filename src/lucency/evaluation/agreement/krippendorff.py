"""Agreement on any scale, with any number of readers and readings missing (Krippendorff 2011)."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lucency.domain.estimate import Estimate
from lucency.domain.readings import Readings, Scale
from lucency.evaluation.agreement.resampling import Coefficient, Sums, estimate_from_sums
from lucency.evaluation.agreement.votes import NO_PAIR, undefined
from lucency.evaluation.intervals import patient_codes

_MOST_VALUES = 2000
"""Different measurements beyond this number are grouped where all have to be compared with all."""

Difference = Callable[[NDArray[np.float64], NDArray[np.float64]], NDArray[np.float64]]


def krippendorff_alpha(readings: Readings, level: float = 0.95, seed: int = 0) -> Estimate:
    """Estimate Krippendorff's alpha on the scale of the readings: 1 − observed / expected disagreement.

    Images with one reading say nothing about agreement and are left out. The squared difference of two values c and k is
    0 or 1 (nominal), the square of the ranks between them (ordinal), (c − k)² (interval), ((c − k) / (c + k))² (ratio).
    """
    name = f"Krippendorff's alpha ({readings.scale})"
    paired = (~np.isnan(readings.values)).sum(axis=1) > 1
    # readers have no order: equal sets of readings shall add up to equal numbers
    values = np.sort(readings.values[paired], axis=1)
    if not paired.any():
        return undefined(name, "all readers", 0, level, NO_PAIR)
    if readings.scale is Scale.RATIO and np.nanmin(values) < 0:
        note = "A ratio scale has a true zero and no values below it; the scale of these is `interval`."
        return undefined(name, "all readers", len(values), level, note)
    disagreement = _DISAGREEMENT[readings.scale](values)
    n_single = int(((~np.isnan(readings.values)).sum(axis=1) == 1).sum())
    left_out = f"{n_single:,} {'image' if n_single == 1 else 'images'} with one reading left out." if n_single else ""
    sums = Sums(
        name,
        disagreement.rows,
        patient_codes(readings.patient_ids)[paired],
        disagreement.alpha,
        disagreement.chance,
        note=f"{left_out} {disagreement.note}".strip(),
        if_undefined="All readings have one value: there is nothing to agree on.",
    )
    return estimate_from_sums(sums, level, seed)


@dataclass(frozen=True)
class _Disagreement:
    """What an image adds, and what follows from the sums."""

    rows: NDArray[np.float64]
    alpha: Coefficient
    chance: Coefficient | None = None
    note: str = ""


def _nominal(values: NDArray[np.float64]) -> _Disagreement:
    """Count each level, and the pairs of readings that differ."""
    return _by_counts(values, lambda a, b: (a != b).astype(np.float64), has_greatest=True)


def _ordinal(values: NDArray[np.float64]) -> _Disagreement:
    """Count how often each two grades met; the distance of grades depends on how often all are used.

    The ranks between two grades, the outer ones counted half, are the difference of their mean ranks.
    """
    grades, places = np.unique(values[~np.isnan(values)], return_inverse=True)
    n_grades = grades.size
    counts = _counts(values, places, n_grades)
    n_readings = counts.sum(axis=1)
    first, second = np.triu_indices(n_grades)
    met = counts[:, first] * (counts[:, second] - (first == second)) * np.where(first == second, 1, 2)
    rows = np.column_stack([met / (n_readings - 1)[:, None], counts])

    def squared(totals: NDArray[np.float64]) -> NDArray[np.float64]:
        n = totals[:, first.size :]
        ranks = np.cumsum(n, axis=1) - n / 2
        return (ranks[:, first] - ranks[:, second]) ** 2

    def expected(totals: NDArray[np.float64]) -> NDArray[np.float64]:
        n = totals[:, first.size :]
        return (squared(totals) * n[:, first] * n[:, second]).sum(axis=1) * 2

    def alpha(totals: NDArray[np.float64]) -> NDArray[np.float64]:
        observed = (squared(totals) * totals[:, : first.size]).sum(axis=1)
        return _alpha(observed, expected(totals), totals[:, first.size :].sum(axis=1))

    def chance(totals: NDArray[np.float64]) -> NDArray[np.float64]:
        n = totals[:, first.size :].sum(axis=1)
        return expected(totals) / (squared(totals).max(axis=1) * n * (n - 1))

    return _Disagreement(rows, alpha, chance)


def _interval(values: NDArray[np.float64]) -> _Disagreement:
    """Sum readings and their squares, around the median for the sake of rounding."""
    apart = values - np.nanmedian(values)
    n_readings = (~np.isnan(values)).sum(axis=1)
    total, square = np.nansum(apart, axis=1), np.nansum(apart**2, axis=1)
    observed = 2 * (n_readings * square - total**2) / (n_readings - 1)
    rows = np.column_stack([observed, n_readings, total, square])

    def alpha(totals: NDArray[np.float64]) -> NDArray[np.float64]:
        met, n, total, square = totals.T
        spread = n * square - total**2
        # equal values leave a spread of rounding errors
        return _alpha(met, 2 * np.where(spread > 1e-12 * n * square, spread, 0), n)

    return _Disagreement(rows, alpha)


def _ratio(values: NDArray[np.float64]) -> _Disagreement:
    """Count each value, and sum how far readings of one image lie apart."""

    def relative(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
        return ((a - b) / np.where(a + b > 0, a + b, 1)) ** 2

    return _by_counts(values, relative, has_greatest=False)


def _by_counts(values: NDArray[np.float64], difference: Difference, has_greatest: bool) -> _Disagreement:
    """Count each value; `difference` is squared, and the expected one compares all values with all."""
    n_readings = (~np.isnan(values)).sum(axis=1)
    met = np.zeros(len(values))
    for first in range(values.shape[1]):
        for second in range(first):
            met += 2 * np.nan_to_num(difference(values[:, first], values[:, second])) * ~np.isnan(values[:, first])
    representatives, places, note = _group_values(values)
    rows = np.column_stack([met / (n_readings - 1), _counts(values, places, representatives.size)])
    apart = difference(representatives[:, None], representatives[None, :])

    def expected(totals: NDArray[np.float64]) -> NDArray[np.float64]:
        return ((totals[:, 1:] @ apart) * totals[:, 1:]).sum(axis=1)

    def alpha(totals: NDArray[np.float64]) -> NDArray[np.float64]:
        return _alpha(totals[:, 0], expected(totals), totals[:, 1:].sum(axis=1))

    def chance(totals: NDArray[np.float64]) -> NDArray[np.float64]:
        n = totals[:, 1:].sum(axis=1)
        return expected(totals) / (n * (n - 1))

    return _Disagreement(rows, alpha, chance if has_greatest else None, note)


def _group_values(values: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.int64], str]:
    """Return the different values, the place of each reading among them, and a note where values had to be grouped."""
    found = values[~np.isnan(values)]
    different, places = np.unique(found, return_inverse=True)
    if different.size <= _MOST_VALUES:
        return different, places, ""
    groups = places * _MOST_VALUES // different.size
    means = np.bincount(groups, found) / np.bincount(groups)
    return means, groups, f"For the disagreement by chance, values were grouped into {_MOST_VALUES:,} neighbourhoods."


def _counts(values: NDArray[np.float64], places: NDArray[np.int64], n_places: int) -> NDArray[np.float64]:
    """Count the readings of each image at each place, axes (image, place)."""
    images = np.broadcast_to(np.arange(len(values))[:, None], values.shape)[~np.isnan(values)]
    return np.bincount(images * n_places + places, minlength=len(values) * n_places).reshape(-1, n_places).astype(float)


def _alpha(observed: NDArray[np.float64], expected: NDArray[np.float64], n: NDArray[np.float64]) -> NDArray[np.float64]:
    """Compute 1 − (n − 1) × observed / expected, sums over pairs; NaN where all values are the same."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(expected > 0, 1 - (n - 1) * observed / expected, np.nan)


_DISAGREEMENT: dict[Scale, Callable[[NDArray[np.float64]], _Disagreement]] = {
    Scale.NOMINAL: _nominal,
    Scale.ORDINAL: _ordinal,
    Scale.INTERVAL: _interval,
    Scale.RATIO: _ratio,
}
