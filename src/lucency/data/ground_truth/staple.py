"""Make one mask of what several readers drew: STAPLE (Warfield, Zou and Wells 2004)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lucency.errors import SourceError

MOST_READERS = 64
MOST_ITERATIONS = 100_000
PRECISION = 1e-7
"""The estimate stands when no sensitivity or specificity moves by more."""
_COUNTED_DIRECTLY = 16
"""Readers up to which all patterns of votes fit into a table of counts."""


@dataclass(frozen=True)
class Staple:
    """The mask that several readers probably meant, and how well each of them drew it."""

    probability: NDArray[np.float32]
    """That a voxel belongs to the structure; axes (slice, row, column)."""
    sensitivity: NDArray[np.float64]
    """Of each reader, against the estimated truth; NaN where nothing was drawn by anybody."""
    specificity: NDArray[np.float64]
    """Of each reader; NaN where all drew everything."""
    n_iterations: int
    is_converged: bool


def staple(masks: NDArray[np.bool_]) -> Staple:
    """Estimate the true mask and each reader's sensitivity and specificity by expectation and maximisation.

    `masks`, axes (reader, slice, row, column). The prior is the mean share of the foreground over all voxels and readers,
    the same for each voxel, as in ITK. Voxels on which the readers voted alike are alike in every step; so the voxels are
    counted by their pattern of votes, the steps are taken on the counts, and the result is looked up.

    Raises:
        SourceError: there are more than 64 readers.
    """
    n_readers = len(masks)
    if n_readers > MOST_READERS:
        raise SourceError(f"STAPLE takes {MOST_READERS} readers of one image at most; there are {n_readers}.")
    codes, patterns, n_voxels = _patterns(masks)
    votes = (patterns[:, None] >> np.arange(n_readers, dtype=np.uint64) & np.uint64(1)).astype(float)
    probability = votes.mean(axis=1)
    prior = float(n_voxels @ probability / n_voxels.sum())
    sensitivity = specificity = np.full(n_readers, np.inf)
    n_iterations, is_converged = 0, False
    while not is_converged and n_iterations < MOST_ITERATIONS:
        before = np.concatenate([sensitivity, specificity])
        sensitivity = _mean(votes, n_voxels * probability)
        specificity = _mean(1 - votes, n_voxels * (1 - probability))
        probability = _posterior(votes, sensitivity, specificity, prior)
        change = np.abs(np.concatenate([sensitivity, specificity]) - before)
        n_iterations, is_converged = n_iterations + 1, not (change > PRECISION).any()
    return Staple(
        probability.astype(np.float32)[codes].reshape(masks.shape[1:]),
        sensitivity,
        specificity,
        n_iterations,
        is_converged,
    )


def _patterns(masks: NDArray[np.bool_]) -> tuple[NDArray, NDArray[np.uint64], NDArray[np.float64]]:
    """Return the pattern of votes of each voxel as a number, the votes of each pattern as bits, and how often it occurs."""
    n_readers = len(masks)
    kind = np.uint8 if n_readers <= 8 else np.uint16 if n_readers <= _COUNTED_DIRECTLY else np.uint64
    votes = np.zeros(masks[0].size, kind)
    for number, mask in enumerate(masks.reshape(n_readers, -1)):
        votes |= np.left_shift(mask, number, dtype=kind)
    if n_readers <= _COUNTED_DIRECTLY:
        n_voxels = np.bincount(votes, minlength=2**n_readers).astype(float)
        return votes, np.arange(2**n_readers, dtype=np.uint64), n_voxels
    patterns, codes, n_times = np.unique(votes, return_inverse=True, return_counts=True)
    return codes, patterns, n_times.astype(float)


def _mean(votes: NDArray[np.float64], weight: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the weighted mean over patterns for each reader; NaN where nothing has weight."""
    in_all = weight.sum()
    return weight @ votes / in_all if in_all > 0 else np.full(votes.shape[1], np.nan)


def _posterior(
    votes: NDArray[np.float64], sensitivity: NDArray[np.float64], specificity: NDArray[np.float64], prior: float
) -> NDArray[np.float64]:
    """Return the probability that a voxel with these votes is of the structure (equations 14 to 16)."""
    if not 0 < prior < 1:
        return np.full(len(votes), prior)
    if_inside = prior * np.where(votes == 1, sensitivity, 1 - sensitivity).prod(axis=1)
    if_outside = (1 - prior) * np.where(votes == 1, 1 - specificity, specificity).prod(axis=1)
    in_all = if_inside + if_outside
    return np.divide(if_inside, in_all, out=np.full(len(votes), 0.0), where=in_all > 0)
