"""What every measure of synthetic images is given: numbers for each image, and whose image it is."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MOST_PIXELS = 32
"""Sides of the thumbnails that are compared pixel by pixel: finer detail is never the same twice."""
_ROWS_AT_ONCE = 512


@dataclass(frozen=True)
class Pictures:
    """A set of images, as numbers that can be compared."""

    numbers: NDArray[np.float64]
    """Features or grey levels, axes (image, number)."""
    patients: NDArray[np.int64]
    """A code for each image's patient, axis (image); a synthetic image is a patient of its own."""

    def __len__(self) -> int:
        return len(self.numbers)

    @property
    def n_patients(self) -> int:
        """How many patients the images come from."""
        return int(np.unique(self.patients).size)

    def some(self, chosen: NDArray[np.int64] | NDArray[np.bool_]) -> "Pictures":
        """Return a part of them."""
        return Pictures(self.numbers[chosen], self.patients[chosen])


def synthetic(numbers: NDArray[np.float64]) -> Pictures:
    """Return images that belong to nobody."""
    return Pictures(numbers, np.arange(len(numbers)))


def thumbnails(images: NDArray, white: int) -> NDArray[np.float64]:
    """Shrink images, axes (image, channel, row, column), to at most 32 pixels a side by means of equal blocks.

    Returns fractions of white, axes (image, number); the Euclidean distance of two, divided by the root of their number, is the
    root mean square difference of grey levels.
    """
    step = -(-max(images.shape[2:]) // MOST_PIXELS)
    rows, columns = (side // step * step for side in images.shape[2:])
    cut = images[:, :, :rows, :columns].reshape(*images.shape[:2], rows // step, step, columns // step, step)
    return np.concatenate(
        [part.mean(axis=(3, 5)).reshape(len(part), -1) / white for part in np.split(cut, range(256, len(cut), 256))]
    )


def distances(first: NDArray[np.float64], second: NDArray[np.float64]) -> Iterator[tuple[slice, NDArray[np.float64]]]:
    """Yield root mean square differences, axes (image of first, image of second), some rows of the first at a time."""
    squares = (second**2).sum(1)
    for start in range(0, len(first), _ROWS_AT_ONCE):
        rows = slice(start, start + _ROWS_AT_ONCE)
        some = first[rows]
        squared = (some**2).sum(1)[:, None] + squares - 2 * some @ second.T
        yield rows, np.sqrt(np.maximum(squared, 0) / first.shape[1])


def nearest(first: NDArray[np.float64], second: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return for each image of the first its distance to the nearest of the second, and which one that is."""
    found, where = np.empty(len(first)), np.empty(len(first), np.int64)
    for rows, apart in distances(first, second):
        where[rows] = apart.argmin(1)
        found[rows] = apart.min(1)
    return found, where


def nearest_of_others(pictures: Pictures) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return for each image the distance to the nearest image of another patient, and which one that is."""
    found, where = np.empty(len(pictures)), np.empty(len(pictures), np.int64)
    for rows, apart in distances(pictures.numbers, pictures.numbers):
        apart[pictures.patients[rows, None] == pictures.patients] = np.inf
        where[rows] = apart.argmin(1)
        found[rows] = apart.min(1)
    return found, where
