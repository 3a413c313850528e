"""A volume: values on a grid, and where the grid lies in the patient."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Volume:
    """One volume, a stack of slices, or a single image as a stack of one."""

    values: NDArray
    """After rescale: Hounsfield units on CT; axes (slice, row, column) or (slice, row, column, colour as RGB).

    Slices run from the feet to the head, rows from front to back, columns from the patient's right to the left, as far
    as the grid allows without resampling; without geometry, everything stands as it was stored.
    """
    affine: NDArray[np.float64] | None
    """4×4, from the index (slice, row, column, 1) to millimetres, RAS+ as in NIfTI: x grows towards the patient's right,
    y to the front, z to the head. None where the file does not tell."""
    unit: str = ""
    """"HU" for CT, else empty."""

    @property
    def spacing_mm(self) -> tuple[float, float, float] | None:
        """Distance between the centres of slices, of rows and of columns in millimetres."""
        if self.affine is None:
            return None
        slice_mm, row_mm, column_mm = (float(mm) for mm in np.linalg.norm(self.affine[:3, :3], axis=0))
        return slice_mm, row_mm, column_mm
