"""Where slices lie in the patient: from positions and directions to the grid of a volume.

Positions are those of the header, in DICOM's patient coordinates (LPS: x to the patient's left, y to the back, z to the
head); affines are RAS+ as in NIfTI. Nothing here goes by the numbers or names of files.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lucency.data.dicom.header import numbers_in

Vector = NDArray[np.float64]

SAME_PLACE_MM = 0.01
"""Slices that are nearer to each other than this lie in the same place."""

ROUNDING = 0.02
"""Share of the distance between slices by which positions may miss the even grid: headers round."""

_SMALLEST_TILT = 1e-3
"""Drift of the slices across their normal, in millimetres per millimetre, below which it is rounding (0.06°)."""

_VISIBLE_DRIFT = 0.05
"""Drift in pixels over the whole stack below which nobody could see it."""

_WIDE_STEP = 1.5
"""A step that is wider than this many usual ones is a gap."""

_SHORTEST_RUN = 3
"""Steps of one width in a row that show a planned change of spacing, which a few lost slices do not."""

_ROUNDED_LENGTH = 1e-4
"""By how much a unit vector may miss its length because its parts were rounded; it is then used as it is written."""

_LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0])


@dataclass(frozen=True)
class Plane:
    """Where one slice lies."""

    position: Vector
    """Centre of the first pixel in millimetres, LPS."""
    along_row: Vector
    """Unit vector in which the column number grows."""
    along_column: Vector
    """Unit vector in which the row number grows."""
    row_mm: float
    """Distance between rows."""
    column_mm: float
    """Distance between columns."""

    @property
    def normal(self) -> Vector:
        """Unit vector through the slice."""
        normal = np.cross(self.along_row, self.along_column)
        return normal / np.linalg.norm(normal)

    def is_parallel_to(self, other: "Plane") -> bool:
        """Tell whether two slices have the same directions and pixel size, and so could be of one stack."""
        turn = max(np.abs(self.along_row - other.along_row).max(), np.abs(self.along_column - other.along_column).max())
        sizes = abs(self.row_mm / other.row_mm - 1), abs(self.column_mm / other.column_mm - 1)
        return bool(turn < 1e-3 and max(sizes) < 1e-3)


@dataclass(frozen=True)
class Grid:
    """The grid of a stack, and how its slices come onto it."""

    affine: NDArray[np.float64]
    """4×4 from (slice, row, column, 1) to millimetres, RAS+."""
    shifts: NDArray[np.float64] | None = None
    """Rows and columns by which each slice lies off the grid where the gantry was tilted, axes (slice, 2)."""
    distances: NDArray[np.float64] | None = None
    """Place of each slice in units of the grid's own step where the spacing was uneven, axis (slice)."""
    notes: tuple[str, ...] = ()


