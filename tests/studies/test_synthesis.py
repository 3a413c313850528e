"""A whole small study of synthesis through the command line, and images written from it."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bright_and_dark import write_bright_and_dark
from lucency.domain.progress import Silence
from lucency.errors import SealError
from lucency.study.folder import StudyFolder
from lucency.study.plan import read_plan
from lucency.study.stage import Study
from studies.commands import done, lucency, record, refused, stages

PLAN = """\
task: synthesis
data:
  images: images
  image: {size: 16}
  labels: {from: folder}
  patient: {from: filename, pattern: '^(p[0-9]+)'}
split: {training: 0.5, tuning: 0.25, test: 0.25}
describe: {probes: false}
network: {n_kernels: [4, 8]}
training: {epochs: 2, batch_size: 8, device: cpu, n_threads: 1}
synthesis:
  model: MODEL
  n_kernels: 4
  noise_size: 6
  epochs: 3
  batch_size: 8
  sheet_epochs: 2
  critic_steps: 1
  n_samples: 60
  ablation: {n_seeds: 2}
"""


def write_study(folder: Path, model: str = "dcgan") -> Path:
    write_bright_and_dark(folder / "images")
    (folder / "plan.yaml").write_text(PLAN.replace("MODEL", model))
    return folder / "plan.yaml"


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Carry out a study once."""
    plan = write_study(tmp_path_factory.mktemp("synthesis"))
    done("run", plan, "--out", plan.parent / "study")
    return plan.parent / "study"


def test_a_study_of_synthesis_goes_from_plan_to_report(finished: Path) -> None:
    """Every stage, whole record, the test set opened once, and everything that the issue asks for on the page."""
    done("audit", finished)
    assert stages(finished) == [
        *("curate", "label", "split", "describe", "judge", "train"),
        *("predict", "ablate", "evaluate", "explain", "report"),
    ]
    assert sum(entry["event"] == "test set opened" for entry in record(finished)) == 1
    page = (finished / "report.html").read_text()
    for words in ("Memorisation", "Are synthetic images of use?", "A walk through the noise", "mode collapse"):
        assert words in page
    assert "Privacy is not proven" in page
    assert "Synthetic images are not patients" in page


def test_every_measure_is_in_the_table(finished: Path) -> None:
    """With an interval each; the three arms with both differences."""
    found = json.loads((finished / "metrics.json").read_text())
    names = {entry["name"] for entry in found}
    assert names >= {
        *("KID", "KID of training images", "KID above the floor"),
        *("nearer than unseen images", "ratio of nearest images", "suspected copies"),
        *("coverage", "coverage by training images", "pairs too alike", "told apart by the nearest neighbour"),
        *("AUC, real", "AUC, real and synthetic", "AUC, synthetic"),
        *("AUC difference, real and synthetic − real", "AUC difference, synthetic − real"),
    }
    assert all(entry["low"] <= entry["value"] <= entry["high"] for entry in found if entry["value"] is not None)


