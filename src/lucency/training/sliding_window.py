"""Predict an image that is larger than what a network sees: windows that overlap, and count most in their middle.

The weights fall off as a Gaussian of an eighth of the window's side (Isensee 2021). MONAI has the same; importing it takes
three times as long as torch, and every study would pay for that in each of its stages.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product

import torch
from torch import Tensor

from lucency.data.augmentation import to_unit_range
from lucency.training.device import Device

Answer = Callable[[Tensor], Tensor]
"""Images, axes (image, channel, [slice,] row, column), to logits, axes (image, class, [slice,] row, column)."""

_SIGMA = 1 / 8
_LEAST_WEIGHT = 1e-3


@dataclass(frozen=True)
class Window:
    """How images are cut up for prediction."""

    size: tuple[int, ...]
    """([slice,] row, column)."""
    overlap: float = 0.5
    """Share of its side by which a window overlaps the next."""
    batch_size: int = 2
    """Windows at a time."""
    flips: tuple[int, ...] = ()
    """Axes, counted from 0 without image and channel, along which the mirror image is asked too."""


@torch.inference_mode()
def predict_image(network: Answer, image: Tensor, window: Window, device: Device) -> Tensor:
    """Return the probability of each class, axes (class, [slice,] row, column), of an image as stored, without its batch axis."""
    shape = tuple(image.shape[1:])
    padding = [max(0, side - n) for side, n in zip(window.size, shape, strict=True)]
    before = [pad // 2 for pad in padding]
    pads = [n for pad, front in reversed([*zip(padding, before, strict=True)]) for n in (front, pad - front)]
    padded = torch.nn.functional.pad(to_unit_range(image), pads).to(device.device)
    probabilities = _over_windows(network, padded, window, device)
    inside = tuple(slice(front, front + n) for front, n in zip(before, shape, strict=True))
    return probabilities[(slice(None), *inside)].cpu()


def starts_of(n: int, side: int, overlap: float) -> list[int]:
    """Return where windows of a side begin on a length that is not shorter, evenly spread from end to end."""
    step = max(1, int(side * (1 - overlap)))
    n_windows = -(-(n - side) // step) + 1
    return [round(i * (n - side) / max(n_windows - 1, 1)) for i in range(n_windows)]


def _over_windows(network: Answer, image: Tensor, window: Window, device: Device) -> Tensor:
    shape = image.shape[1:]
    starts = [starts_of(n, side, window.overlap) for n, side in zip(shape, window.size, strict=True)]
    places = [
        (slice(None), *(slice(begin, begin + side) for begin, side in zip(corner, window.size, strict=True)))
        for corner in product(*starts)
    ]
    if len(places) == 1:
        return _probabilities(network, image[None], window.flips, device)[0]
    weights = _weights(window.size).to(image.device)
    total, weight_sum = torch.zeros(0), torch.zeros(shape, device=image.device)
    for first in range(0, len(places), window.batch_size):
        some = places[first : first + window.batch_size]
        answers = _probabilities(network, torch.stack([image[place] for place in some]), window.flips, device)
        if not total.numel():
            total = torch.zeros((answers.shape[1], *shape), device=image.device)
        for place, answer in zip(some, answers.mul_(weights), strict=True):
            # not +=, which would copy the sum onto itself
            total[place].add_(answer)
            weight_sum[place[1:]].add_(weights)
    return total.div_(weight_sum)


def _probabilities(network: Answer, images: Tensor, flips: Sequence[int], device: Device) -> Tensor:
    """Return the mean over the images and their mirror images along all combinations of axes."""
    total = torch.zeros(0)
    for is_flipped in product((False, True), repeat=len(flips)):
        axes = [axis + 2 for axis, flip in zip(flips, is_flipped, strict=True) if flip]
        with device.autocast():
            logits = network(images.flip(axes) if axes else images)
        answer = torch.softmax(logits.float(), dim=1)
        answer = answer.flip(axes) if axes else answer
        total = answer if not total.numel() else total.add_(answer)
    return total.div_(2 ** len(flips)) if flips else total


def _weights(size: Sequence[int]) -> Tensor:
    """Return the weight of each place in a window, highest in the middle and never nothing."""
    weights = torch.ones(())
    for side in size:
        places = torch.arange(side) - (side - 1) / 2
        weights = weights[..., None] * torch.exp(-0.5 * (places / (_SIGMA * side)) ** 2)
    return weights.clamp(min=_LEAST_WEIGHT)
