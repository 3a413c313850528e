"""The threshold above which an image is called positive, chosen on the tuning part alone."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lucency.domain.evaluation_plan import Threshold
from lucency.domain.parts import Part
from lucency.domain.predictions import Predictions
from lucency.errors import StudyError
from lucency.evaluation.discrimination import midpoints


@dataclass(frozen=True)
class OperatingPoint:
    """A threshold with the rule that chose it; an image is positive when its probability is at or above it."""

    threshold: float
    rule: str
    """The rule in words, for example "sensitivity of at least 0.95"."""
    part: str
    """The part that it was chosen on: always tuning."""
    sensitivity: float | None
    """Reached on that part, and therefore hopeful; None when it has no positive image."""
    specificity: float | None
    """Reached on that part; None when it has no negative image."""


def choose_operating_point(tuning: Predictions, settings: Threshold) -> OperatingPoint | None:
    """Choose the threshold on the predictions for the tuning part; None for more than two classes, which need none.

    Candidates are the midpoints between neighbouring probabilities, and the ends where every image or none is
    positive. Among equally good points the one with the higher sensitivity is taken, as a miss is the graver error.

    Raises:
        StudyError: the predictions are of another part, or a class that the rule needs is absent from it.
    """
    if tuning.part != Part.TUNING:
        raise StudyError(
            f"The threshold must be chosen on the tuning part, not on the {tuning.part} part: "
            "a threshold that has seen the test images makes the result look better than it is."
        )
    if len(tuning.classes) > 2:
        return None
    positive, scores = tuning.targets == 1, tuning.probabilities[:, 1]
    if settings.rule == "fixed":
        thresholds = np.array([settings.value], float)
    else:
        _require_both_classes(positive, tuning.classes)
        thresholds = _candidates(scores)
    true_positives = positive.sum() - np.searchsorted(np.sort(scores[positive]), thresholds)
    true_negatives = np.searchsorted(np.sort(scores[~positive]), thresholds)
    best = _best(true_positives, true_negatives, int(positive.sum()), int((~positive).sum()), settings)
    return OperatingPoint(
        float(thresholds[best]),
        _in_words(settings),
        Part.TUNING.value,
        float(true_positives[best] / positive.sum()) if positive.any() else None,
        float(true_negatives[best] / (~positive).sum()) if not positive.all() else None,
    )


def _require_both_classes(positive: NDArray[np.bool_], classes: tuple[str, ...]) -> None:
    if positive.all() or not positive.any():
        absent = classes[0] if positive.any() else classes[1]
        raise StudyError(
            f"The tuning part has no image of class {absent}, so no threshold can be chosen on it. "
            "Make the tuning part larger (`split.tuning`), or set `threshold: {rule: fixed, value: 0.5}`."
        )


def _candidates(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the thresholds that can make a difference, in rising order: all positive, midpoints, none positive."""
    highest = scores.max()
    # finite, so that the study's record can hold it
    none_positive = max((highest + 1) / 2, np.nextafter(highest, np.inf))
    return np.concatenate([[0.0], midpoints(scores), [none_positive]])


def _best(
    true_positives: NDArray[np.int64],
    true_negatives: NDArray[np.int64],
    n_positive: int,
    n_negative: int,
    settings: Threshold,
) -> int:
    """Return the position of the best candidate; thresholds rise, so the first of equals has the highest sensitivity."""
    if settings.rule == "fixed":
        return 0
    if settings.rule == "youden":
        # whole numbers, so that equal points are equal to the last bit
        return int(np.argmax(true_positives * n_negative + true_negatives * n_positive))
    wanted = float(settings.value or 0) - 1e-12  # 0.7 of 10 images is 7, not 7.000000000000001
    if settings.rule == "sensitivity":
        reached = true_positives >= wanted * n_positive
        gain = true_negatives * (n_positive + 1) + true_positives
    else:
        reached = true_negatives >= wanted * n_negative
        gain = true_positives * (n_negative + 1) + true_negatives
    return int(np.argmax(np.where(reached, gain, -1)))


def _in_words(settings: Threshold) -> str:
    if settings.rule == "youden":
        return "largest sensitivity + specificity − 1 (Youden 1950)"
    if settings.rule == "fixed":
        return f"fixed at {settings.value:g}"
    return f"{settings.rule} of at least {settings.value:g}"
