"""What a self-configuring study has to know of its training part: shapes, spacings, and what the structures hold."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lucency.domain.volume import Volume

_AT_MOST = 100_000
"""Values that are taken from the structures of one volume."""


@dataclass(frozen=True)
class CohortFingerprint:
    """The training part in a few numbers."""

    shapes: NDArray[np.int64]
    """Axes (image, ([slice,] row, column))."""
    spacings_mm: NDArray[np.float64] | None
    """Axes (image, (slice, row, column)); None for pictures, and where a file does not tell."""
    foreground: tuple[float, float] | None
    """0.5th and 99.5th percentile of what the structures hold, a mean over the volumes in Hounsfield units; None where there
    are none, or where other units mix with them."""

    @property
    def n_images(self) -> int:
        """How many images the training part has."""
        return len(self.shapes)


def fingerprint_of_volumes(cases: Iterable[tuple[Volume, NDArray[np.uint8]]]) -> CohortFingerprint:
    """Measure volumes with their label maps, axes (slice, row, column)."""
    shapes, spacings, values = [], [], []
    for volume, labels in cases:
        shapes.append(volume.values.shape)
        spacings.append(volume.spacing_mm)
        inside = volume.values[labels > 0]
        is_told = volume.unit == "HU" and inside.size
        values.append(inside[:: -(-inside.size // _AT_MOST)] if is_told else None)
    known = [value for value in values if value is not None]
    foreground = None
    if len(known) == len(values):
        low, high = np.percentile(np.concatenate(known), (0.5, 99.5))
        foreground = float(low), float(high)
    is_placed = all(spacing is not None for spacing in spacings)
    return CohortFingerprint(np.array(shapes), np.array(spacings) if is_placed else None, foreground)


def fingerprint_of_pictures(n_images: int, shape: tuple[int, int]) -> CohortFingerprint:
    """Return the fingerprint of pictures that all have the plan's size."""
    return CohortFingerprint(np.tile(np.array(shape), (n_images, 1)), None, None)
