"""How far the masks of two readers overlap."""

from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from lucency.domain.estimate import Estimate
from lucency.evaluation.agreement.resampling import METHOD, bca_limits, draw_patients
from lucency.evaluation.agreement.votes import name_pair, undefined
from lucency.evaluation.intervals import few_note, is_clustered, patient_codes


class Overlap(StrEnum):
    """How the common part of two masks is measured, 0 to 1."""

    DICE = "Dice"
    """2 × common / (one + other) (Dice 1945)."""
    JACCARD = "Jaccard"
    """common / (one or other) (Jaccard 1912)."""


class Average(StrEnum):
    """How the overlaps of all images become one number."""

    MEAN = "mean"
    MEDIAN = "median"


@dataclass(frozen=True)
class DrawnPair:
    """What two readers drew in the images that both outlined."""

    readers: tuple[str, str]
    patient_ids: tuple[str, ...]
    """The patient of each image."""
    n_voxels: NDArray[np.int64]
    """Voxels of the first, of the second and common, axes (image, 3)."""


def count_voxels(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> tuple[int, int, int]:
    """Count the voxels of two masks on one grid, and the common ones."""
    return int(first.sum()), int(second.sum()), int((first & second).sum())


def overlap_of_masks(
    drawn: DrawnPair,
    overlap: Overlap = Overlap.DICE,
    average: Average = Average.MEDIAN,
    level: float = 0.95,
    seed: int = 0,
) -> Estimate:
    """Estimate the mean or median overlap of the masks of two readers; BCa limits over patients.

    Where both drew nothing there is no overlap to measure; those images are left out and counted in the note. Where one
    of them drew nothing the overlap is 0.
    """
    name, group = f"{average} {overlap}", name_pair(*drawn.readers)
    first, second, _ = drawn.n_voxels.reshape(-1, 3).T
    seen = (first > 0) | (second > 0)
    note = _count_empty(first, second)
    patients = patient_codes(drawn.patient_ids)[seen]
    values = measure_overlap(drawn.n_voxels[seen], overlap)
    if values.size == 0:
        return undefined(name, group, 0, level, f"No reader drew anything. {note}".strip())
    n_patients = np.unique(patients).size
    estimate = Estimate(
        name,
        float(np.mean(values) if average is Average.MEAN else np.median(values)),
        None,
        None,
        values.size,
        "image",
        METHOD,
        level,
        part="all",
        group=group,
        n_clusters=n_patients if is_clustered(patients) else None,
        note=f"{note} {few_note(n_patients)}".strip(),
    )
    return _with_limits(estimate, values, patients, average, seed)


def measure_overlap(n_voxels: NDArray[np.int64], overlap: Overlap) -> NDArray[np.float64]:
    """Compute the overlap of each image from its counts, axes (image, 3); one of the masks has to hold something."""
    first, second, common = n_voxels.reshape(-1, 3).T
    if overlap is Overlap.DICE:
        return 2 * common / (first + second)
    return common / (first + second - common)


def _with_limits(
    estimate: Estimate, values: NDArray[np.float64], patients: NDArray[np.int64], average: Average, seed: int
) -> Estimate:
    order = np.lexsort((patients, values))
    values, codes = values[order], np.unique(patients[order], return_inverse=True)[1]
    n_patients = int(codes.max()) + 1
    if n_patients == 1:
        return replace(
            estimate, note=f"{estimate.note} All images are of one patient: no interval can be given.".strip()
        )
    average_of = _weighted_mean if average is Average.MEAN else _weighted_median
    alone = np.ones(n_patients, np.int64)
    draws, left_out = draw_patients(
        lambda weights: average_of(values, weights[:, codes]), alone, f"{estimate.name}, {estimate.group}", seed
    )
    if np.ptp(draws) < 1e-12:
        return replace(estimate, note=f"{estimate.note} All resamples agree: no interval can be given.".strip())
    low, high = bca_limits(estimate.value or 0.0, draws, left_out, alone, estimate.level)
    return replace(estimate, low=low, high=high)


def _weighted_mean(values: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    return weights @ values / weights.sum(axis=1)


def _weighted_median(values: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Compute medians of sorted values that count several times, axes (value,) and (draw, value)."""
    reached = np.cumsum(weights, axis=1)
    half = reached[:, -1:] / 2
    lower, upper = (reached >= half).argmax(axis=1), (reached > half).argmax(axis=1)
    return (values[lower] + values[upper]) / 2


def _count_empty(first: NDArray[np.int64], second: NDArray[np.int64]) -> str:
    both, one = int(((first == 0) & (second == 0)).sum()), int(((first == 0) ^ (second == 0)).sum())
    told = [f"{both:,} where both drew nothing left out"] if both else []
    told += [f"{one:,} where one drew nothing count as 0"] if one else []
    return f"Images: {', '.join(told)}." if told else ""
