"""A study on images that are de-identified on their way in."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from commands import done, lucency, refused

from data.dicom_files import write_dicom

NAMES = ("Featherstone", "MRN77123", "Quillhampton")
PLAN = """\
task: classification
data:
  images: images
  labels: {labels}
  patient: dicom
  image: {{size: 32}}
"""


def write_exams(folder: Path) -> dict[str, str]:
    """Write two images each of twelve named patients; return SOP Instance UID → class."""
    draw = np.random.default_rng(4)
    classes = {}
    for patient in range(12):
        kind = "ill" if patient % 2 else "healthy"
        for n in range(2):
            uid = f"1.2.840.99999.{patient + 1}.{n + 1}"
            path = folder / kind / f"Featherstone-{patient}-{n}.dcm"
            path.parent.mkdir(parents=True, exist_ok=True)
            write_dicom(
                path,
                draw.integers(0, 4000, (32, 32)).astype(np.uint16),
                bits_stored=12,
                SOPInstanceUID=uid,
                StudyInstanceUID=f"1.2.840.99999.{patient + 1}",
                SeriesInstanceUID=f"1.2.840.99999.{patient + 1}.0",
                PatientID=f"MRN77123{patient}",
                PatientName=f"Featherstone^{patient}",
                InstitutionName="Quillhampton General",
                StudyDate="20240301",
                WindowCenter=2048,
                WindowWidth=4096,
            )
            classes[uid] = kind
    return classes


@pytest.fixture
def classes(tmp_path: Path) -> dict[str, str]:
    return write_exams(tmp_path / "images")


def labelled(out: Path) -> dict[str, int]:
    with (out / "labels.csv").open(newline="") as file:
        targets = [row["target"] for row in csv.DictReader(file) if row["status"] == "kept"]
    return {name: targets.count(name) for name in set(targets)}


@pytest.mark.parametrize("kind", ["folder", "table of UIDs", "table of paths"])
def test_labels_find_their_images_under_the_new_names(tmp_path: Path, classes: dict[str, str], kind: str) -> None:
    """Tables and folders speak of the originals; nothing of them reaches the study's folder."""
    labels = "{from: folder}"
    if kind != "folder":
        rows = [f"{uid},{name}" for uid, name in classes.items()]
        if kind == "table of paths":
            paths = sorted((tmp_path / "images").rglob("*.dcm"))
            rows = [f"{path.relative_to(tmp_path / 'images').as_posix()},{path.parent.name}" for path in paths]
        (tmp_path / "labels.csv").write_text("\n".join(["image,label", *rows]) + "\n")
        labels = "{from: table, table: labels.csv}"
    (tmp_path / "study.yaml").write_text(PLAN.format(labels=labels))
    out = tmp_path / "s"
    done("curate", tmp_path / "study.yaml", "--out", out, "--deidentify")
    done("split", out)
    assert labelled(out) == {"ill": 12, "healthy": 12}
    for file in out.rglob("*"):
        assert not any(name in str(file.relative_to(out)) for name in NAMES), file
        if file.is_file():
            content = file.read_bytes()
            assert not [name for name in (*NAMES, *classes) if name.encode() in content], file


def test_the_record_says_how_the_images_were_deidentified(tmp_path: Path, classes: dict[str, str]) -> None:
    """Edition, options and counts; a second run does nothing more."""
    (tmp_path / "study.yaml").write_text(PLAN.format(labels="{from: folder}"))
    out = tmp_path / "s"
    for _ in range(2):
        done("curate", tmp_path / "study.yaml", "--out", out, "--deidentify")
    events = [json.loads(line) for line in (out / "record.jsonl").read_text().splitlines()]
    told = [entry["payload"] for entry in events if entry["event"] == "images de-identified"]
    assert len(told) == 1
    assert told[0]["n_files"]["written"] == len(classes)
    assert told[0]["edition"]
    assert sum(entry["event"] == "stage done" for entry in events) == 1


def test_files_that_are_held_back_stand_in_the_cohort(tmp_path: Path, classes: dict[str, str]) -> None:
    """The flow diagram counts them."""
    original = next((tmp_path / "images").rglob("*.dcm"))
    (original.parent / "cut.dcm").write_bytes(original.read_bytes()[:400])
    (tmp_path / "study.yaml").write_text(PLAN.format(labels="{from: folder}"))
    done("curate", tmp_path / "study.yaml", "--out", tmp_path / "s", "--deidentify")
    with (tmp_path / "s" / "cohort.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(classes) + 1
    assert [row["status"] for row in rows].count("refused") == 1


def test_a_folder_of_which_nothing_is_let_through_is_told(tmp_path: Path) -> None:
    """Secondary captures are all held back; the user must learn that, and where to look."""
    (tmp_path / "images").mkdir()
    pixels = np.arange(1024, dtype=np.uint16).reshape(32, 32)
    write_dicom(tmp_path / "images" / "a.dcm", pixels, SOPClassUID="1.2.840.10008.5.1.4.1.1.7")
    (tmp_path / "study.yaml").write_text(PLAN.format(labels="{from: folder}"))
    answer = lucency("curate", tmp_path / "study.yaml", "--out", tmp_path / "s", "--deidentify")
    refused(answer, 2, "let no image through (1 quarantined)", "deidentification.html")


def test_a_study_of_copies_passes_its_audit(tmp_path: Path, classes: dict[str, str]) -> None:
    """What was held back has no copy to compare; a copy that was changed is told."""
    (tmp_path / "images" / "ill" / "cut.dcm").write_bytes(b"cut")
    (tmp_path / "study.yaml").write_text(PLAN.format(labels="{from: folder}"))
    out = tmp_path / "s"
    done("curate", tmp_path / "study.yaml", "--out", out, "--deidentify")
    assert f"images: {len(classes)} of {len(classes)} are as recorded" in done("audit", out).out
    next((out / "deidentified").rglob("*.dcm")).write_bytes(b"changed")
    assert lucency("audit", out).code == 1


def test_a_study_does_not_fall_back_to_the_originals(tmp_path: Path, classes: dict[str, str]) -> None:
    """Somebody may run the plan again without the option."""
    (tmp_path / "study.yaml").write_text(PLAN.format(labels="{from: folder}"))
    done("curate", tmp_path / "study.yaml", "--out", tmp_path / "s", "--deidentify")
    answer = lucency("label", tmp_path / "study.yaml", "--out", tmp_path / "s")
    refused(answer, 2, "begun with de-identified images", "deidentify: {}")
