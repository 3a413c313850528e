"""Bring slices onto an even, upright grid by linear interpolation."""

import numpy as np
from numpy.typing import NDArray


def straightened(values: NDArray, shifts: NDArray[np.float64]) -> NDArray[np.float32]:
    """Move each slice by its shift in rows and columns, axes (slice, 2); what nothing was imaged at gets the lowest value.

    The grid grows by the largest shift, so that nothing is lost.
    """
    n_slices, n_rows, n_columns = values.shape
    more_rows, more_columns = (int(np.ceil(shift - 1e-6)) for shift in shifts.max(axis=0))
    outside = float(values.min())
    moved = np.empty((n_slices, n_rows + more_rows, n_columns + more_columns), np.float32)
    for slice_, (down, right), target in zip(values, shifts, moved, strict=True):
        target[:] = _moved(_moved(slice_, down, more_rows, outside).T, right, more_columns, outside).T
    return moved


def evened(values: NDArray, distances: NDArray[np.float64]) -> NDArray[np.float32]:
    """Interpolate slices that lie at increasing distances, in steps of the wanted grid, from 0 upwards."""
    wanted = np.arange(int(np.floor(distances[-1] + 1e-3)) + 1)
    above = np.clip(np.searchsorted(distances, wanted), 1, len(distances) - 1)
    below = above - 1
    share = np.clip((wanted - distances[below]) / (distances[above] - distances[below]), 0, 1)
    evened = np.empty((len(wanted), *values.shape[1:]), np.float32)
    for target, low, high, weight in zip(evened, below, above, share, strict=True):
        target[:] = (1 - weight) * values[low] + weight * values[high]
    return evened


def _moved(plane: NDArray, shift: float, n_more: int, outside: float) -> NDArray[np.float64]:
    """Move a plane down by a shift of 0 … n_more rows, and make it n_more rows longer."""
    whole = min(int(np.floor(shift + 1e-6)), n_more)
    share = shift - whole
    moved = np.full((plane.shape[0] + n_more, plane.shape[1]), float(outside))
    moved[whole : whole + plane.shape[0]] = plane
    if share < 1e-6 or whole == n_more:  # the rest is rounding
        return moved
    later = np.full_like(moved, float(outside))
    later[whole + 1 : whole + 1 + plane.shape[0]] = plane
    return (1 - share) * moved + share * later
