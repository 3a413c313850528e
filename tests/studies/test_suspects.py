"""The search for wrong labels through the command line: what it finds, what it may not see, and that it goes on."""

import csv
import json
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from bright_and_dark import write_bright_and_dark
from lucency.domain.progress import Silence
from lucency.study.beside import suspects as module
from lucency.study.beside.suspects import find_suspect_labels
from lucency.study.folder import StudyFolder
from lucency.study.plan import read_plan
from lucency.training.examples import ImageExamples
from studies.commands import done, lucency, record, refused, stages

PLAN = """\
task: classification
data:
  images: images
  labels: {from: table, table: labels.csv}
  patient: {from: filename, pattern: '^(p\\d+)'}
  image: {size: 28}
network: {architecture: small_cnn, n_kernels: [4, 8]}
training: {epochs: 12, batch_size: 16, learning_rate: 0.01, select_by: cost}
label_audit: {folds: 4}
augmentation: null
"""


def write_study(folder: Path, n_patients: int = 120, flipped: float = 0.08) -> tuple[Path, set[str]]:
    """Write a cohort of bright and dark images with some labels flipped; return the plan and the flipped images."""
    write_bright_and_dark(folder / "images", n_patients, n_each=1)
    paths = sorted(path.relative_to(folder / "images").as_posix() for path in (folder / "images").rglob("*.png"))
    draw = np.random.default_rng(5)
    wrong = {path for path in paths if draw.random() < flipped}
    with (folder / "labels.csv").open("w", newline="") as file:
        rows = [(path, path.startswith("ill") != (path in wrong)) for path in paths]
        csv.writer(file).writerows([("image", "label"), *((path, "ill" if ill else "well") for path, ill in rows)])
    (folder / "plan.yaml").write_text(PLAN)
    return folder / "plan.yaml", wrong


def table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def results(folder: Path) -> dict[str, bytes]:
    files = [folder / "suspects" / name for name in ("suspects.csv", "suspects.html", "noise.json")]
    return {path.name: path.read_bytes() for path in [*files, *folder.glob("suspects/fold-*/predictions.csv")]}


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, set[str]]:
    """Return a study folder after the search, and the images whose labels were flipped."""
    folder = tmp_path_factory.mktemp("searched")
    plan, wrong = write_study(folder)
    done("suspects", plan, "--out", folder / "s")
    return folder / "s", wrong


def test_planted_wrong_labels_are_found(searched: tuple[Path, set[str]]) -> None:
    """Eight in a hundred labels are flipped; the list must be worth a radiologist's time."""
    folder, wrong = searched
    part = {row["image_id"]: row["part"] for row in table(folder / "split.csv")}
    source = {row["image_id"]: row["source"] for row in table(folder / "cohort.csv")}
    looked_at = {source[image_id] for image_id, name in part.items() if name != "test"}
    planted = wrong & looked_at
    found = [row["image"] for row in table(folder / "suspects" / "suspects.csv")]
    assert len(planted) >= 6
    assert len(planted & set(found)) / len(planted) > 0.8
    first = found[: len(planted)]
    assert len(planted & set(first)) / len(first) > 5 * len(planted) / len(looked_at)
    noise = json.loads((folder / "suspects" / "noise.json").read_text())["noise"][0]
    assert noise["low"] < len(planted) / len(looked_at) < noise["high"]


def test_the_table_is_ready_to_be_filled_in(searched: tuple[Path, set[str]]) -> None:
    """Whoever opens it in a spreadsheet finds the image under its own name and empty cells for the decision."""
    folder, _ = searched
    rows = table(folder / "suspects" / "suspects.csv")
    assert list(rows[0])[-4:] == ["correct_label", "decided_by", "decided_on", "remark"]
    assert all(row["correct_label"] == row["decided_by"] == "" for row in rows)
    assert all((folder.parent / "images" / row["image"]).exists() for row in rows)
    assert all(row["suggested"] != row["label"] for row in rows)
    scores = [float(row["score"]) for row in rows]
    assert scores == sorted(scores)
    page = (folder / "suspects" / "suspects.html").read_text()
    assert page.count("<img") == len(rows)
    assert "<script" not in page


def test_no_patient_stands_in_two_folds(searched: tuple[Path, set[str]]) -> None:
    """A network that has seen a patient remembers the label instead of judging the image."""
    folder, _ = searched
    folds = defaultdict(set)
    n_images = 0
    for path in folder.glob("suspects/fold-*/predictions.csv"):
        for row in table(path):
            folds[row["patient_id"]].add(path)
            n_images += 1
    assert all(len(found) == 1 for found in folds.values())
    parts = [row["part"] for row in table(folder / "split.csv")]
    assert n_images == len(parts) - parts.count("test")


