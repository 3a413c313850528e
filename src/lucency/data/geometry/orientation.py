"""Bring a volume into the one orientation that all volumes have, without resampling."""

from dataclasses import dataclass
from itertools import permutations

import numpy as np
from numpy.typing import NDArray

_DOWN_THE_GRID = np.array([[0.0, 0.0, 1.0], [0.0, -1.0, 0.0], [-1.0, 0.0, 0.0]])
"""Where slices, rows and columns should lead, one a row, in RAS: to the head, to the back, to the left."""


@dataclass(frozen=True)
class Turn:
    """How the axes of a stack are turned: first put into another order, then some of them reversed."""

    order: tuple[int, ...]
    """Which axis of the stack becomes the slices, the rows and the columns of the volume."""
    is_reversed: tuple[bool, ...]
    """Whether the slices, the rows and the columns of the volume run against the stack."""

    def forth(self, values: NDArray) -> NDArray:
        """Turn values, axes (slice, row, column[, colour]), without copying them."""
        turned = np.transpose(values, (*self.order, *range(3, values.ndim)))
        return np.flip(turned, self._reversed_axes)

    def back(self, values: NDArray) -> NDArray:
        """Undo `forth`."""
        turned = np.flip(values, self._reversed_axes)
        return np.transpose(turned, (*np.argsort(self.order), *range(3, values.ndim)))

    @property
    def _reversed_axes(self) -> tuple[int, ...]:
        return tuple(axis for axis, is_reversed in enumerate(self.is_reversed) if is_reversed)


NO_TURN = Turn((0, 1, 2), (False, False, False))


def canonical(values: NDArray, affine: NDArray[np.float64]) -> tuple[NDArray, NDArray[np.float64]]:
    """Return values, axes (slice, row, column[, colour]), and affine with the axes turned to the head, back and left.

    Only the order and the direction of axes change: of all, those that come closest.
    """
    turn = turn_of(affine)
    return np.ascontiguousarray(turn.forth(values)), turned_affine(affine, turn, values.shape)


def turn_of(affine: NDArray[np.float64]) -> Turn:
    """Return the turn that brings the axes of a stack closest to head, back and left."""
    directions = affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0)
    agreement = _DOWN_THE_GRID @ directions
    order = max(permutations(range(3)), key=lambda axes: sum(abs(agreement[i, axis]) for i, axis in enumerate(axes)))
    return Turn(order, tuple(bool(agreement[i, axis] < 0) for i, axis in enumerate(order)))


def turned_affine(affine: NDArray[np.float64], turn: Turn, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Return the affine after a turn of a stack of this shape."""
    turned = affine[:, (*turn.order, 3)]
    for i, axis in enumerate(turn.order):
        if turn.is_reversed[i]:
            turned[:3, 3] += turned[:3, i] * (shape[axis] - 1)
            turned[:3, i] *= -1
    return turned + 0.0  # no minus zeros
