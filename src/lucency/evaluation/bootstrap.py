"""Resampling of patients, never of images (Efron & Tibshirani 1993)."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from lucency.randomness import generator

N_RESAMPLES = 2000

_CHUNK = 2_000_000  # numbers held at once, so that memory stays small for any number of images


def resampled_weights(
    positive: NDArray[np.bool_], patients: NDArray[np.int64], purpose: str, seed: int, n_resamples: int = N_RESAMPLES
) -> Iterator[NDArray[np.int32]]:
    """Draw patients with replacement and yield how often each image is in, axes (resample, image), chunk by chunk.

    Patients with a positive image and patients without are drawn apart, so that their numbers stay as they are. Every
    image of a patient is drawn together.
    """
    random = generator(seed, purpose)
    codes = np.unique(patients, return_inverse=True)[1]
    n_patients = int(codes.max()) + 1
    has_positive = np.bincount(codes, positive, minlength=n_patients) > 0
    n_rows = max(1, _CHUNK // positive.size)
    for start in range(0, n_resamples, n_rows):
        rows = min(n_rows, n_resamples - start)
        counts = np.zeros((rows, n_patients), np.int32)
        for stratum in (np.flatnonzero(has_positive), np.flatnonzero(~has_positive)):
            drawn = random.integers(0, max(1, stratum.size), (rows, stratum.size))
            cells = drawn + np.arange(rows)[:, None] * stratum.size
            counts[:, stratum] = np.bincount(cells.ravel(), minlength=cells.size).reshape(cells.shape)
        yield counts[:, codes]


def portions(weights: NDArray[np.int32], n_columns: int) -> Iterator[NDArray[np.float64]]:
    """Cut a chunk of resamples, axes (resample, image), so that few numbers are held where each resample needs many columns."""
    n_rows = max(1, _CHUNK // max(1, n_columns))
    for start in range(0, len(weights), n_rows):
        yield weights[start : start + n_rows].astype(np.float64)
