"""The figures of measured numbers: truth against prediction, Bland and Altman's plot, calibration of the mean."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lucency.domain.estimate import Estimate
from lucency.domain.measurements import Measurements
from lucency.domain.parts import Part
from lucency.evaluation.intervals import t_quantile
from lucency.report.drawing import Scale, axes, circle, drawing, line, path, rectangle, text, ticks
from lucency.report.material import Material
from lucency.report.words import find

if TYPE_CHECKING:
    from lucency.report.answers.numbers import Numbers

MOST_POINTS = 1500
"""A figure with more dots would only be heavy; the dots shown are spread evenly over the truth."""
N_GROUPS = 5
"""Groups of equally many images in the figure of calibration, of at least ten."""


def figures(answers: "Numbers", material: Material) -> dict[str, str]:
    """Draw every figure as inline SVG, by name."""
    return {
        "identity": identity_figure(answers),
        "bland_altman": bland_altman_figure(answers, material),
        "calibration": calibration_figure(answers, material),
    }


def identity_figure(answers: "Numbers") -> str:
    """Draw truth against prediction with the line on which both are equal, and the range that was learnt."""
    test = answers.test
    x, y = _square(test)
    unit = answers.regression.in_words
    strokes = [axes(x, y, ticks(x.low, x.high), ticks(y.low, y.high), f"Truth: {unit}", "Prediction")]
    start, end = (x(max(x.low, min(x.high, bound))) for bound in (answers.learnt.lowest, answers.learnt.highest))
    strokes.append(rectangle(start, y.end, max(0.0, end - start), y.start - y.end, "area c0", 0.06))
    strokes.append(line((x(x.low), y(x.low)), (x(x.high), y(x.high)), "guide"))
    strokes += [circle((x(test.truth[i]), y(test.predicted[i])), 2.6, "area c1 dot") for i in _shown(test)]
    return drawing(416, 442, "Predicted against true numbers of the test part, with the line of identity", strokes)


def bland_altman_figure(answers: "Numbers", material: Material) -> str:
    """Draw the differences against the mean of truth and prediction, with bias, limits of agreement and their intervals."""
    test = answers.test
    means, errors = (test.truth + test.predicted) / 2, test.errors
    found = [
        find(material.estimates, (name,), Part.TEST, ("all",))
        for name in ("lower limit of agreement", "bias", "upper limit of agreement")
    ]
    known = [one for one in found if one and one.value is not None]
    reach = np.concatenate([errors, [b for one in known for b in (one.low, one.value, one.high) if b is not None]])
    x, y = _scale(means, 52, 404), _scale(reach, 398, 38)
    strokes = [
        axes(x, y, ticks(x.low, x.high), ticks(y.low, y.high), "Mean of truth and prediction", "Prediction − truth")
    ]
    strokes += [_level(one, x, y) for one in known]
    if y.low < 0 < y.high:
        strokes.append(line((x.start, y(0)), (x.end, y(0)), "chance"))
    strokes += [circle((x(means[i]), y(errors[i])), 2.6, "area c1 dot") for i in _shown(test)]
    return drawing(416, 442, "Bland–Altman plot of the test part", strokes)


def calibration_figure(answers: "Numbers", material: Material) -> str:
    """Draw the mean truth of groups of like predictions with its interval, and the line of truth on prediction."""
    test = answers.test
    x, y = _square(test)
    strokes = [axes(x, y, ticks(x.low, x.high), ticks(y.low, y.high), "Prediction", "Mean truth")]
    strokes.append(line((x(x.low), y(x.low)), (x(x.high), y(x.high)), "guide"))
    slope, intercept = (
        find(material.estimates, (f"calibration {name}",), Part.TEST, ("all",)) for name in ("slope", "intercept")
    )
    if slope and intercept and slope.value is not None and intercept.value is not None:
        a, b = intercept.value, slope.value
        ends = [(p, a + b * p) for p in np.linspace(test.predicted.min(), test.predicted.max(), 50)]
        inside = [(x(p), y(t)) for p, t in ends if y.low <= t <= y.high]
        strokes += [path(inside, "line thin c2")] if len(inside) > 1 else []
    for group in _groups(test):
        mean, reach = float(test.truth[group].mean()), _reach(test, group, material.plan.evaluation.level)
        at = x(float(test.predicted[group].mean()))
        low, high = (min(max(mean + sign * reach, y.low), y.high) for sign in (-1, 1))
        strokes.append(line((at, y(low)), (at, y(high)), "line thin c1"))
        strokes.append(circle((at, y(mean)), 4.5, "line ring c1"))
    return drawing(416, 442, "Calibration of the mean on the test part", strokes)


def _level(estimate: Estimate, x: Scale, y: Scale) -> str:
    """Draw one horizontal line with its band and its name."""
    if estimate.value is None:
        return ""
    at = y(estimate.value)
    band = ""
    if estimate.low is not None and estimate.high is not None:
        top, bottom = y(estimate.high), y(estimate.low)
        band = rectangle(x.start, top, x.end - x.start, bottom - top, "area band c2")
    name = {"bias": "bias"}.get(estimate.name, "limit")
    return band + line((x.start, at), (x.end, at), "line thin c2") + text(x.end, at - 5, name, "c2 halo small", "end")


def _square(test: Measurements) -> tuple[Scale, Scale]:
    """Return the same scale for both axes, so that the line of identity is the diagonal."""
    both = _scale(np.concatenate([test.truth, test.predicted]), 0, 1)
    return Scale(both.low, both.high, 52, 404), Scale(both.low, both.high, 398, 38)


def _scale(values: NDArray[np.float64], start: float, end: float) -> Scale:
    """Leave a little room at both ends; of numbers that are never negative, begin at 0 where that is near."""
    low, high = float(values.min()), float(values.max())
    room = 0.04 * (high - low) or abs(high) or 1.0
    begins_at_zero = 0 <= low < 0.3 * high
    return Scale(0.0 if begins_at_zero else low - room, high + room, start, end)


def _shown(test: Measurements) -> NDArray[np.int64]:
    """Return the places of the dots that are drawn."""
    order = np.argsort(test.truth, kind="stable")
    return order if len(order) <= MOST_POINTS else order[np.linspace(0, len(order) - 1, MOST_POINTS).astype(np.int64)]


def _groups(test: Measurements) -> list[NDArray[np.int64]]:
    """Cut the images into groups of equally many by their prediction."""
    n_groups = max(1, min(N_GROUPS, len(test) // 10))
    return np.array_split(np.argsort(test.predicted, kind="stable"), n_groups)


def _reach(test: Measurements, group: NDArray[np.int64], level: float) -> float:
    """Return half of Student's interval of a mean over patients."""
    patients = np.unique([test.patient_ids[i] for i in group], return_inverse=True)[1]
    n = int(patients.max()) + 1
    if n < 2:
        return 0.0
    residuals = np.bincount(patients, test.truth[group] - test.truth[group].mean())
    error = np.sqrt(n / (n - 1) * (residuals**2).sum()) / len(group)
    return t_quantile(level, n - 1) * float(error)
