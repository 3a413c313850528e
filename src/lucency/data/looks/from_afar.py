"""What an image is like from afar, in forms that images of any size share: its brightness, and its thumbnail."""

import numpy as np
from numpy.typing import NDArray

N_LEVELS = 64
SIDE = 16


def brightness_curves(images: NDArray) -> NDArray[np.float64]:
    """Return the share of pixels at or below each of 64 levels from black to white, axes (image, level).

    The images are stored ones, uint8 or uint16, axes (image, channel, row, column).
    """
    levels = N_LEVELS * (images.astype(np.float32) / np.iinfo(images.dtype).max)
    levels = np.minimum(levels.astype(np.int64), N_LEVELS - 1).reshape(len(images), -1)
    counts = np.stack([np.bincount(one, minlength=N_LEVELS) for one in levels])
    return np.cumsum(counts, axis=1) / counts.sum(axis=1, keepdims=True)


def thumbnails(images: NDArray) -> NDArray[np.float32]:
    """Return the images as 16 × 16 means over space and channels, less their own mean, axes (image, pixel)."""
    planes = (images.astype(np.float32) / np.iinfo(images.dtype).max).mean(axis=1)
    for axis in (1, 2):
        edges = np.linspace(0, planes.shape[axis], SIDE + 1)
        starts = np.minimum(edges[:-1].astype(int), planes.shape[axis] - 1)
        sums = np.add.reduceat(planes, starts, axis)
        # equal starts, in an image smaller than the thumbnail, take the one pixel itself
        counts = np.maximum(np.diff(np.append(starts, planes.shape[axis])), 1)
        planes = sums / counts.reshape([-1 if a == axis else 1 for a in range(3)])
    small = planes.reshape(len(planes), -1)
    return np.asarray(small - small.mean(axis=1, keepdims=True), np.float32)
