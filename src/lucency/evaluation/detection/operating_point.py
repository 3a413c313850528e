"""The score from which on a mark counts, chosen on the tuning part alone."""

from dataclasses import dataclass

import numpy as np

from lucency.domain.detection_plan import DetectionPoint
from lucency.domain.parts import Part
from lucency.errors import StudyError
from lucency.evaluation.detection.froc import FrocCurve, froc_curve
from lucency.evaluation.detection.matching import Matched


@dataclass(frozen=True)
class MarkThreshold:
    """The frozen threshold with the rule that chose it; a mark counts when its score is at or above it."""

    threshold: float
    rule: str
    """The rule in words, for example "at most 1 false positive an image"."""
    part: str
    """The part that it was chosen on: always tuning."""
    sensitivity: float | None
    """Share of lesions hit on that part, and therefore hopeful; None where it has no lesion."""
    false_positives_per_image: float
    """On that part."""


def choose_mark_threshold(part: str, tuning: Matched, settings: DetectionPoint) -> MarkThreshold:
    """Choose the threshold on the marks of the tuning part.

    Candidates lie halfway between neighbouring scores; where every mark may count it is 0.

    Raises:
        StudyError: the marks are of another part, or a sensitivity is asked of a part without lesions.
    """
    if part != Part.TUNING:
        raise StudyError(
            f"The threshold must be chosen on the tuning part, not on the {part} part: "
            "a threshold that has seen the test images makes the result look better than it is."
        )
    if settings.rule == "sensitivity" and not tuning.n_lesions:
        raise StudyError(
            "The tuning part has no lesion, so no threshold can be chosen by sensitivity. Make the tuning part larger "
            "(`split.tuning`), or set `detection.operating_point: {rule: false_positives, value: 1}`."
        )
    curve = froc_curve(tuning)
    threshold = settings.value if settings.rule == "fixed" else _halfway(curve, _place(curve, settings))
    counted = int((curve.thresholds >= threshold).sum()) - 1
    return MarkThreshold(
        float(threshold),
        _in_words(settings),
        Part.TUNING.value,
        float(curve.sensitivity[counted]) if tuning.n_lesions else None,
        float(curve.false_positives_per_image[counted]),
    )


def _place(curve: FrocCurve, settings: DetectionPoint) -> int:
    """Return the point of the curve that the rule asks for; its end where no point reaches the sensitivity."""
    if settings.rule == "false_positives":
        allowed = curve.sensitivity[curve.false_positives_per_image <= settings.value + 1e-9]
        # of equally sensitive points the first one, which has the fewest false positives; without lesions there is none
        return int(np.argmax(allowed)) if np.isfinite(allowed[-1]) else allowed.size - 1
    reached = np.flatnonzero(curve.sensitivity >= settings.value - 1e-9)
    return int(reached[0]) if reached.size else curve.thresholds.size - 1


def _halfway(curve: FrocCurve, place: int) -> float:
    """Return a threshold between the last score that counts and the first one that does not."""
    if place == curve.thresholds.size - 1:
        return 0.0
    upper, lower = float(curve.thresholds[place]), float(curve.thresholds[place + 1])
    middle = (min(upper, 1.0) + lower) / 2
    # between two neighbouring floating-point numbers there is no middle, and the upper one separates them as well
    return middle if middle > lower else min(upper, float(np.nextafter(lower, 2.0)))


def _in_words(settings: DetectionPoint) -> str:
    if settings.rule == "false_positives":
        noun = "false positive" if settings.value == 1 else "false positives"
        return f"at most {settings.value:g} {noun} an image"
    if settings.rule == "sensitivity":
        return f"lesion-wise sensitivity of at least {settings.value:g}"
    return f"fixed at {settings.value:g}"
