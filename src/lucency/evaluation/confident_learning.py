"""Estimate how many labels are wrong, and which, from what networks say of images that they never learned from.

Confident learning (Northcutt, Jiang and Chuang 2021): an image that is given the label A, and that a network takes for B as
firmly as it takes the average image with the label B for B, counts as one that is truly B. All probabilities must come
from networks that did not learn from the image (cross-validation), and none of this knows the truth: what networks get
wrong with confidence counts as a wrong label.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from lucency.domain.estimate import Estimate
from lucency.domain.predictions import Predictions
from lucency.errors import StudyError
from lucency.evaluation.bootstrap import N_RESAMPLES, resampled_weights
from lucency.evaluation.intervals import few_note, is_clustered, patient_codes, wilson

METHOD = (
    f"Confident learning (Northcutt 2021); bootstrap of {N_RESAMPLES} resamples by patient, percentiles; the networks "
    "stay as they are"
)
NOISE, NOISE_OF_LABEL, NOISE_OF_CLASS = "label noise", "label noise by label", "label noise by true class"

Order = Literal["margin", "self_confidence"]


@dataclass(frozen=True)
class Suspect:
    """One image whose label is probably wrong."""

    number: int
    """Place of the image in the predictions."""
    suggested: int
    """The class that it probably has."""
    self_confidence: float
    """Probability of its own label; small is suspect."""
    margin: float
    """Probability of its own label minus that of the likeliest other class, from −1 (most suspect) to 1."""


@dataclass(frozen=True)
class ConfidentJoint:
    """How given labels and probable true classes go together."""

    thresholds: NDArray[np.float64]
    """Mean probability of each class among the images with this label, axis (class); NaN for a class without images."""
    counts: NDArray[np.int64]
    """Images that are counted with confidence, axes (given label, probable class)."""
    shares: NDArray[np.float64]
    """The counts brought to the number of images with each label, as shares of all images, same axes."""


def confident_joint(predictions: Predictions) -> ConfidentJoint:
    """Count the images of each label that a network takes for each class with confidence.

    An image counts for the likeliest of those classes whose probability reaches their threshold, and for none if no
    class reaches its own.
    """
    _refuse_one_class(predictions)
    everybody = np.ones((1, len(predictions)), np.int32)
    thresholds = _thresholds(predictions, everybody)
    counts = _counts(predictions, everybody, thresholds)
    return ConfidentJoint(thresholds[0], counts[0], _shares(predictions, everybody, counts)[0])


def find_suspects(predictions: Predictions, order: Order = "margin") -> tuple[Suspect, ...]:
    """Return the images that are counted with confidence for another class than their label, most suspect first."""
    _refuse_one_class(predictions)
    everybody = np.ones((1, len(predictions)), np.int32)
    suggested = _confident_classes(predictions, _thresholds(predictions, everybody))[0]
    own = np.arange(len(predictions)), predictions.targets
    self_confidence = predictions.probabilities[own]
    others = predictions.probabilities.copy()
    others[own] = -np.inf
    margin = self_confidence - others.max(axis=1)
    wrong = np.flatnonzero((suggested >= 0) & (suggested != predictions.targets))
    by = {"margin": margin, "self_confidence": self_confidence}[order]
    return tuple(
        Suspect(int(number), int(suggested[number]), float(self_confidence[number]), float(margin[number]))
        for number in wrong[np.lexsort((wrong, by[wrong]))]
    )


def estimate_noise(predictions: Predictions, level: float = 0.95, seed: int = 0) -> tuple[Estimate, ...]:
    """Estimate how often labels are wrong: over all, for each label, and for each true class (the transition matrix).

    For a label A the rate of B is the share of images labelled A that are truly B; for a true class B the rate of A is the
    share of images truly B that are labelled A.
    """
    shares = confident_joint(predictions).shares
    codes = patient_codes(predictions.patient_ids)
    resampled = np.concatenate(list(_resampled_shares(predictions, codes, seed)))
    blank = Estimate(
        NOISE,
        None,
        None,
        None,
        len(predictions),
        "image",
        METHOD,
        level,
        part="training and tuning",
        n_clusters=int(np.unique(codes).size) if is_clustered(codes) else None,
        note=few_note(int(np.unique(codes).size)),
    )
    rates = _rates(shares[None])
    resampled_rates = _rates(resampled)
    return tuple(
        _with_interval(
            replace(blank, name=name, group=_group(name, cell, predictions.classes)),
            float(value),
            resampled_rates[name][:, *cell],
            int(np.unique(codes).size),
        )
        for name, values in rates.items()
        for cell, value in np.ndenumerate(values[0])
        if len(cell) < 2 or cell[0] != cell[1]
    )


def _thresholds(predictions: Predictions, weights: NDArray[np.int32]) -> NDArray[np.float64]:
    """Return the mean probability of each class among the images with this label, axes (resample, class)."""
    own = np.eye(len(predictions.classes))[predictions.targets]
    with np.errstate(invalid="ignore"):  # a label that no image of a resample has
        return (weights @ (own * predictions.probabilities)) / (weights @ own)


def _confident_classes(predictions: Predictions, thresholds: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the likeliest of those classes that reach their threshold, axes (resample, image); −1 for none."""
    best = np.full((len(thresholds), len(predictions)), -1, np.int64)
    highest = np.full(best.shape, -np.inf)
    for number in range(len(predictions.classes)):
        probability = predictions.probabilities[:, number]
        # a mean of equal numbers may round to a little more than each of them
        better = (probability >= thresholds[:, [number]] - 1e-9) & (probability > highest)
        best[better] = number
        highest = np.where(better, probability, highest)
    return best


