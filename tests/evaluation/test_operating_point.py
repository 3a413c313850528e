import json
from dataclasses import asdict, replace

import numpy as np
import pytest

from lucency.domain.evaluation_plan import Threshold
from lucency.domain.predictions import Predictions
from lucency.errors import StudyError
from lucency.evaluation.operating_point import choose_operating_point


def tuning(targets, scores):
    ids = tuple(f"i{i}" for i in range(len(targets)))
    scores = np.array(scores, float)
    probabilities = np.stack([1 - scores, scores], axis=1)
    return Predictions("tuning", "ensemble", ("NORMAL", "PNEUMONIA"), ids, ids, np.array(targets), probabilities)


EXAMPLE = tuning([0, 0, 0, 1, 0, 1, 1, 1], [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8])


@pytest.mark.parametrize("part", ["test", "training"])
def test_only_the_tuning_part_may_choose(part):
    """A threshold that has seen the test images makes the result look better than it is."""
    with pytest.raises(StudyError, match="tuning part"):
        choose_operating_point(replace(EXAMPLE, part=part), Threshold())


def test_youden_takes_the_midpoint_and_the_higher_sensitivity_of_equals():
    """0.35 (sensitivity 1, specificity 3/4) and 0.55 (3/4, 1) are equally good; the miss is the graver error."""
    point = choose_operating_point(EXAMPLE, Threshold())
    assert point.threshold == pytest.approx(0.35)
    assert (point.sensitivity, point.specificity) == (1.0, 0.75)
    assert point.part == "tuning"


@pytest.mark.parametrize(
    ("rule", "value", "threshold", "sensitivity", "specificity"),
    [
        ("sensitivity", 0.75, 0.55, 0.75, 1.0),
        ("sensitivity", 0.76, 0.35, 1.0, 0.75),
        ("specificity", 0.75, 0.35, 1.0, 0.75),
        ("specificity", 1.0, 0.55, 0.75, 1.0),
        ("fixed", 0.6, 0.6, 0.75, 1.0),
    ],
)
def test_other_rules(rule, value, threshold, sensitivity, specificity):
    """The best point that keeps the promise; an image at the threshold is positive."""
    point = choose_operating_point(EXAMPLE, Threshold(rule=rule, value=value))
    assert point.threshold == pytest.approx(threshold)
    assert (point.sensitivity, point.specificity) == (sensitivity, specificity)


def test_a_promise_is_kept_in_spite_of_rounding():
    """0.7 of 10 images is 7 images."""
    targets = np.repeat([0, 1], 10)
    scores = np.concatenate([np.linspace(0.3, 0.6, 10), np.linspace(0.2, 0.92, 10)])
    point = choose_operating_point(tuning(targets, scores), Threshold(rule="sensitivity", value=0.7))
    assert point.sensitivity == 0.7


def test_impossible_promises_end_at_the_ends():
    """Perfectly wrong scores still have a point of full specificity: nobody is positive; and JSON can hold it."""
    wrong = tuning([0, 1], [1.0, 0.0])
    none = choose_operating_point(wrong, Threshold(rule="specificity", value=1))
    assert (none.sensitivity, none.specificity) == (0.0, 1.0)
    assert none.threshold > 1
    json.dumps(asdict(none), allow_nan=False)
    everybody = choose_operating_point(wrong, Threshold(rule="sensitivity", value=1))
    assert (everybody.sensitivity, everybody.specificity) == (1.0, 0.0)
    assert everybody.threshold == 0


def test_absent_class_is_named_with_a_way_out():
    """No threshold can be chosen without both classes, but a fixed one needs no choosing."""
    only_normal = tuning([0, 0], [0.1, 0.2])
    with pytest.raises(StudyError, match="no image of class PNEUMONIA"):
        choose_operating_point(only_normal, Threshold())
    point = choose_operating_point(only_normal, Threshold(rule="fixed", value=0.5))
    assert point.sensitivity is None
    assert point.specificity == 1.0


def test_more_classes_need_no_threshold():
    """The most probable class is called."""
    ids = ("i0", "i1", "i2")
    three = Predictions("tuning", "ensemble", ("a", "b", "c"), ids, ids, np.arange(3), np.eye(3))
    assert choose_operating_point(three, Threshold()) is None


def test_the_rule_is_told_in_words():
    """The report quotes it."""
    assert (
        choose_operating_point(EXAMPLE, Threshold(rule="sensitivity", value=0.75)).rule
        == "sensitivity of at least 0.75"
    )
    assert "Youden 1950" in choose_operating_point(EXAMPLE, Threshold()).rule
    assert choose_operating_point(EXAMPLE, Threshold(rule="fixed", value=0.5)).rule == "fixed at 0.5"
