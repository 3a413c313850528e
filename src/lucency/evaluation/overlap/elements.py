"""How large the piece of surface is that passes between neighbouring pixels or voxels of a mask.

The centres of 2×2 pixels, or of 2×2×2 voxels, are the corners of a cell. Which of them lie inside the mask is the cell's
pattern; the pattern tells which piece of contour or surface runs through the cell (marching squares and cubes, Lorensen
& Cline 1987).
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def patterns(mask: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Code which corners of each cell lie inside, the last corner in the lowest bit.

    Every axis is one longer than the mask's: nothing lies beyond the edge of the image.
    """
    codes = np.pad(mask, 1).astype(np.uint8)
    for axis in range(mask.ndim):
        n_bits = 1 << (mask.ndim - 1 - axis)
        along = np.moveaxis(codes, axis, 0)
        codes = np.moveaxis((along[:-1] << n_bits | along[1:]).astype(np.uint8), 0, axis)
    return codes


def element_sizes(spacing: Sequence[float]) -> NDArray[np.float64]:
    """Return the length (two axes) or area (three axes) of surface of each pattern, axis (pattern).

    The triangles are those of DeepMind's surface-distance (Nikolov et al. 2018), so that areas agree with it.
    """
    sizes = _contour_lengths(spacing) if len(spacing) == 2 else _surface_areas(spacing)
    return np.concatenate([sizes, sizes[::-1]])  # inside and outside exchanged, the surface is the same


def _contour_lengths(spacing: Sequence[float]) -> NDArray[np.float64]:
    row, column = spacing
    diagonal = np.hypot(row, column) / 2
    return np.array([0, diagonal, diagonal, column, diagonal, row, 2 * diagonal, diagonal])


def _surface_areas(spacing: Sequence[float]) -> NDArray[np.float64]:
    slices, rows, columns = spacing
    scale = np.array([rows * columns, slices * columns, slices * rows]) / 8
    return np.array([_area(triangles, scale) for triangles in _TRIANGLES.split()])


def _area(triangles: str, scale: NDArray[np.float64]) -> float:
    normals = np.array([[int(eighths) for eighths in normal] for normal in triangles.split("+")])
    return float(np.linalg.norm(normals * scale, axis=1).sum())


_TRIANGLES = """
    0 111 111 220+220 111 202+202 111+111 111+222+400 111 111+111 202+202 111+222+400 220+220 111+222+400
    111+222+400 400+400 111 022+022 111+111 040+111+222 111+111 004+111+222 111+111+111 111+111+222+222 111+111
    022+022+111 111+202+202 022+111+202+333 111+220+220 022+111+220+333 111+111+222+400 111+222+400 111 111+111
    022+022 040+111+222 111+111 111+202+202 022+022+111 022+111+202+333 111+111 111+111+111 004+111+222
    111+111+222+222 111+220+220 111+111+222+400 022+111+220+333 111+222+400 220+220 040+111+222 040+111+222 040+040
    111+220+220 111+202+220+333 040+111+111+222 040+111+222 111+220+220 040+111+111+222 111+202+220+333 040+111+222
    220+220+220+220 111+220+220 111+220+220 220+220 111 111+111 111+111 111+220+220 022+022 004+111+222 022+022+111
    022+111+220+333 111+111 111+111+111 111+202+202 111+111+222+400 040+111+222 111+111+222+222 022+111+202+333
    111+222+400 202+202 004+111+222 111+202+202 111+202+220+333 004+111+222 004+004 004+111+111+222 004+111+222
    111+202+202 004+111+111+222 202+202+202+202 111+202+202 111+202+220+333 004+111+222 111+202+202 202+202 111+111
    111+111+111 022+022+111 040+111+111+222 022+022+111 004+111+111+222 022+022+022+022 022+022+111 111+111+111
    111+111+111+111 004+111+111+222 111+111+111 040+111+111+222 111+111+111 022+022+111 111+111 111+222+400
    111+111+222+222 022+111+202+333 040+111+222 022+111+220+333 004+111+222 022+022+111 022+022 111+111+222+400
    111+111+111 111+202+202 111+111 111+220+220 111+111 111+111 111
"""
"""For each pattern of eight corners whose first lies outside, its triangles, joined by "+": the extent of each along the
three axes (slice, row, column), in eighths of a face of the cell. From surface-distance 0.1 (Apache License 2.0)."""
