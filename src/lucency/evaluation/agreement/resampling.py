"""Intervals by drawing patients with replacement, for whatever follows from sums over images.

Every coefficient of agreement is a function of a few sums: how often which levels met, how far readings lay apart. A
resample therefore needs no rows, only how often each patient is in. Patients whose images add up to the same are drawn
together by one binomial number, which is the same lottery at a fraction of the work.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from lucency.domain.estimate import Estimate
from lucency.evaluation.intervals import few_note, is_clustered, wilson
from lucency.randomness import generator

N_DRAWS = 2000

METHOD = f"BCa bootstrap over patients (Efron 1987), {N_DRAWS:,} draws"

_CHUNK = 4_000_000  # numbers held at once, so that memory stays small for any number of patients

Coefficient = Callable[[NDArray[np.float64]], NDArray[np.float64]]
"""Takes sums over images, axes (draw, sum), and returns one value a draw; NaN where it does not exist."""


@dataclass(frozen=True)
class Sums:
    """What each image adds, and the coefficient that follows from the sums."""

    name: str
    rows: NDArray[np.float64]
    """Axes (image, sum); images that add nothing are left out beforehand."""
    patients: NDArray[np.int64]
    """Code of each image's patient."""
    coefficient: Coefficient
    chance: Coefficient | None = None
    """Disagreement expected by chance, as a share of the greatest there can be; where agreement is perfect, the lower limit
    rests on it."""
    group: str = "all readers"
    note: str = ""
    if_undefined: str = ""
    """Why the coefficient does not exist, should it not."""


def estimate_from_sums(sums: Sums, level: float, seed: int) -> Estimate:
    """Estimate a coefficient with its interval over patients.

    BCa limits (Efron 1987). Where agreement is perfect no resample can differ; then the observed agreement gets Wilson's
    lower limit, each patient counted once, and the agreement expected by chance is held.
    """
    n_images = len(sums.rows)
    clustered = is_clustered(sums.patients)
    n_patients = int(np.unique(sums.patients).size)
    blank = Estimate(
        sums.name,
        None,
        None,
        None,
        n_images,
        "image",
        METHOD,
        level,
        part="all",
        group=sums.group,
        n_clusters=n_patients if clustered else None,
        note=sums.note,
    )
    total = sums.rows.sum(axis=0)[None]
    value = float(sums.coefficient(total)[0]) if n_images else np.nan
    if np.isnan(value):
        return replace(blank, note=_join(sums.if_undefined, sums.note))
    found = replace(blank, value=value, note=_join(sums.note, few_note(n_patients)))
    if n_patients == 1:
        return replace(found, note=_join(sums.note, "All images are of one patient: no interval can be given."))
    totals, n_alike = sums_by_patient(sums.rows, sums.patients)
    draws, left_out = draw_patients(
        lambda weights: sums.coefficient(weights @ totals), n_alike, f"{sums.name}, {sums.group}", seed
    )
    if n_alike.size > 1 and draws.size and np.ptp(draws) > 1e-12:
        low, high = bca_limits(value, draws, left_out, n_alike, level)
        return replace(found, low=low, high=high, note=_join(found.note, lost_note(draws.size)))
    if value < 1 - 1e-12 or sums.chance is None:
        return replace(found, note=_join(sums.note, "All resamples agree: no interval can be given."))
    observed = wilson(n_patients, n_patients, level).low
    low = 1 - (1 - observed) / float(sums.chance(total)[0])
    method = "Wilson 1927 on the observed agreement, each patient counted once, chance agreement held"
    return replace(found, low=low, high=1.0, method=method)


def sums_by_patient(
    rows: NDArray[np.float64], patients: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Add up the rows of each patient; return the different sums, axes (kind, sum), and how many patients have each.

    Rows are added in the order of their numbers, so that the order of the table cannot change a single bit.
    """
    order = np.lexsort((*rows.T, patients))
    starts = np.flatnonzero(np.diff(patients[order], prepend=-1))
    totals = np.add.reduceat(rows[order], starts)
    scale = np.abs(totals).max(axis=0)
    alike = np.round(totals / np.where(scale > 0, scale, 1), 12)  # the last digits are those of rounding
    _, places, n_alike = np.unique(alike, axis=0, return_index=True, return_counts=True)
    return totals[places], n_alike.astype(np.int64)


def draw_patients(
    statistic: Coefficient, n_alike: NDArray[np.int64], purpose: str, seed: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Evaluate a statistic on resampled patients and with one patient of each kind left out.

    `statistic` takes how often each kind of patient is in, axes (draw, kind). Returns the values of those resamples that
    have one, and one value for each kind.
    """
    random = generator(seed, purpose)
    n_patients = int(n_alike.sum())
    n_rows = max(1, _CHUNK // n_alike.size)
    drawn = [
        statistic(random.multinomial(n_patients, n_alike / n_patients, min(n_rows, N_DRAWS - start)).astype(np.float64))
        for start in range(0, N_DRAWS, n_rows)
    ]
    kinds = np.arange(n_alike.size)
    left_out = [
        statistic(n_alike - (kinds == kinds[start : start + n_rows, None])) for start in range(0, n_alike.size, n_rows)
    ]
    values = np.concatenate(drawn)
    return values[np.isfinite(values)], np.concatenate(left_out)


def bca_limits(
    value: float, draws: NDArray[np.float64], left_out: NDArray[np.float64], n_alike: NDArray[np.int64], level: float
) -> tuple[float, float]:
    """Compute the bias-corrected and accelerated limits (Efron 1987), acceleration by the jackknife over patients."""
    known = np.isfinite(left_out)
    weights = n_alike[known]
    apart = np.average(left_out[known], weights=weights) - left_out[known] if known.any() else np.zeros(1)
    spread = (weights * apart**2).sum()
    acceleration = (weights * apart**3).sum() / (6 * spread**1.5) if spread > 0 else 0.0
    # sums in another order differ in their last digit, which must not decide what is below
    is_equal = np.abs(draws - value) < 1e-9
    below = ((draws < value) & ~is_equal).mean() + is_equal.mean() / 2
    bias = ndtri(np.clip(below, 0.5 / draws.size, 1 - 0.5 / draws.size))
    z = bias + ndtri([(1 - level) / 2, (1 + level) / 2])
    low, high = np.quantile(draws, ndtr(bias + z / (1 - acceleration * z)))
    return min(float(low), value), max(float(high), value)


def lost_note(n_kept: int) -> str:
    """Say how many resamples had no value, else nothing."""
    lost = N_DRAWS - n_kept
    return f"{lost:,} of {N_DRAWS:,} resamples have no value and were left out." if lost else ""


def _join(*notes: str) -> str:
    return " ".join(note for note in notes if note)
