"""Show volumes as images: a whole volume as one, or each slice and frame as an image of its own."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lucency.data.grey_levels import (
    GreyLevels,
    Window,
    as_uint16,
    between,
    is_colourless,
    luma,
    own_range,
    window_linear,
)
from lucency.data.reading import ImageFile, RefusedImage, aspect_of
from lucency.data.volumes import Outcome, Stack, read_stack, stacks_among
from lucency.domain.volume import Volume


def read_volume(stack: Stack, window: Window) -> ImageFile:
    """Read a stack as one image, axes (slice, row, column).

    Raises:
        RefusedImage: the stack is refused, or holds a single picture or colours.
    """
    outcome = read_stack(stack)
    volume = _volume_of(outcome)
    if len(volume.values) == 1 or volume.values.ndim > 3:
        raise RefusedImage("E_NOT_VOLUME")
    return ImageFile(
        pixels=_shown(volume, outcome.notes, window),
        facts=outcome.facts,
        is_volume=True,
        spacing_mm=volume.spacing_mm,
        aspect=_aspect(volume),
        notes=outcome.notes,
        volume=replace(volume, values=_upright_values(volume, outcome.notes)),
    )


def read_frames(path: Path, window: Window, colour: bool) -> list[ImageFile]:
    """Read a file that holds a volume, frames or pages as one image for each slice, frame or page.

    Raises:
        RefusedImage: nothing in the file can be read.
    """
    outcomes = [read_stack(stack) for stack in stacks_among(path.parent, [path])]
    readable = [outcome for outcome in outcomes if outcome.volume is not None]
    if not readable:
        raise RefusedImage(outcomes[0].code if outcomes else "E_UNREADABLE")
    frames = [image for outcome in readable for image in _frames_of(outcome, window, colour)]
    return [replace(image, frame=number) for number, image in enumerate(frames, start=1)]


def _volume_of(outcome: Outcome) -> Volume:
    if outcome.volume is None:
        raise RefusedImage(outcome.code)
    return outcome.volume


def _frames_of(outcome: Outcome, window: Window, colour: bool) -> list[ImageFile]:
    volume, notes = _volume_of(outcome), outcome.notes
    pictures = _shown(volume, notes, window) if volume.values.ndim == 3 else volume.values
    if volume.values.ndim == 4 and not colour:
        pictures = np.stack([frame[..., 0] if is_colourless(frame) else luma(frame) for frame in volume.values])
        notes = notes if is_colourless(volume.values) else (*notes, "N_COLOUR_TO_GREY")
    spacing_mm = volume.spacing_mm and volume.spacing_mm[1:]
    return [
        ImageFile(
            np.ascontiguousarray(picture), outcome.facts, spacing_mm=spacing_mm, aspect=_aspect(volume), notes=notes
        )
        for picture in pictures
    ]


def _aspect(volume: Volume) -> float:
    return aspect_of(*volume.spacing_mm[1:]) if volume.spacing_mm else 1.0


def _upright_values(volume: Volume, notes: tuple[str, ...]) -> NDArray[Any]:
    """Return the values with dense structures high, as all images are shown."""
    if not _is_inverted(volume, notes):
        return volume.values
    values = volume.values.astype(np.float64)
    return (values.min() + values.max() - values).astype(volume.values.dtype)


def _is_inverted(volume: Volume, notes: tuple[str, ...]) -> bool:
    return "N_MONOCHROME1" in notes and volume.unit != "HU"  # dense is bright in Hounsfield units already


def _shown(volume: Volume, notes: tuple[str, ...], window: Window) -> NDArray[Any]:
    """Shade a grey volume with one window for all its slices, so that they can be compared."""
    is_inverted = _is_inverted(volume, notes)
    if volume.affine is None and not isinstance(window, tuple) and _has_8_bits(volume.values):
        pixels = volume.values.astype(np.uint8)  # pages and films of 8 bits are ready to be looked at
        return 255 - pixels if is_inverted else pixels
    levels = GreyLevels.of(volume.values)
    values = levels.values.astype(np.float64)
    if isinstance(window, tuple):
        brightness = window_linear(values, *window)
    elif window == "auto":
        brightness = between(*own_range(values, levels.counts()))(values)
    else:
        brightness = between(float(values.min()), float(values.max()))(values)
    return levels.painted(as_uint16(1 - brightness if is_inverted else brightness))


def _has_8_bits(values: NDArray[Any]) -> bool:
    return values.dtype == np.int16 and int(values.min()) >= 0 and int(values.max()) <= 255
