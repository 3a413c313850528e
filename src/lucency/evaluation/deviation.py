"""How far predicted numbers are from the true ones, in the unit of the study, and against a simple answer.

All but the median follow from sums over images, so that patients are resampled at no cost (`agreement/resampling`).
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import bdtr

from lucency.domain.estimate import Estimate
from lucency.domain.measurements import Baseline, Measurements
from lucency.evaluation.agreement.resampling import Sums, estimate_from_sums
from lucency.evaluation.intervals import effective_count, few_note, is_clustered, patient_codes, proportion, wilson

ALL = "all"
NO_IMAGE = "There is no image to measure."


def mean_absolute_error(predictions: Measurements, level: float = 0.95, seed: int = 0) -> Estimate:
    """Estimate the mean absolute error, Σ |prediction − truth| / n."""
    return _mean_of(np.abs(predictions.errors), "mean absolute error", predictions, level, seed)


def root_mean_squared_error(predictions: Measurements, level: float = 0.95, seed: int = 0) -> Estimate:
    """Estimate the root mean squared error, √(Σ (prediction − truth)² / n), to which large errors add most."""
    scale = _scale(predictions.errors)
    rows = np.column_stack([np.ones(len(predictions)), (predictions.errors / scale) ** 2])
    sums = Sums(
        "root mean squared error",
        rows,
        patient_codes(predictions.patient_ids),
        lambda totals: np.sqrt(totals[:, 1] / _or_nothing(totals[:, 0])),
        group=ALL,
        if_undefined=NO_IMAGE,
    )
    return rescaled(estimate_from_sums(sums, level, seed), scale)


def median_absolute_error(predictions: Measurements, level: float = 0.95, seed: int = 0) -> Estimate:  # noqa: ARG001 - as all measures
    """Estimate the median absolute error, which a few large errors do not move.

    The interval is that of order statistics, which is exact for independent images (Conover 1999); with several images of
    a patient, the quantiles at the limits of a proportion of one half over patients (Woodruff 1952).
    """
    errors = np.sort(np.abs(predictions.errors))
    patients = patient_codes(predictions.patient_ids)
    clustered = is_clustered(patients)
    n, n_patients = errors.size, int(np.unique(patients).size)
    method = "quantiles at the limits of one half (Woodruff 1952), clustered by patient" if clustered else ""
    method = method or "order statistics, exact (Conover 1999)"
    blank = Estimate("median absolute error", None, None, None, n, "image", method, level, group=ALL)
    if not n:
        return replace(blank, note=NO_IMAGE)
    value = float(np.median(errors))
    found = replace(blank, value=value, n_clusters=n_patients if clustered else None)
    low, high = _places_over_patients(predictions, value, patients, level) if clustered else _places(n, level)
    if low < 0:
        return replace(found, note="Too few images or patients: no interval can be given.")
    note = few_note(n_patients) if clustered else ""
    return replace(found, low=min(float(errors[low]), value), high=max(float(errors[high]), value), note=note)


def _places(n: int, level: float) -> tuple[int, int]:
    """Return the places, from 0, of the order statistics that enclose the median; −1 where they are too few."""
    n_outside = int((bdtr(np.arange(n // 2), n, 0.5) <= (1 - level) / 2).sum())
    return n_outside - 1, n - n_outside


def _places_over_patients(
    predictions: Measurements, value: float, patients: NDArray[np.int64], level: float
) -> tuple[int, int]:
    """Return the places of the order statistics at the limits of a share of one half, worth so many patients."""
    n = len(predictions)
    count = effective_count(np.abs(predictions.errors) <= value, patients, level)
    if count.n < 1:
        return -1, -1
    low, high = wilson(count.n / 2, count.n, level)
    return max(0, int(np.floor(low * n)) - 1), min(n - 1, int(np.ceil(high * n)))


def within_tolerance(predictions: Measurements, tolerance: float, level: float = 0.95) -> Estimate:
    """Estimate the share of images whose prediction is off by no more than the tolerance."""
    # a difference of two decimals may miss a decimal by its last bit
    is_within = np.abs(predictions.errors) <= tolerance * (1 + 1e-12)
    estimate = proportion("share within the tolerance", is_within, patient_codes(predictions.patient_ids), level)
    return replace(estimate, note=" ".join(filter(None, [f"Tolerance {tolerance:g}.", estimate.note])))


def against_baseline(
    predictions: Measurements, baseline: Baseline, level: float = 0.95, seed: int = 0
) -> list[Estimate]:
    """Estimate the mean absolute error of a simple answer, how much lower that of the network is, and that as a share.

    Both answer the same images, so that the difference is paired.
    """
    off = np.abs(baseline.predicted - predictions.truth)
    gained = off - np.abs(predictions.errors)
    scale = _scale(off)
    patients, group = patient_codes(predictions.patient_ids), f"against the {baseline.name}"
    share = Sums(
        "reduction of the mean absolute error",
        np.column_stack([gained / scale, off / scale]),
        patients,
        lambda totals: totals[:, 0] / _or_nothing(totals[:, 1]),
        group=group,
        note="As a share of the error of the simple answer; 0 is no better.",
        if_undefined="The simple answer is never off.",
    )
    return [
        replace(_mean_of(off, "mean absolute error", predictions, level, seed, group), note="Of the simple answer."),
        _mean_of(gained, "difference of mean absolute errors", predictions, level, seed, group),
        estimate_from_sums(share, level, seed),
    ]


def _mean_of(
    values: NDArray[np.float64], name: str, predictions: Measurements, level: float, seed: int, group: str = ALL
) -> Estimate:
    scale = _scale(values)
    sums = Sums(
        name,
        np.column_stack([np.ones(values.size), values / scale]),
        patient_codes(predictions.patient_ids),
        lambda totals: totals[:, 1] / _or_nothing(totals[:, 0]),
        group=group,
        if_undefined=NO_IMAGE,
    )
    return rescaled(estimate_from_sums(sums, level, seed), scale)


def rescaled(estimate: Estimate, scale: float) -> Estimate:
    """Bring an estimate back to its unit."""
    value, low, high = (None if one is None else one * scale for one in (estimate.value, estimate.low, estimate.high))
    return replace(estimate, value=value, low=low, high=high)


def _scale(values: NDArray[np.float64]) -> float:
    """Return the size of the numbers, so that micrometres and metres are resampled alike; 1 where all are 0."""
    return float(np.abs(values).max(initial=0)) or 1.0


def _or_nothing(totals: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a denominator; NaN where it is 0."""
    return np.where(totals > 0, totals, np.nan)
