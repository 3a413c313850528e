"""The figures that every report has: flow diagram, learning curves, rulers of intervals."""

import textwrap

import numpy as np

from lucency.domain.estimate import Estimate
from lucency.report.counts import Flow, Refusals
from lucency.report.drawing import (
    Point,
    Scale,
    axes,
    circle,
    clip,
    drawing,
    line,
    path,
    rectangle,
    standalone,
    text,
    tick_label,
    ticks,
)
from lucency.report.material import Material, Member
from lucency.report.words import count, of_units


def all_figures(material: Material, flow: Flow) -> dict[str, str]:
    """Draw every figure as inline SVG, by name."""
    return {"flow": flow_diagram(flow), **learning_curves(material.members), **material.answers.figures(material)}


def save_ready(figures: dict[str, str]) -> dict[str, str]:
    """Make each figure a file of its own: name → content of an .svg file."""
    return {name: standalone(svg) for name, svg in figures.items()}


def flow_diagram(flow: Flow) -> str:
    """Draw the way of the images from the folder to the three parts (after STARD 2015)."""
    main_x, main_width, side_x, side_width = 0.5, 244.0, 292.0, 370.5
    middle, y = main_x + main_width / 2, 1.0
    strokes: list[str] = []
    for step in flow.steps:
        strokes.append(_box(main_x, y, main_width, 52, [step.title, _both(step.n_images, step.n_patients, flow.unit)]))
        bottom = y + 52
        if step.refused is None:
            y = bottom + 26
        else:
            lines = _refusal_lines(step.refused, flow.reasons, flow.unit)
            height = 17 * len(lines) + 19
            side_y = bottom + 14
            strokes.append(rectangle(side_x, side_y, side_width, height, "side"))
            strokes.extend(
                text(side_x + 14, side_y + 22 + 17 * i, words, style) for i, (words, style) in enumerate(lines)
            )
            strokes.append(_arrow((middle, side_y + height / 2), (side_x, side_y + height / 2)))
            y = side_y + height + 14
        strokes.append(_arrow((middle, bottom), (middle, y)))
    last = y - 26
    strokes.pop()
    part_width, gap = 206.0, 22.0
    centres = [main_x + part_width / 2 + i * (part_width + gap) for i in range(3)]
    strokes.append(path([(middle, last), (middle, last + 16)], "arrow"))
    strokes.append(path([(centres[0], last + 16), (centres[-1], last + 16)], "arrow"))
    top = last + 38
    height = 52 + 18 * len(flow.parts[0].counts) + 6
    for part, centre in zip(flow.parts, centres, strict=True):
        strokes.append(_arrow((centre, last + 16), (centre, top)))
        counts = [f"{count(n)} {name}" for name, n in part.counts.items()]
        shown = [part.title, _both(part.n_images, part.n_patients, flow.unit), *(clip(c, 29) for c in counts)]
        strokes.append(_box(centre - part_width / 2, top, part_width, height, shown))
    steps = (f"{s.title} {_both(s.n_images, s.n_patients, flow.unit)}" for s in flow.steps)
    sentence = f"Flow of {flow.unit}s: {'; '.join(steps)}"
    return drawing(663, top + height + 2, sentence, strokes)


def learning_curves(members: tuple[Member, ...]) -> dict[str, str]:
    """Draw the cost, and what was measured on the tuning part, by epoch; a ring marks the epoch that was kept."""
    if not members:
        return {}
    figures = {"cost": _cost_curves(members)}
    if any(epoch.tuning_measure is not None for member in members for epoch in member.epochs):
        figures["measure"] = _measure_curves(members)
    return figures


def interval_ruler(estimate: Estimate, low_end: float, high_end: float) -> str:
    """Draw an estimate and its interval on a ruler with two ends; what lies outside is drawn at the end."""
    x = Scale(low_end, high_end, 4, 196)
    strokes = [line((x(low_end), 9), (x(high_end), 9), "grid")]
    strokes += [line((x(v), 5), (x(v), 13), "grid") for v in (low_end, (low_end + high_end) / 2, high_end)]
    if estimate.low is not None and estimate.high is not None:
        start = x(max(estimate.low, low_end))
        strokes.append(rectangle(start, 5, max(x(min(estimate.high, high_end)) - start, 1), 8, "area c1", 0.32))
    if estimate.value is not None:
        strokes.append(rectangle(x(min(max(estimate.value, low_end), high_end)) - 1.25, 2, 2.5, 14, "area c1", 1))
    strokes.append(text(4, 29, tick_label(low_end), "tick"))
    strokes.append(text(196, 29, tick_label(high_end), "tick", "end"))
    return drawing(200, 32, f"{estimate.name} on a ruler from {low_end:g} to {high_end:g}", strokes)


