"""Lesions one by one on the grid of the plan, from whatever was drawn on the images."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from lucency.data.geometry.placement import Placement
from lucency.data.ground_truth.drawings.marks import Marks
from lucency.data.ground_truth.drawings.runs import run_lengths
from lucency.domain.detections import Edges, Lesion
from lucency.domain.labels_plan import Drawings
from lucency.domain.masks import Box, Mask


class Laid(NamedTuple):
    """The lesions of one image on the grid."""

    lesions: tuple[Lesion, ...]
    n_cut: int
    """Lesions that lie in what is cut off the image, and are not there for the network."""
    n_small: int
    """Lesions of fewer pixels than the plan asks for."""


def lesions_on_grid(marks: Marks, placement: Placement, settings: Drawings) -> Laid:
    """Lay every lesion of one image on the grid.

    Where the plan says so (`split_lesions`), each connected part of a mask is a lesion of its own, pixels that touch at a corner
    included. A lesion that is smaller than a pixel of the grid gets that pixel.
    """
    parts = [(part, mask.name) for mask in marks.masks for part in _parts(mask, settings.split_lesions)]
    large = [(part, name) for part, name in parts if part.sum() >= settings.at_least_pixels]
    boxes = [box for box in marks.boxes if box.area >= settings.at_least_pixels]
    laid = [_of_mask(part, name, placement) for part, name in large] + [_of_box(box, placement) for box in boxes]
    lesions = tuple(lesion for lesion in laid if lesion is not None)
    return Laid(lesions, len(laid) - len(lesions), len(parts) + len(marks.boxes) - len(laid))


def edges_of(pixels: NDArray[np.bool_]) -> Edges:
    """Return the smallest box around the pixels of a mask that is not empty, axes (row, column)."""
    rows, columns = np.flatnonzero(pixels.any(axis=1)), np.flatnonzero(pixels.any(axis=0))
    return float(columns[0]), float(rows[0]), float(columns[-1] + 1), float(rows[-1] + 1)


def _parts(mask: Mask, is_split: bool) -> Iterator[NDArray[np.bool_]]:
    pixels = mask.voxels[0] >= 0.5
    if not is_split:
        yield from [pixels] if pixels.any() else []
        return
    numbers, n_parts = ndimage.label(pixels, np.ones((3, 3)))
    yield from (numbers == number for number in range(1, n_parts + 1))


def _of_mask(pixels: NDArray[np.bool_], kind: str, placement: Placement) -> Lesion | None:
    on_grid = placement.labels(pixels.astype(np.uint8)).astype(bool)
    if not on_grid.any():
        edges = _laid(edges_of(pixels), placement)
        if edges is None:
            return None
        row, column = int((edges[1] + edges[3]) / 2), int((edges[0] + edges[2]) / 2)
        on_grid[min(row, on_grid.shape[0] - 1), min(column, on_grid.shape[1] - 1)] = True
    return Lesion(kind, edges_of(on_grid), tuple(run_lengths(on_grid)))


def _of_box(box: Box, placement: Placement) -> Lesion | None:
    edges = _laid((box.left, box.top, box.left + box.width, box.top + box.height), placement)
    return None if edges is None else Lesion(box.name, edges)


def _laid(edges: Edges, placement: Placement) -> Edges | None:
    """Lay a box on the grid; None where nothing of it is left."""
    left, top, right, bottom = map(float, placement.boxes(np.array([edges]))[0])
    return (left, top, right, bottom) if right > left and bottom > top else None
