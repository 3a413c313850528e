"""A contact sheet of what curation refused or noted: small pictures, and which of them to show."""

from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage

from lucency.data.reading import RefusedImage
from lucency.data.sources import Candidate
from lucency.domain.cohort import CohortRow

LONGEST_SIDE = 160
"""Pixels."""


LOOKS = ("BLANK", "TINY", "CLIPPED", "BLURRED", "NOISY", "SCREENSHOT", "ODD_MODALITY", "NEAR_DUPLICATE")
"""What the codes that speak of the look of an image end in."""


@dataclass(frozen=True)
class SetAside:
    """One picture of the contact sheet."""

    row: CohortRow
    codes: tuple[str, ...]
    """Why it is shown."""
    picture: NDArray[np.uint8]
    """Axes (row, column[, colour]), up to 160 pixels."""


def contact_sheet(rows: Sequence[CohortRow], candidates: Sequence[Candidate]) -> list[SetAside]:
    """Read a few images of each doubt again, so that a person can see what was refused or noted."""
    codes = [tuple(code for code in (row.reason, *row.notes.split()) if code[2:] in LOOKS) for row in rows]
    read = {candidate.source: candidate.read for candidate in candidates}
    sheet = []
    for place in choose(codes):
        with suppress(RefusedImage, KeyError):  # gone since: the sheet does without
            image = read[rows[place].source]()[max(rows[place].frame - 1, 0)]
            picture = image.pixels[len(image.pixels) // 2] if image.is_volume else image.pixels
            sheet.append(SetAside(rows[place], codes[place], thumbnail(picture)))
    return sheet


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