def _cost_curves(members: tuple[Member, ...]) -> str:
    epochs = [epoch for member in members for epoch in member.epochs]
    highest = max(max(e.training_cost, e.tuning_cost) for e in epochs)
    x, y = _epoch_scale(members), Scale(0, highest * 1.05 or 1, 262, 38)
    strokes = [axes(x, y, _epoch_ticks(members), ticks(y.low, y.high), "Epoch", "Cost")]
    for member in members:
        thin = " thin" if len(members) > 1 else ""
        training = [(x(e.epoch), y(e.training_cost)) for e in member.epochs]
        tuning = [(x(e.epoch), y(e.tuning_cost)) for e in member.epochs]
        strokes += [path(training, f"line{thin} dashed c0"), path(tuning, f"line{thin} c1")]
        best = tuning[member.best_epoch - 1]
        strokes.append(circle(best, 4.5, "line ring c1"))
    last = members[0].epochs[-1]
    at_training, at_tuning = y(last.training_cost) + 4, y(last.tuning_cost) + 4
    if abs(at_training - at_tuning) < 16:
        above = min(at_training, at_tuning)
        at_training, at_tuning = (above, above + 16) if at_training <= at_tuning else (above + 16, above)
    strokes.append(text(x.end + 8, at_training, "training", "c0"))
    strokes.append(text(x.end + 8, at_tuning, "tuning", "strong c1"))
    return drawing(400, 304, "Cost on the training and tuning parts by epoch", strokes)


def _measure_curves(members: tuple[Member, ...]) -> str:
    measured = [(e.epoch, e.tuning_measure) for member in members for e in member.epochs]
    x, y = _epoch_scale(members), _measure_scale([value for _, value in measured if value is not None])
    title = f"{members[0].measure} on the tuning part"
    strokes = [axes(x, y, _epoch_ticks(members), ticks(y.low, y.high), "Epoch", title)]
    for member in members:
        points = [(x(e.epoch), y(e.tuning_measure)) for e in member.epochs if e.tuning_measure is not None]
        strokes.append(path(points, f"line{' thin' if len(members) > 1 else ''} c1"))
        best = member.epochs[member.best_epoch - 1]
        if best.tuning_measure is not None:
            strokes.append(circle((x(best.epoch), y(best.tuning_measure)), 4.5, "line ring c1"))
    if len(members) == 1:
        best = members[0].epochs[members[0].best_epoch - 1]
        if best.tuning_measure is not None:
            at = y(best.tuning_measure)
            beside = at + 24 if at < y.start - 30 else at - 12  # the words of a low point stand above it
            strokes.append(text(x(best.epoch), beside, f"epoch {best.epoch} kept", "small halo", "middle"))
    return drawing(400, 304, f"{title} by epoch", strokes)


def _measure_scale(values: list[float]) -> Scale:
    """Let shares end at 1, their best, and everything else where its values end."""
    low, high = min(values), max(values)
    if low >= 0 and high <= 1:
        return Scale(float(min(0.95, np.floor(low * 10) / 10)), 1, 262, 38)
    margin = 0.05 * (high - low) or 1
    return Scale(low - margin, high + margin, 262, 38)


def _epoch_scale(members: tuple[Member, ...]) -> Scale:
    longest = max(member.epochs[-1].epoch for member in members)
    return Scale(1, max(longest, 2), 44, 334)


def _epoch_ticks(members: tuple[Member, ...]) -> list[float]:
    longest = max(max(member.epochs[-1].epoch for member in members), 2)
    whole = [t for t in ticks(1, longest) if t == int(t) and t > 1]
    return [1.0, *(t for t in whole if t - 1 >= (longest - 1) / 12)]


def _box(x: float, y: float, width: float, height: float, lines: list[str]) -> str:
    styles = ["strong", "", *["small"] * len(lines)]
    shown = [text(x + 14, y + 22 + 18 * i, words, styles[i]) for i, words in enumerate(lines)]
    return rectangle(x, y, width, height, "box") + "".join(shown)


def _arrow(start: Point, end: Point) -> str:
    if start[0] == end[0]:
        tip = [(end[0] - 4, end[1] - 7), (end[0] + 4, end[1] - 7), end]
    else:
        tip = [(end[0] - 7, end[1] - 4), (end[0] - 7, end[1] + 4), end]
    return path([start, end], "arrow") + path(tip, "tip-of-arrow", closed=True)


def _refusal_lines(refused: Refusals, reasons: dict[str, str], unit: str) -> list[tuple[str, str]]:
    """Return the lines of a side box with their style: a title, then each reason with its count and code."""
    lines = [(f"{refused.title}: {of_units(refused.n_images, unit)}", "strong")]
    for code, n in refused.by_reason.items():
        words = f"{count(n)} · {code}" if not reasons.get(code) else f"{count(n)} · {reasons[code]}"
        lines += [(part, "small") for part in textwrap.wrap(words, 58)]
    return lines


def _both(n_images: int, n_patients: int, unit: str) -> str:
    return f"{of_units(n_images, unit)}, {count(n_patients)} {'patient' if n_patients == 1 else 'patients'}"
