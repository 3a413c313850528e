"""How dark and bright are spread in an image, as a curve that images of any size share."""

import numpy as np
from numpy.typing import NDArray

N_LEVELS = 64


def brightness_curves(images: NDArray) -> NDArray[np.float64]:
    """Return the share of pixels at or below each of 64 levels from black to white, axes (image, level).

    The images are stored ones, uint8 or uint16, axes (image, channel, row, column).
    """
    levels = N_LEVELS * (images.astype(np.float32) / np.iinfo(images.dtype).max)
    levels = np.minimum(levels.astype(np.int64), N_LEVELS - 1).reshape(len(images), -1)
    counts = np.stack([np.bincount(one, minlength=N_LEVELS) for one in levels])
    return np.cumsum(counts, axis=1) / counts.sum(axis=1, keepdims=True)
