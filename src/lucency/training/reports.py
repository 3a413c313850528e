"""Reports and targets of one part: a batch is an index into them, filled up to its longest report."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lucency.data.texts.store import TextStore
from lucency.randomness import generator

N_SORTED_TOGETHER = 16
"""Batches whose reports are dealt among each other by length: long ones beside long ones, and still by chance."""


@dataclass(frozen=True)
class ReportExamples:
    """The labelled reports of one part, as rows of the store."""

    store: TextStore
    numbers: NDArray[np.int64]
    """Word of the store → word of the vocabulary, which the training part has taught."""
    rows: NDArray[np.int64]
    """Rows of the store that belong to this part."""
    targets: Tensor
    """As `Examples` says, the first axis being the report of this part."""
    sample_keys: NDArray[np.uint64]
    """Counters for randomness, one a report of this part."""
    soft: Tensor | None = None
    """Probability of each class, axes (report of this part, class), where doubt shall teach too."""

    @property
    def lessons(self) -> Tensor:
        """Return the targets, or the probabilities in their place."""
        return self.targets if self.soft is None else self.soft

    def __len__(self) -> int:
        return len(self.rows)

    def words(self, number: int) -> NDArray[np.int64]:
        """Return the words of one report as numbers of the vocabulary."""
        return self.numbers[self.store.report(self.rows[number])]

    def stored(self, batch: NDArray[np.int64]) -> Tensor:
        """Return the words of a batch, axes (report, word), filled up with 0 behind the end of each report."""
        reports = [self.words(number) for number in batch]
        filled = np.zeros((len(reports), max(map(len, reports))), np.int64)
        for row, report in zip(filled, reports, strict=True):
            row[: len(report)] = report
        return torch.from_numpy(filled)

    def inputs(self, batch: NDArray[np.int64]) -> Tensor:
        """Return the words of a batch, as they are stored."""
        return self.stored(batch)

    def batches(self, batch_size: int, seed: int, epoch: int) -> Iterator[NDArray[np.int64]]:
        """Deal all reports once in an order of this epoch's own, reports of like length together."""
        random = generator(seed, "order", epoch)
        order = random.permutation(len(self))
        n_together = N_SORTED_TOGETHER * batch_size
        piles = np.split(order, range(n_together, len(order), n_together))
        order = np.concatenate([pile[np.argsort(self._lengths[pile], kind="stable")] for pile in piles])
        dealt = np.split(order, range(batch_size, len(order), batch_size))
        yield from (dealt[number] for number in random.permutation(len(dealt)))

    def in_order(self, batch_size: int) -> Iterator[NDArray[np.int64]]:
        """Deal all reports once from the shortest to the longest."""
        order = np.argsort(self._lengths, kind="stable")
        yield from np.split(order, range(batch_size, len(order), batch_size))

    @property
    def _lengths(self) -> NDArray[np.int64]:
        return (self.store.starts[1:] - self.store.starts[:-1])[self.rows]
