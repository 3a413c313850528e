"""From stored values to what a screen shows: windows, ranges and luma.

A grey image has few different values, so each is worked on once and then looked up for every pixel.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Window = Literal["auto", "full"] | tuple[float, float]
"""`auto`: the window of the header, else the image's own range; `full`: every value; or (centre, width)."""

Shading = Callable[[NDArray[np.float64]], NDArray[np.float64]]
"""Gives each value its brightness, from 0 (black) to 1 (white)."""

WHITE = 65535
"""White in a 16-bit image."""

OUTERMOST = 0.001
"""Share of the pixels at each end that the own range leaves out, so that one hot pixel cannot darken a radiograph."""

_MOST_LEVELS = 2**16


@dataclass(frozen=True)
class GreyLevels:
    """The values of an image and where they stand."""

    values: NDArray[Any]
    """Each value that the pixels can have, axis (level)."""
    index: NDArray[Any]
    """Level of each pixel, axes (row, column)."""

    @classmethod
    def of(cls, pixels: NDArray[Any]) -> "GreyLevels":
        """Find the levels of an image, axes (row, column); real and very wide values get one level a pixel."""
        if pixels.dtype.kind not in "iu":
            return cls(pixels.ravel(), np.arange(pixels.size).reshape(pixels.shape))
        low, high = int(pixels.min()), int(pixels.max())
        if high - low < min(_MOST_LEVELS, 4 * pixels.size):
            return cls(np.arange(low, high + 1, dtype=np.int64), _above(low, pixels))
        return cls(pixels.ravel().astype(np.int64), np.arange(pixels.size).reshape(pixels.shape))

    def counts(self) -> NDArray[np.int64]:
        """Count the pixels of each level."""
        return np.bincount(self.index.ravel(), minlength=len(self.values))

    def painted(self, colours: NDArray[Any]) -> NDArray[Any]:
        """Draw the image with one new value for each level."""
        return np.take(colours, self.index)


def _above(low: int, pixels: NDArray[Any]) -> NDArray[Any]:
    """Return how far each integer pixel lies above the lowest one, without a wider type: unsigned sums wrap around."""
    unsigned = np.dtype(f"u{pixels.dtype.itemsize}")
    pixels = pixels.astype(pixels.dtype.newbyteorder("="), copy=False)
    return pixels.view(unsigned) - np.array(low, pixels.dtype).view(unsigned) if low else pixels


def window_linear(values: NDArray[np.float64], centre: float, width: float) -> NDArray[np.float64]:
    """Shade by DICOM's LINEAR window (PS3.3 C.11.2.1.2.1); below a width of 1 it is only defined as LINEAR_EXACT."""
    if width < 1:
        return window_linear_exact(values, centre, width)
    if width == 1:
        return (values > centre - 0.5).astype(np.float64)
    return np.clip((values - (centre - 0.5)) / (width - 1) + 0.5, 0, 1)


def window_linear_exact(values: NDArray[np.float64], centre: float, width: float) -> NDArray[np.float64]:
    """Shade by DICOM's LINEAR_EXACT window (PS3.3 C.11.2.1.3.2)."""
    return np.clip((values - centre) / width + 0.5, 0, 1)


def window_sigmoid(values: NDArray[np.float64], centre: float, width: float) -> NDArray[np.float64]:
    """Shade by DICOM's SIGMOID window (PS3.3 C.11.2.1.3.1)."""
    return 1 / (1 + np.exp(np.clip(-4 * (values - centre) / width, -700, 700)))


def between(low: float, high: float) -> Shading:
    """Return the shading that is black at `low` and white at `high`; all black where they are equal."""
    if not high > low:
        return np.zeros_like
    return lambda values: np.clip((values - low) / (high - low), 0, 1)


def own_range(values: NDArray[np.float64], counts: NDArray[np.int64]) -> tuple[float, float]:
    """Return the range of an image's own values without the outermost 0.1 % of pixels at each end.

    Where hardly any pixel differs from the rest, the range is that of all of them.
    """
    present = (counts > 0) & np.isfinite(values)
    if not present.any():
        return 0.0, 0.0
    values, counts = values[present], counts[present]
    order = np.argsort(values, kind="stable")
    values, below = values[order], np.cumsum(counts[order])
    n_left_out = int(OUTERMOST * below[-1])
    low = float(values[np.searchsorted(below, n_left_out, side="right")])
    high = float(values[np.searchsorted(below, below[-1] - n_left_out, side="left")])
    return (low, high) if high > low else (float(values[0]), float(values[-1]))


def as_uint16(brightness: NDArray[np.float64]) -> NDArray[np.uint16]:
    """Turn brightness from 0 to 1 into grey values from 0 to 65535."""
    return np.rint(brightness * WHITE).astype(np.uint16)


def luma(colours: NDArray[Any]) -> NDArray[Any]:
    """Turn colours (uint8 or uint16) into grey by ITU-R BT.601: 0.299 R, 0.587 G, 0.114 B; axes (row, column, colour)."""
    if colours.dtype == np.uint8:
        return np.asarray(Image.fromarray(colours).convert("L"))
    red, green, blue = (colours[..., i].astype(np.uint32) for i in range(3))
    # The weights in 1/65536, which is how Pillow rounds 8-bit images: grey stays exactly as it was.
    return ((red * 19595 + green * 38470 + blue * 7471 + 32768) >> 16).astype(colours.dtype)


def is_colourless(colours: NDArray[Any]) -> bool:
    """Tell whether an image stored in colour, axes (row, column, colour), shows nothing but grey."""
    red, green, blue = (colours[..., i] for i in range(3))
    return bool(np.array_equal(red, green) and np.array_equal(green, blue))
