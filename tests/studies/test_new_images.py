"""A finished study applied to new images, through the command line."""

import csv
import json
import shutil
import subprocess
import urllib.request
from pathlib import Path

import numpy as np
import pydicom
import pytest
from commands import done, lucency, record, refused
from PIL import Image

from lucency.data.codes import EXPLANATIONS
from lucency.provenance import sha256_of_file
from orthanc import running
from planted_exams import PlantedSeries, write_series

N_PATIENTS = 32
PLAN = """\
title: Bright squares
task: classification
data:
  images: images
  labels: {from: table, table: labels.csv}
  image: {size: 28}
  include: [{column: modality, one_of: [DX, CT]}]
split: {training: 0.5, tuning: 0.25, test: 0.25}
network: {architecture: small_cnn, n_kernels: [4, 8]}
training: {epochs: 5, batch_size: 8, learning_rate: 0.01, n_members: 2}
"""


def write_patient(number: int, folder: Path, is_ill: bool, modality: str = "DX") -> list[Path]:
    """Write two radiographs of one patient; an ill one shows a bright square."""
    series = PlantedSeries(number + 1, 1, f"secret-{number}", date="20200601", modality=modality, n_instances=2)
    files = write_series(series, folder, size=32)
    for file in files:
        header = pydicom.dcmread(file)
        pixels = header.pixel_array // 8
        if is_ill:
            pixels[8:20, 8:20] += 3000
        header.PixelData = pixels.astype(np.uint16).tobytes()
        header.save_as(file)
    return files


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a study that is trained, and whose test part is still sealed."""
    folder = tmp_path_factory.mktemp("applied")
    rows = ["image,label"]
    for number in range(N_PATIENTS):
        files = write_patient(number, folder / "images", is_ill=bool(number % 2))
        rows += [f"{file.name},{'ill' if number % 2 else 'healthy'}" for file in files]
    (folder / "labels.csv").write_text("\n".join(rows) + "\n")
    (folder / "study.yaml").write_text(PLAN)
    done("train", folder / "study.yaml", "--out", folder / "out")
    return folder / "out"


def new_images(folder: Path) -> Path:
    """Write what a hospital might send: two patients, pictures, and files that are no images."""
    write_patient(900, folder, is_ill=True)
    write_patient(901, folder, is_ill=False)
    write_patient(902, folder, is_ill=False, modality="CT")
    random = np.random.default_rng(1)
    Image.fromarray(random.integers(0, 90, (32, 32)).astype(np.uint8)).save(folder / "picture.png")
    Image.fromarray(255 - random.integers(0, 9, (400, 90)).astype(np.uint8)).save(folder / "long.png")
    (folder / "empty.dcm").write_bytes(b"")
    (folder / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n and no more")
    (folder / "notes.txt").write_text("not an image")
    return folder


def rows_of(file: Path) -> list[dict[str, str]]:
    with file.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def tuning_probabilities(study: Path) -> dict[str, float]:
    """Return what the ensemble said of each tuning image when the study was made."""
    return {
        row["image_id"]: float(row["p_ill"])
        for row in rows_of(study / "tuning_predictions.csv")
        if row["member"] == "ensemble"
    }


@pytest.fixture(scope="module")
def answered(study: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the results for all images of the study itself and for new ones."""
    folder = tmp_path_factory.mktemp("answered")
    images = new_images(folder / "new")
    done("predict", study, images, images / "notes.txt", study.parent / "images", "--out", folder / "results")
    return folder / "results"


def test_the_study_says_of_an_image_what_it_said_when_it_was_made(study: Path, answered: Path) -> None:
    """The same way from the file to the number, to the last printed digit; reading, size, grey levels, ensemble."""
    said = tuning_probabilities(study)
    sha256 = {row["sha256"]: row["image_id"] for row in rows_of(study / "cohort.csv")}
    compared = [
        (float(row["raw_ill"]), said[sha256[row["sha256"]]])
        for row in rows_of(answered / "predictions.csv")
        if row["status"] == "answered" and sha256.get(row["sha256"]) in said
    ]
    assert len(compared) == len(said) > 10
    assert [f"{now:.6g}" for now, _ in compared] == [f"{then:.6g}" for _, then in compared]


def test_the_sealed_test_part_gets_no_answer(study: Path, answered: Path) -> None:
    """Answers for it would be an evaluation that nobody has recorded."""
    test = {row["image_id"] for row in rows_of(study / "split.csv") if row["part"] == "test"}
    hashes = {row["sha256"] for row in rows_of(study / "cohort.csv") if row["image_id"] in test}
    rows = [row for row in rows_of(answered / "predictions.csv") if row["sha256"] in hashes]
    assert len(rows) == len(test)
    assert {(row["status"], row["reason"], row["answer"], row["raw_ill"]) for row in rows} == {
        ("refused", "E_SEALED", "", "")
    }
    assert not [entry for entry in record(study) if entry["event"] == "test set opened"]
    others = [row for row in rows_of(answered / "predictions.csv") if "/images/" in row["image"] and row not in rows]
    assert all("N_IN_STUDY" in row["notes"].split() for row in others)


