"""What is measured of one structure in one image: overlap, distance of surfaces, size."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from lucency.evaluation.overlap.surfaces import (
    SurfaceDistances,
    average_distance,
    hausdorff_distance,
    surface_dice,
    surface_distances,
)


@dataclass(frozen=True, eq=False)
class Case:
    """One structure in one image: what was drawn and what was predicted, on the image's own grid."""

    image_id: str
    patient_id: str
    structure: str
    """"hippocampus, anterior", "lesion"."""
    truth: NDArray[np.bool_]
    """Axes (slice, row, column) or (row, column); one slice is judged as a picture, by its contours."""
    predicted: NDArray[np.bool_]
    """As `truth`."""
    spacing_mm: tuple[float, ...] | None
    """Distance of neighbours along each axis in millimetres; None where it is not known, then pixels are measured."""
    group: str = ""
    """Class or subgroup of the image, "malignant"; empty where there is none."""


class Emptiness(StrEnum):
    """Whether one of the masks, or both, hold nothing. Such cases are counted apart."""

    NONE = ""
    BOTH_EMPTY = "both empty"
    """Nothing was there and nothing was marked: right, but no overlap can be measured."""
    MISSED = "missed altogether"
    """Something was there and nothing was marked: the overlap is 0, and no distance can be measured."""
    FALSE_ALARM = "false alarm"
    """Nothing was there and something was marked."""


@dataclass(frozen=True)
class CaseResult:
    """The measurements of one case, as a row of a table. What cannot be measured is None, never 0 and never 1."""

    image_id: str
    patient_id: str
    structure: str
    group: str
    n_truth: int
    """Pixels or voxels, as is `n_predicted` and `n_common`."""
    n_predicted: int
    n_common: int
    truth_size: float
    """In `size_unit`, as is `predicted_size`."""
    predicted_size: float
    size_unit: str
    """"mm³" of volumes, "mm²" of pictures; "voxels" or "pixels" where the spacing is not known."""
    dice: float | None
    jaccard: float | None
    sensitivity: float | None
    """Share of the true voxels that were marked."""
    precision: float | None
    """Share of the marked voxels that are true."""
    hausdorff: float | None
    """In `distance_unit`, as are `hausdorff_95` and `average_surface_distance`."""
    hausdorff_95: float | None
    average_surface_distance: float | None
    surface_dice: float | None
    """Share of both surfaces that lies within `tolerance` of the other."""
    tolerance: float
    """In `distance_unit`."""
    distance_unit: str
    """"mm", or "pixels" where the spacing is not known."""

    @property
    def emptiness(self) -> Emptiness:
        """Say which of the masks hold nothing."""
        return _EMPTINESS[self.n_truth > 0, self.n_predicted > 0]

    @property
    def size_difference(self) -> float:
        """Predicted minus true, in `size_unit`."""
        return self.predicted_size - self.truth_size

    @property
    def relative_size_difference(self) -> float | None:
        """(predicted − true) / true; None where nothing was there."""
        return self.size_difference / self.truth_size if self.n_truth else None


_EMPTINESS = {
    (True, True): Emptiness.NONE,
    (True, False): Emptiness.MISSED,
    (False, True): Emptiness.FALSE_ALARM,
    (False, False): Emptiness.BOTH_EMPTY,
}


def measure_case(case: Case, tolerance: float = 1.0) -> CaseResult:
    """Measure how well one structure was found; `tolerance` in mm, or in pixels where the spacing is not known."""
    truth, predicted, spacing = _on_grid(case)
    n_truth, n_predicted, n_common = int(truth.sum()), int(predicted.sum()), int((truth & predicted).sum())
    voxel, size_unit, distance_unit = _units(truth.ndim, case.spacing_mm is not None, spacing)
    distances = surface_distances(truth, predicted, spacing) if n_truth and n_predicted else None
    return CaseResult(
        case.image_id,
        case.patient_id,
        case.structure,
        case.group,
        n_truth,
        n_predicted,
        n_common,
        n_truth * voxel,
        n_predicted * voxel,
        size_unit,
        dice=_share(2 * n_common, n_truth + n_predicted),
        jaccard=_share(n_common, n_truth + n_predicted - n_common),
        sensitivity=_share(n_common, n_truth),
        precision=_share(n_common, n_predicted),
        hausdorff=hausdorff_distance(distances) if distances else None,
        hausdorff_95=hausdorff_distance(distances, 0.95) if distances else None,
        average_surface_distance=average_distance(distances) if distances else None,
        surface_dice=_surface_dice(distances, tolerance, n_truth + n_predicted),
        tolerance=tolerance,
        distance_unit=distance_unit,
    )


def _on_grid(case: Case) -> tuple[NDArray[np.bool_], NDArray[np.bool_], tuple[float, ...]]:
    """Return both masks and the spacing; a stack of one slice becomes a picture."""
    truth, predicted = np.asarray(case.truth, bool), np.asarray(case.predicted, bool)
    assert truth.shape == predicted.shape, "truth and prediction lie on different grids"
    spacing = case.spacing_mm or (1.0,) * truth.ndim
    if truth.ndim == 3 and truth.shape[0] == 1:
        return truth[0], predicted[0], spacing[-2:]
    return truth, predicted, spacing


def _units(n_axes: int, is_known: bool, spacing: tuple[float, ...]) -> tuple[float, str, str]:
    """Return the size of one pixel or voxel, its unit, and the unit of distances."""
    if not is_known:
        return 1.0, "voxels" if n_axes == 3 else "pixels", "pixels"
    return float(np.prod(spacing)), "mm³" if n_axes == 3 else "mm²", "mm"


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _surface_dice(distances: SurfaceDistances | None, tolerance: float, n_any: int) -> float | None:
    """Return 0 where only one of the masks holds something: none of its surface is near the other's."""
    if distances is not None:
        return surface_dice(distances, tolerance)
    return 0.0 if n_any else None