def test_the_record_vouches_for_the_search(searched: tuple[Path, set[str]]) -> None:
    """Each fold and the list have their entry, the test set stays sealed, and a second search does nothing."""
    folder, _ = searched
    assert stages(folder) == ["curate", "label", "split", *(f"suspects/fold-{n}" for n in (1, 2, 3, 4)), "suspects"]
    assert "sealed, never opened" in done("audit", folder).out
    n_entries = len(record(folder))
    assert "The suspects are listed." in done("suspects", folder).out
    assert len(record(folder)) == n_entries
    assert not list(folder.rglob("checkpoint-*"))


def test_corrected_labels_leave_the_record_whole(tmp_path: Path) -> None:
    """The search looked at the labels before they were corrected; that is no fault of the study."""
    plan, wrong = write_study(tmp_path, n_patients=48)
    folder = tmp_path / "s"
    done("suspects", plan, "--out", folder, "--folds", "2", "--set", "training.epochs=2")
    text = (tmp_path / "labels.csv").read_text()
    one = min(wrong)
    old = next(line for line in text.splitlines() if line.startswith(one))
    (tmp_path / "labels.csv").write_text(text.replace(old, f"{one},{'ill' if one.startswith('ill') else 'well'}"))
    done("split", plan, "--out", folder, "--set", "training.epochs=2", "--set", "label_audit.folds=2")
    assert "looked at an earlier labels.csv" in done("audit", folder).out


