"""Files, folders, labels and tables are called and written in every way there is."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from studies.commands import done

ODD_NAMES = [
    "p001 with space.png",
    "p001 'quoted\".png",
    "p003-Löwe肺.png",
    "p003-new\nline.png",
    "p005-<script>alert(1)<.png",
    "p005-=cmd|calc.png",
    "p007-\x1b[31mred.png",
    "p007-%s{0}$HOME.png",
    "p009-" + "x" * 240 + ".png",
]


def rename_oddly(images: Path) -> None:
    for file, name in zip(sorted((images / "ill").glob("*.png")), ODD_NAMES, strict=False):
        file.rename(file.with_name(name))


def test_odd_file_names_go_through_a_whole_study(tmp_path: Path, plan_file: Path, images: Path) -> None:
    """A name is a name: it neither breaks a table nor runs as a formula, as markup or on the terminal."""
    rename_oddly(images)
    answer = done("run", plan_file, "--out", tmp_path / "s")
    assert "48 of 48 kept" in answer.out
    assert "\x1b" not in answer.out
    done("audit", tmp_path / "s")
    assert "<script>alert" not in (tmp_path / "s" / "report.html").read_text()


def test_links_and_pipes_are_not_followed_in_circles(tmp_path: Path, plan_file: Path, images: Path) -> None:
    """A loop of links must not make a study endless, nor a pipe wait for ever."""
    (images / "ill" / "loop").symlink_to("..")
    (images / "ill" / "p098-broken.png").symlink_to("nowhere.png")
    (images / "ill" / "p099-folder.png").mkdir()
    os.mkfifo(images / "ill" / "p097-pipe.png")
    assert "48 of 48 kept" in done("split", plan_file, "--out", tmp_path / "s").out


def test_hidden_files_and_texts_are_passed_over(tmp_path: Path, plan_file: Path, images: Path) -> None:
    """File managers leave their droppings in every folder."""
    image = next(images.rglob("*.png")).read_bytes()
    (images / "ill" / "._p001-0.png").write_bytes(image)
    (images / ".DS_Store").write_bytes(b"\0")
    (images / "ill" / "Thumbs.db").write_bytes(b"\xd0\xcf\x11\xe0")
    (images / "readme.txt").write_text("x")
    assert "48 of 48 kept" in done("split", plan_file, "--out", tmp_path / "s").out


@pytest.mark.parametrize(
    ("healthy", "ill"),
    [("=1+1", "@cmd"), ("<b>ill</b>", "&amp;"), ("'=y", "p_'x"), ("0.0", "1.0"), ("ill, mild", "ill; severe")],
)
def test_odd_labels_go_through_a_whole_study(
    tmp_path: Path, plan_file: Path, images: Path, healthy: str, ill: str
) -> None:
    """Labels stand in column names, in tables and in the report; they must come out as they went in."""
    names = json.dumps({"healthy": healthy, "ill": ill})  # a folder cannot be called so everywhere
    plan_file.write_text(plan_file.read_text().replace("  patient:", f"  labels: {{names: {names}}}\n  patient:"))
    done("run", plan_file, "--out", tmp_path / "s")
    classes = json.loads((tmp_path / "s" / "classes.json").read_text())["classes"]
    assert sorted(classes) == sorted([healthy, ill])
    done("audit", tmp_path / "s")
    assert "<b>ill" not in (tmp_path / "s" / "report.html").read_text()


@pytest.mark.parametrize(
    ("separator", "encoding", "newline"), [(",", "utf-8-sig", "\r\n"), (";", "utf-8", "\n"), ("\t", "utf-8", "\n")]
)
def test_tables_are_read_as_spreadsheets_write_them(
    tmp_path: Path, plan_file: Path, images: Path, separator: str, encoding: str, newline: str
) -> None:
    """A German Excel writes semicolons, and most write a byte order mark."""
    rows = [("Bild", "Befund", "Größe")]
    rows += [(file.name, f" {file.parent.name} ", "3") for file in sorted(images.rglob("*.png"))]
    text = newline.join(separator.join(row) for row in rows) + newline
    (tmp_path / "labels.csv").write_bytes(text.encode(encoding))
    labels = "  labels: {from: table, table: labels.csv, image_column: Bild, label_column: Befund}\n  patient:"
    plan_file.write_text(plan_file.read_text().replace("  patient:", labels))
    assert "24 healthy, 24 ill;" in done("split", plan_file, "--out", tmp_path / "s").out


@pytest.mark.parametrize(("healthy", "ill"), [("None", "Present"), ("NA", "yes"), ("0", "1")])
def test_a_label_that_spreadsheets_take_for_nothing_is_a_label(
    tmp_path: Path, plan_file: Path, images: Path, healthy: str, ill: str
) -> None:
    """Where “None” is what a radiologist calls no finding, its images must not be set aside."""
    names = {"healthy": healthy, "ill": ill}
    rows = [f"{file.name}, {names[file.parent.name]}" for file in sorted(images.rglob("*.png"))]
    (tmp_path / "labels.csv").write_text("image, label\n" + "\n".join(rows) + "\n")
    plan_file.write_text(
        plan_file.read_text().replace("  patient:", "  labels: {from: table, table: labels.csv}\n  patient:")
    )
    assert f"24 {healthy}, 24 {ill};" in done("split", plan_file, "--out", tmp_path / "s").out


def test_a_patient_may_be_named_by_a_column(tmp_path: Path, plan_file: Path, images: Path) -> None:
    """The ward's own list says who is who; the numbers in the study folder are not its numbers."""
    files = sorted(images.rglob("*.png"))
    lines = [f"{file.name},{file.parent.name},Ward-{file.name[1:4]}" for file in files]
    (tmp_path / "labels.csv").write_text("image,label,person\n" + "\n".join(lines) + "\n")
    lines_of_plan = plan_file.read_text().splitlines()
    patient = next(number for number, line in enumerate(lines_of_plan) if line.startswith("  patient:"))
    lines_of_plan[patient] = "  labels: {from: table, table: labels.csv}\n  patient: {from: table, column: person}"
    plan_file.write_text("\n".join(lines_of_plan) + "\n")
    assert "24 patients" in done("split", plan_file, "--out", tmp_path / "s").out
    assert all(b"Ward-" not in file.read_bytes() for file in (tmp_path / "s").rglob("*") if file.is_file())


def test_images_of_many_sizes_make_one_cohort(tmp_path: Path, plan_file: Path, images: Path) -> None:
    """Real folders hold every format; all are brought to the one size of the plan, and slivers are named as such."""
    draw = np.random.default_rng(0)
    for number, shape in enumerate([(1, 500), (500, 1), (16, 16), (2000, 1500)]):
        Image.fromarray(draw.integers(0, 255, shape, np.uint8)).save(images / "ill" / f"p5{number}0-0.png")
    assert "50 of 52 kept, 2 refused (E_TINY)" in done("split", plan_file, "--out", tmp_path / "s").out
