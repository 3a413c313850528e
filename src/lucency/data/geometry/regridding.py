"""Bring images, probabilities and label maps onto a finer or coarser grid over the same extent.

A grid covers its image from outer edge to outer edge, so that voxel i of n is centred at (i + ½) / n of the extent: the way
there and back moves nothing. Values are interpolated linearly; where the new grid is coarser, the triangle is as wide as the
new voxels, so that nothing is skipped (as Pillow's filters do).
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def resampled_shape(shape: Sequence[int], spacing_mm: Sequence[float], target_mm: Sequence[float]) -> tuple[int, ...]:
    """Return how many voxels of another spacing cover the same extent, at least one along each axis."""
    sides = zip(shape, spacing_mm, target_mm, strict=True)
    return tuple(max(1, round(n * mm / wanted)) for n, mm, wanted in sides)


def resampled(values: NDArray, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Bring the last axes of an array to a shape; the axes before them stay."""
    values = values.astype(np.float32, copy=False)
    first = values.ndim - len(shape)
    for axis, n_new in enumerate(shape, start=first):
        if values.shape[axis] != n_new:
            weights = _weights(values.shape[axis], n_new)
            values = np.moveaxis(np.tensordot(weights, values, (1, axis)), 0, axis)
    return np.ascontiguousarray(values)


def resampled_labels(labels: NDArray[np.uint8], shape: tuple[int, ...], n_structures: int) -> NDArray[np.uint8]:
    """Bring a label map to a shape: each voxel gets the label that fills most of it."""
    if labels.shape == shape:
        return labels
    winner, most = np.zeros(shape, np.uint8), resampled(labels == 0, shape)
    for structure in range(1, n_structures + 1):
        share = resampled(labels == structure, shape)
        is_more = share > most
        winner[is_more], most[is_more] = structure, share[is_more]
    return winner


def _weights(n_old: int, n_new: int) -> NDArray[np.float32]:
    """Return how much each old voxel gives to each new one, axes (new, old)."""
    scale = n_old / n_new
    centres = (np.arange(n_new) + 0.5) * scale - 0.5
    # beyond the edge the outermost voxel goes on
    centres = np.clip(centres, 0, n_old - 1)
    width = max(scale, 1.0)
    weights = np.clip(1 - np.abs(np.arange(n_old) - centres[:, None]) / width, 0, None)
    return (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)
