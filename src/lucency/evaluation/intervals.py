"""Confidence intervals of proportions, for independent images and for images clustered in patients."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv, ndtri, stdtrit

from lucency.domain.estimate import Estimate

FEW = 30
"""Below this number of patients (or images of a class), intervals that rest on large numbers are marked as rough."""


class Interval(NamedTuple):
    """The two ends of a confidence interval."""

    low: float
    high: float


ProportionInterval = Callable[[float, float, float], Interval]
"""Takes successes, trials and level; successes and trials may be fractions when they are effective counts."""


def normal_quantile(level: float) -> float:
    """Return the two-sided quantile of the normal distribution, 1.96 for a level of 0.95."""
    return float(ndtri((1 + level) / 2))


def t_quantile(level: float, degrees_of_freedom: float) -> float:
    """Return the two-sided quantile of Student's t distribution."""
    return float(stdtrit(degrees_of_freedom, (1 + level) / 2))


def wilson(successes: float, trials: float, level: float = 0.95) -> Interval:
    """Compute the score interval of a proportion (Wilson 1927), all trials above zero."""
    z = normal_quantile(level)
    p = successes / trials
    centre = (p + z**2 / (2 * trials)) / (1 + z**2 / trials)
    half = z / (1 + z**2 / trials) * np.sqrt(p * (1 - p) / trials + z**2 / (4 * trials**2))
    # the exact ends at 0 and 1 would otherwise be missed by rounding
    low = 0.0 if successes == 0 else float(min(centre - half, p))
    high = 1.0 if successes == trials else float(max(centre + half, p))
    return Interval(low, high)


def clopper_pearson(successes: float, trials: float, level: float = 0.95) -> Interval:
    """Compute the exact interval of a proportion (Clopper and Pearson 1934), all trials above zero."""
    tail = (1 - level) / 2
    low = 0.0 if successes == 0 else float(betaincinv(successes, trials - successes + 1, tail))
    high = 1.0 if successes == trials else float(betaincinv(successes + 1, trials - successes, 1 - tail))
    return Interval(low, high)


_SOURCE: dict[ProportionInterval, str] = {wilson: "Wilson 1927", clopper_pearson: "Clopper–Pearson 1934"}
_CLUSTERED = "clustered by patient (Rao & Scott 1992, Korn & Graubard 1998)"


def patient_codes(patient_ids: Sequence[str]) -> NDArray[np.int64]:
    """Give each patient a number from 0 in the order of their identifiers, axis (image)."""
    return np.unique(np.asarray(patient_ids, dtype=str), return_inverse=True)[1].astype(np.int64)


def is_clustered(patients: NDArray[np.int64]) -> bool:
    """Say whether any patient has several images."""
    return np.unique(patients).size < patients.size


@dataclass(frozen=True)
class EffectiveCount:
    """How many independent images a sample of clustered images is worth."""

    n: float
    n_patients: int
    is_clustered: bool


def effective_count(hits: NDArray[np.bool_], patients: NDArray[np.int64], level: float = 0.95) -> EffectiveCount:
    """Divide the number of images by the design effect of their clustering in patients.

    The design effect is the variance of the ratio Σ hits / Σ images over patients, relative to the binomial variance
    (Rao & Scott 1992). It is kept at 1 or above: images of one patient resemble each other, so an estimate below 1 is
    noise, and following it would claim more images than there are. As the design effect is itself estimated, the count
    shrinks by (z / t)² with n_patients − 1 degrees of freedom (Korn & Graubard 1998). Where all images are hits, or
    none, nothing can be learnt about the resemblance and each patient counts once.
    """
    codes = np.unique(patients, return_inverse=True)[1]
    n_images, n_patients = hits.size, int(codes.max()) + 1
    if n_patients == n_images:
        return EffectiveCount(n_images, n_patients, is_clustered=False)
    p = hits.mean()
    if p in (0.0, 1.0):
        return EffectiveCount(n_patients, n_patients, is_clustered=True)
    if n_patients == 1:
        return EffectiveCount(0.0, 1, is_clustered=True)
    residuals = np.bincount(codes, hits - p)
    variance = n_patients / (n_patients - 1) * (residuals**2).sum() / n_images**2
    design_effect = max(1.0, variance / (p * (1 - p) / n_images))
    shrink = (normal_quantile(level) / t_quantile(level, n_patients - 1)) ** 2
    return EffectiveCount(n_images / design_effect * shrink, n_patients, is_clustered=True)


