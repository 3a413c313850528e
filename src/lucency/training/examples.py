"""Examples and targets of one part: a batch is an index into them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lucency.data.augmentation import to_unit_range
from lucency.randomness import generator

MOST_VALUES = 2**21
"""Pixels and voxels that are predicted at once: what a network makes of them takes a hundred times their memory."""

Augment = Callable[[Tensor, NDArray[np.uint64], int], Tensor]
"""(images as stored, sample keys, epoch) to changed images as fractions of white, of the same shape."""


class Examples(Protocol):
    """The labelled examples of one part, images or reports: what the loop asks of them."""

    @property
    def targets(self) -> Tensor:
        """Index of the class, axis (example); or of several findings 1, 0 or NaN (not known), axes (example, finding)."""

    @property
    def lessons(self) -> Tensor:
        """What training compares with: the targets, or the probability of each class where doubt shall teach too."""

    @property
    def sample_keys(self) -> NDArray[np.uint64]:
        """Counters for randomness, one an example."""

    def __len__(self) -> int: ...

    def stored(self, batch: NDArray[np.int64]) -> Tensor:
        """Return the examples of a batch as they are stored."""

    def inputs(self, batch: NDArray[np.int64]) -> Tensor:
        """Return what a network is shown of a batch."""

    def batches(self, batch_size: int, seed: int, epoch: int) -> Iterator[NDArray[np.int64]]:
        """Deal all examples once, in an order of this epoch's own."""

    def in_order(self, batch_size: int) -> Iterator[NDArray[np.int64]]:
        """Deal all examples once, in the order that is quickest to predict."""


@dataclass(frozen=True)
class ImageExamples:
    """The labelled images of one part, as rows of the store."""

    store: NDArray
    """All images of the study, uint8 or uint16, axes (image, channel, row, column)."""
    rows: NDArray[np.int64]
    """Rows of the store that belong to this part."""
    targets: Tensor
    """As `Examples` says, the first axis being the image of this part."""
    sample_keys: NDArray[np.uint64]
    """Counters for randomness, one an image of this part."""
    soft: Tensor | None = None
    """Probability of each class, axes (image of this part, class), where readers who disagree shall teach their doubt."""

    @property
    def lessons(self) -> Tensor:
        """Return the targets, or the probabilities in their place."""
        return self.targets if self.soft is None else self.soft

    def __len__(self) -> int:
        return len(self.targets)

    def stored(self, batch: NDArray[np.int64]) -> Tensor:
        """Return the images of a batch as they are stored, axes (image, channel, row, column)."""
        return torch.from_numpy(np.take(self.store, self.rows[batch], axis=0))

    def inputs(self, batch: NDArray[np.int64]) -> Tensor:
        """Return the images of a batch as float32 fractions of white."""
        return to_unit_range(self.stored(batch))

    def batches(self, batch_size: int, seed: int, epoch: int) -> Iterator[NDArray[np.int64]]:
        """Deal all images once, in an order of this epoch's own."""
        return batches(len(self), batch_size, seed, epoch)

    def in_order(self, batch_size: int) -> Iterator[NDArray[np.int64]]:
        """Deal all images once in their own order, fewer at a time where they are large."""
        batch_size = min(batch_size, max(1, MOST_VALUES // int(np.prod(self.store.shape[1:]))))
        yield from np.split(np.arange(len(self)), range(batch_size, len(self), batch_size))


def batches(n_images: int, batch_size: int, seed: int, epoch: int) -> Iterator[NDArray[np.int64]]:
    """Deal all images once, in an order of this epoch's own; the last batch is what is left.

    A single image left over shares with the batch before it, because batch normalisation needs two.
    """
    order = generator(seed, "order", epoch).permutation(n_images)
    ends = list(range(batch_size, n_images, batch_size))
    if n_images % batch_size == 1 and batch_size > 2 and ends:
        ends[-1] -= batch_size // 2
    yield from np.split(order, ends)
