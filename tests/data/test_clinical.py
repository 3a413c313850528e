"""The clinical table: joined on the patient, and without whatever could lead back to a person."""

from pathlib import Path

import numpy as np
import pytest

from lucency.data.clinical import join_clinical, read_clinical, reason_to_leave_out
from lucency.data.curation import curate, hashed
from lucency.data.facts import one_spelling
from lucency.data.sources import find_images
from lucency.domain.data_plan import Data
from lucency.domain.progress import Silence
from lucency.errors import PlanError, SourceError

NUMBERS = {hashed("7"): "P0001", hashed("AB9@WARD"): "P0002", hashed("12"): "P0003"}


def data_with(table: Path, text: str, patient: object = "dicom", **settings: object) -> Data:
    table.write_text(text, "utf-8")
    clinical = {"table": str(table), "patient_column": "id"} | settings
    return Data.model_validate({"images": "x", "patient": patient, "clinical": clinical})


def test_patients_are_joined_however_they_are_spelt(tmp_path: Path) -> None:
    """Case, outer spaces, leading zeros and the issuer are those of the DICOM reader."""
    data = data_with(tmp_path / "c.csv", "id,crp\n 0007 ,1.5\nab9@ward,20\n99,3\n")
    joined = join_clinical(read_clinical(data), NUMBERS, {"P0001", "P0002", "P0003"})
    assert joined.header == ("patient_id", "crp")
    assert joined.rows == (("P0001", "1.5"), ("P0002", "20"), ("P0003", ""))
    assert joined.facts.n_matched == 2
    assert joined.facts.patients_without_row == ("P0003",)
    assert joined.facts.rows_without_patient == (4,)


def test_one_issuer_holds_for_the_whole_table(tmp_path: Path) -> None:
    """Hospitals know their own patients without saying whose they are."""
    data = data_with(tmp_path / "c.csv", "id,crp\nab9,20\n", issuer="Ward")
    joined = join_clinical(read_clinical(data), NUMBERS, {"P0002"})
    assert joined.rows == (("P0002", "20"),)


def test_patients_of_a_file_name_keep_their_spelling(tmp_path: Path) -> None:
    """`0007` and `7` may be two patients where a pattern on the file name found them."""
    data = data_with(tmp_path / "c.csv", "id,crp\n0007,20\n7,30\n", {"from": "filename", "pattern": r"\d+"})
    joined = join_clinical(read_clinical(data), {hashed("0007"): "P0001", hashed("7"): "P0002"}, {"P0001", "P0002"})
    assert joined.rows == (("P0001", "20"), ("P0002", "30"))


def test_a_table_of_other_patients_is_refused(tmp_path: Path) -> None:
    """A wrong column would otherwise give a table in which everything is missing."""
    clinical = read_clinical(data_with(tmp_path / "c.csv", "id,crp\nnobody,1\n"))
    with pytest.raises(SourceError, match=r"data\.clinical\.patient_column"):
        join_clinical(clinical, NUMBERS, {"P0001"})


def test_rows_that_contradict_each_other_are_missing_and_counted(tmp_path: Path) -> None:
    """Two visits with two values are no single fact; two that agree are one."""
    clinical = read_clinical(data_with(tmp_path / "c.csv", "id,fever,smoker\n7,1,no\n007,0,no\n12,1,\n12,,yes\n"))
    assert clinical.of("7") == {"fever": "", "smoker": "no"}
    assert clinical.of("12") == {"fever": "1", "smoker": "yes"}
    assert clinical.n_contradictions == {"fever": 1}
    assert clinical.of("nobody") == {"fever": "", "smoker": ""}


def test_words_for_nothing_are_nothing_and_numbers_become_numbers(tmp_path: Path) -> None:
    """NA is missing, a decimal comma is a point where it cannot be a thousand, ages above 89 are 90."""
    text = "id;crp;platelets;Age\n7;1,5;1,250;93\n12;NA;2,500;41\n13;-;3,000;89\n"
    clinical = read_clinical(data_with(tmp_path / "c.csv", text))
    assert clinical.of("7") == {"crp": "1.5", "platelets": "1,250", "Age": "90"}
    assert clinical.of("12") == {"crp": "", "platelets": "2,500", "Age": "41"}
    assert clinical.of("13")["crp"] == ""


PATIENTS = [f"MRN{number:05d}" for number in range(40)]
IDENTIFYING = {
    "PatientName": ["Nobody"] * 40,
    "last name": ["Nobody"] * 40,
    "Geburtsdatum": ["x"] * 40,
    "zip_code": ["12"] * 40,
    "e-mail": ["a"] * 40,
    "referring physician": ["A", "B"] * 20,
    "visit": [f"2020-01-{number % 28 + 1:02d}" for number in range(40)],
    "admitted": [f"{number % 28 + 1}.3.2021" for number in range(40)],
    "exam day": [f"202001{number % 28 + 1:02d}" for number in range(40)],
    "seen": [f"2020-01-{number % 28 + 1:02d} 00:00:00" for number in range(40)],
    "contact": [f"p{number}@example.org" for number in range(40)],
    "reach": [f"030 123 45{number:03d}" for number in range(40)],
    "case": [str(4711000 + 17 * number) for number in range(40)],
    "key": PATIENTS,
    "remarks": [f"word{number}" for number in range(40)],
    "history": ["none"] * 39 + ["was treated by Dr Nobody in spring"],
    "findings": ["a" * 61] * 40,
    "empty": [""] * 40,
}
HARMLESS = {
    "smoker": ["yes", "no", "former", ""] * 10,
    "crp_mg_l": [f"{number * 1.7:.1f}" for number in range(40)],
    "platelets": [str(150_000 + 1000 * (number % 20)) for number in range(40)],
    "drug name": ["aspirin", "none"] * 20,
    "stage": ["T1", "T2", "T3", "T4"] * 10,
    "pressure": ["120/80", "140/90"] * 20,
    "height_cm": [str(150 + number) for number in range(40)],
}


