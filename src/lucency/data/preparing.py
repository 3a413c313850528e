"""Bring volumes and label maps onto the grid and the grey scale that networks work on, and masks back."""

import numpy as np
from numpy.typing import NDArray

from lucency.data.geometry.regridding import resampled, resampled_labels, resampled_shape
from lucency.data.grey_levels import WHITE, GreyLevels, between, own_range
from lucency.domain.segmentation import GreyScale
from lucency.domain.volume import Volume


def prepared_shape(volume: Volume, spacing_mm: tuple[float, float, float] | None) -> tuple[int, ...]:
    """Return the shape of a volume at a spacing; its own, where either is not known."""
    if spacing_mm is None or volume.spacing_mm is None:
        return volume.values.shape
    return resampled_shape(volume.values.shape, volume.spacing_mm, spacing_mm)


def prepared_volume(
    volume: Volume, scale: GreyScale, spacing_mm: tuple[float, float, float] | None
) -> NDArray[np.uint16]:
    """Return a volume in grey levels of 16 bits at a spacing, axes (channel, slice, row, column) with one channel."""
    levels = resampled(_brightness(volume.values, scale), prepared_shape(volume, spacing_mm))
    return np.rint(levels[None] * WHITE).astype(np.uint16)


def prepared_labels(
    labels: NDArray[np.uint8], volume: Volume, spacing_mm: tuple[float, float, float] | None, n_structures: int
) -> NDArray[np.uint8]:
    """Return the label map of a volume at a spacing."""
    return resampled_labels(labels, prepared_shape(volume, spacing_mm), n_structures)


def _brightness(values: NDArray, scale: GreyScale) -> NDArray[np.float32]:
    """Return grey levels from 0 (black) to 1 (white)."""
    if scale.rule == "between":
        return between(scale.low, scale.high)(values.astype(np.float64)).astype(np.float32)
    flat = values.reshape(len(values), -1)
    levels = GreyLevels.of(flat)
    shading = between(*own_range(levels.values.astype(np.float64), levels.counts()))
    shades = shading(levels.values.astype(np.float64)).astype(np.float32)
    return levels.painted(shades).reshape(values.shape)
