"""Estimate at once what images show and how often each reader errs (Dawid and Skene 1979)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MOST_ITERATIONS = 5_000
PRECISION = 1e-9
"""The estimate stands when no probability moves by more."""
DECIMALS = 12
"""Of a probability; those behind are noise of the arithmetic."""
FEW_IMAGES = 10
"""Error rates that rest on fewer images than this of a level are noted as uncertain."""


@dataclass(frozen=True)
class DawidSkene:
    """What the answers of several readers tell about images and readers."""

    probability: NDArray[np.float64]
    """Axes (image, level): of what the image shows, given all answers; NaN where nobody answered."""
    prevalence: NDArray[np.float64]
    """Share of the images that show each level."""
    confusion: NDArray[np.float64]
    """Axes (reader, level shown, level answered): how often a reader gives an answer; NaN where nothing tells."""
    log_likelihood: tuple[float, ...]
    """After each iteration; it never falls."""
    is_converged: bool
    notes: tuple[str, ...]
    """Why the estimate may not be trusted, in words; empty where nothing speaks against it."""


def dawid_skene(counts: NDArray[np.integer]) -> DawidSkene:
    """Fit the model of Dawid and Skene by expectation and maximisation, from vote shares onwards.

    `counts`, axes (image, reader, level), says how often a reader gave an answer: 0 or 1 unless images were read again.
    Images with the same answers are counted together, so that the work hardly grows with their number.
    """
    n_images, n_readers, n_levels = counts.shape
    flat = np.ascontiguousarray(counts.reshape(n_images, n_readers * n_levels).astype(np.uint16))
    patterns, pattern_of, n_times = _distinct(flat)
    is_read = patterns.any(axis=1)
    answers, weight = patterns[is_read].astype(float), n_times[is_read].astype(float)
    probability = np.full((len(patterns), n_levels), np.nan)
    if not is_read.any():
        nothing = np.full((n_readers, n_levels, n_levels), np.nan)
        return DawidSkene(probability[pattern_of], np.full(n_levels, np.nan), nothing, (), True, ())
    shares = answers.reshape(-1, n_readers, n_levels).sum(axis=1)
    shown = shares / shares.sum(axis=1, keepdims=True)
    history: list[float] = []
    is_converged = False
    while not is_converged and len(history) < MOST_ITERATIONS:
        prevalence, confusion = _error_rates(shown, answers, weight, n_readers)
        before = shown
        shown, log_likelihood = _what_is_shown(prevalence, confusion, answers, weight)
        history.append(log_likelihood)
        is_converged = bool(np.abs(shown - before).max() < PRECISION)
    probability[is_read] = shown
    notes = _notes(patterns[is_read].reshape(-1, n_readers, n_levels), shown, weight, is_converged)
    return DawidSkene(probability[pattern_of], prevalence, confusion, tuple(history), is_converged, notes)


def _distinct(flat: NDArray[np.uint16]) -> tuple[NDArray[np.uint16], NDArray[np.intp], NDArray[np.intp]]:
    """Return the distinct rows, the number of each image's row, and how often each occurs."""
    as_bytes = flat.view(np.dtype((np.void, flat.shape[1] * flat.itemsize))).ravel()
    _, first, pattern_of, n_times = np.unique(as_bytes, return_index=True, return_inverse=True, return_counts=True)
    return flat[first], pattern_of, n_times


def _error_rates(
    shown: NDArray[np.float64], answers: NDArray[np.float64], weight: NDArray[np.float64], n_readers: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Estimate prevalence and confusion from what the images are thought to show (equations 2.3 and 2.4)."""
    weighted = shown * weight[:, None]
    n_levels = shown.shape[1]
    given = (weighted.T @ answers).reshape(n_levels, n_readers, n_levels).transpose(1, 0, 2)
    in_all = given.sum(axis=2, keepdims=True)
    confusion = np.divide(given, in_all, out=np.full_like(given, np.nan), where=in_all > 0)
    return weighted.sum(axis=0) / weight.sum(), confusion


def _what_is_shown(
    prevalence: NDArray[np.float64],
    confusion: NDArray[np.float64],
    answers: NDArray[np.float64],
    weight: NDArray[np.float64],
) -> tuple[NDArray[np.float64], float]:
    """Estimate what the images show from the error rates, by Bayes (equation 2.5); also return the log-likelihood."""
    n_levels = len(prevalence)
    tiny = np.finfo(float).tiny  # stands for 0, whose logarithm times no answer would be undefined
    rates = np.where(np.isnan(confusion), 1 / n_levels, np.maximum(confusion, tiny))
    log_rates = np.log(rates).transpose(0, 2, 1).reshape(-1, n_levels)
    with np.errstate(divide="ignore"):  # a level that no image shows stays impossible
        log_joint = np.log(prevalence) + answers @ log_rates
    highest = log_joint.max(axis=1, keepdims=True)
    joint = np.exp(log_joint - highest)
    in_all = joint.sum(axis=1, keepdims=True)
    # rounded, or the order of sums would tip what the votes leave even
    return np.round(joint / in_all, DECIMALS), float(weight @ (np.log(in_all) + highest)[:, 0])


def _notes(
    patterns: NDArray[np.uint16], shown: NDArray[np.float64], weight: NDArray[np.float64], is_converged: bool
) -> tuple[str, ...]:
    n_readers_of = (patterns.sum(axis=2) > 0).sum(axis=1)
    notes = []
    if n_readers_of.max() < 3:
        notes.append(
            "No image was read by three readers; fewer cannot tell whose error a disagreement is, and the estimate is one "
            "of many that fit as well."
        )
    if (shown.T @ weight).min() < FEW_IMAGES:
        notes.append(
            f"A level is shown by fewer than {FEW_IMAGES} images, as far as the readers can tell; error rates that rest on "
            "so few are uncertain."
        )
    if not is_converged:
        notes.append(f"The estimate still moved after {MOST_ITERATIONS:,} iterations.")
    return tuple(notes)
