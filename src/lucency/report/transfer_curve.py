"""The page of a transfer curve: the figure, the numbers, and what they do and do not say."""

import math
from collections.abc import Sequence

from markupsafe import Markup

from lucency.domain.estimate import Estimate
from lucency.domain.transfer_curve import Curve, CurvePoint, Way
from lucency.report import words
from lucency.report.drawing import Scale, axes, circle, drawing, line, path, text, ticks
from lucency.report.sheet import Chapter, Sheet, Table

STYLES = {Way.SCRATCH: "c2", Way.TRANSFER: "c1"}
BESIDE_PIXELS = 5
"""The two ways stand so far to the left and right of their number of patients, so that their intervals do not cover each
other."""
LINE_PIXELS = 16
"""Between two lines of text."""


def sheet_of(curve: Curve) -> Sheet:
    """Put the page together."""
    first = curve.points[0].scratch
    level = f"{100 * first.level:g}{words.NARROW_SPACE}%"
    return Sheet(
        f"From scratch or by transfer: {curve.title}",
        (
            f"{verdict(curve)} Each network ({curve.architecture}) learnt for at most {curve.epochs} epochs with the same "
            f"settings, once from random parameters and once from {curve.weights}; its best epoch was chosen by a fifth of its "
            f"own patients. All were judged on the {words.count(curve.n_judged)} patients of the tuning part, which had no say "
            "in any of them. The test part is still sealed.",
        ),
        chapters=(
            Chapter(
                "The curve",
                f"{first.name} by the number of patients that a network learnt from; dots are single repeats, bars the {level} "
                "intervals of their means.",
                drawings=(Markup(curve_figure(curve)),),
                tables=(_table(curve, level),),
            ),
            Chapter("What was trained", _trained(curve)),
            Chapter("What the curve does not say", " ".join(_limits(curve))),
        ),
    )


def verdict(curve: Curve) -> str:
    """Say in a sentence where transfer helped."""
    helped = [point for point in curve.points if (point.difference.low or 0) > 0]
    harmed = [point for point in curve.points if (point.difference.high or 0) < 0]
    smallest = curve.points[0]
    shown = f"With {smallest.n_patients} patients the difference in AUC (transfer − scratch) is {_signed(smallest.difference)}."
    if helped and not harmed:
        return f"Transfer helped with {_numbers(helped)} patients. {shown}"
    if harmed and not helped:
        return f"Transfer did harm with {_numbers(harmed)} patients. {shown}"
    if helped and harmed:
        return f"Transfer helped with {_numbers(helped)} patients and did harm with {_numbers(harmed)}. {shown}"
    return f"No difference between transfer and scratch can be shown. {shown}"


def curve_figure(curve: Curve) -> str:
    """Draw both ways over the number of patients, on a logarithmic axis."""
    sizes = [point.n_patients for point in curve.points]
    lowest = min(
        min(p.scratch_repeats + p.transfer_repeats + (p.scratch.low or 1, p.transfer.low or 1)) for p in curve.points
    )
    y = Scale(max(0.0, math.floor(lowest * 20) / 20), 1, 300, 38)
    margin = 0.15 if len(sizes) > 1 else 1
    x = Scale(math.log10(sizes[0]) - margin, math.log10(sizes[-1]) + margin, 44, 520)
    strokes = [
        axes(
            x,
            y,
            (),
            ticks(y.low, y.high),
            "Patients to learn from",
            f"{curve.points[0].scratch.name} on the tuning part",
        )
    ]
    for size in sizes:
        at = x(math.log10(size))
        strokes += [
            line((at, y.start), (at, y.start + 4), "axis"),
            text(at, y.start + 18, words.count(size), "tick", "middle"),
        ]
    for way, side in ((Way.SCRATCH, BESIDE_PIXELS), (Way.TRANSFER, -BESIDE_PIXELS)):
        strokes += _strokes_of(curve.points, way, x, y, side)
    strokes += _names(curve.points[-1], y, x(math.log10(sizes[-1])) + 18)
    return drawing(640, 344, "AUC by number of training patients, from scratch and by transfer", strokes)


