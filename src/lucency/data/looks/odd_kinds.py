"""Find the images of a cohort that are of another kind than the rest: an ultrasound among radiographs, for example.

The header tells where it names a modality; other images are compared by their look, and only stand out where the rest
of the cohort looks alike.
"""

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lucency.data.looks.fingerprint import Fingerprint

RARE = 0.1
"""A modality with less than this share of the images that name one is odd."""
FAR = 3.2
"""Root mean square of robust z scores from which on a look is odd; none of 11,658 images of three real cohorts reaches it."""
FEWEST = 100
"""Looks are not judged in smaller cohorts."""

_RADIOGRAPHY = {"CR", "DX", "DR", "RG"}
_SMALLEST_SPREAD = 0.02


def odd_kinds(
    modalities: Sequence[str], shapes: Sequence[tuple[int, int]], fingerprints: Sequence[Fingerprint]
) -> list[int]:
    """Return the places of the images that stand out, given the modality ("" if unknown), size and look of each."""
    kinds = ["radiograph" if modality in _RADIOGRAPHY else modality for modality in modalities]
    counts = Counter(filter(None, kinds))
    rare = {kind for kind, n_images in counts.items() if n_images < RARE * counts.total()}
    unnamed = [place for place, kind in enumerate(kinds) if not kind]
    looks = np.array([_look(shapes[place], fingerprints[place].thumbnail / 255) for place in unnamed])
    strange = [place for place, is_far in zip(unnamed, _is_far(looks), strict=True) if is_far]
    return sorted([place for place, kind in enumerate(kinds) if kind in rare] + strange)


def _is_far(looks: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Tell which looks lie far from the typical one, axes (image, number) in, (image) out."""
    if len(looks) < FEWEST:
        return np.zeros(len(looks), bool)
    from_typical = looks - np.median(looks, axis=0)
    spread = 1.4826 * np.median(np.abs(from_typical), axis=0) + _SMALLEST_SPREAD
    return np.sqrt(((from_typical / spread) ** 2).mean(axis=1)) > FAR


def _look(shape: tuple[int, int], thumbnail: NDArray[np.float64]) -> list[float]:
    """Describe a look in nine numbers: proportions, brightness and where it lies, fine detail, symmetry."""
    down, across = (np.abs(np.diff(thumbnail, axis=axis)).mean() for axis in (0, 1))
    half, quarter = thumbnail.shape[0] // 2, thumbnail.shape[0] // 4
    rim = np.ones_like(thumbnail, bool)
    rim[3:-3, 3:-3] = False
    return [
        float(np.log(shape[1] / shape[0])),
        float(thumbnail.mean()),
        float(thumbnail.std()),
        float(np.log(down + 0.003)),
        float(np.log(across + 0.003)),
        _likeness(thumbnail, thumbnail[:, ::-1]),
        _likeness(thumbnail, thumbnail[::-1]),
        float(thumbnail[quarter:-quarter, quarter:-quarter].mean() - thumbnail[rim].mean()),
        float(thumbnail[:half].mean() - thumbnail[half:].mean()),
    ]


def _likeness(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    spread = a.std() * b.std()
    return float(((a - a.mean()) * (b - b.mean())).mean() / spread) if spread > 0 else 0.0
