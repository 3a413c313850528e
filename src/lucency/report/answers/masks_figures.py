"""The figures of masks: Dice of every case, agreement of volumes or areas, Dice against size."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from lucency.domain.estimate import Estimate
from lucency.evaluation.overlap.case import CaseResult
from lucency.evaluation.overlap.summary import size_of
from lucency.report.answers.masks_words import MEAN_DICE, of_structure
from lucency.report.drawing import Scale, axes, circle, clip, drawing, line, path, rectangle, text, tick_label, ticks
from lucency.report.material import Material
from lucency.report.words import of_images

if TYPE_CHECKING:
    from lucency.report.answers.masks import Masks

N_COLOURS = 6
_WIDTH = 663.0
_ROW = 64.0
_DOT = 2.6
"""Pixels of a dot's radius."""
_STEP, _MOST_STEPS = 4.2, 4
"""Pixels between dots of nearly the same value, and how many of them stand above each other."""


def figures(answers: "Masks", material: Material) -> dict[str, str]:
    """Draw every figure as inline SVG, by name."""
    there = {structure: [r for r in answers.of(structure) if r.n_truth] for structure in answers.structures}
    drawn = {"dice": dice_figure(answers, material)}
    for number, (structure, results) in enumerate(there.items()):
        if len(results) > 1:
            drawn[f"sizes-{number}"] = agreement_figure(results, structure, material, number)
    if any(there.values()):
        drawn["dice-by-size"] = dice_by_size_figure(there)
    return drawn


def dice_figure(answers: "Masks", material: Material) -> str:
    """Draw the Dice of every case as a dot, with quartiles and the mean, a row for each structure and group."""
    rows = [
        (f"{structure}: {group}" if group else structure, number, results)
        for number, structure in enumerate(answers.structures)
        for group in ("", *answers.groups)
        if (results := [r for r in answers.of(structure, group) if r.n_truth])
    ]
    x, bottom = Scale(0, 1, 8, _WIDTH - 8), 12 + _ROW * len(rows)
    strokes = []
    for value in ticks(0, 1):
        strokes.append(line((x(value), 8), (x(value), bottom), "grid"))
        strokes.append(text(x(value), bottom + 18, tick_label(value), "tick", "middle"))
    for i, (title, number, results) in enumerate(rows):
        mean = of_structure(material, MEAN_DICE, title)
        strokes += _row_of_dice(x, 12 + _ROW * i, f"{title}, {of_images(len(results))}", results, mean, _colour(number))
    strokes.append(text(x(1), bottom + 38, "Dice", "label", "end"))
    return drawing(_WIDTH, bottom + 44, "Dice of every test image, by structure", strokes)


def agreement_figure(results: Sequence[CaseResult], structure: str, material: Material, number: int) -> str:
    """Draw how far predicted and true sizes lie apart (Bland & Altman 1986)."""
    size, unit = size_of(results[0]), results[0].size_unit
    alike = [result for result in results if result.size_unit == unit]
    means = np.array([(result.predicted_size + result.truth_size) / 2 for result in alike])
    differences = np.array([result.size_difference for result in alike])
    names = [f"{name} of {size} ({unit})" for name in ("lower limit of agreement", "bias", "upper limit of agreement")]
    lines = [of_structure(material, name, structure) for name in names]
    values = [one.value for one in lines if one and one.value is not None]
    low, high = min([*differences, *values, 0.0]), max([*differences, *values, 0.0])
    margin = 0.06 * (high - low) or 1.0
    x, y = _from_nothing(means, 62, 392), Scale(low - margin, high + margin, 250, 38)
    title = f"Predicted − true {size} ({unit}), {clip(structure, 24)}"
    shown = axes(x, y, ticks(x.low, x.high), ticks(y.low, y.high), f"Mean of both ({unit})", title)
    strokes = [shown, line((x.start, y(0)), (x.end, y(0)), "axis")]
    for one, style in zip(lines, ("guide", "line thin c0", "guide"), strict=True):
        if one and one.value is not None:
            strokes.append(line((x.start, y(one.value)), (x.end, y(one.value)), style))
    pairs = zip(means, differences, strict=True)
    strokes += [circle((x(float(a)), y(float(b))), _DOT, f"area {_colour(number)}") for a, b in pairs]
    return drawing(400, 292, f"Bland–Altman plot of the {size} of {structure}", strokes)


