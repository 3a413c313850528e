"""What synthetic images are worth: distance, memory, variety, and use as lessons."""

import numpy as np
import pytest
from scipy.stats import t
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import NearestNeighbors

from lucency.domain.estimate import Estimate
from lucency.domain.synthesis_plan import BOTH, REAL
from lucency.evaluation.discrimination import auc_covariance
from lucency.evaluation.synthesis.ablation import compare_arms, verdict_on_ablation
from lucency.evaluation.synthesis.kernel_distance import (
    excess_estimate,
    kernel_distance,
    kernel_distance_estimate,
    verdict_on_distance,
)
from lucency.evaluation.synthesis.memorisation import find_memorisation, verdict_on_memorisation
from lucency.evaluation.synthesis.pictures import Pictures, nearest, nearest_of_others, synthetic, thumbnails
from lucency.evaluation.synthesis.variety import coverage, told_apart, too_alike, verdict_on_variety


def normal(n: int, seed: int, n_each: int = 1, shift: float = 0.0, n_numbers: int = 8) -> Pictures:
    """Draw images of patients who have `n_each` images that are alike."""
    draw = np.random.default_rng(seed)
    patients = np.arange(n) // n_each
    of_patient = draw.normal(size=(patients.max() + 1, n_numbers))
    return Pictures(0.8 * of_patient[patients] + 0.6 * draw.normal(size=(n, n_numbers)) + shift, patients)


def by_pairs(first: Pictures, second: Pictures) -> float:
    """Work KID out pair by pair, as the paper writes it down."""

    def kernel(x: np.ndarray, y: np.ndarray) -> float:
        return (x @ y / len(x) + 1) ** 3

    def within(one: Pictures) -> float:
        pairs = [
            kernel(one.numbers[i], one.numbers[j])
            for i in range(len(one))
            for j in range(len(one))
            if one.patients[i] != one.patients[j]
        ]
        return float(np.mean(pairs))

    across = np.mean([kernel(x, y) for x in first.numbers for y in second.numbers])
    return within(first) + within(second) - 2 * float(across)


def test_kid_is_that_of_the_paper():
    """With one image a patient it is the unbiased estimate of Bińkowski (2018); several of one patient never make a pair."""
    for n_each in (1, 3):
        first, second = normal(24, 1, n_each), normal(15, 2, n_each, shift=0.4)
        assert kernel_distance(first, second) == pytest.approx(by_pairs(first, second), rel=1e-9)


def test_the_interval_of_kid_leaves_out_patients():
    """The variance is that of the plain jackknife: leave one out on the one side, then on the other, and add up."""
    first, second = normal(14, 1), normal(12, 2, n_each=2)
    estimate = kernel_distance_estimate(first, second)

    def variance(values: list[float]) -> float:
        return float((len(values) - 1) / len(values) * ((np.array(values) - np.mean(values)) ** 2).sum())

    without_first = [by_pairs(first.some(first.patients != p), second) for p in np.unique(first.patients)]
    without_second = [by_pairs(first, second.some(second.patients != p)) for p in np.unique(second.patients)]
    reach = t.ppf(0.975, 5) * np.sqrt(variance(without_first) + variance(without_second))
    assert estimate.high == pytest.approx(estimate.value + reach, rel=1e-9)
    assert estimate.low == pytest.approx(estimate.value - reach, rel=1e-9)


def test_kid_of_one_source_is_zero_in_the_mean():
    """Unbiased: neither few images nor several of one patient make two samples of one source look different."""
    values = [kernel_distance(normal(40, 2 * seed, n_each=2), normal(30, 2 * seed + 1)) for seed in range(150)]
    assert abs(np.mean(values)) < 3 * np.std(values) / np.sqrt(len(values))


def test_the_interval_of_kid_covers():
    """0 is within the interval where both are of one source, and the excess of copies of the training part is no excess."""
    within = n_well = 0
    for seed in range(120):
        made, learnt, unseen = normal(80, 3 * seed), normal(80, 3 * seed + 1), normal(60, 3 * seed + 2)
        estimate, excess = kernel_distance_estimate(made, unseen), excess_estimate(made, learnt, unseen)
        within += estimate.low <= 0 <= estimate.high
        n_well += excess.low <= 0 <= excess.high
    assert within >= 110
    assert n_well >= 110