def _strokes_of(points: Sequence[CurvePoint], way: Way, x: Scale, y: Scale, side: int) -> list[str]:
    style = STYLES[way]
    places = [x(math.log10(point.n_patients)) + side for point in points]
    means = [point.scratch if way == Way.SCRATCH else point.transfer for point in points]
    repeats = [point.scratch_repeats if way == Way.SCRATCH else point.transfer_repeats for point in points]
    centres = [(at, y(mean.value or 0)) for at, mean in zip(places, means, strict=True)]
    strokes = [path(centres, f"line {style}")] if len(points) > 1 else []
    for at, mean, aucs, centre in zip(places, means, repeats, centres, strict=True):
        strokes.append(line((at, y(mean.low or 0)), (at, y(mean.high or 0)), f"line thin {style}"))
        strokes += [circle((at, y(auc)), 2.2, f"area {style}") for auc in aucs]
        strokes.append(circle(centre, 4.5, f"line ring {style}"))
    return strokes


def _names(last: CurvePoint, y: Scale, at: float) -> list[str]:
    """Write the names of the ways beside their last points, never over each other."""
    scratch, transfer = y(last.scratch.value or 0) + 4, y(last.transfer.value or 0) + 4
    if abs(scratch - transfer) < LINE_PIXELS:
        middle, half = (scratch + transfer) / 2, LINE_PIXELS / 2
        scratch, transfer = (middle - half, middle + half) if scratch < transfer else (middle + half, middle - half)
    return [
        text(at, height, str(way), f"strong {STYLES[way]}")
        for way, height in ((Way.SCRATCH, scratch), (Way.TRANSFER, transfer))
    ]


def _table(curve: Curve, level: str) -> Table:
    header = (
        "Patients",
        "Images",
        "From scratch",
        "By transfer",
        "Difference",
        "Repeats from scratch",
        "Repeats by transfer",
    )
    rows = tuple(
        (
            words.count(point.n_patients),
            _range([float(n) for n in point.n_images], 0),
            words.quote(point.scratch),
            words.quote(point.transfer),
            _signed(point.difference),
            _range(point.scratch_repeats, 3),
            _range(point.transfer_repeats, 3),
        )
        for point in curve.points
    )
    method = curve.points[0].scratch.method
    return Table(
        header, rows, f"{curve.points[0].scratch.name} with {level} intervals: {method}. Repeats: lowest to highest."
    )


def _trained(curve: Curve) -> str:
    n_learning, n_all = curve.n_trainable[Way.TRANSFER], curve.n_parameters
    share = f" ({words.proportion(n_learning / n_all)})" if n_learning < n_all else ""
    return (
        f"From scratch, all {words.count(n_all)} parameters learn. By transfer {words.count(n_learning)} do{share}; the others "
        f"stay as they came. The network begins with {curve.weights}."
    )


def _limits(curve: Curve) -> list[str]:
    n_repeats = len(curve.points[0].scratch_repeats)
    limits = [
        "Both ways got the same number of epochs and the same settings; a network from scratch may want more epochs or another "
        "learning rate than these.",
        "The tuning part has now been looked at: whoever chooses between the two ways by this curve has used it for a "
        "choice, which is what it is for; the result that counts is that of the sealed test part.",
    ]
    if n_repeats < 3:
        few = "One repeat tells" if n_repeats == 1 else "Two repeats tell"
        limits.insert(0, f"{few} little of how much chance there is in patients and initial parameters.")
    return limits


def _numbers(points: Sequence[CurvePoint]) -> str:
    numbers = [words.count(point.n_patients) for point in points]
    return numbers[0] if len(numbers) == 1 else f"{', '.join(numbers[:-1])} and {numbers[-1]}"


def _signed(difference: Estimate) -> str:
    """Write a difference with its sign and its interval."""
    value, low, high = difference.value or 0, difference.low or 0, difference.high or 0
    level = f"{100 * difference.level:g}{words.NARROW_SPACE}%"
    return f"{_with_sign(value)} ({level} CI {_with_sign(low)} to {_with_sign(high)})"


def _with_sign(value: float) -> str:
    return ("+" if round(value, 3) > 0 else "") + words.number(value, 3)


def _range(values: Sequence[float], digits: int) -> str:
    low, high = (f"{value:,.{digits}f}" for value in (min(values), max(values)))
    return low if low == high else f"{low}–{high}"
