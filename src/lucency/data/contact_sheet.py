"""A contact sheet of what curation refused or noted: small pictures, and which of them to show."""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage

LONGEST_SIDE = 160
"""Pixels."""


def thumbnail(pixels: NDArray) -> NDArray[np.uint8]:
    """Shrink an image, uint8 or uint16, axes (row, column[, colour]), to a picture of up to 160 pixels, same axes.

    Grey levels are kept: a dark image looks dark.
    """
    levels = pixels if pixels.dtype == np.uint8 else (pixels >> 8).astype(np.uint8)
    picture = PillowImage.fromarray(levels)
    picture.thumbnail((LONGEST_SIDE, LONGEST_SIDE), PillowImage.Resampling.LANCZOS)
    return np.asarray(picture)


def choose(codes: Sequence[Sequence[str]], n_each: int = 4) -> list[int]:
    """Return the places of the images to show, given the codes of every image: the first few of each code, in order.

    Every code is seen on at least one picture, however rare it is.
    """
    shown: defaultdict[str, int] = defaultdict(int)
    chosen = []
    for place, of_image in enumerate(codes):
        if any(shown[code] < n_each for code in of_image):
            chosen.append(place)
            for code in of_image:
                shown[code] += 1
    return chosen
