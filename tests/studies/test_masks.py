"""Masks and boxes through the command line: as the ground truth of a study, converted, and compared."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from commands import done, lucency, refused, stages
from PIL import Image
from scipy import ndimage


def write(path: Path, levels: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(levels.astype(np.uint8)).save(path)


def rows(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(path.open(encoding="utf-8")))


@pytest.fixture(scope="module")
def cohort(tmp_path_factory) -> Path:
    """Write 32 images of 16 patients; every second patient has a bright disc, drawn by two readers and boxed."""
    folder = tmp_path_factory.mktemp("drawn")
    draw = np.random.default_rng(5)
    coco = {"images": [], "annotations": [], "categories": [{"id": 1, "name": "nodule"}]}
    for n in range(32):
        name = f"p{n // 2:02d}-{n % 2}.png"
        row, column = draw.integers(10, 22, 2)
        disc = (np.mgrid[:32, :36][0] - row) ** 2 + (np.mgrid[:32, :36][1] - column) ** 2 < 30
        disc &= (n // 2) % 2 == 1
        write(folder / "images" / name, draw.integers(0, 120, disc.shape) + 120 * disc)
        write(folder / "A" / name.replace(".png", "_mask.png"), 255 * disc)
        write(folder / "B" / name, 255 * (ndimage.binary_dilation(disc) if n % 3 else disc))
        coco["images"].append({"id": n, "file_name": name, "height": 32, "width": 36})
        if disc.any():
            top, left = np.argwhere(disc).min(axis=0)
            height, width = np.ptp(np.argwhere(disc), axis=0) + 1
            box = {"id": n, "image_id": n, "category_id": 1, "bbox": list(map(int, (left, top, width, height)))}
            coco["annotations"].append(box)
    (folder / "boxes.json").write_text(json.dumps(coco))
    return folder


def plan(cohort: Path, name: str, source: str, drawings: str) -> Path:
    path = cohort / f"{name}.yaml"
    path.write_text(
        f"title: Drawn\ntask: classification\ndata:\n  images: images\n"
        f"  labels: {{from: {source}, drawings: {drawings}}}\n"
        "  patient: {from: filename, pattern: '^(p\\d+)'}\n  image: {size: [16, 16]}\n"
        "network: {architecture: logistic}\ntraining: {epochs: 2}\n"
    )
    return path


@pytest.mark.parametrize(
    ("name", "source", "drawings"),
    [
        ("masks", "masks", "{path: A, finding: nodule}"),
        ("boxes", "boxes", "{path: boxes.json, structures: [nodule]}"),
        ("readers", "masks", "{readers: {A: A, B: B}, finding: nodule}"),
    ],
)
def test_a_whole_study_learns_from_what_was_drawn(cohort, name, source, drawings):
    """The three ways give the same classes, rows for every lesion, and pictures with outlines; a second run does nothing."""
    study = cohort / f"{name}-study"
    done("run", plan(cohort, name, source, drawings), "--out", study)
    assert json.loads((study / "classes.json").read_text())["classes"] == ["no_nodule", "nodule"]
    targets = [row["target"] for row in rows(study / "labels.csv")]
    assert (targets.count("nodule"), targets.count("no_nodule")) == (16, 16)
    drawn = [row for row in rows(study / "drawings.csv") if int(row["n_voxels"])]
    assert len(drawn) == (48 if name == "readers" else 16)
    pictures = json.loads((study / "figures" / "drawings.json").read_text())
    assert len(pictures) == 8
    assert all((study / picture["file"]).exists() for picture in pictures)
    assert len(rows(study / "drawings-agreement.csv")) == (32 if name == "readers" else 0)
    assert stages(study).count("label") == 1
    done("label", study)
    assert stages(study).count("label") == 1


def test_an_edited_mask_is_noticed(cohort, tmp_path):
    """The label stage depends on what was drawn, not on when."""
    study = tmp_path / "study"
    path = plan(cohort, "edited", "masks", "{path: edited, finding: nodule}")
    for file in (cohort / "A").iterdir():
        (cohort / "edited").mkdir(exist_ok=True)
        (cohort / "edited" / file.name).write_bytes(file.read_bytes())
    done("label", path, "--out", study)
    write(cohort / "edited" / "p00-0_mask.png", np.pad(np.full((3, 3), 255), ((9, 20), (9, 24))))
    done("label", path, "--out", study)
    assert stages(study).count("label") == 2
    assert sum(row["target"] == "nodule" for row in rows(study / "labels.csv")) == 17


def test_plans_that_cannot_be_meant_are_refused(cohort):
    """One sentence that says what to change."""
    both = plan(cohort, "both", "masks", "{path: A, readers: {A: A, B: B}}")
    refused(lucency("label", both, "--out", cohort / "x1"), 2, "not both")
    missing = plan(cohort, "missing", "masks", "{path: nowhere}")
    refused(lucency("label", missing, "--out", cohort / "x2"), 2, "nowhere")
    level = plan(cohort, "level", "masks", "{path: A, names: {white: nodule}}")
    refused(lucency("label", level, "--out", cohort / "x3"), 2, "white")


@pytest.mark.parametrize("to", ["nifti", "png", "coco"])
def test_masks_are_converted_and_converted_back(to, cohort, tmp_path):
    """Not one pixel may move on the way there and back."""
    there, back = tmp_path / "there", tmp_path / "back"
    images = ("--images", cohort / "images")
    done("masks", "convert", cohort / "A", *images, "--to", to, "--out", there, "--set", "finding=nodule")
    source = there / "annotations.json" if to == "coco" else there
    done("masks", "convert", source, *images, "--to", "png", "--out", back, "--set", "finding=nodule")
    for file in (cohort / "A").iterdir():
        name = file.name.replace("_mask", "_nodule")
        before = np.asarray(Image.open(file))
        if (back / name).exists():
            assert (np.asarray(Image.open(back / name)) == before).all()
        else:
            assert to == "coco"  # an image without annotations has no structure that could be empty
            assert not before.any()
    fates = rows(there / "masks.csv")
    assert len(fates) == 32
    assert {fate["fate"] for fate in fates} == {"written"}


def test_what_cannot_be_converted_is_named_and_the_exit_code_says_so(cohort, tmp_path):
    """Whoever converts a thousand masks in a script must learn that three did not fit."""
    drawings = tmp_path / "drawings"
    write(drawings / "p01-0.png", np.full((32, 36), 255) * (np.arange(36) > 20))
    write(drawings / "p01-1.png", np.zeros((31, 36)))
    write(drawings / "p99-0.png", np.zeros((32, 36)))
    (drawings / "p03-0.png").write_bytes(b"\x89PNG\r\n\x1a\n but no more")
    (drawings / "a.json").write_text("{}")
    answer = lucency("masks", "convert", drawings, "--images", cohort / "images", "--out", tmp_path / "out")
    assert answer.code == 1
    assert "1 drawings used, 4 refused" in answer.out
    assert "E_MASK_SIZE: The mask" in answer.out
    codes = {fate["drawing"]: fate["code"] for fate in rows(tmp_path / "out" / "masks.csv")}
    assert codes == {
        "p01-0.png": "",
        "p01-1.png": "E_MASK_SIZE",
        "p99-0.png": "E_NO_IMAGE",
        "p03-0.png": "E_UNREADABLE",
        "a.json": "E_UNREADABLE",
    }
    assert (tmp_path / "out" / "p01-0.nii.gz").exists()
    seg = lucency("masks", "convert", drawings, "--images", cohort / "images", "--to", "seg", "--out", tmp_path / "seg")
    assert "E_NOT_DICOM" in seg.out


def test_readers_are_compared(cohort, tmp_path):
    """Dice of each image against counting by hand; a page without script; a consensus for every image."""
    out = tmp_path / "out"
    images = ("--images", cohort / "images")
    answer = done("masks", "compare", cohort / "A", cohort / "B", *images, "--out", out, "--patient", r"^(p\d+)")
    assert "Median Dice" in answer.out
    table = rows(out / "agreement.csv")
    assert len(table) == 32
    assert len({row["patient"] for row in table}) == 16
    for row in table:
        a = np.asarray(Image.open(cohort / "A" / row["image"].replace(".png", "_mask.png"))) > 0
        b = np.asarray(Image.open(cohort / "B" / row["image"])) > 0
        assert row["dice"] == (f"{2 * (a & b).sum() / (a.sum() + b.sum()):.4f}" if a.any() else "")
    estimates = json.loads((out / "agreement.json").read_text())
    median = next(one for one in estimates if one["name"] == "median Dice")
    assert median["value"] == pytest.approx(np.median([float(row["dice"]) for row in table if row["dice"]]), abs=1e-4)
    assert median["low"] <= median["value"] <= median["high"]
    assert median["n_clusters"] == 8
    page = (out / "masks.html").read_text()
    assert "<script" not in page
    assert page.count("data:image/png") == 24
    assert len(list((out / "consensus").iterdir())) == 32


def test_wrong_arguments_are_refused_in_a_sentence(cohort, tmp_path):
    """A folder that holds something else is not touched."""
    images = ("--images", cohort / "images")
    refused(lucency("masks", "compare", cohort / "A", *images, "--out", tmp_path / "o"), 2, "two different readers")
    refused(lucency("masks", "convert", cohort / "A", *images, "--to", "dwg", "--out", tmp_path / "o"), 2, "dwg")
    refused(lucency("masks", "convert", cohort / "A", "--images", tmp_path, "--out", tmp_path / "o"), 2, "no image")
    refused(lucency("masks", "convert", cohort / "A", *images, "--out", cohort), 2, "something else")
    refused(
        lucency("masks", "compare", cohort / "A", cohort / "B", *images, "--out", tmp_path / "o", "--patient", "("),
        2,
        "regular expression",
    )


def test_structures_of_other_names_are_not_called_disagreement(cohort, tmp_path):
    """A Dice of 0 would blame the readers for what the names did."""
    done("masks", "convert", cohort / "A", "--images", cohort / "images", "--to", "coco", "--out", tmp_path / "a",
         "--set", "finding=tumour")  # fmt: skip
    boxes = tmp_path / "a" / "annotations.json"
    answer = done("masks", "compare", boxes, cohort / "B", "--images", cohort / "images", "--out", tmp_path / "both",
                  "--set", "finding=nodule")  # fmt: skip
    assert "Median Dice" not in answer.out
    assert "B drew nothing that is called “tumour” on any image" in " ".join(answer.out.split())
    estimates = json.loads((tmp_path / "both" / "agreement.json").read_text())
    assert {estimate["value"] for estimate in estimates} == {None}


@pytest.mark.real
def test_a_structure_set_may_lie_beside_its_slices(real_data, tmp_path):
    """Planning systems export both into one folder; as images the structure sets are refused."""
    folder = real_data / "dicom_seg_sr_rt" / "rt_utils"
    answer = lucency("masks", "convert", folder, "--images", folder, "--to", "nifti", "--out", tmp_path / "out")
    assert answer.code == 1
    fates = {
        fate["drawing"]: (fate["fate"], fate["code"], fate["n_voxels"]) for fate in rows(tmp_path / "out" / "masks.csv")
    }
    assert fates == {
        "rt.dcm": ("written", "", "1443"),
        "invalid_reference_rt.dcm": ("refused", "E_MASK_BROKEN_REFERENCE", "0"),
        "non_existent_reference_rt.dcm": ("refused", "E_MASK_BROKEN_REFERENCE", "0"),
    }
