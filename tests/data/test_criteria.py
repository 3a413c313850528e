"""Inclusion and exclusion criteria."""

from pathlib import Path

import numpy as np
import pytest
from dicom_files import write_dicom
from pydantic import ValidationError
from test_curation import cohort_of

from lucency.data.criteria import in_words, is_met, judge
from lucency.domain.data_plan import Criterion
from lucency.errors import PlanError

ADULT = Criterion(column="age_years", at_least=18)
FRONTAL = Criterion(column="view", one_of=("PA", "AP"))


@pytest.mark.parametrize(
    ("criterion", "value", "expected"),
    [
        (ADULT, "18", True),
        (ADULT, "17", False),
        (ADULT, "", False),
        (ADULT, "about forty", False),
        (Criterion(column="age_years", at_least=18, or_unknown=True), "", True),
        (Criterion(column="age_years", at_least=18, at_most=65), "66", False),
        (Criterion(column="age_years", at_least=18, at_most=65), "65", True),
        (FRONTAL, "pa", True),
        (FRONTAL, "LL", False),
        (Criterion(column="view", one_of=(1, 2)), "2", True),  # type: ignore[arg-type]  # YAML reads 1 as a number
    ],
)
def test_a_criterion_is_met_by_what_is_known(criterion: Criterion, value: str, expected: bool) -> None:
    """What is not known meets a criterion only where the plan says so."""
    assert is_met(criterion, {criterion.column: value}) is expected


def test_an_unknown_value_neither_includes_nor_excludes() -> None:
    """Nobody is taken in, and nobody is thrown out, on what is not known."""
    assert judge({"age_years": ""}, [ADULT], []).code == "E_NOT_INCLUDED"
    assert judge({"age_years": ""}, [], [ADULT]).code == ""


def test_the_first_criterion_that_speaks_against_an_image_decides() -> None:
    """A flow diagram counts every image once."""
    verdict = judge({"age_years": "12", "view": "LL"}, [ADULT, FRONTAL], [])
    assert (verdict.code, verdict.criterion) == ("E_NOT_INCLUDED", "age_years is at least 18")


def test_a_criterion_says_itself_in_words() -> None:
    """The words go into the flow diagram."""
    assert in_words(FRONTAL) == "view is PA or AP"
    both = Criterion(column="age_years", at_least=18, at_most=65, or_unknown=True)
    assert in_words(both) == "age_years is at least 18 and is at most 65 or not known"
    assert in_words(Criterion(column="age_years", at_most=17, because="children")) == "children"


def test_a_criterion_without_a_condition_is_refused() -> None:
    """It would mean nothing."""
    with pytest.raises(ValidationError, match="at_least"):
        Criterion(column="age_years")


def test_criteria_leave_a_row_with_the_reason_in_words(tmp_path: Path) -> None:
    """Nobody leaves the cohort without a trace."""
    pixels = np.arange(28 * 28, dtype=np.uint16).reshape(28, 28)
    (tmp_path / "images").mkdir()
    for n, (age, view) in enumerate([("040Y", "PA"), ("012Y", "PA"), ("050Y", "LL"), ("060Y", "AP")]):
        write_dicom(
            tmp_path / "images" / f"{n}.dcm",
            pixels + n,
            PatientID=f"p{n}",
            PatientAge=age,
            ViewPosition=view,
            SOPInstanceUID=f"1.2.3.{n}",
            StudyInstanceUID=f"1.2.{n}",
            SeriesInstanceUID=f"1.2.{n}.1",
        )
    settings = {
        "patient": "dicom",
        "include": [{"column": "age_years", "at_least": 18}],
        "exclude": [{"column": "view", "one_of": ["LL"], "because": "lateral view"}],
    }
    rows = cohort_of(tmp_path / "images", tmp_path / "store", **settings)
    assert [(row.reason, row.criterion) for row in rows] == [
        ("", ""),
        ("E_NOT_INCLUDED", "age_years is at least 18"),
        ("E_EXCLUDED", "lateral view"),
        ("", ""),
    ]
    assert all(row.patient_id for row in rows), "those who are left out still link images of one patient"


def test_a_column_that_does_not_exist_is_refused_before_the_work(images: Path, tmp_path: Path) -> None:
    """A criterion that never speaks would be no criterion."""
    with pytest.raises(PlanError, match="Did you mean “age_years”"):
        cohort_of(images, tmp_path / "store", include=[{"column": "age_year", "at_least": 18}])
    with pytest.raises(PlanError, match="no table holds"):
        cohort_of(images, tmp_path / "store", include=[{"column": "patient_id", "one_of": ["x"]}])