def _counts(predictions: Predictions, weights: NDArray[np.int32], thresholds: NDArray[np.float64]) -> NDArray[np.int64]:
    """Count images, axes (resample, given label, probable class)."""
    n_classes = len(predictions.classes)
    probable = _confident_classes(predictions, thresholds)
    cells = (np.arange(len(weights))[:, None] * n_classes + predictions.targets) * n_classes + probable
    is_counted = probable >= 0
    counted = np.bincount(cells[is_counted], weights[is_counted], minlength=len(weights) * n_classes**2)
    return np.rint(counted).astype(np.int64).reshape(len(weights), n_classes, n_classes)


def _shares(predictions: Predictions, weights: NDArray[np.int32], counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Bring the counts of each label to the number of its images, as shares of all, axes (resample, label, class)."""
    n_classes = len(predictions.classes)
    # a label of which no image is sure of itself is not called wrong altogether for that
    counts = np.maximum(counts, np.eye(n_classes, dtype=np.int64))
    n_given = weights @ np.eye(n_classes)[predictions.targets]
    return counts / counts.sum(axis=2, keepdims=True) * (n_given / n_given.sum(axis=1, keepdims=True))[:, :, None]


def _resampled_shares(predictions: Predictions, codes: NDArray[np.int64], seed: int) -> Iterator[NDArray[np.float64]]:
    all_alike = np.ones(len(predictions), bool)  # patients are drawn from one urn, whatever their labels
    for weights in resampled_weights(all_alike, codes, "bootstrap of label noise", seed):
        yield _shares(predictions, weights, _counts(predictions, weights, _thresholds(predictions, weights)))


def _rates(shares: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    """Return the share of wrong labels, axis (resample), of each label and of each class, axes (resample, label, class)."""
    with np.errstate(invalid="ignore"):  # a class that a resample lacks has no rate
        return {
            NOISE: 1 - np.trace(shares, axis1=1, axis2=2),
            NOISE_OF_LABEL: shares / shares.sum(axis=2, keepdims=True),
            NOISE_OF_CLASS: shares / shares.sum(axis=1, keepdims=True),
        }


def _group(name: str, cell: tuple[int, ...], classes: tuple[str, ...]) -> str:
    if name == NOISE:
        return "all"
    given, true = classes[cell[0]], classes[cell[1]]
    return f"labelled {given}, truly {true}" if name == NOISE_OF_LABEL else f"truly {true}, labelled {given}"


def _with_interval(estimate: Estimate, value: float, resampled: NDArray[np.float64], n_patients: int) -> Estimate:
    """Add value and percentiles; where all resamples agree, Wilson's interval with each patient counted once."""
    if not np.isfinite(value):
        return replace(estimate, note="No image has this label, so that it has no rate.")
    known = resampled[np.isfinite(resampled)]
    value = max(0.0, value)  # 1 − 1 may round below
    low, high = np.quantile(known, [(1 - estimate.level) / 2, (1 + estimate.level) / 2])
    if np.ptp(known) < 1e-12:
        low, high = wilson(value * n_patients, n_patients, estimate.level)
        estimate = replace(
            estimate, method="Confident learning (Northcutt 2021); Wilson 1927, each patient counted once"
        )
    return replace(estimate, value=value, low=max(0.0, min(float(low), value)), high=max(float(high), value))


def _refuse_one_class(predictions: Predictions) -> None:
    present = np.unique(predictions.targets)
    if present.size < 2:
        raise StudyError("All images have the same label, so that none can be told to be wrong.")
