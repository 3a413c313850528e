"""Properties of drawings that hold for all masks, grids and polygons."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from data.dicom_files import SPACING
from data.drawn_files import DIRECTIONS, series
from lucency.data.dicom.drawings.grids import grid_of_series
from lucency.data.dicom.drawings.placement import place_of
from lucency.data.dicom.drawings.segmentation import read_segmentation
from lucency.data.dicom.drawings.writing import write_segmentation
from lucency.data.dicom.geometry import Plane, single_grid
from lucency.data.geometry.orientation import canonical, turn_of
from lucency.data.geometry.polygons import joined
from lucency.domain.masks import Mask

directions = st.sampled_from(sorted(DIRECTIONS))
shapes = st.tuples(*[st.integers(3, 6)] * 3)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("laws")


@settings(max_examples=25)
@given(shape=shapes, direction=directions, data=st.data(), n_masks=st.integers(1, 3))
def test_writing_and_reading_returns_the_masks(folder, shape, direction, data, n_masks):
    """Whatever the shape, the direction and the overlap; shares are kept in steps of 1/255."""
    place = folder / f"{direction}-{'-'.join(map(str, shape))}"
    files = sorted(place.iterdir()) if place.exists() else series(place, shape, direction)
    grid = grid_of_series(files)
    levels = data.draw(st.sampled_from([1, 255]))
    masks = []
    for number in range(n_masks):
        stored = data.draw(arrays(np.uint8, grid.shape, elements=st.integers(0, levels)))
        voxels = stored.astype(bool) if levels == 1 else stored / np.float32(255)
        masks.append(Mask("a", voxels, number + 1))
    write_segmentation(masks, files, folder / "seg.dcm")
    found = read_segmentation(folder / "seg.dcm", grid)
    assert found.code == ""
    for read, written in zip(found.masks, masks, strict=True):
        assert (read.voxels == written.voxels).all()


@given(
    start=st.tuples(*[st.integers(0, 5)] * 3),
    axes=st.permutations(range(3)),
    signs=st.tuples(*[st.sampled_from([-1, 1])] * 2),
    sides=st.tuples(st.integers(1, 6), st.integers(1, 6)),
    misfit=st.floats(-0.04, 0.04),
)
def test_a_frame_made_from_a_grid_finds_its_voxels(start, axes, signs, sides, misfit):
    """Along any axes, in either sense, shifted by no more than rounding."""
    grid = single_grid(Plane(np.array([5.0, -3, 8]), np.array([0.8, 0.6, 0]), np.array([-0.6, 0.8, 0]), *SPACING), {})
    steps = np.diag([-1.0, -1, 1]) @ grid.affine[:3, :3]
    down, right = (steps[:, axis] * sign for axis, sign in zip(axes, signs, strict=False))
    first = np.diag([-1.0, -1, 1]) @ grid.affine[:3, 3] + steps @ (np.array(start) + misfit)
    row_mm, column_mm = np.linalg.norm(down), np.linalg.norm(right)
    place = place_of(Plane(first, right / column_mm, down / row_mm, row_mm, column_mm), *sides, grid.affine)
    assert place is not None
    assert (place.start, place.down, place.right) == (start, (axes[0], signs[0]), (axes[1], signs[1]))
    voxels = np.arange(12**3).reshape(12, 12, 12)
    if place.lies_within((12, 12, 12)):
        corner = list(start)
        corner[axes[0]] += signs[0] * (sides[0] - 1)
        assert place.view(voxels)[-1, 0] == voxels[tuple(corner)]
        assert place.view(voxels).shape == sides


@given(shape=shapes, direction=directions)
def test_turning_back_undoes_the_turn(shape, direction):
    """What is drawn on the volume goes back to the slices as they were stored."""
    cosines = np.array(DIRECTIONS[direction], float)
    affine = single_grid(Plane(np.zeros(3), cosines[:3], cosines[3:], *SPACING), {}).affine
    values = np.arange(np.prod(shape)).reshape(shape)
    turned, _ = canonical(values, affine)
    assert (turn_of(affine).back(turned) == values).all()


corners = arrays(
    np.float64, st.tuples(st.integers(3, 8), st.just(2)), elements=st.floats(-4, 16).map(lambda x: round(x, 2))
)


@given(polygons=st.lists(corners, min_size=1, max_size=3))
def test_polygons_are_joined_by_exclusive_or(polygons):
    """The order in which they come, where each begins and its sense do not matter."""
    whole = joined(polygons, (9, 11))
    one_by_one = np.zeros((9, 11), bool)
    for polygon in polygons:
        one_by_one ^= joined([np.roll(polygon, 2, axis=0)[::-1]], (9, 11))
    assert (whole == one_by_one).all()


@given(cut=st.floats(-3, 14).map(lambda x: round(x, 2)))
def test_two_halves_share_no_pixel_and_lose_none(cut):
    """A centre on the common edge belongs to exactly one of them."""
    box = np.array([[-5.0, -5], [20, -5], [20, 20], [-5, 20]])
    left, right = (np.where(box[:, :1] == edge, [[cut, 0]], box) for edge in (20, -5))
    left[:, 1] = right[:, 1] = box[:, 1]
    one, other = joined([left], (9, 11)), joined([right], (9, 11))
    assert not (one & other).any()
    assert (one | other).all()
