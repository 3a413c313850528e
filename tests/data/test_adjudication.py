"""Disputed images go onto a sheet, and what people typed comes back."""

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas
import pytest

from lucency.data.ground_truth.adjudication import (
    HEADER,
    Decision,
    disputed_images,
    read_decisions,
    refuse_to_overwrite,
    rows_to_decide,
)
from lucency.data.ground_truth.consensus import fuse
from lucency.data.naming import Naming
from lucency.domain.cohort import CohortRow
from lucency.domain.labels_plan import Consensus
from lucency.domain.readings import Readings, Scale
from lucency.errors import PlanError, SourceError

LEVELS = ("no_pneumonia", "pneumonia")
KEPT = [CohortRow(f"12{n}4e5678901", f"P{n}", source=f"site {n}/film, {n}.png") for n in range(5)]
READINGS = Readings(
    "label",
    tuple(row.image_id for row in KEPT),
    tuple(row.patient_id for row in KEPT),
    ("Ärztin A", "B", "C"),
    Scale.NOMINAL,
    np.array([[1, 1, 0], [0, 1, np.nan], [1, 1, 1], [np.nan] * 3, [1, 0, np.nan]]),
    LEVELS,
)


@pytest.fixture
def sheet(tmp_path: Path) -> Path:
    """Return the sheet as a study writes it."""
    settings = Consensus(sheet="disagreements")
    disputed = disputed_images(KEPT, READINGS, fuse(READINGS, settings).verdicts, settings)
    path = tmp_path / "adjudication.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([HEADER, *rows_to_decide(disputed)])
    return path


def fill_in(path: Path, **columns: list[str]) -> pandas.DataFrame:
    """Write into the columns of a sheet, from its first row on."""
    frame = pandas.read_csv(path, dtype=str, keep_default_na=False)
    for column, texts in columns.items():
        frame.loc[: len(texts) - 1, column] = texts
    return frame


def test_the_sheet_lists_disputes_and_those_without_a_label_first(sheet):
    """Two even votes come before a majority; unanimous and unread images are no disputes."""
    frame = pandas.read_csv(sheet, dtype=str, keep_default_na=False)
    assert frame["image"].tolist() == [KEPT[1].source, KEPT[4].source, KEPT[0].source]
    assert frame["votes"].tolist()[0] == "Ärztin A=no_pneumonia; B=pneumonia"
    assert (frame[["decision", "decided_by", "date", "remark"]] == "").all(axis=None)


def as_written(frame: pandas.DataFrame, path: Path) -> Path:
    frame.to_csv(path, index=False)
    return path


def with_semicolons(frame: pandas.DataFrame, path: Path) -> Path:
    frame.to_csv(path, index=False, sep=";", encoding="utf-8-sig", lineterminator="\r\n")
    return path


def as_workbook(frame: pandas.DataFrame, path: Path) -> Path:
    path = path.with_suffix(".xlsx")
    frame.assign(date=pandas.to_datetime(frame["date"])).to_excel(path, index=False)
    return path


def with_numbers_spoilt(frame: pandas.DataFrame, path: Path) -> Path:
    """Do to identifiers what spreadsheets do to what looks like a number."""
    frame.assign(image_id=[f"{float(text):.6E}" for text in frame["image_id"]]).to_csv(path, index=False)
    return path


@pytest.mark.parametrize("save", [as_written, with_semicolons, as_workbook, with_numbers_spoilt])
def test_what_was_typed_comes_back(sheet, save):
    """However a spreadsheet saved it: with semicolons and a mark of order, as a workbook, with identifiers as numbers."""
    frame = fill_in(
        sheet,
        decision=["Pneumonia", "", "no_pneumonia "],
        decided_by=["Dr. Süß", "", "Dr. Süß"],
        date=["2024-05-01", "", "2024-05-02"],
        remark=["lower lobe; “faint”", "", ""],
    )
    decisions = read_decisions(save(frame, sheet.with_name("filled.csv")), LEVELS, KEPT)
    assert dict(decisions.by_image) == {
        KEPT[1].image_id: Decision("pneumonia", "Dr. Süß", "2024-05-01", "lower lobe; “faint”"),
        KEPT[0].image_id: Decision("no_pneumonia", "Dr. Süß", "2024-05-02", ""),
    }
    assert decisions.n_open == 1
    assert decisions.unknown_rows == ()
    settled = fuse(READINGS, Consensus(), decisions.levels)
    assert [one.image for one in disputed_images(KEPT, READINGS, settled.verdicts, Consensus())] == [KEPT[4]]


