"""Label maps of what was drawn."""

from pathlib import Path

import numpy as np
import pytest

from lucency.data.ground_truth.drawings.images import ImageOnDisk
from lucency.data.ground_truth.drawings.label_maps import LabelMapWriter, open_label_maps
from lucency.data.ground_truth.drawings.marks import Marks
from lucency.data.ground_truth.drawings.reading import DrawnOn
from lucency.domain.labels_plan import Drawings
from lucency.domain.masks import Box, ImageGrid, Mask
from lucency.errors import SourceError

GRID = ImageGrid((1, 6, 8))


def mask(name: str, rows: slice) -> Mask:
    voxels = np.zeros(GRID.shape, bool)
    voxels[0, rows] = True
    return Mask(name, voxels)


def drawn(image_id: str, *masks: Mask, boxes: tuple[Box, ...] = ()) -> tuple[DrawnOn, Marks]:
    marks = Marks(masks, boxes)
    image = ImageOnDisk(image_id, f"{image_id}.png", (), GRID.shape)
    return DrawnOn(image, ("a.png",), {"": marks}, None, GRID), marks


LIVER, TUMOUR = mask("liver", slice(0, 4)), mask("tumour", slice(2, 3))


def test_what_the_plan_names_later_lies_on_top(tmp_path: Path) -> None:
    """A tumour lies in the liver; both are drawn in full."""
    writer = LabelMapWriter(tmp_path, Drawings(path="m", structures=("liver", "tumour")))
    assert writer.take(*drawn("a", TUMOUR, LIVER)) == ""
    assert writer.finish() == ("liver", "tumour")
    np.testing.assert_array_equal(open_label_maps(tmp_path)["a"][0, :, 0], [1, 1, 2, 1, 0, 0])


def test_without_an_order_an_overlap_is_refused(tmp_path: Path) -> None:
    """Which of the two counts would be a guess."""
    writer = LabelMapWriter(tmp_path, Drawings(path="m"))
    assert writer.take(*drawn("a", TUMOUR, LIVER)) == "E_MASK_OVERLAP"
    assert writer.take(*drawn("b", TUMOUR)) == ""
    writer.finish()
    assert set(open_label_maps(tmp_path)) == {"b"}


def test_without_an_order_structures_are_numbered_by_name_whatever_came_first(tmp_path: Path) -> None:
    """The numbers must not depend on which image happens to be read first."""
    writer = LabelMapWriter(tmp_path, Drawings(path="m"))
    writer.take(*drawn("a", TUMOUR))
    writer.take(*drawn("b", mask("liver", slice(4, 6)), TUMOUR))
    assert writer.finish() == ("liver", "tumour")
    maps = open_label_maps(tmp_path)
    np.testing.assert_array_equal(maps["a"][0, :, 0], [0, 0, 2, 0, 0, 0])
    np.testing.assert_array_equal(maps["b"][0, :, 0], [0, 0, 2, 0, 1, 1])


def test_an_empty_mask_is_a_label_map_and_a_box_is_none(tmp_path: Path) -> None:
    """Nothing there is an answer; a rectangle would teach the wrong outline."""
    writer = LabelMapWriter(tmp_path, Drawings(path="m"))
    assert writer.take(*drawn("a")) == ""
    assert writer.take(*drawn("b", LIVER)) == ""
    assert writer.take(*drawn("c", LIVER, boxes=(Box("liver", 0, 0, 3, 3),))) == "E_ONLY_BOX"
    assert writer.present["a"] == ()
    writer.finish()
    assert not open_label_maps(tmp_path)["a"].any()


def test_a_study_without_any_outline_is_refused(tmp_path: Path) -> None:
    """There is nothing to learn from."""
    writer = LabelMapWriter(tmp_path, Drawings(path="m"))
    writer.take(*drawn("a"))
    with pytest.raises(SourceError, match="Nothing is drawn on any image"):
        writer.finish()
