"""`lucency reports`, as a stranger types it."""

import csv
from pathlib import Path

import pytest

from lucency.cli.terminal import guarded

REPORTS = {
    "a.txt": b"FINDINGS: No pneumonia. IMPRESSION: Normal <script>alert(1)</script> chest.",
    "b.html": b"<p>IMPRESSION: Right lower lobe pneumonia.</p>",
    "deep/c.txt": "Possible pneumonia. Kein Befund für Röntgen.".encode("cp1252"),
    "d.txt": b"",
    "e.txt": b"%PDF-1.4 not a text",
    "f.txt": b"=1+1 Small effusion.",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder of odd reports."""
    for name, content in REPORTS.items():
        path = tmp_path / "reports" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return tmp_path


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_every_report_ends_in_one_row(folder: Path) -> None:
    """A label, a repair with a note, or a refusal with a code."""
    assert guarded(["reports", str(folder / "reports"), "--out", str(folder / "out"), "--quiet"]) == 0
    found = {row["report"]: row for row in rows(folder / "out" / "labels.csv")}
    assert set(found) == set(REPORTS)
    assert {name: row["Pneumonia"] for name, row in found.items()} == {
        "a.txt": "negative",
        "b.html": "positive",
        "deep/c.txt": "uncertain",
        "d.txt": "",
        "e.txt": "",
        "f.txt": "",
    }
    assert (found["d.txt"]["code"], found["e.txt"]["code"]) == ("E_EMPTY_REPORT", "E_NOT_TEXT")
    assert (found["b.html"]["notes"], found["deep/c.txt"]["notes"]) == ("N_HTML", "N_NOT_UTF8")


def test_the_evidence_names_the_words(folder: Path) -> None:
    """Each label can be traced to its place in the text."""
    guarded(["reports", str(folder / "reports"), "--out", str(folder / "out"), "--quiet"])
    evidence = [row for row in rows(folder / "out" / "evidence.csv") if row["finding"] == "Pneumonia"]
    assert [(row["report"], row["stated"], row["words"], row["cue"]) for row in evidence] == [
        ("a.txt", "negative", "pneumonia", "No"),
        ("b.html", "positive", "pneumonia", ""),
        ("deep/c.txt", "uncertain", "pneumonia", "Possible"),
    ]


def test_the_sheet_to_read_again_tells_no_answer(folder: Path) -> None:
    """Whoever reads again must not be led; formulas are disarmed."""
    arguments = ["reports", str(folder / "reports"), "--out", str(folder / "out"), "--reread", "Pleural Effusion"]
    assert guarded([*arguments, "--sample", "3", "--quiet"]) == 0
    sheet = rows(folder / "out" / "reread.csv")
    assert list(sheet[0]) == ["report", "finding", "reading", "drawn", "text"]
    assert len(sheet) == 3
    assert {(row["finding"], row["reading"]) for row in sheet} == {("Pleural Effusion", "")}
    assert "'=1+1 Small effusion." in [row["text"] for row in sheet]


def test_the_page_says_that_it_holds_texts_and_escapes_them(folder: Path) -> None:
    """Reports come from systems that nobody controls."""
    guarded(["reports", str(folder / "reports"), "--out", str(folder / "out"), "--quiet"])
    page = (folder / "out" / "reports.html").read_text("utf-8")
    assert "This page holds the text of radiology reports" in page
    assert "<script" not in page
    assert '<mark class="uncertain" title="Pneumonia: uncertain">pneumonia</mark>' in page


def test_a_table_is_read_too(tmp_path: Path) -> None:
    """Findings and impression often stand in columns of their own."""
    table = tmp_path / "reports.csv"
    table.write_text("uid,findings,impression\n7,Heart normal.,Pneumonia.\n8,Small effusion.,\n", "utf-8")
    assert guarded(["reports", str(table), "--out", str(tmp_path / "out"), "--quiet"]) == 0
    found = {row["report"]: row for row in rows(tmp_path / "out" / "labels.csv")}
    assert found["7"]["Pneumonia"] == "positive"
    assert found["8"]["Pleural Effusion"] == "positive"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["absent"], "no folder or table"),
        (["reports", "--reread", "Pnemonia"], "is no finding of the list"),
        (["reports", "--findings", "absent.yaml"], "no list of findings"),
    ],
)
def test_what_cannot_be_is_told(
    folder: Path,
    arguments: list[str],
    message: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One sentence, and exit code 2."""
    monkeypatch.chdir(folder)
    assert guarded(["reports", *arguments]) == 2
    assert message in capsys.readouterr().err
