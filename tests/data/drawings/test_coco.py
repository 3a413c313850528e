"""COCO files: outlines and boxes as pycocotools sees them, and everything that such files get wrong."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra.numpy import arrays
from made_up import shape_mask
from pycocotools import mask as api

from lucency.data.ground_truth.drawings.coco import DrawnImage, box_of, open_coco, overlap, read_coco, write_coco
from lucency.data.ground_truth.drawings.runs import encode, run_lengths
from lucency.data.reading import RefusedImage
from lucency.domain.masks import Box, ImageGrid, Mask

TRUTH = shape_mask()
GRID = ImageGrid((1, *TRUTH.shape))
SQUARE = [10, 8, 20, 8, 20, 18, 10, 18]


def file_of(folder, annotations, images=None, categories=None):
    content = {
        "images": images or [{"id": 1, "file_name": "p1.png", "height": 40, "width": 56}],
        "annotations": [{"id": n, "image_id": 1, "category_id": 1} | one for n, one in enumerate(annotations, start=1)],
        "categories": categories or [{"id": 1, "name": "nodule"}, {"id": 2, "name": "mass"}],
    }
    (folder / "a.json").write_text(json.dumps(content))
    return folder / "a.json"


def read(folder, annotations, **more):
    content = open_coco(file_of(folder, annotations, **more))
    return read_coco(content.images[0], content.categories, GRID)


def test_polygons_of_several_parts_and_holes(tmp_path):
    """Parts are joined; one that runs the other way round inside another is a hole, and the note says so."""
    two = read(tmp_path, [{"segmentation": [SQUARE, [30, 30, 35, 30, 35, 35, 30, 35]]}])
    assert two.masks[0].voxels.sum() == 125
    hole = read(tmp_path, [{"segmentation": [SQUARE, [12, 10, 12, 14, 15, 14, 15, 10]]}])
    assert hole.notes == ("N_OUTLINE_HOLE",)
    assert hole.masks[0].voxels.sum() == 100 - 12
    nested = read(tmp_path, [{"segmentation": [SQUARE, [12, 10, 15, 10, 15, 14, 12, 14]]}])
    assert nested.masks[0].voxels.sum() == 100
    assert not nested.notes


@pytest.mark.parametrize("counts", [encode(TRUTH), run_lengths(TRUTH)], ids=["compressed", "uncompressed"])
def test_runs_and_crowds(counts, tmp_path):
    """Both forms give the mask to the pixel; a crowd is noted."""
    marks = read(tmp_path, [{"segmentation": {"size": [40, 56], "counts": counts}, "iscrowd": 1}])
    assert (marks.masks[0].voxels[0] == TRUTH).all()
    assert marks.notes == ("N_CROWD",)


@given(arrays(bool, (13, 17)))
def test_box_and_area_are_those_of_the_coco_api(mask):
    """The export must say of a mask what every other tool will compute."""
    if not mask.any():
        return
    theirs = api.encode(np.asfortranarray(mask.astype(np.uint8)))
    box = box_of(mask, "nodule")
    assert [box.left, box.top, box.width, box.height] == api.toBbox(theirs).tolist()
    assert mask.sum() == api.area(theirs)


@given(arrays(np.int16, (2, 4), elements={"min_value": 1, "max_value": 60}))
def test_overlap_of_boxes_is_that_of_the_coco_api(sides):
    """Intersection over union is what a detection is judged by."""
    one, other = (Box("x", *map(float, each)) for each in sides)
    theirs = api.iou(sides[:1].astype(float), sides[1:].astype(float), [0])[0, 0]
    assert overlap(one, other) == pytest.approx(theirs)


def test_boxes_are_clipped_with_a_note_and_lesions_counted(tmp_path):
    """Boxes that people draw beyond the edge of the image are common."""
    boxes = [{"bbox": [-5, 30, 20, 20]}, {"bbox": [10.5, 2.25, 4, 3]}]
    marks = read(tmp_path, [*boxes, {"bbox": [1, 1, 2, 2], "category_id": 2}])
    assert marks.notes == ("N_BOX_CLIPPED",)
    assert [(box.left, box.top, box.width, box.height) for box in marks.boxes[:2]] == [
        (0, 30, 15, 10),
        (10.5, 2.25, 4, 3),
    ]
    assert [box.name for box in marks.boxes] == ["nodule", "nodule", "mass"]


def test_a_box_that_contradicts_its_outline_is_noted(tmp_path):
    """One of the two must be wrong; somebody should look."""
    wrong = read(tmp_path, [{"segmentation": [SQUARE], "bbox": [30, 20, 10, 10]}])
    assert wrong.notes == ("N_BOX_DISAGREES",)
    assert not read(tmp_path, [{"segmentation": [SQUARE], "bbox": [10, 8, 10, 10]}]).notes


def test_a_small_outline_does_not_vanish(tmp_path):
    """A calcification of half a pixel is a finding; as an empty mask it would make the image negative."""
    marks = read(tmp_path, [{"segmentation": [[5.1, 5.1, 5.3, 5.1, 5.2, 5.3]]}])
    assert marks.notes == ("N_OUTLINE_SMALL",)
    assert np.argwhere(marks.masks[0].voxels[0]).tolist() == [[5, 5]]


def test_an_image_without_annotations_was_looked_at(tmp_path):
    """It stands in the file, so it is negative and not missing."""
    marks = read(tmp_path, [])
    assert not marks.masks
    assert not marks.boxes


def test_annotations_of_no_image_are_counted(tmp_path):
    """They hint at a file that was cut down carelessly."""
    path = file_of(tmp_path, [{"bbox": [1, 1, 2, 2]}, {"bbox": [1, 1, 2, 2], "image_id": 7}, {"image_id": None}])
    assert open_coco(path).n_without_image == 2


NAN, INFINITE = float("nan"), float("inf")
BAD = {
    "negative width": ({"bbox": [1, 1, -2, 2]}, "E_BAD_OUTLINE"),
    "no height": ({"bbox": [1, 1, 2, 0]}, "E_BAD_OUTLINE"),
    "box outside": ({"bbox": [56, 1, 2, 2]}, "E_BAD_OUTLINE"),
    "box of three numbers": ({"bbox": [1, 1, 2]}, "E_BAD_OUTLINE"),
    "box of texts": ({"bbox": ["1", "1", "2", "2"]}, "E_BAD_OUTLINE"),
    "box without numbers": ({"bbox": [NAN, 1, 2, 2]}, "E_BAD_OUTLINE"),
    "infinite box": ({"bbox": [0, 0, INFINITE, 2]}, "E_BAD_OUTLINE"),
    "huge box": ({"bbox": [0, 0, 10**400, 2]}, "E_BAD_OUTLINE"),
    "neither box nor outline": ({}, "E_BAD_OUTLINE"),
    "unknown category": ({"bbox": [1, 1, 2, 2], "category_id": 9}, "E_UNKNOWN_NAME"),
    "no category": ({"bbox": [1, 1, 2, 2], "category_id": None}, "E_UNKNOWN_NAME"),
    "polygon of two corners": ({"segmentation": [[1, 1, 2, 2]]}, "E_BAD_OUTLINE"),
    "odd number of coordinates": ({"segmentation": [[1, 1, 2, 2, 3, 3, 4]]}, "E_BAD_OUTLINE"),
    "polygon without numbers": ({"segmentation": [[1, 1, 2, NAN, 3, 5]]}, "E_BAD_OUTLINE"),
    "polygon of pairs": ({"segmentation": [[[1, 1], [2, 2], [3, 1]]]}, "E_BAD_OUTLINE"),
    "polygon outside": ({"segmentation": [[90, 1, 95, 1, 95, 5]]}, "E_BAD_OUTLINE"),
    "polygon as text": ({"segmentation": "10,8,20"}, "E_BAD_OUTLINE"),
    "runs of another size": ({"segmentation": {"size": [56, 40], "counts": [2240]}}, "E_MASK_SIZE"),
    "huge runs": ({"segmentation": {"size": [10**9, 10**9], "counts": [10**18]}}, "E_MASK_SIZE"),
    "runs cut short": ({"segmentation": {"size": [40, 56], "counts": encode(TRUTH)[:-3]}}, "E_BAD_OUTLINE"),
    "runs of nothing": ({"segmentation": {"size": [40, 56], "counts": [2240]}}, "E_BAD_OUTLINE"),
    "runs without counts": ({"segmentation": {"size": [40, 56]}}, "E_BAD_OUTLINE"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_impossible_is_refused(name, tmp_path):
    """One wrong number in a file is no reason to guess, and none to drop the line in silence."""
    one, code = BAD[name]
    with pytest.raises(RefusedImage, match=code):
        read(tmp_path, [one])


@pytest.mark.parametrize(
    ("images", "code"),
    [
        ([{"id": 1, "file_name": "p1.png", "height": 41, "width": 56}], "E_MASK_SIZE"),
        ([{"id": 1, "file_name": "p1.png", "height": "x", "width": -4}], "E_MASK_SIZE"),
        ([{"id": 1, "file_name": "p1.png"}, {"id": 1, "file_name": "p2.png"}], "E_BAD_OUTLINE"),
        ([{"file_name": "p1.png"}], "E_BAD_OUTLINE"),
    ],
)
def test_images_of_another_size_or_number_are_refused(images, code, tmp_path):
    """Annotations of a resized image would land beside the lesion."""
    with pytest.raises(RefusedImage, match=code):
        read(tmp_path, [], images=images)


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b'{"images": []}', b'{"images": 3, "annotations": [], "categories": []}', b"[" * 99999],
)
def test_files_that_are_no_coco_are_refused(content, tmp_path):
    """Other JSON lies around beside images."""
    (tmp_path / "a.json").write_bytes(content)
    with pytest.raises(RefusedImage, match="E_UNREADABLE|E_EMPTY_FILE"):
        open_coco(tmp_path / "a.json")


def test_what_is_written_is_read_again_by_us_and_by_the_coco_api(tmp_path):
    """Masks with holes go out as runs, others as polygons; not one pixel may move."""
    full = TRUTH.copy()
    full[11:13, 17:20] = True
    masks = [Mask("mass", TRUTH[None]), Mask("nodule", full[None])]
    write_coco(tmp_path / "a.json", [DrawnImage("p1.png", TRUTH.shape, masks, [Box("mass", 1.5, 2, 3, 4)])])
    content = open_coco(tmp_path / "a.json")
    marks = read_coco(content.images[0], content.categories, GRID)
    assert (marks.masks[0].voxels[0] == TRUTH).all()
    assert (marks.masks[1].voxels[0] == full).all()
    assert marks.boxes == (Box("mass", 1.5, 2, 3, 4),)
    assert not marks.notes
    runs = json.loads((tmp_path / "a.json").read_text())["annotations"][0]["segmentation"]
    assert (api.decode(runs) == TRUTH).all()
