"""Intervals hold the truth as often as they promise, over simulated studies."""

import numpy as np
import pytest
from scipy.special import ndtri

from lucency.evaluation.confusion import balanced_accuracy, predictive_values_at
from lucency.evaluation.discrimination import auc_estimate, macro_auc
from lucency.evaluation.intervals import proportion

N_STUDIES = 2000
TOLERANCE = 0.025  # for a promise of 0.95; the simulation itself is exact to 0.01

pytestmark = pytest.mark.slow


def random_patients(random, n_patients):
    """Between one and four images each."""
    return np.repeat(np.arange(n_patients), random.integers(1, 5, n_patients))


def alike(random, patients, resemblance):
    """Draw standard normal numbers that correlate within patients."""
    shared = random.normal(size=patients.max() + 1)[patients]
    return np.sqrt(resemblance) * shared + np.sqrt(1 - resemblance) * random.normal(size=patients.size)


@pytest.mark.parametrize("area", [0.7, 0.9, 0.97])
@pytest.mark.parametrize(("n", "prevalence"), [(50, 0.5), (100, 0.2), (100, 0.5), (200, 0.2), (200, 0.5)])
def test_interval_of_the_auc_covers(n, prevalence, area):
    """Two normal distributions, one image per patient; the smallest class has 20 images."""
    random = np.random.default_rng(1)
    targets = (np.arange(n) < round(n * prevalence)).astype(int)
    hits = 0
    for _ in range(N_STUDIES):
        estimate = auc_estimate(targets, random.normal(size=n) + targets * np.sqrt(2) * ndtri(area))
        hits += estimate.low <= area <= estimate.high
    assert hits / N_STUDIES == pytest.approx(0.95, abs=TOLERANCE)


@pytest.mark.parametrize("area", [0.7, 0.9])
@pytest.mark.parametrize("whose", ["patient", "image"])
@pytest.mark.parametrize("n_patients", [50, 100])
def test_clustered_interval_of_the_auc_covers(n_patients, whose, area):
    """One to four images a patient that resemble each other (0.5); the finding is the patient's, or the image's own."""
    random = np.random.default_rng(2)
    hits = 0
    for _ in range(N_STUDIES):
        patients = random_patients(random, n_patients)
        if whose == "patient":
            targets = (random.permutation(n_patients) < 0.4 * n_patients)[patients]
        else:
            targets = alike(random, patients, 0.5) < ndtri(0.4)
        scores = alike(random, patients, 0.5) + targets * np.sqrt(2) * ndtri(area)
        estimate = auc_estimate(targets, scores, patients)
        hits += estimate.low <= area <= estimate.high
    assert hits / N_STUDIES == pytest.approx(0.95, abs=TOLERANCE)


def test_images_taken_for_patients_would_not_cover():
    """What the clustered interval is for: without it the promise is broken."""
    random = np.random.default_rng(3)
    hits = 0
    for _ in range(500):
        patients = random_patients(random, 100)
        targets = (random.permutation(100) < 40)[patients]
        scores = alike(random, patients, 0.8) + targets * np.sqrt(2) * ndtri(0.8)
        estimate = auc_estimate(targets, scores)
        hits += estimate.low <= 0.8 <= estimate.high
    assert hits / 500 < 0.85


def test_interval_of_the_macro_average_covers():
    """Three classes in patients with two images each."""
    random = np.random.default_rng(4)
    truth = np.mean([_three_classes(random, 20_000).value for _ in range(4)])
    estimates = [_three_classes(random, 60) for _ in range(N_STUDIES)]
    hits = sum(estimate.low <= truth <= estimate.high for estimate in estimates)
    assert hits / N_STUDIES == pytest.approx(0.95, abs=TOLERANCE)


def _three_classes(random, n_patients):
    patients = np.repeat(np.arange(n_patients), 2)
    targets = random.integers(0, 3, patients.size)
    votes = np.eye(3)[targets] + np.stack([alike(random, patients, 0.5) for _ in range(3)], axis=1)
    probabilities = np.exp(votes) / np.exp(votes).sum(axis=1, keepdims=True)
    return macro_auc(targets, probabilities, patients)


@pytest.mark.parametrize("truth", [0.7, 0.9])
@pytest.mark.parametrize("n", [50, 100, 200])
def test_interval_of_the_sensitivity_covers(n, truth):
    """Wilson's interval goes up and down with n, around its promise."""
    random = np.random.default_rng(5)
    hits = 0
    for _ in range(N_STUDIES):
        estimate = proportion("sensitivity", random.random(n) < truth)
        hits += estimate.low <= truth <= estimate.high
    assert hits / N_STUDIES == pytest.approx(0.95, abs=TOLERANCE)


@pytest.mark.parametrize("truth", [0.7, 0.9])
@pytest.mark.parametrize("resemblance", [0.0, 0.5, 0.9])
@pytest.mark.parametrize("n_patients", [50, 100])
def test_clustered_interval_of_the_sensitivity_covers(n_patients, resemblance, truth):
    """One to four images a patient, from unlike to nearly the same."""
    random = np.random.default_rng(6)
    hits = 0
    for _ in range(N_STUDIES):
        patients = random_patients(random, n_patients)
        estimate = proportion("sensitivity", alike(random, patients, resemblance) < ndtri(truth), patients)
        hits += estimate.low <= truth <= estimate.high
    assert hits / N_STUDIES == pytest.approx(0.95, abs=TOLERANCE)


@pytest.mark.parametrize("resemblance", [0.0, 0.7])
def test_intervals_from_two_classes_cover(resemblance):
    """Balanced accuracy and predictive values at 10 %, in patients with images of both classes."""
    random = np.random.default_rng(7)
    truths = [0.85, 0.08 / 0.17, 0.81 / 0.83]
    hits = np.zeros(3)
    for _ in range(N_STUDIES):
        patients = np.repeat(np.arange(100), 2)
        targets = np.tile([0, 1], 100)
        right = alike(random, patients, resemblance) < ndtri(np.where(targets == 1, 0.8, 0.9))
        called = np.where(right, targets, 1 - targets)
        codes = patients if resemblance else np.arange(200)
        estimates = [
            balanced_accuracy(targets, called, codes),
            *predictive_values_at(0.1, targets == 1, called == 1, codes),
        ]
        hits += [e.low <= truth <= e.high for e, truth in zip(estimates, truths, strict=True)]
    assert hits / N_STUDIES == pytest.approx([0.95] * 3, abs=TOLERANCE)
