"""How much was drawn on one image: the area, volume, longest diameter or number of what counts."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from lucency.data.ground_truth.drawings.consensus import drawn_voxels
from lucency.data.ground_truth.drawings.marks import Marks
from lucency.data.ground_truth.drawings.measuring import Spacing, longest_diameter_mm
from lucency.data.reading import RefusedImage

NO_SPACING, NOT_A_VOLUME = "E_NO_SPACING", "E_NOT_A_VOLUME"

Shape = tuple[int, int, int]


def amount_drawn(marks: Marks, measure: str, shape: Shape, spacing_mm: Spacing | None) -> float:
    """Return what the plan measures, in its own unit; 0 where nothing is drawn.

    What two marks share counts once. `spacing_mm` is that between slices, rows and columns.

    Raises:
        RefusedImage: the measure needs a spacing, or another number of dimensions.
    """
    return MEASURES[measure](marks, shape, spacing_mm)


def _area_pixels(marks: Marks, shape: Shape, _: Spacing | None) -> float:
    _refuse_volumes(shape)
    return float(_anything(marks, shape).sum())


def _area_mm2(marks: Marks, shape: Shape, spacing_mm: Spacing | None) -> float:
    _refuse_volumes(shape)
    _, row_mm, column_mm = _known(spacing_mm)
    return float(_anything(marks, shape).sum()) * row_mm * column_mm


def _volume_ml(marks: Marks, shape: Shape, spacing_mm: Spacing | None) -> float:
    if shape[0] == 1:
        raise RefusedImage(NOT_A_VOLUME)
    slice_mm, row_mm, column_mm = _known(spacing_mm)
    if slice_mm <= 0:
        raise RefusedImage(NO_SPACING)
    return float(_anything(marks, shape).sum()) * slice_mm * row_mm * column_mm / 1000


def _longest_mm(marks: Marks, shape: Shape, spacing_mm: Spacing | None) -> float:
    """Return the longest of all marks, each by itself; a box counts by its diagonal of pixels."""
    spacing_mm = _known(spacing_mm)
    each = [Marks((mask,)) for mask in marks.masks] + [Marks((), (box,)) for box in marks.boxes]
    drawn = [voxels for voxels in (_anything(one, shape) for one in each) if voxels.any()]
    return max((longest_diameter_mm(voxels, spacing_mm) for voxels in drawn), default=0.0)


def _count(marks: Marks, shape: Shape, _: Spacing | None) -> float:  # noqa: ARG001 - as all measures
    return float(sum(bool((mask.voxels >= 0.5).any()) for mask in marks.masks) + len(marks.boxes))


MEASURES: dict[str, Callable[[Marks, Shape, Spacing | None], float]] = {
    "area_pixels": _area_pixels,
    "area_mm2": _area_mm2,
    "volume_ml": _volume_ml,
    "longest_mm": _longest_mm,
    "count": _count,
}


def _anything(marks: Marks, shape: Shape) -> NDArray[np.bool_]:
    """Join all that is drawn."""
    voxels = [drawn_voxels(marks, name, shape) for name in set(marks.names)]
    return np.logical_or.reduce(voxels) if voxels else np.zeros(shape, bool)


def _refuse_volumes(shape: Shape) -> None:
    if shape[0] > 1:
        raise RefusedImage(NOT_A_VOLUME)


def _known(spacing_mm: Spacing | None) -> Spacing:
    if spacing_mm is None:
        raise RefusedImage(NO_SPACING)
    return spacing_mm
