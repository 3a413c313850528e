"""Alignment: small shifts, crops and turns are undone, and different pictures stay different."""

import numpy as np
import pytest
from scipy.ndimage import affine_transform, gaussian_filter

from lucency.data.looks.alignment import agreement

SIDE = 48


def pictures(n_pictures: int, seed: int) -> np.ndarray:
    """Draw smooth random pictures, axes (picture, row, column), larger than what is shown of them."""
    white = np.random.default_rng(seed).standard_normal((n_pictures, 2 * SIDE, 2 * SIDE))
    return gaussian_filter(white, (0, 2, 2)).astype(np.float32) * 8


def shown(
    picture: np.ndarray, scale: float = 1.0, degrees: float = 0.0, shift: tuple[float, float] = (0, 0)
) -> np.ndarray:
    """Look at the middle of a picture through a small change."""
    cosine, sine = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    matrix = scale * np.array([[cosine, -sine], [sine, cosine]])
    centre = np.array([SIDE - 0.5, SIDE - 0.5])
    offset = centre - matrix @ np.full(2, (SIDE - 1) / 2) + np.array(shift)
    return affine_transform(picture, matrix, offset, (SIDE, SIDE), order=3)


def details(picture: np.ndarray) -> np.ndarray:
    return (picture - gaussian_filter(picture, 1.5)).ravel()


@pytest.mark.parametrize(
    "change",
    [
        {"shift": (2.5, -1.5)},
        {"scale": 0.93},
        {"scale": 1.08},
        {"degrees": 5},
        {"scale": 0.95, "degrees": -2, "shift": (1, 1)},
    ],
    ids=str,
)
def test_a_small_change_is_undone(change: dict) -> None:
    """The details agree after alignment, which they did not before."""
    drawn = pictures(12, seed=1)
    still = np.stack([shown(picture) for picture in drawn])
    moved = np.stack([shown(picture, **change) for picture in drawn])
    before = [np.corrcoef(details(one), details(other))[0, 1] for one, other in zip(still, moved, strict=True)]
    assert np.median(before) < 0.85
    assert agreement(still, moved).min() > 0.93


def test_different_pictures_do_not_agree() -> None:
    """However they are turned and shifted."""
    still = np.stack([shown(picture) for picture in pictures(50, seed=2)])
    others = np.stack([shown(picture) for picture in pictures(50, seed=3)])
    assert agreement(still, others).max() < 0.6


def test_pictures_without_detail_agree_in_nothing() -> None:
    """No division by zero, no accident."""
    even = np.zeros((2, SIDE, SIDE), np.float32)
    assert agreement(even, even).tolist() == [0, 0]
    assert agreement(even[:0], even[:0]).shape == (0,)
