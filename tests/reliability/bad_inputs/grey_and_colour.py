"""From stored numbers to values: rescale, padding, look-up tables, photometric interpretation, window."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset

from .case import Expected, case
from .phantom import AXIAL, CR, MR, SHAPE, Person, Truth, ct_series, hounsfield, image, save, set_pixels

GROUP = "photometric, rescale, window"
HU = hounsfield(3)
TRUTH = Truth(HU, AXIAL.affine)
NO_RESCALE = frozenset({"E_NORESCALE_CT", "E_BAD_HEADER"})


def _changed(folder: Path, person: Person, change: Callable[[Dataset], None]) -> tuple[str, ...]:
    headers = ct_series(person, HU)
    for header in headers:
        change(header)
    return tuple(save(folder, headers))


def rescale_of_its_own(folder: Path, person: Person) -> list[Expected]:
    """Each slice has its own slope and intercept, as PET and some CT have."""
    headers, values = ct_series(person, HU), []
    for k, header in enumerate(headers):
        stored = np.frombuffer(header.PixelData, "<i2").reshape(SHAPE[1:])
        header.RescaleSlope, header.RescaleIntercept = str(1 + k / 4), str(-1000 - 10 * k)
        values.append(stored * (1 + k / 4) - 1000 - 10 * k)
    return [Expected(tuple(save(folder, headers)), Truth(np.stack(values), AXIAL.affine))]


def fractional_slope(folder: Path, person: Person) -> list[Expected]:
    """The slope is a fraction: whole numbers would lose the values."""

    def change(header):
        header.RescaleSlope, header.RescaleIntercept = "0.0125", "-3.5"

    names = _changed(folder, person, change)
    return [Expected(names, Truth((HU + 1024.0) * 0.0125 - 3.5, AXIAL.affine, tolerance=0.005))]


def ct_without_rescale(folder: Path, person: Person) -> list[Expected]:
    """A CT without slope and intercept: nobody knows its Hounsfield units."""

    def change(header):
        del header.RescaleSlope, header.RescaleIntercept, header.RescaleType

    return [Expected(_changed(folder, person, change), codes=NO_RESCALE)]


def slope_of_zero(folder: Path, person: Person) -> list[Expected]:
    """The slope is zero: every value would be the intercept."""

    def change(header):
        header.RescaleSlope = "0"

    return [Expected(_changed(folder, person, change), codes=NO_RESCALE)]


def mr_without_rescale(folder: Path, person: Person) -> list[Expected]:
    """An MR without slope and intercept is legal; its values have no unit."""

    def change(header):
        header.SOPClassUID, header.Modality = MR, "MR"
        del header.RescaleSlope, header.RescaleIntercept, header.RescaleType

    return [Expected(_changed(folder, person, change), Truth(HU + 1024, AXIAL.affine, unit=""))]


def ct_to_be_shown_inverted(folder: Path, person: Person) -> list[Expected]:
    """A CT is to be shown white on black (MONOCHROME1), which changes the display and not the Hounsfield units."""

    def change(header):
        header.PhotometricInterpretation = "MONOCHROME1"

    return [Expected(_changed(folder, person, change), TRUTH)]


def radiograph_with_dark_bone(folder: Path, person: Person) -> list[Expected]:
    """A radiograph stores bone dark (MONOCHROME1): its values may stay or be inverted, but a note must tell."""
    stored = np.random.default_rng(31).integers(0, 4096, SHAPE[1:]).astype(np.uint16)
    header = image(person, stored, SOPClassUID=CR, Modality="CR", ImagerPixelSpacing=[0.2, 0.2])
    set_pixels(header, stored, 12)
    header.PhotometricInterpretation = "MONOCHROME1"
    stays, inverted = (Truth(values[np.newaxis], None, unit="") for values in (stored, 4095 - stored.astype(int)))
    names = save(folder, [header], "cr")
    return [Expected(tuple(names), stays, other_truth=inverted, notes=frozenset({"N_MONOCHROME1"}))]


def padding_around_the_field_of_view(folder: Path, person: Person) -> list[Expected]:
    """The corners outside the field of view hold the padding value −2000, which is no tissue."""
    i, j = np.meshgrid(np.arange(SHAPE[1]) - 7.5, np.arange(SHAPE[2]) - 11.5, indexing="ij")
    is_outside = (i / 8) ** 2 + (j / 12) ** 2 > 1
    headers = ct_series(person, HU)
    for header in headers:
        stored = np.frombuffer(header.PixelData, "<i2").reshape(SHAPE[1:]).copy()
        stored[is_outside] = -2000
        header.PixelData = stored.tobytes()
        header.PixelPaddingValue = -2000
        header["PixelPaddingValue"].VR = "SS"
    values = HU.astype(np.float64)
    values[:, is_outside] = np.nan
    return [Expected(tuple(save(folder, headers)), Truth(values, AXIAL.affine))]


def modality_table(folder: Path, person: Person) -> list[Expected]:
    """A radiograph has a look-up table in the place of slope and intercept."""
    stored = np.random.default_rng(32).integers(0, 4096, SHAPE[1:]).astype(np.uint16)
    table = np.rint(65000 * (np.arange(4096) / 4095) ** 2).astype("<u2")
    header = image(person, stored, SOPClassUID=CR, Modality="CR", ImagerPixelSpacing=[0.2, 0.2])
    set_pixels(header, stored, 12)
    item = Dataset()
    item.LUTDescriptor, item.ModalityLUTType, item.LUTData = [4096, 0, 16], "OD", table.tobytes()
    item["LUTDescriptor"].VR, item["LUTData"].VR = "US", "OW"
    header.ModalityLUTSequence = [item]
    truth = Truth(table[stored][np.newaxis], None, unit="")
    return [Expected(tuple(save(folder, [header], "cr")), truth)]


def windows_of_all_kinds(folder: Path, person: Person) -> list[Expected]:
    """Several windows, one of no width, and a VOI table: they are for the screen and change no Hounsfield unit."""
    item = Dataset()
    item.LUTDescriptor, item.LUTData = [256, 0, 8], bytes(range(255, -1, -1))
    item["LUTDescriptor"].VR, item["LUTData"].VR = "US", "OW"

    def change(header):
        header.WindowCenter, header.WindowWidth = [40, -600, 300], [0, 1500, 2000]
        header.VOILUTSequence = [item]

    return [Expected(_changed(folder, person, change), TRUTH)]


COLOURS = np.random.default_rng(33).integers(0, 256, (*SHAPE[1:], 3)).astype(np.uint8)
COLOUR_TRUTH = Truth(COLOURS[np.newaxis], None, unit="", tolerance=0)


def colour_by_pixel(folder: Path, person: Person) -> list[Expected]:
    """A screen in colour, red, green and blue of a pixel side by side."""
    return [Expected(tuple(save(folder, [image(person, COLOURS)], "screen")), COLOUR_TRUTH)]


def colour_by_plane(folder: Path, person: Person) -> list[Expected]:
    """A screen in colour, all red before all green before all blue."""
    header = image(person, COLOURS, PlanarConfiguration=1, PixelData=COLOURS.transpose(2, 0, 1).tobytes())
    header["PixelData"].VR = "OB"
    return [Expected(tuple(save(folder, [header], "screen")), COLOUR_TRUTH)]


def luma_and_chroma(folder: Path, person: Person) -> list[Expected]:
    """A screen in brightness and two colour differences (YBR_FULL), uncompressed."""
    header = image(person, _ybr(COLOURS), PhotometricInterpretation="YBR_FULL")
    truth = Truth(COLOURS[np.newaxis], None, unit="", tolerance=2)
    return [Expected(tuple(save(folder, [header], "screen")), truth)]


def half_the_chroma(folder: Path, person: Person) -> list[Expected]:
    """Two neighbouring pixels share their colour differences (YBR_FULL_422), uncompressed."""
    colours = np.repeat(COLOURS[:, ::2], 2, axis=1)
    ybr = _ybr(colours)
    pairs = np.stack([ybr[:, ::2, 0], ybr[:, 1::2, 0], ybr[:, ::2, 1], ybr[:, ::2, 2]], axis=-1)
    header = image(person, ybr, PhotometricInterpretation="YBR_FULL_422", PixelData=pairs.tobytes())
    header["PixelData"].VR = "OB"
    truth = Truth(colours[np.newaxis], None, unit="", tolerance=2)
    return [Expected(tuple(save(folder, [header], "screen")), truth)]


def _ybr(rgb: np.ndarray) -> np.ndarray:
    """Convert by PS3.3, C.7.6.3.1.2."""
    matrix = np.array([[0.299, 0.587, 0.114], [-0.1687, -0.3313, 0.5], [0.5, -0.4187, -0.0813]])
    return np.clip(np.rint(rgb @ matrix.T + [0, 128, 128]), 0, 255).astype(np.uint8)


def palette(folder: Path, person: Person) -> list[Expected]:
    """Pixels are numbers of colours in a palette."""
    numbers = np.random.default_rng(34).integers(0, 256, SHAPE[1:]).astype(np.uint8)
    tables = np.random.default_rng(35).integers(0, 256, (3, 256)).astype(np.uint8)
    header = image(person, numbers, PhotometricInterpretation="PALETTE COLOR")
    for name, table in zip(("Red", "Green", "Blue"), tables, strict=True):
        descriptor, data = f"{name}PaletteColorLookupTableDescriptor", f"{name}PaletteColorLookupTableData"
        setattr(header, descriptor, [256, 0, 8])
        setattr(header, data, table.tobytes())
        header[descriptor].VR, header[data].VR = "US", "OW"
    truth = Truth(np.moveaxis(tables[:, numbers], 0, -1)[np.newaxis], None, unit="", tolerance=0)
    return [Expected(tuple(save(folder, [header], "screen")), truth, notes=frozenset({"N_PALETTE"}))]


def sign_in_the_twelfth_bit(folder: Path, person: Person) -> list[Expected]:
    """Signed values of 12 bits in 16, the bits above left zero: the sign is bit 11, not bit 15."""
    headers = ct_series(person, HU)
    for header, plane in zip(headers, HU, strict=True):
        header.BitsStored, header.HighBit, header.RescaleIntercept = 12, 11, "0"
        header.PixelData = (plane.astype(np.int16) & 0x0FFF).astype("<u2").tobytes()
    return [Expected(tuple(save(folder, headers)), TRUTH)]


CASES = [
    case(GROUP, write)
    for write in (
        rescale_of_its_own,
        fractional_slope,
        ct_without_rescale,
        slope_of_zero,
        mr_without_rescale,
        ct_to_be_shown_inverted,
        radiograph_with_dark_bone,
        padding_around_the_field_of_view,
        modality_table,
        windows_of_all_kinds,
        colour_by_pixel,
        colour_by_plane,
        luma_and_chroma,
        half_the_chroma,
        palette,
        sign_in_the_twelfth_bit,
    )
]
