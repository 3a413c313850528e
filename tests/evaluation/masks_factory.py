"""Masks of simple shapes."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def ball(shape: Sequence[int], centre: Sequence[float], radii: Sequence[float]) -> NDArray[np.bool_]:
    """Return an ellipsoid, or an ellipse in two dimensions, cut off at the edge of the image."""
    return sum(((along - at) / radius) ** 2 for along, at, radius in zip(_axes(shape), centre, radii, strict=True)) <= 1


def cross(shape: Sequence[int], centre: Sequence[int], reach: int) -> NDArray[np.bool_]:
    """Return thin lines along all axes: a surface with many corners."""
    apart = [np.abs(along - at) for along, at in zip(_axes(shape), centre, strict=True)]
    n_on_line = sum((distance == 0).astype(int) for distance in apart)
    return (n_on_line >= len(shape) - 1) & (np.maximum.reduce(np.broadcast_arrays(*apart)) <= reach)


def _axes(shape: Sequence[int]) -> list[NDArray[np.int64]]:
    return list(np.ogrid[tuple(slice(n) for n in shape)])