def test_every_file_has_its_row(answered: Path) -> None:
    """What cannot be read is refused with a code, and so is a text that somebody names as an image."""
    rows = {Path(row["image"]).name: row for row in rows_of(answered / "predictions.csv")}
    assert len(rows) == 2 * (N_PATIENTS + 3) + 5
    fates = {name: rows[name]["reason"] for name in ("empty.dcm", "broken.png", "notes.txt")}
    assert fates == {"empty.dcm": "E_EMPTY_FILE", "broken.png": "E_TRUNCATED", "notes.txt": "E_UNREADABLE"}
    assert rows["picture.png"]["reason"] == "E_NOT_INCLUDED"  # the plan's criteria hold for new images too
    assert all(row["answer"] == "" for row in rows.values() if row["status"] == "refused")
    facts = json.loads((answered / "prediction.json").read_text())
    assert facts["n_images"] == len(rows)
    assert "Not a medical device" in facts["notice"]


def test_answer_probability_and_threshold_agree(study: Path, answered: Path) -> None:
    """The correction keeps the order, so that the frozen threshold says the same before and after it."""
    frozen = json.loads((study / "operating_point.json").read_text())["threshold"]
    rows = [row for row in rows_of(answered / "predictions.csv") if row["status"] == "answered"]
    assert {row["answer"] for row in rows} == {"ill", "healthy"}
    for row in rows:
        assert float(row["raw_threshold"]) == pytest.approx(frozen, rel=1e-5)
        assert (row["answer"] == "ill") == (float(row["raw_ill"]) >= frozen)
        assert (row["answer"] == "ill") == (float(row["p_ill"]) >= float(row["threshold"]))


def test_an_image_that_is_unlike_the_training_part_is_pointed_out(answered: Path) -> None:
    """Another modality by its header; the words say what it is and what was learnt from."""
    rows = {Path(row["image"]).name: row for row in rows_of(answered / "predictions.csv")}
    ct = next(row for name, row in rows.items() if ".903.1.1." in name)
    assert "N_UNLIKE_MODALITY" in ct["notes"]
    assert "its modality is CT; that of the training images is DX" in ct["warnings"]
    alike = [row for row in rows.values() if "/images/" in row["image"] and row["status"] == "answered"]
    assert sum("N_UNLIKE" in row["notes"] for row in alike) <= len(alike) // 10


def test_unlike_size_and_brightness_are_pointed_out(study: Path, tmp_path: Path) -> None:
    """A long white picture among small grey ones; and without criteria, a picture has no modality."""
    shutil.copytree(study, tmp_path / "copy")
    plan = (tmp_path / "copy" / "study.yaml").read_text()
    without = plan[: plan.index("  include:")] + plan[plan.index("  exclude:") :]
    (tmp_path / "copy" / "study.yaml").write_text(without)
    images = new_images(tmp_path / "new")
    done("predict", tmp_path / "copy", images / "long.png", images / "picture.png", "--out", tmp_path / "out")
    notes = {Path(row["image"]).name: row["notes"].split() for row in rows_of(tmp_path / "out" / "predictions.csv")}
    assert {"N_UNLIKE_SIZE", "N_UNLIKE_BRIGHTNESS", "N_UNLIKE_MODALITY"} <= set(notes["long.png"])
    assert "N_UNLIKE_SIZE" not in notes["picture.png"]


def test_a_second_time_nothing_of_the_study_is_touched(study: Path, answered: Path, tmp_path: Path) -> None:
    """What new images are compared with is learnt once, and recorded; answers are none of the study's business."""
    before = {file: sha256_of_file(file) for file in study.rglob("*") if file.is_file()}
    applied = [entry["payload"] for entry in record(study) if entry["payload"].get("stage") == "apply"]
    assert len(applied) == 1
    names = ("calibration.json", "likeness.json", "seen.safetensors")
    assert set(applied[0]["writes"]) == {f"application/{name}" for name in names}
    done("predict", study, answered.parent / "new", "--out", tmp_path / "out")
    assert before == {file: sha256_of_file(file) for file in study.rglob("*") if file.is_file()}
    done("audit", study)


