"""Take noise out of an image before it is stored: an optional step, because it takes fine detail away as well."""

from collections.abc import Callable
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import median_filter

Method = Literal["none", "median", "diffusion"]
Plane = NDArray[np.float32]
"""Axes (row, column), from 0 to 1."""

N_STEPS, CONDUCTANCE = 5, 3.0
"""Of the diffusion: more steps smooth more, a higher conductance spares fewer edges."""


def denoise(pixels: NDArray, method: Method) -> NDArray:
    """Return an image, uint8 or uint16, axes (row, column[, colour]), with less noise; of the same type and range."""
    if method == "none":
        return pixels
    white = float(np.iinfo(pixels.dtype).max)
    planes = (pixels.astype(np.float32) / white).reshape(*pixels.shape[:2], -1)
    cleaned = np.stack([FILTERS[method](planes[..., n]) for n in range(planes.shape[-1])], axis=-1)
    levels = np.rint(np.clip(cleaned, planes.min(), planes.max()) * white)
    return levels.astype(pixels.dtype).reshape(pixels.shape)


def _median(plane: Plane) -> Plane:
    """Take the median of 3 × 3 pixels: removes single wrong pixels."""
    return median_filter(plane, 3)


def _diffusion(plane: Plane) -> Plane:
    """Let brightness flow within regions but not across their edges (Perona & Malik 1990; Whitaker & Xue 2001)."""
    import SimpleITK as sitk  # noqa: N813 - its own documentation imports it so

    image = sitk.GetImageFromArray(np.ascontiguousarray(plane))
    flowed = sitk.CurvatureAnisotropicDiffusion(
        image, timeStep=0.0625, conductanceParameter=CONDUCTANCE, numberOfIterations=N_STEPS
    )
    return sitk.GetArrayFromImage(flowed)


FILTERS: dict[str, Callable[[Plane], Plane]] = {"median": _median, "diffusion": _diffusion}