def test_each_synthetic_image_is_listed_with_its_nearest_training_image(finished: Path) -> None:
    """The nearest image is of the training part, and the distance is that of the pixels."""
    with (finished / "synthetic.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 60
    with (finished / "split.csv").open(newline="") as file:
        part = {row["image_id"]: row["part"] for row in csv.DictReader(file)}
    assert {part[row["nearest_training_image"]] for row in rows} == {"training"}
    with (finished / "cohort.csv").open(newline="") as file:
        place = {row["image_id"]: int(row["store_row"]) for row in csv.DictReader(file)}
    shape = json.loads((finished / "store" / "store.json").read_text())["shape"]
    store = np.fromfile(finished / "store" / "images.bin", np.uint8).reshape(shape) / 255.0
    made = np.fromfile(finished / "synthetic" / "images.bin", np.uint8).reshape(-1, *shape[1:]) / 255.0
    for number in (0, 17, 59):
        real = store[place[rows[number]["nearest_training_image"]]]
        distance = np.sqrt(((made[number] - real) ** 2).mean())
        assert float(rows[number]["distance"]) == pytest.approx(distance, abs=1e-5)


def test_sheets_show_the_epochs_that_the_plan_asks_for(finished: Path) -> None:
    """The first, every second, and the last."""
    sheets = json.loads((finished / "figures" / "epochs.json").read_text())
    assert [one["caption"].split(" (")[0] for one in sheets] == ["epoch 1", "epoch 2", "epoch 3"]
    with Image.open(finished / sheets[0]["file"]) as sheet:
        assert sheet.size == (800, 320)


def test_a_second_run_does_nothing_and_a_change_redoes_what_depends_on_it(finished: Path) -> None:
    """The generator does not depend on the ablation, nor the classifiers of the real arm's folder on the report."""
    before = stages(finished)
    done("run", finished)
    assert stages(finished) == before


def test_images_are_written_and_marked(finished: Path, tmp_path: Path) -> None:
    """The class and the word synthetic stand in the name, the warning in the file; the same number is the same image."""
    plan = json.loads((finished / "synthesis.json").read_text())
    assert plan["suspect_below"] > 0
    done("synthesise", finished, "--n", "5", "--class", "ill", "--out", tmp_path / "ill")
    with (tmp_path / "ill" / "images.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 5
    assert all(float(row["distance"]) >= plan["suspect_below"] for row in rows)
    first = rows[0]
    assert first["file"].startswith("synthetic-ill-")
    with Image.open(tmp_path / "ill" / first["file"]) as image:
        assert image.text["Synthetic"] == "yes"
        assert "no patient" in image.text["Description"]
        assert image.text["Class"] == "ill"
        pixels = np.asarray(image)
    assert pixels.shape == (16, 16)
    done("synthesise", finished, "--n", "1", "--class", "ill", "--first", first["number"], "--out", tmp_path / "again")
    with Image.open(tmp_path / "again" / first["file"]) as image:
        assert (np.asarray(image) == pixels).all()
    both = done("synthesise", finished, "--n", "12", "--out", tmp_path / "both")
    assert "12 synthetic images" in both.out
    assert {name.name.split("-")[1] for name in (tmp_path / "both").glob("*.png")} == {"healthy", "ill"}


def test_what_cannot_be_written_is_refused(finished: Path, tmp_path: Path) -> None:
    """With the way out."""
    out = tmp_path / "out"
    refused(lucency("synthesise", finished, "--class", "cat", "--out", out), 2, "Choose one of: healthy, ill")
    refused(lucency("synthesise", tmp_path, "--out", out), 2, "holds no study")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").write_text("x")
    refused(lucency("synthesise", finished, "--out", tmp_path / "full"), 2, "is not empty")


def test_the_test_part_stays_sealed_until_the_evaluation(tmp_path: Path) -> None:
    """Neither the contest nor the ablation may look at it; without classes there is no ablation, and no class to ask for."""
    from lucency.domain.parts import Part
    from lucency.study.synthesis.sight import images_of

    plan = write_study(tmp_path, "wgan_gp")
    out = tmp_path / "study"
    answer = done("train", plan, "--out", out, "--set", "synthesis.conditional=false")
    assert "synthetic images were made" in answer.out
    study = Study(read_plan(out / "study.yaml"), StudyFolder(out), Silence())
    with pytest.raises(SealError):
        images_of(study, Part.TEST)
    refused(lucency("synthesise", out, "--out", tmp_path / "given"), 1, "not judged yet")
    answer = done("run", out)
    assert "No ablation" in answer.out
    assert "Are synthetic images of use?" not in (out / "report.html").read_text()
    refused(lucency("synthesise", out, "--class", "ill", "--out", tmp_path / "given"), 2, "Leave --class out")


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("data.image.size=30", "set `data.image.size` to 28 or 32"),
        ("data.image.size=224", "set `data.image.size` to 128"),
        ("training.n_members=3", "leave `training.n_members` at 1"),
        ("training.precision=bf16", "leave `training.precision` at 32"),
        ("data.image.n_slices=8", "leave out `data.image.n_slices`"),
        ("synthesis.model=gan", "dcgan"),
    ],
)
def test_a_plan_that_no_generator_can_follow_is_refused(tmp_path: Path, setting: str, said: str) -> None:
    """Before any work, with the way out."""
    (tmp_path / "plan.yaml").write_text(PLAN.replace("MODEL", "dcgan"))
    refused(lucency("run", tmp_path / "plan.yaml", "--out", tmp_path / "study", "--set", setting), 2, said)


def test_other_tasks_take_no_generator(tmp_path: Path) -> None:
    """A section that nothing would read is refused rather than overlooked."""
    classifies = PLAN.replace("MODEL", "dcgan").replace("task: synthesis", "task: classification")
    (tmp_path / "plan.yaml").write_text(classifies.replace("network: {", "network: {architecture: small_cnn, "))
    refused(
        lucency("run", tmp_path / "plan.yaml", "--out", tmp_path / "out"), 2, "`synthesis` is for `task: synthesis`"
    )


def test_each_model_comes_with_what_suits_it(tmp_path: Path) -> None:
    """Rates and steps are those of the papers unless the plan says otherwise, and they are written down."""
    (tmp_path / "plan.yaml").write_text(PLAN.split("synthesis:\n")[0] + "synthesis: {model: wgan_gp}\n")
    plan = read_plan(tmp_path / "plan.yaml")
    assert (plan.synthesis.critic_steps, plan.synthesis.betas) == (5, (0.0, 0.9))
    assert plan.network.architecture == "small_cnn"
    assert read_plan(tmp_path / "plan.yaml", ["synthesis.critic_steps=2"]).synthesis.critic_steps == 2
