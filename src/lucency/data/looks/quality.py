"""The quality of an image: blank, tiny, clipped, blurred, noisy, or a picture of a screen.

What is measured stands in `Quality`; `judge` compares it with limits that were set on real radiographs, ultrasound, MR
and CT (docs/reference/quality.md), so that few sound images are noted. Blur and noise are measured on the image brought
to 256 pixels, which is about what a network sees: so a limit means the same for a large and a small detector.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage
from scipy.ndimage import convolve, label, uniform_filter1d

from lucency.data.grey_levels import luma
from lucency.domain.data_plan import Quality as Settings

BLANK = 0.02
"""An image whose grey levels span less than this share of the scale shows nothing."""
MOST_WHITE = 0.05
"""Share of the exposed field that may be as white as the whitest pixel."""
MOST_BLACK = 0.3
"""Share of the exposed field that may be as black as the blackest pixel; cysts, and air in CT, are."""
MOST_BLUR = 0.61
"""Blur metric of Crete et al.; sound images stay below 0.6."""
MOST_NOISE = 0.04
"""Standard deviation of noise as a share of the image's contrast."""
MOST_FLAT = 0.02
"""Share of the image that may have one and the same colour, neither dark nor white, as toolbars have."""

_LONGEST_SIDE = 256
_NOISE_SIDE = 128
"""Smaller images have anatomy where larger ones have noise."""
_BLOCK = 8


@dataclass(frozen=True)
class Quality:
    """What was measured on one image."""

    smallest_side: int
    """Pixels."""
    contrast: float
    """Span of the grey levels as a share of the scale."""
    white: float
    """Share of the exposed field at the white end."""
    black: float
    """Share of the exposed field at the black end."""
    blur: float
    """Blur metric (Crete et al. 2007), from 0 (sharp) to 1."""
    noise: float
    """Standard deviation as a share of the contrast (Immerkær 1996); 0 for images too small to tell."""
    flat: float
    """Share of the image in even blocks (8 × 8 pixels) of one and the same colour that is neither dark nor white."""


@dataclass(frozen=True)
class Judgement:
    """What follows from the quality of an image."""

    refusal: str
    """Code (E_…), or empty."""
    notes: tuple[str, ...]
    """Codes (N_…)."""


def assess(pixels: NDArray) -> Quality:
    """Measure an image, uint8 or uint16, axes (row, column[, colour])."""
    grey = luma(pixels) if pixels.ndim == 3 else pixels
    low, high = float(grey.min()), float(grey.max())
    span = max(high - low, 1.0)
    small = _reduced((grey - np.float32(low)) / np.float32(span))
    white, black = _clipped(grey, low, high)
    return Quality(
        smallest_side=min(grey.shape),
        contrast=(high - low) / float(np.iinfo(pixels.dtype).max),
        white=white,
        black=black,
        blur=_blur(small),
        noise=_noise(small) if max(grey.shape) >= _NOISE_SIDE else 0.0,
        flat=_flat(pixels, low, span),
    )


def judge(quality: Quality, settings: Settings, modality: str = "") -> Judgement:
    """Compare an image with the limits; what the plan does not refuse is noted.

    CT is never called clipped: bone and air lie outside its windows on purpose.
    """
    if quality.contrast < BLANK:
        return Judgement("E_BLANK", ())
    if quality.smallest_side < settings.smallest_side:
        return Judgement("E_TINY", ())
    found = {
        "screenshot": quality.flat > MOST_FLAT,
        "clipped": modality != "CT" and (quality.white > MOST_WHITE or quality.black > MOST_BLACK),
        "blurred": quality.blur > MOST_BLUR,
        "noisy": quality.noise > MOST_NOISE,
    }
    refused = [name for name, is_found in found.items() if is_found and name in settings.refuse]
    notes = tuple(f"N_{name.upper()}" for name, is_found in found.items() if is_found and name not in refused)
    return Judgement(f"E_{refused[0].upper()}" if refused else "", notes)


def _reduced(grey: NDArray[np.float32]) -> NDArray[np.float32]:
    """Bring an image to 256 pixels on its longer side; smaller ones stay as they are."""
    factor = _LONGEST_SIDE / max(grey.shape)
    if factor >= 1:
        return grey
    rows, columns = (max(1, round(side * factor)) for side in grey.shape)
    picture = PillowImage.fromarray(grey)
    return np.asarray(picture.resize((columns, rows), PillowImage.Resampling.BICUBIC, reducing_gap=3.0))


def _clipped(grey: NDArray, low: float, high: float) -> tuple[float, float]:
    """Return the shares of the exposed field within 1 % of the whitest and of the blackest level.

    Black that reaches the edge of the image is collimation or air, not part of the field.
    """
    margin = 0.01 * (high - low)
    is_white, is_black = grey >= high - margin, grey <= low + margin
    regions, _ = label(is_black)
    at_edge = np.unique(np.concatenate([regions[0], regions[-1], regions[:, 0], regions[:, -1]]))
    is_outside = is_black & np.isin(regions, at_edge)
    n_field = max(1, grey.size - int(is_outside.sum()))
    return float(is_white.sum() / n_field), float((is_black & ~is_outside).sum() / n_field)


def _blur(image: NDArray[np.float32]) -> float:
    """Tell how little changes when an image is blurred once more (Crete, Dolmiere, Ladret & Nicolas, SPIE 6492, 2007)."""
    return max(_blur_along(image, axis) for axis in (0, 1))


def _blur_along(image: NDArray[np.float32], axis: int) -> float:
    changes = np.abs(np.diff(image, axis=axis))
    changes_blurred = np.abs(np.diff(uniform_filter1d(image, 9, axis=axis), axis=axis))
    lost = np.maximum(changes - changes_blurred, 0)
    return float(1 - lost.sum() / max(changes.sum(), 1e-9))


def _noise(image: NDArray[np.float32]) -> float:
    """Estimate the noise by a mask that edges leave at zero (Immerkær, Comput Vis Image Underst 64:300, 1996)."""
    if min(image.shape) < 3:
        return 0.0  # the mask has no place in it
    mask = np.outer((1, -2, 1), (1, -2, 1)).astype(np.float32)
    inner = convolve(image, mask)[1:-1, 1:-1]
    contrast = np.subtract(*np.quantile(image, (0.99, 0.01)))
    return float(np.sqrt(np.pi / 2) / 6 * np.abs(inner).mean() / max(contrast, 1e-6))


def _flat(pixels: NDArray, low: float, span: float) -> float:
    """Return the share of even blocks of one and the same colour, the most frequent one that is not dark or white.

    Compression makes even blocks of many levels in a smooth radiograph; the bars of a window have one.
    """
    n_rows, n_columns = (side // _BLOCK for side in pixels.shape[:2])
    if not n_rows or not n_columns:
        return 0.0
    planes = pixels.reshape(*pixels.shape[:2], -1)[: n_rows * _BLOCK, : n_columns * _BLOCK]
    blocks = planes.reshape(n_rows, _BLOCK, n_columns, _BLOCK, -1)
    darkest, brightest = blocks.min(axis=(1, 3)), blocks.max(axis=(1, 3))
    level = (brightest.astype(np.float32) - low) / span
    is_middle = (level.mean(axis=-1) > 0.25) & (level.mean(axis=-1) < 0.98)
    is_coloured = level.max(axis=-1) - level.min(axis=-1) > 0.25
    colours = brightest[(darkest == brightest).all(axis=-1) & (is_middle | is_coloured)]
    if not len(colours):
        return 0.0
    return float(np.unique(colours, axis=0, return_counts=True)[1].max() / (n_rows * n_columns))
