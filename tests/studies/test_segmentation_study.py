"""Studies of segmentation through the command line: pictures and volumes, from plan to predicted masks and report."""

import csv
import json
from pathlib import Path

import nibabel
import numpy as np
import pytest
from commands import done, lucency, refused
from PIL import Image

PICTURES = """\
task: segmentation
data:
  images: images
  labels: {from: masks, drawings: {path: masks, finding: disc}}
  patient: {from: filename, pattern: '^(p\\d+)'}
  image: {size: [32, 32]}
split: {training: 0.5, tuning: 0.25, test: 0.25}
segmentation: {n_stages: 2, n_features: 4, batch_size: 4, subgroups: '(left|right)', patch_size: [24, 32]}
training: {epochs: 12, learning_rate: 0.01, n_threads: 1}
"""
VOLUMES = """\
task: segmentation
data:
  images: images
  labels: {from: masks, drawings: {path: masks, names: {1: inner, 2: outer}}}
  patient: each_image
  image: {volumes: whole, spacing_mm: [2, 1, 1]}
split: {training: 0.5, tuning: 0.2, test: 0.3}
segmentation: {n_stages: 2, n_features: 4, patch_size: [8, 12, 16]}
training: {epochs: 4, learning_rate: 0.02, n_members: 2, n_threads: 1}
"""


def rows(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(path.open(encoding="utf-8")))


def disc(shape: tuple[int, ...], centre: tuple[float, ...], radius: float) -> np.ndarray:
    return sum((axis - at) ** 2 for axis, at in zip(np.indices(shape), centre, strict=True)) < radius**2


