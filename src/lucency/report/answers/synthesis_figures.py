"""The figures of synthetic images: both costs and the distance by epoch, and how near images lie to training images."""

from typing import TYPE_CHECKING

import numpy as np

from lucency.report.drawing import Scale, axes, circle, drawing, line, path, rectangle, text, tick_label, ticks
from lucency.report.words import count

if TYPE_CHECKING:
    from lucency.report.answers.synthesis import Nearness, Round, SyntheticImages

N_BINS = 40
BEYOND = 3
"""Times the value in the middle from which on early epochs are drawn at the edge, so that the later ones can be told apart."""


def figures(answers: "SyntheticImages") -> dict[str, str]:
    """Draw every figure as inline SVG, by name."""
    return {
        "rivals": costs_figure(answers.rounds),
        "kid": distance_figure(answers.rounds, answers.best_epoch),
        "nearness": nearness_figure(answers.nearness),
    }


def costs_figure(rounds: "tuple[Round, ...]") -> str:
    """Draw the costs of generator and discriminator by epoch."""
    of_generator = [(r.epoch, r.generator_cost) for r in rounds if r.generator_cost is not None]
    of_discriminator = [(r.epoch, r.discriminator_cost) for r in rounds]
    values = [value for _, value in (*of_generator, *of_discriminator)]
    margin = 0.05 * (max(values) - min(values)) or 1
    x, y = _epochs(rounds), Scale(min(values) - margin, max(values) + margin, 262, 38)
    strokes = [axes(x, y, _epoch_ticks(rounds), ticks(y.low, y.high), "Epoch", "Cost")]
    for name, points, style in (("generator", of_generator, "c1"), ("discriminator", of_discriminator, "c2")):
        if points:
            strokes.append(path([(x(epoch), y(value)) for epoch, value in points], f"line {style}"))
            strokes.append(text(x.end + 8, y(points[-1][1]) + 4, name, f"strong {style}"))
    return drawing(400, 304, "Costs of generator and discriminator by epoch", strokes)


def distance_figure(rounds: "tuple[Round, ...]", best_epoch: int) -> str:
    """Draw the distance to the tuning part by epoch; a ring marks the generator that was kept."""
    values = np.array([one.tuning_kid for one in rounds])
    high = min(values.max(), BEYOND * max(float(np.median(values)), 0) + 1e-6) if len(values) > 3 else values.max()
    low = min(0.0, float(values.min()))
    x, y = _epochs(rounds), Scale(low, max(float(high), low + 1e-6) * 1.05, 262, 38)
    strokes = [axes(x, y, _epoch_ticks(rounds), ticks(y.low, y.high), "Epoch", "KID to the tuning part")]
    strokes.append(path([(x(r.epoch), y(min(r.tuning_kid, float(high)))) for r in rounds], "line c1"))
    kept = rounds[best_epoch - 1]
    at = (x(kept.epoch), y(min(kept.tuning_kid, float(high))))
    strokes.append(circle(at, 4.5, "line ring c1"))
    anchor = "end" if kept.epoch > (1 + rounds[-1].epoch) / 2 else "start"
    strokes.append(text(at[0], at[1] - 12, f"epoch {kept.epoch} kept", "small halo", anchor))
    return drawing(400, 304, "Kernel inception distance to the tuning part by epoch", strokes)


def nearness_figure(nearness: "Nearness") -> str:
    """Draw how far synthetic and unseen real images are from their nearest training image, one row each."""
    both = (("synthetic images", nearness.synthetic, "c2"), ("unseen real images", nearness.unseen, "c1"))
    high = float(np.quantile([*nearness.synthetic, *nearness.unseen], 0.995)) * 1.05 or 1.0
    x, bottom = Scale(0, 100 * high, 34, 662), 30 + 118.0 * len(both)
    strokes = []
    for value in ticks(0, 100 * high):
        strokes.append(line((x(value), 24), (x(value), bottom), "grid"))
        strokes.append(text(x(value), bottom + 18, tick_label(value), "tick", "middle"))
    for row, (name, values, style) in enumerate(both):
        base = 30 + 118.0 * (row + 1)
        heights = np.histogram(np.minimum(values, high), N_BINS, (0, high))[0]
        step = x(100 * high / N_BINS) - x(0)
        for place in np.flatnonzero(heights):
            height = 82 * heights[place] / heights.max()
            left = x(100 * high * place / N_BINS)
            strokes.append(rectangle(left + 0.75, base - height, step - 1.5, height, f"area {style}", 0.8))
        strokes.append(line((x(0), base), (x.end, base), "axis"))
        label = f"{name}, n = {count(len(values))}"
        strokes.append(text(x.end, base - 92, label, f"strong halo {style}", "end"))
    limit = x(100 * nearness.suspect_below)
    strokes.append(line((limit, 20), (limit, bottom), "guide"))
    strokes.append(text(limit, 13, "suspected below", "small", "middle"))
    title = "Distance to the nearest training image, % of the grey scale"
    strokes.append(text(x.end, bottom + 38, title, "label", "end"))
    return drawing(663, bottom + 44, f"Histograms of the {title.lower()}", strokes)


def _epochs(rounds: "tuple[Round, ...]") -> Scale:
    return Scale(1, max(rounds[-1].epoch, 2), 44, 310)


def _epoch_ticks(rounds: "tuple[Round, ...]") -> list[float]:
    last = max(rounds[-1].epoch, 2)
    return [1.0, *(t for t in ticks(1, last) if t == int(t) and t - 1 >= (last - 1) / 12)]
