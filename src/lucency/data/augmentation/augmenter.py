"""Augment whole batches: one resampling per image, then its look, with masks and boxes moved along.

What an image gets depends on (seed, epoch, its key) alone, never on the batch it is in, the order of the batch or
what was drawn before.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lucency.data.augmentation.appearance import (
    Appearance,
    add_noise,
    blur,
    change_grey_levels,
    draw_appearance,
    erase,
    lower_resolution,
    mean_grey_level,
    noise_bank_length,
)
from lucency.data.augmentation.draws import Draws
from lucency.data.augmentation.geometry import (
    Geometry,
    Sampling,
    draw_geometry,
    make_sampling,
    move_boxes,
    move_images,
    move_masks,
)
from lucency.domain.plan import Augmentation
from lucency.randomness import generator

_PIXELS_AT_A_TIME = 2**18
"""On a CPU a batch is worked on in parts of about this many pixels, so that what is in between stays in the cache."""
_FULL_SCALE = {torch.uint8: 255, torch.uint16: 65535}


@dataclass(frozen=True)
class Batch:
    """Images with what must move with them. Labels of whole images need no place here: they do not change."""

    images: Tensor
    """Axes (image, channel, [slice,] row, column); uint8, uint16, or floating point of about 0 to 1."""
    masks: Tensor | None = None
    """Label of each pixel as an integer, axes (image, [slice,] row, column)."""
    boxes: Tensor | None = None
    """Axes (image, box, 4 or 6): x, y[, z] of the first corner, then of the opposite one; pixel i is from i to i + 1."""
    box_is_visible: Tensor | None = None
    """False where a box has left the image or is only there to fill up, axes (image, box); None: all are visible."""


Augment = Callable[[Batch, NDArray[np.uint64], int], Batch]
"""From a batch, the key of each of its images (`randomness.sample_keys`) and the epoch to the augmented batch."""


def make_augmenter(settings: Augmentation, seed: int) -> Augment:
    """Return the function that augments a batch; its images are float32 of 0 to 1 on the device they came on.

    A new tensor is returned and the given one left alone. Grey levels are clipped to 0 to 1 only where contrast,
    brightness or noise are switched on.
    """
    return _Augmenter(settings, seed)


def to_unit_range(images: Tensor) -> Tensor:
    """Return images as contiguous float32, where full scale of uint8 and uint16 is 1; floating point keeps its values."""
    if images.is_floating_point():
        return images.to(torch.float32).contiguous()
    return images.to(torch.float32, memory_format=torch.contiguous_format).mul_(1 / _FULL_SCALE[images.dtype])


class _Augmenter:
    """The settings and the seed, with the bank of noise that is made once."""

    def __init__(self, settings: Augmentation, seed: int) -> None:
        self._settings = settings
        self._seed = seed
        self._noise_bank = torch.empty(0)

    def __call__(self, batch: Batch, sample_keys: NDArray[np.uint64], epoch: int) -> Batch:
        if self._settings.is_off:
            return replace(batch, images=to_unit_range(batch.images))
        shape, device = tuple(batch.images.shape[2:]), batch.images.device
        draws = Draws(self._seed, epoch, sample_keys)
        appearance = draw_appearance(self._settings, draws, shape, device)
        geometry = draw_geometry(self._settings, draws, shape)
        if geometry is None:
            return replace(batch, images=self._augment_images(batch.images, None, appearance))
        sampling = make_sampling(geometry, shape, device)
        augmented = replace(batch, images=self._augment_images(batch.images, sampling, appearance))
        return _move_along(augmented, geometry, sampling)

    def _augment_images(self, raw: Tensor, sampling: Sampling | None, appearance: Appearance) -> Tensor:
        if appearance.noise is not None:
            self._enlarge_noise_bank(raw[0].numel(), raw.device)
        augmented = torch.empty(raw.shape, dtype=torch.float32, device=raw.device)
        for part in _parts(raw):
            drawn = appearance.part(part)
            images = to_unit_range(raw[part])
            if sampling is not None:
                images = move_images(images, sampling.part(part))
            if drawn.resolution is not None:
                images = lower_resolution(images, drawn.resolution)
            if drawn.blur_weights is not None:
                images = blur(images, drawn.blur_weights)
            self._change_values_in_place(augmented[part].copy_(images), drawn)
        return augmented

    def _change_values_in_place(self, images: Tensor, drawn: Appearance) -> None:
        mean = None if drawn.grey_levels is None and drawn.erased is None else mean_grey_level(images)
        if mean is not None and drawn.grey_levels is not None:
            change_grey_levels(images, mean, drawn.grey_levels)
        if drawn.noise is not None:
            add_noise(images, drawn.noise, drawn.noise_offset, self._noise_bank)
        if drawn.grey_levels is not None or drawn.noise is not None:
            images.clamp_(0, 1)
        if mean is not None and drawn.erased is not None:
            erase(images, mean, drawn.erased)

    def _enlarge_noise_bank(self, n_values: int, device: torch.device) -> None:
        """Make the bank long enough and bring it to the device; a longer bank begins like a shorter one."""
        n_needed = noise_bank_length(n_values)
        if len(self._noise_bank) < n_needed or self._noise_bank.device != device:
            bank = generator(self._seed, "augmentation noise").standard_normal(n_needed, dtype=np.float32)
            self._noise_bank = torch.from_numpy(bank).to(device)


def _parts(images: Tensor) -> Iterator[slice]:
    """Cut a batch into parts that fit the cache, but with an image for each thread; a GPU takes the batch whole."""
    n_pixels = math.prod(images.shape[1:])
    n_at_a_time = max(torch.get_num_threads(), _PIXELS_AT_A_TIME // n_pixels)
    if images.device.type != "cpu":
        n_at_a_time = len(images)
    return (slice(first, first + n_at_a_time) for first in range(0, len(images), n_at_a_time))


def _move_along(batch: Batch, geometry: Geometry, sampling: Sampling) -> Batch:
    if batch.masks is not None:
        batch = replace(batch, masks=move_masks(batch.masks, sampling))
    if batch.boxes is not None:
        boxes, is_visible = move_boxes(batch.boxes, geometry, tuple(batch.images.shape[2:]))
        if batch.box_is_visible is not None:
            is_visible &= batch.box_is_visible
        batch = replace(batch, boxes=boxes, box_is_visible=is_visible)
    return batch
