"""Read a stack of slices into one volume: every slice by its own rescale, exact in 16 bits where it can be."""

import os
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import FileDataset

from lucency.data.dicom.decoding import can_decode
from lucency.data.dicom.facts import facts_of
from lucency.data.dicom.geometry import Grid
from lucency.data.dicom.header import PIXELS, integer_of, numbers_in, parse, silence_libraries, text_of
from lucency.data.dicom.pixels import GREY, Layout, decode_pixels, layout_of
from lucency.data.dicom.rescaling import looked_up, refuse_untold_sign, stored_values
from lucency.data.dicom.series import DicomStack, Slice
from lucency.data.dicom.shading import show_colours
from lucency.data.geometry.orientation import canonical
from lucency.data.geometry.resampling import evened, straightened
from lucency.data.geometry.voxels import LARGEST_EXACT, MOST_VOXELS, fits_int16, voxels
from lucency.data.reading import MOST_BYTES, RefusedImage, VolumeFile
from lucency.domain.volume import Volume
from lucency.provenance import sha256_of, sha256_of_bytes


@dataclass(frozen=True)
class _Picture:
    """The values of one slice after rescale: int16 where exact, else float32; colours as they are stored."""

    values: NDArray[Any]
    unit: str
    notes: tuple[str, ...]


def read_dicom_stack(stack: DicomStack) -> VolumeFile:
    """Read the slices of a stack that has no code.

    Raises:
        RefusedImage: a slice cannot be read, so that there is no whole volume.
        Exception: anything a parser can raise on a damaged file.
    """
    silence_libraries()
    _refuse_bomb(stack)
    headers = _multi_frame_headers(stack.slices)
    first = headers.get(stack.slices[0].path) or _open(stack.slices[0].path, [])
    notes = list(stack.notes)
    values, unit = _stacked(_pictures(stack.slices, headers), len(stack.slices), notes)
    affine = None
    if stack.grid is not None:
        values, affine = _on_grid(values, stack.grid)
    facts = facts_of(partial(text_of, first))
    return VolumeFile(Volume(values, affine, unit), facts, tuple(dict.fromkeys(notes)))


def digest_of(one: Slice) -> str:
    """Return a hash of the values of one slice.

    Raises:
        RefusedImage: and nothing else, whatever the file holds.
    """
    try:
        values = _picture(one, _multi_frame_headers([one])).values
    except RefusedImage:
        raise
    except Exception:  # a parser can raise anything on a damaged file
        raise RefusedImage("E_UNREADABLE") from None
    return sha256_of([values.dtype.str, values.shape, sha256_of_bytes(values.tobytes())])


def _refuse_bomb(stack: DicomStack) -> None:
    """Add up the claims of all slices before the first is decoded."""
    sides = [[int(one.elements.get(side, "0")) for side in ("Rows", "Columns")] for one in stack.slices]
    if sum(n_rows * n_columns for n_rows, n_columns in sides) > MOST_VOXELS:
        raise RefusedImage("E_SIZEBOMB")


def _multi_frame_headers(slices: Iterable[Slice]) -> dict[Path, FileDataset]:
    """Open files of several frames once for all of them."""
    paths = {one.path for one in slices if one.elements.get("NumberOfFrames", "1") != "1"}
    return {path: _open(path, []) for path in sorted(paths)}


def _open(path: Path, notes: list[str]) -> FileDataset:
    if path.stat().st_size > MOST_BYTES:
        raise RefusedImage("E_SIZEBOMB")
    header = parse(path.read_bytes(), notes)
    if "PixelData" in header:
        header["PixelData"]  # converted once, before threads share it
    return header


def _pictures(slices: tuple[Slice, ...], headers: dict[Path, FileDataset]) -> Iterator[_Picture]:
    """Read slices in their order; compressed ones side by side, as their decoders are processes of their own."""
    read = partial(_picture, headers=headers)
    if not any(can_decode(one.elements.get("TransferSyntaxUID", "")) for one in slices):
        yield from map(read, slices)
        return
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        try:
            yield from pool.map(read, slices)
        finally:
            pool.shutdown(cancel_futures=True)


def _picture(one: Slice, headers: dict[Path, FileDataset]) -> _Picture:
    notes = list(one.notes)
    header = headers.get(one.path) or _open(one.path, notes)
    if not any(keyword in header for keyword in PIXELS):
        raise RefusedImage("E_TRUNCATED")
    layout = layout_of(header)
    stored = decode_pixels(header, layout, one.frame)
    if stored.ndim == 2 and layout.photometric in GREY:
        if layout.photometric == "MONOCHROME1":
            notes.append("N_MONOCHROME1")
        values = _grey_values(one, header, layout, stored, notes)
        return _Picture(values, _unit(one, header), tuple(notes))
    return _Picture(show_colours(header, layout, stored, "full", True, notes), "", tuple(notes))


def _grey_values(
    one: Slice, header: FileDataset, layout: Layout, stored: NDArray[Any], notes: list[str]
) -> NDArray[Any]:
    """Take the stored bits and rescale them."""
    low, high = stored.min(), stored.max()
    padding = _padding(header, layout, stored)
    if padding is not None:
        notes.append("N_PADDING")
    has_other_bits = low < layout.lowest or high > layout.highest or layout.high_bit != layout.bits_stored - 1
    if has_other_bits and not layout.is_real:
        stored = _without_other_bits(stored, layout, padding, notes)
        low, high = stored.min(), stored.max()
    refuse_untold_sign(header, layout, high)
    if header.get("ModalityLUTSequence"):
        return voxels(looked_up(header.ModalityLUTSequence[0], header, layout, stored)[0], notes)
    slope, intercept = _rescale(one, notes)
    if layout.is_real:
        return voxels(stored.astype(np.float64) * slope + intercept, notes)
    return _rescaled(stored, slope, intercept, (int(low), int(high)), notes)


