import numpy as np
import pytest

from lucency.data.geometry.placement import place
from lucency.data.ground_truth.drawings.lesions import lesions_on_grid
from lucency.data.ground_truth.drawings.marks import Marks
from lucency.domain.data_plan import Image
from lucency.domain.detections import pixels_of
from lucency.domain.labels_plan import Drawings
from lucency.domain.masks import Box, Mask

APART, TOGETHER = Drawings(path="masks", split_lesions=True), Drawings(path="masks")


def mask_with(*boxes, shape=(100, 80), name="mass"):
    """Draw boxes (left, top, right, bottom) into one mask."""
    voxels = np.zeros((1, *shape), bool)
    for left, top, right, bottom in boxes:
        voxels[0, top:bottom, left:right] = True
    return Mask(name, voxels)


def test_connected_parts_are_lesions_of_their_own_where_the_plan_says_so():
    """Two parts that touch at a corner stay one."""
    marks = Marks((mask_with((10, 10, 20, 20), (20, 20, 30, 30), (50, 60, 60, 70)),))
    placement = place((100, 80), Image(size=(100, 80)))
    apart = lesions_on_grid(marks, placement, APART).lesions
    assert sorted(lesion.edges for lesion in apart) == [(10, 10, 30, 30), (50, 60, 60, 70)]
    (together,) = lesions_on_grid(marks, placement, TOGETHER).lesions
    assert together.edges == (10, 10, 60, 70)


@pytest.mark.parametrize("fit", ["pad", "stretch", "crop"])
def test_masks_and_boxes_land_within_half_a_pixel_of_one_another(fit):
    """The mask goes through resampling and the box through arithmetic; both must be where the image is."""
    image = Image(size=(64, 96), fit=fit)
    placement = place((100, 80), image)
    edges = (30, 40, 55, 62)
    box = Box("mass", 30.0, 40.0, 25.0, 22.0)
    (of_mask,) = lesions_on_grid(Marks((mask_with(edges),)), placement, APART).lesions
    (of_box,) = lesions_on_grid(Marks(boxes=(box,)), placement, APART).lesions
    assert np.abs(np.array(of_mask.edges) - np.array(of_box.edges)).max() <= 0.5 + 1e-9


def test_a_lesion_smaller_than_a_pixel_keeps_one():
    """An image with a lesion must not become a negative because it was made smaller."""
    placement = place((1000, 1000), Image(size=64))
    (lesion,) = lesions_on_grid(Marks((mask_with((500, 300, 503, 303), shape=(1000, 1000)),)), placement, APART).lesions
    assert lesion.edges == (32, 19, 33, 20)
    assert pixels_of(lesion.runs, (64, 64)).sum() == 1


def test_what_is_cropped_away_is_counted_and_not_looked_for():
    """A lesion outside of the crop is none that the network could see."""
    placement = place((100, 200), Image(size=64, fit="crop"))
    marks = Marks(
        (mask_with((0, 0, 10, 10), (95, 50, 105, 60), shape=(100, 200)),), (Box("mass", 190.0, 2.0, 8.0, 8.0),)
    )
    laid = lesions_on_grid(marks, placement, APART)
    assert len(laid.lesions) == 1
    assert laid.n_cut == 2


def test_an_empty_mask_is_a_negative():
    """Somebody looked and drew nothing."""
    laid = lesions_on_grid(Marks((mask_with(),)), place((100, 80), Image(size=64)), APART)
    assert laid == ((), 0, 0)


def test_lesions_that_overlap_keep_their_own_pixels():
    """Instances are no label map: a pixel may belong to two."""
    marks = Marks((mask_with((10, 10, 40, 40)), mask_with((20, 20, 60, 60))))
    one, other = lesions_on_grid(marks, place((100, 80), Image(size=(100, 80))), APART).lesions
    both = pixels_of(one.runs, (100, 80)) & pixels_of(other.runs, (100, 80))
    assert both.sum() == 400


def test_specks_are_left_out_and_counted_where_the_plan_says_so():
    """A slip of the pen is no lesion."""
    marks = Marks((mask_with((10, 10, 30, 30), (50, 50, 52, 52)),), (Box("mass", 60.0, 60.0, 1.0, 2.0),))
    settings = Drawings(path="masks", split_lesions=True, at_least_pixels=5)
    laid = lesions_on_grid(marks, place((100, 80), Image(size=(100, 80))), settings)
    assert [lesion.edges for lesion in laid.lesions] == [(10, 10, 30, 30)]
    assert laid.n_small == 2
