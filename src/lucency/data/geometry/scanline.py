"""From polygons to the pixels within them."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_MOST_CROSSINGS = 1 << 22
"""How many crossings of edges and rows are held in memory at a time."""

_DECIMALS = 6
"""Corners are rounded to a millionth of a pixel, so that the arithmetic that placed them cannot move an edge over a centre."""


def filled(polygons: Sequence[NDArray[np.float64]], n_rows: int, n_columns: int) -> NDArray[np.bool_]:
    """Return the pixels whose centres lie within an odd number of closed polygons, axes (row, column).

    Corners have the axes (point, (row, column)), with the centre of the first pixel at (0, 0). So a polygon within
    another is a hole in it, and a channel of no width (keyhole) leaves no trace. A centre that lies exactly on an edge
    belongs to the polygon if that is on the side of higher rows or columns: of two neighbours with a common edge, each
    centre on it belongs to exactly one.
    """
    toggles = np.zeros((n_rows, n_columns + 1), np.bool_)
    if polygons:
        corners = [np.round(np.asarray(polygon, np.float64), _DECIMALS) for polygon in polygons]
        nexts = [np.roll(polygon, -1, axis=0) for polygon in corners]
        _toggle_at_edges(toggles, np.concatenate(corners), np.concatenate(nexts))
    return np.logical_xor.accumulate(toggles, axis=1)[:, :n_columns]


def _toggle_at_edges(toggles: NDArray[np.bool_], begins: NDArray[np.float64], ends: NDArray[np.float64]) -> None:
    """Mark in each row the columns from which on the outside becomes the inside, or the other way round."""
    n_rows = len(toggles)
    goes_down = (begins[:, 0] <= ends[:, 0])[:, None]
    upper, lower = np.where(goes_down, begins, ends), np.where(goes_down, ends, begins)
    # The rows that an edge crosses: those from its upper end on, without that at its lower end.
    first = np.clip(np.ceil(upper[:, 0]), 0, n_rows).astype(np.int64)
    last = np.clip(np.ceil(lower[:, 0]), 0, n_rows).astype(np.int64)
    crosses = last > first
    upper, lower, first, counts = upper[crosses], lower[crosses], first[crosses], (last - first)[crosses]
    totals = np.cumsum(counts)
    begin = 0
    while begin < len(counts):
        done = totals[begin] - counts[begin]
        end = max(int(np.searchsorted(totals, done + _MOST_CROSSINGS, side="right")), begin + 1)
        part = slice(begin, end)
        _toggle_crossings(toggles, upper[part], lower[part], first[part], counts[part])
        begin = end


def _toggle_crossings(
    toggles: NDArray[np.bool_],
    upper: NDArray[np.float64],
    lower: NDArray[np.float64],
    first: NDArray[np.int64],
    counts: NDArray[np.int64],
) -> None:
    edge = np.repeat(np.arange(len(counts)), counts)
    row = np.arange(len(edge)) - np.repeat(np.cumsum(counts) - counts, counts) + first[edge]
    share = (row - upper[edge, 0]) / (lower[edge, 0] - upper[edge, 0])
    column = np.round(upper[edge, 1] + share * (lower[edge, 1] - upper[edge, 1]), _DECIMALS)
    column = np.clip(np.ceil(column), 0, toggles.shape[1] - 1).astype(np.int64)
    n_crossings = np.bincount(row * toggles.shape[1] + column, minlength=toggles.size)
    toggles ^= (n_crossings % 2 == 1).reshape(toggles.shape)
