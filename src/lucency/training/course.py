"""The nouns of training: what is learnt from, by whom, and how far it has come."""

import sys
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from lucency.domain.training_plan import Training
from lucency.training.cost import Cost
from lucency.training.device import Device
from lucency.training.examples import Augment, Examples

Score = Callable[[NDArray, NDArray[np.float64]], float]
"""(targets, probabilities) to a number that is larger when the network is better."""


@dataclass(frozen=True)
class Course:
    """Everything that one member of the ensemble learns from."""

    title: str
    settings: Training
    training: Examples
    tuning: Examples
    n_classes: int
    """Classes, or findings where several are asked at once: the numbers that the network gives for one example."""
    augment: Augment | None
    score: Score
    """The measure that chooses the best epoch on the tuning part, unless the plan lets the cost choose."""
    seed: int
    key: str
    """Names the settings and data that a checkpoint belongs to."""


@dataclass(frozen=True)
class Epoch:
    """One line of the history."""

    epoch: int
    learning_rate: float
    """At the end of the epoch."""
    training_cost: float
    """Mean over the images as they were trained on, augmented."""
    tuning_cost: float
    tuning_auc: float
    n_iterations: int
    """Iterations since the beginning of training."""
    seconds: float


@dataclass(frozen=True)
class Position:
    """Where training stands; with the tensors of network and optimizer, all that a resumed run needs."""

    epoch: int = 0
    batch: int = 0
    cost_sum: float = 0.0
    """Sum of the cost over the images of this epoch so far."""
    n_images: int = 0
    history: tuple[Epoch, ...] = ()
    best_epoch: int = 0
    """Counted from 1; 0 before the first."""
    best_score: float = -sys.float_info.max  # JSON knows no infinity
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
    cost_of: Cost
    course: Course
