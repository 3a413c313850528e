"""The learning curve of training from scratch against transfer."""

from dataclasses import dataclass
from enum import StrEnum

from lucency.domain.estimate import Estimate
from lucency.domain.predictions import Predictions


class Way(StrEnum):
    """How a network begins."""

    SCRATCH = "scratch"
    TRANSFER = "transfer"


@dataclass(frozen=True)
class Answers:
    """What the networks said that learnt in one way from one number of patients: the same images in each repeat."""

    n_patients: int
    way: Way
    repeats: tuple[Predictions, ...]


@dataclass(frozen=True)
class CurvePoint:
    """Both ways at one number of training patients."""

    n_patients: int
    n_images: tuple[int, ...]
    """Images of these patients, in each repeat."""
    scratch: Estimate
    """Mean AUC over the repeats."""
    transfer: Estimate
    difference: Estimate
    """Transfer minus scratch."""
    scratch_repeats: tuple[float, ...]
    """AUC of each repeat."""
    transfer_repeats: tuple[float, ...]


@dataclass(frozen=True)
class Curve:
    """Everything that the page of a transfer curve shows."""

    title: str
    architecture: str
    weights: str
    """What the networks of the second way began with, in words."""
    n_trainable: dict[Way, int]
    """Parameters that learn."""
    n_parameters: int
    n_judged: int
    """Patients by whom the networks were judged."""
    epochs: int
    points: tuple[CurvePoint, ...]
