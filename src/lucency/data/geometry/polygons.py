"""Turn polygons into pixels and pixels into polygons; corners are (column, row), the centre of the first pixel is 0.5, 0.5."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lucency.data.geometry import scanline

Polygon = NDArray[np.float64]
"""Corners, axes (point, (column, row))."""


def filled(polygon: Polygon, shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Mark the pixels, axes (row, column), whose centres lie inside, by the even-odd rule; what lies outside is cut off."""
    return scanline.filled([polygon[:, ::-1] - 0.5], *shape)


def signed_area(polygon: Polygon) -> float:
    """Return the area in square pixels; the sign tells the sense in which the corners follow each other."""
    x, y = (polygon - polygon[0]).T
    return float(x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2


def outlines(mask: NDArray[np.bool_]) -> list[Polygon]:
    """Trace the edges of pixels, axes (row, column); `filled`, one by one and joined by exclusive or, returns the mask.

    Outer edges and those of holes run in opposite senses.
    """
    following = _edges(mask)
    found = []
    while following:
        start = next(iter(following))
        corners, direction = [start], following[start][0]
        while True:
            choices = following[corners[-1]]
            step = min(choices, key=lambda choice: _turn(direction, choice))
            choices.remove(step)
            if not choices:
                del following[corners[-1]]
            direction, point = step, (corners[-1][0] + step[0], corners[-1][1] + step[1])
            if point == start:
                break
            corners.append(point)
        found.append(_without_straight_corners(np.array(corners, float)))
    return found


def _edges(mask: NDArray[np.bool_]) -> dict[tuple[int, int], list[tuple[int, int]]]:
    """Map each corner to the unit steps that leave it, with what is drawn on the right of every step."""
    padded = np.pad(mask, 1)
    inside, above, left = padded[1:, 1:], padded[:-1, 1:], padded[1:, :-1]
    edges: dict[tuple[int, int], list[tuple[int, int]]] = {}

    def add(places: NDArray[np.bool_], start: tuple[int, int], step: tuple[int, int]) -> None:
        for row, column in zip(*np.nonzero(places), strict=True):
            edges.setdefault((int(column) + start[0], int(row) + start[1]), []).append(step)

    add(inside & ~above, (0, 0), (1, 0))
    add(~inside & above, (1, 0), (-1, 0))
    add(inside & ~left, (0, 1), (0, -1))
    add(~inside & left, (0, 0), (0, 1))
    return edges


def _turn(before: tuple[int, int], after: tuple[int, int]) -> int:
    """Order directions: to the right, straight on, to the left; so pixels that touch at a corner get outlines of their own."""
    return -(before[0] * after[1] - before[1] * after[0])


def _without_straight_corners(corners: Polygon) -> Polygon:
    before, after = corners - np.roll(corners, 1, axis=0), np.roll(corners, -1, axis=0) - corners
    return corners[(before != after).any(axis=1)]


def joined(polygons: Sequence[Polygon], shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Mark the pixels of outlines and holes, as `outlines` returns them: what an odd number of them encloses."""
    mask = np.zeros(shape, bool)
    for polygon in polygons:
        mask ^= filled(polygon, shape)
    return mask
