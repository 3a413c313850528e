"""Which cases are shown, and how outlines are drawn."""

from dataclasses import replace

import numpy as np
import pytest

from evaluation.masks_factory import ball
from lucency.data.ground_truth.drawings.outlines import COLOURS
from lucency.evaluation.overlap.case import Case, CaseResult, measure_case
from lucency.study.outlining.pictures import BEST, FALSE_ALARM, MIDDLING, WORST, choose_cases, draw_outlines

DISC = ball((40, 40), (20, 20), (9, 9))
NOTHING = np.zeros_like(DISC)


def case(number: int, dice: float, truth: np.ndarray = DISC, predicted: np.ndarray = DISC) -> CaseResult:
    measured = measure_case(Case(f"image {number:02}", f"p{number}", "lesion", truth, predicted, None))
    return replace(measured, dice=dice)


def test_the_worst_come_first_and_the_best_last() -> None:
    """Whoever looks at one picture only should look at the worst."""
    results = [case(number, number / 40) for number in range(40)]
    chosen = choose_cases(results, 12)
    assert [image for image, kind in chosen if kind == WORST] == [f"image {n:02}" for n in range(10)], "a quarter"
    assert [image for image, kind in chosen if kind == BEST] == [f"image {n:02}" for n in (39, 38, 37, 36)]
    middling = [int(image[-2:]) for image, kind in chosen if kind == MIDDLING]
    assert all(15 <= number <= 27 for number in middling)


@pytest.mark.parametrize("n", [0, 1, 2, 3, 5])
def test_no_case_is_shown_twice_however_few_there_are(n: int) -> None:
    """A case that is both the best and the worst is one case."""
    chosen = [image for image, _ in choose_cases([case(number, number / 9) for number in range(n)], 12)]
    assert len(chosen) == len(set(chosen)) <= n
    assert bool(chosen) == bool(n)


def test_false_alarms_are_shown_apart_from_overlaps() -> None:
    """Their Dice of 0 is no bad outline: nothing was there."""
    alarm, silent = case(1, 0.0, NOTHING), case(2, 0.0, NOTHING, NOTHING)
    assert choose_cases([alarm, replace(silent, dice=None)], 12) == [("image 01", FALSE_ALARM)]


def colour_of(picture: np.ndarray, name: str) -> np.ndarray:
    return (np.abs(picture - np.reshape(COLOURS[name], (3, 1, 1)) / 255) < 0.01).all(axis=0)


def test_truth_is_solid_and_prediction_dashed() -> None:
    """Lines differ in kind as well as in colour; a dashed line has gaps."""
    grey = np.full((40, 40), 0.5, np.float32)
    picture = draw_outlines(grey, DISC.astype(np.uint8), np.roll(DISC, 6, 1).astype(np.uint8), 1)
    truth, predicted = colour_of(picture, "sky blue"), colour_of(picture, "orange")
    alone = colour_of(draw_outlines(grey, DISC.astype(np.uint8), NOTHING.astype(np.uint8), 1), "sky blue")
    assert truth.sum() > 0.85 * alone.sum(), "only crossings are painted over"
    assert 0.3 < predicted.sum() / alone.sum() < 0.7, "half of the line is gaps"


def test_where_both_agree_both_are_seen() -> None:
    """A perfect prediction must not hide the truth."""
    labels = DISC.astype(np.uint8)
    picture = draw_outlines(np.full((40, 40), 0.5, np.float32), labels, labels, 1)
    assert colour_of(picture, "sky blue").sum() > 50
    assert colour_of(picture, "orange").sum() > 50
