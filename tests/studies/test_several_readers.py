"""Several readers through the command line: ties are asked for, decided, and the decisions are safe."""

import csv
from pathlib import Path

import pytest

from bright_and_dark import write_bright_and_dark
from studies.commands import done, lucency, refused

PLAN = """\
task: classification
data:
  images: images
  labels:
    from: readers
    readers: {tables: [readers.csv]}
    positive: ill
CONSENSUS  patient: {from: filename, pattern: '^(p\\d+)'}
  image: {size: 28}
"""


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """Return the plan of a study whose two readers differ on two images."""
    write_bright_and_dark(tmp_path / "images", 8, 2)
    paths = sorted(path.relative_to(tmp_path / "images").as_posix() for path in (tmp_path / "images").rglob("*.png"))
    rows = [(path, reader, path.split("/")[0]) for path in paths for reader in "AB"]
    rows[0] = (paths[0], "A", "ill")
    rows[-1] = (paths[-1], "B", "healthy")
    with (tmp_path / "readers.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("image", "reader", "label"), *rows])
    return write_plan(tmp_path)


def write_plan(folder: Path, consensus: str = "") -> Path:
    text = f"    consensus: {consensus}\n" if consensus else ""
    (folder / "plan.yaml").write_text(PLAN.replace("CONSENSUS", text))
    return folder / "plan.yaml"


def table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def write_table(path: Path, rows: list[dict[str, str]]) -> None:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)


def test_ties_are_decided_on_a_sheet(study, tmp_path):
    """The whole way: two ties are refused, one is decided in a copy of the sheet, and one stays open."""
    out = tmp_path / "out"
    done("label", study, "--out", out)
    labels = table(out / "labels.csv")
    assert [row["reason"] for row in labels if row["status"] == "refused"] == ["E_TIE", "E_TIE"]
    sheet = table(out / "adjudication.csv")
    assert [row["votes"] for row in sheet] == ["A=ill; B=healthy", "A=ill; B=healthy"]
    sheet[0] |= {"decision": "Ill", "decided_by": "C", "date": "2024-05-01"}
    write_table(tmp_path / "decided.csv", sheet)
    write_plan(tmp_path, "{adjudicated: decided.csv}")
    answer = done("label", study, "--out", out)
    assert "1 images decided by C, 1 still open" in answer.out
    settled = {row["image_id"]: row for row in table(out / "labels.csv")}
    assert settled[sheet[0]["image_id"]]["target"] == "ill"
    assert "N_ADJUDICATED" in settled[sheet[0]["image_id"]]["notes"]
    assert [row["image_id"] for row in table(out / "adjudication.csv")] == [sheet[1]["image_id"]]


def test_decisions_in_the_studys_own_folder_are_not_written_over(study, tmp_path):
    """Somebody who filled in the sheet where it lay must not lose it to the next run."""
    out = tmp_path / "out"
    done("label", study, "--out", out)
    sheet = table(out / "adjudication.csv")
    sheet[0]["decision"] = "ill"
    write_table(out / "adjudication.csv", sheet)
    refused(lucency("label", study, "--out", out), 2, "holds decisions", "Move it")
    assert table(out / "adjudication.csv")[0]["decision"] == "ill"


def test_a_decision_that_nobody_needed_is_kept_and_told(study, tmp_path):
    """Readers may come to agree later; what was decided still counts, in sight."""
    out = tmp_path / "out"
    done("label", study, "--out", out)
    agreed = next(row for row in table(out / "labels.csv") if row["target"] == "healthy")
    (tmp_path / "decided.csv").write_text(f"image,image_id,decision\n,{agreed['image_id']},ill\n")
    write_plan(tmp_path, "{adjudicated: decided.csv}")
    answer = done("label", study, "--out", out)
    assert "1 of the decisions are about images on which no two readers disagree" in answer.out
    assert {row["image_id"]: row["target"] for row in table(out / "labels.csv")}[agreed["image_id"]] == "ill"
