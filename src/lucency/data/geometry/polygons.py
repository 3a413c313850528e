"""Turn polygons into pixels and pixels into polygons; corners are (column, row), the centre of the first pixel is 0.5, 0.5."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Polygon = NDArray[np.float64]
"""Corners, axes (point, (column, row))."""

_MOST_CROSSINGS = 1 << 22
"""How many crossings of edges and rows are held in memory at a time."""

_DECIMALS = 6
"""Corners are rounded to a millionth of a pixel, so that arithmetic cannot move an edge over the centre that it lies on."""


def filled(polygon: Polygon, shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Mark the pixels, axes (row, column), whose centres lie inside, by the even-odd rule; what lies outside is cut off."""
    return joined([polygon], shape)


def joined(polygons: Sequence[Polygon], shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Mark the pixels, axes (row, column), whose centres lie inside an odd number of polygons.

    So a polygon within another is a hole in it, and a channel of no width (keyhole) leaves no trace. A centre that lies
    exactly on an edge belongs to the polygon on the side of higher rows or columns: of two neighbours with a common
    edge, it belongs to exactly one.
    """
    toggles = np.zeros((shape[0], shape[1] + 1), np.bool_)
    if polygons:
        corners = [np.round(np.asarray(polygon, np.float64) - 0.5, _DECIMALS) for polygon in polygons]
        nexts = [np.roll(polygon, -1, axis=0) for polygon in corners]
        _toggle_at_edges(toggles, np.concatenate(corners), np.concatenate(nexts))
    return np.logical_xor.accumulate(toggles, axis=1)[:, :-1]


def _toggle_at_edges(toggles: NDArray[np.bool_], begins: Polygon, ends: Polygon) -> None:
    """Mark in each row the columns from which on the outside becomes the inside, or the other way round."""
    n_rows = len(toggles)
    goes_down = (begins[:, 1] <= ends[:, 1])[:, None]
    upper, lower = np.where(goes_down, begins, ends), np.where(goes_down, ends, begins)
    # an edge takes in its upper end and not its lower, so that a corner between two edges counts once
    first, last = (np.clip(np.ceil(end[:, 1]), 0, n_rows).astype(np.int64) for end in (upper, lower))
    crosses = last > first
    upper, lower, first, counts = upper[crosses], lower[crosses], first[crosses], (last - first)[crosses]
    totals = np.cumsum(counts)
    begin = 0
    while begin < len(counts):
        before = totals[begin] - counts[begin]
        end = max(int(np.searchsorted(totals, before + _MOST_CROSSINGS, side="right")), begin + 1)
        part = slice(begin, end)
        _toggle_crossings(toggles, upper[part], lower[part], first[part], counts[part])
        begin = end


def _toggle_crossings(
    toggles: NDArray[np.bool_], upper: Polygon, lower: Polygon, first: NDArray[np.int64], counts: NDArray[np.int64]
) -> None:
    edge = np.repeat(np.arange(len(counts)), counts)
    row = np.arange(len(edge)) - np.repeat(np.cumsum(counts) - counts, counts) + first[edge]
    share = (row - upper[edge, 1]) / (lower[edge, 1] - upper[edge, 1])
    crossings = np.round(upper[edge, 0] + share * (lower[edge, 0] - upper[edge, 0]), _DECIMALS)
    column = np.clip(np.ceil(crossings), 0, toggles.shape[1] - 1).astype(np.int64)
    n_crossings = np.bincount(row * toggles.shape[1] + column, minlength=toggles.size)
    toggles ^= (n_crossings % 2 == 1).reshape(toggles.shape)


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
