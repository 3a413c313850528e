import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score
from sklearn.metrics import roc_curve as sklearn_roc_curve

from lucency.errors import StudyError
from lucency.evaluation.discrimination import (
    auc,
    auc_covariance,
    auc_estimate,
    average_precision,
    hanley_mcneil_variance,
    macro_auc,
    midpoints,
    newcombe,
    roc_band,
    roc_curve,
)


@pytest.fixture
def random():
    return np.random.default_rng(20200101)


def draw(random, n=300, prevalence=0.3, shift=1.2):
    """Draw scores with many ties."""
    targets = (random.random(n) < prevalence).astype(np.int64)
    return targets, np.round(random.normal(size=n) + shift * targets, 1)


def test_auc_equals_scikit_learns(random):
    """Two programs, one number, ties and all."""
    for _ in range(20):
        targets, scores = draw(random)
        assert auc(targets, scores) == pytest.approx(roc_auc_score(targets, scores), abs=1e-12)


def test_macro_auc_equals_scikit_learns(random):
    """One-versus-rest, unweighted."""
    targets = random.integers(0, 4, 300)
    probabilities = random.dirichlet(np.ones(4), 300) + np.eye(4)[targets]
    probabilities = np.round(probabilities / probabilities.sum(axis=1, keepdims=True), 2)
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    expected = roc_auc_score(targets, probabilities, multi_class="ovr", average="macro")
    assert macro_auc(targets, probabilities).value == pytest.approx(expected, abs=1e-12)


def test_clustered_variance_is_obuchowskis_formula(random):
    """The formulas of Obuchowski 1997, written out with loops, on patients who have both kinds of image."""
    targets, scores = draw(random, 120)
    patients = random.integers(0, 40, 120)
    with_finding, without = scores[targets == 1], scores[targets == 0]
    won = (with_finding[:, None] > without) + 0.5 * (with_finding[:, None] == without)
    value, m, n = won.mean(), with_finding.size, without.size
    v10, v01 = won.mean(axis=1), won.mean(axis=0)
    of_positive, of_negative = patients[targets == 1], patients[targets == 0]
    s10 = s01 = s11 = 0.0
    for patient in np.unique(patients):
        a = (v10[of_positive == patient] - value).sum()
        b = (v01[of_negative == patient] - value).sum()
        s10, s01, s11 = s10 + a**2, s01 + b**2, s11 + a * b
    i, j, k = np.unique(of_positive).size, np.unique(of_negative).size, np.unique(patients).size
    variance = s10 * i / ((i - 1) * m) / m + s01 * j / ((j - 1) * n) / n + 2 * s11 * k / (k - 1) / (m * n)
    aucs, covariance = auc_covariance(targets, scores[:, None], patients)
    assert aucs[0] == pytest.approx(value, abs=1e-12)
    assert covariance[0, 0] == pytest.approx(variance, abs=1e-15)


def test_variance_of_the_macro_average_is_its_spread_over_samples(random):
    """The interval of the macro average must count that the classes' curves depend on each other."""
    values, variances = [], []
    for _ in range(600):
        targets = random.integers(0, 3, 120)
        patients = np.arange(120) // 2
        feature = np.eye(3)[targets] + random.normal(size=(60, 3))[patients] + random.normal(size=(120, 3))
        probabilities = np.exp(feature) / np.exp(feature).sum(axis=1, keepdims=True)
        estimate = macro_auc(targets, probabilities, patients)
        values.append(estimate.value)
        logit_error = (np.log(estimate.high / (1 - estimate.high)) - np.log(estimate.low / (1 - estimate.low))) / 2
        variances.append((logit_error / 2.0 * estimate.value * (1 - estimate.value)) ** 2)  # t is close to 2 here
    assert np.mean(variances) == pytest.approx(np.var(values, ddof=1), rel=0.15)


def test_perfect_separation_has_an_honest_interval():
    """An AUC of 1 on 20 images is not certainty: DeLong's variance is zero there, and Newcombe's interval is not."""
    targets = np.repeat([0, 1], 10)
    perfect, reversed_ = auc_estimate(targets, targets * 1.0), auc_estimate(targets, -targets * 1.0)
    assert (perfect.value, perfect.high) == (1.0, 1.0)
    assert perfect.low == pytest.approx(0.80021, abs=1e-5)
    assert (reversed_.low, reversed_.value) == (0.0, 0.0)
    assert reversed_.high == pytest.approx(1 - perfect.low)
    assert "Newcombe" in perfect.method
    assert perfect.note


def test_more_images_of_the_same_patients_do_not_make_a_perfect_auc_surer():
    """Each patient counts once where the resemblance of a patient's images cannot be seen."""
    targets = np.repeat([0, 1], 10)
    once = auc_estimate(targets, targets * 1.0)
    often = auc_estimate(np.tile(targets, 5), np.tile(targets, 5) * 1.0, np.tile(np.arange(20), 5))
    assert often.low == pytest.approx(once.low)
    assert often.n_clusters == 20


def test_newcombes_limits_are_one_score_away():
    """At a limit, the value is z standard errors away, with the mean number in the shape of the variance."""
    for value, m, n in ((0.7, 20, 50), (0.95, 8, 90), (0.5, 10, 10)):
        mean = (m + n) / 2
        for limit in newcombe(value, m, n):
            error = np.sqrt(hanley_mcneil_variance(limit, mean, mean) * mean**2 / (m * n))
            assert abs(value - limit) / error == pytest.approx(1.959964, abs=1e-5)


