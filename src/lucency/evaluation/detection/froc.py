"""FROC: the share of lesions that are hit, against the false positives an image that this costs (Bunch et al. 1978)."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from lucency.domain.estimate import Estimate
from lucency.evaluation.bootstrap import N_RESAMPLES, portions, resampled_weights
from lucency.evaluation.detection.matching import Matched
from lucency.evaluation.intervals import wilson

RATES = (1 / 8, 1 / 4, 1 / 2, 1.0, 2.0, 4.0, 8.0)
"""False positives an image at which the sensitivity is read (van Ginneken et al. 2010; LUNA16)."""
METHOD = f"bootstrap of {N_RESAMPLES} resamples by patient, percentiles (Efron & Tibshirani 1993)"
NO_LESIONS = "There is no lesion in this part: sensitivity is not defined."


@dataclass(frozen=True)
class FrocCurve:
    """The empirical curve, from the point where no mark counts to the one where all do, axis (threshold)."""

    thresholds: NDArray[np.float64]
    """A mark counts when its score is at or above; +∞, then the scores that occur, falling."""
    false_positives_per_image: NDArray[np.float64]
    sensitivity: NDArray[np.float64]
    """Share of the lesions that are hit."""


@dataclass(frozen=True)
class FrocBand:
    """The interval of the sensitivity at each rate of false positives, point by point, axis (rate)."""

    false_positives_per_image: NDArray[np.float64]
    sensitivity: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    level: float
    method: str


def froc_curve(matched: Matched) -> FrocCurve:
    """Trace sensitivity and false positives over all thresholds; NaN for the sensitivity where no lesion is there."""
    hits, false = _cumulated(matched, np.ones((1, matched.n_images)))
    with np.errstate(invalid="ignore"):
        sensitivity = np.concatenate([[0.0], hits[0]]) / np.float64(matched.n_lesions)
    rates = np.concatenate([[0.0], false[0]]) / matched.n_images
    thresholds = np.concatenate([[np.inf], matched.scores[_last_of_each_score(matched)]])
    return FrocCurve(thresholds, rates, sensitivity)


def froc_estimates(matched: Matched, level: float = 0.95, seed: int = 0) -> list[Estimate]:
    """Estimate the mean sensitivity over the seven rates (the FROC score), then the sensitivity at each of them.

    At each rate it is the highest sensitivity of any threshold that keeps to the rate; nothing is interpolated, so that
    every number belongs to a threshold that can be set.
    """
    rates = np.array(RATES)
    names = [f"sensitivity at {_fraction(rate)} false positives an image" for rate in RATES]
    n_patients = int(np.unique(matched.patients).size)
    blank = Estimate("", None, None, None, matched.n_lesions, "lesion", METHOD, level, n_clusters=n_patients)
    if not matched.n_lesions:
        return [replace(blank, name=name, note=NO_LESIONS) for name in ("FROC score", *names)]
    values = sensitivities(matched, rates)
    resampled = _resampled(matched, rates, seed)
    low, high = _limits(values, resampled, matched, level)
    score = float(values.mean())
    ends = np.quantile(resampled.mean(axis=1), [(1 - level) / 2, (1 + level) / 2])
    if np.ptp(resampled.mean(axis=1)) < 1e-12:
        ends = np.array([low.mean(), high.mean()])
    note = "Mean of the sensitivities at 1/8, 1/4, 1/2, 1, 2, 4 and 8 false positives an image."
    found = [replace(blank, name="FROC score", value=score, low=float(ends[0]), high=float(ends[1]), note=note)]
    for name, *numbers in zip(names, values, low, high, strict=True):
        value, lowest, highest = map(float, numbers)
        found.append(replace(blank, name=name, value=value, low=lowest, high=highest))
    return found


def froc_band(matched: Matched, rates: NDArray[np.float64], level: float = 0.95, seed: int = 0) -> FrocBand:
    """Compute the interval of the sensitivity at each of some rates, by bootstrap over patients."""
    values = sensitivities(matched, rates)
    low, high = _limits(values, _resampled(matched, rates, seed), matched, level)
    return FrocBand(rates, values, low, high, level, METHOD)


def sensitivities(matched: Matched, rates: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the highest sensitivity that keeps to each rate of false positives an image, axis (rate)."""
    return _at_rates(matched, rates, np.ones((1, matched.n_images)))[0]


def _resampled(matched: Matched, rates: NDArray[np.float64], seed: int) -> NDArray[np.float64]:
    """Return the sensitivities at each rate in every resample of patients, axes (resample, rate)."""
    has_lesion = matched.lesions_per_image > 0
    chunks = resampled_weights(has_lesion, matched.patients, "bootstrap of the FROC curve", seed)
    return np.concatenate(
        [_at_rates(matched, rates, few) for weights in chunks for few in portions(weights, matched.scores.size)]
    )


def _at_rates(matched: Matched, rates: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the sensitivity at each rate with images that count so often, axes (resample, rate)."""
    hits, false = _cumulated(matched, weights)
    n_lesions = weights @ matched.lesions_per_image
    per_image = false / weights.sum(axis=1, keepdims=True)
    nothing = np.zeros((len(weights), 1))
    sensitivity = np.concatenate([nothing, hits / n_lesions[:, None]], axis=1)
    columns = [(per_image <= rate + 1e-9).sum(axis=1) for rate in rates]
    return np.stack([sensitivity[np.arange(len(weights)), column] for column in columns], axis=1)


def _cumulated(matched: Matched, weights: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Count hits and false positives down to each score that occurs, axes (resample, threshold)."""
    ends = _last_of_each_score(matched)
    of_mark = weights[:, matched.image_of_mark]
    hits = np.cumsum(of_mark * matched.is_hit, axis=1)[:, ends]
    return hits, np.cumsum(of_mark, axis=1)[:, ends] - hits


def _last_of_each_score(matched: Matched) -> NDArray[np.int64]:
    return np.flatnonzero(np.diff(matched.scores, append=-np.inf))


def _limits(
    values: NDArray[np.float64], resampled: NDArray[np.float64], matched: Matched, level: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return percentiles; where all resamples agree, Wilson's interval with each patient with a lesion counted once."""
    low, high = np.quantile(resampled, [(1 - level) / 2, (1 + level) / 2], axis=0)
    n_patients = np.unique(matched.patients[matched.image_of_lesion]).size
    for point in np.flatnonzero(np.ptp(resampled, axis=0) < 1e-12):
        low[point], high[point] = wilson(float(values[point]) * n_patients, n_patients, level)
    return np.minimum(low, values), np.maximum(high, values)


def _fraction(rate: float) -> str:
    return f"1/{round(1 / rate)}" if rate < 1 else f"{rate:g}"
