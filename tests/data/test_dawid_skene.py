"""Error rates of readers are found from their answers alone."""

import numpy as np
import pytest

from lucency.data.ground_truth.dawid_skene import dawid_skene


def counts_of(answers: np.ndarray, n_levels: int) -> np.ndarray:
    """Count answers, axes (image, reader), −1 where a reader did not see the image."""
    return (answers[:, :, None] == np.arange(n_levels)).astype(np.uint8)


def simulated(n_images: int, right: list[float], n_levels: int = 2, share_seen: float = 1.0, seed: int = 1):
    """Draw what images show and what readers say who are right so often."""
    draw = np.random.default_rng(seed)
    truth = draw.integers(0, n_levels, n_images)
    answers = np.empty((n_images, len(right)), int)
    for reader, share in enumerate(right):
        wrong = (truth + draw.integers(1, n_levels, n_images)) % n_levels
        answers[:, reader] = np.where(draw.random(n_images) < share, truth, wrong)
    answers[draw.random(answers.shape) > share_seen] = -1
    return truth, counts_of(answers, n_levels)


def as_the_paper_says(counts: np.ndarray, n_iterations: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    """Run the equations of the paper one image and one reader at a time, without any shortcut."""
    n_images, n_readers, n_levels = counts.shape
    shown = np.array([image.sum(axis=0) / image.sum() for image in counts])
    for _ in range(n_iterations):
        prevalence = shown.mean(axis=0)
        confusion = np.zeros((n_readers, n_levels, n_levels))
        for reader in range(n_readers):
            for level in range(n_levels):
                given = sum(shown[image, level] * counts[image, reader] for image in range(n_images))
                confusion[reader, level] = given / given.sum()
        log_likelihood = 0.0
        for image in range(n_images):
            joint = prevalence.copy()
            for reader in range(n_readers):
                for answer in range(n_levels):
                    joint *= confusion[reader, :, answer] ** counts[image, reader, answer]
            log_likelihood += np.log(joint.sum())
            shown[image] = joint / joint.sum()
    return shown, prevalence, confusion, log_likelihood


@pytest.mark.parametrize(("n_levels", "share_seen"), [(2, 1.0), (3, 0.7)])
def test_it_equals_the_equations_written_out(n_levels, share_seen):
    """Counting equal answers together must not change a digit."""
    _, counts = simulated(80, [0.9, 0.8, 0.7, 0.85], n_levels, share_seen)
    counts = counts[counts.any(axis=(1, 2))]
    fit = dawid_skene(counts)
    shown, prevalence, confusion, log_likelihood = as_the_paper_says(counts, len(fit.log_likelihood))
    assert np.allclose(fit.probability, shown, atol=1e-10)
    assert np.allclose(fit.prevalence, prevalence, atol=1e-10)
    assert np.allclose(fit.confusion, confusion, atol=1e-10)
    assert fit.log_likelihood[-1] == pytest.approx(log_likelihood, abs=1e-8)


def test_it_finds_the_error_rates_and_beats_the_majority():
    """One careful reader among careless ones is heard; a majority drowns them."""
    truth, counts = simulated(5_000, [0.97, 0.6, 0.6, 0.6, 0.9], share_seen=0.9)
    fit = dawid_skene(counts)
    assert np.allclose(fit.confusion[:, 0, 0], [0.97, 0.6, 0.6, 0.6, 0.9], atol=0.03)
    votes = counts.sum(axis=1)
    is_read = votes.sum(axis=1) > 0
    half_for_ties = np.where(votes[:, 0] == votes[:, 1], 0.5, votes.argmax(axis=1) == truth)
    right = fit.probability.argmax(axis=1) == truth
    assert right[is_read].mean() > half_for_ties[is_read].mean() + 0.08
    assert fit.notes == ()


def test_the_likelihood_never_falls():
    """The one promise of expectation and maximisation."""
    for seed in range(20):
        _, counts = simulated(60, [0.9, 0.7, 0.55], 3, 0.8, seed)
        history = dawid_skene(counts).log_likelihood
        assert (np.diff(history) > -1e-9).all()


def test_images_that_nobody_read_have_no_probability():
    """And do not move the estimate of the others."""
    _, counts = simulated(50, [0.9, 0.8, 0.8])
    alone = dawid_skene(counts)
    fit = dawid_skene(np.concatenate([np.zeros((3, 3, 2), np.uint8), counts]))
    assert np.isnan(fit.probability[:3]).all()
    assert np.array_equal(fit.probability[3:], alone.probability)
    nothing = dawid_skene(np.zeros((4, 3, 2), np.uint8))
    assert np.isnan(nothing.probability).all()
    assert nothing.is_converged


def test_what_cannot_be_known_is_noted():
    """Two readers cannot tell whose error a disagreement is, nor can a handful of images."""
    _, counts = simulated(200, [0.9, 0.8])
    assert any("three readers" in note for note in dawid_skene(counts).notes)
    _, counts = simulated(12, [0.9, 0.8, 0.8])
    assert any("fewer than 10 images" in note for note in dawid_skene(counts).notes)


def test_a_level_that_nobody_named_has_no_error_rates():
    """Rates of something that was never seen would be made up."""
    _, counts = simulated(100, [0.9, 0.8, 0.8])
    fit = dawid_skene(np.concatenate([counts, np.zeros((100, 3, 1), np.uint8)], axis=2))
    assert fit.prevalence[2] == 0
    assert np.isnan(fit.confusion[:, 2]).all()


def test_probabilities_mean_what_they_say():
    """Networks may learn from them: of images that are given about 95 % nearly as many show the level."""
    truth, counts = simulated(6000, [0.9, 0.8, 0.75, 0.7, 0.65], share_seen=0.9, seed=2)
    told = dawid_skene(counts).probability[:, 1]
    likely = (told > 0.9) & (told < 0.99)
    assert likely.sum() > 200
    assert (truth[likely] == 1).mean() == pytest.approx(told[likely].mean(), abs=0.03)


def test_what_is_even_is_even_in_any_order():
    """Readers who cancel each other out leave an image open; the rounding of sums must not decide."""
    answers = np.array([[0, 0, 0, -1], [-1, -1, 0, 1], [-1, 1, 1, 0], [0, -1, 1, 0], [1, -1, -1, 1]])
    expected = dawid_skene(counts_of(answers, 2)).probability
    draw = np.random.default_rng(1)
    for _ in range(50):
        images, readers = draw.permutation(5), draw.permutation(4)
        turned = dawid_skene(counts_of(answers[images][:, readers], 2)).probability
        assert turned == pytest.approx(expected[images], abs=1e-6)
