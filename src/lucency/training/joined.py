"""Images of several sources learnt from as one, with epochs of a fixed length."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lucency.data.augmentation import to_unit_range
from lucency.training.examples import ImageExamples, batches


@dataclass(frozen=True)
class JoinedImages:
    """Images of several stores, numbered one after the other.

    An epoch deals `n_an_epoch` of them, drawn anew each time, so that networks that learn from more images take no more steps.
    """

    sources: tuple[ImageExamples, ...]
    n_an_epoch: int

    @property
    def targets(self) -> Tensor:
        """Return the classes, axis (image)."""
        return torch.cat([source.targets for source in self.sources])

    @property
    def lessons(self) -> Tensor:
        """Return the targets: doubt does not teach here, because synthetic images have none."""
        return self.targets

    @property
    def sample_keys(self) -> NDArray[np.uint64]:
        """Return the counters of all images."""
        return np.concatenate([source.sample_keys for source in self.sources])

    def __len__(self) -> int:
        return self.n_an_epoch

    def stored(self, batch: NDArray[np.int64]) -> Tensor:
        """Return the images of a batch as they are stored, in its order."""
        ends = np.cumsum([len(source) for source in self.sources])
        owners = np.searchsorted(ends, batch, "right")
        parts = [
            source.stored(batch[owners == number] - (end - len(source)))
            for number, (source, end) in enumerate(zip(self.sources, ends, strict=True))
        ]
        places = np.concatenate([np.flatnonzero(owners == number) for number in range(len(self.sources))])
        return torch.cat(parts)[torch.from_numpy(np.argsort(places))]

    def inputs(self, batch: NDArray[np.int64]) -> Tensor:
        """Return the images of a batch as float32 fractions of white."""
        return to_unit_range(self.stored(batch))

    def batches(self, batch_size: int, seed: int, epoch: int) -> Iterator[NDArray[np.int64]]:
        """Deal as many images as an epoch has, drawn from all of them."""
        n_images = sum(map(len, self.sources))
        drawn = np.concatenate(list(batches(n_images, n_images, seed, epoch)))[: self.n_an_epoch]
        for places in batches(self.n_an_epoch, batch_size, seed, epoch):
            yield drawn[places]

    def in_order(self, batch_size: int) -> Iterator[NDArray[np.int64]]:
        """Deal all images once in their own order."""
        n_images = sum(map(len, self.sources))
        yield from np.split(np.arange(n_images), range(batch_size, n_images, batch_size))
