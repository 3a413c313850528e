"""60 identifiers in overlays, curves, icons, annotations and presentation states."""

import numpy as np
from pydicom.dataset import Dataset

from .drawing import draw_word, place_word
from .folder import Draft, Folder, Picture, set_pixels
from .mint import Token

GROUP = "graphics"
SIDE_PX = (24, 104)
"""Rows and columns of a picture that holds an overlay."""


def plant_graphics(folder: Folder) -> None:
    """Plant 10 overlays, 15 words beside overlays, 4 in high bits, 6 curves, 10 icons, 15 in presentation states."""
    for i in range(10):
        _write_overlay(folder, group=0x6000 + 2 * i)
    for _ in range(5):
        _write_overlay_words(folder)
    for bit in range(12, 16):
        _write_high_bits(folder, bit)
    for i in range(6):
        _write_curve(folder, group=0x5000 + 2 * i)
    for _ in range(10):
        _write_icon(folder)
    for _ in range(15):
        _write_presentation_state(folder)


def _word(folder: Folder) -> np.ndarray:
    return place_word(draw_word(folder.mint.word().upper(), 10), *SIDE_PX, 4, 4)


def _image(folder: Folder) -> Draft:
    draft = folder.draft(GROUP, folder.new_person())
    pixels = np.random.default_rng(draft.number).integers(0, 4096, SIDE_PX, dtype=np.uint16)
    set_pixels(draft.dataset, pixels, n_bits=12)
    return draft


def _describe_overlay(dataset: Dataset, group: int, n_bits_allocated: int = 1, bit: int = 0) -> None:
    base = group << 16
    dataset.add_new(base | 0x0010, "US", SIDE_PX[0])
    dataset.add_new(base | 0x0011, "US", SIDE_PX[1])
    dataset.add_new(base | 0x0040, "CS", "G")
    dataset.add_new(base | 0x0050, "SS", [1, 1])
    dataset.add_new(base | 0x0100, "US", n_bits_allocated)
    dataset.add_new(base | 0x0102, "US", bit)


def _write_overlay(folder: Folder, group: int) -> None:
    """Draw the token as an overlay plane of its own."""
    draft, mask = _image(folder), _word(folder)
    _describe_overlay(draft.dataset, group)
    packed = np.packbits(mask.ravel(), bitorder="little").tobytes()
    draft.dataset.add_new(group << 16 | 0x3000, "OW", packed + b"\0" * (len(packed) % 2))
    rows = packed[13 * 6 : 13 * 14]  # whole lines of letters, as they lie in the file
    picture = Picture("overlay", mask, overlay_group=group)
    folder.plant(draft, f"({group:04X},3000) overlay plane", Token(None, (rows,)), picture=picture)
    folder.write(draft)


def _write_overlay_words(folder: Folder) -> None:
    """Write tokens to the label, the description and the comments of an overlay."""
    draft = _image(folder)
    _describe_overlay(draft.dataset, 0x6000)
    draft.dataset.add_new(0x60003000, "OW", bytes(SIDE_PX[0] * SIDE_PX[1] // 8))
    for tag, vr in ((0x60000022, "LO"), (0x60001500, "LO"), (0x60004000, "LT")):
        folder.put(draft, tag, vr)
    folder.write(draft)


def _write_high_bits(folder: Folder, bit: int) -> None:
    """Draw the token into a bit of each pixel that the image itself does not use."""
    draft, mask = _image(folder), _word(folder)
    _describe_overlay(draft.dataset, 0x6000, n_bits_allocated=16, bit=bit)
    pixels = np.frombuffer(draft.dataset.PixelData, "<u2").reshape(SIDE_PX)
    draft.dataset.PixelData = (pixels | mask.astype("<u2") << bit).astype("<u2").tobytes()
    picture = Picture("high bits", mask, overlay_group=0x6000)
    folder.plant(draft, f"overlay in bit {bit} of the pixels", Token(None, ()), picture=picture)
    folder.write(draft)


def _write_curve(folder: Folder, group: int) -> None:
    """Write a retired curve: its data with a token in them."""
    draft = _image(folder)
    dataset, base = draft.dataset, group << 16
    dataset.add_new(base | 0x0005, "US", 1)
    dataset.add_new(base | 0x0010, "US", 6)
    dataset.add_new(base | 0x0020, "CS", "TAC")
    dataset.add_new(base | 0x0103, "US", 0)
    if group % 4:
        folder.put(draft, base | 0x3000, "OB")
    else:
        folder.put(draft, base | 0x2500, "LO")
    folder.write(draft)


def _write_icon(folder: Folder) -> None:
    """Draw the token into the thumbnail."""
    draft, mask = _image(folder), _word(folder)
    icon = Dataset()
    pixels = np.where(mask, 250, np.random.default_rng(draft.number).integers(0, 60, SIDE_PX)).astype("u1")
    set_pixels(icon, pixels, n_bits=8)
    draft.dataset.IconImageSequence = [icon]
    line = pixels[8].tobytes()
    folder.plant(draft, "(0088,0200) icon", Token(None, (line,)), picture=Picture("icon", mask))
    folder.write(draft)


def _write_presentation_state(folder: Folder) -> None:
    """Write a presentation state with one token in it: in a text on the image, a layer's or its own description."""
    draft = folder.draft(GROUP, folder.new_person(), modality="PR")
    dataset = draft.dataset
    dataset.ContentLabel, dataset.ContentDescription = "MARKS", None
    text = Dataset()
    text.BoundingBoxAnnotationUnits, text.AnchorPointVisibility = "PIXEL", "N"
    text.AnchorPoint, text.AnchorPointAnnotationUnits = [4, 4], "PIXEL"
    annotation = Dataset()
    annotation.GraphicLayer, annotation.TextObjectSequence = "LAYER1", [text]
    layer = Dataset()
    layer.GraphicLayer, layer.GraphicLayerOrder = "LAYER1", 1
    dataset.GraphicAnnotationSequence, dataset.GraphicLayerSequence = [annotation], [layer]
    places = (
        (text, 0x00700006, "ST"),
        (layer, 0x00700068, "LO"),
        (dataset, 0x00700081, "LO"),
        (dataset, 0x00700084, "PN"),
        (text, 0x00700006, "ST"),
    )
    text.UnformattedTextValue = "mark"
    into, tag, vr = places[draft.number % len(places)]
    folder.put(draft, tag, vr, into=into, depth=0 if into is dataset else 1 + (into is text))
    folder.write(draft)
