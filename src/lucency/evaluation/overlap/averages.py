"""Mean, median and quartiles over cases, with intervals from resampled patients."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from lucency.domain.estimate import Estimate
from lucency.evaluation.agreement.resampling import METHOD, N_DRAWS, bca_limits, lost_note
from lucency.evaluation.bootstrap import resampled_weights
from lucency.evaluation.intervals import few_note, is_clustered

_CHUNK = 2_000_000  # numbers held at once


@dataclass(frozen=True)
class Column:
    """One measurement of all images."""

    name: str
    values: NDArray[np.float64]
    """Axes (image, structure); NaN where there is none."""
    note: str = ""


@dataclass(frozen=True)
class Average:
    """One number for many."""

    name: str
    of: Callable[[NDArray[np.float64], NDArray], NDArray[np.float64]]
    """Takes values, axes (image, structure), and how often each image counts, axes (resample, image); returns one number a
    resample, NaN where there is none."""


def estimate_averages(
    wanted: Sequence[tuple[Column, Average]],
    patients: NDArray[np.int64],
    group: str,
    level: float,
    seed: int,
) -> list[Estimate]:
    """Estimate averages of columns; BCa limits (Efron 1987), patients drawn with all their images.

    All of them rest on the same resamples.
    """
    if patients.size == 0:
        return [_blank(column, average, patients, group, level) for column, average in wanted]
    one_stratum = np.zeros(patients.size, bool)
    resamples = resampled_weights(one_stratum, patients, f"averages, {group}", seed, N_DRAWS)
    values = _evaluate(wanted, [np.ones((1, patients.size))])[:, 0]
    draws, left_out = _evaluate(wanted, resamples), _evaluate(wanted, _each_patient_left_out(patients))
    found = []
    for (column, average), value, drawn, left in zip(wanted, values, draws, left_out, strict=True):
        estimate = _blank(column, average, patients, group, level)
        found.append(estimate if np.isnan(value) else _with_limits(replace(estimate, value=float(value)), drawn, left))
    return found


def _evaluate(wanted: Sequence[tuple[Column, Average]], weights: Iterable[NDArray]) -> NDArray[np.float64]:
    """Compute every average of every column under all weights, axes (wanted, resample)."""
    return np.concatenate(
        [np.stack([average.of(column.values, chunk) for column, average in wanted]) for chunk in weights], axis=1
    )


def _each_patient_left_out(patients: NDArray[np.int64]) -> Iterator[NDArray[np.int32]]:
    codes = np.unique(patients)
    n_rows = max(1, _CHUNK // patients.size)
    for start in range(0, codes.size, n_rows):
        yield (codes[start : start + n_rows, None] != patients).astype(np.int32)


def _blank(column: Column, average: Average, patients: NDArray[np.int64], group: str, level: float) -> Estimate:
    measured = np.isfinite(column.values).any(axis=1)
    n_patients = np.unique(patients[measured]).size
    return Estimate(
        f"{average.name} {column.name}",
        None,
        None,
        None,
        int(measured.sum()),
        "image",
        METHOD,
        level,
        group=group,
        n_clusters=n_patients if is_clustered(patients[measured]) else None,
        note=f"{column.note} {few_note(n_patients) if n_patients else 'No case has this value.'}".strip(),
    )


def _with_limits(estimate: Estimate, draws: NDArray[np.float64], left_out: NDArray[np.float64]) -> Estimate:
    value = estimate.value or 0.0
    kept = draws[np.isfinite(draws)]
    if estimate.n == 1 or estimate.n_clusters == 1:
        return replace(estimate, note=f"{estimate.note} All images are of one patient: no interval can be given.")
    if np.ptp(kept) < 1e-12:
        return replace(estimate, note=f"{estimate.note} All resamples agree: no interval can be given.".strip())
    low, high = bca_limits(value, kept, left_out, np.ones(left_out.size, np.int64), estimate.level)
    return replace(estimate, low=low, high=high, note=f"{estimate.note} {lost_note(kept.size)}".strip())


def _mean(values: NDArray[np.float64], weights: NDArray) -> NDArray[np.float64]:
    """Average over images, then over structures."""
    known = np.isfinite(values).astype(np.float64)
    with np.errstate(invalid="ignore"):
        return (weights @ np.nan_to_num(values) / (weights @ known)).mean(axis=1)


def _quantile(values: NDArray[np.float64], weights: NDArray, share: float) -> NDArray[np.float64]:
    """Interpolate between the two values beside a quantile (type 7 of Hyndman & Fan 1996); one structure only."""
    order = np.argsort(values[:, 0])[: np.isfinite(values).sum()]  # what is not a number is sorted to the end
    if order.size == 0:
        return np.full(len(weights), np.nan)
    ranked, reached = values[order, 0], np.cumsum(weights[:, order], axis=1)
    place = share * np.maximum(reached[:, -1:] - 1, 0)
    below, above = (ranked[(reached > end).argmax(axis=1)] for end in (np.floor(place), np.ceil(place)))
    between = below + (place % 1)[:, 0] * (above - below)
    return np.where(reached[:, -1] > 0, between, np.nan)


MEAN = Average("mean", _mean)
MEDIAN = Average("median", partial(_quantile, share=0.5))
QUARTILES = (
    Average("lower quartile of", partial(_quantile, share=0.25)),
    Average("upper quartile of", partial(_quantile, share=0.75)),
)
