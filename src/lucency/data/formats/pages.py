"""Ordinary images as volumes: the pages of a TIFF file as slices, any other picture as a single one."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lucency.data.formats.deep_colour import read_deep_colours
from lucency.data.geometry.voxels import MOST_VOXELS, voxels
from lucency.data.reading import (
    N_HEAD,
    RefusedImage,
    eight_bit,
    is_cut_to_eight_bits,
    is_deep_colour,
    open_ordinary,
    ordinary_format,
)
from lucency.domain.volume import Volume


def read_pages(path: Path, number: int, notes: list[str]) -> Volume:  # noqa: ARG001 - every reader is given a number
    """Read all pages of an image file as slices, without any geometry.

    Raises:
        RefusedImage: the pages do not fit together, or the file is damaged.
    """
    content = path.read_bytes()
    image_format = ordinary_format(content[:N_HEAD])
    if image_format is None:
        raise RefusedImage("E_UNREADABLE")
    with open_ordinary(content, image_format) as image:
        n_pages = getattr(image, "n_frames", 1)
        if n_pages > 1 and image_format != "TIFF":
            raise RefusedImage("E_MULTIFRAME")
        if n_pages * image.width * image.height > MOST_VOXELS:
            raise RefusedImage("E_SIZEBOMB")
        if is_deep_colour(image):
            image.load()  # notices a file that ends too early
            pages = list(read_deep_colours(path, notes))
        else:
            pages = [_page(image, number, notes) for number in range(n_pages)]
    if len({(page.shape, page.dtype.kind) for page in pages}) != 1:
        raise RefusedImage("E_MULTIFRAME")
    if len(pages) > 1:
        notes.append("N_NO_GEOMETRY")
    values = np.stack(pages)
    return Volume(values if values.ndim == 4 else voxels(values, notes), affine=None)


def _page(image: Image.Image, number: int, notes: list[str]) -> NDArray[Any]:
    if number:
        image.seek(number)
    notes += ["N_REDUCED_TO_8_BIT"] if is_cut_to_eight_bits(image) else []
    image.load()
    if image.mode[0] in "IF":
        return np.array(image)
    pixels, more = eight_bit(image, "full", colour=True)
    notes += more
    return pixels
