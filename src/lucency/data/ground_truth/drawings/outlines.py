"""Show an image with the outlines of what was drawn on it."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from lucency.data.frames import read_frames, read_volume
from lucency.data.ground_truth.drawings.images import ImageOnDisk
from lucency.data.reading import RefusedImage, read_image
from lucency.data.volumes import is_volume_file, stacks_among

COLOURS = {
    "sky blue": (86, 180, 233),
    "orange": (230, 159, 0),
    "green": (0, 158, 115),
    "yellow": (240, 228, 66),
    "pink": (204, 121, 167),
    "red": (213, 94, 0),
}
"""Told apart by people with any kind of colour vision, and on grey (Okabe & Ito 2008)."""

_SMALLEST_WINDOW = 64
"""Pixels, so that a small lesion still shows what it lies in."""

_DASH = 4
"""Pixels of one colour where several outlines coincide."""


def picture_of(image: ImageOnDisk, slice_: int = 0) -> NDArray[np.uint8]:
    """Read one slice of an image as it is looked at, axes (row, column[, colour]).

    Raises:
        RefusedImage: it cannot be read.
    """
    pixels = _pixels(image, image.frame - 1 if image.frame else slice_)
    return pixels if pixels.dtype == np.uint8 else (pixels >> 8).astype(np.uint8)


def outlined(picture: NDArray[np.uint8], masks: Sequence[NDArray[np.bool_]], longest_side: int) -> NDArray[np.uint8]:
    """Bring a picture to a size and draw the outline of each mask, axes (row, column), in a colour of its own.

    Returns axes (row, column, colour). Where outlines coincide, they alternate.
    """
    scale = longest_side / max(picture.shape[:2])
    size = tuple(max(1, round(side * scale)) for side in picture.shape[1::-1])
    canvas = np.array(Image.fromarray(picture).convert("RGB").resize(size, Image.Resampling.BILINEAR))
    edges = np.stack([_edge(mask, size) for mask in masks]) if masks else np.zeros((0, *canvas.shape[:2]), bool)
    rows, columns = np.nonzero(edges.any(axis=0))
    for row, column in zip(rows, columns, strict=True):
        here = np.flatnonzero(edges[:, row, column])
        canvas[row, column] = _colour(here[(row + column) // _DASH % here.size])
    return canvas


def window_around(mask: NDArray[np.bool_]) -> tuple[slice, slice]:
    """Return rows and columns three times as far as a mask reaches, axes (row, column); all of them if it is empty."""
    if not mask.any():
        return slice(None), slice(None)
    ends = [np.flatnonzero(mask.any(axis=axis))[[0, -1]] for axis in (1, 0)]
    half = max(_SMALLEST_WINDOW, 3 * max(int(last - first + 1) for first, last in ends)) // 2
    rows, columns = (slice(max(0, (first + last) // 2 - half), (first + last) // 2 + half + 1) for first, last in ends)
    return rows, columns


def largest_slice(mask: NDArray[np.bool_]) -> int:
    """Return the slice, from 0, that holds most of a mask, axes (slice, row, column); the middle one if it is empty."""
    counts = mask.sum(axis=(1, 2))
    return int(counts.argmax()) if counts.any() else len(mask) // 2


def _pixels(image: ImageOnDisk, slice_: int) -> NDArray:
    if len(image.files) > 1:
        return read_volume(stacks_among(image.files[0].parent, image.files)[0], "auto").pixels[slice_]
    if not is_volume_file(image.files[0]):
        try:
            return read_image(image.files[0]).pixels
        except RefusedImage as refusal:
            if refusal.code != "E_MULTIFRAME":
                raise
    frames = read_frames(image.files[0], "auto", False)
    if slice_ >= len(frames):
        raise RefusedImage("E_UNREADABLE")
    return frames[slice_].pixels


def _edge(mask: NDArray[np.bool_], size: tuple[int, ...]) -> NDArray[np.bool_]:
    shown = np.asarray(Image.fromarray(mask).resize((size[0], size[1]), Image.Resampling.NEAREST))
    return shown & ~ndimage.binary_erosion(shown, np.ones((3, 3)))


def _colour(number: int) -> tuple[int, int, int]:
    return list(COLOURS.values())[number % len(COLOURS)]
