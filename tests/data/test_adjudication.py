"""The sheet of disputed images comes back as it was filled in, from whatever program saved it."""

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas
import pytest

from lucency.data.ground_truth.adjudication import HEADER, Disputed, disputed_images, read_decisions, rows_to_decide
from lucency.data.ground_truth.consensus import ADJUDICATED, TIE, fuse
from lucency.data.naming import SAME_NAMES, Naming
from lucency.domain.cohort import CohortRow
from lucency.domain.labels_plan import Consensus
from lucency.domain.readings import Readings, Scale
from lucency.errors import SourceError

LEVELS = ("kein Befund", "Pneumonie")
KEPT = [
    CohortRow("id-1", "P1", source="a/1.png"),
    CohortRow("id-2", "P2", source="a/2.png"),
    CohortRow("id-3", "P3", source="b/film.dcm", frame=1),
    CohortRow("id-4", "P3", source="b/film.dcm", frame=2),
    CohortRow("id-5", "P4", source="b/1.png"),
]
NAN = np.nan
VOTES = [[0, 1, NAN], [1, 1, 1], [0, 1, 1], [1, 0, NAN], [NAN, 1, NAN]]
READINGS = Readings(
    "label",
    tuple(image.image_id for image in KEPT),
    tuple(image.patient_id for image in KEPT),
    ("A", "B", 'Grüß; "Dr"'),
    Scale.NOMINAL,
    np.array(VOTES, float),
    LEVELS,
)


def disputed() -> tuple[Disputed, ...]:
    return disputed_images(KEPT, READINGS, fuse(READINGS, Consensus()).verdicts)


def write_csv(path: Path, rows: Sequence[Sequence[str]], separator: str = ",", header: Sequence[str] = HEADER) -> Path:
    with path.open("w", newline="", encoding="utf-8-sig") as file:
        csv.writer(file, delimiter=separator).writerows([header, *rows])
    return path


def filled(decisions: dict[str, str]) -> list[tuple[str, ...]]:
    """Fill in the sheet that lucency wrote: image identifier → decision."""
    return [
        (*row[:3], decisions.get(row[1], ""), "Dr Roe", "2026-03-01", "seen twice; sure")
        for row in rows_to_decide(disputed(), SAME_NAMES)
    ]


def test_the_sheet_lists_what_is_disputed_and_open_cases_first() -> None:
    """Who has an hour decides about the images that have no label; unanimous and single readings are not asked for."""
    found = disputed()
    assert [(one.image.image_id, one.is_open) for one in found] == [("id-1", True), ("id-4", True), ("id-3", False)]
    rows = rows_to_decide(found, SAME_NAMES)
    assert rows[0] == ("a/1.png", "id-1", "A=kein Befund; B=Pneumonie", "", "", "", "")
    assert all(len(row) == len(HEADER) for row in rows)


@pytest.mark.parametrize("form", ["comma", "semicolon", "tab", "xlsx"])
def test_a_filled_sheet_comes_back_as_typed(tmp_path: Path, form: str) -> None:
    """Spreadsheets of many countries write semicolons; the two frames of one film are told apart by their identifier."""
    decisions = {"id-1": "Pneumonie", "id-4": "kein Befund"}
    if form == "xlsx":
        path = tmp_path / "decided.xlsx"
        pandas.DataFrame(filled(decisions), columns=list(HEADER)).to_excel(path, index=False)
    else:
        path = write_csv(
            tmp_path / "decided.csv", filled(decisions), {"comma": ",", "semicolon": ";", "tab": "\t"}[form]
        )
    assert read_decisions(path, LEVELS, KEPT, SAME_NAMES) == (decisions, ())


def test_what_is_left_empty_stays_open(tmp_path: Path) -> None:
    """Half a sheet filled in is half the decisions, and the rest is asked for again."""
    path = write_csv(tmp_path / "decided.csv", filled({"id-1": "Pneumonie"}))
    decisions, _ = read_decisions(path, LEVELS, KEPT, SAME_NAMES)
    verdicts = fuse(READINGS, Consensus(), decisions).verdicts
    assert [one.target or one.code for one in verdicts] == ["Pneumonie", "Pneumonie", "Pneumonie", TIE, "Pneumonie"]
    assert verdicts[0].notes == (ADJUDICATED,)
    again = disputed_images(KEPT, READINGS, verdicts)
    assert [one.image.image_id for one in again] == ["id-4", "id-3"]


