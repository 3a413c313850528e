"""Whole studies of a measurement through the command line: numbers from a table, from readers, and from masks."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from commands import done, lucency, refused, stages
from PIL import Image

N_PATIENTS = 40


@pytest.fixture(scope="module")
def cohort(tmp_path_factory) -> Path:
    """Write 80 images of 40 patients, each with a bright square; a table, two readers and masks tell its area."""
    folder = tmp_path_factory.mktemp("measured")
    draw = np.random.default_rng(5)
    table, first, second = [], [], []
    for n in range(2 * N_PATIENTS):
        name, side = f"p{n // 2:02d}-{n % 2}.png", int(draw.integers(2, 14))
        row, column = draw.integers(1, 12, 2)
        square = np.zeros((26, 28), bool)
        square[row : row + side, column : column + side] = True
        for kind, levels in (("images", draw.integers(0, 90, square.shape) + 150 * square), ("masks", 255 * square)):
            (folder / kind).mkdir(exist_ok=True)
            Image.fromarray(levels.astype(np.uint8)).save(folder / kind / name)
        area = int(square.sum())
        table.append((name, {0: "<5", 1: "", 2: f"{area},0 mm²"}.get(n, area)))
        first.append((name, area))
        second.append((name, area + 4))
    for file, rows in (("areas.csv", table), ("A.csv", first), ("B.csv", second)):
        with (folder / file).open("w", newline="", encoding="utf-8") as opened:
            csv.writer(opened).writerows([("image", "label"), *rows])
    return folder


def plan(cohort: Path, name: str, labels: str, more: str = "") -> Path:
    path = cohort / f"{name}.yaml"
    path.write_text(
        f"title: Areas\ntask: regression\ndata:\n  images: images\n  labels: {labels}\n"
        "  patient: {from: filename, pattern: '^(p\\d+)'}\n  image: {size: 28}\n"
        "network: {architecture: logistic}\naugmentation: null\n"
        "training: {epochs: 12, batch_size: 16, learning_rate: 0.005, n_threads: 1, n_members: 2}\n"
        f"explanation: {{n_cases: 3}}\nreport: {{n_worst: 3}}\n{more}"
    )
    return path


def rows(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(path.open(encoding="utf-8")))


@pytest.fixture(scope="module")
def study(cohort) -> Path:
    """Carry out the study whose numbers come from a table."""
    folder = cohort / "of-table"
    text = "regression: {quantity: area of the square, unit: mm², tolerance: 20}\n"
    answer = done("run", plan(cohort, "table", "{from: table, table: areas.csv}", text), "--out", folder)
    assert "Mean absolute error" in answer.out
    return folder


def test_every_image_has_a_number_or_a_reason(study):
    """<5 is no number, an empty cell none at all; a decimal comma and a unit are put right and noted."""
    labels = rows(study / "labels.csv")
    refused_codes = {row["reason"] for row in labels if row["status"] == "refused"}
    assert refused_codes == {"E_NOT_A_NUMBER", "E_NO_LABEL"}
    assert len(labels) == 80
    assert sum(row["notes"] == "N_LABEL_COMMA N_LABEL_UNIT" for row in labels) == 1
    assert all(float(row["target"]) >= 4 for row in labels if row["status"] == "kept")


def test_the_network_beats_the_mean_of_the_training_part(study):
    """The area is a sum over pixels: even a linear regression learns it, and the report says by how much."""
    metrics = {(e["part"], e["group"], e["name"]): e for e in json.loads((study / "metrics.json").read_text())}
    error = metrics["test", "all", "mean absolute error"]
    simple = metrics["test", "against the mean of the training part", "mean absolute error"]
    assert error["value"] < 0.6 * simple["value"]
    assert error["measured_in"] == "mm²"
    assert metrics["test", "all", "share within the tolerance"]["denominator"] == error["n"]
    assert metrics["test", "all", "R²"]["low"] > 0


def test_the_ensemble_is_the_mean_of_its_members(study):
    """Each member says a number of its own."""
    said: dict[str, dict[str, float]] = {}
    for row in rows(study / "predictions.csv"):
        said.setdefault(row["image_id"], {})[row["member"]] = float(row["predicted"])
    assert all(len(members) == 3 for members in said.values())
    for members in said.values():
        assert members["ensemble"] == pytest.approx((members["member-0"] + members["member-1"]) / 2)


def test_the_report_tells_the_measurement(study):
    """Figures, unit, simple answers, limitations; no class is spoken of."""
    page = (study / "report.html").read_text(encoding="utf-8")
    for words in (
        "Bland–Altman plot",
        "area of the square (mm²)",
        "Worst cases",
        "Nothing beyond what was learnt",
        "mm²",
    ):
        assert words in page
    for words in ("ROC curve", "sensitivity", "confusion matrix"):
        assert words not in page.split('id="glossary"')[0].split('id="hyperparameters"')[0]
    assert {path.name for path in (study / "figures").glob("*.svg")} >= {
        "identity.svg",
        "bland_altman.svg",
        "calibration.svg",
    }


def test_a_second_run_does_nothing_and_the_record_holds(study):
    """As for every study; the test set was opened once."""
    done("run", study)
    assert stages(study).count("train") == 1
    assert stages(study).count("evaluate") == 1
    done("audit", study)


def test_areas_come_from_masks(cohort):
    """The area of each mask in pixels of its image is the number; another unit than pixels is a wrong plan."""
    folder = cohort / "of-masks"
    drawings = "{from: masks, drawings: {path: masks, measure: area_pixels}}"
    done("label", plan(cohort, "masks", drawings), "--out", folder)
    drawn = {row["image_id"]: row["n_voxels"] for row in rows(folder / "drawings.csv")}
    labels = [row for row in rows(folder / "labels.csv") if row["status"] == "kept"]
    assert len(labels) == 80
    assert all(float(row["target"]) == float(drawn[row["image_id"]]) for row in labels)
    wrong = plan(cohort, "unit", drawings, "regression: {unit: mm}\n")
    refused(lucency("label", wrong, "--out", cohort / "x1"), 2, "gives pixels")
    no_spacing = plan(cohort, "spacing", "{from: masks, drawings: {path: masks, measure: area_mm2}}")
    refused(lucency("label", no_spacing, "--out", cohort / "x2"), 2, "No image has a number")


def test_two_readers_measurements_become_their_mean(cohort):
    """The second reader measures 4 more: the mean is 2 more, and the agreement is told."""
    folder = cohort / "of-readers"
    readers = "{from: readers, readers: {tables: [A.csv, B.csv], scale: ratio}, consensus: {rule: mean}}"
    done("describe", plan(cohort, "readers", readers), "--out", folder)
    labels = [row for row in rows(folder / "labels.csv") if row["status"] == "kept"]
    assert all(int(float(row["target"])) % 1 == 0 and "A=" in row["votes"] for row in labels)
    first = {row["image"]: float(row["label"]) for row in rows(cohort / "A.csv")}
    assert sorted(float(row["target"]) for row in labels) == sorted(area + 2 for area in first.values())
    told = json.loads((folder / "ground_truth.json").read_text())["readers"][0]
    bias = next(one for one in told["agreement"] if one["name"] == "bias")
    assert bias["value"] == pytest.approx(-4)


def test_a_new_image_is_measured(study, cohort, tmp_path):
    """Two images of the test part, given anew: the same numbers as in the study, with their unit and range."""
    said = {row["image_id"]: row for row in rows(study / "predictions.csv") if row["member"] == "ensemble"}
    source = {row["image_id"]: row["source"] for row in rows(study / "cohort.csv")}
    wanted = [image_id for image_id, row in said.items() if row["part"] == "test"][:2]
    done("predict", study, *(cohort / "images" / source[image_id] for image_id in wanted), "--out", tmp_path / "new")
    table = next(path for path in (tmp_path / "new").glob("*.csv"))
    answers = {row["image"]: row for row in rows(table)}
    for image_id in wanted:
        answer = next(row for image, row in answers.items() if image.endswith(source[image_id]))
        assert float(answer["value"]) == pytest.approx(float(said[image_id]["predicted"]), rel=1e-4)
        assert answer["answer"].endswith("mm²")


def test_suspects_are_for_classes(study):
    """Numbers are not wrong or right; the worst cases stand in the report."""
    refused(lucency("suspects", study), 2, "worst cases")


def test_new_images_get_a_number_with_its_interval(study: Path, cohort: Path, tmp_path: Path) -> None:
    """The number of the study itself; the interval reaches as far as the errors of 95 % of the tuning patients."""
    done("predict", study, cohort / "images", "--out", tmp_path / "out")
    said = {row["image_id"]: row for row in rows(study / "predictions.csv") if row["member"] == "ensemble"}
    source = {row["source"]: row["image_id"] for row in rows(study / "cohort.csv")}
    interval = json.loads((study / "application" / "interval.json").read_text())
    answered = [row for row in rows(tmp_path / "out" / "predictions.csv") if row["status"] == "answered"]
    compared = 0
    for row in answered:
        image = source[Path(row["image"]).name]
        if image in said:
            compared += 1
            assert float(row["value"]) == pytest.approx(float(said[image]["predicted"]), rel=1e-4, abs=1e-3)
        assert row["answer"].endswith(" mm²")
        if interval["reach"] is not None:
            assert float(row["high"]) == pytest.approx(float(row["value"]) + interval["reach"], rel=1e-4, abs=1e-3)
    assert compared == len(said) > 10