def test_a_shift_is_seen():
    """Images of another kind are farther than the floor, and the verdict says so."""
    made, learnt, unseen = normal(200, 1, shift=0.5), normal(200, 2), normal(100, 3)
    far, floor, excess = (
        kernel_distance_estimate(made, unseen),
        kernel_distance_estimate(learnt, unseen),
        excess_estimate(made, learnt, unseen),
    )
    assert excess.value == pytest.approx(far.value - floor.value)
    assert excess.low > 0
    apart = told_apart(made, unseen)
    assert "farther from real ones" in verdict_on_distance(far, floor, excess, apart)
    alike = told_apart(normal(200, 4), unseen)
    same = verdict_on_distance(far, floor, excess_estimate(normal(200, 4), learnt, unseen), alike)
    assert "no farther from real test images" in same
    assert "One by one" not in same
    gross = told_apart(normal(200, 4, shift=5), unseen)
    assert "real in 100% (50% is chance)" in verdict_on_distance(far, floor, excess, gross)


def test_copies_are_found():
    """Copies with a little noise: every measure sees them, and the verdict warns."""
    learnt, unseen = normal(300, 1), normal(80, 2)
    copies = synthetic(learnt.numbers[:150] + np.random.default_rng(3).normal(0, 0.1, (150, 8)))
    found = find_memorisation(copies, learnt, unseen, 0.05)
    nearer, ratio, suspects = found.estimates
    assert nearer.low > 0.9
    assert ratio.low > 3
    assert suspects.value > 0.9
    assert (found.nearest == np.arange(150)).mean() > 0.95
    assert "remembers" in verdict_on_memorisation(found.estimates, found.n_identical)
    same = find_memorisation(synthetic(learnt.numbers[:5]), learnt, unseen, 0.05)
    assert same.n_identical == 5
    assert "copies: 5 synthetic images" in verdict_on_memorisation(same.estimates, same.n_identical)


def test_smooth_images_are_not_called_copies():
    """Images near the mean are near to everything: the first measure is fooled, the ratio is not, and the verdict tells."""
    learnt, unseen = normal(400, 1, n_each=2), normal(100, 2, n_each=2)
    smooth = synthetic(0.3 * normal(300, 3).numbers)
    found = find_memorisation(smooth, learnt, unseen, 0.05)
    nearer, ratio, _ = found.estimates
    assert nearer.low > 0.5
    assert ratio.low < 1
    verdict = verdict_on_memorisation(found.estimates, found.n_identical)
    assert verdict.startswith("No sign of copying")
    assert "too smooth" in verdict
    assert "does not prove" in verdict


def test_the_ratio_of_nearest_images_covers_one():
    """Without copying, however many patients and images a patient the two parts have."""
    covered = 0
    for seed in range(120):
        made, learnt, unseen = normal(120, 3 * seed), normal(240, 3 * seed + 1, n_each=3), normal(60, 3 * seed + 2)
        ratio = find_memorisation(synthetic(made.numbers), learnt, unseen, 0.05).estimates[1]
        covered += ratio.low <= 1 <= ratio.high
    assert covered >= 108


def test_coverage_is_that_of_the_paper():
    """Naeem (2020), by scikit-learn's neighbours, with one image a patient."""
    made, unseen = normal(60, 1, shift=0.7), normal(60, 2)
    estimate = coverage(made, unseen)
    reach = NearestNeighbors(n_neighbors=6).fit(unseen.numbers).kneighbors(unseen.numbers)[0][:, -1]
    near = NearestNeighbors(n_neighbors=1).fit(made.numbers).kneighbors(unseen.numbers)[0][:, 0]
    assert estimate.value == pytest.approx((near < reach).mean())


def test_a_collapsed_generator_is_found():
    """One image again and again covers little, and all its images have a twin."""
    learnt, unseen = normal(200, 1), normal(100, 2)
    one = synthetic(learnt.numbers[:1] + np.random.default_rng(1).normal(0, 0.01, (200, 8)))
    covered, by_real = coverage(one, unseen), coverage(learnt, unseen)
    alike = too_alike(one, learnt, 0.05)
    assert covered.high < 0.5 * by_real.low
    assert alike.value == 1
    assert "collapsed" in verdict_on_variety(covered, by_real, alike, 0.05)
    well = too_alike(normal(200, 5), learnt, 0.05)
    assert "stand for most kinds" in verdict_on_variety(by_real, by_real, well, 0.05)


def test_the_nearest_neighbour_tells_what_differs():
    """Chance for images of one source; nearly always right where the two are far apart."""
    unseen = normal(150, 1, n_each=3)
    alike, far = told_apart(normal(150, 2), unseen), told_apart(normal(150, 2, shift=5), unseen)
    assert abs(alike.value - 0.5) < 0.1
    assert far.value == 1