def test_absent_class_gives_no_value_and_a_reason():
    """Never NaN."""
    for targets in (np.zeros(5, int), np.ones(5, int), np.zeros(0, int)):
        estimate = auc_estimate(targets, np.linspace(0, 1, targets.size))
        assert estimate.value is None
        assert "not defined" in estimate.note


def test_single_number_refuses_an_absent_class():
    """A plain float cannot carry a reason."""
    with pytest.raises(StudyError, match="with and without"):
        auc(np.ones(3, int), np.arange(3.0))
    with pytest.raises(StudyError, match="with and without"):
        roc_curve(np.zeros(3, int), np.arange(3.0))


def test_absent_class_is_left_out_of_the_macro_average(random):
    """The mean goes over the classes that can be judged, and says so."""
    targets = random.integers(0, 2, 60)
    probabilities = random.dirichlet(np.ones(3), 60)
    estimate = macro_auc(targets, probabilities)
    both = [auc(targets == k, probabilities[:, k]) for k in (0, 1)]
    assert estimate.value == pytest.approx(np.mean(both))
    assert "2 of 3 classes" in estimate.note


def test_perfect_macro_average_has_an_honest_interval():
    """Three classes told apart without error on 15 images leave room for doubt."""
    targets = np.repeat([0, 1, 2], 5)
    estimate = macro_auc(targets, np.eye(3)[targets] * 0.8 + 0.2 / 3)
    assert estimate.value == 1.0
    assert estimate.low < 0.85
    assert estimate.high == 1.0


def test_clustering_widens_the_interval_and_is_named(random):
    """Five copies of each image are five times the rows and the same knowledge."""
    targets, scores = draw(random, 80)
    naive = auc_estimate(np.tile(targets, 5), np.tile(scores, 5))
    clustered = auc_estimate(np.tile(targets, 5), np.tile(scores, 5), np.tile(np.arange(80), 5))
    assert clustered.high - clustered.low > 1.9 * (naive.high - naive.low)
    assert clustered.method.endswith("clustered by patient (Obuchowski 1997)")
    assert clustered.n_clusters == 80
    assert clustered.n == 400
    assert naive.n_clusters is None


def test_few_units_are_noted(random):
    """Below 30 patients or images in a class an interval is rough, and the reader must know."""
    targets, scores = draw(random, 400)
    assert auc_estimate(targets, scores).note == ""
    assert "patients in the smallest class" in auc_estimate(targets, scores, np.arange(400) // 20).note
    assert "images in the smallest class" in auc_estimate(targets[:60], scores[:60]).note


def test_roc_curve_equals_scikit_learns(random):
    """The same corners, though our thresholds stand between the scores."""
    targets, scores = draw(random)
    curve = roc_curve(targets, scores)
    false_positive_rate, true_positive_rate, _ = sklearn_roc_curve(targets, scores, drop_intermediate=False)
    np.testing.assert_allclose(curve.sensitivity[::-1], true_positive_rate, atol=1e-12)
    np.testing.assert_allclose(1 - curve.specificity[::-1], false_positive_rate, atol=1e-12)
    area = np.trapezoid(curve.sensitivity[::-1], 1 - curve.specificity[::-1])
    assert area == pytest.approx(auc(targets, scores), abs=1e-12)


def test_midpoint_separates_even_neighbouring_numbers():
    """Between two adjacent floating-point numbers the threshold is the upper one, so that both sides stay apart."""
    low = np.float64(0.3)
    high = np.nextafter(low, 1)
    (middle,) = midpoints(np.array([high, low, low]))
    assert low < middle <= high


def test_band_holds_the_curve_and_does_not_collapse(random):
    """A band is pointwise around the sensitivity, and has a width even where the curve is perfect."""
    targets, scores = draw(random, 100)
    band = roc_band(targets, scores)
    curve = roc_curve(targets, scores)
    sensitivity = np.interp(1 - band.specificity, 1 - curve.specificity[::-1], curve.sensitivity[::-1])
    assert (band.low <= sensitivity).all()
    assert (sensitivity <= band.high).all()
    perfect = roc_band(targets, targets * 1.0)
    assert (perfect.low[:-1] < 1).all()


def test_average_precision_equals_scikit_learns(random):
    """No linear interpolation, ties in one step."""
    for _ in range(5):
        targets, scores = draw(random, 120)
        expected = average_precision_score(targets, scores)
        assert average_precision(targets, scores).value == pytest.approx(expected, abs=1e-12)


def test_bootstrap_of_average_precision_resamples_patients(random):
    """Copies of images inside a patient leave the interval as it was; the same seed gives the same limits."""
    targets, scores = draw(random, 80)
    once = average_precision(targets, scores, np.arange(80))
    again = average_precision(targets, scores, np.arange(80))
    copies = average_precision(np.tile(targets, 3), np.tile(scores, 3), np.tile(np.arange(80), 3))
    assert once == again
    assert (copies.low, copies.high) == pytest.approx((once.low, once.high), abs=1e-12)
    assert average_precision(targets, scores, seed=1).low != once.low
