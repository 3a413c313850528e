"""What `lucency init` makes of a table that lies beside the images."""

import csv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lucency.study.beside.proposal import propose
from lucency.study.plan import read_plan


@pytest.fixture
def images(tmp_path: Path) -> Path:
    folder = tmp_path / "images"
    folder.mkdir()
    for n in range(30):
        Image.fromarray(np.random.default_rng(n).integers(0, 255, (16, 16), dtype=np.uint8)).save(
            folder / f"{n:03d}.png"
        )
    return folder


def table(path: Path, columns: list[str], values: list[list[object]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([columns, *values])


def planned(tmp_path: Path, images: Path):
    proposal = propose(images, tmp_path)
    (tmp_path / "study.yaml").write_text(proposal.plan.replace("  # patient: each_image", "  patient: each_image"))
    return read_plan(tmp_path / "study.yaml"), " ".join(proposal.remarks)


def test_a_column_of_many_numbers_becomes_a_regression(tmp_path, images):
    """The proposed plan can be read as it is, and says what must be checked."""
    table(
        tmp_path / "ages.csv",
        ["file", "bone age"],
        [[f"{n:03d}.png", f"{100 + 1.5 * n:.1f}".replace(".", ",")] for n in range(30)],
    )
    plan, said = planned(tmp_path, images)
    assert plan.task == "regression"
    assert plan.regression.quantity == "bone age"
    assert (plan.data.labels.image_column, plan.data.labels.label_column) == ("file", "bone age")
    assert "30 different numbers: CHECK" in said


def test_few_codes_are_classes(tmp_path, images):
    """0 and 1 are classes, and so are grades from 1 to 5."""
    table(tmp_path / "labels.csv", ["image", "remark", "label"], [[f"{n:03d}", "seen", n % 5] for n in range(30)])
    plan, said = planned(tmp_path, images)
    assert (plan.task, plan.data.labels.label_column) == ("classification", "label")
    assert "5 different values" in said


def test_a_table_of_other_images_is_not_theirs(tmp_path, images):
    """Half of the images must be named."""
    table(tmp_path / "other.csv", ["image", "label"], [[f"x{n}", n] for n in range(30)])
    assert "other.csv" not in propose(images, tmp_path).plan
