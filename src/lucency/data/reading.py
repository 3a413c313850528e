"""Read one image file, ordinary or DICOM, into pixels that can be looked at."""

import contextlib
import io
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from lucency.data.codes import REFUSALS
from lucency.data.facts import NO_FACTS, ImageFacts
from lucency.data.grey_levels import (
    WHITE,
    GreyLevels,
    Window,
    as_uint16,
    between,
    is_colourless,
    luma,
    own_range,
    window_linear,
)
from lucency.domain.volume import Volume

MOST_PIXELS = 100_000_000
"""Larger images are refused before memory is taken for them; a mammogram has 14 million."""

MOST_BYTES = 2**30
"""Larger files hold no single image of up to `MOST_PIXELS`, or hold it beside much else."""

_SUFFIXES = {".dcm", ".dicom", ".ima", ".jpg", ".jpeg", ".jpe", ".png", ".tif", ".tiff"}
_ORDINARY = {b"\xff\xd8\xff": "JPEG", b"\x89PNG\r\n\x1a\n": "PNG", b"II*\0": "TIFF", b"MM\0*": "TIFF", b"II+\0": "TIFF"}
_END_MARKS = {"JPEG": b"\xff\xd9", "PNG": b"IEND"}
N_HEAD = 132
"""Bytes at the beginning of a file that tell what it is."""
_MIN_IS_WHITE, _PHOTOMETRIC_TAG, _ORIENTATION_TAG = 0, 262, 274


@dataclass(frozen=True)
class ImageFile:
    """One readable file: its pixels, and what it says about them."""

    pixels: NDArray[Any]
    """uint8 or uint16 over its full range, axes (row, column), (row, column, colour) or, of a volume, (slice, row,
    column); 0 is black, bone is bright."""
    facts: ImageFacts = NO_FACTS
    is_volume: bool = False
    """True when the first axis of the pixels counts slices."""
    frame: int = 0
    """Number of the frame or page in a file that holds several, from 1."""
    spacing_mm: tuple[float, ...] | None = None
    """Distance between rows and between columns in millimetres; of a volume, that between slices first."""
    aspect: float = 1.0
    """Distance between rows over that between columns; 1 where the file does not tell."""
    notes: tuple[str, ...] = ()
    """Codes of what was repaired or should be known, from `codes.NOTES`."""
    volume: Volume | None = None
    """What the pixels of a volume show: its own values, with dense structures high."""


@dataclass(frozen=True)
class VolumeFile:
    """One volume as it was read, from one file or from many, and what they say about it."""

    volume: Volume
    facts: ImageFacts = NO_FACTS
    notes: tuple[str, ...] = ()
    """Codes of what was repaired or should be known, from `codes.NOTES`."""


def aspect_of(row_mm: float, column_mm: float) -> float:
    """Return the distance between rows over that between columns; 1 where they differ by no more than 1 %."""
    return row_mm / column_mm if abs(row_mm / column_mm - 1) > 0.01 else 1.0


class RefusedImage(Exception):  # noqa: N818 - a refused image is an outcome of curation, not a failure
    """A file that cannot be used, with the code of the reason; it says nothing about the patient."""

    def __init__(self, code: str) -> None:
        super().__init__(f"{code}: {REFUSALS[code]}")
        self.code = code


def is_candidate(path: Path) -> bool:
    """Tell whether a file should be read as an image: by its suffix, else by how it begins (suffix-less DICOM)."""
    # Hidden files are the droppings of file managers ("._IM0001.dcm"), a DICOMDIR is only a list of files.
    if path.name.startswith(".") or path.name.upper() == "DICOMDIR" or not path.is_file():
        return False
    if path.suffix.lower() in _SUFFIXES:
        return True
    try:
        with path.open("rb") as file:
            head = file.read(N_HEAD)
    except OSError:
        return False
    return is_dicom(head) or ordinary_format(head) is not None


def read_image(path: Path, window: Window = "auto", colour: bool = False) -> ImageFile:
    """Read one file once and return pixels ready for display; grey images stay (row, column) even with `colour`.

    A window in numbers is (centre, width) in the units of the file after rescale, for example Hounsfield units.

    Raises:
        RefusedImage: and nothing else, whatever the file holds.
    """
    try:
        return _read(path, window, colour)
    except RefusedImage:
        raise
    except MemoryError:
        raise RefusedImage("E_SIZEBOMB") from None
    except Exception:  # decoders raise anything on damaged files; the file is refused, and the study goes on
        raise RefusedImage("E_UNREADABLE") from None


