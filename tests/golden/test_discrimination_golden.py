"""Discrimination reproduces published numbers to their printed precision."""

import csv
from pathlib import Path

import numpy as np
import pytest

from lucency.domain.evaluation_plan import Threshold
from lucency.domain.predictions import Predictions
from lucency.evaluation.confusion import confusion_matrix
from lucency.evaluation.discrimination import auc, auc_covariance, auc_estimate, hanley_mcneil_variance
from lucency.evaluation.intervals import normal_quantile, patient_codes
from lucency.evaluation.operating_point import choose_operating_point

REFERENCE = Path(__file__).parents[3] / "shared" / "reference" / "statistics"


def read(name: str) -> list[dict[str, str]]:
    path = REFERENCE / name
    if not path.exists():
        pytest.skip(f"{name} is not beside the project")
    with path.open() as file:
        return list(csv.DictReader(file))


@pytest.fixture
def haemorrhage():
    """113 patients with aneurysmal subarachnoid haemorrhage (Turck 2010, in pROC): poor outcome, three markers."""
    rows = read("aSAH.csv")
    positive = np.array([row["outcome"] == "Poor" for row in rows])
    markers = {name: np.array([float(row[name]) for row in rows]) for name in ("s100b", "ndka", "wfns")}
    return positive, markers


@pytest.mark.real
@pytest.mark.parametrize(
    ("marker", "value", "variance", "limits"),
    [
        ("s100b", 0.7313685636856369, 0.00266868245717244, (0.6301182117616226, 0.8326189156096511)),
        ("ndka", 0.611957994579946, 0.0031908105493913, (0.501244999271703, 0.722670989888189)),
        ("wfns", 0.823678861788618, 0.00146991470882363, (0.7485348878194529, 0.898822835757783)),
    ],
)
def test_auc_and_delong_variance_are_those_of_proc(haemorrhage, marker, value, variance, limits):
    """Source: pROC's own tests; the plain Wald limits that pROC prints follow from our variance to the last digit."""
    positive, markers = haemorrhage
    aucs, covariance = auc_covariance(positive, markers[marker][:, None])
    reach = normal_quantile(0.95) * np.sqrt(covariance[0, 0])
    assert auc(positive, markers[marker]) == pytest.approx(value, abs=1e-12)
    assert covariance[0, 0] == pytest.approx(variance, abs=1e-15)
    assert (aucs[0] - reach, aucs[0] + reach) == pytest.approx(limits, abs=1e-12)


@pytest.mark.real
def test_delong_covariances_are_those_of_proc(haemorrhage):
    """Source: pROC's own tests (cov of two curves on the same patients)."""
    positive, markers = haemorrhage
    _, covariance = auc_covariance(positive, np.stack([markers[name] for name in ("wfns", "ndka", "s100b")], axis=1))
    assert covariance[0, 1] == pytest.approx(-0.000532967856762438, abs=1e-15)
    assert covariance[1, 2] == pytest.approx(-0.000756164938056579, abs=1e-15)
    assert covariance[2, 0] == pytest.approx(0.00119615567376754, abs=1e-15)


@pytest.mark.real
def test_paired_delong_statistics_follow_from_the_covariance(haemorrhage):
    """Source: pROC roc.test, wfns against s100b Z 2.20898359144091, against ndka 2.79777591868904."""
    positive, markers = haemorrhage
    aucs, covariance = auc_covariance(positive, np.stack([markers[n] for n in ("wfns", "s100b", "ndka")], axis=1))

    def z(a: int, b: int) -> float:
        return (aucs[a] - aucs[b]) / np.sqrt(covariance[a, a] + covariance[b, b] - 2 * covariance[a, b])

    assert z(0, 1) == pytest.approx(2.20898359144091, abs=1e-10)
    assert z(0, 2) == pytest.approx(2.79777591868904, abs=1e-10)
    assert z(2, 1) == pytest.approx(-1.39077002573558, abs=1e-10)


@pytest.mark.real
def test_women_alone_give_procs_interval():
    """Source: pROC's tests, ndka in the 71 women: 0.5261, 0.6671, 0.8081."""
    rows = [row for row in read("aSAH.csv") if row["gender"] == "Female"]
    positive = np.array([row["outcome"] == "Poor" for row in rows])
    aucs, covariance = auc_covariance(positive, np.array([[float(row["ndka"])] for row in rows]))
    reach = normal_quantile(0.95) * np.sqrt(covariance[0, 0])
    limits = [aucs[0] - reach, aucs[0], aucs[0] + reach]
    assert limits == pytest.approx([0.5261398281, 0.6671428571, 0.8081458862], abs=1e-10)