def test_neither_networks_nor_people_see_the_test_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An image of the sealed part that anybody looked at is sealed no more."""
    plan, _ = write_study(tmp_path, n_patients=48)
    shown: list[str] = []
    pictures_of = module.pictures_of

    def noted(study: object, image_ids: list[str]) -> list[bytes]:
        shown.extend(image_ids)
        return pictures_of(study, image_ids)  # type: ignore[arg-type]

    monkeypatch.setattr(module, "pictures_of", noted)
    read: set[int] = set()
    stored = ImageExamples.stored

    def spied(examples: ImageExamples, batch: NDArray[np.int64]) -> Tensor:
        read.update(examples.rows[batch].tolist())
        return stored(examples, batch)

    monkeypatch.setattr(ImageExamples, "stored", spied)
    find_suspect_labels(
        read_plan(plan, ["training.epochs=2", "label_audit.folds=2"]), StudyFolder(tmp_path / "s"), Silence()
    )
    store_row = {row["image_id"]: int(row["store_row"]) for row in table(tmp_path / "s" / "cohort.csv")}
    test = {row["image_id"] for row in table(tmp_path / "s" / "split.csv") if row["part"] == "test"}
    assert test
    assert read >= {row for image_id, row in store_row.items() if image_id not in test}
    assert not read & {store_row[image_id] for image_id in test}
    assert not test & set(shown)


class LosesPatience(Silence):
    """A desk whose user leaves after some iterations."""

    def __init__(self, n_steps: int) -> None:
        self.n_left = n_steps

    def advance(self, n_steps: int = 1, detail: str = "") -> None:
        """Count down."""
        self.n_left -= n_steps
        if self.n_left < 0:
            raise KeyboardInterrupt


@pytest.mark.parametrize("n_steps", [55, 66, 80])
def test_a_search_that_was_killed_ends_in_the_same_list(tmp_path: Path, n_steps: int) -> None:
    """Five trainings take hours on real data; no fold is lost, and the interrupted one goes on from its checkpoint."""
    plan, _ = write_study(tmp_path, n_patients=48)
    settings = ["label_audit.epochs=6", "label_audit.folds=3", "training.checkpoint_minutes=0.000001"]
    find_suspect_labels(read_plan(plan, settings), StudyFolder(tmp_path / "whole"), Silence())
    with pytest.raises(KeyboardInterrupt):
        find_suspect_labels(read_plan(plan, settings), StudyFolder(tmp_path / "s"), LosesPatience(n_steps))
    assert "suspects" not in stages(tmp_path / "s")
    find_suspect_labels(read_plan(plan, settings), StudyFolder(tmp_path / "s"), Silence())
    assert results(tmp_path / "s") == results(tmp_path / "whole")
    assert stages(tmp_path / "s") == stages(tmp_path / "whole")


def test_more_than_two_classes(tmp_path: Path) -> None:
    """Bright squares, bright lines, or nothing; a few labels moved on by one."""
    draw = np.random.default_rng(3)
    rows, wrong = [("image", "label")], set()
    (tmp_path / "images").mkdir()
    for number in range(150):
        kind = number % 3
        pixels = draw.integers(0, 120, (28, 28))
        row, column = draw.integers(2, 16, 2)
        if kind == 1:
            pixels[row : row + 10, column : column + 10] += 110
        if kind == 2:
            pixels[row : row + 3] += 110
        name = f"p{number:03d}-0.png"
        Image.fromarray(pixels.astype(np.uint8)).save(tmp_path / "images" / name)
        if draw.random() < 0.1:
            wrong.add(name)
        rows.append((name, ("none", "square", "line")[(kind + (name in wrong)) % 3]))
    with (tmp_path / "labels.csv").open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    (tmp_path / "plan.yaml").write_text(PLAN)
    done("suspects", tmp_path / "plan.yaml", "--out", tmp_path / "s", "--folds", "3")
    found = [row["image"] for row in table(tmp_path / "s" / "suspects" / "suspects.csv")]
    sealed = {row["image_id"] for row in table(tmp_path / "s" / "split.csv") if row["part"] == "test"}
    planted = wrong - {row["source"] for row in table(tmp_path / "s" / "cohort.csv") if row["image_id"] in sealed}
    assert len(planted & set(found)) / len(planted) > 0.6
    assert np.mean([name in planted for name in found[: len(planted)]]) > 0.5


def test_copies_that_contradict_each_other_are_shown_in_pairs(tmp_path: Path) -> None:
    """Equal pictures under two labels were set aside; the sheet brings them before somebody who can decide."""
    plan, _ = write_study(tmp_path, n_patients=48, flipped=0)
    for folder, name in (("ill", "p001-0.png"), ("healthy", "p900-0.png")):
        pixels = (tmp_path / "images" / "ill" / "p001-0.png").read_bytes()
        (tmp_path / "images" / folder / name).write_bytes(pixels)
    with (tmp_path / "labels.csv").open("a") as file:
        file.write("healthy/p900-0.png,well\n")
    answer = done("suspects", plan, "--out", tmp_path / "s", "--folds", "2", "--set", "training.epochs=2")
    assert "Groups of equal images under different labels: 1." in answer.out
    pairs = [row for row in table(tmp_path / "s" / "suspects" / "suspects.csv") if row["doubt"] == "equal images"]
    assert {(row["image"], row["label"], row["group"]) for row in pairs} == {
        ("ill/p001-0.png", "ill", "C0001"),
        ("healthy/p900-0.png", "well", "C0001"),
    }
    assert "Equal pictures under different labels" in (tmp_path / "s" / "suspects" / "suspects.html").read_text()


def test_too_few_patients_of_a_class_are_refused(tmp_path: Path) -> None:
    """Cross-validation needs each class in each fold; the sentence says what to do."""
    plan, _ = write_study(tmp_path, n_patients=10, flipped=0)
    answer = lucency("suspects", plan, "--out", tmp_path / "s", "--folds", "9", "--set", "training.epochs=1")
    refused(answer, 1, "fewer than the 9 folds", "Take fewer folds")


@pytest.mark.slow
def test_wrong_labels_of_phantoms_are_found(tmp_path: Path) -> None:
    """On the made-up chest radiographs the first suspects must be at least three times as often wrong as others."""
    from lucency.data.phantoms import write_cohort

    write_cohort(tmp_path / "cohort")
    rows = table(tmp_path / "cohort" / "labels.csv")
    draw = np.random.default_rng(4)
    other = {"pneumonia": "no_pneumonia", "no_pneumonia": "pneumonia"}
    wrong = {row["image"] for row in rows if draw.random() < 0.08}
    with (tmp_path / "labels.csv").open("w", newline="") as file:
        lines = [(row["image"], other[row["label"]] if row["image"] in wrong else row["label"]) for row in rows]
        csv.writer(file).writerows([("image", "label"), *lines])
    data = "{images: cohort/images, labels: {from: table, table: labels.csv}, patient: dicom, image: {size: 64}}"
    (tmp_path / "plan.yaml").write_text(
        f"task: classification\ndata: {data}\nnetwork: {{architecture: small_cnn}}\n"
        "training: {epochs: 24, batch_size: 16, learning_rate: 3.0e-3, warmup_epochs: 1, weight_decay: 0.05}\n"
    )
    done("suspects", tmp_path / "plan.yaml", "--out", tmp_path / "s", "--folds", "3")
    sealed = {row["image_id"] for row in table(tmp_path / "s" / "split.csv") if row["part"] == "test"}
    shown = [row for row in table(tmp_path / "s" / "split.csv") if row["image_id"] not in sealed]
    source = {row["image_id"]: row["source"] for row in table(tmp_path / "s" / "cohort.csv")}
    planted = wrong & {source[row["image_id"]] for row in shown}
    found = [row["image"] for row in table(tmp_path / "s" / "suspects" / "suspects.csv")]
    first = found[: len(planted)]
    assert np.mean([name in planted for name in first]) > 3 * len(planted) / len(shown)
