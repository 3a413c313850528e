"""Run-length encoding as COCO writes it: lengths of runs down the columns, which begin with background.

The compressed form is a text of 6-bit groups with 5 bits of number each (Lin et al. 2014, the COCO API).
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from lucency.data.reading import RefusedImage


def decode(counts: str | list[int], shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Return the mask, axes (row, column), of runs in either form.

    Raises:
        RefusedImage: the runs do not fill the image exactly.
    """
    n_pixels = shape[0] * shape[1]
    lengths = list(_numbers(counts, n_pixels)) if isinstance(counts, str) else counts
    is_sane = all(type(length) is int and 0 <= length <= n_pixels for length in lengths)
    if not is_sane or sum(lengths) != n_pixels:
        raise RefusedImage("E_BAD_OUTLINE")
    values = np.arange(len(lengths)) % 2 == 1
    return np.ascontiguousarray(np.repeat(values, lengths).reshape(shape[::-1]).T)


def encode(mask: NDArray[np.bool_]) -> str:
    """Write a mask, axes (row, column), as compressed runs."""
    counts = run_lengths(mask)
    before = [0, 0, 0, *counts[1:-2]]  # from the fourth run on, the difference to the one before the last is written
    return "".join(_groups(count - last) for count, last in zip(counts, before, strict=False))


def run_lengths(mask: NDArray[np.bool_]) -> list[int]:
    """Return the lengths of runs down the columns of a mask, axes (row, column), beginning with background."""
    pixels = mask.T.ravel()
    edges = np.flatnonzero(np.diff(pixels, prepend=False))
    return np.diff(edges, prepend=0, append=pixels.size).tolist()


def _numbers(text: str, n_pixels: int) -> Iterator[int]:
    lengths: list[int] = []
    number, shift = 0, 0
    for character in text:
        group = ord(character) - 48
        if not 0 <= group < 64 or shift > 30:
            raise RefusedImage("E_BAD_OUTLINE")
        number |= (group & 31) << shift
        shift += 5
        if group & 32:
            continue
        if group & 16:
            number -= 1 << shift
        number += lengths[-2] if len(lengths) > 2 else 0
        if len(lengths) > 2 * n_pixels:
            raise RefusedImage("E_BAD_OUTLINE")
        lengths.append(number)
        yield number
        number, shift = 0, 0
    if shift:
        raise RefusedImage("E_BAD_OUTLINE")


def _groups(number: int) -> str:
    """Write one number, lowest bits first; bit 6 of a group says that more follow, bit 5 of the last is the sign."""
    text = ""
    while True:
        group = number & 31
        number >>= 5
        is_last = number == (-1 if group & 16 else 0)
        text += chr((group if is_last else group | 32) + 48)
        if is_last:
            return text
