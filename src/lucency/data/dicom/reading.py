"""Read one DICOM image: parse, check, decode, shade, and take from the header what a study needs."""

from functools import partial
from typing import Any

from numpy.typing import NDArray
from pydicom.dataset import FileDataset
from pydicom.uid import UID

from lucency.data.dicom.facts import facts_of, spacing_mm_of
from lucency.data.dicom.header import PIXELS, integer_of, numbers_of, parse, silence_libraries, text_of
from lucency.data.dicom.pixels import GREY, decode_pixels, layout_of
from lucency.data.dicom.shading import shade, show_colours
from lucency.data.grey_levels import Window
from lucency.data.reading import ImageFile, RefusedImage, aspect_of

NOT_PICTURES = {"SEG", "RTDOSE"}
"""Modalities whose pixels are drawn upon a picture and are none themselves."""


def read_dicom(content: bytes, window: Window, colour: bool) -> ImageFile:
    """Read the bytes of one DICOM file.

    Raises:
        RefusedImage: the file holds no single image that can be shown.
        Exception: anything a parser can raise on a damaged file; `read_image` turns it into a refusal.
    """
    silence_libraries()
    notes: list[str] = []
    header = parse(content, notes)
    _refuse_what_is_no_picture(header)
    layout = layout_of(header)
    stored = decode_pixels(header, layout)
    if stored.ndim == 2 and layout.photometric in GREY:
        pixels = shade(header, layout, stored, window, notes)
    else:
        pixels = show_colours(header, layout, stored, window, colour, notes)
    return _image_file(header, pixels, notes)


def _refuse_what_is_no_picture(header: FileDataset) -> None:
    if text_of(header, "Modality") in NOT_PICTURES:
        raise RefusedImage("E_NOT_IMAGE")
    if not any(keyword in header for keyword in PIXELS):
        # The class in the file meta group comes first, and is therefore whole in a file that was cut.
        sop_class = UID(str(header.file_meta.get("MediaStorageSOPClassUID", "")) or text_of(header, "SOPClassUID"))
        if "Rows" in header or "Image Storage" in sop_class.name:
            raise RefusedImage("E_TRUNCATED")
        raise RefusedImage("E_NOT_IMAGE" if sop_class else "E_UNREADABLE")
    if (integer_of(header, "NumberOfFrames") or 1) > 1:
        raise RefusedImage("E_MULTIFRAME")


def _image_file(header: FileDataset, pixels: NDArray[Any], notes: list[str]) -> ImageFile:
    """Put the pixels together with what the header says about them."""
    spacing_mm = spacing_mm_of(header, notes)
    ratio = numbers_of(header, "PixelAspectRatio", notes)
    row_mm, column_mm = spacing_mm or (ratio if len(ratio) == 2 and min(ratio) > 0 else (1.0, 1.0))
    aspect = aspect_of(row_mm, column_mm)
    if aspect != 1:
        notes.append("N_NOT_SQUARE")
    return ImageFile(
        pixels=pixels,
        facts=facts_of(partial(text_of, header)),
        spacing_mm=spacing_mm,
        aspect=aspect,
        notes=tuple(dict.fromkeys(notes)),
    )
