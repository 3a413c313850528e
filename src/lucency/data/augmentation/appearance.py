"""What each pixel looks like: resolution, blur, contrast, brightness, noise and erasing. Nothing moves here.

Images are float32 of about 0 to 1, axes (image, channel, [slice,] row, column).
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from lucency.data.augmentation.draws import Draw, Draws
from lucency.domain.plan import Augmentation

_ERASED_SHARE = (0.02, 0.2)
"""Smallest and largest share of the image that is erased (Zhong et al., AAAI 2020)."""
_ERASED_STRETCH = math.log(3.3) / 2
"""Up to this much is added to, or taken from, the logarithm of each side, so that height : width stays within 3.3."""
_N_NOISE_OFFSETS = 2**20
"""Number of places in the bank of normal numbers at which an image's noise may begin."""


@dataclass(frozen=True)
class Appearance:
    """The drawn changes of a batch; None where a change is switched off."""

    resolution: Tensor | None
    """Share of the original resolution, axes (image,)."""
    blur_weights: Tensor | None
    """Weight of a pixel at a distance of 0, 1, … pixels along one axis, axes (image, distance)."""
    grey_levels: Tensor | None
    """Contrast factor around the mean and brightness to add, axes (image, 2)."""
    noise: Tensor | None
    """Standard deviation of the noise, axes (image,)."""
    noise_offset: Tensor
    """Where in the bank of normal numbers an image's noise begins, axes (image,)."""
    erased: tuple[Tensor, ...] | None
    """For each axis, 1 where the erased box lies and 0 elsewhere, axes (image, pixel)."""

    def part(self, part: slice) -> "Appearance":
        """Return the changes of some images of the batch."""
        return Appearance(
            resolution=None if self.resolution is None else self.resolution[part],
            blur_weights=None if self.blur_weights is None else self.blur_weights[part],
            grey_levels=None if self.grey_levels is None else self.grey_levels[part],
            noise=None if self.noise is None else self.noise[part],
            noise_offset=self.noise_offset[part],
            erased=None if self.erased is None else tuple(along[part] for along in self.erased),
        )


def draw_appearance(settings: Augmentation, draws: Draws, shape: tuple[int, ...], device: torch.device) -> Appearance:
    """Draw the changes of look for a batch of images of this shape: ([slice,] row, column)."""

    def on_device(values: NDArray[np.float64]) -> Tensor:
        return torch.from_numpy(values.astype(np.float32)).to(device)

    contrast = draws.factor(Draw.CONTRAST, settings.contrast)
    brightness = draws.either_side(Draw.BRIGHTNESS, settings.brightness)
    coarseness = draws.unit(Draw.RESOLUTION) * (1 - settings.resolution)
    changes_grey_levels = settings.contrast != (1, 1) or settings.brightness > 0
    offset = (draws.unit(Draw.NOISE_OFFSET) * _N_NOISE_OFFSETS).astype(np.int64)
    return Appearance(
        resolution=on_device(1 - coarseness) if settings.resolution < 1 else None,
        blur_weights=on_device(_draw_blur_weights(draws, settings.blur_pixels)) if settings.blur_pixels else None,
        grey_levels=on_device(np.stack([contrast, brightness], axis=1)) if changes_grey_levels else None,
        noise=on_device(draws.unit(Draw.NOISE) * settings.noise) if settings.noise else None,
        noise_offset=torch.from_numpy(offset).to(device),
        erased=tuple(map(on_device, _draw_erased_boxes(draws, settings.erase, shape))) if settings.erase else None,
    )


def noise_bank_length(n_values: int) -> int:
    """Return how many normal numbers images of n_values values need, wherever in the bank their noise begins."""
    return _N_NOISE_OFFSETS + n_values - 1


def lower_resolution(images: Tensor, share: Tensor) -> Tensor:
    """Average each image into fewer, larger pixels and interpolate linearly back to its own size."""
    for axis in range(2, images.ndim):
        n_pixels = images.shape[axis]
        coarsen = _coarsening_matrix(share, n_pixels)
        lines = images.movedim(axis, -1).flatten(1, -2)
        coarse = torch.bmm(lines, coarsen.transpose(1, 2))
        images = coarse.view(*images.movedim(axis, -1).shape).movedim(-1, axis).contiguous()
    return images


