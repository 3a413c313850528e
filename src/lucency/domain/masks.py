"""Where in an image something is: masks and boxes that people drew."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Mask:
    """The voxels of one structure or lesion, on the grid of its image."""

    name: str
    """What it is: "pneumonia", "left lung"."""
    voxels: NDArray
    """bool, or float32 from 0 to 1 where the mask is fractional; axes (slice, row, column)."""
    number: int = 1
    """Tells several lesions of one name in one image apart, from 1."""
    reader: str = ""
    """Who drew it, where that is known."""


@dataclass(frozen=True)
class Box:
    """A rectangle around one lesion in a two-dimensional image, in pixels; edges lie between pixels, as in COCO."""

    name: str
    left: float
    top: float
    width: float
    height: float
    reader: str = ""

    @property
    def area(self) -> float:
        """Square pixels."""
        return self.width * self.height


Points = NDArray[np.float64]
"""Corners of a polygon, axes (point, (column, row)) in pixels; the centre of the first pixel is at 0.5, 0.5."""


@dataclass(frozen=True)
class ImageGrid:
    """The grid of an image that whatever was drawn on it has to fit."""

    shape: tuple[int, int, int]
    """Slices, rows and columns; one slice for a single image."""
    affine: NDArray[np.float64] | None = None
    """As in `Volume`: index (slice, row, column, 1) to millimetres, RAS+; None where the file does not tell."""
    instance_uids: tuple[str, ...] = ()
    """SOP Instance UID of each slice, in the order of the slices; empty where the image is not DICOM."""
    frame_of_reference_uid: str = ""
    """Tells whether two objects speak of one coordinate system; empty where the image is not DICOM."""
    has_added_slices: bool = False
    """True where the slices lay at uneven distances, and others were interpolated between them that nobody drew on."""
