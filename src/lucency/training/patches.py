"""Patches cut out of images and their label maps: what a network learns to outline from.

Where a patch lies is a function of (seed, epoch, patch) alone. A share of them is cut around a voxel of a structure, so that
small structures are met often enough (Isensee 2021).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lucency.randomness import sample_keys, uniforms
from lucency.training.examples import batches

_MOST_PLACES = 10_000
"""Voxels of a structure that are remembered as centres of patches."""


@dataclass(frozen=True)
class Cases:
    """Images with their label maps on the grid that networks work on."""

    image_ids: tuple[str, ...]
    images: Sequence[NDArray]
    """uint8 or uint16, axes (channel, [slice,] row, column) each; 0 is black, the largest value of the type is white."""
    labels: Sequence[NDArray[np.uint8]]
    """Axes ([slice,] row, column) each; 0 is the background."""

    def __len__(self) -> int:
        return len(self.image_ids)


@dataclass(frozen=True)
class Cutting:
    """How patches are cut."""

    size: tuple[int, ...]
    """([slice,] row, column)."""
    n_per_image: int
    """In one epoch."""
    foreground: float
    """Share that is cut around a voxel of a structure."""
    seed: int


@dataclass(frozen=True)
class Patches:
    """A deck of patches: several of each image an epoch."""

    cases: Cases
    cutting: Cutting

    def __len__(self) -> int:
        return len(self.cases) * self.cutting.n_per_image

    def batches(self, batch_size: int, seed: int, epoch: int) -> Iterator[NDArray[np.int64]]:
        """Deal all patches once, in an order of this epoch's own."""
        return batches(len(self), batch_size, seed, epoch)

    @cached_property
    def keys(self) -> NDArray[np.uint64]:
        """Counters for randomness, one a patch."""
        n = self.cutting.n_per_image
        return sample_keys([f"{image_id}/{number}" for image_id in self.cases.image_ids for number in range(n)])

    def cut(self, batch: NDArray[np.int64], epoch: int) -> tuple[Tensor, Tensor]:
        """Return the patches of a batch as stored, axes (patch, channel, [slice,] row, column), and their label maps."""
        draws = uniforms(self.cutting.seed, "patches", epoch, self.keys[batch], len(self.cutting.size) + 3)
        corners = [self._corner(int(number), draw) for number, draw in zip(batch, draws, strict=True)]
        size, numbers = self.cutting.size, batch // self.cutting.n_per_image
        images = [cut_out(self.cases.images[i], at, size) for i, at in zip(numbers, corners, strict=True)]
        labels = [cut_out(self.cases.labels[i], at, size) for i, at in zip(numbers, corners, strict=True)]
        return torch.from_numpy(np.stack(images)), torch.from_numpy(np.stack(labels))

    def _corner(self, number: int, draw: NDArray[np.float64]) -> list[int]:
        """Choose where a patch begins; along an axis on which the image is smaller, it lies in the middle."""
        case = number // self.cutting.n_per_image
        shape, places = self.cases.labels[case].shape, self._places[case]
        if draw[0] < self.cutting.foreground and places:
            of_structure = places[int(draw[1] * len(places))]
            centre = np.unravel_index(of_structure[int(draw[2] * len(of_structure))], shape)
            wanted = [int(c) - side // 2 for c, side in zip(centre, self.cutting.size, strict=True)]
        else:
            free = [n - side + 1 for n, side in zip(shape, self.cutting.size, strict=True)]
            wanted = [int(u * n) for u, n in zip(draw[3:], free, strict=True)]
        return [
            min(max(begin, 0), n - side) if n >= side else -((side - n) // 2)
            for begin, n, side in zip(wanted, shape, self.cutting.size, strict=True)
        ]

    @cached_property
    def _places(self) -> list[list[NDArray[np.int64]]]:
        """Return, for each image, voxels of each structure that is there, evenly taken from all of them."""
        return [_places_in(labels) for labels in self.cases.labels]


def cut_out(values: NDArray, corner: Sequence[int], size: Sequence[int]) -> NDArray:
    """Cut a patch out of the last axes of an array; what lies outside is 0."""
    n_before = values.ndim - len(size)
    cut = np.zeros((*values.shape[:n_before], *size), values.dtype)
    whole = (slice(None),) * n_before
    into, of = [], []
    for begin, side, n in zip(corner, size, values.shape[n_before:], strict=True):
        first, last = max(begin, 0), min(begin + side, n)
        of.append(slice(first, last))
        into.append(slice(first - begin, last - begin))
    cut[(*whole, *into)] = values[(*whole, *of)]
    return cut


def _places_in(labels: NDArray[np.uint8]) -> list[NDArray[np.int64]]:
    drawn = np.flatnonzero(labels)
    values = labels.reshape(-1)[drawn]
    of_each = (drawn[values == structure] for structure in np.unique(values))
    return [places[:: -(-len(places) // _MOST_PLACES)] for places in of_each]
