"""A study whose files are gone goes on; a plan that names what was never there does not."""

from pathlib import Path

import pytest
from commands import done, lucency, refused

from bright_and_dark import write_bright_and_dark

PLAN = """\
task: classification
data:
  images: images
  patient: {from: filename, pattern: '^(p\\\\d+)'}
  image: {size: 28}
  labels: {from: table, table: labels.csv}
"""


@pytest.fixture
def labelled(tmp_path: Path) -> Path:
    """Return the folder of a plan whose images were curated and labelled from a table."""
    images = write_bright_and_dark(tmp_path / "images", 8, 1)
    files = sorted(file.relative_to(images).as_posix() for file in images.rglob("*.png"))
    rows = [f"{file},{file.split('/')[0]}" for file in files]
    (tmp_path / "labels.csv").write_text("\n".join(["image,label", *rows]))
    (tmp_path / "study.yaml").write_text(PLAN.replace("\\\\", "\\"))
    done("label", tmp_path / "study.yaml", "--out", tmp_path / "s")
    return tmp_path


def test_a_table_that_is_gone_was_read_already(labelled: Path) -> None:
    """A study can be moved without everything that it was made from."""
    (labelled / "labels.csv").unlink()
    answer = done("label", labelled / "study.yaml", "--out", labelled / "s")
    assert "labels.csv is not here; going on with what was read from it." in answer.out


@pytest.mark.parametrize(
    ("settings", "missing"),
    [
        (
            "labels: {from: table, table: label.csv}",
            "There is no table {}/label.csv. Check `data.labels.table` in the plan.",
        ),
        (
            "labels: {from: reports, reports: {folder: images, network: nowhere}}",
            "There is no folder {}/nowhere. Check `data.labels.reports.network` in the plan.",
        ),
    ],
)
def test_a_name_that_is_new_and_wrong_is_not_excused(labelled: Path, settings: str, missing: str) -> None:
    """A typing error must not be taken for a file that has been read."""
    plan = labelled / "study.yaml"
    plan.write_text(plan.read_text().replace("labels: {from: table, table: labels.csv}", settings))
    for _ in range(2):  # the refused plan must not make itself known
        refused(lucency("label", plan, "--out", labelled / "s"), 2, missing.format(labelled))
