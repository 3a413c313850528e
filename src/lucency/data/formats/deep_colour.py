"""Colours of 16 bits in PNG and TIFF, which Pillow cuts to 8, read by the Insight Toolkit."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lucency.data.reading import RefusedImage

_READERS = {b"\x89PNG": "PNGImageIO", b"II*\0": "TIFFImageIO", b"MM\0*": "TIFFImageIO"}


def read_deep_colours(path: Path, notes: list[str]) -> NDArray[np.uint16]:
    """Return all pages of a file with colours of 16 bits, axes (page, row, column, colour).

    Raises:
        RefusedImage: the file is of another kind.
        RuntimeError: the file is damaged.
    """
    import SimpleITK

    with path.open("rb") as file:
        reader = _READERS.get(file.read(4))
    if reader is None:
        raise RefusedImage("E_CODEC")
    SimpleITK.ProcessObject.SetGlobalWarningDisplay(False)
    pixels = SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(path), imageIO=reader))
    if pixels.dtype != np.uint16 or pixels.ndim not in (3, 4) or pixels.shape[-1] not in (3, 4):
        raise RefusedImage("E_CODEC")
    pages = pixels if pixels.ndim == 4 else pixels[None]
    return _on_black(pages, notes) if pages.shape[-1] == 4 else pages


def _on_black(pages: NDArray[np.uint16], notes: list[str]) -> NDArray[np.uint16]:
    opacity = pages[..., 3:] / 65535
    if (opacity < 1).any():
        notes.append("N_TRANSPARENT")
    return np.rint(pages[..., :3] * opacity).astype(np.uint16)
