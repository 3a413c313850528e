"""Decisions about labels come back as they were made, or are refused with a row number."""

import csv
from dataclasses import replace
from pathlib import Path

import pandas
import pytest

from lucency.data.ground_truth.corrections import read_corrections
from lucency.data.naming import Naming
from lucency.domain.cohort import CohortRow
from lucency.errors import SourceError

CLASSES = ("normal", "Pneumonia")
KEPT = [
    CohortRow("id-1", "P1", source="a/1.png"),
    CohortRow("id-2", "P2", source="a/2.png"),
    CohortRow("id-3", "P3", source="b/film.dcm", frame=1),
    CohortRow("id-4", "P3", source="b/film.dcm", frame=2),
]
HEADER = ("image", "image_id", "label", "correct_label", "decided_by", "decided_on", "remark")
ROWS = [
    ("a/1.png", "id-1", "normal", "Pneumonia", "Dr Roe", "2026-03-01", "lower lobe"),
    ("a/2.png", "id-2", "normal", "", "Dr Roe", "2026-03-01", ""),
    ("b/film.dcm", "id-4", "Pneumonia", "normal", "Dr Doe", "", ""),
    ("c/elsewhere.png", "", "normal", "Pneumonia", "", "", ""),
]


def write(path: Path, rows: list[tuple[str, ...]], header: tuple[str, ...] = HEADER) -> Path:
    if path.suffix == ".xlsx":
        pandas.DataFrame(rows, columns=list(header)).to_excel(path, index=False)
    else:
        with path.open("w", newline="") as file:
            csv.writer(file, delimiter=";").writerows([header, *rows])
    return path


@pytest.mark.parametrize("suffix", [".csv", ".xlsx"])
def test_decisions_make_the_round_trip(tmp_path: Path, suffix: str) -> None:
    """Who decided, when and why is part of the reference standard, in whatever form a spreadsheet saves it."""
    corrections = read_corrections(write(tmp_path / f"filled{suffix}", ROWS), CLASSES, KEPT)
    assert {image: one.label for image, one in corrections.by_image.items()} == {"id-1": "Pneumonia", "id-4": "normal"}
    first = corrections.by_image["id-1"]
    assert (first.decided_by, first.decided_on, first.remark) == ("Dr Roe", "2026-03-01", "lower lobe")
    assert corrections.n_confirmed == 1
    assert corrections.unknown_rows == (5,)


def test_a_day_that_a_spreadsheet_understood_stays_a_day(tmp_path: Path) -> None:
    """Excel turns what looks like a day into one, and a library writes it with the hour."""
    row = dict(zip(HEADER, ROWS[0], strict=True)) | {"decided_on": pandas.Timestamp("2026-03-01")}
    pandas.DataFrame([row]).to_excel(tmp_path / "filled.xlsx", index=False)
    assert read_corrections(tmp_path / "filled.xlsx", CLASSES, KEPT).by_image["id-1"].decided_on == "2026-03-01"


def test_a_hand_made_table_needs_two_columns_only(tmp_path: Path) -> None:
    """A list of corrections may exist before lucency does; names work as in any table of labels."""
    table = write(tmp_path / "own.csv", [("1.png", "Pneumonia"), ("a\\2.png", "Pneumonia")], ("image", "correct_label"))
    assert set(read_corrections(table, CLASSES, KEPT).by_image) == {"id-1", "id-2"}


def test_an_unknown_class_is_refused_with_the_nearest(tmp_path: Path) -> None:
    """A misspelt class would become a class of its own."""
    table = write(tmp_path / "t.csv", [("a/1.png", "pneumona")], ("image", "correct_label"))
    with pytest.raises(SourceError, match=r"Row 2 .*“pneumona”.*Did you mean “Pneumonia”\?"):
        read_corrections(table, CLASSES, KEPT)


def test_two_decisions_about_one_image_are_refused(tmp_path: Path) -> None:
    """Nobody can tell which of them counts."""
    rows = [("a/1.png", "Pneumonia"), ("a/1.png", ""), ("a/1.png", "normal")]
    with pytest.raises(SourceError, match="Rows 2 and 4"):
        read_corrections(write(tmp_path / "t.csv", rows, ("image", "correct_label")), CLASSES, KEPT)


def test_the_same_decision_twice_is_one(tmp_path: Path) -> None:
    """A network's suspect that is also a copy of another image stands in the sheet twice."""
    rows = [("a/1.png", ""), ("a/1.png", "Pneumonia"), ("a/1.png", "Pneumonia")]
    table = write(tmp_path / "t.csv", rows, ("image", "correct_label"))
    assert read_corrections(table, CLASSES, KEPT).by_image["id-1"].label == "Pneumonia"


def test_renamed_images_are_found_by_both_names(tmp_path: Path) -> None:
    """The sheet of a de-identified study names the copies; a hospital's own list names the originals."""
    naming = Naming(original_paths={"a/1.png": "Roe^Jane/scan.png"})
    for name in ("a/1.png", "Roe^Jane/scan.png"):
        table = write(tmp_path / "t.csv", [(name, "Pneumonia")], ("image", "correct_label"))
        assert set(read_corrections(table, CLASSES, KEPT, naming).by_image) == {"id-1"}


def test_a_uid_names_its_image(tmp_path: Path) -> None:
    """Tables of a PACS know images by their UID, of which the cohort holds the hash."""
    from lucency.provenance import sha256_of

    uid = "1.2.840.10008.1.2.3"
    images = [replace(KEPT[0], instance_sha256=sha256_of(uid))]
    table = write(tmp_path / "t.csv", [(uid, "Pneumonia")], ("image", "correct_label"))
    assert set(read_corrections(table, CLASSES, images).by_image) == {"id-1"}
