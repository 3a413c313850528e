"""Corrections that make probabilities mean what they say."""

import numpy as np
import pytest
from scipy.special import expit, logit, softmax
from sklearn.calibration import _sigmoid_calibration

from lucency.domain.predictions import Predictions
from lucency.evaluation.calibrated import learn_correction


def predictions(targets: np.ndarray, probabilities: np.ndarray) -> Predictions:
    names = tuple(f"image-{number}" for number in range(len(targets)))
    classes = ("healthy", "ill", "other")[: probabilities.shape[1]]
    return Predictions("tuning", "ensemble", classes, names, names, targets, probabilities)


def overconfident(n: int, seed: int = 3) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return truths, what is said, and what would be right: the networks say twice the logit, and too little by one."""
    random = np.random.default_rng(seed)
    right = expit(random.normal(0, 1.2, n))
    return (random.random(n) < right).astype(int), expit(2 * logit(right) - 1), right


def test_the_correction_undoes_what_was_done_to_the_probabilities() -> None:
    """Twice the logit and one less: the slope is a half, and the intercept a half."""
    targets, said, right = overconfident(40_000)
    correction = learn_correction(predictions(targets, np.column_stack([1 - said, said])))
    assert correction.slope == pytest.approx(0.5, abs=0.02)
    assert correction.intercept == pytest.approx(0.5, abs=0.03)
    assert np.abs(correction.of_positive(said) - right).max() < 0.02


def test_the_correction_is_that_of_scikit_learn() -> None:
    """Platt's own target values and cost, worked out by another hand; it writes 1 / (1 + exp(a f + b))."""
    targets, said, _ = overconfident(60)
    correction = learn_correction(predictions(targets, np.column_stack([1 - said, said])))
    a, b = _sigmoid_calibration(logit(said), targets)
    assert (correction.slope, correction.intercept) == pytest.approx((-a, -b), rel=1e-3)


def test_a_fit_exists_where_the_classes_are_fully_apart() -> None:
    """A good network on a small tuning part: the targets are drawn in, so that nothing runs to infinity."""
    said = np.array([0.1, 0.2, 0.8, 0.9])
    correction = learn_correction(predictions(np.array([0, 0, 1, 1]), np.column_stack([1 - said, said])))
    corrected = correction.of_positive(said)
    assert np.isfinite([correction.slope, correction.intercept]).all()
    assert (np.diff(corrected) > 0).all()
    assert 0.1 < corrected[0] < corrected[-1] < 0.9


@pytest.mark.parametrize("targets", [[1, 0, 1, 0], [1, 1, 1, 1]])
def test_what_cannot_be_corrected_stays_as_it_is_and_says_so(targets: list[int]) -> None:
    """A correction that turned the order round, or was learnt from one class, would change answers."""
    said = np.array([0.1, 0.9, 0.2, 0.8])
    correction = learn_correction(predictions(np.array(targets), np.column_stack([1 - said, said])))
    assert correction.method.startswith("none: ")
    assert correction.of_positive(said).tolist() == said.tolist()


def test_one_temperature_is_found_for_several_classes() -> None:
    """The best of many temperatures tried one by one (Guo 2017); the likeliest class stays the likeliest."""
    random = np.random.default_rng(5)
    logits = random.normal(0, 1, (4000, 3))
    right = softmax(logits, axis=1)
    targets = np.array([random.choice(3, p=p) for p in right])
    said = softmax(3 * logits, axis=1)
    correction = learn_correction(predictions(targets, said))
    tried = np.linspace(0.05, 1.5, 1451)
    costs = [-np.log(softmax(t * np.log(said), axis=1)[np.arange(4000), targets]).mean() for t in tried]
    assert correction.slope == pytest.approx(tried[int(np.argmin(costs))], abs=2e-3)
    assert correction.slope == pytest.approx(1 / 3, abs=0.03)
    corrected = correction(said)
    assert corrected.sum(axis=1) == pytest.approx(np.ones(4000))
    assert (corrected.argmax(axis=1) == said.argmax(axis=1)).all()
