"""The measures of a regression, against SciPy, statsmodels, scikit-learn and numbers worked by hand."""

from dataclasses import replace

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import stats
from sklearn import metrics

from lucency.domain.measurements import Baseline, Measurements
from lucency.domain.regression_plan import Regression
from lucency.errors import StudyError
from lucency.evaluation.correlation import explained_variance, pearson, spearman
from lucency.evaluation.deviation import (
    against_baseline,
    mean_absolute_error,
    median_absolute_error,
    root_mean_squared_error,
    within_tolerance,
)
from lucency.evaluation.mean_calibration import (
    calibration_in_the_large,
    calibration_line,
    concordance,
)
from lucency.evaluation.regression import evaluate_regression


def measured(truth, predicted, patients=None) -> Measurements:
    ids = tuple(f"i{place}" for place in range(len(truth)))
    patients = ids if patients is None else tuple(map(str, patients))
    return Measurements("test", "ensemble", ids, patients, np.array(truth, float), np.array(predicted, float))


def noisy(n: int = 60, seed: int = 1, n_each: int = 1) -> Measurements:
    """Truths between 100 and 500, predicted too near to the middle and with noise that images of a patient share."""
    random = np.random.default_rng(seed)
    truth = random.uniform(100, 500, n)
    shared = np.repeat(random.normal(0, 30, n // n_each), n_each)
    predicted = 300 + 0.7 * (truth - 300) + shared + random.normal(0, 20, n) + 12
    return measured(truth.round(1), predicted.round(1), np.repeat(np.arange(n // n_each), n_each))


@pytest.mark.parametrize("n_each", [1, 3])
def test_values_are_those_of_other_programs(n_each):
    """Whether patients have one image or several changes intervals only."""
    one = noisy(n_each=n_each)
    found = {estimate.name: estimate for estimate in evaluate_regression(one)}
    line = sm.OLS(one.truth, sm.add_constant(one.predicted)).fit()
    of_difference = stats.linregress((one.truth + one.predicted) / 2, one.errors)
    expected = {
        "mean absolute error": metrics.mean_absolute_error(one.truth, one.predicted),
        "root mean squared error": metrics.root_mean_squared_error(one.truth, one.predicted),
        "median absolute error": metrics.median_absolute_error(one.truth, one.predicted),
        "R²": metrics.r2_score(one.truth, one.predicted),
        "Pearson correlation": stats.pearsonr(one.truth, one.predicted).statistic,
        "Spearman correlation": stats.spearmanr(one.truth, one.predicted).statistic,
        "calibration in the large": one.truth.mean() - one.predicted.mean(),
        "calibration intercept": line.params[0],
        "calibration slope": line.params[1],
        "proportional bias": of_difference.slope,
        "bias": one.errors.mean(),
    }
    for name, value in expected.items():
        assert found[name].value == pytest.approx(value, rel=1e-9), name
        assert found[name].low < value < found[name].high, name
        assert found[name].n_clusters == (None if n_each == 1 else 20), name


def test_the_mean_absolute_error_comes_first():
    """The report and the log take the first estimate as the headline."""
    assert evaluate_regression(noisy())[0].name == "mean absolute error"


def test_concordance_is_that_of_lins_formula():
    """Lin 1989: 2 s_xy / (s_x² + s_y² + (x̄ − ȳ)²); a shift of all predictions lowers it and leaves correlation alone."""
    one = noisy()
    by_hand = 2 * np.cov(one.truth, one.predicted, ddof=0)[0, 1]
    by_hand /= one.truth.var() + one.predicted.var() + (one.truth.mean() - one.predicted.mean()) ** 2
    assert concordance(one).value == pytest.approx(by_hand, rel=1e-12)
    shifted = replace(one, predicted=one.predicted + 100)
    assert concordance(shifted).value < by_hand - 0.1
    assert pearson(shifted).value == pytest.approx(pearson(one).value)


def test_intervals_come_near_those_of_large_samples():
    """With many independent images the bootstrap meets Fisher's z and the usual error of a mean."""
    one = noisy(2000, seed=3)
    of_mean = stats.sem(np.abs(one.errors)) * 1.96
    error = mean_absolute_error(one)
    assert (error.value - error.low, error.high - error.value) == pytest.approx((of_mean, of_mean), rel=0.1)
    theirs = stats.pearsonr(one.truth, one.predicted).confidence_interval()
    ours = pearson(one)
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=0.003)
    line = sm.OLS(one.truth, sm.add_constant(one.predicted)).fit(cov_type="HC3").conf_int()
    intercept, slope = calibration_line(one)[1], calibration_line(one)[0]
    assert (slope.low, slope.high) == pytest.approx(tuple(line[1]), abs=0.01)
    assert (intercept.low, intercept.high) == pytest.approx(tuple(line[0]), abs=2)


def test_images_of_one_patient_count_once():
    """The same numbers with three images of each patient: wider intervals than if all were independent."""
    clustered = noisy(300, n_each=3)
    independent = replace(clustered, patient_ids=clustered.image_ids)
    for measure in (mean_absolute_error, calibration_in_the_large):
        together, apart = measure(clustered), measure(independent)
        assert together.value == apart.value
        assert together.high - together.low > 1.1 * (apart.high - apart.low)


def test_the_median_has_the_exact_order_statistics():
    """Conover 1999, table of the sign test: of ten values the 2nd and 9th enclose the median with 97.9 %, of five none do."""
    ten = median_absolute_error(measured(np.zeros(10), np.arange(1, 11)))
    assert (ten.value, ten.low, ten.high) == (5.5, 2, 9)
    five = median_absolute_error(measured(np.zeros(5), np.arange(1, 6)))
    assert (five.value, five.low, five.high) == (3, None, None)


@pytest.mark.parametrize("scale", [1e-9, 1e9])
def test_the_unit_changes_no_conclusion(scale):
    """Lengths in metres and in nanometres: errors scale, shares and correlations stay, intervals too."""
    one = noisy()
    other = replace(one, truth=one.truth * scale, predicted=one.predicted * scale)
    pairs = zip(evaluate_regression(one), evaluate_regression(other), strict=True)
    scales_free = {"R²", "Pearson correlation", "Spearman correlation", "concordance correlation", "calibration slope"}
    scales_free |= {"proportional bias", "ICC(2,1)"}
    for ours, theirs in pairs:
        factor = 1 if ours.name in scales_free else scale
        expected = (ours.value * factor, ours.low * factor, ours.high * factor)
        assert (theirs.value, theirs.low, theirs.high) == pytest.approx(expected, rel=1e-6), ours.name


def test_a_perfect_network_has_no_error():
    """All answers right: errors are 0, correlations 1, and what cannot vary has no interval rather than a false one."""
    perfect = measured(np.arange(40.0), np.arange(40.0))
    found = {estimate.name: estimate for estimate in evaluate_regression(perfect, regression=Regression(tolerance=1))}
    assert found["mean absolute error"].value == 0
    assert found["R²"].value == found["Pearson correlation"].value == found["Spearman correlation"].value == 1
    assert found["concordance correlation"].value == pytest.approx(1)
    assert found["calibration slope"].value == pytest.approx(1)
    assert (found["share within the tolerance"].value, found["share within the tolerance"].high) == (1, 1)
    assert found["mean absolute error"].low is None


def test_one_answer_for_all_has_no_correlation():
    """A network that always says the same: correlation and slope do not exist, and say so."""
    constant = measured(np.arange(40.0), np.full(40, 7.0))
    for estimate in (pearson(constant), spearman(constant), *calibration_line(constant)):
        assert (estimate.value, estimate.low, estimate.high) == (None, None, None), estimate.name
        assert estimate.note
    assert explained_variance(constant).value < 0


def test_all_truths_alike_are_told():
    """Images of one value: R² has nothing to explain; the errors are measured all the same."""
    alike = measured(np.full(40, 3.0), np.linspace(2, 4, 40))
    assert explained_variance(alike).value is None
    assert mean_absolute_error(alike).value == pytest.approx(np.abs(np.linspace(-1, 1, 40)).mean())


def test_a_single_patient_has_no_interval():
    """Five images of one patient tell nothing of other patients."""
    one = measured([1.0, 2, 3, 4, 5], [1.5, 2, 2.5, 4, 6], ["P"] * 5)
    for estimate in (mean_absolute_error(one), pearson(one), median_absolute_error(one), root_mean_squared_error(one)):
        assert estimate.value is not None
        assert (estimate.low, estimate.high) == (None, None), estimate.name


def test_the_difference_to_a_baseline_is_paired():
    """Always answering 300: the reduction is 1 − MAE / MAE of 300, and the interval follows both together."""
    one = noisy()
    baseline = Baseline("mean of the training part", np.full(60, 300.0))
    simple, gained, share = against_baseline(one, baseline)
    ours, theirs = np.abs(one.errors).mean(), np.abs(one.truth - 300).mean()
    assert simple.value == pytest.approx(theirs)
    assert gained.value == pytest.approx(theirs - ours)
    assert share.value == pytest.approx(1 - ours / theirs)
    assert gained.low > 0
    assert {one.group for one in (simple, gained, share)} == {"against the mean of the training part"}
    same = against_baseline(replace(one, predicted=baseline.predicted), baseline)
    assert same[1].value == same[2].value == 0


def test_the_edge_of_the_tolerance_is_within():
    """An error of exactly 0.1 in decimals is within 0.1, although its last bit says otherwise."""
    estimate = within_tolerance(measured([0.3, 0.3], [0.4, 0.41]), 0.1)
    assert (estimate.numerator, estimate.denominator) == (1, 2)


def test_predictions_that_are_no_numbers_are_refused():
    """A network that ran away must not become a table of NaN."""
    with pytest.raises(StudyError, match="not numbers"):
        evaluate_regression(measured([1.0, 2.0], [1.0, np.nan]))


@pytest.mark.parametrize("n_each", [1, 2])
def test_intervals_hold_the_truth_as_often_as_they_say(n_each):
    """A hundred studies of 60 images: of the 90 % intervals of error, slope and concordance about 90 hold the true value.

    The true values are those of 200,000 images.
    """
    large = noisy(200_000, seed=9)
    truth, predicted = large.truth, large.predicted
    both = np.cov(truth, predicted)
    truths = (
        np.abs(large.errors).mean(),
        both[0, 1] / both[1, 1],
        2 * both[0, 1] / (both[0, 0] + both[1, 1] + large.errors.mean() ** 2),
    )
    hits = np.zeros(3)
    for seed in range(100):
        one = noisy(60, seed=100 + seed, n_each=n_each)
        found = (mean_absolute_error(one, 0.9), calibration_line(one, 0.9)[0], concordance(one, 0.9))
        hits += [estimate.low <= value <= estimate.high for estimate, value in zip(found, truths, strict=True)]
    assert (hits >= 80).all(), hits
