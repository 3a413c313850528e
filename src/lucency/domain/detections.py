"""Lesions that are there, and marks that networks set, on the grid of the plan."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Edges = tuple[float, float, float, float]
"""Left, top, right and bottom in pixels; edges lie between pixels, the first pixel reaches from 0 to 1."""
Runs = tuple[int, ...]
"""Lengths of runs down the columns of a mask, beginning with background (COCO's counts)."""


@dataclass(frozen=True)
class Lesion:
    """One lesion of the ground truth."""

    kind: str
    """What it is: "mass", "left lung"."""
    edges: Edges
    runs: Runs | None = None
    """Its pixels; None where only its box is known."""


@dataclass(frozen=True)
class Mark:
    """One place where a network says that a lesion is."""

    kind: str
    score: float
    """From 0 to 1."""
    edges: Edges
    runs: Runs | None = None


@dataclass(frozen=True)
class Detections:
    """What one member, or the ensemble, marked in the images of one part, beside the lesions that are there."""

    part: str
    member: str
    """"member-0" … or "ensemble"."""
    kinds: tuple[str, ...]
    """The kinds of lesions that are looked for."""
    shape: tuple[int, int]
    """Rows and columns of every image, as the network saw it."""
    image_ids: tuple[str, ...]
    patient_ids: tuple[str, ...]
    lesions: tuple[tuple[Lesion, ...], ...]
    """Of each image; empty where none is there."""
    marks: tuple[tuple[Mark, ...], ...]
    """Of each image, the highest score first."""

    def __len__(self) -> int:
        return len(self.image_ids)

    @property
    def n_lesions(self) -> int:
        """Lesions of all images."""
        return sum(map(len, self.lesions))

    @property
    def has_masks(self) -> bool:
        """Tell whether there are lesions, and every one of them and every mark has its pixels."""
        lesions = self.n_lesions > 0 and all(
            lesion.runs is not None for of_image in self.lesions for lesion in of_image
        )
        return lesions and all(mark.runs is not None for of_image in self.marks for mark in of_image)


def pixels_of(runs: Runs, shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Return the mask of runs, axes (row, column)."""
    return np.repeat(np.arange(len(runs)) % 2 == 1, runs).reshape(shape[::-1]).T
