"""Measure what was drawn: voxels, area or volume, box, longest diameter."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import ConvexHull, QhullError
from scipy.spatial.distance import pdist

from lucency.data.ground_truth.drawings.marks import Marks
from lucency.domain.masks import Mask

Spacing = tuple[float, float, float]


@dataclass(frozen=True)
class DrawingRow:
    """One lesion or structure that somebody drew (`drawings.csv`)."""

    image_id: str
    structure: str
    number: int
    """Tells several of one structure in one image apart, from 1."""
    reader: str
    """Empty where one folder holds all drawings; "consensus" for the mask that counts where several readers drew."""
    n_voxels: int
    """Pixels or voxels; 0 where somebody looked and drew nothing."""
    area_mm2: str = ""
    """Of what was drawn on a picture; empty where the spacing is not known."""
    volume_mm3: str = ""
    """Of what was drawn on a volume."""
    left: str = ""
    """The box around it, in pixels; edges lie between pixels."""
    top: str = ""
    width: str = ""
    height: str = ""
    first_slice: str = ""
    """Slices of a volume that hold any of it, from 1."""
    last_slice: str = ""
    longest_mm: str = ""
    """Longest diameter within one slice."""


def measure(image_id: str, marks: Marks, spacing_mm: Spacing | None) -> Iterator[DrawingRow]:
    """Yield a row for each mask, then for each box."""
    for mask in marks.masks:
        yield _row_of(image_id, mask, spacing_mm)
    pixel_mm2 = spacing_mm[1] * spacing_mm[2] if spacing_mm else None
    numbers = {box.name: count(1 + sum(mask.name == box.name for mask in marks.masks)) for box in marks.boxes}
    for box in marks.boxes:
        yield DrawingRow(
            image_id,
            box.name,
            next(numbers[box.name]),
            box.reader,
            round(box.area),
            _written(box.area * pixel_mm2 if pixel_mm2 else None),
            **{side: _written(getattr(box, side)) for side in ("left", "top", "width", "height")},
        )


def _row_of(image_id: str, mask: Mask, spacing_mm: Spacing | None) -> DrawingRow:
    drawn = mask.voxels >= 0.5
    n_voxels = int(drawn.sum())
    row = DrawingRow(image_id, mask.name, mask.number, mask.reader, n_voxels)
    is_volume = len(drawn) > 1
    size_mm = float(np.prod(spacing_mm if is_volume else spacing_mm[1:])) * n_voxels if spacing_mm else None
    row = DrawingRow(
        *(image_id, mask.name, mask.number, mask.reader, n_voxels),
        area_mm2=_written(None if is_volume else size_mm),
        volume_mm3=_written(size_mm if is_volume else None),
    )
    if not n_voxels:
        return row
    slices, rows, columns = (np.flatnonzero(drawn.any(axis=axes)) for axes in ((1, 2), (0, 2), (0, 1)))
    longest = longest_diameter_mm(drawn, spacing_mm) if spacing_mm else None
    return DrawingRow(
        *(image_id, mask.name, mask.number, mask.reader, n_voxels, row.area_mm2, row.volume_mm3),
        *(str(columns[0]), str(rows[0]), str(columns[-1] - columns[0] + 1), str(rows[-1] - rows[0] + 1)),
        *((str(slices[0] + 1), str(slices[-1] + 1)) if is_volume else ("", "")),
        _written(longest),
    )


def longest_diameter_mm(drawn: NDArray[np.bool_], spacing_mm: Spacing) -> float:
    """Return the longest distance within one slice between two drawn pixels, their own extent included.

    The extent of a pixel is taken as the mean of its sides, which is exact for a row of square pixels.
    """
    pixel = np.array(spacing_mm[1:])
    return max(_spread(np.argwhere(slice_) * pixel) for slice_ in drawn if slice_.any()) + float(pixel.mean())


def _spread(points: NDArray[np.float64]) -> float:
    """Return the greatest distance between points; only corners of their hull can be the farthest."""
    if len(points) < 2:
        return 0.0
    try:
        points = points[ConvexHull(points).vertices]
    except QhullError:  # all lie on one line
        points = points[[*points.argmin(axis=0), *points.argmax(axis=0)]]
    return float(pdist(points).max())


def _written(value: float | None) -> str:
    return "" if value is None else f"{value:.6g}"
