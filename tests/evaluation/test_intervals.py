import numpy as np
import pytest
from statsmodels.stats.proportion import proportion_confint

from lucency.evaluation.intervals import (
    clopper_pearson,
    effective_count,
    mean_of_proportions,
    patient_codes,
    proportion,
    wilson,
)


@pytest.mark.parametrize("level", [0.8, 0.95, 0.99])
def test_intervals_equal_statsmodels(level):
    """Every count of every small sample."""
    for trials in (1, 2, 7, 30):
        for successes in range(trials + 1):
            for ours, method in ((wilson, "wilson"), (clopper_pearson, "beta")):
                expected = proportion_confint(successes, trials, 1 - level, method)
                assert ours(successes, trials, level) == pytest.approx(expected, abs=1e-9)


def test_one_image_per_patient_is_plain_wilson():
    """Patients with one image each are independent, whatever their names."""
    hits = np.arange(30) < 20
    estimate = proportion("sensitivity", hits, patient_codes([f"p{i}" for i in range(30)]))
    assert (estimate.low, estimate.high) == wilson(20, 30)
    assert (estimate.numerator, estimate.denominator) == (20, 30)
    assert estimate.method == "Wilson 1927"
    assert estimate.n_clusters is None


def test_copies_of_images_do_not_narrow_the_interval():
    """Four copies of each of 40 images are worth 40 images, less what it costs to learn that."""
    hits = np.arange(40) < 30
    count = effective_count(np.tile(hits, 4), np.tile(np.arange(40), 4))
    assert 36 < count.n < 40
    estimate = proportion("sensitivity", np.tile(hits, 4), np.tile(np.arange(40), 4))
    low, high = wilson(30, 40)
    assert estimate.high - estimate.low >= high - low
    assert estimate.n_clusters == 40
    assert "Rao & Scott 1992" in estimate.method


def test_design_effect_is_never_taken_below_one():
    """Patients who are all alike by chance do not make more images out of fewer."""
    hits = np.tile([True, False], 50)
    assert effective_count(hits, np.repeat(np.arange(50), 2)).n < 100


def test_without_a_miss_each_patient_counts_once():
    """Twenty hits in five patients cannot tell twenty independent hits from five."""
    estimate = proportion("sensitivity", np.ones(20, bool), np.repeat(np.arange(5), 4))
    assert estimate.value == 1.0
    assert (estimate.low, estimate.high) == wilson(5, 5)
    assert "Only 5 patients" in estimate.note


def test_one_patient_gives_no_interval():
    """Nothing can be said about other patients."""
    estimate = proportion("sensitivity", np.array([True, False, True]), np.zeros(3, int))
    assert estimate.value == pytest.approx(2 / 3)
    assert estimate.low is None
    assert "one patient" in estimate.note


def test_nothing_to_count_gives_no_value():
    """Zero of zero is not a number."""
    estimate = proportion("sensitivity", np.zeros(0, bool))
    assert estimate.value is None
    assert estimate.note


def test_clopper_pearson_is_an_option_that_names_itself():
    """A reader sees which interval it is."""
    estimate = proportion("sensitivity", np.arange(30) < 20, interval=clopper_pearson)
    assert (estimate.low, estimate.high) == clopper_pearson(20, 30)
    assert estimate.method == "Clopper–Pearson 1934"


def test_mean_of_two_equal_proportions_is_surer_than_either():
    """Independent errors partly cancel: with equal parts the width falls by √2."""
    hits = np.tile(np.arange(50) < 25, 2)
    one = proportion("sensitivity", hits[:50])
    mean = mean_of_proportions("balanced accuracy", hits, np.repeat([0, 1], 50))
    assert mean.value == 0.5
    assert mean.high - mean.low == pytest.approx((one.high - one.low) / np.sqrt(2))


def test_shared_patients_widen_the_mean():
    """When the same patients are right in both classes, the errors no longer cancel."""
    right = np.random.default_rng(1).random(60) < 0.7
    hits, strata = np.tile(right, 2), np.repeat([0, 1], 60)
    apart = mean_of_proportions("balanced accuracy", hits, strata)
    together = mean_of_proportions("balanced accuracy", hits, strata, np.tile(np.arange(60), 2))
    assert together.high - together.low == pytest.approx((apart.high - apart.low) * np.sqrt(2), rel=1e-6)
