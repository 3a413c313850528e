"""Coefficients of agreement reproduce published numbers to their printed precision."""

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from statsmodels.stats.inter_rater import fleiss_kappa as statsmodels_fleiss

from evaluation.readings_factory import from_counts, from_table, readings
from lucency.domain.readings import Scale
from lucency.evaluation.agreement.bland_altman import bland_altman
from lucency.evaluation.agreement.cohen import cohen_kappa, kappa_error
from lucency.evaluation.agreement.fleiss import fleiss_kappa
from lucency.evaluation.agreement.intraclass import IccForm, intraclass_correlation
from lucency.evaluation.agreement.krippendorff import krippendorff_alpha
from lucency.evaluation.agreement.weighting import Weighting, agreement_weights

REFERENCE = Path(__file__).parents[3] / "shared" / "reference" / "statistics"
NAN = np.nan


@pytest.mark.parametrize(
    ("weighting", "kappa", "error", "limits"),
    [(Weighting.NONE, 0.4842, 0.1380, (0.2137, 0.7547)), (Weighting.LINEAR, 0.4701, 0.1457, (0.1845, 0.7558))],
)
def test_kappa_and_its_error_are_those_of_sas(weighting, kappa, error, limits):
    """Source: SAS PROC FREQ on a 3 × 3 table of 19 images, printed in statsmodels' tests."""
    table = np.array([[0, 4, 1], [0, 8, 0], [0, 1, 5]])
    estimate = cohen_kappa(from_table(table), "A", "B", weighting)
    ours = kappa_error(table.astype(float), agreement_weights(3, weighting))
    assert estimate.value == pytest.approx(kappa, abs=5e-5)
    assert ours == pytest.approx(error, abs=5e-5)
    assert (estimate.value - 1.959964 * ours, estimate.value + 1.959964 * ours) == pytest.approx(limits, abs=5e-5)
    assert f"Standard error {error:.4f}" in estimate.note


def test_fleiss_thirty_patients():
    """Source: Fleiss 1971, table 1: six psychiatrists, five diagnoses; kappa .430 (.43024)."""
    patients = (
        "444444 222555 233335 555555 222444 113333 333355 113334 114444 555555 144444 124444 222333 144444 224445 333335 "
        "111455 111112 224444 133555 555555 244444 224555 114444 144445 222224 111155 224444 133333 555555"
    )
    diagnoses = [[int(digit) - 1 for digit in patient] for patient in patients.split()]
    assert fleiss_kappa(readings(diagnoses)).value == pytest.approx(0.43024, abs=5e-6)


def test_fourteen_readers_of_ten_images():
    """Source: Wikipedia, "Fleiss' kappa", worked example: .210 (.2099)."""
    counts = [
        [0, 0, 0, 0, 14], [0, 2, 6, 4, 2], [0, 0, 3, 5, 6], [0, 3, 9, 2, 0], [2, 2, 8, 1, 1],
        [7, 7, 0, 0, 0], [3, 2, 6, 3, 0], [2, 5, 3, 2, 2], [6, 5, 2, 1, 0], [0, 2, 2, 3, 7],
    ]  # fmt: skip
    assert fleiss_kappa(_wide(counts)).value == pytest.approx(0.2099, abs=5e-5)


def _wide(counts):
    """More readers than letters."""
    rows = [np.repeat(np.arange(5.0), row) for row in counts]
    made = readings(np.array(rows)[:, :8], n_levels=5)
    return replace(made, values=np.array(rows), readers=tuple(f"reader {place}" for place in range(14)))


THREE_READERS = np.array(
    [
        [NAN, NAN, NAN, NAN, NAN, 3, 4, 1, 2, 1, 1, 3, 3, NAN, 3],
        [1, NAN, 2, 1, 3, 3, 4, 3, NAN, NAN, NAN, NAN, NAN, NAN, NAN],
        [NAN, NAN, 2, 1, 3, 4, 4, NAN, 2, 1, 1, 3, 3, NAN, 4],
    ]
).T
FOUR_READERS = np.array(
    [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, NAN, NAN, NAN],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, NAN, 3],
        [NAN, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, NAN],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, NAN],
    ]
).T


