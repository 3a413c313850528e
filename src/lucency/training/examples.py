"""Images and targets of one part: a batch is an index into them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lucency.data.augmentation import to_unit_range
from lucency.randomness import generator

Augment = Callable[[Tensor, NDArray[np.uint64], int], Tensor]
"""(images as stored, sample keys, epoch) to changed images as fractions of white, of the same shape."""


@dataclass(frozen=True)
class Examples:
    """The labelled images of one part, as rows of the store."""

    store: NDArray
    """All images of the study, uint8 or uint16, axes (image, channel, row, column)."""
    rows: NDArray[np.int64]
    """Rows of the store that belong to this part."""
    targets: Tensor
    """Index of the class, axis (image of this part)."""
    sample_keys: NDArray[np.uint64]
    """Counters for randomness, one an image of this part."""

    def __len__(self) -> int:
        return len(self.targets)

    def images(self, batch: NDArray[np.int64]) -> Tensor:
        """Return the images of a batch as they are stored, axes (image, channel, row, column)."""
        return torch.from_numpy(np.take(self.store, self.rows[batch], axis=0))

    def fractions(self, batch: NDArray[np.int64]) -> Tensor:
        """Return the images of a batch as float32 fractions of white."""
        return to_unit_range(self.images(batch))


def batches(n_images: int, batch_size: int, seed: int, epoch: int) -> Iterator[NDArray[np.int64]]:
    """Deal all images once, in an order of this epoch's own; the last batch is what is left.

    A single image left over shares with the batch before it, because batch normalisation needs two.
    """
    order = generator(seed, "order", epoch).permutation(n_images)
    ends = list(range(batch_size, n_images, batch_size))
    if n_images % batch_size == 1 and batch_size > 2 and ends:
        ends[-1] -= batch_size // 2
    yield from np.split(order, ends)


def in_order(n_images: int, batch_size: int) -> Iterator[NDArray[np.int64]]:
    """Deal all images once in their own order."""
    yield from np.split(np.arange(n_images), range(batch_size, n_images, batch_size))