@pytest.mark.parametrize("column", IDENTIFYING)
def test_what_could_lead_back_to_a_person_is_left_out(column: str) -> None:
    """By the name of the column, or by what it holds."""
    assert reason_to_leave_out(column, IDENTIFYING[column], PATIENTS)


@pytest.mark.parametrize("column", HARMLESS)
def test_clinical_facts_are_kept(column: str) -> None:
    """A rule that leaves out too much makes the table useless."""
    assert not reason_to_leave_out(column, HARMLESS[column], PATIENTS)


def test_only_the_columns_that_the_plan_names_are_joined(tmp_path: Path) -> None:
    """And one that is not there is refused with the nearest name."""
    text = "id,fever,smoker\n7,1,no\n12,0,no\n"
    assert read_clinical(data_with(tmp_path / "c.csv", text, columns=["smoker"])).columns == ("smoker",)
    with pytest.raises(SourceError, match="Did you mean “smoker”"):
        read_clinical(data_with(tmp_path / "c.csv", text, columns=["smokers"]))
    (tmp_path / "c.csv").unlink()
    with pytest.raises(SourceError, match=r"Check `data\.clinical\.table`"):
        read_clinical(Data.model_validate({"images": "x", "clinical": {"table": str(tmp_path / "c.csv")}}))


def test_a_spreadsheet_is_read_like_text(tmp_path: Path) -> None:
    """Numbers that look like identifiers lose no zeros, and dates of cells are seen as dates."""
    import pandas

    table = tmp_path / "c.xlsx"
    when = pandas.to_datetime(["2020-01-01", "2020-02-03"])
    pandas.DataFrame({"id": ["007", "12"], "fever": [1, 0], "when": when}).to_excel(table, index=False)
    clinical = read_clinical(
        Data.model_validate({"images": "x", "clinical": {"table": str(table), "patient_column": "id"}})
    )
    assert clinical.of("7") == {"fever": "1"}
    assert clinical.left_out == {"when": "it holds dates"}


def test_another_issuer_is_another_patient() -> None:
    """The one spelling that images and tables share."""
    assert one_spelling(" 00ab ", "x") == "AB@X"
    assert one_spelling("000") == "0"
    assert one_spelling(" ", "x") == ""


def test_criteria_may_speak_of_the_clinical_table(images: Path, tmp_path: Path) -> None:
    """Who has no fever leaves the study, whoever says so: header or table."""
    rows = "".join(f"p{number:03d},{number % 4 // 2}\n" for number in range(24))
    (tmp_path / "c.csv").write_text("patient,fever\n" + rows)
    settings = {
        "images": str(images),
        "patient": {"from": "filename", "pattern": r"^(p\d+)"},
        "image": {"size": 28},
        "clinical": {"table": str(tmp_path / "c.csv")},
        "include": [{"column": "fever", "one_of": [1]}],
    }
    data = Data.model_validate(settings)
    curation = curate(find_images(data), data, tmp_path / "store", "key", Silence())
    kept = {row.source.split("/")[1][:4] for row in curation.rows if row.status == "kept"}
    assert kept == {f"p{number:03d}" for number in range(24) if number % 4 >= 2}
    wrong = Data.model_validate(settings | {"include": [{"column": "fewer", "one_of": [1]}]})
    with pytest.raises(PlanError, match="fever"):
        curate(find_images(wrong), wrong, tmp_path / "other", "key", Silence())


def test_the_numbers_of_patients_belong_to_their_identifiers(images: Path, tmp_path: Path) -> None:
    """Joined values must reach the patient they speak of: checked through the file names."""
    draw = np.random.default_rng(1)
    crp = {f"p{number:03d}": f"{draw.uniform(0, 99):.2f}" for number in range(24)}
    (tmp_path / "c.csv").write_text("patient,crp\n" + "".join(f"{p},{v}\n" for p, v in crp.items()))
    data = Data.model_validate(
        {
            "images": str(images),
            "patient": {"from": "filename", "pattern": r"^(p\d+)"},
            "image": {"size": 28},
            "clinical": {"table": str(tmp_path / "c.csv")},
        }
    )
    curation = curate(find_images(data), data, tmp_path / "store", "key", Silence())
    joined = join_clinical(curation.clinical, curation.patients, {row.patient_id for row in curation.rows})
    value = dict(joined.rows)
    assert {row.source.split("/")[1][:4]: value[row.patient_id] for row in curation.rows} == crp