def _read(path: Path, window: Window, colour: bool) -> ImageFile:
    n_bytes = path.stat().st_size
    if n_bytes == 0:
        raise RefusedImage("E_EMPTY_FILE")
    if n_bytes > MOST_BYTES:
        raise RefusedImage("E_SIZEBOMB")
    content = path.read_bytes()
    head = content[:N_HEAD]
    if is_dicom(head):
        # pydicom takes a second to import, which a folder of PNG files should not pay for.
        from lucency.data.dicom.reading import read_dicom

        return read_dicom(content, window, colour)
    image_format = ordinary_format(head)
    if image_format is None:
        raise RefusedImage("E_UNREADABLE")
    return _read_ordinary(path, content, image_format, window, colour)


def ordinary_format(head: bytes) -> str | None:
    """Recognise JPEG, PNG and TIFF by their first bytes."""
    return next((name for signature, name in _ORDINARY.items() if head.startswith(signature)), None)


def is_dicom(head: bytes) -> bool:
    """Recognise DICOM by its magic word, or, without preamble, by a first element of group 0002 or 0008."""
    if head[128:132] == b"DICM":
        return True
    if len(head) < 8 or head[:2] not in (b"\x02\0", b"\x08\0", b"\0\x08"):
        return False
    explicit, implicit = head[4:6].isalpha() and head[4:6].isupper(), head[6:8] == b"\0\0"
    return explicit or implicit


def ignore_warnings_of(package: str) -> None:
    """Keep a package's warnings from the terminal, in all threads.

    `warnings.catch_warnings` swaps the list of filters of the whole process and so loses or revives filters when
    threads overlap; one filter for the modules of one package, added once and left in place, is safe.
    """
    quiet = ("ignore", None, Warning, re.compile(rf"{package}(\.|$)"), 0)
    if quiet not in warnings.filters:
        warnings.filterwarnings("ignore", module=rf"{package}(\.|$)")


def _read_ordinary(path: Path, content: bytes, image_format: str, window: Window, colour: bool) -> ImageFile:
    """Read a JPEG, PNG or TIFF file of one page."""
    with open_ordinary(content, image_format) as image:
        if getattr(image, "n_frames", 1) > 1:
            raise RefusedImage("E_MULTIFRAME")
        notes = ["N_REDUCED_TO_8_BIT"] if is_cut_to_eight_bits(image) else []
        has_deep_colours = is_deep_colour(image)  # Pillow forgets it when it loads the pixels
        image.load()
        if has_deep_colours:
            return ImageFile(_deep_colour(path, image, window, colour, notes), notes=tuple(notes))
        upright = _upright(image, notes)
        is_deep = upright.mode[0] in "IF"
        pixels, more_notes = _deep_grey(upright, window) if is_deep else eight_bit(upright, window, colour)
    return ImageFile(pixels, notes=(*notes, *more_notes))


@contextlib.contextmanager
def open_ordinary(content: bytes, image_format: str) -> Iterator[Image.Image]:
    """Open a JPEG, PNG or TIFF file; what goes wrong with it becomes a refusal."""
    ignore_warnings_of("PIL")
    try:
        image: Image.Image = Image.open(io.BytesIO(content), formats=(image_format,))
        if image.width * image.height > MOST_PIXELS:
            raise RefusedImage("E_SIZEBOMB")
        yield image
    except Image.DecompressionBombError:
        raise RefusedImage("E_SIZEBOMB") from None
    except (OSError, SyntaxError, EOFError) as error:
        raise RefusedImage("E_TRUNCATED" if _is_cut(content, image_format, error) else "E_UNREADABLE") from None


def _upright(image: Image.Image, notes: list[str]) -> Image.Image:
    if image.getexif().get(_ORIENTATION_TAG, 1) == 1:
        return image
    notes.append("N_ORIENTATION")
    return ImageOps.exif_transpose(image)


def _is_cut(content: bytes, image_format: str, error: Exception) -> bool:
    """Tell a file that ends too early from one that is damaged."""
    end = _END_MARKS.get(image_format)
    return "truncated" in str(error) or (end is not None and end not in content[-64:])