def write(path: Path, levels: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(levels.astype(np.uint8)).save(path)


@pytest.fixture(scope="module")
def pictures(tmp_path_factory) -> Path:
    """Write 32 oblong pictures of 16 patients; on every fifth nothing is drawn, and one has no mask at all."""
    folder = tmp_path_factory.mktemp("pictures")
    draw = np.random.default_rng(3)
    for n in range(33):
        name = f"p{n // 2:02d}-{n % 2}-{'left' if n % 3 else 'right'}.png"
        mask = disc((48, 60), (*draw.integers(14, 34, 1), *draw.integers(14, 46, 1)), 9)
        mask &= n % 5 > 0
        write(folder / "images" / name, draw.integers(0, 90, mask.shape) + 140 * mask)
        if n < 32:
            write(folder / "masks" / name, 255 * mask)
    (folder / "study.yaml").write_text(PICTURES)
    done("run", folder / "study.yaml", "--out", folder / "s")
    return folder


def test_masks_of_pictures_lie_on_the_grid_of_their_images(pictures: Path) -> None:
    """They learn at 32 × 32 pixels, and answer at 48 × 60; what was there is found."""
    cases = rows(pictures / "s" / "tables" / "cases.csv")
    assert {case["structure"] for case in cases} == {"disc"}
    assert np.mean([float(case["dice"]) for case in cases if int(case["n_truth"])]) > 0.7
    source = {row["image_id"]: row["source"] for row in rows(pictures / "s" / "cohort.csv")}
    for row in rows(pictures / "s" / "predictions.csv"):
        predicted = np.array(Image.open(pictures / "s" / row["files"]))
        truth = np.array(Image.open(pictures / "masks" / source[row["image_id"]])) > 0
        case = next(case for case in cases if case["image_id"] == row["image_id"])
        assert predicted.shape == truth.shape
        assert int(case["n_truth"]) == truth.sum()
        assert int(case["n_common"]) == (truth & (predicted == 1)).sum()


def test_an_empty_mask_is_an_answer_and_a_missing_one_is_none(pictures: Path) -> None:
    """What nobody has looked at is set aside; where nothing is drawn, nothing may be found."""
    labels = rows(pictures / "s" / "labels.csv")
    assert [row["reason"] for row in labels if row["status"] == "refused"] == ["E_NO_LABEL"]
    targets = {row["target"] for row in labels if row["status"] == "kept"}
    assert targets == {"disc", "nothing drawn"}
    part_of = {row["image_id"]: row["part"] for row in rows(pictures / "s" / "split.csv")}
    empty = [part_of[row["image_id"]] for row in labels if row["target"] == "nothing drawn"]
    assert set(empty) == {"training", "tuning", "test"}  # the split has its share of them in each part


def test_results_are_given_by_subgroup_and_told_in_the_report(pictures: Path) -> None:
    """The pattern of the plan names them; the page shows the choices with their reasons."""
    estimates = json.loads((pictures / "s" / "metrics.json").read_text())
    groups = {estimate["group"] for estimate in estimates if estimate["part"] == "test"}
    assert {"disc", "disc: left", "disc: right"} <= groups
    page = (pictures / "s" / "report.html").read_text()
    assert "Dice" in page
    assert "patch_size" in page
    configuration = json.loads((pictures / "s" / "segmentation.json").read_text())
    assert configuration["patch_size"] == [24, 32]


def test_a_second_run_does_nothing_and_the_record_holds(pictures: Path) -> None:
    """Every stage knows that it is done; the test set was opened once."""
    before = (pictures / "s" / "record.jsonl").read_bytes()
    done("run", pictures / "study.yaml", "--out", pictures / "s")
    assert (pictures / "s" / "record.jsonl").read_bytes() == before
    assert lucency("audit", pictures / "s").code == 0


def test_whole_volumes_keep_their_shape_their_place_and_their_axes(tmp_path: Path) -> None:
    """Volumes of other shapes, spacings and axes; the mask lies on the file's own grid, with its affine."""
    draw = np.random.default_rng(4)
    for folder in ("images", "masks"):
        (tmp_path / folder).mkdir()
    affines = {}
    for n in range(12):
        shape = (18 + n % 3, 17, 10 + n % 2)  # as NIfTI counts: x, y, z
        labels = disc(shape, (9, 8, 5), 5).astype(np.uint8) * 2
        labels[disc(shape, (9, 8, 5), 2.5)] = 1
        affine = np.diag([(-1) ** n * 1.0, 1.0, 2.0 if n % 4 else 1.0, 1])
        affine[:3, 3] = draw.normal(size=3) * 20
        name = f"case{n:02d}.nii.gz"
        affines[name] = affine
        values = (draw.normal(100, 20, shape) + 300 * (labels > 0) + 300 * (labels == 1)).astype(np.int16)
        for folder, content in (("images", values), ("masks", labels)):
            nibabel.save(nibabel.Nifti1Image(content, affine), tmp_path / folder / name)
    (tmp_path / "study.yaml").write_text(VOLUMES)
    out = tmp_path / "s"
    done("run", tmp_path / "study.yaml", "--out", out)
    source = {row["image_id"]: row["source"] for row in rows(out / "cohort.csv")}
    cases = rows(out / "tables" / "cases.csv")
    for row in rows(out / "predictions.csv"):
        name = source[row["image_id"]]
        predicted, truth = nibabel.load(out / row["files"]), nibabel.load(tmp_path / "masks" / name)
        assert predicted.shape == truth.shape
        np.testing.assert_allclose(predicted.affine, affines[name], atol=1e-4)
        for label, structure in ((1, "inner"), (2, "outer")):
            case = next(c for c in cases if c["image_id"] == row["image_id"] and c["structure"] == structure)
            there, said = np.asarray(truth.dataobj) == label, np.asarray(predicted.dataobj) == label
            assert (int(case["n_truth"]), int(case["n_predicted"])) == (there.sum(), said.sum())
            assert int(case["n_common"]) == (there & said).sum()
            assert float(case["truth_size"]) == pytest.approx(there.sum() * abs(np.linalg.det(affines[name])))
    assert json.loads((out / "segmentation.json").read_text())["spacing_mm"] == [2, 1, 1]
    assert (out / "training" / "member-1" / "weights.safetensors").exists()

    done("predict", out, tmp_path / "images", "--out", tmp_path / "new")
    said = {Path(row["image"]).name: row for row in rows(tmp_path / "new" / "predictions.csv")}
    for row in rows(out / "predictions.csv"):
        now, then = (
            nibabel.load(tmp_path / "new" / said[source[row["image_id"]]]["files"]),
            nibabel.load(out / row["files"]),
        )
        assert np.array_equal(np.asarray(now.dataobj), np.asarray(then.dataobj))
        np.testing.assert_allclose(now.affine, then.affine, atol=1e-6)


REFUSED = {
    "labels: {from: folder}": ("learns from masks", "PICTURES"),
    "network: {architecture: resnet18}": ("outlines nothing", "PICTURES"),
    "segmentation: {patch_size: [8, 8, 8]}": ("data.image.volumes: whole", "PICTURES"),
    "segmentation: {patch_size: [64, 64]}": ("larger than the images", "PICTURES"),
    "segmentation: {test_time_flips: true}": ("flip_horizontal", "PICTURES"),
    "training: {cost: dice, class_weights: balanced}": ("Dice cost balances", "PICTURES"),
    "segmentation: {grey_levels: own_range}": ("data.image.window", "PICTURES"),
    "training: {batch_size: 4}": ("segmentation.batch_size", "PICTURES"),
    "segmentation: {subgroups: '('}": ("no regular expression", "PICTURES"),
}


@pytest.mark.parametrize("wrong", REFUSED)
def test_wrong_combinations_are_refused_with_the_way_out(tmp_path: Path, wrong: str) -> None:
    """By the plan, before any work."""
    lines = [
        "task: segmentation",
        "data:",
        "  images: images",
        f"  {wrong}" if wrong.startswith("labels") else "  labels: {from: masks, drawings: {path: masks}}",
        "  patient: each_image",
        "  image: {size: 32}",
        "" if wrong.startswith("labels") else wrong,
    ]
    (tmp_path / "study.yaml").write_text("\n".join(lines) + "\n")
    refused(lucency("run", tmp_path / "study.yaml"), 2, REFUSED[wrong][0])


def test_volumes_asked_of_pictures_are_refused_with_the_way_out(pictures: Path, tmp_path: Path) -> None:
    """A picture has no slices; the sentence says what to write in the plan."""
    plan = PICTURES.replace("image: {size: [32, 32]}", "image: {volumes: whole}").replace(", patch_size: [24, 32]", "")
    (pictures / "whole.yaml").write_text(plan)
    refused(lucency("run", pictures / "whole.yaml", "--out", tmp_path / "s"), 2, "E_NOT_VOLUME", "volumes: slices")


def test_a_structure_that_nobody_drew_is_refused_before_training(pictures: Path, tmp_path: Path) -> None:
    """A network that never sees it would never find it, and its Dice would be 0 without a reason."""
    named = "drawings: {path: masks, names: {255: disc, 7: ring}}"
    plan = PICTURES.replace("drawings: {path: masks, finding: disc}", named)
    (pictures / "ring.yaml").write_text(plan)
    refused(
        lucency("train", pictures / "ring.yaml", "--out", tmp_path / "s"), 1, "“ring” is drawn on no image", "names"
    )


def test_outlines_are_not_for_classes(tmp_path: Path) -> None:
    """A U-Net names no class, and whole volumes are not for the networks that do."""
    for wrong in ("network: {architecture: unet}", "training: {cost: dice}"):
        (tmp_path / "study.yaml").write_text(
            "task: classification\ndata: {images: i, patient: each_image}\n" + wrong + "\n"
        )
        refused(lucency("run", tmp_path / "study.yaml"), 2, "task: segmentation")


def test_new_pictures_are_outlined_as_those_of_the_study_were(pictures: Path, tmp_path: Path) -> None:
    """The same mask to the pixel, on the grid of the picture; the table tells its size."""
    done("predict", pictures / "s", pictures / "images", "--out", tmp_path / "out")
    said = {Path(row["image"]).name: row for row in rows(tmp_path / "out" / "predictions.csv")}
    source = {row["image_id"]: row["source"] for row in rows(pictures / "s" / "cohort.csv")}
    tested = rows(pictures / "s" / "predictions.csv")
    assert len(said) == 33
    for row in tested:
        answer = said[source[row["image_id"]]]
        now = np.array(Image.open(tmp_path / "out" / answer["files"]))
        assert np.array_equal(now, np.array(Image.open(pictures / "s" / row["files"])))
        assert int(float(answer["pixels"])) == np.count_nonzero(now)
        assert answer["answer"] == ("disc" if now.any() else "no disc")
