"""Keep only the largest connected part of a structure, where that makes outlines better."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage


def without_smaller_components(labels: NDArray[np.uint8], structures: Sequence[int]) -> NDArray[np.uint8]:
    """Return a label map, axes (slice, row, column), in which these structures consist of their largest part alone.

    Voxels that touch at a corner are connected.
    """
    cleaned = labels.copy()
    for structure in structures:
        parts, n_parts = ndimage.label(labels == structure, np.ones((3,) * labels.ndim))
        if n_parts > 1:
            largest = 1 + int(np.bincount(parts.ravel())[1:].argmax())
            cleaned[(parts > 0) & (parts != largest)] = 0
    return cleaned


def dice_with_and_without(
    structure: int, cases: Sequence[tuple[NDArray[np.uint8], NDArray[np.uint8]]]
) -> tuple[float, float]:
    """Return the mean Dice of one structure as it was predicted, and of its largest part alone.

    Cases are (predicted, true) label maps; those in which the structure is nowhere do not count.
    """
    without, with_it = [], []
    for predicted, truth in cases:
        there = truth == structure
        if there.any():
            without.append(_dice(predicted == structure, there))
            with_it.append(_dice(without_smaller_components(predicted, [structure]) == structure, there))
    return (float(np.mean(without)), float(np.mean(with_it))) if without else (0.0, 0.0)


def _dice(predicted: NDArray[np.bool_], truth: NDArray[np.bool_]) -> float:
    return float(2 * (predicted & truth).sum() / (predicted.sum() + truth.sum()))
