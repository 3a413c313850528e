"""How far two measurements of the same thing lie apart, in their own unit (Bland & Altman 1986)."""

from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import NDArray
from scipy.special import nctdtrit

from lucency.domain.estimate import Estimate
from lucency.domain.readings import Readings
from lucency.evaluation.agreement.resampling import Sums, estimate_from_sums
from lucency.evaluation.agreement.votes import NO_PAIR, name_pair, read_by_both, undefined
from lucency.evaluation.intervals import is_clustered, normal_quantile, t_quantile


def bland_altman(
    readings: Readings, first: str, second: str, level: float = 0.95, seed: int = 0
) -> tuple[Estimate, Estimate, Estimate]:
    """Estimate the bias (first minus second) and the lower and upper limits of agreement, bias ± 1.96 SD.

    Student's interval of the bias; that of the limits is exact, from the noncentral t distribution (Carkeet 2015).
    Several images of one patient: the SD adds the variance between and within patients (Bland & Altman 2007), and intervals
    come from resampled patients.
    """
    group = name_pair(first, second)
    pair, patients = read_by_both(readings, first, second)
    if len(pair) < 2:
        why = NO_PAIR if len(pair) == 0 else "Only one image was read by both: differences have no spread."
        low, bias, high = (undefined(name, group, len(pair), level, why) for name in _NAMES)
        return bias, low, high
    differences = pair[:, 0] - pair[:, 1]
    note = f"{first} minus {second}."
    if is_clustered(patients):
        return _of_clusters(differences, patients, group, note, level, seed)
    n, mean, spread = differences.size, float(differences.mean()), float(differences.std(ddof=1))
    reach = t_quantile(level, n - 1) / float(np.sqrt(n))
    near, far = (_exact_reach(n, tail) for tail in ((1 - level) / 2, (1 + level) / 2))
    intervals = ((-_REACH, -far, -near), (0.0, -reach, reach), (_REACH, near, far))
    methods = ("noncentral t (Carkeet 2015)", "Student's t", "noncentral t (Carkeet 2015)")
    low, bias, high = (
        Estimate(
            name,
            mean + times * spread,
            mean + below * spread,
            mean + above * spread,
            n,
            "image",
            method,
            level,
            part="all",
            group=group,
            note=note,
        )
        for name, (times, below, above), method in zip(_NAMES, intervals, methods, strict=True)
    )
    return bias, low, high


_NAMES = ("lower limit of agreement", "bias", "upper limit of agreement")
_REACH = normal_quantile(0.95)


def _exact_reach(n: int, probability: float) -> float:
    """Return how many SD beyond the mean of a sample the true limit lies at most, with this probability (Carkeet 2015)."""
    return float(nctdtrit(n - 1, _REACH * np.sqrt(n), probability)) / float(np.sqrt(n))


def _of_clusters(
    differences: NDArray[np.float64], patients: NDArray[np.int64], group: str, note: str, level: float, seed: int
) -> tuple[Estimate, Estimate, Estimate]:
    """Estimate the three where a patient has several images."""
    codes = np.unique(patients, return_inverse=True)[1]
    order = np.lexsort((differences, codes))
    starts = np.flatnonzero(np.diff(codes[order], prepend=-1))
    n_images = np.diff(np.append(starts, codes.size)).astype(np.float64)
    total = np.add.reduceat(differences[order], starts)
    square = np.add.reduceat(differences[order] ** 2, starts)
    rows = np.column_stack([np.ones(total.size), n_images, n_images**2, total, total**2 / n_images, square])
    found = []
    for name, reach in zip(_NAMES, (-_REACH, 0.0, _REACH), strict=True):
        coefficient = partial(_limit, reach=reach)
        sums = Sums(name, rows, np.arange(total.size), coefficient, group=group, note=note)
        estimate = estimate_from_sums(sums, level, seed)
        found.append(replace(estimate, n=differences.size, n_clusters=total.size))
    low, bias, high = found
    return bias, low, high


def _limit(totals: NDArray[np.float64], reach: float) -> NDArray[np.float64]:
    """Compute bias + reach × SD from sums over patients, axis (draw)."""
    n_patients, n, n_squared, total, between, square = totals.T
    mean = total / n
    variance = _variance(n_patients, n, n_squared, between - total**2 / n, square - between)
    return mean + reach * np.sqrt(variance)


def _variance(
    n_patients: NDArray[np.float64],
    n: NDArray[np.float64],
    n_squared: NDArray[np.float64],
    between: NDArray[np.float64],
    within: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Add the variances between and within patients, from an analysis of variance with one way."""
    with np.errstate(divide="ignore", invalid="ignore"):
        mean_within = np.where(n > n_patients, within / (n - n_patients), 0)
        typical = (n**2 - n_squared) / ((n_patients - 1) * n)
        added = np.where(n_patients > 1, (between / (n_patients - 1) - mean_within) / typical, 0)
    return np.maximum(mean_within + np.maximum(added, 0), 0)
