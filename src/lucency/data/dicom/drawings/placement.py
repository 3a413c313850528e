"""Where one frame of a segmentation lies on the grid of its image."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lucency.data.dicom.geometry import Plane, single_grid

MOST_MISFIT = 0.05
"""By how much of a voxel a frame may miss the grid of its image: headers round."""


@dataclass(frozen=True)
class Place:
    """The voxels that the pixels of a frame lie on."""

    start: tuple[int, int, int]
    """Slice, row and column of the grid at the frame's first pixel."""
    down: tuple[int, int]
    """Axis of the grid along which the frame's rows follow each other, and the direction, +1 or -1."""
    right: tuple[int, int]
    """The same of the frame's columns."""
    n_rows: int
    n_columns: int

    @property
    def through(self) -> int:
        """The axis of the grid that the frame is perpendicular to."""
        return 3 - self.down[0] - self.right[0]

    def lies_within(self, shape: tuple[int, int, int]) -> bool:
        """Tell whether all pixels of the frame have their voxels."""
        return all(0 <= index < n for corner in (self.start, self._end) for index, n in zip(corner, shape, strict=True))

    def view(self, voxels: NDArray) -> NDArray:
        """Return the voxels under the frame, axes (row of the frame, column of the frame), to be written to."""
        index: list[int | slice] = list(self.start)
        for (axis, direction), n in ((self.down, self.n_rows), (self.right, self.n_columns)):
            stop = self.start[axis] + direction * n
            index[axis] = slice(self.start[axis], stop if stop >= 0 else None, direction)
        view = voxels[tuple(index)]
        return view.T if self.down[0] > self.right[0] else view

    @property
    def _end(self) -> tuple[int, ...]:
        end = list(self.start)
        end[self.down[0]] += self.down[1] * (self.n_rows - 1)
        end[self.right[0]] += self.right[1] * (self.n_columns - 1)
        return tuple(end)


def place_of(plane: Plane, n_rows: int, n_columns: int, affine: NDArray[np.float64]) -> Place | None:
    """Return where a frame lies on a grid, by position, directions and spacing; None where its pixels are no voxels.

    The frame may be turned against the grid, and smaller than it.
    """
    to_index = np.linalg.inv(affine) @ single_grid(plane, {}).affine
    first, down, right = to_index[:3, 3], to_index[:3, 1], to_index[:3, 2]
    down_axis, right_axis = int(np.abs(down).argmax()), int(np.abs(right).argmax())
    if down_axis == right_axis:
        return None
    unit = np.eye(3)
    down_sign, right_sign = int(np.sign(down[down_axis])), int(np.sign(right[right_axis]))
    start = np.rint(first)
    misfit = [
        first - start + row * (down - down_sign * unit[down_axis]) + column * (right - right_sign * unit[right_axis])
        for row in (0, n_rows - 1)
        for column in (0, n_columns - 1)
    ]
    if np.abs(misfit).max() > MOST_MISFIT:
        return None
    slice_, row, column = (int(index) for index in start)
    return Place((slice_, row, column), (down_axis, down_sign), (right_axis, right_sign), n_rows, n_columns)


def flat_place(slice_: int, n_rows: int, n_columns: int, row: int = 0, column: int = 0) -> Place:
    """Return the place of a frame whose rows and columns are those of the grid."""
    return Place((slice_, row, column), (1, 1), (2, 1), n_rows, n_columns)