def blur(images: Tensor, weights: Tensor) -> Tensor:
    """Blur each image along all its axes; weights as in `Appearance.blur_weights`; the border repeats outwards.

    A sum of shifted images, because its result does not depend on the batch an image is in, to the last bit.
    """
    radius, n_axes = weights.shape[1] - 1, images.ndim - 2
    padded = F.pad(images, [radius] * 2 * n_axes, mode="replicate")
    # In the padded image written as one line, the neighbour along any axis is a fixed number of values away. What runs
    # over an edge of the image lands in the padding, and the line ends where its neighbours end.
    line = padded.flatten(2)
    spare, scratch = torch.empty_like(line), torch.empty_like(line)
    for step in padded.stride()[2:]:
        centre, n_values = radius * step, line.shape[2] - 2 * radius * step
        pair = scratch.narrow(2, 0, n_values)
        blurred = spare.narrow(2, 0, n_values)
        torch.mul(line.narrow(2, centre, n_values), weights[:, 0, None, None], out=blurred)
        for distance in range(1, radius + 1):
            before = line.narrow(2, centre - distance * step, n_values)
            after = line.narrow(2, centre + distance * step, n_values)
            blurred.addcmul_(torch.add(before, after, out=pair), weights[:, distance, None, None])
        line, spare = blurred, line
    return line.as_strided(images.shape, (*line.stride()[:2], *padded.stride()[2:]))


def change_grey_levels(images: Tensor, mean: Tensor, contrast_and_brightness: Tensor) -> Tensor:
    """Change in place: contrast · (image − mean) + mean + brightness."""
    contrast, brightness = (_per_image(values, images) for values in contrast_and_brightness.unbind(1))
    return images.mul_(contrast).add_(mean * (1 - contrast) + brightness)


def add_noise(images: Tensor, sigma: Tensor, offset: Tensor, bank: Tensor) -> Tensor:
    """Add in place the normal numbers that stand in the bank from each image's offset on."""
    noise = bank.unfold(0, images[0].numel(), 1)[offset]
    return images.add_(noise.mul_(sigma[:, None]).view(images.shape))


def erase(images: Tensor, fill: Tensor, erased: tuple[Tensor, ...]) -> Tensor:
    """Fill in place each image's erased box, as in `Appearance.erased`."""
    inside = torch.ones((), device=images.device)
    for axis, along in enumerate(erased, start=2):
        inside = inside * along.view(len(images), *[1] * (axis - 1), -1, *[1] * (images.ndim - axis - 1))
    return torch.lerp(images, fill, inside, out=images)


def mean_grey_level(images: Tensor) -> Tensor:
    """Return the mean of each image over all its channels, axes (image, 1, 1, 1[, 1])."""
    return _per_image(images.flatten(1).mean(1), images)


def _draw_blur_weights(draws: Draws, largest_sigma_pixels: float) -> NDArray[np.float64]:
    """Return Gaussian weights, axes (image, distance), cut off at three times the largest standard deviation."""
    sigma = np.maximum(draws.unit(Draw.BLUR) * largest_sigma_pixels, 1e-3)  # nothing divides by zero
    distance = np.arange(math.ceil(3 * largest_sigma_pixels) + 1)
    weights = np.exp(-0.5 * (distance / sigma[:, None]) ** 2)
    return np.asarray(weights / (2 * weights.sum(axis=1, keepdims=True) - 1))


def _draw_erased_boxes(draws: Draws, probability: float, shape: tuple[int, ...]) -> list[NDArray[np.float64]]:
    n_axes = len(shape)
    smallest, largest = _ERASED_SHARE
    share = smallest + (largest - smallest) * draws.unit(Draw.ERASE_SHARE)
    stretch = (2 * draws.units(Draw.ERASE_SHAPE_SLICE, 3)[:, 3 - n_axes :] - 1) * _ERASED_STRETCH
    stretch -= stretch.mean(axis=1, keepdims=True)
    side = np.minimum(share[:, None] ** (1 / n_axes) * np.exp(stretch), 1)
    side *= draws.happens(Draw.ERASE, probability)[:, None]
    n_pixels = np.array(shape)
    n_erased = np.round(side * n_pixels)
    first = np.floor(draws.units(Draw.ERASE_PLACE_SLICE, 3)[:, 3 - n_axes :] * (n_pixels - n_erased + 1))
    end = first + n_erased
    pixels = [np.arange(n) for n in shape]
    return [
        ((pixel >= first[:, axis, None]) & (pixel < end[:, axis, None])).astype(np.float64)
        for axis, pixel in enumerate(pixels)
    ]


def _coarsening_matrix(share: Tensor, n_pixels: int) -> Tensor:
    """Return what a line of pixels becomes at a lower resolution, axes (image, result, original)."""
    n_coarse = (share * n_pixels).round().clamp(min=1)[:, None, None]
    width = n_pixels / n_coarse
    index = torch.arange(n_pixels, device=share.device, dtype=share.dtype)
    coarse, fine = index[None, :, None], index[None, None, :]
    overlap = torch.minimum((coarse + 1) * width, fine + 1) - torch.maximum(coarse * width, fine)
    average = overlap.clamp_(min=0) / width  # rows beyond n_coarse overlap with nothing
    position = ((fine.transpose(1, 2) + 0.5) / width - 0.5).clamp(min=0).minimum(n_coarse - 1)
    interpolate = (1 - (position - coarse.transpose(1, 2)).abs()).clamp_(min=0)
    return torch.bmm(interpolate, average)


def _per_image(values: Tensor, images: Tensor) -> Tensor:
    return values.view(-1, *[1] * (images.ndim - 1))
