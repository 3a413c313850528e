"""The figures of detection: FROC and AFROC curves."""

import math
from typing import TYPE_CHECKING

import numpy as np

from lucency.domain.plan import Plan
from lucency.evaluation.detection.afroc import afroc_area, afroc_curve
from lucency.evaluation.detection.froc import RATES, froc_band, froc_curve
from lucency.evaluation.detection.matching import Matched, match
from lucency.report.drawing import Point, Scale, axes, circle, drawing, line, path, text, tick_label, ticks

if TYPE_CHECKING:
    from lucency.report.answers.boxes import Boxes

LEAST_RATE = 1 / 16
"""False positives an image at which the curve begins."""
_POINTS_OF_BAND = 57


def figures(answers: "Boxes", plan: Plan) -> dict[str, str]:
    """Draw every figure as inline SVG, by name."""
    test = answers.matched()
    drawn = {"froc": _froc_figure(answers, plan, test)} if test.n_lesions else {}
    if test.n_lesions and (test.lesions_per_image == 0).any():
        drawn["afroc"] = _afroc_figure(test)
    return drawn


def _froc_figure(answers: "Boxes", plan: Plan, test: Matched) -> str:
    """Draw the share of lesions found against the false positives an image, with its band and the operating point."""
    x, y = Scale(math.log2(LEAST_RATE), 3, 44, 404), Scale(0, 1, 398, 38)
    strokes = [_axes(x, y)]
    band = froc_band(test, np.geomspace(LEAST_RATE, 8, _POINTS_OF_BAND), plan.evaluation.level, plan.seed)
    places = [x(math.log2(rate)) for rate in band.false_positives_per_image]
    outline = [(place, y(s)) for place, s in zip(places, band.high, strict=True)]
    outline += [(place, y(s)) for place, s in zip(places[::-1], band.low[::-1], strict=True)]
    strokes.append(path(outline, "area band c1", closed=True))
    tuning = match(answers.tuning, answers.hit)
    if tuning.n_lesions:
        strokes.append(path(_staircase(tuning, x, y), "line thin dashed c0"))
        strokes.append(text(x.end, y(0.07), "tuning part (dashed)", "c0", "end"))
    strokes.append(path(_staircase(test, x, y), "line c1"))
    strokes.append(text(x.end, y(0.12), "test part", "strong c1", "end"))
    counts = test.scores >= answers.point.threshold
    rate = float((counts & ~test.is_hit).sum()) / test.n_images
    place = x(math.log2(min(max(rate, LEAST_RATE), 8))), y(float((counts & test.is_hit).sum()) / test.n_lesions)
    strokes.append(circle(place, 5.5, "line ring c2"))
    strokes.append(text(place[0] + 12, min(place[1] + 22, y(0) - 8), "operating point", "c2 halo"))
    return drawing(416, 442, "FROC curve of the test part with its confidence band and the operating point", strokes)


def _axes(x: Scale, y: Scale) -> str:
    """Draw the grid with the seven rates, each twice the one before."""
    parts = []
    for value in ticks(0, 1):
        parts.append(line((x.start, y(value)), (x.end, y(value)), "axis" if value == 0 else "grid"))
        parts.append(text(x.start - 8, y(value) + 4, tick_label(value), "tick", "end"))
    for rate in RATES:
        place = x(math.log2(rate))
        parts.append(line((place, y.start), (place, y.start + 4), "axis"))
        parts.append(text(place, y.start + 18, f"1/{round(1 / rate)}" if rate < 1 else f"{rate:g}", "tick", "middle"))
    parts.append(text(x.end, y.start + 37, "False positives an image (doubling)", "label", "end"))
    parts.append(text(0, y.end - 14, "Lesions found", "label"))
    return "".join(parts)


def _staircase(matched: Matched, x: Scale, y: Scale) -> list[Point]:
    """Return the curve in steps, from the first rate to the last; beyond its last mark it stays level."""
    curve = froc_curve(matched)
    rates = np.clip(curve.false_positives_per_image, LEAST_RATE, 8)
    points: list[Point] = []
    for rate, sensitivity in zip(rates, curve.sensitivity, strict=True):
        place = x(math.log2(rate))
        if points:
            points.append((place, points[-1][1]))
        points.append((place, y(float(sensitivity))))
        if rate >= 8:
            break
    return [*points, (x.end, points[-1][1])]


def _afroc_figure(test: Matched) -> str:
    """Draw lesions found against healthy images with any false alarm, and the area below."""
    x, y = Scale(0, 1, 44, 404), Scale(0, 1, 398, 38)
    curve = afroc_curve(test)
    strokes = [axes(x, y, ticks(0, 1), ticks(0, 1), "Images without lesions that have a false alarm", "Lesions found")]
    points = [(x(float(r)), y(float(s))) for r, s in zip(curve.false_alarm_rate, curve.sensitivity, strict=True)]
    strokes.append(path(points[:-1], "line c1"))
    strokes.append(path(points[-2:], "line thin dotted c1"))
    strokes.append(text(x(1), y(0.12), f"area {afroc_area(test):.3f}", "strong c1", "end"))
    strokes.append(text(x(1), y(0.07), "dotted: never marked", "c0", "end"))
    return drawing(416, 442, "AFROC curve of the test part", strokes)
