"""The figures of the report: flow diagram, learning curves, ROC, histograms, confusion matrix, interval rulers."""

import textwrap

import numpy as np
from numpy.typing import NDArray

from lucency.domain.estimate import Estimate
from lucency.domain.predictions import Predictions
from lucency.evaluation.classification import called_classes
from lucency.evaluation.discrimination import RocCurve, roc_band, roc_curve
from lucency.report.counts import Flow, Refusals
from lucency.report.drawing import (
    Point,
    Scale,
    axes,
    circle,
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

N_COLOURS = 6


def all_figures(material: Material, flow: Flow) -> dict[str, str]:
    """Draw every figure as inline SVG, by name."""
    figures = {"flow": flow_diagram(flow), **learning_curves(material.members)}
    if material.findings:
        return figures | {"roc": roc_of_findings(material)}
    figures["roc"] = roc_figure(material)
    figures["histogram"] = histogram_figure(material)
    figures["confusion"] = confusion_figure(material)
    return figures


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
    height = 52 + 18 * len(flow.parts[0].classes) + 6
    for part, centre in zip(flow.parts, centres, strict=True):
        strokes.append(_arrow((centre, last + 16), (centre, top)))
        counts = [f"{count(n)} {name}" for name, n in part.classes.items()]
        shown = [part.title, _both(part.n_images, part.n_patients, flow.unit), *(_clip(c, 29) for c in counts)]
        strokes.append(_box(centre - part_width / 2, top, part_width, height, shown))
    steps = (f"{s.title} {_both(s.n_images, s.n_patients, flow.unit)}" for s in flow.steps)
    sentence = f"Flow of {flow.unit}s: {'; '.join(steps)}"
    return drawing(663, top + height + 2, sentence, strokes)


def learning_curves(members: tuple[Member, ...]) -> dict[str, str]:
    """Draw cost and tuning AUC by epoch; a ring marks the epoch that was kept."""
    figures = {"cost": _cost_curves(members)}
    if any(epoch.tuning_measure is not None for member in members for epoch in member.epochs):
        figures["auc"] = _auc_curves(members)
    return figures


def roc_figure(material: Material) -> str:
    """Draw the ROC curve of the test part: with band and operating point for two classes, one curve a class for more."""
    x, y = Scale(0, 1, 44, 404), Scale(0, 1, 398, 38)
    strokes = [axes(x, y, ticks(0, 1), ticks(0, 1), "1 − specificity (false-positive rate)", "Sensitivity")]
    strokes.append(line((x(0), y(0)), (x(1), y(1)), "chance"))
    if material.positive is None:
        strokes += _curves_by_class(material.test, x, y)
        description = "ROC curves of the test part, each class against the rest"
    else:
        strokes += _curve_with_band(material, x, y)
        description = "ROC curve of the test part with its confidence band and the operating point"
    return drawing(416, 442, description, strokes)


def roc_of_findings(material: Material) -> str:
    """Draw the ROC curve of each finding on the test part, with its operating point."""
    x, y = Scale(0, 1, 44, 404), Scale(0, 1, 398, 38)
    strokes = [axes(x, y, ticks(0, 1), ticks(0, 1), "1 − specificity (false-positive rate)", "Sensitivity")]
    strokes.append(line((x(0), y(0)), (x(1), y(1)), "chance"))
    for i, one in enumerate(material.findings):
        style = _style(i)
        strokes.append(path([(424, 52 + 22 * i), (452, 52 + 22 * i)], f"line{style}"))
        strokes.append(text(460, 56 + 22 * i, _clip(one.finding, 26), style.split()[-1]))
        if not _has_both(one.test):
            continue
        strokes.append(
            path(_staircase(roc_curve(one.test.targets == 1, one.test.probabilities[:, 1]), x, y), f"line{style}")
        )
        called = called_classes(one.test, one.operating_point) == 1
        rates = [float(called[one.test.targets == value].mean()) for value in (0, 1)]
        strokes.append(circle((x(rates[0]), y(rates[1])), 4, f"line ring {style.split()[-1]}"))
    height = max(442, 62 + 22 * len(material.findings))
    return drawing(663, height, "ROC curves of the findings on the test part, with their operating points", strokes)


def _style(number: int) -> str:
    """Return dashes and colour of one of many curves."""
    dashes = ("", " dashed", " dotted")[(number + number // N_COLOURS) % 3]
    return f"{dashes} c{number % N_COLOURS + 1}"


def histogram_figure(material: Material) -> str:
    """Draw the predicted probabilities of the test part, one row for each true class."""
    test, positive = material.test, material.positive
    width, n_bins, height_of_row = 663.0, 40, (118.0 if positive else 88.0)
    x, bottom = Scale(0, 1, 34, width - 1), 30 + height_of_row * len(test.classes)
    strokes = []
    for value in ticks(0, 1):
        strokes.append(line((x(value), 24), (x(value), bottom), "grid"))
        strokes.append(text(x(value), bottom + 18, tick_label(value), "tick", "middle"))
    for i, name in enumerate(test.classes):
        base, colour = 30 + height_of_row * (i + 1), f"c{i % N_COLOURS + 1}"
        values = test.probabilities[test.targets == i, 1 if positive else i]
        heights = np.histogram(values, n_bins, (0, 1))[0]
        tallest = max(int(heights.max()), 1)
        step = x(1 / n_bins) - x(0)
        for j in np.flatnonzero(heights):
            height = (height_of_row - 36) * heights[j] / tallest
            strokes.append(rectangle(x(j / n_bins) + 0.75, base - height, step - 1.5, height, f"area {colour}", 0.8))
        strokes.append(line((x(0), base), (x(1), base), "axis"))
        strokes.append(text(x(0) - 8, base - height_of_row + 44, count(tallest), "tick", "end"))
        label = f"{_clip(name, 40)}, {of_units(len(values), material.plan.unit)}"
        strokes.append(text(x(0) + 6, base - height_of_row + 26, label, f"strong halo {colour}"))
    if material.operating_point is not None:
        threshold = material.operating_point.threshold
        strokes.append(line((x(threshold), 20), (x(threshold), bottom), "guide"))
        strokes.append(text(x(threshold), 13, f"threshold {threshold:.3f}", "small", "middle"))
    title = f"Predicted probability of {_clip(positive or 'the true class', 40)}"
    strokes.append(text(x(1), bottom + 38, title, "label", "end"))
    return drawing(width, bottom + 44, f"Histograms of the {title.lower()} on the test part, by true class", strokes)


def confusion_figure(material: Material) -> str:
    """Draw the confusion matrix of the test part: rows are the truth, columns the answer, shade the share of the row."""
    matrix = confusion_matrix(material)
    classes = material.classes
    side = max(56.0, min(132.0, 400 / len(classes)))
    left, top = 128.0, 62.0
    size = side * len(classes)
    strokes = [text(left + size / 2, 16, "The network says", "label", "middle")]
    strokes.append(text(0, top - 14, "The truth is", "label"))
    is_numbered = any(len(name) > side / 7 for name in classes)
    for i, name in enumerate(classes):
        over, beside = (str(i + 1), f"{i + 1} {name}") if is_numbered else (name, name)
        strokes.append(text(left + side * (i + 0.5), top - 14, over, "strong", "middle"))
        strokes.append(text(0, top + side * (i + 0.5) + 4, _clip(beside, 18), "strong"))
        strokes.append(text(0, top + side * (i + 0.5) + 21, f"n = {count(int(matrix[i].sum()))}", "small"))
    names = {(0, 0): "true negatives", (0, 1): "false positives", (1, 0): "false negatives", (1, 1): "true positives"}
    for i, j in np.ndindex(*matrix.shape):
        share = float(matrix[i, j] / max(matrix[i].sum(), 1))
        colour = "c1" if i == j else "c2"
        x, y = left + side * j, top + side * i
        strokes.append(rectangle(x, y, side, side, f"cell area {colour}", 0.05 + 0.3 * share))
        lift = 2 if material.positive else 8
        number_style = "number" if side > 80 else "strong"
        strokes.append(text(x + side / 2, y + side / 2 + lift, count(int(matrix[i, j])), number_style, "middle"))
        if material.positive:
            strokes.append(text(x + side / 2, y + side / 2 + 24, names[i, j], "small", "middle"))
    return drawing(left + size + 4, top + size + 4, "Confusion matrix of the test part", strokes)


def interval_ruler(estimate: Estimate) -> str:
    """Draw an estimate and its interval on a ruler from 0 (an AUC: from 0.5, which is chance) to 1."""
    low_end = 0.5 if "AUC" in estimate.name and (estimate.low or 0) >= 0.5 else 0.0
    x = Scale(low_end, 1, 4, 196)
    strokes = [line((x(low_end), 9), (x(1), 9), "grid")]
    strokes += [line((x(v), 5), (x(v), 13), "grid") for v in (low_end, (low_end + 1) / 2, 1.0)]
    if estimate.low is not None and estimate.high is not None:
        start = x(max(estimate.low, low_end))
        strokes.append(rectangle(start, 5, max(x(min(estimate.high, 1)) - start, 1), 8, "area c1", 0.32))
    if estimate.value is not None:
        strokes.append(rectangle(x(min(max(estimate.value, low_end), 1)) - 1.25, 2, 2.5, 14, "area c1", 1))
    strokes.append(text(4, 29, f"{low_end:g}", "tick"))
    strokes.append(text(196, 29, "1", "tick", "end"))
    return drawing(200, 32, f"{estimate.name} on a ruler from {low_end:g} to 1", strokes)


def confusion_matrix(material: Material) -> NDArray[np.int64]:
    """Count the test images, axes (true class, answer)."""
    n_classes = len(material.classes)
    matrix = np.zeros((n_classes, n_classes), np.int64)
    np.add.at(matrix, (material.test.targets, called_classes(material.test, material.operating_point)), 1)
    return matrix


def _curve_with_band(material: Material, x: Scale, y: Scale) -> list[str]:
    test, tuning = material.test, material.tuning
    if not _has_both(test):
        return [
            text(x(0.5), y(0.5), f"A curve needs test {material.plan.unit}s of both classes.", "small halo", "middle")
        ]
    score, patients = test.probabilities[:, 1], np.unique(test.patient_ids, return_inverse=True)[1]
    band = roc_band(test.targets == 1, score, patients, material.plan.evaluation.level, material.plan.seed)
    rate = 1 - band.specificity
    outline = [(x(f), y(s)) for f, s in zip(rate, band.high, strict=True)]
    outline += [(x(f), y(s)) for f, s in zip(rate[::-1], band.low[::-1], strict=True)]
    strokes = [path(outline, "area band c1", closed=True)]
    if _has_both(tuning):
        beside = roc_curve(tuning.targets == 1, tuning.probabilities[:, 1])
        strokes.append(path(_staircase(beside, x, y), "line thin dashed c0"))
        strokes.append(text(x(1), y(0.07), "tuning part (dashed)", "c0", "end"))
    strokes.append(path(_staircase(roc_curve(test.targets == 1, score), x, y), "line c1"))
    if material.operating_point is not None:
        matrix = confusion_matrix(material)
        rates = matrix[:, 1] / matrix.sum(axis=1)
        strokes.append(circle((x(rates[0]), y(rates[1])), 5.5, "line ring c2"))
        strokes.append(text(x(rates[0]) + 12, y(rates[1]) + 22, "operating point", "c2 halo"))
    strokes.append(text(x(1), y(0.12), "test part", "strong c1", "end"))
    return strokes


def _has_both(predictions: Predictions) -> bool:
    return 0 < (predictions.targets == 1).sum() < len(predictions)


def _curves_by_class(test: Predictions, x: Scale, y: Scale) -> list[str]:
    strokes = []
    n_classes = len(test.classes)
    for i, name in enumerate(test.classes):
        if not 0 < (test.targets == i).sum() < len(test):
            continue  # a class without test images has no curve
        curve = roc_curve(test.targets == i, test.probabilities[:, i])
        style = _style(i)
        level = y(0.05) - 18 * (n_classes - 1 - i)
        strokes.append(path(_staircase(curve, x, y), f"line{style}"))
        strokes.append(path([(x(0.52), level - 4), (x(0.6), level - 4)], f"line{style}"))
        strokes.append(text(x(0.62), level, _clip(name, 22), style.split()[-1]))
    return strokes


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


def _auc_curves(members: tuple[Member, ...]) -> str:
    values = [e.tuning_measure for member in members for e in member.epochs if e.tuning_measure is not None]
    lowest = min(0.95, np.floor(min(values) * 10) / 10)
    x, y = _epoch_scale(members), Scale(float(lowest), 1, 262, 38)
    strokes = [axes(x, y, _epoch_ticks(members), ticks(y.low, y.high), "Epoch", "AUC on the tuning part")]
    for member in members:
        points: list[Point] = [(x(e.epoch), y(e.tuning_measure)) for e in member.epochs if e.tuning_measure is not None]
        strokes.append(path(points, f"line{' thin' if len(members) > 1 else ''} c1"))
        best = member.epochs[member.best_epoch - 1]
        if best.tuning_measure is not None:
            strokes.append(circle((x(best.epoch), y(best.tuning_measure)), 4.5, "line ring c1"))
    if len(members) == 1:
        best = members[0].epochs[members[0].best_epoch - 1]
        if best.tuning_measure is not None:
            below = y(best.tuning_measure) + 24
            strokes.append(text(x(best.epoch), below, f"epoch {best.epoch} kept", "small halo", "middle"))
    return drawing(400, 304, "AUC on the tuning part by epoch", strokes)


def _epoch_scale(members: tuple[Member, ...]) -> Scale:
    longest = max(member.epochs[-1].epoch for member in members)
    return Scale(1, max(longest, 2), 44, 334)


def _epoch_ticks(members: tuple[Member, ...]) -> list[float]:
    longest = max(max(member.epochs[-1].epoch for member in members), 2)
    whole = [t for t in ticks(1, longest) if t == int(t) and t > 1]
    return [1.0, *(t for t in whole if t - 1 >= (longest - 1) / 12)]


def _staircase(curve: RocCurve, x: Scale, y: Scale) -> list[Point]:
    return [(x(1 - s), y(t)) for s, t in zip(curve.specificity, curve.sensitivity, strict=True)]


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


def _clip(name: str, n_letters: int) -> str:
    return name if len(name) <= n_letters else name[: n_letters - 1] + "…"
