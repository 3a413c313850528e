"""Drawings of published data sets, and those of the made-up cohort."""

import json
from pathlib import Path

import nibabel
import numpy as np
import pytest
from made_up import volume

from lucency.data.ground_truth.drawings.coco import box_of, overlap
from lucency.data.ground_truth.drawings.finding import find_drawings
from lucency.data.ground_truth.drawings.images import ImageOnDisk
from lucency.data.ground_truth.drawings.labels import labels_from_drawings
from lucency.data.ground_truth.drawings.reading import DrawnOn, read_drawings
from lucency.data.phantoms.cohort import write_cohort
from lucency.domain.labels_plan import Drawings
from lucency.domain.masks import Box
from lucency.domain.progress import Silence


def pictures(folder: Path) -> list[ImageOnDisk]:
    return [ImageOnDisk(file.name, file.name, (file,)) for file in sorted(folder.iterdir())]


def read(images: list[ImageOnDisk], **settings: object) -> dict[str, DrawnOn]:
    plan = Drawings(**settings)
    found = find_drawings(images, plan)
    assert not found.unmatched
    return {drawn.image.source: drawn for drawn in read_drawings(images, found, plan, Silence())}


def hull(boxes: list[Box]) -> Box:
    left, top = min(box.left for box in boxes), min(box.top for box in boxes)
    right, bottom = max(box.left + box.width for box in boxes), max(box.top + box.height for box in boxes)
    return Box("", left, top, right - left, bottom - top)


@pytest.mark.real
def test_lung_boxes_and_lung_masks_agree(real_data):
    """Drawn by different people: boxes leave a margin, so that IoU is about 0.79 and masks lie inside; no case disagrees."""
    folder = real_data / "covid_cxr_open512"
    images = pictures(folder / "images")
    masks = read(images, path=str(folder / "lung_masks"), split_lesions=True)
    boxes = read(images, path=str(folder / "annotations_coco_dev.json"))
    assert not any(drawn.code or drawn.notes for drawn in (*masks.values(), *boxes.values()))
    each, both, inside = [], [], []
    for source, drawn in masks.items():
        given = list(boxes[source].marks[""].boxes)
        assert {box.name for box in given} == {"Left Lung", "Right Lung"}
        if drawn.grid is None:
            continue
        lungs = [mask.voxels[0] for mask in drawn.marks[""].masks]
        each += [max(overlap(box_of(lung, ""), box) for box in given) for lung in lungs]
        whole = np.logical_or.reduce(lungs)
        both.append(overlap(hull(given), box_of(whole, "")))
        rows, columns = np.mgrid[: whole.shape[0], : whole.shape[1]] + 0.5
        held = [
            (columns > b.left) & (columns < b.left + b.width) & (rows > b.top) & (rows < b.top + b.height)
            for b in given
        ]
        inside.append((whole & np.logical_or.reduce(held)).sum() / whole.sum())
    assert len(both) == 52
    assert min(inside) > 0.95
    assert min(both) > 0.75
    assert min(each) > 0.6
    assert 0.75 < np.median(each) < 0.85


@pytest.mark.real
def test_only_normal_ultrasound_images_have_empty_masks(real_data):
    """The data set was published with an empty mask for each normal image: an answer, and not a missing file."""
    folder = real_data / "busi_gray256"
    found = labels_from_drawings(pictures(folder / "images"), Drawings(path=str(folder / "masks")), Silence())
    assert len(found.labels) == 586
    assert not found.found.unmatched
    for label in found.labels:
        assert label.target == ("no_lesion" if label.image_id.startswith("normal") else "lesion")


@pytest.mark.real
def test_label_maps_of_the_hippocampus_lie_on_their_images(real_data):
    """Voxels are counted as nibabel sees them, in the file's own axes."""
    folder = real_data / "hippocampus_msd"
    images = [volume(file) for file in sorted((folder / "imagesTr").glob("*.nii.gz"))[::8]]
    names = {"1": "anterior", "2": "posterior"}
    labels = Path(folder / "labelsTr")
    plan = Drawings(path=str(labels), names=names)
    found = find_drawings(images, plan)
    for drawn in read_drawings(images, found, plan, Silence()):
        stored = np.asarray(nibabel.load(labels / drawn.image.source).dataobj)
        assert not drawn.code
        for mask, level in zip(drawn.marks[""].masks, (1, 2), strict=True):
            assert mask.voxels.sum() == (stored == level).sum() > 0


@pytest.fixture(scope="module")
def demonstration(tmp_path_factory) -> Path:
    """Make up a small cohort of chest radiographs."""
    folder = tmp_path_factory.mktemp("demo")
    write_cohort(folder, n_patients=20)
    return folder


def test_masks_and_boxes_of_the_demonstration_agree(demonstration):
    """Both come from the same lesions: the box around all boxes of pneumonia is the box of its mask."""
    coco = json.loads((demonstration / "boxes.json").read_text())
    images = [
        ImageOnDisk(
            one["file_name"], one["file_name"], (demonstration / one["file_name"],), (1, one["height"], one["width"])
        )
        for one in coco["images"]
    ]
    wanted = {"structures": ("pneumonia",), "missing": "empty"}
    masks = read(images, path=str(demonstration / "masks"), **wanted)
    boxes = read(images, path=str(demonstration / "boxes.json"), **wanted)
    n_ill = 0
    for source, drawn in masks.items():
        given = boxes[source].marks[""].boxes
        assert bool(given) == bool(drawn.marks)
        if drawn.marks:
            n_ill += 1
            assert hull(list(given)) == box_of(drawn.marks[""].masks[0].voxels[0], "")
    assert n_ill > 3
