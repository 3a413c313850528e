"""Masks of several readers become one, as ITK makes it."""

import numpy as np
import pytest
import SimpleITK
from hypothesis import given
from hypothesis import strategies as st

from lucency.data.ground_truth.staple import staple
from lucency.errors import SourceError

BALL = ((np.indices((9, 12, 12)) - np.array([4, 6, 6])[:, None, None, None]) ** 2).sum(axis=0) < 14


def drawn_by(n_readers: int, seed: int, error: float = 0.1, shape: tuple[int, ...] = (9, 12, 12)) -> np.ndarray:
    """Draw a ball as readers do who err in some voxels."""
    draw = np.random.default_rng(seed)
    ball = BALL[: shape[0], : shape[1], : shape[2]]
    return np.stack([ball ^ (draw.random(shape) < error * draw.random()) for _ in range(n_readers)])


def by_itk(masks: np.ndarray) -> tuple[np.ndarray, tuple[float, ...], tuple[float, ...]]:
    """Fuse with ITK's own filter."""
    peer = SimpleITK.STAPLEImageFilter()
    peer.SetForegroundValue(1)
    fused = peer.Execute([SimpleITK.GetImageFromArray(mask.astype(np.uint8)) for mask in masks])
    return SimpleITK.GetArrayFromImage(fused), peer.GetSensitivity(), peer.GetSpecificity()


@given(st.integers(2, 7), st.integers(0, 10_000), st.floats(0.02, 0.3))
def test_it_equals_itk(n_readers, seed, error):
    """Counting patterns of votes is exact, not an approximation."""
    masks = drawn_by(n_readers, seed, error)
    fused, (probability, sensitivity, specificity) = staple(masks), by_itk(masks)
    assert np.allclose(fused.probability, probability, atol=1e-6)
    assert np.allclose(fused.sensitivity, sensitivity, atol=1e-6)
    assert np.allclose(fused.specificity, specificity, atol=1e-6)


def test_readers_who_hardly_differ_from_chance_take_many_steps_to_the_same_end():
    """ITK goes on until nothing moves; stopping after ten thousand steps would give another mask."""
    masks = drawn_by(4, 5657, 0.59)
    fused = staple(masks)
    assert fused.is_converged
    assert fused.n_iterations > 20_000
    assert np.allclose(fused.probability, by_itk(masks)[0], atol=1e-6)


@pytest.mark.parametrize("n_readers", [9, 17, 40])
def test_many_readers(n_readers):
    """Beyond eight and sixteen readers the votes are kept in larger numbers."""
    masks = drawn_by(n_readers, 1, 0.4)
    assert np.allclose(staple(masks).probability, by_itk(masks)[0], atol=1e-6)


def test_masks_on_which_all_agree():
    """All empty is empty, all full is full, and what cannot be measured is not a number."""
    empty = staple(np.zeros((3, 2, 4, 4), bool))
    assert not empty.probability.any()
    assert np.isnan(empty.sensitivity).all()
    assert (empty.specificity == 1).all()
    full = staple(np.ones((3, 2, 4, 4), bool))
    assert (full.probability == 1).all()
    assert np.isnan(full.specificity).all()
    same = staple(np.stack([BALL, BALL]))
    assert np.array_equal(same.probability, BALL)
    assert (same.sensitivity == 1).all()


def test_one_reader_is_believed():
    """There is nobody to compare with."""
    fused = staple(BALL[None])
    assert np.array_equal(fused.probability, BALL)
    assert (fused.sensitivity == 1).all()
    assert (fused.specificity == 1).all()


def test_one_reader_who_saw_nothing_is_a_vote():
    """An empty mask says that nothing is there; against what the others drew it has no sensitivity."""
    masks = drawn_by(3, 4)
    fused = staple(np.concatenate([masks, np.zeros_like(masks[:1])]))
    assert fused.sensitivity[3] < 1e-9
    assert np.array_equal(fused.probability >= 0.5, staple(masks).probability >= 0.5)


def test_too_many_readers_are_refused():
    """Votes are bits of one number."""
    with pytest.raises(SourceError, match="64 readers"):
        staple(np.zeros((65, 1, 2, 2), bool))


@given(st.integers(2, 6), st.integers(0, 10_000))
def test_the_order_of_readers_and_voxels_changes_nothing(n_readers, seed):
    """A law of any fusion."""
    masks = drawn_by(n_readers, seed)
    order = np.random.default_rng(seed).permutation(n_readers)
    fused, other = staple(masks), staple(masks[order][:, ::-1])
    assert np.allclose(fused.probability, other.probability[::-1], atol=1e-6)
    assert np.allclose(fused.sensitivity[order], other.sensitivity, atol=1e-6)
