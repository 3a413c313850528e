"""Means over several findings that were asked at once, with intervals by bootstrap over patients (Efron & Tibshirani 1993)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lucency.domain.estimate import Estimate
from lucency.domain.plan import Evaluation
from lucency.domain.predictions import Predictions
from lucency.evaluation.bootstrap import N_RESAMPLES, resampled_weights
from lucency.evaluation.classification import called_classes
from lucency.evaluation.operating_point import OperatingPoint

METHOD = f"percentile bootstrap over patients, {N_RESAMPLES} resamples (Efron & Tibshirani 1993)"


def evaluate_together(
    predictions: Sequence[Predictions], points: Mapping[str, OperatingPoint | None], settings: Evaluation, seed: int
) -> list[Estimate]:
    """Estimate the mean AUC, sensitivity and specificity over the findings, each finding weighing the same.

    Patients are drawn with all that they have, so that the dependence between findings counts. A finding that is present
    in all of the reports of a resample, or in none, is left out of its mean.
    """
    whole, resampled = _measure(predictions, points, seed)
    names = ("macro-average AUC", "macro-average sensitivity", "macro-average specificity")
    n_left_out = int(np.isnan(whole[:, 0]).sum())
    note = f"Mean of {len(whole) - n_left_out} of {len(whole)} findings; the others are all present or all absent here."
    tails = [(1 - settings.level) / 2, (1 + settings.level) / 2]
    patients = {patient for one in predictions for patient in one.patient_ids}
    estimates = []
    for number, name in enumerate(names):
        value, low, high = None, None, None
        if n_left_out < len(whole):
            value = float(np.nanmean(whole[:, number]))
            means = _mean_of_known(resampled[:, :, number])
            low, high = (float(q) for q in np.nanquantile(means, tails))
        estimates.append(
            Estimate(
                name=name,
                value=value,
                low=low,
                high=high,
                n=len({image for one in predictions for image in one.image_ids}),
                unit="image",
                method=METHOD,
                level=settings.level,
                part=str(predictions[0].part),
                group="all",
                n_clusters=len(patients),
                note=note if n_left_out else "",
            )
        )
    return estimates


def _measure(
    predictions: Sequence[Predictions], points: Mapping[str, OperatingPoint | None], seed: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return AUC, sensitivity and specificity, axes (finding, measure), and of each resample (resample, finding, measure)."""
    names, codes = np.unique(np.concatenate([one.patient_ids for one in predictions]), return_inverse=True)
    owners = np.split(codes, np.cumsum([len(one) for one in predictions])[:-1])
    ranked = [_ranked(one, points[one.finding], owner) for one, owner in zip(predictions, owners, strict=True)]
    has_finding = np.zeros(len(names), bool)
    for one, owner in zip(predictions, owners, strict=True):
        has_finding[owner[one.targets == 1]] = True
    once = np.ones((1, len(names)), np.int32)
    whole = np.stack([_of_finding(one, once)[0] for one in ranked])
    draws = resampled_weights(has_finding, np.arange(len(names)), "macro average", seed)
    return whole, np.concatenate([np.stack([_of_finding(one, some) for one in ranked], axis=1) for some in draws])


@dataclass(frozen=True)
class _Ranked:
    """The images of one finding in rising order of their score, axis (image)."""

    patients: NDArray[np.int64]
    is_present: NDArray[np.bool_]
    is_called: NDArray[np.bool_]
    starts: NDArray[np.int64]
    """Where each group of equal scores begins."""


def _ranked(predictions: Predictions, point: OperatingPoint | None, owner: NDArray[np.int64]) -> _Ranked:
    scores = predictions.probabilities[:, 1]
    order = np.argsort(scores, kind="stable")
    starts = np.flatnonzero(np.diff(scores[order], prepend=-1.0))
    return _Ranked(
        owner[order], predictions.targets[order] == 1, called_classes(predictions, point)[order] == 1, starts
    )


def _of_finding(ranked: _Ranked, draws: NDArray[np.int32]) -> NDArray[np.float64]:
    """Return AUC (Mann & Whitney 1947, ties counting half), sensitivity and specificity, axes (resample, measure)."""
    weights = draws[:, ranked.patients].astype(np.float64)
    there, absent = weights * ranked.is_present, weights * ~ranked.is_present
    n_there, n_absent = there.sum(1), absent.sum(1)
    tied_there, tied_absent = (np.add.reduceat(w, ranked.starts, axis=1) for w in (there, absent))
    below = np.cumsum(tied_absent, axis=1) - tied_absent
    wins = (tied_there * (below + tied_absent / 2)).sum(1)
    with np.errstate(invalid="ignore", divide="ignore"):
        measures = [
            wins / (n_there * n_absent),
            there[:, ranked.is_called].sum(1) / n_there,
            absent[:, ~ranked.is_called].sum(1) / n_absent,
        ]
    values = np.stack(measures, axis=1)
    values[np.isnan(values).any(1)] = np.nan
    return values


def _mean_of_known(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean over the findings that a resample can judge, axes (resample, finding); none gives not a number."""
    n_known = (~np.isnan(values)).sum(1)
    return np.where(n_known > 0, np.nansum(values, axis=1) / np.maximum(n_known, 1), np.nan)