class NoGridError(Exception):
    """The slices do not form a stack; holds the code of the reason."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def plane_of(elements: Mapping[str, str], notes: list[str]) -> Plane | None:
    """Return where a slice lies; None where the header does not tell, or tells the impossible."""
    position = np.array(numbers_in(elements.get("ImagePositionPatient", ""), notes))
    directions = np.array(numbers_in(elements.get("ImageOrientationPatient", ""), notes))
    spacing = numbers_in(elements.get("PixelSpacing", ""), notes)
    if position.shape != (3,) or directions.shape != (6,) or len(spacing) != 2 or not min(spacing) > 0:
        return None
    if not max(spacing) < 1e4 or not np.abs(position).max() < 1e6:  # metres and kilometres are no patient
        return None
    along_row, along_column = directions[:3], directions[3:]
    lengths = np.linalg.norm(along_row), np.linalg.norm(along_column)
    if max(abs(length - 1) for length in lengths) > 0.01 or abs(along_row @ along_column) > 0.01:
        return None
    if max(abs(length - 1) for length in lengths) > _ROUNDED_LENGTH:
        along_row, along_column = along_row / lengths[0], along_column / lengths[1]
    return Plane(position, along_row, along_column, spacing[0], spacing[1])


def distances_mm(planes: Sequence[Plane]) -> NDArray[np.float64]:
    """Return how far each of parallel slices lies along their normal, axis (slice)."""
    return np.array([plane.position for plane in planes]) @ planes[0].normal


def is_even(places: NDArray[np.float64]) -> bool:
    """Tell whether slices lie at equal distances, up to the rounding of headers."""
    even = np.linspace(places[0], places[-1], len(places))
    allowed = max(SAME_PLACE_MM, ROUNDING * (places[-1] - places[0]) / (len(places) - 1))
    return bool(np.abs(places - even).max() <= allowed)


def single_grid(plane: Plane, elements: Mapping[str, str]) -> Grid:
    """Return the grid of a single slice, as thick as the header says."""
    notes: list[str] = []
    numbers = numbers_in(elements.get("SliceThickness", ""), notes)
    is_known = len(numbers) == 1 and 0 < numbers[0] < 1e4
    if not is_known:
        notes.append("N_NO_THICKNESS")
    return Grid(_affine(plane, plane.normal * (numbers[0] if is_known else 1.0)), notes=tuple(notes))


def grid_of(planes: Sequence[Plane]) -> Grid:
    """Return the grid of two or more parallel slices, ordered along their normal, each in a place of its own.

    Raises:
        NoGridError: slices are missing, or do not stand above one another.
    """
    first, positions = planes[0], np.array([plane.position for plane in planes])
    places = positions @ first.normal
    drift = _drift(planes, positions, places)
    if drift is None and is_even(places):
        return Grid(_affine(first, (positions[-1] - positions[0]) / (len(planes) - 1)))
    notes, origin, distances, step_mm = [], first.position, None, float(np.mean(np.diff(places)))
    if not is_even(places):
        step_mm = _step_of_uneven(places)
        distances = (places - places[0]) / step_mm
        notes.append("N_NONUNIFORM_RESAMPLED")
    if drift is not None:
        origin = origin + first.along_column * drift[:, 0].min() * first.row_mm
        origin = origin + first.along_row * drift[:, 1].min() * first.column_mm
        drift = drift - drift.min(axis=0)
        notes.append("N_TILT_RESAMPLED")
    affine = _affine(first, first.normal * step_mm, origin)
    return Grid(affine, drift, distances, tuple(notes))


def _affine(plane: Plane, step: Vector, origin: Vector | None = None) -> NDArray[np.float64]:
    affine = np.eye(4)
    directions = np.column_stack([step, plane.along_column * plane.row_mm, plane.along_row * plane.column_mm])
    affine[:3, :3] = _LPS_TO_RAS @ directions
    affine[:3, 3] = _LPS_TO_RAS @ (plane.position if origin is None else origin)
    return affine


def _drift(planes: Sequence[Plane], positions: NDArray[np.float64], places: NDArray[np.float64]) -> Vector | None:
    """Return by how many rows and columns each slice has moved across the normal; None where it is rounding.

    Raises:
        NoGridError: the slices do not lie on one line.
    """
    first = planes[0]
    across = positions - positions[0] - np.outer(places - places[0], first.normal)
    pixels = np.column_stack([across @ first.along_column / first.row_mm, across @ first.along_row / first.column_mm])
    is_rounding = np.abs(across).max() <= _SMALLEST_TILT * (places[-1] - places[0])
    if is_rounding or np.abs(pixels).max() <= _VISIBLE_DRIFT:
        return None
    share = (places - places[0]) / (places[-1] - places[0])
    if np.abs(pixels - np.outer(share, pixels[-1])).max() > 2 * _VISIBLE_DRIFT:
        raise NoGridError("E_TILT")
    return pixels


def _step_of_uneven(places: NDArray[np.float64]) -> float:
    """Return the step of an even grid for slices at uneven distances.

    Raises:
        NoGridError: slices are missing, so that there is nothing to fill the gap with.
    """
    steps = np.diff(places)
    usual = float(np.quantile(steps, 0.5, method="lower"))  # of two different steps the wide one is the gap
    changes = np.flatnonzero(np.abs(np.diff(steps)) > max(2 * SAME_PLACE_MM, 2 * ROUNDING * usual))
    runs = np.split(steps, changes + 1)
    if len(runs) <= 3 and min(len(run) for run in runs) >= _SHORTEST_RUN:
        return min(float(np.mean(run)) for run in runs)
    if steps.max() > _WIDE_STEP * usual or steps.min() < usual / _WIDE_STEP:
        raise NoGridError("E_GAP")
    return usual