@pytest.mark.real
def test_youden_threshold_of_s100b_is_procs(haemorrhage):
    """Source: pROC coords(best): threshold 0.205, sensitivity 26/41, specificity 58/72."""
    positive, markers = haemorrhage
    scores = markers["s100b"]
    ids = tuple(str(i) for i in range(len(scores)))
    targets = positive.astype(np.int64)
    tuning = Predictions(
        "tuning", "ensemble", ("good", "poor"), ids, ids, targets, np.stack([1 - scores, scores], axis=1)
    )
    point = choose_operating_point(tuning, Threshold())
    assert point is not None
    assert point.threshold == pytest.approx(0.205, abs=1e-12)
    assert (point.sensitivity, point.specificity) == pytest.approx((26 / 41, 58 / 72))
    matrix = confusion_matrix(targets, (scores >= point.threshold).astype(np.int64), 2)
    assert matrix.tolist() == [[58, 14], [15, 26]]


def test_hanley_and_mcneils_radiologist():
    """Source: Hanley & McNeil 1982, table II: 51 abnormal and 58 normal CTs, five ratings; area .893, SE .0325."""
    normal, abnormal = [33, 6, 6, 11, 2], [3, 2, 2, 11, 33]
    positive = np.repeat([False, True], [58, 51])
    ratings = np.concatenate([np.repeat(np.arange(5), normal), np.repeat(np.arange(5), abnormal)]).astype(float)
    aucs, covariance = auc_covariance(positive, ratings[:, None])
    assert aucs[0] == pytest.approx(0.89317, abs=5e-6)
    assert np.sqrt(hanley_mcneil_variance(aucs[0], 51, 58)) == pytest.approx(0.03249, abs=5e-6)
    assert np.sqrt(covariance[0, 0]) == pytest.approx(0.03072, abs=5e-6)


@pytest.mark.real
@pytest.mark.parametrize(
    ("unit", "variances"),
    [
        (None, [0.0010705, 0.00134563, 0.00126158, 0.0009451, 0.00095198]),
        ("wsiName", [0.00085345, 0.00018733, 0.000688, 0.00053674, 0.00025387]),
        ("roiID", [0.0012795513, 0.0013013867, 0.0013588986, 0.0014650979, 0.0015064031]),
    ],
)
def test_clustered_variances_are_those_of_the_mitosis_study(unit, variances):
    """Source: DIDSR mitoticFigureCounts (doAUCcluster, Obuchowski 1997), scanner A: 155 cells, 4 slides, 38 regions."""
    rows = [row for row in read("mitosis_clustered.csv") if row["modalityID"] == "scanner.A"]
    positive = np.array([row["truth"] == "1" for row in rows])
    scores = np.array([[float(row[f"observer.{reader}"]) for reader in range(1, 6)] for row in rows])
    clusters = None if unit is None else patient_codes([row[unit] for row in rows])
    aucs, covariance = auc_covariance(positive, scores, clusters)
    assert aucs == pytest.approx([0.71296296, 0.6996997, 0.70353687, 0.69094094, 0.6976977], abs=5e-9)
    assert np.diag(covariance) == pytest.approx(variances, abs=6e-9)


@pytest.mark.real
def test_reader_aucs_are_those_of_van_dyke():
    """Source: Iowa OR-DBM MRMC 2.5 log: five readers, two kinds of MR image, 69 with and 45 without a dissection."""
    expected = {
        "1": [0.91964573, 0.85877617, 0.90386473, 0.97310789, 0.82979066],
        "2": [0.94782609, 0.90531401, 0.92173913, 0.99935588, 0.92995169],
    }
    rows = read("VanDyke.csv")
    for treatment, values in expected.items():
        for reader, value in enumerate(values, start=1):
            read_by = [row for row in rows if row["treatment"] == treatment and row["reader"] == str(reader)]
            truth = np.array([row["truth"] == "1" for row in read_by])
            ratings = np.array([float(row["rating"]) for row in read_by])
            assert auc(truth, ratings) == pytest.approx(value, abs=5e-9)


@pytest.mark.real
def test_auc_of_the_decision_curve_example():
    """Source: dcurves' df_binary, model cancerpredmarker: AUC .86062754."""
    rows = read("df_binary.csv")
    positive = np.array([row["cancer"] == "True" for row in rows])
    scores = np.array([float(row["cancerpredmarker"]) for row in rows])
    assert auc_estimate(positive, scores).value == pytest.approx(0.86062754, abs=5e-9)
