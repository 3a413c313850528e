"""Curation of reports: every file and every row ends as kept or refused."""

import csv
from pathlib import Path

import pytest

from lucency.data.texts.curation import curate_reports
from lucency.data.texts.store import open_text_store
from lucency.domain.cohort import CohortRow
from lucency.domain.data_plan import Data
from lucency.domain.progress import Silence
from lucency.errors import LucencyError, PlanError, SourceError

RTF = rb"{\rtf1\ansi FINDINGS: Clear lungs. \par IMPRESSION: Normal.}"
ROWS = [
    ("R1", "A", "FINDINGS: No pneumonia."),
    ("R2", "A", ""),
    ("R3", "", "FINDINGS: Pneumonia."),
    ("R4", "B", "FINDINGS: Effusion."),
    ("R4", "B", "ADDENDUM: No effusion."),
    ("R5", "C", "<html><body><p>FINDINGS: Edema.</p></body></html>"),
    ("", "C", "IMPRESSION: Mass."),
    ("R7", "D", "pneumonia " * 60_000),
    ("R8", "D", "12 34 --- 2020-01-01"),
    ("R9", "E", "Befund: Erguß links, 肺炎?"),
]


def table(folder: Path, rows: list[tuple[str, str, str]] = ROWS) -> Path:
    path = folder / "reports.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("report", "patient", "text"), *rows])
    return path


def curated(folder: Path, **data: object) -> dict[str, CohortRow]:
    patient = {"from": "table", "column": "patient"}
    plan = Data.model_validate({"reports": str(table(folder)), "patient": patient} | data)
    rows = curate_reports(plan, folder / "store", Silence()).rows
    return {f"{row.source}#{row.frame}" if row.frame else row.source: row for row in rows}


def test_every_row_of_a_table_ends_as_kept_or_refused(tmp_path: Path) -> None:
    """With the reason why; a report that was lost in silence would bias the cohort."""
    rows = curated(tmp_path)
    assert len(rows) == len(ROWS)
    assert {name: row.reason for name, row in rows.items() if row.reason} == {
        "R2": "E_EMPTY_REPORT",
        "R3": "E_NO_PATIENT",
        "R4": "E_DOUBLE_REPORT",
        "R4#2": "E_DOUBLE_REPORT",
        "R8": "E_EMPTY_REPORT",
    }
    assert {name: row.notes for name, row in rows.items() if row.notes} == {"R5": "N_HTML", "R7": "N_CUT_TEXT"}
    assert {row.patient_id for row in rows.values()} == {"", "P0001", "P0002", "P0003", "P0004", "P0005"}
    assert len({row.image_id for row in rows.values()}) == len(ROWS)


def test_the_store_holds_the_words_of_what_was_kept(tmp_path: Path) -> None:
    """In the order of the rows, as they are written."""
    rows = curated(tmp_path)
    store = open_text_store(tmp_path / "store")
    said = {
        name: [store.words[word] for word in store.report(row.store_row)]
        for name, row in rows.items()
        if not row.reason
    }
    assert said["R1"] == ["No", "pneumonia", "."]
    assert said["R5"] == ["Edema", "."]
    assert said["row 8"] == ["Mass", "."]
    assert len(said["R7"]) == 400
    assert "Erguß" in said["R9"]
    assert sum(map(len, said.values())) == len(store.tokens)


def test_reports_in_a_folder_are_read_whatever_system_wrote_them(tmp_path: Path) -> None:
    """Plain text, RTF, HTML, Windows letters; a picture that is called a text is refused."""
    folder = tmp_path / "reports"
    (folder / "p1").mkdir(parents=True)
    (folder / "p1" / "a.txt").write_bytes("FINDINGS: Erguß.".encode("cp1252"))
    (folder / "p1" / "b.rtf").write_bytes(RTF)
    (folder / "p2.html").write_bytes(b"<p>IMPRESSION:</p><p>Normal.</p>")
    (folder / "p3.txt").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(200))
    (folder / "p4.txt").write_bytes(b"")
    (folder / "notes.docx").write_bytes(b"PK")
    rows = curated(tmp_path, reports=str(folder), patient={"from": "filename", "pattern": r"(p\d)"})
    assert {name: (row.status, row.reason, row.notes) for name, row in rows.items()} == {
        "p1/a.txt": ("kept", "", "N_NOT_UTF8"),
        "p1/b.rtf": ("kept", "", "N_RTF"),
        "p2.html": ("kept", "", "N_HTML"),
        "p3.txt": ("refused", "E_NOT_TEXT", ""),
        "p4.txt": ("refused", "E_EMPTY_REPORT", ""),
    }
    assert rows["p1/a.txt"].patient_id == rows["p1/b.rtf"].patient_id


def test_criteria_speak_of_the_clinical_table(tmp_path: Path) -> None:
    """As they do for images."""
    (tmp_path / "clinical.csv").write_text("patient,age_years\nA,12\nC,50\nD,60\nE,70\n")
    clinical = {"table": str(tmp_path / "clinical.csv"), "patient_column": "patient"}
    rows = curated(tmp_path, clinical=clinical, include=[{"column": "age_years", "at_least": 18}])
    assert rows["R1"].reason == "E_NOT_INCLUDED"
    assert rows["R5"].reason == ""


@pytest.mark.parametrize(
    ("data", "error", "said"),
    [
        ({"patient": None}, SourceError, "do not name their patient"),
        ({"patient": {"from": "table", "column": "pat"}}, SourceError, "have a column “pat”"),
        ({"patient": {"from": "filename", "pattern": "("}}, PlanError, "not a regular expression"),
        ({"patient": {"from": "filename", "pattern": "^zzz"}}, SourceError, "finds no patient"),
        ({"text": {"text_column": "txt"}}, SourceError, "no column “txt”"),
        ({"include": [{"column": "age", "at_least": 1}]}, PlanError, "age"),
    ],
)
def test_a_plan_that_cannot_work_is_refused_in_words(
    tmp_path: Path, data: dict[str, object], error: type[LucencyError], said: str
) -> None:
    """Before anything is learnt."""
    with pytest.raises(error, match=said):
        curated(tmp_path, **data)
