"""The networks of a finished study taken elsewhere, through the command line."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from commands import done, lucency, record, refused
from PIL import Image
from safetensors.torch import load_file

PLAN = """\
title: Bright squares
task: classification
data:
  images: images
  labels: {from: folder}
  patient: {from: filename, pattern: '^(p\\d+)'}
  image: {size: 28}
split: {training: 0.5, tuning: 0.25, test: 0.25}
network: {architecture: small_cnn, n_kernels: [4, 8]}
training: {epochs: 3, batch_size: 8, learning_rate: 0.01, n_members: 2}
explanation: {n_cases: 2}
"""


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a finished study, exported in all forms."""
    folder = tmp_path_factory.mktemp("exported")
    for number in range(48):
        name = "ill" if number % 2 else "healthy"
        pixels = np.random.default_rng(number).integers(0, 120, (28, 28)).astype(np.uint8)
        pixels[8:18, 8:18] += np.uint8(100 * (number % 2))
        (folder / "images" / name).mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(folder / "images" / name / f"p{number:02d}.png")
    (folder / "study.yaml").write_text(PLAN)
    done("train", folder / "study.yaml", "--out", folder / "out")
    return folder / "out"


@pytest.fixture(scope="module")
def exported(study: Path) -> Path:
    """Return the finished study after everything was exported."""
    done("run", study)
    answer = done("export", study)
    assert "on 12 tuning images they answer as the networks do" in answer.out
    return study


def tuning_of(study: Path) -> tuple[list[str], np.ndarray]:
    """Return the files of the tuning part, and what the ensemble said of them."""
    with (study / "cohort.csv").open(newline="") as file:
        source = {row["image_id"]: row["source"] for row in csv.DictReader(file)}
    with (study / "tuning_predictions.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["member"] == "ensemble"]
    return [source[row["image_id"]] for row in rows], np.array(
        [[float(row["p_healthy"]), float(row["p_ill"])] for row in rows]
    )


def pixels_of(study: Path, sources: list[str]) -> np.ndarray:
    """Read the files as anybody would who has not got lucency; axes (image, channel, row, column)."""
    images = [np.asarray(Image.open(study.parent / "images" / source), np.float32) / 255 for source in sources]
    return np.stack(images)[:, None]


def test_a_card_before_the_evaluation_is_refused(study: Path) -> None:
    """There are no results; the order of the tests in this file is that of a study."""
    if any(entry["payload"].get("stage") == "report" for entry in record(study)):
        pytest.skip("the study is finished already")
    refused(lucency("export", study, "--card"), 1, "leave the card out")
    done("export", study, "--bundle")
    assert "have not been evaluated" in (study / "export/bundle/docs/README.md").read_text()


def test_onnx_says_what_the_study_said(exported: Path) -> None:
    """Without lucency: files, ONNX, and the mean of the members."""
    onnxruntime = pytest.importorskip("onnxruntime")
    sources, said = tuning_of(exported)
    images = pixels_of(exported, sources)
    answers = []
    for member in ("member-0", "member-1"):
        session = onnxruntime.InferenceSession(
            exported / f"export/onnx/{member}.onnx", providers=["CPUExecutionProvider"]
        )
        answers.append(session.run(None, {"images": images})[0])
    assert np.mean(answers, axis=0) == pytest.approx(said, abs=1e-5)
    checked = json.loads((exported / "export/onnx/check.json").read_text())
    assert checked["answers"] == ["healthy", "ill"]
    assert all(one["largest_difference"] <= one["tolerance"] == 1e-4 for one in checked["members"])


def test_the_bundle_says_what_the_study_said(exported: Path) -> None:
    """MONAI's own parser builds the ensemble from the configuration."""
    import torch
    from monai.bundle import ConfigParser

    bundle = exported / "export/bundle"
    parser = ConfigParser()
    parser.read_config(bundle / "configs/inference.json")
    parser.read_meta(bundle / "configs/metadata.json")
    parser["bundle_root"] = str(bundle)
    sources, said = tuning_of(exported)
    with torch.inference_mode():
        answers = parser.get_parsed_content("infer")(torch.from_numpy(pixels_of(exported, sources)))
    assert answers.numpy() == pytest.approx(said, abs=1e-5)
    metadata = json.loads((bundle / "configs/metadata.json").read_text())
    assert metadata["network_data_format"]["outputs"]["pred"]["channel_def"] == {"0": "healthy", "1": "ill"}
    frozen = json.loads((exported / "operating_point.json").read_text())
    assert metadata["lucency"]["operating_points"][""] == frozen
    assert (bundle / "LICENSE").read_text().startswith("No licence has been chosen.")
    assert {"mean", "deviation"} <= set(load_file(bundle / "models" / "member-0.safetensors"))


def test_the_card_is_that_of_the_study_and_the_record_vouches_for_all(exported: Path) -> None:
    """What was exported is hashed like everything else; a second time nothing is done."""
    card = (exported / "export/MODEL_CARD.md").read_text()
    assert card.count("Not a medical device.") == 2
    assert "The test part was opened once." in card
    stages = [
        entry["payload"]["stage"]
        for entry in record(exported)
        if entry["payload"].get("stage", "").startswith("export")
    ]
    assert {"export/onnx", "export/bundle", "export/card"} <= set(stages)
    n_entries = len(record(exported))
    assert "The networks are there as ONNX." in done("export", exported).out
    assert len(record(exported)) == n_entries
    done("audit", exported)
    (exported / "export/onnx/member-0.onnx").write_bytes(b"other")
    answer = lucency("audit", exported)
    assert (answer.code, "export/onnx/member-0.onnx was changed" in answer.out) == (1, True)
    done("export", exported, "--onnx")
    done("audit", exported)


def test_what_is_no_study_is_refused(tmp_path: Path) -> None:
    refused(lucency("export", tmp_path), 2, "holds no study")
