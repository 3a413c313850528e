"""Where an image lies on the plan's grid, and how pictures, masks and boxes go there and back.

Positions are in pixels, and edges lie between pixels: the first pixel reaches from 0 to 1. Nothing moves by half a pixel
when the size changes.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage

from lucency.domain.data_plan import Image

Shape = tuple[int, int]
"""Rows and columns."""


@dataclass(frozen=True)
class Placement:
    """An image is first brought to `resized`, and then laid on the grid; what reaches beyond is cut off."""

    original: Shape
    resized: Shape
    grid: Shape

    @property
    def start(self) -> Shape:
        """Row and column of the grid at which the resized image begins; below zero where it is cut."""
        return _start(self.grid[0], self.resized[0]), _start(self.grid[1], self.resized[1])

    def picture(self, plane: NDArray) -> NDArray:
        """Lay grey levels, axes (row, column), on the grid; black where the image does not reach."""
        smooth = _resampled(plane, self.resized, PillowImage.Resampling.BICUBIC)
        levels = np.clip(np.rint(smooth), 0, np.iinfo(plane.dtype).max).astype(plane.dtype)
        return self._laid(levels)

    def labels(self, labels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Lay a map of labels, axes (row, column), on the grid: each pixel gets the label that covers most of it."""
        if self.resized == self.original:
            return self._laid(labels)
        names = np.unique(labels)
        shares = [_resampled(labels == name, self.resized, PillowImage.Resampling.BILINEAR) for name in names]
        return self._laid(names[np.argmax(shares, axis=0)])

    def boxes(self, boxes: NDArray[np.float64]) -> NDArray[np.float64]:
        """Lay boxes, axes (box, (left, top, right, bottom)), on the grid; what is cut off leaves nothing or the rest."""
        (row, column), (tall, wide) = self.start, self._scale
        moved = boxes * [wide, tall, wide, tall] + [column, row, column, row]
        return np.clip(moved, 0, [self.grid[1], self.grid[0]] * 2)

    def probabilities_back(self, probabilities: NDArray[np.float32]) -> NDArray[np.float32]:
        """Bring what a network says of each pixel of the grid, axes (..., row, column), back to the image; 0 where it was cut."""
        flat = probabilities.reshape(-1, *self.grid)
        uncut = np.zeros((len(flat), *self.resized), np.float32)
        on_grid, on_image = self._common()
        uncut[:, *on_image] = flat[:, *on_grid]
        back = np.stack([_resampled(plane, self.original, PillowImage.Resampling.BILINEAR) for plane in uncut])
        return back.reshape(*probabilities.shape[:-2], *self.original)

    def boxes_back(self, boxes: NDArray[np.float64]) -> NDArray[np.float64]:
        """Bring boxes of the grid, axes (box, (left, top, right, bottom)), back to the image, and cut them at its edges."""
        (row, column), (tall, wide) = self.start, self._scale
        moved = (boxes - [column, row, column, row]) / [wide, tall, wide, tall]
        return np.clip(moved, 0, [self.original[1], self.original[0]] * 2)

    @property
    def _scale(self) -> tuple[float, float]:
        return self.resized[0] / self.original[0], self.resized[1] / self.original[1]

    def _laid(self, plane: NDArray) -> NDArray:
        canvas = np.zeros(self.grid, plane.dtype)
        on_grid, on_image = self._common()
        canvas[on_grid] = plane[on_image]
        return canvas

    def _common(self) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
        """Return what both have in common: rows and columns of the grid, and of the resized image."""
        pairs = [_overlap(*sides) for sides in zip(self.grid, self.resized, strict=True)]
        return (pairs[0][0], pairs[1][0]), (pairs[0][1], pairs[1][1])


def place(shape: Shape, image: Image, aspect: float = 1.0) -> Placement:
    """Place an image of `shape` on the plan's grid as `image.fit` says.

    `aspect` is the distance between rows over that between columns; `pad` and `crop` keep the proportions of the patient,
    not those of the pixels.
    """
    sides = (shape[0] * aspect, shape[1])
    scales = [grid / side for grid, side in zip(image.shape, sides, strict=True)]
    if image.fit == "stretch":
        return Placement(shape, image.shape, image.shape)
    scale = min(scales) if image.fit == "pad" else max(scales)
    rows, columns = (max(1, round(side * scale)) for side in sides)
    return Placement(shape, (rows, columns), image.shape)


def _start(n_grid: int, n_image: int) -> int:
    return (n_grid - n_image) // 2 if n_grid >= n_image else -((n_image - n_grid) // 2)


def _overlap(n_grid: int, n_image: int) -> tuple[slice, slice]:
    """Return the common length of two sides, one centred on the other: on the grid, and in the image."""
    start, length = _start(n_grid, n_image), min(n_grid, n_image)
    return slice(max(start, 0), max(start, 0) + length), slice(max(-start, 0), max(-start, 0) + length)


def _resampled(plane: NDArray, shape: Shape, kind: PillowImage.Resampling) -> NDArray[np.float32]:
    """Resample one plane; Pillow's filters widen when shrinking, so that nothing aliases."""
    picture = PillowImage.fromarray(plane.astype(np.float32))
    return np.asarray(picture.resize((shape[1], shape[0]), kind))
