"""Runs and polygons against pycocotools, which wrote the format."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from pycocotools import mask as coco

from lucency.data.geometry.polygons import filled, joined, outlines, signed_area
from lucency.data.ground_truth.drawings.runs import decode, encode, run_lengths
from lucency.data.reading import RefusedImage

masks = arrays(bool, array_shapes(min_dims=2, max_dims=2, max_side=24))


@given(masks)
def test_runs_are_those_of_the_coco_api(mask):
    """A file that we write must be read by every tool that knows COCO, and the other way round."""
    theirs = coco.encode(np.asfortranarray(mask.astype(np.uint8)))
    assert encode(mask).encode() == theirs["counts"]
    assert (decode(theirs["counts"].decode(), mask.shape) == mask).all()
    assert (decode(run_lengths(mask), mask.shape) == mask).all()


def test_long_runs_and_negative_differences_survive():
    """Runs of more than 15 and of many digits take several groups, and differences may be negative."""
    draw = np.random.default_rng(3)
    for share in (0.0, 0.001, 0.5, 0.999, 1.0):
        mask = draw.random((311, 517)) < share
        assert (decode(encode(mask), mask.shape) == mask).all()
        assert encode(mask).encode() == coco.encode(np.asfortranarray(mask.astype(np.uint8)))["counts"]


@pytest.mark.parametrize(
    "counts",
    [[3, 3], [3, -1, 4], [7], [2.5, 3.5], [True, 5], [10**12], "~~~", "é", "0" * 7, "PPPPPPPPPPPPPPPPPP", "o"],
)
def test_runs_that_do_not_fill_the_image_are_refused(counts):
    """A run too long or too short shifts everything behind it."""
    with pytest.raises(RefusedImage, match="E_BAD_OUTLINE"):
        decode(counts, (3, 3 - 1) if counts == [7] else (3, 3))


@given(masks)
def test_outlines_enclose_what_they_were_drawn_around(mask):
    """What is exported as polygons comes back to the pixel, with holes and with parts that touch at a corner."""
    found = outlines(mask)
    assert (joined(found, mask.shape) == mask).all()
    assert sum(map(signed_area, found)) == mask.sum()


@given(st.lists(st.tuples(st.integers(-8, 40), st.integers(-8, 40)), min_size=3, max_size=9))
def test_a_pixel_is_filled_where_its_centre_is_inside(corners):
    """Against a test of each pixel by the number of edges that a ray to the right crosses."""
    polygon = np.array(corners, float) + 0.25
    mask = filled(polygon, (20, 24))
    for row in range(0, 20, 3):
        for column in range(0, 24, 3):
            x, y = column + 0.5, row + 0.5
            crossings = [
                ax + (y - ay) / (by - ay) * (bx - ax)
                for (ax, ay), (bx, by) in zip(polygon, np.roll(polygon, -1, axis=0), strict=True)
                if (ay > y) != (by > y)
            ]
            if all(abs(crossing - x) > 1e-5 for crossing in crossings):  # a centre on an edge may belong to either side
                assert mask[row, column] == (sum(crossing > x for crossing in crossings) % 2 == 1)


def test_filling_agrees_with_the_coco_api_but_for_pixels_on_the_edge():
    """The COCO API draws the edge with a pen of its own; whatever it fills more lies within a pixel of the edge."""
    angles = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    polygon = np.stack([50 + 30 * np.cos(angles), 40 + 22 * np.sin(angles)], axis=1)
    ours = filled(polygon, (90, 110))
    theirs = coco.decode(coco.merge(coco.frPyObjects([polygon.ravel().tolist()], 90, 110))).astype(bool)
    assert abs(ours.sum() - abs(signed_area(polygon))) < 0.005 * ours.sum()
    assert (ours != theirs).sum() < 0.05 * ours.sum()
    assert 2 * (ours & theirs).sum() / (ours.sum() + theirs.sum()) > 0.98
