"""The same answers of a network, judged by other labels, give what the evaluation gives for those labels."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from lucency.domain.plan import Evaluation
from lucency.domain.predictions import Predictions
from lucency.evaluation.by_rule import results_by_rule
from lucency.evaluation.classification import evaluate_classification
from lucency.evaluation.operating_point import OperatingPoint

CLASSES = ("well", "ill")
POINT = OperatingPoint(0.5, "", "tuning", None, None)
SETTINGS = Evaluation()


def answers(n: int = 200, n_classes: int = 2, seed: int = 1) -> Predictions:
    """Make up a network that is mostly right."""
    draw = np.random.default_rng(seed)
    targets = draw.integers(0, n_classes, n)
    logits = draw.normal(size=(n, n_classes)) + 1.2 * np.eye(n_classes)[targets]
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    ids = tuple(f"i{number}" for number in range(n))
    patients = tuple(f"P{number // 2}" for number in range(n))
    classes = CLASSES if n_classes == 2 else ("normal", "bacterial", "viral")
    return Predictions("test", "ensemble", classes, ids, patients, targets, probabilities)


def labels_of(test: Predictions) -> dict[str, str]:
    return {image: test.classes[target] for image, target in zip(test.image_ids, test.targets, strict=True)}


def turned(test: Predictions, n_turned: int, n_missing: int) -> dict[str, str]:
    """Name another class for the first images and none for the last."""
    labels = labels_of(test)
    for image in test.image_ids[:n_turned]:
        labels[image] = next(name for name in test.classes if name != labels[image])
    return dict(list(labels.items())[: len(labels) - n_missing])


def test_the_study_comes_first_and_is_what_the_evaluation_says() -> None:
    """The first line must be the very number that stands on the title page."""
    test = answers()
    first, same = results_by_rule(test, {"the same": labels_of(test)}, POINT, SETTINGS)
    main = {e.name: e for e in evaluate_classification(test, POINT, SETTINGS)}
    assert (first.rule, first.is_used, same.is_used) == ("as in this study", True, False)
    assert [e.name for e in first.estimates] == ["AUC", "sensitivity", "specificity"]
    assert all(e == main[e.name] for e in (*first.estimates, *same.estimates))
    assert first.n_changed == same.n_changed == 0


def test_another_rule_is_judged_by_its_own_labels() -> None:
    """Held against scikit-learn and counting by hand, on the images to which the rule gives a label."""
    test = answers()
    labels = turned(test, n_turned=15, n_missing=40)
    outcome = results_by_rule(test, {"strict": labels}, POINT, SETTINGS)[1]
    truth = np.array([CLASSES.index(labels[image]) for image in test.image_ids[:160]])
    scores = test.probabilities[:160, 1]
    auc, sensitivity, specificity = (e.value for e in outcome.estimates)
    assert auc == pytest.approx(roc_auc_score(truth, scores), abs=1e-12)
    assert sensitivity == pytest.approx((scores[truth == 1] >= 0.5).mean())
    assert specificity == pytest.approx((scores[truth == 0] < 0.5).mean())
    assert (outcome.n_images, outcome.n_changed) == (160, 15)
    assert outcome.counts == (("well", int((truth == 0).sum())), ("ill", int((truth == 1).sum())))


def test_the_frozen_threshold_is_used() -> None:
    """A threshold chosen anew for each rule would flatter all of them."""
    test = answers()
    low = replace(POINT, threshold=0.2)
    one, other = (
        results_by_rule(test, {"x": labels_of(test)}, p, SETTINGS)[1].estimates[1].value for p in (POINT, low)
    )
    assert other > one


def test_a_rule_without_a_label_for_any_test_image_is_an_empty_line() -> None:
    """A reader who saw training images alone says nothing about the test part; that is no reason to fail."""
    test = answers()
    nobody, elsewhere = results_by_rule(test, {"A": {}, "B": {"not here": "ill"}}, POINT, SETTINGS)[1:]
    for outcome in (nobody, elsewhere):
        assert (outcome.n_images, outcome.n_changed, outcome.estimates) == (0, 0, ())


def test_one_class_alone_has_no_auc_and_does_not_fail() -> None:
    """A strict rule may leave no positive image in a small test part."""
    test = answers(20)
    outcome = results_by_rule(test, {"all": dict.fromkeys(test.image_ids, "well")}, POINT, SETTINGS)[1]
    values = {e.name: e.value for e in outcome.estimates}
    assert values["AUC"] is None
    assert values["specificity"] is not None


def test_a_class_that_the_network_does_not_know_is_left_out() -> None:
    """A reader may have used a level that no label of the study has."""
    test = answers()
    labels = labels_of(test) | {"i0": "unsure"}
    assert results_by_rule(test, {"A": labels}, POINT, SETTINGS)[1].n_images == 199


def test_several_classes_tell_their_first_measures() -> None:
    """Three estimates a line, the same for each rule, or the table would not be one."""
    test = answers(300, n_classes=3)
    first, other = results_by_rule(test, {"B": turned(test, 30, 0)}, None, SETTINGS)
    assert [e.name for e in first.estimates] == [e.name for e in other.estimates]
    assert len(first.estimates) == 3
    assert other.n_changed == 30
    assert other.estimates[0].value < first.estimates[0].value
