import numpy as np
import pytest
from sklearn import metrics

from lucency.evaluation.confusion import (
    agreement_estimates,
    balanced_accuracy,
    confusion_matrix,
    f1_score,
    finding_estimates,
    predictive_values_at,
)
from lucency.evaluation.intervals import wilson


@pytest.fixture
def calls():
    """200 images with a prevalence of a quarter, called with some error."""
    random = np.random.default_rng(7)
    positive = random.random(200) < 0.25
    called = positive ^ (random.random(200) < 0.2)
    return positive, called


def test_matrix_equals_scikit_learns():
    """Rows are the truth, columns the call."""
    random = np.random.default_rng(3)
    targets, called = random.integers(0, 4, 100), random.integers(0, 4, 100)
    assert (confusion_matrix(targets, called, 4) == metrics.confusion_matrix(targets, called)).all()


def test_values_equal_scikit_learns(calls):
    """Each proportion, and F1."""
    positive, called = calls
    found = {estimate.name: estimate for estimate in finding_estimates(positive, called, np.arange(200))}
    expected = {
        "sensitivity": metrics.recall_score(positive, called),
        "specificity": metrics.recall_score(~positive, ~called),
        "positive predictive value": metrics.precision_score(positive, called),
        "negative predictive value": metrics.precision_score(~positive, ~called),
        "false-positive rate": 1 - metrics.recall_score(~positive, ~called),
        "false-negative rate": 1 - metrics.recall_score(positive, called),
        "F1 score": metrics.f1_score(positive, called),
    }
    assert {name: estimate.value for name, estimate in found.items()} == pytest.approx(expected)
    for estimate in found.values():
        assert estimate.value == pytest.approx(estimate.numerator / estimate.denominator)
        assert estimate.low < estimate.value < estimate.high


def test_agreement_equals_scikit_learns(calls):
    """Accuracy, what guessing gives, and balanced accuracy."""
    positive, called = calls
    targets, names = positive.astype(int), called.astype(int)
    accuracy, guessing, balanced = agreement_estimates(targets, names, np.arange(200))
    assert accuracy.value == pytest.approx(metrics.accuracy_score(targets, names))
    assert balanced.value == pytest.approx(metrics.balanced_accuracy_score(targets, names))
    assert guessing.value == max(positive.mean(), 1 - positive.mean())


def test_limits_of_f1_are_those_of_its_proportion(calls):
    """F1 rises with TP / (TP + FP + FN), so Wilson's limits go through the same formula."""
    positive, called = calls
    estimate = f1_score(positive, called, np.arange(200))
    low, high = wilson((positive & called).sum(), (positive | called).sum())
    assert (estimate.low, estimate.high) == pytest.approx((2 * low / (1 + low), 2 * high / (1 + high)))


def test_f1_of_nothing_says_so():
    """No finding and no call: neither right nor wrong."""
    estimate = f1_score(np.zeros(4, bool), np.zeros(4, bool), np.arange(4))
    assert estimate.value is None
    assert estimate.note


def test_interval_of_f1_covers():
    """The transformed interval holds the true F1 in 95 of 100 samples, give or take two."""
    random = np.random.default_rng(5)
    truth = 2 * 0.3 * 0.8 / (2 * 0.3 * 0.8 + 0.3 * 0.2 + 0.7 * 0.1)
    hits = 0
    for _ in range(1500):
        positive = random.random(100) < 0.3
        called = np.where(positive, random.random(100) < 0.8, random.random(100) < 0.1)
        estimate = f1_score(positive, called, np.arange(100))
        hits += estimate.low <= truth <= estimate.high
    assert hits / 1500 == pytest.approx(0.95, abs=0.02)


def test_one_class_alone_has_no_balanced_accuracy():
    """Balance needs two sides."""
    estimate = balanced_accuracy(np.ones(5, int), np.ones(5, int), np.arange(5))
    assert estimate.value is None
    assert estimate.note


def test_predictive_values_follow_bayes_at_the_samples_own_prevalence(calls):
    """At the prevalence of the sample they are the plain proportions."""
    positive, called = calls
    ppv, npv = predictive_values_at(positive.mean(), positive, called, np.arange(200))
    assert ppv.value == pytest.approx(positive[called].mean())
    assert npv.value == pytest.approx((~positive[~called]).mean())


def test_predictive_value_falls_with_the_prevalence(calls):
    """A screening population has more false alarms for each finding."""
    positive, called = calls
    rare, common = (predictive_values_at(p, positive, called, np.arange(200))[0] for p in (0.01, 0.3))
    assert rare.value < common.value
    assert rare.high < common.low
    assert rare.note == "At a prevalence of 0.01."


def test_predictive_values_without_an_error_keep_a_width():
    """A specificity of 30/30 does not make every call true."""
    positive = np.repeat([True, False], 30)
    ppv, npv = predictive_values_at(0.1, positive, positive, np.arange(60))
    assert (ppv.value, npv.value) == (1.0, 1.0)
    assert (ppv.high, npv.high) == (1.0, 1.0)
    assert ppv.low < 0.9


def test_images_of_one_patient_widen_predictive_values(calls):
    """Copies bring no certainty."""
    positive, called = (np.tile(values, 4) for values in calls)
    apart = predictive_values_at(0.1, positive, called, np.arange(800))[0]
    together = predictive_values_at(0.1, positive, called, np.tile(np.arange(200), 4))[0]
    assert together.high - together.low > 1.8 * (apart.high - apart.low)
    assert together.n_clusters == 200


def test_predictive_values_of_one_patient_have_no_interval():
    """Ten images of one patient with the finding say nothing about other patients."""
    positive = np.repeat([True, False], [10, 30])
    called = np.arange(40) < 8
    for estimate in predictive_values_at(0.1, positive, called, np.concatenate([np.zeros(10, int), np.arange(1, 31)])):
        assert estimate.value is not None
        assert estimate.low is None
        assert "one patient" in estimate.note
