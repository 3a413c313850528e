"""Images and targets as tensors: a batch is an index into them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from lucency.randomness import generator

Augment = Callable[[Tensor, NDArray[np.uint64], int], Tensor]
"""(images as fractions of white, sample keys, epoch) to changed images of the same shape."""


@dataclass(frozen=True)
class Examples:
    """The labelled images of one part."""

    images: Tensor
    """uint8 or uint16, axes (image, channel, row, column)."""
    targets: Tensor
    """Index of the class, axis (image)."""
    sample_keys: NDArray[np.uint64]
    """Counters for randomness, one an image."""
    white: int
    """Grey level that means white."""

    def __len__(self) -> int:
        return len(self.targets)

    def fractions(self, rows: Tensor) -> Tensor:
        """Return images as float32 fractions of white."""
        return self.images[rows].to(torch.float32).mul_(1 / self.white)


def make_examples(
    images: NDArray, rows: NDArray[np.int64], targets: NDArray[np.int64], sample_keys: NDArray[np.uint64], white: int
) -> Examples:
    """Copy the rows of one part out of the store into memory."""
    return Examples(torch.from_numpy(images[rows]), torch.from_numpy(targets), sample_keys, white)


def batches(n_images: int, batch_size: int, seed: int, epoch: int) -> Iterator[Tensor]:
    """Deal all images once, in an order of this epoch's own; the last batch is what is left.

    A single image left over shares with the batch before it, because batch normalisation needs two.
    """
    order = torch.from_numpy(generator(seed, "order", epoch).permutation(n_images))
    n_left = n_images % batch_size
    if n_left == 1 and n_images > batch_size > 2:
        body, tail = order[: -(batch_size + 1)], order[-(batch_size + 1) :]
        yield from body.split(batch_size) if len(body) else ()
        yield from tail.split((batch_size + 2) // 2)
    else:
        yield from order.split(batch_size)


class Standardised(nn.Module):
    """A network behind the grey-level scale of its own training part: mean 0, standard deviation 1.

    The two numbers are saved with the weights, so that they can never be taken from other images.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, network: nn.Module, n_channels: int) -> None:
        super().__init__()
        self.network = network
        self.register_buffer("mean", torch.zeros(1, n_channels, 1, 1))
        self.register_buffer("deviation", torch.ones(1, n_channels, 1, 1))

    def fit(self, examples: Examples) -> None:
        """Measure the training part, channel by channel."""
        n_channels = examples.images.shape[1]
        total, squares = torch.zeros(2, n_channels, dtype=torch.float64).unbind()
        n_pixels = 0
        for rows in torch.arange(len(examples)).split(256):
            fractions = examples.fractions(rows).double()
            total = total + fractions.sum((0, 2, 3))
            squares = squares + fractions.square().sum((0, 2, 3))
            n_pixels += fractions[:, 0].numel()
        mean = total / n_pixels
        deviation = (squares / n_pixels - mean.square()).clamp(min=1e-12).sqrt()
        self.mean.copy_(mean.view(1, -1, 1, 1))
        self.deviation.copy_(deviation.view(1, -1, 1, 1))

    def forward(self, images: Tensor) -> Tensor:
        """Return logits, axes (image, class), for fractions of white, axes (image, channel, row, column)."""
        return self.network((images - self.mean) / self.deviation)