def test_two_columns_are_enough(tmp_path: Path) -> None:
    """A table of one's own names images by path or by a file name that stands once."""
    rows = [("a/1.png", "kein Befund"), ("2", "Pneumonie"), ("nowhere.png", "Pneumonie")]
    path = write_csv(tmp_path / "own.csv", rows, header=("image", "decision"))
    decisions, unknown = read_decisions(path, LEVELS, KEPT, SAME_NAMES)
    assert decisions == {"id-1": "kein Befund", "id-2": "Pneumonie"}
    assert unknown == (4,)


def test_a_path_means_the_name_before_identities_were_taken_out(tmp_path: Path) -> None:
    """The sheet speaks of the files that people have at hand."""
    naming = Naming(original_paths={"a/1.png": "ward 3/scan.png"})
    assert rows_to_decide(disputed(), naming)[0][0] == "ward 3/scan.png"
    path = write_csv(tmp_path / "own.csv", [("ward 3/scan.png", "Pneumonie")], header=("image", "decision"))
    assert read_decisions(path, LEVELS, KEPT, naming) == ({"id-1": "Pneumonie"}, ())


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("pneumonie", "Did you mean “Pneumonie”?"),
        ("Pnuemonie", "Did you mean “Pneumonie”?"),
        ("?", "The answers are: kein Befund, Pneumonie."),
    ],
)
def test_an_unknown_answer_is_refused_with_the_nearest(tmp_path: Path, typed: str, said: str) -> None:
    """A typing error must not become a third class."""
    path = write_csv(tmp_path / "decided.csv", filled({"id-4": typed}))
    with pytest.raises(SourceError) as refusal:
        read_decisions(path, LEVELS, KEPT, SAME_NAMES)
    assert str(refusal.value) == f"Row 3 of decided.csv decides for “{typed}”. {said}"


def test_two_decisions_about_one_image_are_refused(tmp_path: Path) -> None:
    """Which of the two counts is not for a program to say; the same decision twice is no quarrel."""
    rows = [("a/1.png", "Pneumonie"), ("a/2.png", "Pneumonie"), ("a/1.png", "kein Befund")]
    path = write_csv(tmp_path / "own.csv", rows, header=("image", "decision"))
    with pytest.raises(SourceError, match="Rows 2 and 4 of own.csv decide differently about one image"):
        read_decisions(path, LEVELS, KEPT, SAME_NAMES)
    twice = write_csv(tmp_path / "twice.csv", [*rows[:2], rows[0]], header=("image", "decision"))
    assert read_decisions(twice, LEVELS, KEPT, SAME_NAMES)[0] == {"id-1": "Pneumonie", "id-2": "Pneumonie"}


def test_two_decisions_are_found_where_one_goes_by_path_and_one_by_identifier(tmp_path: Path) -> None:
    """A row without an identifier speaks of the image too that another row names by it."""
    rows = [("a/1.png", "id-1", "Pneumonie"), ("a/1.png", "", "kein Befund")]
    path = write_csv(tmp_path / "own.csv", rows, header=("image", "image_id", "decision"))
    with pytest.raises(SourceError, match="Rows 2 and 3"):
        read_decisions(path, LEVELS, KEPT, SAME_NAMES)


def test_a_bare_name_decides_about_every_image_it_names(tmp_path: Path) -> None:
    """As in every other table: `1.png` stands in two folders."""
    path = write_csv(tmp_path / "own.csv", [("1.png", "Pneumonie")], header=("image", "decision"))
    assert read_decisions(path, LEVELS, KEPT, SAME_NAMES)[0] == {"id-1": "Pneumonie", "id-5": "Pneumonie"}


@pytest.mark.parametrize("missing", ["image", "decision"])
def test_a_sheet_without_its_column_is_refused(tmp_path: Path, missing: str) -> None:
    """With the column that it lacks."""
    header = [name.replace(missing, "other") for name in ("image", "decision")]
    path = write_csv(tmp_path / "own.csv", [("a/1.png", "Pneumonie")], header=header)
    with pytest.raises(SourceError, match=f"own.csv has no column “{missing}”"):
        read_decisions(path, LEVELS, KEPT, SAME_NAMES)


def test_a_decision_about_one_frame_is_none_about_its_neighbour(tmp_path: Path) -> None:
    """The frames of one film share its name; a row with an identifier speaks of that frame alone."""
    path = write_csv(tmp_path / "decided.csv", [row for row in filled({"id-4": "Pneumonie"}) if row[1] == "id-4"])
    assert read_decisions(path, LEVELS, KEPT, SAME_NAMES) == ({"id-4": "Pneumonie"}, ())
