"""The figures of classes: ROC curves, histograms of the probabilities, confusion matrix."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lucency.domain.plan import Plan
from lucency.domain.predictions import Predictions
from lucency.evaluation.classification import called_classes
from lucency.evaluation.discrimination import RocCurve, roc_band, roc_curve
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
    text,
    tick_label,
    ticks,
)
from lucency.report.words import count, of_units

if TYPE_CHECKING:
    from lucency.report.answers.classes import Classes

N_COLOURS = 6


def figures(answers: "Classes", plan: Plan) -> dict[str, str]:
    """Draw every figure as inline SVG, by name."""
    if answers.findings:
        return {"roc": roc_of_findings(answers)}
    return {
        "roc": roc_figure(answers, plan),
        "histogram": histogram_figure(answers, plan),
        "confusion": confusion_figure(answers),
    }


def roc_figure(answers: "Classes", plan: Plan) -> str:
    """Draw the ROC curve of the test part: with band and operating point for two classes, one curve a class for more."""
    x, y = Scale(0, 1, 44, 404), Scale(0, 1, 398, 38)
    strokes = [axes(x, y, ticks(0, 1), ticks(0, 1), "1 − specificity (false-positive rate)", "Sensitivity")]
    strokes.append(line((x(0), y(0)), (x(1), y(1)), "chance"))
    if answers.positive is None:
        strokes += _curves_by_class(answers.test, x, y)
        description = "ROC curves of the test part, each class against the rest"
    else:
        strokes += _curve_with_band(answers, plan, x, y)
        description = "ROC curve of the test part with its confidence band and the operating point"
    return drawing(416, 442, description, strokes)


def roc_of_findings(answers: "Classes") -> str:
    """Draw the ROC curve of each finding on the test part, with its operating point."""
    x, y = Scale(0, 1, 44, 404), Scale(0, 1, 398, 38)
    strokes = [axes(x, y, ticks(0, 1), ticks(0, 1), "1 − specificity (false-positive rate)", "Sensitivity")]
    strokes.append(line((x(0), y(0)), (x(1), y(1)), "chance"))
    for i, one in enumerate(answers.findings):
        style = _style(i)
        strokes.append(path([(424, 52 + 22 * i), (452, 52 + 22 * i)], f"line{style}"))
        strokes.append(text(460, 56 + 22 * i, clip(one.finding, 26), style.split()[-1]))
        if not _has_both(one.test):
            continue
        strokes.append(
            path(_staircase(roc_curve(one.test.targets == 1, one.test.probabilities[:, 1]), x, y), f"line{style}")
        )
        called = called_classes(one.test, one.operating_point) == 1
        rates = [float(called[one.test.targets == value].mean()) for value in (0, 1)]
        strokes.append(circle((x(rates[0]), y(rates[1])), 4, f"line ring {style.split()[-1]}"))
    height = max(442, 62 + 22 * len(answers.findings))
    return drawing(663, height, "ROC curves of the findings on the test part, with their operating points", strokes)


def histogram_figure(answers: "Classes", plan: Plan) -> str:
    """Draw the predicted probabilities of the test part, one row for each true class."""
    test, positive = answers.test, answers.positive
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
        label = f"{clip(name, 40)}, {of_units(len(values), plan.unit)}"
        strokes.append(text(x(0) + 6, base - height_of_row + 26, label, f"strong halo {colour}"))
    if answers.operating_point is not None:
        threshold = answers.operating_point.threshold
        strokes.append(line((x(threshold), 20), (x(threshold), bottom), "guide"))
        strokes.append(text(x(threshold), 13, f"threshold {threshold:.3f}", "small", "middle"))
    title = f"Predicted probability of {clip(positive or 'the true class', 40)}"
    strokes.append(text(x(1), bottom + 38, title, "label", "end"))
    return drawing(width, bottom + 44, f"Histograms of the {title.lower()} on the test part, by true class", strokes)


def confusion_figure(answers: "Classes") -> str:
    """Draw the confusion matrix of the test part: rows are the truth, columns the answer, shade the share of the row."""
    matrix = confusion_matrix(answers)
    classes = answers.classes
    side = max(56.0, min(132.0, 400 / len(classes)))
    left, top = 128.0, 62.0
    size = side * len(classes)
    strokes = [text(left + size / 2, 16, "The network says", "label", "middle")]
    strokes.append(text(0, top - 14, "The truth is", "label"))
    is_numbered = any(len(name) > side / 7 for name in classes)
    for i, name in enumerate(classes):
        over, beside = (str(i + 1), f"{i + 1} {name}") if is_numbered else (name, name)
        strokes.append(text(left + side * (i + 0.5), top - 14, over, "strong", "middle"))
        strokes.append(text(0, top + side * (i + 0.5) + 4, clip(beside, 18), "strong"))
        strokes.append(text(0, top + side * (i + 0.5) + 21, f"n = {count(int(matrix[i].sum()))}", "small"))
    names = {(0, 0): "true negatives", (0, 1): "false positives", (1, 0): "false negatives", (1, 1): "true positives"}
    for i, j in np.ndindex(*matrix.shape):
        share = float(matrix[i, j] / max(matrix[i].sum(), 1))
        colour = "c1" if i == j else "c2"
        x, y = left + side * j, top + side * i
        strokes.append(rectangle(x, y, side, side, f"cell area {colour}", 0.05 + 0.3 * share))
        lift = 2 if answers.positive else 8
        number_style = "number" if side > 80 else "strong"
        strokes.append(text(x + side / 2, y + side / 2 + lift, count(int(matrix[i, j])), number_style, "middle"))
        if answers.positive:
            strokes.append(text(x + side / 2, y + side / 2 + 24, names[i, j], "small", "middle"))
    return drawing(left + size + 4, top + size + 4, "Confusion matrix of the test part", strokes)


def confusion_matrix(answers: "Classes") -> NDArray[np.int64]:
    """Count the test images, axes (true class, answer)."""
    n_classes = len(answers.classes)
    matrix = np.zeros((n_classes, n_classes), np.int64)
    np.add.at(matrix, (answers.test.targets, called_classes(answers.test, answers.operating_point)), 1)
    return matrix


def _curve_with_band(answers: "Classes", plan: Plan, x: Scale, y: Scale) -> list[str]:
    test, tuning = answers.test, answers.tuning
    if not _has_both(test):
        return [text(x(0.5), y(0.5), f"A curve needs test {plan.unit}s of both classes.", "small halo", "middle")]
    score, patients = test.probabilities[:, 1], np.unique(test.patient_ids, return_inverse=True)[1]
    band = roc_band(test.targets == 1, score, patients, plan.evaluation.level, plan.seed)
    rate = 1 - band.specificity
    outline = [(x(f), y(s)) for f, s in zip(rate, band.high, strict=True)]
    outline += [(x(f), y(s)) for f, s in zip(rate[::-1], band.low[::-1], strict=True)]
    strokes = [path(outline, "area band c1", closed=True)]
    if _has_both(tuning):
        beside = roc_curve(tuning.targets == 1, tuning.probabilities[:, 1])
        strokes.append(path(_staircase(beside, x, y), "line thin dashed c0"))
        strokes.append(text(x(1), y(0.07), "tuning part (dashed)", "c0", "end"))
    strokes.append(path(_staircase(roc_curve(test.targets == 1, score), x, y), "line c1"))
    if answers.operating_point is not None:
        matrix = confusion_matrix(answers)
        rates = matrix[:, 1] / matrix.sum(axis=1)
        strokes.append(circle((x(rates[0]), y(rates[1])), 5.5, "line ring c2"))
        strokes.append(text(x(rates[0]) + 12, y(rates[1]) + 22, "operating point", "c2 halo"))
    strokes.append(text(x(1), y(0.12), "test part", "strong c1", "end"))
    return strokes


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
        strokes.append(text(x(0.62), level, clip(name, 22), style.split()[-1]))
    return strokes


def _has_both(predictions: Predictions) -> bool:
    return 0 < (predictions.targets == 1).sum() < len(predictions)


def _staircase(curve: RocCurve, x: Scale, y: Scale) -> list[Point]:
    return [(x(1 - s), y(t)) for s, t in zip(curve.specificity, curve.sensitivity, strict=True)]


def _style(number: int) -> str:
    """Return dashes and colour of one of many curves."""
    dashes = ("", " dashed", " dotted")[(number + number // N_COLOURS) % 3]
    return f"{dashes} c{number % N_COLOURS + 1}"
