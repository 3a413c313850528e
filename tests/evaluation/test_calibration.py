import numpy as np
import pytest
import statsmodels.api as sm
from scipy.special import expit, logit
from sklearn.metrics import brier_score_loss

from lucency.evaluation.calibration import brier_score, recalibration


@pytest.fixture
def overconfident():
    """400 images whose logits are twice what they should be."""
    random = np.random.default_rng(11)
    truth = random.normal(size=400)
    return random.random(400) < expit(truth - 0.5), expit(2 * truth)


def two_columns(probabilities):
    return np.stack([1 - probabilities, probabilities], axis=1)


def test_recalibration_equals_statsmodels(overconfident):
    """Slope and intercept with their standard errors, model-based."""
    positive, probabilities = overconfident
    linear = logit(probabilities)
    intercept, slope = recalibration(positive, probabilities, np.arange(400))
    full = sm.GLM(positive, sm.add_constant(linear), sm.families.Binomial()).fit()
    offset = sm.GLM(positive, np.ones(400), sm.families.Binomial(), offset=linear).fit()
    assert slope.value == pytest.approx(full.params[1], abs=1e-8)
    assert (slope.low, slope.high) == pytest.approx(tuple(full.conf_int()[1]), abs=1e-6)
    assert intercept.value == pytest.approx(offset.params[0], abs=1e-8)
    assert (intercept.low, intercept.high) == pytest.approx(tuple(offset.conf_int()[0]), abs=1e-6)
    assert slope.high < 1


def test_clustered_errors_equal_the_sandwich_of_statsmodels(overconfident):
    """Liang and Zeger's variance with the correction n / (n − 1) for the number of patients."""
    positive, probabilities = overconfident
    patients = np.arange(400) // 4
    slope = recalibration(positive, probabilities, patients)[1]
    fit = sm.GLM(positive, sm.add_constant(logit(probabilities)), sm.families.Binomial()).fit(
        cov_type="cluster", cov_kwds={"groups": patients, "use_correction": True}, use_t=False
    )
    small_sample = 399 / 398  # statsmodels also multiplies by (n − 1) / (n − k), which Liang and Zeger do not
    error = (slope.high - slope.low) / 2 / 1.9842169515  # t with 99 degrees of freedom
    assert error == pytest.approx(fit.bse[1] / np.sqrt(small_sample), rel=1e-6)
    assert slope.n_clusters == 100


def test_fit_survives_certain_probabilities():
    """Probabilities of exactly 0 and 1, some of them wrong, still have a slope."""
    positive = np.array([0, 0, 0, 1, 1, 1, 0, 1] * 5, bool)
    probabilities = np.array([0, 0, 0.2, 1, 1, 0.7, 1, 0] * 5, float)
    for estimate in recalibration(positive, probabilities, np.arange(40)):
        assert np.isfinite([estimate.value, estimate.low, estimate.high]).all()


def test_full_separation_has_no_slope_and_says_so():
    """The best slope would be infinite."""
    positive = np.repeat([False, True], 20)
    slope = recalibration(positive, np.where(positive, 0.6, 0.4) + np.linspace(0, 0.05, 40), np.arange(40))[1]
    assert slope.value is None
    assert "separated" in slope.note


def test_brier_score_equals_scikit_learns(overconfident):
    """Two classes on the scale 0 to 1."""
    positive, probabilities = overconfident
    estimate = brier_score(positive.astype(int), two_columns(probabilities), np.arange(400))
    assert estimate.value == pytest.approx(brier_score_loss(positive, probabilities))
    assert estimate.low < estimate.value < estimate.high


def test_brier_score_names_the_answer_that_needs_no_image(overconfident):
    """A score means little without that of the prevalence."""
    positive, probabilities = overconfident
    note = brier_score(positive.astype(int), two_columns(probabilities), np.arange(400)).note
    baseline = positive.mean() * (1 - positive.mean())
    assert f"{baseline:.3f}" in note


def test_brier_score_of_more_classes_is_summed():
    """Certain and wrong costs 2."""
    targets = np.zeros(4, int)
    assert brier_score(targets, np.eye(3)[[1, 1, 1, 1]], np.arange(4)).value == 2.0
    assert brier_score(targets, np.eye(3)[[0, 0, 1, 1]], np.arange(4)).value == 1.0