def test_after_the_evaluation_the_test_part_gets_answers_that_prove_nothing(study: Path, tmp_path: Path) -> None:
    """It was opened and recorded; the note says that the study knows it."""
    shutil.copytree(study.parent, tmp_path / "all")
    copy = tmp_path / "all" / "out"
    done("evaluate", tmp_path / "all" / "study.yaml", "--out", copy)
    done("predict", copy, tmp_path / "all" / "images", "--out", tmp_path / "results")
    rows = rows_of(tmp_path / "results" / "predictions.csv")
    assert {row["status"] for row in rows} == {"answered"}
    assert all("N_IN_STUDY" in row["notes"].split() for row in rows)
    assert len([entry for entry in record(copy) if entry["event"] == "test set opened"]) == 1


@pytest.mark.skipif(shutil.which("dciodvfy") is None, reason="dicom3tools is not installed")
def test_a_structured_report_is_valid_and_says_what_the_table_says(study: Path, tmp_path: Path) -> None:
    """In the exam of its image, not verified by anybody, with the notice that it is no medical device."""
    images = new_images(tmp_path / "new")
    done("predict", study, images, "--out", tmp_path / "out", "--dicom")
    rows = [row for row in rows_of(tmp_path / "out" / "predictions.csv") if row["files"]]
    assert [row["image"].endswith(".dcm") for row in rows] == [True] * 6
    for row in rows:
        path = tmp_path / "out" / row["files"]
        judged = subprocess.run(["dciodvfy", str(path)], capture_output=True, check=False, text=True).stderr
        assert "Error" not in judged, judged
        report, source = pydicom.dcmread(path), pydicom.dcmread(row["image"])
        assert (report.PatientID, report.StudyInstanceUID) == (source.PatientID, source.StudyInstanceUID)
        assert (report.VerificationFlag, report.PreliminaryFlag) == ("UNVERIFIED", "PRELIMINARY")
        items = _items(report)
        meanings = [item.CodeMeaning for item in items if "CodeMeaning" in item]
        texts = " ".join(item.TextValue for item in items if "TextValue" in item)
        assert row["answer"] in meanings
        assert "Not a medical device" in texts
        values = [float(i.NumericValue) for i in items if "NumericValue" in i]
        assert values[:2] == pytest.approx([float(row["p_ill"]), float(row["threshold"])], rel=1e-5)
        assert ("another modality" in texts) == ("N_UNLIKE_MODALITY" in row["notes"])


def _items(dataset: pydicom.Dataset) -> list[pydicom.Dataset]:
    found = []
    for element in dataset:
        if element.VR == "SQ":
            for item in element.value:
                found += [item, *_items(item)]
    return found


@pytest.mark.parametrize("protocol", ["dicomweb", "dimse"])
def test_reports_arrive_in_the_pacs(protocol: str, study: Path, tmp_path: Path) -> None:
    """Stored under the patient and exam of their images."""
    images = new_images(tmp_path / "new")
    with running(tmp_path / "orthanc") as server:
        answer = done("predict", study, images, "--out", tmp_path / "out", "--to", getattr(server, protocol))
        assert "6 DICOM files sent." in answer.out
        with urllib.request.urlopen(f"http://127.0.0.1:{server.http_port}/instances") as reply:
            assert len(json.load(reply)) == 6


def test_what_cannot_be_applied_is_refused_with_the_way_out(study: Path, tmp_path: Path) -> None:
    """One sentence each, and nothing is written."""
    refused(lucency("predict", tmp_path, tmp_path), 2, "holds no study")
    refused(lucency("predict", study, tmp_path / "nothing"), 2, "There is no")
    (tmp_path / "empty").mkdir()
    refused(lucency("predict", study, tmp_path / "empty", "--out", tmp_path / "a"), 2, "There is no image in")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.docx").write_text("years of work")
    refused(lucency("predict", study, tmp_path, "--out", tmp_path / "full"), 2, "holds something else")
    shutil.copytree(study, tmp_path / "changed")
    with (tmp_path / "changed" / "training" / "member-1" / "weights.safetensors").open("ab") as file:
        file.write(b"x")
    refused(
        lucency("predict", tmp_path / "changed", study.parent / "images", "--out", tmp_path / "b"),
        1,
        "is not as it was",
    )


def test_a_study_that_is_not_trained_is_not_applied(study: Path, tmp_path: Path) -> None:
    """The threshold belongs to the answer."""
    done("split", study.parent / "study.yaml", "--out", tmp_path / "young")
    answer = lucency("predict", tmp_path / "young", study.parent / "images", "--out", tmp_path / "out")
    refused(answer, 2, "not trained yet")


def test_nothing_but_refusals_ends_with_1(study: Path, tmp_path: Path) -> None:
    """A script must notice; the table says why."""
    (tmp_path / "notes.txt").write_text("not an image")
    answer = lucency("predict", study, tmp_path / "notes.txt", "--out", tmp_path / "out")
    refused(answer, 1, "None of the 1 images could be answered")
    assert rows_of(tmp_path / "out" / "predictions.csv")[0]["reason"] in EXPLANATIONS
