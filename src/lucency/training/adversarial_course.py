"""The nouns of two networks that compete: what they learn from, by whom they are judged, and how far they have come."""

import sys
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from lucency.domain.synthesis_plan import Synthesis
from lucency.domain.training_plan import Training
from lucency.training.device import Device
from lucency.training.examples import ImageExamples

Judge = Callable[[nn.Module, Device], float]
"""Measures how far a generator's images are from those of the tuning part; the smaller, the better."""

Show = Callable[[nn.Module, Device, int], None]
"""Keeps a sheet of images that a generator makes of the same noise, after an epoch."""


@dataclass(frozen=True)
class Contest:
    """Everything that a generator and its discriminator learn from."""

    title: str
    settings: Synthesis
    training: Training
    """Where the arithmetic happens, and how often it is saved."""
    images: ImageExamples
    """Of the training part, with their classes."""
    n_classes: int
    """Classes that both networks are told; 0 where they are told none."""
    judge: Judge
    show: Show
    seed: int
    key: str
    """Names the settings and data that a checkpoint belongs to."""


@dataclass(frozen=True)
class Rivals:
    """The two networks with all that changes them, and the running mean of the generator."""

    generator: nn.Module
    discriminator: nn.Module
    average: nn.Module
    """Makes the images that are shown and kept."""
    generator_optimizer: torch.optim.Optimizer
    discriminator_optimizer: torch.optim.Optimizer
    device: Device


@dataclass(frozen=True)
class Round:
    """One epoch of the contest: a line of the history."""

    epoch: int
    generator_cost: float | None
    """Mean over the generator's steps; None where the epoch was too short for one."""
    discriminator_cost: float
    score_real: float
    """What the discriminator said of real images, in the mean: for `dcgan` a probability, for `wgan_gp` a score."""
    score_synthetic: float
    """What it said of synthetic ones."""
    tuning_kid: float
    """Kernel inception distance to the tuning part."""
    n_iterations: int
    """Steps of the discriminator since the beginning."""
    seconds: float


@dataclass(frozen=True)
class Tally:
    """Sums over the steps of an epoch so far."""

    n_steps: int = 0
    discriminator_cost: float = 0.0
    score_real: float = 0.0
    score_synthetic: float = 0.0
    n_generator_steps: int = 0
    generator_cost: float = 0.0


@dataclass(frozen=True)
class Standing:
    """Where the contest stands; with the tensors of the rivals, all that a resumed run needs."""

    epoch: int = 0
    tally: Tally = Tally()
    history: tuple[Round, ...] = ()
    best_epoch: int = 0
    """Counted from 1; 0 before the first."""
    best_kid: float = sys.float_info.max  # JSON knows no infinity
    seconds: float = 0.0


@dataclass(frozen=True)
class ContestOutcome:
    """A generator as it was in its best epoch, and how it came there."""

    history: tuple[Round, ...]
    best_epoch: int
    weights: dict[str, Tensor]
