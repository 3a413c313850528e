"""120 identifiers drawn into pixels: every depth, colour, compression, size and turn, half of them where nobody expects text."""

import io
from dataclasses import dataclass

import numpy as np
from PIL import Image
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.uid import UID, ExplicitVRLittleEndian, JPEG2000Lossless, JPEGBaseline8Bit, RLELossless

from .drawing import draw_word, place_word, soft_tissue
from .folder import Draft, Folder, Picture, set_pixels
from .mint import Token

GROUP = "burned-in"
N_FRAMES, FRAME = 40, 36
"""The only frame with letters is the thirty-seventh."""
HEIGHTS_PX = (8, 10, 12, 16, 20, 24, 32)
DEGREES = (0, 0, 0, 90, 0, 270, 0, 180, 0, 15)


@dataclass(frozen=True)
class Kind:
    """A kind of picture: how its pixels are stored and what it says that it is."""

    modality: str
    photometric: str
    n_bits: int
    is_signed: bool = False
    burned_in: str = ""
    """Value of BurnedInAnnotation, if there is one."""
    syntaxes: tuple[UID, ...] = (ExplicitVRLittleEndian, RLELossless, JPEG2000Lossless)


KINDS = (
    Kind("CT", "MONOCHROME2", 12),
    Kind("SC", "RGB", 8, burned_in="YES"),
    Kind("MR", "MONOCHROME2", 16),
    Kind("US", "YBR_FULL", 8, syntaxes=(ExplicitVRLittleEndian, JPEGBaseline8Bit)),
    Kind("CR", "MONOCHROME1", 12),
    Kind("US", "PALETTE COLOR", 8, syntaxes=(ExplicitVRLittleEndian, RLELossless)),
    Kind("CT", "MONOCHROME2", 16, is_signed=True),
    Kind("US multiframe", "MONOCHROME2", 8, syntaxes=(RLELossless, ExplicitVRLittleEndian)),
    Kind("DX", "MONOCHROME1", 8, syntaxes=(ExplicitVRLittleEndian, JPEGBaseline8Bit, JPEG2000Lossless)),
    Kind("SC", "MONOCHROME2", 8, syntaxes=(ExplicitVRLittleEndian, JPEGBaseline8Bit, RLELossless)),
    Kind("DX", "MONOCHROME2", 12, burned_in="NO"),
    Kind("SC", "RGB", 8, syntaxes=(JPEG2000Lossless, RLELossless, JPEGBaseline8Bit)),
)


def plant_burned_in(folder: Folder) -> None:
    """Draw one word a file."""
    for i in range(120):
        kind = KINDS[i % len(KINDS)]
        height, degrees = HEIGHTS_PX[i % len(HEIGHTS_PX)], DEGREES[i % len(DEGREES)]
        syntax = kind.syntaxes[i // len(KINDS) % len(kind.syntaxes)]
        draft = folder.draft(GROUP, folder.new_person(), modality=kind.modality)
        letters = draw_word(folder.mint.word().upper(), height, degrees)
        n_rows, n_columns = max(64, letters.shape[0] + 24), max(96, letters.shape[1] + 24)
        corner = (6, 8) if i % 2 else (n_rows - letters.shape[0] - 6, n_columns - letters.shape[1] - 8)
        mask = place_word(letters, n_rows, n_columns, *corner)
        _set_picture(draft, kind, mask, seed=i, syntax=syntax)
        if kind.burned_in:
            draft.dataset.BurnedInAnnotation = kind.burned_in
        frame = FRAME if kind.modality == "US multiframe" else 0
        place = f"{kind.modality} {kind.photometric} {kind.n_bits} bit, {syntax.name}, {height} px, {degrees} degrees"
        folder.plant(draft, place, Token(None, ()), picture=Picture("pixels", mask, frame, letter_height_px=height))
        folder.write(draft, syntax)


def _set_picture(draft: Draft, kind: Kind, mask: np.ndarray, seed: int, syntax: UID) -> None:
    """Draw the letters light on dark and store the picture as the kind demands."""
    grey = soft_tissue(*mask.shape, seed)
    grey[mask] = 0.97
    dataset = draft.dataset
    if kind.photometric == "MONOCHROME1":
        grey = 1 - grey
    if kind.modality == "US multiframe":
        blank = [soft_tissue(*mask.shape, seed + frame) for frame in range(N_FRAMES)]
        blank[FRAME] = grey
        set_pixels(dataset, (np.stack(blank) * 255).astype("u1"), 8, kind.photometric)
    elif kind.photometric in ("RGB", "YBR_FULL"):
        store_colour(dataset, grey, kind.photometric)
    elif kind.photometric == "PALETTE COLOR":
        set_pixels(dataset, (grey * 255).astype("u1"), 8, kind.photometric)
        for colour in ("Red", "Green", "Blue"):
            setattr(dataset, f"{colour}PaletteColorLookupTableDescriptor", [256, 0, 16])
            ramp = (np.arange(256) * 257).astype("<u2").tobytes()
            setattr(dataset, f"{colour}PaletteColorLookupTableData", ramp)
    elif kind.is_signed:
        set_pixels(dataset, (grey * 4000 - 1500).astype("<i2"), kind.n_bits, kind.photometric)
    else:
        stored = grey * (2**kind.n_bits - 1)
        set_pixels(dataset, stored.astype("<u2" if kind.n_bits > 8 else "u1"), kind.n_bits, kind.photometric)
    compress(dataset, syntax)


def store_colour(dataset: Dataset, grey: np.ndarray, photometric: str) -> None:
    """Store a picture in three samples, faintly tinted."""
    colour = np.stack([grey, 0.95 * grey, 0.9 * grey], axis=-1)
    stored = (colour * 255).astype("u1")
    if photometric == "YBR_FULL":
        stored = np.asarray(Image.fromarray(stored, "RGB").convert("YCbCr"))
    set_pixels(dataset, stored, 8, photometric)


def compress(dataset: Dataset, syntax: UID) -> None:
    """Compress the pixels of a dataset in place."""
    if syntax == ExplicitVRLittleEndian:
        return
    if syntax != JPEGBaseline8Bit:
        dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        plugin = "pydicom" if syntax == RLELossless else "pylibjpeg"  # gdcm ends the program on some shapes
        dataset.compress(syntax, encoding_plugin=plugin, generate_instance_uid=False)
        return
    shape = (dataset.Rows, dataset.Columns, 3)[: 3 if dataset.SamplesPerPixel == 3 else 2]
    stored = np.frombuffer(dataset.PixelData, "u1")[: int(np.prod(shape))].reshape(shape)
    mode = {"RGB": "RGB", "YBR_FULL": "YCbCr"}.get(dataset.PhotometricInterpretation, "L")
    buffer = io.BytesIO()
    Image.fromarray(stored, mode).save(buffer, "JPEG", quality=95, subsampling=1)
    if mode != "L":
        dataset.PhotometricInterpretation = "YBR_FULL_422"
    dataset.LossyImageCompression = "01"
    dataset.add_new(0x7FE00010, "OB", encapsulate([buffer.getvalue()]))
    dataset["PixelData"].is_undefined_length = True
