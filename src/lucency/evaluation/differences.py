"""How far two groups of patients differ, in standard deviations, whatever their numbers (Austin 2009).

A group may also be a population whose values are declared: it then has no error of sampling, and an infinite count.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import chndtr

from lucency.domain.estimate import Estimate
from lucency.evaluation.intervals import Interval, normal_quantile

NOTABLE = 0.1
"""A standardised difference from here on is worth a word (Austin 2009)."""

_NAME = "standardised difference"
_OF_MEANS = "difference of means / root of the mean variance (Austin 2009), interval of Bonett 2008"
_OF_SHARES = "Yang & Dalton 2012, interval by the noncentral chi-squared distribution"


@dataclass(frozen=True)
class Moments:
    """Mean and variance of a number."""

    mean: float
    variance: float
    n: float
    """Patients; infinite for a declared population."""

    @classmethod
    def of(cls, values: Sequence[float]) -> "Moments":
        """Measure a sample of two or more values."""
        return cls(float(np.mean(values)), float(np.var(values, ddof=1)), len(values))


@dataclass(frozen=True)
class Shares:
    """Share of each level of a category; they add up to 1."""

    shares: Mapping[str, float]
    n: float
    """Patients; infinite for a declared population."""

    @classmethod
    def of(cls, values: Iterable[str]) -> "Shares":
        """Measure a sample of one or more values."""
        counts = Counter(values)
        n = sum(counts.values())
        return cls({level: count / n for level, count in counts.items()}, n)


def difference_of_means(first: Moments, second: Moments, level: float = 0.95) -> Estimate:
    """Standardise the difference of two means: (m₁ − m₂) / √((s₁² + s₂²) / 2).

    The interval is Wald's with the variance of Bonett (2008), which does not suppose equal variances.
    """
    blank = _blank(first.n, second.n, _OF_MEANS, level)
    variance = (first.variance + second.variance) / 2
    if variance == 0:
        return _without_spread(blank, first.mean == second.mean)
    value = (first.mean - second.mean) / np.sqrt(variance)
    parts = [(group.variance, group.n - 1) for group in (first, second)]
    squared_error = value**2 / (8 * variance**2) * sum(v**2 / freedom for v, freedom in parts)
    squared_error += sum(v / freedom for v, freedom in parts) / variance
    reach = normal_quantile(level) * np.sqrt(squared_error)
    return _with(blank, value, Interval(value - reach, value + reach))


def difference_of_shares(first: Shares, second: Shares, level: float = 0.95) -> Estimate:
    """Standardise the difference of all shares of a category at once: √(d′ S⁻¹ d), never negative.

    d is the difference of the shares without the last, S the mean of the two covariances (Yang & Dalton 2012); for two
    levels it is |p − q| / √((p(1−p) + q(1−q)) / 2). Its square over its variance is noncentral chi-squared with one degree
    of freedom fewer than levels, and the interval holds the noncentralities that do not contradict it, so that it may
    begin at 0. Its upper end is at least that of Wald's interval.
    """
    blank = _blank(first.n, second.n, _OF_SHARES, level)
    levels = sorted({name for group in (first, second) for name, share in group.shares.items() if share > 0})
    if len(levels) < 2:
        return _without_spread(blank, is_same=True)
    p, q = (np.array([group.shares.get(name, 0.0) for name in levels[:-1]]) for group in (first, second))
    covariances = _covariance(p), _covariance(q)
    weights = _solved((covariances[0] + covariances[1]) / 2, p - q)
    if weights is None:
        return _without_spread(blank, is_same=False)
    squared = max(0.0, float((p - q) @ weights))
    n = 1 / (1 / first.n + 1 / second.n)
    if squared > 0:
        gradients = _gradient(weights, p), _gradient(-weights, q)
        sizes = first.n, second.n
        errors = [g @ c @ g / size for g, c, size in zip(gradients, covariances, sizes, strict=True)]
        n = min(n, 1 / max(float(sum(errors)) / (4 * squared), 1e-12))
    low, high = (float(np.sqrt(x / n)) for x in _noncentralities(squared * n, p.size, level))
    value = float(np.sqrt(squared))
    # groups that are alike beyond chance contradict every noncentrality; the error of sampling is there all the same
    high = max(high, value + normal_quantile(level) / float(np.sqrt(n)))
    return _with(blank, value, Interval(min(low, value), high))


def _blank(n_first: float, n_second: float, method: str, level: float) -> Estimate:
    n = int(sum(n for n in (n_first, n_second) if np.isfinite(n)))
    return Estimate(_NAME, None, None, None, n, "patient", method, level, part="all")


def _with(blank: Estimate, value: float, interval: Interval) -> Estimate:
    return Estimate(**(vars(blank) | {"value": float(value), "low": float(interval.low), "high": float(interval.high)}))


def _without_spread(blank: Estimate, is_same: bool) -> Estimate:
    """Tell groups without any spread apart: they are the same, or have nothing in common."""
    if is_same:
        return Estimate(**(vars(blank) | {"value": 0.0, "note": "All patients are alike: no interval can be given."}))
    return Estimate(**(vars(blank) | {"note": "The groups have nothing in common, so the difference has no bound."}))


def _covariance(shares: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.diag(shares) - np.outer(shares, shares)


def _solved(covariance: NDArray[np.float64], difference: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """Return S⁻¹ d; None where d points where S has no spread, so that the distance is infinite."""
    solution = np.linalg.lstsq(covariance, difference, rcond=1e-10)[0].astype(np.float64)
    return solution if np.allclose(covariance @ solution, difference, atol=1e-8) else None


def _gradient(weights: NDArray[np.float64], shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how the squared distance changes with one group's shares; `weights` are S⁻¹ times their lead."""
    return 2 * weights - weights**2 / 2 + weights * (weights @ shares)


def _noncentralities(statistic: float, freedom: int, level: float) -> Interval:
    """Find the noncentralities between which a chi-squared statistic is not surprising, by bisection."""
    return Interval(
        _noncentrality(statistic, freedom, (1 + level) / 2), _noncentrality(statistic, freedom, (1 - level) / 2)
    )


def _noncentrality(statistic: float, freedom: int, probability: float) -> float:
    """Find the noncentrality at which a value as small as the statistic has the probability; 0 where there is none."""
    if chndtr(statistic, freedom, 0.0) <= probability:
        return 0.0
    low, high = 0.0, 2 * statistic + 100.0
    while high - low > 1e-9 * high:
        middle = (low + high) / 2
        low, high = (middle, high) if chndtr(statistic, freedom, middle) > probability else (low, middle)
    return (low + high) / 2
