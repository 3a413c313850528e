"""Masks as pictures: PNG, TIFF, BMP and GIF of one bit, grey levels, labels, palettes or colours; JPEG only with a threshold."""

import io
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageSequence

from lucency.data.ground_truth.drawings.levels import labelled, structures_in
from lucency.data.ground_truth.drawings.marks import Legend, Marks
from lucency.data.reading import MOST_BYTES, MOST_PIXELS, RefusedImage, ignore_warnings_of
from lucency.domain.masks import ImageGrid, Mask
from lucency.provenance import write_atomically

SUFFIXES = (".png", ".tif", ".tiff", ".bmp", ".gif", ".jpg", ".jpeg", ".jpe")
_FORMATS = ("PNG", "TIFF", "BMP", "GIF", "JPEG")
_WHITE_OF_16_BITS = 65535


def read_picture(path: Path, grid: ImageGrid, legend: Legend) -> Marks:
    """Read a mask of one page, or of one for each slice; its size has to be that of the image.

    Raises:
        RefusedImage: size, place or levels do not fit, or the file is damaged.
    """
    if grid.shape[0] > 1 and grid.affine is not None:
        raise RefusedImage("E_MASK_PLACE")  # pages do not tell which way the slices run
    pages, image_format = _pages(path, grid)
    notes: list[str] = ["N_MASK_UNPLACED"] if grid.shape[0] > 1 else []
    if image_format == "JPEG":
        if legend.threshold is None:
            raise RefusedImage("E_MASK_LOSSY")
        levels = np.stack([np.asarray(page.convert("L")) for page in pages])
        notes.append("N_MASK_THRESHOLD")
        return Marks((Mask(legend.finding, levels >= legend.threshold * 255),), notes=tuple(notes))
    layers = [_levels_of(page, legend) for page in pages]
    levels = np.stack([layer for layer, _ in layers])
    if any(is_colour for _, is_colour in layers):
        return Marks(tuple(_in_colours(levels, legend)), notes=tuple(notes))
    white = _WHITE_OF_16_BITS if levels.dtype.itemsize > 1 and levels.max(initial=0) > 255 else 255
    return Marks(tuple(structures_in(levels, legend, white, notes)), notes=tuple(notes))


def write_picture(path: Path, labels: NDArray) -> None:
    """Write a mask, axes (row, column), losslessly as PNG: bool as 0 and 255, labels as they are.

    Raises:
        StorageError: the folder cannot be written.
    """
    levels = labels.astype(np.uint8) * 255 if labels.dtype == bool else labels.astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(levels).save(buffer, "PNG", optimize=True)
    write_atomically(path, buffer.getvalue())


def _pages(path: Path, grid: ImageGrid) -> tuple[list[Image.Image], str]:
    """Decode a file once its claims are known to fit the image."""
    ignore_warnings_of("PIL")
    n_bytes = path.stat().st_size
    if n_bytes == 0:
        raise RefusedImage("E_EMPTY_FILE")
    if n_bytes > MOST_BYTES:
        raise RefusedImage("E_SIZEBOMB")
    content = path.read_bytes()
    try:
        with Image.open(io.BytesIO(content), formats=_FORMATS) as image:
            if image.width * image.height > MOST_PIXELS:
                raise RefusedImage("E_SIZEBOMB")
            if getattr(image, "n_frames", 1) != grid.shape[0] or (image.height, image.width) != grid.shape[1:]:
                raise RefusedImage("E_MASK_SIZE")
            return [page.copy() for page in ImageSequence.Iterator(image)], str(image.format)
    except Image.DecompressionBombError:
        raise RefusedImage("E_SIZEBOMB") from None
    except Image.UnidentifiedImageError:
        raise RefusedImage("E_UNREADABLE") from None
    except (OSError, SyntaxError, EOFError) as error:
        raise RefusedImage("E_TRUNCATED" if "truncated" in str(error) else "E_UNREADABLE") from None


def _levels_of(page: Image.Image, legend: Legend) -> tuple[NDArray, bool]:
    """Return the levels of a page, axes (row, column), and whether they are colours, written as 0xRRGGBB."""
    by_colour = any(key.startswith("#") for key in legend.names)
    opacity = _opacity(page)
    if page.mode in ("P", "PA") and not by_colour and _index_is_label(page, legend):
        return np.where(opacity > 0, np.asarray(page.getchannel("P") if page.mode == "PA" else page), 0), False
    if page.mode == "1":
        return np.asarray(page).astype(np.uint8), False
    if page.mode[0] in "IF":
        return np.asarray(page), False
    colours = np.asarray(page.convert("RGB"))
    if opacity.max(initial=0) > 0 and (opacity < 255).any() and not colours[opacity > 0].any():
        return opacity, False  # all is black: the shape lies in what can be seen through
    colours = np.where(opacity[..., None] > 0, colours, 0)
    if ((opacity > 0) & (opacity < 255)).any():
        raise RefusedImage("E_MASK_VALUES")
    if not by_colour and (colours == colours[..., :1]).all():
        return colours[..., 0], False
    return colours.astype(np.int64) @ np.array([0x10000, 0x100, 1]), True


def _opacity(page: Image.Image) -> NDArray[np.uint8]:
    if not page.has_transparency_data:
        return np.full((page.height, page.width), 255, np.uint8)
    return np.asarray(page.convert("RGBA").getchannel("A"))


def _index_is_label(page: Image.Image, legend: Legend) -> bool:
    """Tell a palette that colours labels, in which 0 is black, from one that only saves room."""
    palette = page.getpalette("RGB") or [0, 0, 0]
    return bool(legend.names) or not any(palette[:3])


def _in_colours(levels: NDArray, legend: Legend) -> list[Mask]:
    """Return one mask for each named colour, or the only one that there is beside black."""
    names = {float(int(key[1:], 16)): name for key, name in legend.names.items() if key.startswith("#")}
    if names:
        return labelled(levels, names)
    if np.unique(levels[levels != 0]).size > 1:
        raise RefusedImage("E_MASK_VALUES")
    return [Mask(legend.finding, levels != 0)]