def is_deep_colour(image: Image.Image) -> bool:
    """Tell whether an image has colours of 16 bits, which Pillow would cut to 8."""
    return image.mode in ("RGB", "RGBA") and ";16" in str(getattr(image, "tile", ""))


def is_cut_to_eight_bits(image: Image.Image) -> bool:
    """Tell whether Pillow will cut an image of 16 bits that nothing else here reads either."""
    is_deep = image.mode[0] not in "IF" and ";16" in str(getattr(image, "tile", ""))
    return is_deep and not is_deep_colour(image)


def _deep_colour(path: Path, image: Image.Image, window: Window, colour: bool, notes: list[str]) -> NDArray[Any]:
    """Read colours of 16 bits with all their depth."""
    from lucency.data.formats.deep_colour import read_deep_colours

    pixels = read_deep_colours(path, notes)[0]
    if image.getexif().get(_ORIENTATION_TAG, 1) != 1:
        raise RefusedImage("E_CODEC")  # no camera writes this, and turning it wrongly would be worse
    if isinstance(window, tuple):
        notes.append("N_COLOUR_NO_WINDOW")
    if colour:
        return pixels
    if is_colourless(pixels):
        return pixels[..., 0].copy()
    notes.append("N_COLOUR_TO_GREY")
    return luma(pixels)


def _deep_grey(image: Image.Image, window: Window) -> tuple[NDArray[np.uint16], list[str]]:
    """Window a grey image of more than 8 bits."""
    stored = np.asarray(image)
    is_inverted = getattr(image, "tag_v2", {}).get(_PHOTOMETRIC_TAG) == _MIN_IS_WHITE
    notes = ["N_MONOCHROME1"] if is_inverted else []
    if window == "full" and stored.dtype.itemsize == 2:
        pixels = stored.astype(np.uint16)
        return (WHITE - pixels if is_inverted else pixels), notes
    levels = GreyLevels.of(stored)
    values = levels.values.astype(np.float64)
    if isinstance(window, tuple):
        brightness = window_linear(values, *window)
    elif window == "full":
        finite = values[np.isfinite(values)]
        brightness = between(finite.min(initial=np.inf), finite.max(initial=-np.inf))(values)
    else:
        brightness = between(*own_range(values, levels.counts()))(values)
        notes.append("N_NO_WINDOW")
    brightness = 1 - brightness if is_inverted else brightness
    return levels.painted(as_uint16(np.nan_to_num(brightness))), notes


def eight_bit(image: Image.Image, window: Window, colour: bool) -> tuple[NDArray[Any], list[str]]:
    """Take the pixels of an 8-bit image as they are, except for a window given in numbers."""
    notes = ["N_PALETTE"] if image.mode in ("P", "PA") else []
    if image.has_transparency_data:
        image, is_seen_through = _on_black(image)
        notes += ["N_TRANSPARENT"] if is_seen_through else []
    if image.mode in ("1", "L"):
        pixels = np.asarray(image.convert("L"))
        return (_windowed(pixels, *window) if isinstance(window, tuple) else pixels), notes
    if isinstance(window, tuple):
        notes.append("N_COLOUR_NO_WINDOW")
    pixels = np.asarray(image.convert("RGB"))
    if colour:
        return pixels, notes
    return (pixels[..., 0].copy(), notes) if is_colourless(pixels) else (luma(pixels), [*notes, "N_COLOUR_TO_GREY"])


def _on_black(image: Image.Image) -> tuple[Image.Image, bool]:
    """Lay a transparent image on black, and tell whether any of it was transparent."""
    is_grey = image.mode in ("1", "L", "LA", "La")
    image = image.convert("RGBA")
    is_seen_through = bool((np.asarray(image.getchannel("A")) < 255).any())
    on_black = Image.alpha_composite(Image.new("RGBA", image.size, (0, 0, 0, 255)), image)
    return on_black.convert("L" if is_grey else "RGB"), is_seen_through


def _windowed(pixels: NDArray[np.uint8], centre: float, width: float) -> NDArray[np.uint16]:
    levels = GreyLevels.of(pixels)
    return levels.painted(as_uint16(window_linear(levels.values.astype(np.float64), centre, width)))
