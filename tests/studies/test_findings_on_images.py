"""Several findings at once on images, with cells that nobody filled in."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from commands import done, lucency, refused
from PIL import Image


@pytest.fixture(scope="module")
def study(tmp_path_factory) -> Path:
    """Write 72 images of 36 patients: a bright left half, a bright top, both or none; some cells are empty or in doubt."""
    folder = tmp_path_factory.mktemp("findings")
    draw = np.random.default_rng(2)
    lines = []
    (folder / "images").mkdir()
    for n in range(72):
        left, top = (n // 2) % 2, (n // 4) % 2
        levels = draw.integers(0, 120, (24, 24))
        levels[:, :12] += 90 * left
        levels[:8] += 40 * top
        name = f"p{n // 2:02d}-{n % 2}.png"
        Image.fromarray(levels.clip(0, 255).astype(np.uint8)).save(folder / "images" / name)
        lines.append((name, left, "" if n % 9 == 0 else -1 if n % 10 == 0 else top))
    with (folder / "findings.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("image", "left", "top"), *lines])
    (folder / "study.yaml").write_text(
        "task: classification\ndata:\n  images: images\n"
        "  labels: {from: table, table: findings.csv, findings: [left, top]}\n"
        "  patient: {from: filename, pattern: '^(p\\d+)'}\n  image: {size: 24}\n"
        "split: {training: 0.5, tuning: 0.25, test: 0.25}\n"
        "network: {architecture: logistic}\naugmentation: {rotate_degrees: 0, shift: 0}\n"
        "training: {epochs: 8, batch_size: 8, n_threads: 1, learning_rate: 0.01}\n"
        "explanation: {n_cases: 4}\nreport: {n_worst: 6}\n"
    )
    done("run", folder / "study.yaml", "--out", folder / "out")
    return folder / "out"


def test_each_finding_has_its_own_results(study):
    """A mean over the findings, then each by itself, on the images whose cell is filled in."""
    metrics = [one for one in json.loads((study / "metrics.json").read_text()) if one["part"] == "test"]
    assert metrics[0]["name"] == "macro-average AUC"
    aucs = {one["group"]: one for one in metrics if one["name"] == "AUC"}
    assert set(aucs) == {"left", "top"}
    assert aucs["left"]["value"] > 0.9
    assert aucs["top"]["n"] < aucs["left"]["n"]
    assert set(json.loads((study / "operating_point.json").read_text())["findings"]) == {"left", "top"}


def test_pictures_speak_of_the_finding(study):
    """Samples, errors and maps name the finding, and the right image: a map of a finding is of an image that has it."""
    samples = json.loads((study / "figures" / "samples.json").read_text())
    assert {one["caption"] for one in samples} == {"left", "top"}
    maps = json.loads((study / "figures" / "saliency.json").read_text())["cases"]
    assert len(maps) == 4
    assert all("truth left present" in one["caption"] or "truth top present" in one["caption"] for one in maps)
    told = {row["image_id"]: row for row in csv.DictReader((study / "findings.csv").open())}
    for case in maps:
        image, _, rest = case["caption"].partition(":")
        assert told[image][rest.split()[1]] == "positive"
    for error in json.loads((study / "figures" / "errors.json").read_text()):
        finding, _, answer = error["target"].partition(" ")
        assert told[error["image_id"]][finding] == {"present": "positive", "absent": "negative"}[answer]
        assert error["predicted"].split()[0] == finding


def test_the_report_shows_every_finding(study):
    """The table of findings, and the ROC curve of each."""
    page = (study / "report.html").read_text(encoding="utf-8")
    assert "Several findings were asked at once" in page
    assert "Averaged over the 2 findings" in page


def test_suspects_ask_one_finding_at_a_time(study):
    """The refusal names the way out."""
    refused(lucency("suspects", study), 2, "label_column")