def test_a_sheet_of_ones_own_needs_two_columns(tmp_path):
    """A list from a meeting will do; images that nobody knows are told, codes get their names."""
    path = tmp_path / "meeting.csv"
    path.write_text('image,decision\n"film, 3.png",1\nelsewhere.png,0\n')
    decisions = read_decisions(path, LEVELS, KEPT, names={"0": "no_pneumonia", "1": "pneumonia"})
    assert decisions.levels == {KEPT[3].image_id: "pneumonia"}
    assert decisions.unknown_rows == (3,)


def test_originals_are_found_but_never_written(tmp_path):
    """A sheet lies in the study's folder, where no name from before de-identification may stand."""
    naming = Naming({KEPT[1].source: "Smith/one.png"})
    path = tmp_path / "meeting.csv"
    path.write_text(f'image,decision\nSmith/one.png,pneumonia\n"{KEPT[4].source}",pneumonia\n')
    decisions = read_decisions(path, LEVELS, KEPT, naming)
    assert set(decisions.levels) == {KEPT[1].image_id, KEPT[4].image_id}
    settings = Consensus()
    disputed = disputed_images(KEPT, READINGS, fuse(READINGS, settings).verdicts, settings)
    assert [one.image for one in disputed] == [KEPT[1], KEPT[4]]
    assert not any("Smith" in cell for row in rows_to_decide(disputed) for cell in row)


def test_frames_of_one_file_are_told_apart(tmp_path):
    """They have one name, and a number each."""
    frames = [replace(KEPT[0], image_id=f"f{n}", frame=n) for n in (1, 2)]
    path = tmp_path / "filled.csv"
    path.write_text(f'image,image_id,decision\n"{KEPT[0].source}",f1,pneumonia\n"{KEPT[0].source}",f2,no_pneumonia\n')
    assert read_decisions(path, LEVELS, frames).levels == {"f1": "pneumonia", "f2": "no_pneumonia"}
    path.write_text(f'image,image_id,decision\n"{KEPT[0].source}",f1.0,pneumonia\n')
    with pytest.raises(SourceError, match="row 2: the image_id is not of this study"):
        read_decisions(path, LEVELS, frames)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("site 1/film,,pneumonai\n", "filled.csv, row 2, column “decision”.*Did you mean “pneumonia”"),
        ("site 1/film,,Smith\n", "The answers are: no_pneumonia, pneumonia"),
        (
            "film1.png,,pneumonia\nfilm1.png,,\nfilm1.png,,no_pneumonia\n",
            "Rows 2 and 4 of filled.csv decide differently",
        ),
        ("film1.png,i2,pneumonia\nfilm2.png,i1,pneumonia\n", "row 2: image and image_id do not belong together"),
    ],
)
def test_sheets_that_cannot_be_believed_are_refused(tmp_path, rows, message):
    """A decision on the wrong image would overrule every reader."""
    path = tmp_path / "filled.csv"
    path.write_text("image,image_id,decision\n" + rows)
    kept = [CohortRow(f"i{n}", source=f"film{n}.png") for n in (1, 2)]
    with pytest.raises(SourceError, match=message) as caught:
        read_decisions(path, LEVELS, kept)
    assert "Smith" not in str(caught.value)


def test_a_sheet_that_holds_decisions_is_not_written_over(sheet):
    """An afternoon's work must not vanish because the study was run again."""
    refuse_to_overwrite(sheet.with_name("not there.csv"))
    refuse_to_overwrite(sheet)
    fill_in(sheet, decision=["pneumonia"]).to_csv(sheet, index=False)
    with pytest.raises(PlanError, match="holds decisions.*Move it"):
        refuse_to_overwrite(sheet)
    sheet.write_text(",".join(HEADER) + "\n")
    refuse_to_overwrite(sheet)