@pytest.mark.parametrize(
    ("scale", "alpha"),
    [(Scale.NOMINAL, 0.691358), (Scale.ORDINAL, 0.80672), (Scale.INTERVAL, 0.810845), (Scale.RATIO, 0.80894)],
)
def test_three_readers_with_missing_readings(scale, alpha):
    """Source: Wikipedia, "Krippendorff's alpha", worked example of 15 units (nominal .691, interval .811)."""
    made = readings(THREE_READERS - 1, Scale.ORDINAL)
    made = replace(made, scale=scale, values=THREE_READERS)
    assert krippendorff_alpha(made).value == pytest.approx(alpha, abs=6e-6)


@pytest.mark.parametrize(
    ("scale", "alpha"), [(Scale.NOMINAL, 0.743), (Scale.ORDINAL, 0.815), (Scale.INTERVAL, 0.849), (Scale.RATIO, 0.797)]
)
def test_krippendorffs_own_four_observers(scale, alpha):
    """Source: Krippendorff 2011, "Computing Krippendorff's alpha-reliability", 12 units by four observers."""
    made = replace(readings(FOUR_READERS - 1, Scale.ORDINAL), scale=scale, values=FOUR_READERS)
    assert krippendorff_alpha(made).value == pytest.approx(alpha, abs=5e-4)


@pytest.mark.parametrize(
    ("form", "value"),
    list(zip(IccForm, (0.1657, 0.2898, 0.7148, 0.4428, 0.6201, 0.9093), strict=True)),
)
def test_shrout_and_fleiss_six_correlations(form, value):
    """Source: Shrout & Fleiss 1979, tables 2 and 4: six targets, four judges; .17 .29 .71 .44 .62 .91."""
    judged = readings(
        [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]], Scale.INTERVAL
    )
    assert intraclass_correlation(judged, form).value == pytest.approx(value, abs=5e-5)


@pytest.mark.parametrize(
    ("form", "limits"),
    [
        (IccForm.ICC_1_1, (-0.133, 0.72)),
        (IccForm.ICC_2_1, (0.019, 0.76)),
        (IccForm.ICC_3_1, (0.342, 0.95)),
        (IccForm.ICC_1_K, (-0.884, 0.91)),
        (IccForm.ICC_2_K, (0.071, 0.93)),
        (IccForm.ICC_3_K, (0.676, 0.99)),
    ],
)
def test_limits_of_shrout_and_fleiss_correlations(form, limits):
    """Source: the example of `ICC` in the manual of R's psych, which prints two to three digits."""
    judged = readings(
        [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]], Scale.INTERVAL
    )
    estimate = intraclass_correlation(judged, form)
    assert estimate.low == pytest.approx(limits[0], abs=5e-4)
    assert estimate.high == pytest.approx(limits[1], abs=5e-3)


def test_bland_and_altmans_flow_meters():
    """Source: Bland & Altman 1986, Wright and mini Wright meter, first readings: bias −2.1, SD 38.8 l/min; limits ±1.96 SD."""
    large = [494, 395, 516, 434, 476, 557, 413, 442, 650, 433, 417, 656, 267, 478, 178, 423, 427]
    mini = [512, 430, 520, 428, 500, 600, 364, 380, 658, 445, 432, 626, 260, 477, 259, 350, 451]
    bias, low, high = bland_altman(readings(np.column_stack([large, mini]), Scale.RATIO), "A", "B")
    assert bias.value == pytest.approx(-2.1176, abs=5e-5)
    assert (high.value - low.value) / (2 * 1.959964) == pytest.approx(38.765, abs=5e-4)
    assert (low.value, high.value) == pytest.approx((-78.1, 73.86), abs=0.05)


@pytest.mark.real
def test_five_dentists_agree_as_statsmodels_says():
    """3,859 teeth on radiographs, read by five dentists for caries (Espeland & Handelman 1989)."""
    path = REFERENCE / "caries.csv"
    if not path.exists():
        pytest.skip("caries.csv is not beside the project")
    with path.open() as file:
        rows = [{key: float(text) for key, text in row.items()} for row in csv.DictReader(file)]
    codes = np.array([[row[f"rater_{place}"] - 1 for place in range(1, 6)] for row in rows])
    values = np.repeat(codes, [int(row["n"]) for row in rows], axis=0)
    counts = np.stack([(values == place).sum(axis=1) for place in (0, 1)], axis=1)
    estimate = fleiss_kappa(readings(values))
    assert estimate.n == 3859
    assert estimate.value == pytest.approx(statsmodels_fleiss(counts), abs=1e-12)
    assert fleiss_kappa(from_counts(counts)).value == pytest.approx(estimate.value, abs=1e-12)
