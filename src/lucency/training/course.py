"""The nouns of training: what is learnt from, by whom, and how far it has come."""

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from lucency.domain.training_plan import Training
from lucency.training.device import Device
from lucency.training.freezing import Pace

Lesson = Callable[[NDArray[np.int64], int, torch.device], tuple[Any, Any]]
"""(batch, epoch, device) to what the network is shown of it, augmented, and what its answer is compared with."""

Cost = Callable[[nn.Module, Any, Any], Tensor]
"""(network, what it is shown, what its answer is compared with) to one number, a mean over the batch."""


class Deck(Protocol):
    """What is learnt from, dealt in batches of indices."""

    def __len__(self) -> int: ...

    def batches(self, batch_size: int, seed: int, epoch: int) -> Iterator[NDArray[np.int64]]:
        """Deal everything once, in an order of this epoch's own."""


@dataclass(frozen=True)
class Measure:
    """What is measured on the tuning part after each epoch, to choose the best one."""

    name: str
    """The field's standard term, for example "AUC"."""
    is_better_larger: bool = True


@dataclass(frozen=True)
class Judgement:
    """How a network stands on the tuning part."""

    cost: float
    measure: float


Judge = Callable[[nn.Module, Device], Judgement]
"""Lets a network answer the tuning part, without learning from it."""


@dataclass(frozen=True)
class Course:
    """Everything that one member of the ensemble learns from."""

    title: str
    settings: Training
    training: Deck
    lesson: Lesson
    cost: Cost
    judge: Judge
    measure: Measure
    """Chooses the best epoch, unless the plan lets the cost choose."""
    seed: int
    key: str
    """Names the settings and data that a checkpoint belongs to."""
    paces: Callable[[nn.Module], Sequence[Pace]] = lambda _: ()
    """Tells which layers of a network learn when, and how fast; where it names none, all of it learns from the beginning."""


@dataclass(frozen=True)
class Epoch:
    """One line of the history."""

    epoch: int
    learning_rate: float
    """At the end of the epoch."""
    training_cost: float
    """Mean over the examples as they were trained on, augmented."""
    tuning_cost: float
    tuning_measure: float
    """What `outcome.json` names, for example the AUC."""
    n_iterations: int
    """Iterations since the beginning of training."""
    seconds: float


@dataclass(frozen=True)
class Position:
    """Where training stands; with the tensors of network and optimizer, all that a resumed run needs."""

    epoch: int = 0
    batch: int = 0
    cost_sum: float = 0.0
    """Sum of the cost over the examples of this epoch so far."""
    n_examples: int = 0
    history: tuple[Epoch, ...] = ()
    best_epoch: int = 0
    """Counted from 1; 0 before the first."""
    best_score: float = -sys.float_info.max  # JSON knows no infinity
    """The larger, the better."""
    stopped_because: str = ""
    seconds: float = 0.0


@dataclass(frozen=True)
class Outcome:
    """A trained member: its history, and the weights of its best epoch."""

    history: tuple[Epoch, ...]
    best_epoch: int
    stopped_because: str
    weights: dict[str, Tensor]


@dataclass(frozen=True)
class Learner:
    """A network with all that changes it."""

    network: nn.Module
    optimizer: torch.optim.Optimizer
    device: Device
    course: Course
