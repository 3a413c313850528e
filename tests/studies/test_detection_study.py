"""A study that looks for lesions, from masks and from boxes."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from commands import done, lucency, refused
from PIL import Image
from safetensors.torch import load_file

pytestmark = pytest.mark.slow

PLAN = """\
task: detection
data:
  images: images
  labels: {from: masks, drawings: {path: masks, finding: nodule}}
  patient: {from: filename, pattern: '^(p\\d+)'}
  image: {size: 64}
split: {training: 0.5, tuning: 0.25, test: 0.25}
augmentation: {rotate_degrees: 5, contrast: [1, 1], brightness: 0}
detection: {n_channels: 32, n_proposals: 20, most_marks: 5, hit: {least_overlap: 0.3}}
training: {epochs: 1, batch_size: 8, n_threads: 1}
explanation: {n_cases: 2}
report: {n_worst: 2}
"""


OTHER = """\
task: classification
data:
  images: images
  labels: {from: table, table: labels.csv}
  patient: {from: filename, pattern: '^(p\\d+)'}
  image: {size: 64}
split: {training: 0.5, tuning: 0.25, test: 0.25}
training: {epochs: 1, batch_size: 8, n_threads: 1}
"""


def write_images(folder: Path, n_patients: int, seed: int = 1) -> None:
    """Write pictures of 60 × 80 pixels; two of three show one bright nodule or two, and have it in their mask."""
    draw = np.random.default_rng(seed)
    (folder / "images").mkdir(parents=True)
    (folder / "masks").mkdir()
    boxes = []
    for number in range(n_patients):
        picture, mask = draw.integers(0, 60, (60, 80)).astype(np.uint8), np.zeros((60, 80), np.uint8)
        for column in (5, 45)[: number % 3]:
            left, top = column + int(draw.integers(0, 10)), int(draw.integers(0, 36))
            width, height = (int(side) for side in draw.integers(14, 22, 2))
            picture[top : top + height, left : left + width] = 220
            mask[top : top + height, left : left + width] = 255
            boxes.append({"image_id": number, "category_id": 1, "bbox": [left, top, width, height]})
        Image.fromarray(picture).save(folder / "images" / f"p{number}.png")
        Image.fromarray(mask).save(folder / "masks" / f"p{number}.png")
    images = [{"id": number, "file_name": f"p{number}.png", "height": 60, "width": 80} for number in range(n_patients)]
    content = {"images": images, "annotations": boxes, "categories": [{"id": 1, "name": "nodule"}]}
    (folder / "boxes.json").write_text(json.dumps(content))


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """Carry out a whole study with masks."""
    folder = tmp_path_factory.mktemp("detection")
    write_images(folder, 30)
    (folder / "study.yaml").write_text(PLAN)
    return folder, done("run", folder / "study.yaml", "--out", folder / "out").out


def test_a_study_goes_from_masks_to_a_report(study):
    """Every number that a journal asks of a detection stands in the folder, and the report shows it."""
    folder, said = study
    assert "Lesions: 30 (nodule) in 20 images, and 10 images without any." in said
    assert "Marks count from a score of" in said
    metrics = json.loads((folder / "out" / "metrics.json").read_text())
    names = {one["name"] for one in metrics if one["part"] == "test"}
    assert {
        "FROC score",
        "AFROC area",
        "lesion-wise sensitivity",
        "false positives per image",
        "image-level AUC",
    } <= names
    assert {"average precision at IoU 0.5", "mask average precision at IoU 0.5", "mask Dice of hits"} <= names
    report = (folder / "out" / "report.html").read_text()
    for words in ("Mask R-CNN", "FROC curve", "AFROC curve", "images without lesions", "Hits, misses and false alarms"):
        assert words in report


def test_marks_are_exported_in_pixels_of_the_original(study):
    """A box on the grid of 64 × 64 must come back to the picture of 60 × 80."""
    out = study[0] / "out"
    coco = json.loads((out / "predictions_coco.json").read_text())
    assert all((image["height"], image["width"]) == (60, 80) for image in coco["images"])
    for mark in coco["annotations"]:
        left, top, width, height = mark["bbox"]
        assert 0 <= left < left + width <= 80 + 1e-6
        assert 0 <= top < top + height <= 60 + 1e-6
        assert mark["segmentation"]["size"] == [60, 80]
    header = (out / "predictions.csv").read_text().splitlines()[0]
    assert header == "image_id,patient_id,part,member,kind,score,left,top,width,height,mask"


def test_a_second_run_does_nothing_and_the_audit_agrees(study):
    """What was done is not done again, and nothing was changed since."""
    folder, _ = study
    before = (folder / "out" / "record.jsonl").read_bytes()
    done("run", folder / "study.yaml", "--out", folder / "out")
    assert (folder / "out" / "record.jsonl").read_bytes() == before
    assert "✗" not in done("audit", folder / "out").out


def test_boxes_alone_are_enough_for_faster_rcnn(study):
    """Labels and lesions come from a COCO file; no mask is asked of anybody."""
    folder, _ = study
    plan = PLAN.replace("from: masks", "from: boxes").replace("path: masks", "path: boxes.json")
    (folder / "boxes.yaml").write_text(plan)
    said = done("label", folder / "boxes.yaml", "--out", folder / "boxes").out
    assert "Lesions: 30 (nodule) in 20 images" in said
    lesions = json.loads((folder / "boxes" / "store" / "lesions.json").read_text())
    assert not lesions["has_masks"]


def test_boxes_cannot_teach_masks(study):
    """The way out is in the message."""
    folder, _ = study
    answer = lucency("label", folder / "boxes.yaml", "--out", folder / "asked", "--set", "detection.network=mask_rcnn")
    refused(answer, 2, "30 lesions have a box and no outline", "faster_rcnn")


def test_lesions_are_no_business_of_the_search_for_wrong_labels(study):
    """It looks for wrong classes of whole images."""
    refused(lucency("suspects", study[0] / "study.yaml", "--out", study[0] / "out"), 2, "`task: detection`")


def test_the_backbone_may_begin_with_weights_of_another_study(study):
    """A classification of other patients teaches it to read; frozen, it stays as it was, and the record proves it."""
    folder, _ = study
    other = folder / "other"
    write_images(other, 24, seed=2)
    rows = [f"p{number}.png,{'nodule' if number % 3 else 'none'}" for number in range(24)]
    (other / "labels.csv").write_text("\n".join(["image,label", *rows]) + "\n")
    (other / "study.yaml").write_text(OTHER)
    done("train", other / "study.yaml", "--out", other / "out")
    (folder / "begun.yaml").write_text(PLAN + "transfer: {study: other/out, unfreeze: head}\n")
    done("train", folder / "begun.yaml", "--out", folder / "begun")
    outcome = json.loads((folder / "begun" / "training" / "member-0" / "outcome.json").read_text())
    assert [stage["name"] for stage in outcome["stages"]] == [*(f"stage_{number}" for number in range(1, 6)), "head"]
    assert outcome["frozen"]["sha256_before"] == outcome["frozen"]["sha256_after"]
    given, taken = (
        load_file(one / "training/member-0/weights.safetensors") for one in (other / "out", folder / "begun")
    )
    for name in ("conv1.weight", "layer4.1.bn2.running_var"):
        assert given[f"network.{name}"].equal(taken[f"network.backbone.body.{name}"])
    assert given["mean"].equal(taken["mean"])


def test_new_images_are_marked_as_those_of_the_study_were(study, tmp_path):
    """The marks of the study's own COCO file that reach the frozen threshold, in pixels of the originals."""
    folder, _ = study
    done("predict", folder / "out", folder / "images", "--out", tmp_path / "new")
    threshold = json.loads((folder / "out" / "operating_point.json").read_text())["threshold"]
    then = json.loads((folder / "out" / "predictions_coco.json").read_text())
    with (tmp_path / "new" / "predictions.csv").open(newline="") as file:
        said = {Path(row["image"]).name: row for row in csv.DictReader(file)}
    assert len(then["images"]) > 3
    for image in then["images"]:
        row = said[Path(image["file_name"]).name]
        expected = [a for a in then["annotations"] if a["image_id"] == image["id"] and a["score"] >= threshold]
        now = json.loads((tmp_path / "new" / row["files"]).read_text())["annotations"]
        assert float(row["n_marks"]) >= len(now) == len(expected)
        assert [a["bbox"] for a in now] == [pytest.approx(a["bbox"], abs=1e-2) for a in expected]
        assert [a["score"] for a in now] == pytest.approx([a["score"] for a in expected], abs=1e-4)
