from dataclasses import replace

import numpy as np
import pytest

from lucency.domain.evaluation_plan import Threshold
from lucency.domain.plan import Evaluation
from lucency.domain.predictions import Predictions
from lucency.errors import StudyError
from lucency.evaluation.classification import called_classes, evaluate_classification
from lucency.evaluation.operating_point import choose_operating_point


def predictions(n_classes=2, n=120, images_per_patient=1, part="test"):
    random = np.random.default_rng(n_classes)
    targets = random.integers(0, n_classes, n)
    votes = random.gamma(1.0, size=(n, n_classes)) + 1.5 * np.eye(n_classes)[targets]
    patients = tuple(f"p{i // images_per_patient:03d}" for i in range(n))
    return Predictions(
        part,
        "ensemble",
        tuple("abcd"[:n_classes]),
        tuple(f"i{i}" for i in range(n)),
        patients,
        targets,
        votes / votes.sum(axis=1, keepdims=True),
    )


POINT = choose_operating_point(predictions(part="tuning"), Threshold())


def test_two_classes_in_the_order_of_a_results_section():
    """Discrimination first, then the operating point, then calibration."""
    names = [estimate.name for estimate in evaluate_classification(predictions(), POINT, Evaluation(prevalence=0.05))]
    assert names == [
        "AUC",
        "average precision",
        "prevalence",
        "sensitivity",
        "specificity",
        "positive predictive value",
        "negative predictive value",
        "false-positive rate",
        "false-negative rate",
        "F1 score",
        "accuracy",
        "no-information rate",
        "balanced accuracy",
        "positive predictive value at declared prevalence",
        "negative predictive value at declared prevalence",
        "Brier score",
        "calibration intercept",
        "calibration slope",
    ]


def test_without_a_threshold_only_what_needs_none():
    """Training and tuning parts can be judged before a threshold exists."""
    names = {estimate.name for estimate in evaluate_classification(predictions(), None, Evaluation())}
    assert "AUC" in names
    assert "sensitivity" not in names


def test_more_classes_begin_with_the_macro_average_and_judge_each():
    """Every class against the rest, named in `group`."""
    estimates = evaluate_classification(predictions(3), None, Evaluation())
    assert estimates[0].name == "macro-average AUC"
    by_group = {(estimate.name, estimate.group): estimate for estimate in estimates}
    aucs = [by_group["AUC", name].value for name in "abc"]
    assert estimates[0].value == pytest.approx(np.mean(aucs))
    recalls = [by_group["sensitivity", name].value for name in "abc"]
    assert by_group["balanced accuracy", "all"].value == pytest.approx(np.mean(recalls))
    assert by_group["accuracy", "all"].numerator == sum(by_group["sensitivity", name].numerator for name in "abc")


@pytest.mark.parametrize("n_classes", [2, 3])
def test_patients_with_several_images_are_seen(n_classes):
    """Every interval then says so and counts the patients."""
    table = predictions(n_classes, images_per_patient=3)
    for estimate in evaluate_classification(table, POINT if n_classes == 2 else None, Evaluation(prevalence=0.1)):
        assert estimate.n_clusters is not None or estimate.n <= 1
        assert "patient" in estimate.method
    for estimate in evaluate_classification(predictions(n_classes), None, Evaluation()):
        assert estimate.n_clusters is None


def test_part_and_level_travel_with_every_number():
    """A number must not be mistaken for one of the test part."""
    for part in ("training", "tuning", "test"):
        estimates = evaluate_classification(predictions(part=part), POINT, Evaluation(level=0.9))
        assert {estimate.part for estimate in estimates} == {part}
        assert {estimate.level for estimate in estimates} == {0.9}
        assert {estimate.unit for estimate in estimates} == {"image"}


def test_higher_level_gives_wider_intervals():
    """More confidence costs precision."""
    narrow, wide = (evaluate_classification(predictions(), POINT, Evaluation(level=level)) for level in (0.8, 0.99))
    for low, high in zip(narrow, wide, strict=True):
        assert high.low < low.low
        assert high.high > low.high or low.high == 1


def test_probability_at_the_threshold_is_positive():
    """The rule of the operating point holds in the evaluation too."""
    table = predictions()
    point = replace(POINT, threshold=float(table.probabilities[5, 1]))
    assert called_classes(table, point)[5] == 1


def test_probabilities_that_are_not_numbers_are_refused():
    """A ranking of NaN would be a wrong number in silence."""
    table = predictions()
    table.probabilities[3] = np.nan
    with pytest.raises(StudyError, match="1 images in the test part are not numbers"):
        evaluate_classification(table, POINT, Evaluation())
