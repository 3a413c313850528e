"""From values to brightness, by the grey pipeline of PS3.4 N.2: VOI LUT or window → inversion of MONOCHROME1."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import FileDataset
from pydicom.pixels import apply_color_lut

from lucency.data.dicom.header import has_value, numbers_of, text_of
from lucency.data.dicom.pixels import Layout
from lucency.data.dicom.rescaling import (
    is_padding_of,
    looked_up,
    refuse_untold_sign,
    rescale_of,
    rescaled_by,
    stored_values,
)
from lucency.data.grey_levels import (
    WHITE,
    GreyLevels,
    Shading,
    Window,
    as_uint16,
    between,
    is_colourless,
    luma,
    own_range,
    window_linear,
    window_linear_exact,
    window_sigmoid,
)
from lucency.data.reading import RefusedImage

_WINDOWS: dict[str, Callable[[NDArray[np.float64], float, float], NDArray[np.float64]]] = {
    "LINEAR": window_linear,
    "LINEAR_EXACT": window_linear_exact,
    "SIGMOID": window_sigmoid,
}


def shade(header: FileDataset, layout: Layout, stored: NDArray[Any], window: Window, notes: list[str]) -> NDArray[Any]:
    """Show a grey image: uint8 where 8 stored bits are shown as they are, else uint16."""
    levels = GreyLevels.of(stored)
    values = stored_values(levels.values, layout, notes)
    refuse_untold_sign(header, layout, values.max())
    is_padding = is_padding_of(header, layout, levels.values, values)
    if is_padding.any():
        notes.append("N_PADDING")
    rescaled = rescaled_by(header, layout, values, notes)
    brightness = _brightness(header, layout, window, _Distribution(levels, rescaled, is_padding), notes)
    if layout.photometric == "MONOCHROME1":
        brightness = 1 - brightness
        notes.append("N_MONOCHROME1")
    brightness = np.where(is_padding, 0, np.nan_to_num(brightness))
    return levels.painted(_as_stored(values, brightness, layout) if layout.bits_stored == 8 else as_uint16(brightness))


def _as_stored(values: NDArray[Any], brightness: NDArray[np.float64], layout: Layout) -> NDArray[Any]:
    """Keep 8 bits where the brightness is exactly the stored value, upright or inverted; else use 16 bits."""
    shown = np.rint(brightness * 255)
    expected = 255 - values if layout.photometric == "MONOCHROME1" else values
    is_unchanged = (np.abs(brightness * 255 - shown) < 1e-6) & ((shown == expected) | (shown == 0))
    return shown.astype(np.uint8) if is_unchanged.all() else as_uint16(brightness)


@dataclass(frozen=True)
class _Distribution:
    """The levels of an image after rescale, with those that are padding."""

    levels: GreyLevels
    rescaled: NDArray[np.float64]
    is_padding: NDArray[np.bool_]

    def own_shading(self) -> Shading:
        """Return the shading over the image's own values, without padding."""
        return between(*own_range(self.rescaled, np.where(self.is_padding, 0, self.levels.counts())))

    def is_flattened_by(self, brightness: NDArray[np.float64]) -> bool:
        """Tell whether a shading makes one grey of an image that has more."""
        # The lowest and the highest level always occur; only what lies next to padding must be counted.
        seen = ~self.is_padding & (self.levels.counts() > 0) if self.is_padding.any() else ~self.is_padding
        return bool(seen.any()) and np.ptp(brightness[seen]) == 0 < np.ptp(self.rescaled[seen])


def _brightness(
    header: FileDataset, layout: Layout, window: Window, grey: _Distribution, notes: list[str]
) -> NDArray[np.float64]:
    """Return the brightness of each level, from 0 to 1, before any inversion."""
    if isinstance(window, tuple):
        return window_linear(grey.rescaled, *window)
    if window == "full":
        return _full_shading(header, layout, grey, notes)(grey.rescaled)
    brightness = _stored_shading(header, layout, grey.rescaled, notes)
    if brightness is None:
        is_ready = layout.bits_stored <= 8 and not layout.is_real and not _changes_values(header, notes)
        if is_ready:
            return _full_shading(header, layout, grey, notes)(grey.rescaled)
        notes.append("N_NO_WINDOW")
        return grey.own_shading()(grey.rescaled)
    if grey.is_flattened_by(brightness):
        notes.append("N_BAD_WINDOW")
        return grey.own_shading()(grey.rescaled)
    return brightness


def _changes_values(header: FileDataset, notes: list[str]) -> bool:
    return bool(header.get("ModalityLUTSequence")) or rescale_of(header, notes) != (1, 0)


def _full_shading(header: FileDataset, layout: Layout, grey: _Distribution, notes: list[str]) -> Shading:
    """Return the shading from the lowest to the highest value that could be stored."""
    if layout.is_real:
        finite = grey.rescaled[np.isfinite(grey.rescaled)]
        return between(finite.min(initial=np.inf), finite.max(initial=-np.inf))
    ends = rescaled_by(header, layout, np.array([layout.lowest, layout.highest]), notes)
    return between(float(ends.min()), float(ends.max()))


def _stored_shading(
    header: FileDataset, layout: Layout, rescaled: NDArray[np.float64], notes: list[str]
) -> NDArray[np.float64] | None:
    """Apply the VOI LUT or the first window of the header; None where there is none that is valid."""
    if header.get("VOILUTSequence"):
        values, highest = looked_up(header.VOILUTSequence[0], header, layout, rescaled)
        return values / highest
    if not has_value(header, "WindowCenter") or not has_value(header, "WindowWidth"):
        return None
    centres, widths = numbers_of(header, "WindowCenter", notes), numbers_of(header, "WindowWidth", notes)
    shading = _WINDOWS.get(text_of(header, "VOILUTFunction").upper() or "LINEAR")
    if not centres or not widths or widths[0] <= 0 or shading is None:
        notes.append("N_BAD_WINDOW")
        return None
    return shading(rescaled, centres[0], widths[0])


def show_colours(
    header: FileDataset, layout: Layout, stored: NDArray[Any], window: Window, colour: bool, notes: list[str]
) -> NDArray[Any]:
    """Show a colour image, or its luma."""
    if layout.photometric == "PALETTE COLOR":
        stored = apply_color_lut(stored, header)[..., :3]
        notes.append("N_PALETTE")
    elif layout.bits_stored != 8:
        stored = np.rint(np.clip(stored / layout.highest, 0, 1) * WHITE).astype(np.uint16)
    if stored.dtype not in (np.uint8, np.uint16):
        raise RefusedImage("E_CODEC")
    if isinstance(window, tuple):
        notes.append("N_COLOUR_NO_WINDOW")
    if colour:
        return np.ascontiguousarray(stored)
    if is_colourless(stored):
        return stored[..., 0].copy()
    notes.append("N_COLOUR_TO_GREY")
    return luma(np.ascontiguousarray(stored))