def proportion(
    name: str,
    hits: NDArray[np.bool_],
    patients: NDArray[np.int64] | None = None,
    level: float = 0.95,
    interval: ProportionInterval = wilson,
) -> Estimate:
    """Estimate a proportion of images, axis (image), with an interval that knows which images share a patient."""
    n = int(hits.size)
    blank = Estimate(name, None, None, None, n, "image", _SOURCE[interval], level)
    if n == 0:
        return replace(blank, note="There is no image to count.")
    successes = int(hits.sum())
    counted = replace(blank, value=successes / n, numerator=successes, denominator=n)
    count = effective_count(hits, np.arange(n) if patients is None else patients, level)
    if not count.is_clustered:
        low, high = interval(successes, n, level)
        return replace(counted, low=low, high=high)
    counted = replace(counted, method=f"{_SOURCE[interval]}, {_CLUSTERED}", n_clusters=count.n_patients)
    if count.n == 0:
        return replace(counted, note="All images are of one patient: no interval can be given.")
    low, high = interval(successes / n * count.n, count.n, level)
    return replace(counted, low=low, high=high, note=few_note(count.n_patients))


def few_note(n: int, what: str = "patients") -> str:
    """Return a warning when an interval rests on few units, else nothing."""
    return f"Only {n} {what}: the interval is rough below {FEW}." if n < FEW else ""


def stratum_correlation(
    hits: NDArray[np.bool_], strata: NDArray[np.int64], patients: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Correlate the proportions of hits in several strata through the patients who have images in more than one.

    Returns the matrix, axes (stratum, stratum); the identity when no patient has images in two strata.
    """
    n_strata = int(strata.max()) + 1
    codes = np.unique(patients, return_inverse=True)[1]
    columns = []
    for stratum in range(n_strata):
        among = strata == stratum
        columns.append(np.bincount(codes[among], hits[among] - hits[among].mean(), minlength=codes.max() + 1))
    products = np.stack(columns) @ np.stack(columns).T
    scale = np.sqrt(np.diag(products))
    scale[scale == 0] = np.inf  # a proportion of 0 or 1 does not vary, so it has no correlation
    correlation = products / np.outer(scale, scale)
    np.fill_diagonal(correlation, 1.0)
    return correlation


def mean_of_proportions(
    name: str,
    hits: NDArray[np.bool_],
    strata: NDArray[np.int64],
    patients: NDArray[np.int64] | None = None,
    level: float = 0.95,
) -> Estimate:
    """Average the proportions of hits in each stratum (for balanced accuracy: the true classes, coded from 0).

    The interval is recovered from the Wilson limits of each proportion (MOVER; Zou & Donner 2008), with the
    correlation that shared patients bring.
    """
    codes = np.arange(hits.size) if patients is None else patients
    parts = [
        proportion(name, hits[strata == stratum], codes[strata == stratum], level)
        for stratum in range(int(strata.max()) + 1)
    ]
    values = np.array([part.value for part in parts], float)
    clustered = is_clustered(codes)
    estimate = Estimate(
        name,
        float(values.mean()),
        None,
        None,
        int(hits.size),
        "image",
        "MOVER (Zou & Donner 2008) of Wilson 1927" + (f", {_CLUSTERED}" if clustered else ""),
        level,
        n_clusters=int(np.unique(codes).size) if clustered else None,
        note=few_note(min(part.n_clusters or FEW for part in parts), "patients in the smallest class"),
    )
    if any(part.low is None for part in parts):
        return replace(estimate, note="A class has images of one patient only: no interval can be given.")
    correlation = stratum_correlation(hits, strata, codes)
    below = values - np.array([part.low for part in parts], float)
    above = np.array([part.high for part in parts], float) - values
    low = values.mean() - np.sqrt(max(0.0, below @ correlation @ below)) / len(parts)
    high = values.mean() + np.sqrt(max(0.0, above @ correlation @ above)) / len(parts)
    return replace(estimate, low=float(max(0.0, low)), high=float(min(1.0, high)))