def test_neighbours_are_those_of_scikit_learn():
    """And never of the same patient."""
    first, second = normal(30, 1), normal(40, 2)
    found, where = nearest(first.numbers, second.numbers)
    expected, places = NearestNeighbors(n_neighbors=1).fit(second.numbers).kneighbors(first.numbers)
    assert np.allclose(found * np.sqrt(8), expected[:, 0])
    assert (where == places[:, 0]).all()
    pairs = normal(30, 1, n_each=2)
    assert (pairs.patients[nearest_of_others(pairs)[1]] != pairs.patients).all()


def test_thumbnails_are_means_of_blocks():
    """64 pixels become 32 by the mean of four; 28 stay as they are; distances are shares of the grey scale."""
    images = np.random.default_rng(1).integers(0, 256, (3, 1, 64, 64)).astype(np.uint8)
    small = thumbnails(images, 255)
    assert small.shape == (3, 1024)
    assert small[1, 0] == pytest.approx(images[1, 0, :2, :2].mean() / 255)
    black, white = np.zeros((1, 1, 28, 28), np.uint8), np.full((1, 1, 28, 28), 255, np.uint8)
    assert nearest(thumbnails(black, 255), thumbnails(white, 255))[0][0] == pytest.approx(1)


def answers(targets: np.ndarray, skill: float, seed: int, n_seeds: int = 3) -> np.ndarray:
    """Answer with a skill that differs a little from seed to seed, axes (seed, image, class)."""
    draw = np.random.default_rng(seed)
    score = 1 / (1 + np.exp(-skill * (targets - 0.5) + draw.normal(size=(n_seeds, len(targets)))))
    return np.stack([1 - score, score], axis=2)


def test_arms_are_compared_as_by_delong():
    """With one seed the variance is DeLong's for two AUCs of the same images; the values are scikit-learn's."""
    targets, patients = np.arange(80) % 2, np.arange(80)
    said = {REAL: answers(targets, 1, 1, 1), BOTH: answers(targets, 2, 2, 1)}
    real, both = compare_arms(targets, said, patients)
    areas, covariance = auc_covariance(targets, np.stack([said[REAL][0, :, 1], said[BOTH][0, :, 1]], axis=1))
    assert both.difference.value == pytest.approx(areas[1] - areas[0])
    assert both.of_seeds[0] == pytest.approx(roc_auc_score(targets, said[BOTH][0, :, 1]))
    variance = covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1]
    half = (both.difference.high - both.difference.low) / 2
    assert 1.96 < half / np.sqrt(variance) < 2.05
    assert real.difference is None


def test_seeds_widen_the_interval():
    """Training has chance of its own: with many test patients the interval is Student's over the seeds, and no narrower."""
    targets, patients = np.arange(6000) % 2, np.arange(6000)
    both = np.concatenate([answers(targets, skill, 2, 1) for skill in (0.5, 1.5, 3)])
    first = answers(targets, 1, 1, 1).repeat(3, axis=0)
    arm = compare_arms(targets, {REAL: first, BOTH: both}, patients)[1]
    expected = t.ppf(0.975, 2) * np.std(arm.of_seeds, ddof=1) / np.sqrt(3)
    assert (arm.difference.high - arm.difference.low) / 2 == pytest.approx(expected, rel=0.02)


def test_arms_with_several_classes_are_means_over_classes():
    """Each class against the rest, as for classification."""
    targets = np.arange(90) % 3
    draw = np.random.default_rng(1)
    said = draw.dirichlet(np.ones(3), (2, 90))
    arm = compare_arms(targets, {REAL: said}, np.arange(90))[0]
    expected = [np.mean([roc_auc_score(targets == k, one[:, k]) for k in range(3)]) for one in said]
    assert arm.of_seeds == pytest.approx(expected)


def test_the_verdict_on_the_ablation_follows_the_interval():
    """Helped, harmed, or no difference that could be shown."""

    def verdict(low: float, high: float) -> str:
        return verdict_on_ablation(Estimate("AUC difference", (low + high) / 2, low, high, 80, "image", "method"))

    assert "helped" in verdict(0.01, 0.05)
    assert "harmed" in verdict(-0.05, -0.01)
    assert "risen by up to 0.020 or fallen by up to 0.010" in verdict(-0.01, 0.02)
