"""Bring a volume into the one orientation that all volumes have, without resampling."""

from itertools import permutations

import numpy as np
from numpy.typing import NDArray

_DOWN_THE_GRID = np.array([[0.0, 0.0, 1.0], [0.0, -1.0, 0.0], [-1.0, 0.0, 0.0]])
"""Where slices, rows and columns should lead, one a row, in RAS: to the head, to the back, to the left."""


def canonical(values: NDArray, affine: NDArray[np.float64]) -> tuple[NDArray, NDArray[np.float64]]:
    """Return values, axes (slice, row, column[, colour]), and affine with the axes turned to the head, back and left.

    Only the order and the direction of axes change: of all, those that come closest.
    """
    directions = affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0)
    agreement = _DOWN_THE_GRID @ directions
    order = max(permutations(range(3)), key=lambda axes: sum(abs(agreement[i, axis]) for i, axis in enumerate(axes)))
    if order != (0, 1, 2):
        values = np.transpose(values, (*order, *range(3, values.ndim)))
    turned = affine[:, (*order, 3)]
    for i, axis in enumerate(order):
        if agreement[i, axis] < 0:
            values = np.flip(values, i)
            turned[:3, 3] += turned[:3, i] * (values.shape[i] - 1)
            turned[:3, i] *= -1
    return np.ascontiguousarray(values), turned + 0.0  # no minus zeros
