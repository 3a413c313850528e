"""Estimates over cases: averages, intervals over patients, groups, structures, and what is left out."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from scipy.stats import bootstrap

from lucency.evaluation.overlap.averages import MEAN, MEDIAN, QUARTILES, Column, estimate_averages
from lucency.evaluation.overlap.case import Case, CaseResult, measure_case
from lucency.evaluation.overlap.summary import FALSE_ALARMS, MISSED, summarise


def case(number, overlap=8, n_truth=10, n_predicted=10, structure="lesion", group="", patient=None):
    """Make a row of the table of cases from its counts."""
    return CaseResult(
        f"image {number:03}",
        f"patient {number if patient is None else patient:03}",
        structure,
        group,
        n_truth,
        n_predicted,
        overlap,
        float(n_truth),
        float(n_predicted),
        "pixels",
        dice=2 * overlap / (n_truth + n_predicted) if n_truth + n_predicted else None,
        jaccard=overlap / (n_truth + n_predicted - overlap) if n_truth + n_predicted else None,
        sensitivity=overlap / n_truth if n_truth else None,
        precision=overlap / n_predicted if n_predicted else None,
        hausdorff=float(12 - overlap) if n_truth and n_predicted else None,
        hausdorff_95=float(10 - overlap) if n_truth and n_predicted else None,
        average_surface_distance=1.0 if n_truth and n_predicted else None,
        surface_dice=overlap / 10 if n_truth + n_predicted else None,
        tolerance=1.0,
        distance_unit="pixels",
    )


def found(results, name, group="lesion"):
    [estimate] = [one for one in summarise(results) if (one.name, one.group) == (name, group)]
    return estimate


STATISTICS = (np.mean, np.median, partial(np.quantile, q=0.25), partial(np.quantile, q=0.75))
VARIED = [case(number, overlap=number % 9 + 1) for number in range(60)]


def test_mean_median_and_quartiles_are_numpys():
    """NumPy is the independent implementation, quartiles included."""
    dice = [one.dice for one in VARIED]
    assert found(VARIED, "mean Dice").value == pytest.approx(np.mean(dice))
    assert found(VARIED, "median Dice").value == pytest.approx(np.median(dice))
    assert found(VARIED, "lower quartile of Dice").value == pytest.approx(np.quantile(dice, 0.25))
    assert found(VARIED, "upper quartile of Dice").value == pytest.approx(np.quantile(dice, 0.75))


@pytest.mark.parametrize(("average", "statistic"), list(zip((MEAN, MEDIAN, *QUARTILES), STATISTICS, strict=True)))
def test_intervals_agree_with_scipys_bca(average, statistic):
    """SciPy's BCa bootstrap draws other numbers, so both ends agree to the noise of resampling."""
    values = 1 - np.random.default_rng(3).gamma(2, 0.1, 81)
    theirs = bootstrap((values,), statistic, n_resamples=4000, method="BCa", rng=np.random.default_rng(1))
    [ours] = estimate_averages([(Column("Dice", values[:, None]), average)], np.arange(81), "lesion", 0.95, 0)
    assert (ours.low, ours.high) == pytest.approx(tuple(theirs.confidence_interval), abs=0.015)


def test_quantiles_of_resamples_are_those_of_the_images_drawn():
    """Weights stand for images that were drawn several times; writing them out must give the same number."""
    values, weights = np.array([0.2, 0.9, np.nan, 0.4]), np.array([[2, 1, 3, 0], [0, 0, 1, 4], [1, 1, 1, 1]])
    column = Column("Dice", values[:, None])
    for average, share in zip((MEDIAN, *QUARTILES), (0.5, 0.25, 0.75), strict=True):
        written_out = [np.nanquantile(np.repeat(values, row), share) for row in weights]
        assert average.of(column.values, weights) == pytest.approx(written_out)
    assert MEAN.of(column.values, weights) == pytest.approx([np.nanmean(np.repeat(values, row)) for row in weights])


def test_images_of_one_patient_are_drawn_together():
    """Every image twice under its patient: the mean is the same, and so is the interval, not one narrower by √2."""
    twice = VARIED + [replace(one, image_id=f"{one.image_id} again") for one in VARIED]
    once, doubled = found(VARIED, "mean Dice"), found(twice, "mean Dice")
    assert doubled.n_clusters == 60
    assert doubled.high - doubled.low == pytest.approx(once.high - once.low, rel=0.08)


def test_both_empty_never_counts_as_one():
    """Thirty normal images, rightly left unmarked, must not lift the mean Dice of the lesions."""
    normal = [case(100 + number, 0, 0, 0) for number in range(30)]
    estimate = found([*VARIED, *normal], "mean Dice")
    assert (estimate.value, estimate.n) == (found(VARIED, "mean Dice").value, 60)
    assert "30 without anything to find left out" in estimate.note
    assert found([*VARIED, *normal], FALSE_ALARMS).numerator == 0


