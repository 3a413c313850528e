"""Images, probabilities and label maps on other grids."""

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from torch.nn import functional as F

from lucency.data.geometry.regridding import resampled, resampled_labels, resampled_shape

SHAPES = st.tuples(*[st.integers(4, 24)] * 3)


def centre_of(values: NDArray) -> NDArray[np.float64]:
    """Return the centre of mass as a share of the extent, so that grids can be compared."""
    places = (np.indices(values.shape).reshape(values.ndim, -1) + 0.5) / np.array(values.shape)[:, None]
    return (places * values.ravel()).sum(1) / values.sum()


def test_on_a_finer_grid_values_are_those_of_torch() -> None:
    """An independent implementation of linear interpolation with centres of voxels at ½."""
    values = np.random.default_rng(1).random((2, 5, 7, 6), np.float32)
    expected = F.interpolate(torch.from_numpy(values)[None], (11, 9, 13), mode="trilinear", align_corners=False)
    np.testing.assert_allclose(resampled(values, (11, 9, 13)), expected[0].numpy(), atol=1e-5)


def test_on_a_coarser_grid_every_old_voxel_counts() -> None:
    """A grid of half as many voxels takes means, so that thin structures do not vanish between its points."""
    values = np.zeros((1, 64), np.float32)
    values[0, 20] = 1
    coarse = resampled(values, (1, 16))
    np.testing.assert_allclose(coarse.sum(), 1 / 4, atol=1e-5)


@settings(max_examples=30, deadline=None)
@given(shape=SHAPES, other=SHAPES)
def test_there_and_back_a_structure_stays_where_it_was(shape: tuple[int, ...], other: tuple[int, ...]) -> None:
    """Half a voxel is the most that may be lost on either grid."""
    labels = np.zeros(shape, np.uint8)
    middle = tuple(slice(n // 4, n - n // 4) for n in shape)
    labels[middle] = 1
    there = resampled_labels(labels, other, 1)
    assert there.shape == other
    if there.any():
        half_a_voxel = 0.5 / np.minimum(shape, other)
        assert (np.abs(centre_of(there) - centre_of(labels)) <= half_a_voxel).all()


@settings(max_examples=20, deadline=None)
@given(shape=SHAPES, other=SHAPES, seed=st.integers(0, 99))
def test_no_label_appears_that_was_not_there(shape: tuple[int, ...], other: tuple[int, ...], seed: int) -> None:
    """Between labels 1 and 3 lies no label 2."""
    labels = np.random.default_rng(seed).choice(np.array([0, 1, 3], np.uint8), shape)
    assert set(np.unique(resampled_labels(labels, other, 3))) <= {0, 1, 3}


def test_an_even_image_stays_even() -> None:
    """Weights add up to 1 everywhere, at the edges too."""
    np.testing.assert_allclose(resampled(np.full((5, 6), 0.3), (17, 3)), 0.3, rtol=1e-6)


def test_the_shape_covers_the_same_extent() -> None:
    """40 slices of 3 mm are 120 of 1 mm; nothing becomes no voxel at all."""
    assert resampled_shape((40, 512, 2), (3, 0.5, 0.1), (1, 1, 1)) == (120, 256, 1)
