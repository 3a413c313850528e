"""Whether predicted numbers rise with the true ones, and how much of their spread is told."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from lucency.domain.estimate import Estimate
from lucency.domain.measurements import Measurements
from lucency.evaluation.agreement.resampling import (
    METHOD,
    Sums,
    bca_limits,
    draw_patients,
    estimate_from_sums,
    lost_note,
)
from lucency.evaluation.deviation import ALL
from lucency.evaluation.intervals import few_note, is_clustered, patient_codes
from lucency.evaluation.two_numbers import moments, pairs_of, ratio

NO_SPREAD = "The true or the predicted values are all equal: nothing can rise with them."


def pearson(predictions: Measurements, level: float = 0.95, seed: int = 0) -> Estimate:
    """Estimate the product-moment correlation of prediction and truth (Pearson 1896)."""
    pairs = pairs_of(predictions)

    def correlation(totals: NDArray[np.float64]) -> NDArray[np.float64]:
        of = moments(totals)
        return np.clip(ratio(of.both, np.sqrt(of.truth * of.predicted)), -1, 1)

    sums = Sums("Pearson correlation", pairs.rows, pairs.patients, correlation, group=ALL, if_undefined=NO_SPREAD)
    return estimate_from_sums(sums, level, seed)


def explained_variance(predictions: Measurements, level: float = 0.95, seed: int = 0) -> Estimate:
    """Estimate R² = 1 − Σ (truth − prediction)² / Σ (truth − mean truth)²; below 0 is worse than one number for all."""
    pairs = pairs_of(predictions)

    def share(totals: NDArray[np.float64]) -> NDArray[np.float64]:
        of = moments(totals)
        squared_error = of.truth + of.predicted - 2 * of.both + of.shift**2
        return 1 - ratio(squared_error, of.truth)

    note, why = "Against the mean of these images.", "All true values are equal: there is no spread to explain."
    return estimate_from_sums(
        Sums("R²", pairs.rows, pairs.patients, share, group=ALL, note=note, if_undefined=why), level, seed
    )


def spearman(predictions: Measurements, level: float = 0.95, seed: int = 0) -> Estimate:
    """Estimate the rank correlation of prediction and truth (Spearman 1904), equal values sharing their mean rank."""
    patients = patient_codes(predictions.patient_ids)
    n, n_patients, clustered = len(predictions), int(np.unique(patients).size), is_clustered(patients)
    blank = Estimate("Spearman correlation", None, None, None, n, "image", METHOD, level, group=ALL)
    if clustered:
        blank = replace(blank, n_clusters=n_patients)
    ranked = [_Ranking(values) for values in (predictions.truth, predictions.predicted)]
    value = float(_rank_correlation(ranked, np.ones((1, n)))[0]) if n else np.nan
    if np.isnan(value):
        return replace(blank, note=NO_SPREAD)
    found = replace(blank, value=value, note=few_note(n_patients))
    each_once = np.ones(n_patients, np.int64)
    draws, left_out = draw_patients(
        lambda weights: _rank_correlation(ranked, weights[:, patients]), each_once, blank.name, seed
    )
    if not draws.size or np.ptp(draws) < 1e-12:
        return replace(found, note="All resamples agree: no interval can be given.")
    low, high = bca_limits(value, draws, left_out, each_once, level)
    return replace(found, low=low, high=high, note=" ".join(filter(None, [found.note, lost_note(draws.size)])))


class _Ranking:
    """The order of some values, from which the ranks in any resample follow."""

    def __init__(self, values: NDArray[np.float64]) -> None:
        self._order = np.argsort(values, kind="stable")
        self._starts = np.flatnonzero(np.diff(values[self._order], prepend=-np.inf))
        lengths = np.diff(np.append(self._starts, values.size))
        self._tie_of = np.empty(values.size, np.int64)
        self._tie_of[self._order] = np.repeat(np.arange(self._starts.size), lengths)

    def ranks(self, weights: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return mean ranks where each image is in so many times, axes (draw, image) in and out."""
        of_ties = np.add.reduceat(weights[:, self._order], self._starts, axis=1)
        return (np.cumsum(of_ties, axis=1) - of_ties / 2 + 0.5)[:, self._tie_of]


def _rank_correlation(ranked: list[_Ranking], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    n = weights.sum(axis=1, keepdims=True)
    first, second = (ranking.ranks(weights) - (n + 1) / 2 for ranking in ranked)  # ranks average (n + 1) / 2
    both, one, other = ((weights * product).sum(axis=1) for product in (first * second, first**2, second**2))
    return np.clip(ratio(both, np.sqrt(one * other)), -1, 1)
