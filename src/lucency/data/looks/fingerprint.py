"""The fingerprint of an image: a thumbnail that survives re-encoding, resizing and other grey levels.

Everything that the search for near-duplicates needs is made from it, so that the images are read only once.
"""

import base64
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage

from lucency.data.grey_levels import luma

SIDE = 48
"""Rows and columns of a fingerprint: enough for ribs and vessels, little enough to keep one for every image."""

FLAT = 0.01
"""A row or column at the edge whose grey levels span less than this share of the image's is frame, not image."""


@dataclass(frozen=True, eq=False)
class Fingerprint:
    """An image at 48 × 48 pixels, whatever its proportions were."""

    thumbnail: NDArray[np.uint8]
    """Axes (row, column); the darkest pixel is 0, the brightest 255; all 0 for an image without contrast."""

    @property
    def text(self) -> str:
        """The fingerprint as 3,072 letters (base64), for a journal."""
        return base64.b64encode(self.thumbnail.tobytes()).decode()


def from_text(text: str) -> Fingerprint:
    """Read a fingerprint that was written as text."""
    return Fingerprint(np.frombuffer(base64.b64decode(text), np.uint8).reshape(SIDE, SIDE))


def fingerprint(pixels: NDArray) -> Fingerprint:
    """Take the fingerprint of a grey or colour image, uint8 or uint16, axes (row, column[, colour])."""
    grey = _without_frame(luma(pixels) if pixels.ndim == 3 else pixels)
    picture = PillowImage.fromarray(grey.astype(np.float32))
    # the filter widens when it shrinks, so that a copy of another size gives the same thumbnail
    small = np.asarray(picture.resize((SIDE, SIDE), PillowImage.Resampling.BICUBIC, reducing_gap=3.0))
    low, high = float(small.min()), float(small.max())
    if high - low < 0.5:  # less than rounding
        return Fingerprint(np.zeros((SIDE, SIDE), np.uint8))
    return Fingerprint(np.rint((small - low) * (255 / (high - low))).astype(np.uint8))


def _without_frame(grey: NDArray) -> NDArray:
    """Cut off even rows and columns at the edges: copies are often padded, to a square for example."""
    low, high = grey.min(), grey.max()
    flat = FLAT * (float(high) - float(low))
    rows, columns = (np.flatnonzero(grey.max(axis) - grey.min(axis) > flat) for axis in (1, 0))
    if not len(rows) or not len(columns):
        return grey
    return grey[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
