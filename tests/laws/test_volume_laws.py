"""What holds for all volumes: axes may turn and slices may be shuffled, values stay in their place."""

import contextlib
import itertools

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from lucency.data.dicom.geometry import NoGridError, Plane, grid_of
from lucency.data.geometry.orientation import canonical
from lucency.data.geometry.resampling import evened, straightened
from lucency.data.geometry.voxels import voxels

volumes = arrays(np.int16, array_shapes(min_dims=3, max_dims=3, min_side=1, max_side=5))


@st.composite
def affines(draw):
    """Draw an affine with axes at right angles, in any order and direction, somewhat turned."""
    angles = draw(st.tuples(*[st.floats(-0.5, 0.5)] * 3))
    turn = np.eye(3)
    for (first, second), angle in zip(itertools.combinations(range(3), 2), angles, strict=True):
        about = np.eye(3)
        about[[first, second], [first, second]] = np.cos(angle)
        about[first, second], about[second, first] = -np.sin(angle), np.sin(angle)
        turn = turn @ about
    order = draw(st.permutations(range(3)))
    signs = draw(st.tuples(*[st.sampled_from([-1, 1])] * 3))
    affine = np.eye(4)
    affine[:3, :3] = turn[:, order] * signs * draw(st.tuples(*[st.floats(0.3, 6)] * 3))
    affine[:3, 3] = draw(st.tuples(*[st.floats(-300, 300)] * 3))
    return affine


def places(shape, affine):
    index = np.stack([*np.meshgrid(*map(np.arange, shape), indexing="ij")], -1).reshape(-1, 3)
    return index @ affine[:3, :3].T + affine[:3, 3]


@given(volumes, affines())
def test_turning_axes_moves_no_value(values, affine):
    """Every value is found at the place where it was, and the axes lead to the head, the back and the left."""
    turned, turned_affine = canonical(values, affine)
    before, after = places(values.shape, affine), places(turned.shape, turned_affine)
    order, turned_order = np.lexsort(np.round(before, 3).T), np.lexsort(np.round(after, 3).T)
    assert np.allclose(before[order], after[turned_order], atol=1e-6)
    assert np.array_equal(values.ravel()[order], turned.ravel()[turned_order])
    again, again_affine = canonical(turned, turned_affine)
    assert np.array_equal(again, turned)
    assert np.allclose(again_affine, turned_affine)


@given(affines(), st.integers(2, 12), st.floats(0.3, 8))
def test_even_slices_give_their_own_places(affine, n_slices, step_mm):
    """The grid leads to the position of each slice, whatever the plane."""
    row, column, normal = (affine[:3, axis] / np.linalg.norm(affine[:3, axis]) for axis in range(3))
    normal = normal * np.sign(np.cross(row, column) @ normal)
    planes = [Plane(affine[:3, 3] + k * step_mm * normal, row, column, 0.7, 0.9) for k in range(n_slices)]
    grid = grid_of(planes)
    assert grid.notes == ()
    for k, plane in enumerate(planes):
        assert np.allclose(grid.affine @ [k, 0, 0, 1], [*(plane.position * [-1, -1, 1]), 1], atol=1e-6)


@given(st.sets(st.integers(1, 30), min_size=1, max_size=4))
def test_a_gap_never_becomes_a_grid(missing):
    """Of 40 slices any few in the middle are lost: there is no grid, or one that keeps every place."""
    kept = [k for k in range(40) if k not in missing]
    planes = [Plane(np.array([0, 0, 2.0 * k]), np.array([1.0, 0, 0]), np.array([0, 1.0, 0]), 1, 1) for k in kept]
    if kept == list(range(kept[0], 40)):
        assert grid_of(planes).distances is None  # only the first were lost, which no geometry can show
        return
    with contextlib.suppress(NoGridError):
        assert grid_of(planes).notes == ("N_NONUNIFORM_RESAMPLED",)


@given(st.lists(st.floats(0.5, 2), min_size=3, max_size=12), st.floats(-5, 5), st.floats(-100, 100))
def test_interpolation_keeps_a_straight_line_straight(steps, slope, start):
    """What changes evenly from slice to slice, or from row to row, comes back exactly."""
    distances = np.concatenate([[0], np.cumsum(steps)])
    values = np.broadcast_to((start + slope * distances)[:, None, None], (len(distances), 2, 3))
    wanted = np.arange(int(distances[-1] + 1e-3) + 1)
    assert np.allclose(evened(values, distances)[:, 0, 0], start + slope * wanted, atol=0.02)


@given(arrays(np.float64, (3, 2), elements=st.floats(0, 4)))
@example(np.full((3, 2), 1e-6))
def test_straightening_moves_each_slice_by_its_shift(shifts):
    """A plane of rows and columns stays one, and nothing is cut off."""
    rows, columns = np.meshgrid(np.arange(9), np.arange(7), indexing="ij")
    values = np.stack([10.0 * rows + columns] * 3)
    moved = straightened(values, shifts)
    for slice_, (down, right) in zip(moved, shifts, strict=True):
        i, j = np.meshgrid(np.arange(slice_.shape[0]) - down, np.arange(slice_.shape[1]) - right, indexing="ij")
        is_inside = (i >= 0) & (i <= 8) & (j >= 0) & (j <= 6)
        assert is_inside.sum() >= 7 * 5
        assert np.allclose(slice_[is_inside], (10 * i + j)[is_inside], atol=1e-3)


@given(arrays(st.sampled_from([np.uint8, np.int32, np.float64]).map(np.dtype), (2, 3, 4)))
def test_voxels_are_exact_or_rounded_as_real_numbers(values):
    """Two types for all volumes, and int16 only where it holds every value."""
    notes: list[str] = []
    result = voxels(values, notes)
    assert result.dtype in (np.int16, np.float32)
    assert np.isfinite(result).all()
    if result.dtype == np.int16 and not notes:
        assert np.array_equal(result, values)
