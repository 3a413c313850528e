"""Properties that every evaluation has, whatever the data."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from lucency.domain.evaluation_plan import Threshold
from lucency.domain.plan import Evaluation
from lucency.domain.predictions import Predictions
from lucency.evaluation.classification import evaluate_classification
from lucency.evaluation.discrimination import auc, auc_covariance, auc_estimate, macro_auc
from lucency.evaluation.intervals import clopper_pearson, wilson
from lucency.evaluation.operating_point import choose_operating_point

pytestmark = pytest.mark.filterwarnings("error")  # a division by zero must not hide behind a warning


@st.composite
def samples(draw):
    """Images with ties among their scores, in patients with one or several of them; both classes are present."""
    n = draw(st.integers(4, 40))
    targets = np.array(draw(st.lists(st.integers(0, 1), min_size=n, max_size=n)))
    assume(0 < targets.sum() < n)
    scores = np.array(draw(st.lists(st.integers(0, 8), min_size=n, max_size=n))) / 8
    patients = np.array(draw(st.lists(st.integers(0, draw(st.integers(1, n))), min_size=n, max_size=n)))
    return targets, scores, patients


@st.composite
def tables(draw):
    """Predictions for two to four classes, possibly with absent classes, ties, and several images per patient."""
    n_classes = draw(st.integers(2, 4))
    n = draw(st.integers(0, 25))
    targets = np.array(draw(st.lists(st.integers(0, n_classes - 1), min_size=n, max_size=n)), np.int64)
    votes = draw(st.lists(st.lists(st.integers(0, 4), min_size=n_classes, max_size=n_classes), min_size=n, max_size=n))
    votes = np.array(votes, float).reshape(n, n_classes) + 0.01 * draw(st.integers(0, 1))
    totals = votes.sum(axis=1, keepdims=True)
    probabilities = np.where(totals > 0, votes / np.where(totals > 0, totals, 1), 1 / n_classes)
    n_patients = draw(st.integers(1, max(1, n)))
    patients = draw(st.lists(st.integers(0, n_patients), min_size=n, max_size=n))
    ids = tuple(f"image {i}" for i in range(n))
    classes = tuple("abcd"[:n_classes])
    return Predictions("tuning", "ensemble", classes, ids, tuple(f"p{p}" for p in patients), targets, probabilities)


@given(samples())
def test_reversed_scores_give_the_mirrored_auc(sample):
    """Calling disease health must turn the area and its interval around one half."""
    targets, scores, patients = sample
    forward, backward = auc_estimate(targets, scores, patients), auc_estimate(targets, -scores, patients)
    assert backward.value == pytest.approx(1 - forward.value, abs=1e-12)
    assert backward.low == pytest.approx(1 - forward.high, abs=1e-9)
    assert backward.high == pytest.approx(1 - forward.low, abs=1e-9)


@given(samples())
def test_monotone_transforms_change_nothing(sample):
    """Only the order of the scores carries information."""
    targets, scores, patients = sample
    assert auc_estimate(targets, np.exp(3 * scores) - 7, patients) == auc_estimate(targets, scores, patients)


@given(samples(), st.randoms(use_true_random=False))
def test_order_of_rows_changes_nothing(sample, random):
    """A table has no order."""
    targets, scores, patients = sample
    order = list(range(targets.size))
    random.shuffle(order)
    first, second = (
        auc_estimate(targets, scores, patients),
        auc_estimate(targets[order], scores[order], patients[order]),
    )
    assert first.value == second.value
    assert (first.low, first.high) == pytest.approx((second.low, second.high), abs=1e-9)
    assert first.method == second.method


@given(samples())
def test_images_entered_twice_do_not_sharpen_the_interval(sample):
    """A copy of an image inside its patient brings no information."""
    targets, scores, patients = sample
    once, variance = auc_covariance(targets, scores[:, None], patients)
    twice, same = auc_covariance(np.tile(targets, 2), np.tile(scores, 2)[:, None], np.tile(patients, 2))
    assert twice[0] == once[0]
    np.testing.assert_allclose(same, variance, atol=1e-12)


@given(samples())
def test_singletons_have_delongs_variance(sample):
    """Obuchowski's variance is DeLong's when every patient has one image."""
    targets, scores, _ = sample
    assume(1 < targets.sum() < targets.size - 1)
    with_finding, without = scores[targets == 1], scores[targets == 0]
    won = (with_finding[:, None] > without) + 0.5 * (with_finding[:, None] == without)
    delong = won.mean(axis=1).var(ddof=1) / with_finding.size + won.mean(axis=0).var(ddof=1) / without.size
    value, variance = auc_covariance(targets, scores[:, None], np.arange(targets.size))
    assert value[0] == pytest.approx(won.mean(), abs=1e-12)
    assert variance[0, 0] == pytest.approx(delong, abs=1e-12)


@given(samples())
def test_two_classes_have_one_auc(sample):
    """With two classes the macro average is the AUC, and so is its interval."""
    targets, scores, patients = sample
    binary = auc_estimate(targets, scores, patients)
    macro = macro_auc(targets, np.stack([1 - scores, scores], axis=1), patients)
    assert macro.value == pytest.approx(binary.value, abs=1e-12)
    assert (macro.low, macro.high) == pytest.approx((binary.low, binary.high), abs=1e-9)


@given(st.integers(1, 500), st.floats(0, 1), st.floats(0.6, 0.999))
def test_intervals_of_a_proportion_contain_it(trials, share, level):
    """Wilson's and Clopper–Pearson's limits stand on both sides of the proportion, within 0 and 1."""
    successes = round(share * trials)
    for interval in (wilson, clopper_pearson):
        low, high = interval(successes, trials, level)
        assert 0 <= low <= successes / trials <= high <= 1


@settings(deadline=None, max_examples=60)
@given(tables())
def test_every_estimate_is_a_number_in_its_interval_or_says_why_not(table):
    """No NaN, no infinity, no interval that misses its value, whatever is absent from the data."""
    two_classes = len(table.classes) == 2 and len(set(table.targets.tolist())) == 2
    point = choose_operating_point(table, Threshold()) if two_classes else None
    for estimate in evaluate_classification(table, point, Evaluation(prevalence=0.1)):
        if estimate.value is None:
            assert estimate.note
            assert estimate.low is None
            assert estimate.high is None
            continue
        assert np.isfinite(estimate.value)
        if estimate.low is None or estimate.high is None:
            assert estimate.note
            continue
        assert estimate.low <= estimate.value <= estimate.high
        if not estimate.name.startswith("calibration"):
            assert estimate.low >= 0
            assert estimate.high <= (2 if estimate.name == "Brier score" else 1)


@given(samples(), st.sampled_from(["youden", "sensitivity", "specificity"]), st.sampled_from([0.0, 0.5, 0.8, 0.9, 1.0]))
def test_no_threshold_is_better_than_the_chosen_one(sample, rule, wanted):
    """The operating point is the best of all that could be tried, and keeps its promise."""
    targets, scores, _ = sample
    ids = tuple(map(str, range(targets.size)))
    probabilities = np.stack([1 - scores, scores], axis=1)
    tuning = Predictions("tuning", "ensemble", ("no", "yes"), ids, ids, targets, probabilities)
    settings = Threshold(rule=rule, value=None if rule == "youden" else wanted)
    point = choose_operating_point(tuning, settings)
    assert point is not None

    def reached(threshold: float) -> tuple[float, float]:
        called = scores >= threshold
        return called[targets == 1].mean(), (~called[targets == 0]).mean()

    assert (point.sensitivity, point.specificity) == pytest.approx(reached(point.threshold))
    for other in np.linspace(-0.05, 1.05, 45):
        sensitivity, specificity = reached(other)
        if rule == "youden":
            assert sensitivity + specificity <= point.sensitivity + point.specificity + 1e-12
        elif rule == "sensitivity":
            assert point.sensitivity >= wanted
            assert sensitivity < wanted or specificity <= point.specificity
        else:
            assert point.specificity >= wanted
            assert specificity < wanted or sensitivity <= point.sensitivity


@given(samples())
def test_auc_is_the_share_of_pairs_ranked_rightly(sample):
    """The definition, pair by pair."""
    targets, scores, _ = sample
    pairs = [(a > b) + 0.5 * (a == b) for a in scores[targets == 1] for b in scores[targets == 0]]
    assert auc(targets, scores) == pytest.approx(np.mean(pairs), abs=1e-12)
