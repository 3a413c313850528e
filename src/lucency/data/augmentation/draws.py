"""What is drawn for each image: one row of counted uniform numbers, and their meaning."""

from enum import IntEnum, auto

import numpy as np
from numpy.typing import NDArray

from lucency.randomness import uniforms


class Draw(IntEnum):
    """The column of each draw; fixed, so that switching one change on or off leaves the others as they were."""

    FLIP_HORIZONTAL = 0
    FLIP_VERTICAL = auto()
    ROTATE = auto()
    ZOOM = auto()
    SHIFT_SLICE = auto()
    SHIFT_ROW = auto()
    SHIFT_COLUMN = auto()
    SKEW = auto()
    RESOLUTION = auto()
    BLUR = auto()
    CONTRAST = auto()
    BRIGHTNESS = auto()
    NOISE = auto()
    NOISE_OFFSET = auto()
    ERASE = auto()
    ERASE_SHARE = auto()
    ERASE_SHAPE_SLICE = auto()
    ERASE_SHAPE_ROW = auto()
    ERASE_SHAPE_COLUMN = auto()
    ERASE_PLACE_SLICE = auto()
    ERASE_PLACE_ROW = auto()
    ERASE_PLACE_COLUMN = auto()
    TILT_ROW = auto()
    TILT_COLUMN = auto()


class Draws:
    """Uniform numbers of a batch, each image's a function of (seed, epoch, its key) alone."""

    def __init__(self, seed: int, epoch: int, sample_keys: NDArray[np.uint64]) -> None:
        self._uniform = uniforms(seed, "augmentation", epoch, sample_keys, len(Draw))

    def __len__(self) -> int:
        return len(self._uniform)

    def unit(self, draw: Draw) -> NDArray[np.float64]:
        """Return numbers in [0, 1), one per image."""
        return self._uniform[:, draw]

    def units(self, first: Draw, n_draws: int) -> NDArray[np.float64]:
        """Return the numbers of neighbouring columns, axes (image, draw)."""
        return self._uniform[:, first : first + n_draws]

    def either_side(self, draw: Draw, largest: float) -> NDArray[np.float64]:
        """Return numbers between −largest and largest."""
        return (2 * self.unit(draw) - 1) * largest

    def factor(self, draw: Draw, smallest_and_largest: tuple[float, float]) -> NDArray[np.float64]:
        """Return factors that are uniform in their logarithm, so that ½ is as likely as 2."""
        smallest, largest = smallest_and_largest
        return np.asarray(smallest * (largest / smallest) ** self.unit(draw))

    def happens(self, draw: Draw, probability: float) -> NDArray[np.bool_]:
        """Return which images are changed."""
        return self.unit(draw) < probability
