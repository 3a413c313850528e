"""Hold the values of a volume in one of two types: int16 where it holds them exactly, else float32."""

import numpy as np
from numpy.typing import NDArray

MOST_VOXELS = 2**29
"""Larger volumes are refused before memory is taken for them; 2,000 slices of 512² have 524 million."""

_INT16 = np.iinfo(np.int16)
_LARGEST = np.finfo(np.float32).max
LARGEST_EXACT = 2**24
"""Whole numbers up to here are exact in float32."""


def fits_int16(low: float, high: float) -> bool:
    """Tell whether whole numbers from `low` to `high` fit into int16."""
    return bool(_INT16.min <= low and high <= _INT16.max)


def voxels(values: NDArray, notes: list[str]) -> NDArray:
    """Return numbers of any type as int16 or float32; what is no number becomes the lowest value."""
    if values.dtype == np.int16 and values.dtype.isnative:
        return values.astype(np.int16, copy=False)
    if values.dtype.kind in "iub":
        low, high = int(values.min()), int(values.max())
        if fits_int16(low, high):
            return values.astype(np.int16)
        if max(-low, high) > LARGEST_EXACT:
            notes.append("N_ROUNDED")
        return values.astype(np.float32)
    is_finite = np.abs(values) <= _LARGEST  # False for what is no number
    if not is_finite.all():
        notes.append("N_NOT_FINITE")
        values = np.where(is_finite, values, values[is_finite].min() if is_finite.any() else 0)
    is_exact = fits_int16(values.min(), values.max()) and bool((values == np.rint(values)).all())
    return values.astype(np.int16 if is_exact else np.float32)