def _padding(header: FileDataset, layout: Layout, stored: NDArray[Any]) -> NDArray[np.bool_] | None:
    """Tell which pixels mean "outside of the image"; None where there are none."""
    first, last = (integer_of(header, f"PixelPadding{end}") for end in ("Value", "RangeLimit"))
    if first is None or layout.is_real:
        return None
    # The value may be written with the other sign than the pixels; it is the bits that count.
    lowest = int(np.iinfo(stored.dtype).min)
    low, high = sorted(
        (each - lowest) % 2**layout.bits_allocated + lowest for each in (first, first if last is None else last)
    )
    is_padding = stored == low if low == high else (stored >= low) & (stored <= high)
    return is_padding if is_padding.any() else None


def _without_other_bits(
    stored: NDArray[Any], layout: Layout, padding: NDArray[np.bool_] | None, notes: list[str]
) -> NDArray[Any]:
    """Take the stored bits; padding that lies beyond them becomes the lowest value."""
    more: list[str] = []
    values = stored_values(stored, layout, more)
    if padding is not None:
        values = np.where(padding & (values != stored), layout.lowest, values)
        more = more if (values != stored)[~padding].any() else []
    notes += more
    return values


def _rescale(one: Slice, notes: list[str]) -> tuple[float, float]:
    """Return slope and intercept; numbers of a CT without them are no Hounsfield units."""
    texts = [one.elements.get(keyword, "") for keyword in ("RescaleSlope", "RescaleIntercept")]
    if _is_ct(one) and not all(texts):
        raise RefusedImage("E_NORESCALE_CT")
    numbers = [numbers_in(text, notes) if text else [default] for text, default in zip(texts, (1.0, 0.0), strict=True)]
    if not all(numbers) or numbers[0][0] == 0:
        raise RefusedImage("E_BAD_HEADER")
    return numbers[0][0], numbers[1][0]


def _is_ct(one: Slice) -> bool:
    is_ct_class = one.elements.get("SOPClassUID", "").startswith("1.2.840.10008.5.1.4.1.1.2")
    return one.elements.get("Modality", "").upper() == "CT" and is_ct_class


def _unit(one: Slice, header: FileDataset) -> str:
    kind = one.elements.get("RescaleType", "") or text_of(header, "RescaleType")
    return "HU" if _is_ct(one) and kind.upper() in ("", "HU", "US") else ""


def _rescaled(
    stored: NDArray[Any], slope: float, intercept: float, extremes: tuple[int, int], notes: list[str]
) -> NDArray[Any]:
    """Rescale whole numbers: int16 where all results are whole and fit, else float32."""
    ends = [value * slope + intercept for value in extremes]
    is_whole = slope.is_integer() and intercept.is_integer()
    if not (is_whole and fits_int16(min(ends), max(ends))):
        if is_whole and max(map(abs, ends)) > LARGEST_EXACT:
            notes.append("N_ROUNDED")
        return (stored.astype(np.float64) * slope + intercept).astype(np.float32)
    if slope == 1 and stored.dtype.itemsize == 2:
        # Sums of 16 bits wrap around, and so come out right whenever the result fits.
        native = stored.astype(stored.dtype.newbyteorder("="), copy=False).view(np.int16)
        return native + np.array(int(intercept) % 2**16, np.uint16).view(np.int16)
    return (stored.astype(np.int64) * int(slope) + int(intercept)).astype(np.int16)


def _stacked(pictures: Iterable[_Picture], n_slices: int, notes: list[str]) -> tuple[NDArray[Any], str]:
    """Put slices into one array; float32 as soon as one of them needs it."""
    values: NDArray[Any] | None = None
    unit = ""
    for number, picture in enumerate(pictures):
        if values is None:
            values = np.empty((n_slices, *picture.values.shape), picture.values.dtype)
            unit = picture.unit
        if picture.values.shape != values.shape[1:] or picture.unit != unit:
            raise RefusedImage("E_BAD_HEADER")
        if picture.values.dtype != values.dtype:
            values = values.astype(np.promote_types(values.dtype, picture.values.dtype))
        values[number] = picture.values
        notes += picture.notes
    assert values is not None
    return values, unit


def _on_grid(values: NDArray[Any], grid: Grid) -> tuple[NDArray[Any], NDArray[np.float64]]:
    """Resample where the grid asks for it, and turn the axes; a single slice stays as it was stored."""
    if grid.shifts is None and grid.distances is None:
        return canonical(values, grid.affine) if len(values) > 1 else (values, grid.affine)
    if values.ndim > 3:
        raise RefusedImage("E_TILT" if grid.shifts is not None else "E_GAP")
    shifts = grid.shifts
    if grid.distances is not None:
        # Slices are added while they still lie as they were imaged: afterwards their edges would mix with what is outside.
        values = evened(values, grid.distances)
        shifts = None if shifts is None else evened(shifts, grid.distances).astype(np.float64)
    if shifts is not None:
        values = straightened(values, shifts)
    return canonical(values, grid.affine)