def dice_by_size_figure(there: dict[str, list[CaseResult]]) -> str:
    """Draw the Dice of every case against the true size; the scale of sizes is logarithmic."""
    first = next(results[0] for results in there.values() if results)
    sizes = np.array([r.truth_size for results in there.values() for r in results if r.size_unit == first.size_unit])
    low, high = np.floor(np.log10(sizes.min()) * 4) / 4, np.ceil(np.log10(sizes.max()) * 4) / 4
    x, y = Scale(float(low), float(max(high, low + 0.25)), 44, _WIDTH - 8), Scale(0, 1, 250, 38)
    strokes = [axes(x, y, (), ticks(0, 1), f"True {size_of(first)} ({first.size_unit}), logarithmic", "Dice")]
    for value in _round_sizes(sizes):
        place = x(float(np.log10(value)))
        strokes.append(line((place, y.start), (place, y.start + 4), "axis"))
        strokes.append(text(place, y.start + 18, f"{value:,g}", "tick", "middle"))
    for number, (structure, results) in enumerate(there.items()):
        alike = [result for result in results if result.size_unit == first.size_unit]
        strokes += [_mark((x(float(np.log10(r.truth_size))), y(r.dice or 0.0)), number) for r in alike]
        if len(there) > 1:
            place = 60 + 150 * number
            strokes += [_mark((place, 20), number), text(place + 8, 24, clip(structure, 18), _colour(number))]
    return drawing(_WIDTH, 292, "Dice against the true size, by structure", strokes)


def _row_of_dice(
    x: Scale, top: float, title: str, results: Sequence[CaseResult], mean: Estimate | None, colour: str
) -> Iterator[str]:
    values = np.array([result.dice for result in results], float)
    lower, middle, upper = (float(x(end)) for end in np.quantile(values, (0.25, 0.5, 0.75)))
    base = top + _ROW - 16
    yield text(x.start, top + 12, clip(title, 60), f"strong {colour}")
    yield rectangle(lower, base - 10, max(upper - lower, 1), 20, f"area {colour}", 0.18)
    yield line((middle, base - 10), (middle, base + 10), f"line {colour}")
    for value, lift in zip(values, _lifts(values), strict=True):
        yield circle((x(float(value)), base + lift), _DOT, f"area {colour}")
    if mean and mean.value is not None:
        low, high = mean.low if mean.low is not None else mean.value, mean.high if mean.high is not None else mean.value
        yield path([(x(low), base - 15), (x(high), base - 15)], "line thin c0")
        yield path(_diamond(x(mean.value), base - 15), "area c0", closed=True)


def _lifts(values: np.ndarray) -> list[float]:
    """Spread dots of nearly the same value up and down, the first in the middle."""
    taken: dict[int, int] = {}
    lifts = []
    for value in values:
        place = round(value * 120)
        n = taken.get(place, 0)
        taken[place] = n + 1
        step = (n + 1) // 2 % _MOST_STEPS * _STEP
        lifts.append(step if n % 2 else -step)
    return lifts


def _diamond(x: float, y: float) -> list[tuple[float, float]]:
    return [(x - 4, y), (x, y - 4), (x + 4, y), (x, y + 4)]


def _mark(centre: tuple[float, float], number: int) -> str:
    """Draw a dot, a ring or a square, so that structures differ without their colours."""
    x, y = centre
    kinds = (
        circle(centre, _DOT, f"area {_colour(number)}"),
        circle(centre, _DOT, f"line thin ring {_colour(number)}"),
        rectangle(x - 2.4, y - 2.4, 4.8, 4.8, f"area {_colour(number)}"),
    )
    return kinds[number % len(kinds)]


def _colour(number: int) -> str:
    return f"c{number % N_COLOURS + 1}"


def _from_nothing(values: np.ndarray, start: float, end: float) -> Scale:
    return Scale(0, float(values.max()) * 1.05 or 1.0, start, end)


def _round_sizes(sizes: np.ndarray) -> list[float]:
    """Return powers of ten within the sizes, and multiples of them where the sizes lie close together."""
    low, high = float(sizes.min()), float(sizes.max())
    powers = range(int(np.floor(np.log10(low))), int(np.ceil(np.log10(high))) + 1)
    spread = high / low
    factors: tuple[float, ...] = (1,) if spread > 10_000 else (1, 2, 5) if spread > 10 else (1, 1.5, 2, 3, 5, 7)
    return [f * 10.0**p for p in powers for f in factors if low * 0.999 <= f * 10.0**p <= high * 1.001]