def test_missed_structures_count_as_no_overlap_and_have_no_distance():
    """Who finds only the easy half would otherwise have the best mean."""
    missed = [case(200 + number, 0, 10, 0) for number in range(20)]
    results = [*VARIED, *missed]
    assert found(results, "mean Dice").value == pytest.approx(found(VARIED, "mean Dice").value * 60 / 80)
    assert "20 missed altogether count as 0" in found(results, "mean Dice").note
    distance = found(results, "mean HD95 (pixels)")
    assert (distance.value, distance.n) == (found(VARIED, "mean HD95 (pixels)").value, 60)
    assert "20 missed altogether have no value" in distance.note
    assert found(results, "mean area difference (pixels)").value == pytest.approx(-10 * 20 / 80)
    assert (found(results, MISSED).numerator, found(results, MISSED).denominator) == (20, 80)


def test_false_alarms_are_a_proportion_of_images_without_anything():
    """Their Dice is 0, but it speaks of another question than the overlap of lesions."""
    results = [*VARIED, *[case(300 + n, 0, 0, 5 if n < 3 else 0) for n in range(10)]]
    alarms = found(results, FALSE_ALARMS)
    assert (alarms.numerator, alarms.denominator) == (3, 10)
    assert found(results, "mean Dice").n == 60


def test_structures_count_alike_in_their_mean():
    """Ten cases of one structure and sixty of another: the mean of both is that of their means."""
    rare = [case(number, 2, structure="nodule") for number in range(10)]
    both = found([*VARIED, *rare], "mean Dice", "all structures")
    assert both.value == pytest.approx((np.mean([one.dice for one in VARIED]) + 0.2) / 2)
    assert both.n == 60, "images, not structures"


def test_groups_are_told_apart():
    """Benign and malignant lesions differ; a single group is no group."""
    results = [replace(one, group="benign" if n < 30 else "malignant") for n, one in enumerate(VARIED)]
    benign = found(results, "mean Dice", "lesion: benign")
    assert benign.value == pytest.approx(np.mean([one.dice for one in VARIED[:30]]))
    assert {one.group for one in summarise(results[:30])} == {"lesion"}


def test_pixels_and_millimetres_do_not_mix():
    """Most cases are in pixels; one in millimetres is left out and counted."""
    truth = np.zeros((20, 20), bool)
    truth[5:9, 5:9] = True
    other = measure_case(Case("x", "y", "lesion", truth, truth, (0.5, 0.5)))
    estimate = found([*VARIED, other], "mean Dice")
    assert estimate.n == 60
    assert "1 in another unit left out" in estimate.note


def test_the_order_of_the_table_changes_no_bit():
    """Results must not depend on which image was measured first."""
    assert summarise(VARIED) == summarise(VARIED[::-1])


def test_a_perfect_result_has_no_interval_and_says_why():
    """No resample can differ; an interval from 1 to 1 would claim certainty."""
    perfect = found([case(number, 10) for number in range(40)], "mean Dice")
    assert (perfect.value, perfect.low) == (1, None)
    assert "All resamples agree" in perfect.note


@pytest.mark.parametrize("results", [[], [case(1, 0, 0, 0)], [case(1)], [case(1, 0, 10, 0)]])
def test_too_few_cases_give_numbers_without_intervals_or_none(results):
    """No case, nothing to find, one case, one case missed: never a crash, never an invented interval."""
    for estimate in summarise(results):
        assert estimate.low is None or estimate.name in (MISSED, FALSE_ALARMS)


def test_agreement_of_areas_is_blands_and_altmans():
    """The limits stand around the mean difference, 1.96 standard deviations away."""
    results = [case(number, 8, 10, 8 + number % 5) for number in range(40)]
    differences = np.array([one.size_difference for one in results])
    assert found(results, "bias of area (pixels)").value == pytest.approx(differences.mean())
    upper = found(results, "upper limit of agreement of area (pixels)").value
    assert upper == pytest.approx(differences.mean() + 1.959964 * differences.std(ddof=1))


def test_several_averages_share_their_resamples():
    """A column alone gives the interval that it has among others."""
    values = np.array([[one.dice] for one in VARIED])
    patients = np.arange(60)
    alone = estimate_averages([(Column("Dice", values), MEAN)], patients, "lesion", 0.95, 0)[0]
    assert (alone.low, alone.high) == (found(VARIED, "mean Dice").low, found(VARIED, "mean Dice").high)
