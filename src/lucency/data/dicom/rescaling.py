"""From stored values to the values that they mean: Hounsfield units on CT.

The order is that of PS3.4 N.2: stored bits → modality LUT, or rescale slope and intercept.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileDataset

from lucency.data.dicom.header import has_value, integer_of, numbers_of
from lucency.data.dicom.pixels import Layout
from lucency.data.reading import RefusedImage


def stored_values(raw: NDArray[Any], layout: Layout, notes: list[str]) -> NDArray[Any]:
    """Take the stored bits out of the allocated ones, with their sign; other bits may hold an overlay."""
    if layout.is_real:
        return raw
    raw = raw.astype(np.int64)
    if layout.bits_stored - 1 < layout.high_bit < layout.bits_allocated and not layout.transfer_syntax.is_encapsulated:
        raw = raw >> (layout.high_bit + 1 - layout.bits_stored)
    values = (raw - layout.lowest) % (1 << layout.bits_stored) + layout.lowest
    if (values != raw).any():
        notes.append("N_HIGH_BITS")
    return values


def is_padding_of(header: FileDataset, layout: Layout, raw: NDArray[Any], values: NDArray[Any]) -> NDArray[np.bool_]:
    """Tell which values mean "outside the image"; they may lie beyond the stored bits (−2000 on some CT scanners)."""
    first = integer_of(header, "PixelPaddingValue")
    if first is None:
        return np.zeros(len(values), np.bool_)
    last = integer_of(header, "PixelPaddingRangeLimit")
    modulus = 1 << layout.bits_allocated
    low, high = sorted((first, first if last is None else last))
    # The value may be written with the other sign than the pixels; it is the bits that count.
    is_same_bits = raw % modulus == first % modulus if not layout.is_real else raw == first
    return ((values >= low) & (values <= high)) | is_same_bits


def rescaled_by(header: FileDataset, layout: Layout, values: NDArray[Any], notes: list[str]) -> NDArray[np.float64]:
    """Apply the modality LUT, or the rescale slope and intercept: to Hounsfield units on CT."""
    if header.get("ModalityLUTSequence"):
        return looked_up(header.ModalityLUTSequence[0], header, layout, values)[0]
    slope, intercept = rescale_of(header, notes)
    return values.astype(np.float64) * slope + intercept


def rescale_of(header: FileDataset, notes: list[str]) -> tuple[float, float]:
    """Return slope and intercept; an image with an unreadable one must not be shown with wrong values."""
    found = []
    for keyword, default in (("RescaleSlope", 1.0), ("RescaleIntercept", 0.0)):
        if not has_value(header, keyword):
            found.append(default)
        elif numbers := numbers_of(header, keyword, notes):
            found.append(numbers[0])
        else:
            raise RefusedImage("E_BAD_HEADER")
    if found[0] == 0:
        raise RefusedImage("E_BAD_HEADER")
    return found[0], found[1]


def looked_up(
    item: Dataset, header: FileDataset, layout: Layout, values: NDArray[Any]
) -> tuple[NDArray[np.float64], float]:
    """Look values up in a LUT item (PS3.3 C.11.1, C.11.2), and return them with the largest output of the LUT."""
    n_entries, first, n_bits = (int(number) for number in item.LUTDescriptor)
    n_entries = n_entries or 1 << 16
    # The first value is written as unsigned by some, although the pixels are signed.
    first = first - (1 << 16) if layout.is_signed and first > 1 << 15 else first
    data = item.LUTData
    if isinstance(data, bytes):
        order = "<" if header.original_encoding[1] else ">"
        data = np.frombuffer(data, f"{order}u2" if len(data) >= 2 * n_entries else "u1")
    table = np.asarray(data, dtype=np.float64)[:n_entries]
    if table.size < n_entries or not 8 <= n_bits <= 16:
        raise RefusedImage("E_BAD_HEADER")
    # Some write 16 bits in the descriptor of a LUT of 12; the highest output then fills half the range at most.
    highest = float((1 << min(n_bits, max(int(table.max()).bit_length(), 1))) - 1)
    return table[np.clip(np.rint(values).astype(np.int64) - first, 0, n_entries - 1)], highest


def refuse_untold_sign(header: FileDataset, layout: Layout, highest: int) -> None:
    """Refuse numbers whose sign is not told and matters: their highest bit may mean a large number or a negative one.

    Images of 8 bits are never signed.
    """
    is_told = layout.is_real or has_value(header, "PixelRepresentation")
    if not is_told and layout.bits_stored > 8 and highest > layout.highest // 2:
        raise RefusedImage("E_BAD_HEADER")
