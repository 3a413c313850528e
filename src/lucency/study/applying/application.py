"""How a finished study answers new images: what each task has to know first, and what it says of an image."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lucency.data.given import Given
from lucency.domain.cohort import CohortRow
from lucency.domain.volume import Volume
from lucency.study.stage import Stage, Study
from lucency.study.training import Task

APPLY, EXPORT = "apply", "export"
"""Stages that only look at a finished study: what new images are compared with, and its networks in other forms."""


@dataclass(frozen=True)
class NewImage:
    """An image that no study has seen, curated as those of the study were."""

    given: Given
    row: CohortRow
    """What its file says; patient, exam and series are hashes."""
    pixels: NDArray | Volume
    """At the plan's size, as the store holds it, axes (channel, row, column); or a whole volume, where the plan asks for that."""


@dataclass(frozen=True)
class Measured:
    """One number of an answer."""

    name: str
    """In words, for a structured report: "probability of pneumonia"."""
    value: float
    column: str
    """In the table: "p_pneumonia"."""
    unit: str = "1"
    """In UCUM: "1" for a plain number, "mm", "mL"."""


@dataclass(frozen=True)
class Answer:
    """What the networks say of one image, or of one finding in it."""

    words: str
    """The answer: "pneumonia"."""
    numbers: tuple[Measured, ...]
    finding: str = ""
    """Where several are asked at once."""
    basis: str = ""
    """How the numbers became the answer, in a few words."""
    files: tuple[Path, ...] = ()
    """Masks and the like, below the folder of the results."""


@dataclass(frozen=True)
class Application:
    """How the networks of one task answer."""

    task: Task
    prepare: Stage | None
    """Learns from the training and tuning parts what answers need beyond the weights, and what new images are compared with; done
    once for a study. None where nothing is compared."""
    answering: Callable[[Study], "Answering"]
    """Loads the networks."""


Answering = Callable[[Sequence[NewImage], Path], Sequence[Sequence[Answer]]]
"""(images, folder of the results) to the answers about each image."""


def stacked(images: Sequence[NewImage]) -> NDArray:
    """Return images as a store would hold them, uint8 or uint16, axes (image, channel, row, column)."""
    planes = [image.pixels for image in images if isinstance(image.pixels, np.ndarray)]
    deepest = max((one.dtype for one in planes), key=lambda dtype: dtype.itemsize)
    return np.stack([one if one.dtype == deepest else one.astype(deepest) * deepest.type(257) for one in planes])
