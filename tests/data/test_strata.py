"""Splits of numbers: small and large ones in each part, and components whole."""

from itertools import pairwise

import numpy as np
import pytest

from lucency.data.ground_truth.consensus_of_numbers import fuse_numbers
from lucency.data.split import certify, split_by_patient
from lucency.data.strata import NAMES, strata_of_numbers
from lucency.domain.cohort import CohortRow, LabelRow
from lucency.domain.labels_plan import Consensus
from lucency.domain.parts import Targets
from lucency.domain.plan import Split
from lucency.domain.readings import Readings, Scale
from lucency.errors import PlanError, StudyError


def cohort(n_patients: int, n_each: int = 2) -> tuple[list[CohortRow], list[LabelRow]]:
    random = np.random.default_rng(3)
    rows, labels = [], []
    for patient, size in enumerate(random.lognormal(3, 1, n_patients)):
        for number in range(n_each):
            name = f"{patient:03d}-{number}"
            rows.append(CohortRow(name, patient_id=f"P{patient}", pixel_sha256=name))
            labels.append(LabelRow(name, repr(float(size + number)), "table", "kept", ""))
    return rows, labels


def test_each_part_gets_small_and_large_numbers():
    """200 patients with a skewed number: every fifth has its share of patients in each part, and no patient is in two."""
    rows, labels = cohort(200)
    split = split_by_patient(rows, labels, Split(), 1, targets_are=Targets.NUMBERS)
    certificate = certify(split, rows, labels, Split(), 1, targets_are=Targets.NUMBERS)
    assert certificate.n_patients_shared == 0
    assert set(certificate.n_patients_by_class["test"]) == set(NAMES)
    assert all(7 <= n <= 9 for n in certificate.n_patients_by_class["test"].values())
    assert all(3 <= n <= 5 for n in certificate.n_patients_by_class["tuning"].values())
    assert "fifths" in certificate.method


@pytest.mark.parametrize(("n_patients", "n_strata"), [(3, 1), (7, 2), (15, 5), (16, 5)])
def test_few_patients_make_few_groups(n_patients, n_strata):
    """Each group can give a patient to each part."""
    own = {f"i{place}": f"i{place}" for place in range(n_patients)}
    strata = strata_of_numbers(own, {image: float(len(image)) for image in own})
    sizes = np.unique(list(strata.values()), return_counts=True)[1]
    assert (len(sizes), sizes.min() >= 3) == (n_strata, True)


def test_fifths_are_in_the_order_of_the_numbers():
    """All of the lowest fifth are smaller than all of the next; a component counts by the mean of its images."""
    own = {f"i{place}": f"c{place // 2}" for place in range(60)}
    numbers = {image: float((int(image[1:]) * 37) % 60) for image in own}
    strata = strata_of_numbers(own, numbers)
    means = {c: np.mean([numbers[i] for i in own if own[i] == c]) for c in own.values()}
    groups = [[means[own[image]] for image in own if strata[image] == name] for name in NAMES]
    assert all(max(lower) <= min(higher) for lower, higher in pairwise(groups))
    assert all(strata[f"i{2 * c}"] == strata[f"i{2 * c + 1}"] for c in range(30))


def test_two_patients_cannot_be_split():
    """One is needed for each part."""
    with pytest.raises(StudyError, match="2 patients"):
        strata_of_numbers({"a": "a", "b": "b"}, {"a": 1.0, "b": 2.0})


def measured(values: list[list[float]]) -> Readings:
    names = tuple(f"i{place}" for place in range(len(values)))
    return Readings("label", names, names, ("A", "B", "C"), Scale.RATIO, np.array(values))


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"rule": "mean"}, ["4.0", "2.5", "E_NOT_READ", "7.0"]),
        ({"rule": "median"}, ["2.0", "2.5", "E_NOT_READ", "7.0"]),
        ({"rule": "one_reader", "reader": "C"}, ["9.0", "E_NOT_READ", "E_NOT_READ", "7.0"]),
        ({"rule": "mean", "least_readers": 2}, ["4.0", "2.5", "E_NOT_READ", "E_FEW_READERS"]),
    ],
)
def test_readers_measurements_become_one(settings, expected):
    """Three readers: all measured, two, none, one."""
    nan = np.nan
    readings = measured([[1, 2, 9], [2, 3, nan], [nan, nan, nan], [nan, nan, 7]])
    fused = fuse_numbers(readings, Consensus(**settings))
    assert [one.target or one.code for one in fused.verdicts] == expected
    assert fused.verdicts[0].votes == "A=1; B=2; C=9"


def test_a_reader_who_is_none_is_named():
    """A misspelt name must not leave the cohort without labels."""
    with pytest.raises(PlanError, match="“D”"):
        fuse_numbers(measured([[1, 2, 3]]), Consensus(rule="one_reader", reader="D"))
