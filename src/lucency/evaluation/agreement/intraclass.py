"""Intraclass correlation: how much of the spread of measurements is that of the images and not of the readers."""

from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray
from scipy.special import fdtri

from lucency.domain.estimate import Estimate
from lucency.domain.readings import Readings
from lucency.evaluation.agreement.resampling import Sums, estimate_from_sums
from lucency.evaluation.agreement.votes import undefined
from lucency.evaluation.intervals import Interval, is_clustered, patient_codes


class IccForm(StrEnum):
    """The six forms of Shrout and Fleiss (1979), with the names of McGraw and Wong (1996)."""

    ICC_1_1 = "ICC(1,1)"
    """Each image had other readers; one reading. McGraw and Wong: ICC(1)."""
    ICC_2_1 = "ICC(2,1)"
    """The readers stand for others, and are to agree in value; one reading. ICC(A,1)."""
    ICC_3_1 = "ICC(3,1)"
    """These readers only, and are to agree in order; one reading. ICC(C,1)."""
    ICC_1_K = "ICC(1,k)"
    """As ICC(1,1), for the mean of the readings. ICC(k)."""
    ICC_2_K = "ICC(2,k)"
    """As ICC(2,1), for the mean of the readers. ICC(A,k)."""
    ICC_3_K = "ICC(3,k)"
    """As ICC(3,1), for the mean of the readers. ICC(C,k)."""


_MEANING = {
    IccForm.ICC_1_1: "ICC(1): one-way random effects, a single reading.",
    IccForm.ICC_2_1: "ICC(A,1): two-way random effects, absolute agreement, a single reader.",
    IccForm.ICC_3_1: "ICC(C,1): two-way mixed effects, consistency, a single reader.",
    IccForm.ICC_1_K: "ICC(k): one-way random effects, the mean of {k} readings.",
    IccForm.ICC_2_K: "ICC(A,k): two-way random effects, absolute agreement, the mean of {k} readers.",
    IccForm.ICC_3_K: "ICC(C,k): two-way mixed effects, consistency, the mean of {k} readers.",
}


def intraclass_correlation(
    readings: Readings, form: IccForm = IccForm.ICC_2_1, level: float = 0.95, seed: int = 0
) -> Estimate:
    """Estimate the intraclass correlation over the images that all readers read.

    The intervals rest on F distributions (Shrout & Fleiss 1979; McGraw & Wong 1996, Satterthwaite's degrees of freedom
    for absolute agreement). Where a patient has several images these do not hold, and patients are resampled.
    """
    complete = ~np.isnan(readings.values).any(axis=1)
    values, n_readers = readings.values[complete], len(readings.readers)
    n_left_out = int((~complete).sum())
    note = _MEANING[form].format(k=n_readers)
    if n_left_out:
        note += f" {n_left_out:,} images that not all readers read were left out."
    if n_readers < 2 or len(values) < 2:
        why = "It needs two readers, and two images that all readers read."
        return undefined(form, "all readers", len(values), level, f"{why} {note}")
    patients = patient_codes(readings.patient_ids)[complete]
    # readers have no order, and neither have the sums around a fixed point
    values = values - np.median(values)
    total = values.sum(axis=1)
    sums = Sums(
        form,
        np.column_stack([np.ones(len(values)), total**2, (values**2).sum(axis=1), values]),
        patients,
        lambda totals: _correlation(_mean_squares(totals), form),
        note=note,
        if_undefined="All readings have one value: there is no spread to explain.",
    )
    if is_clustered(patients):
        return estimate_from_sums(sums, level, seed)
    squares = _mean_squares(sums.rows.sum(axis=0)[None])
    value = float(_correlation(squares, form)[0])
    if np.isnan(value):
        return undefined(form, "all readers", len(values), level, f"{sums.if_undefined} {note}")
    method = "F distribution (McGraw & Wong 1996)"
    group, n = "all readers", len(values)
    found = Estimate(form, value, None, None, n, "image", method, level, part="all", group=group, note=note)
    if squares.images[0] == 0:
        return replace(found, note=f"{note} All images have the same mean: no interval can be given.")
    low, high = _f_limits(squares, form, level)
    return replace(found, low=low, high=high)


@dataclass(frozen=True)
class _MeanSquares:
    """Analysis of variance of images and readers, axis (draw)."""

    n_images: NDArray[np.float64]
    n_readers: int
    images: NDArray[np.float64]
    readers: NDArray[np.float64]
    rest: NDArray[np.float64]
    within: NDArray[np.float64]
    """Readers and rest together: what is left between the readings of an image."""


def _mean_squares(totals: NDArray[np.float64]) -> _MeanSquares:
    """Split the spread; the sums are images, squared totals of images, squares, and the total of each reader."""
    n, image_squares, squares = totals[:, 0], totals[:, 1], totals[:, 2]
    by_reader = totals[:, 3:]
    k = by_reader.shape[1]
    centre = by_reader.sum(axis=1) ** 2 / (n * k)
    images = np.maximum(image_squares / k - centre, 0)
    readers = np.maximum((by_reader**2).sum(axis=1) / n - centre, 0)
    within = np.maximum(squares - image_squares / k, 0)
    rest = np.maximum(within - readers, 0)
    # equal readings leave a spread of rounding errors
    images, within, rest, readers = (
        np.where(part > 1e-13 * squares, part, 0) for part in (images, within, rest, readers)
    )
    freedom = np.where(n > 1, n - 1, np.nan)  # one image has no spread
    return _MeanSquares(n, k, images / freedom, readers / (k - 1), rest / (freedom * (k - 1)), within / (n * (k - 1)))


def _correlation(s: _MeanSquares, form: IccForm) -> NDArray[np.float64]:
    """Compute a form of the correlation, axis (draw); NaN where nothing varies."""
    n, k = s.n_images, s.n_readers
    error = s.within if form in (IccForm.ICC_1_1, IccForm.ICC_1_K) else s.rest
    bias = s.readers - s.rest if form in (IccForm.ICC_2_1, IccForm.ICC_2_K) else np.zeros_like(n)
    is_mean = form in (IccForm.ICC_1_K, IccForm.ICC_2_K, IccForm.ICC_3_K)
    spread = s.images + bias / n if is_mean else s.images + (k - 1) * error + k * bias / n
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(spread > 0, (s.images - error) / spread, np.nan)


def _f_limits(s: _MeanSquares, form: IccForm, level: float) -> Interval:
    """Compute the limits of one sample; those of a mean follow by the formula of Spearman and Brown."""
    k = s.n_readers
    if form in (IccForm.ICC_1_1, IccForm.ICC_1_K):
        single = _limits_of_ratio(s.images[0], s.within[0], s.n_images[0] - 1, s.n_images[0] * (k - 1), k, level)
    elif form in (IccForm.ICC_3_1, IccForm.ICC_3_K):
        df = s.n_images[0] - 1
        single = _limits_of_ratio(s.images[0], s.rest[0], df, df * (k - 1), k, level)
    else:
        single = _limits_of_agreement(s, level)
    if form in (IccForm.ICC_1_1, IccForm.ICC_2_1, IccForm.ICC_3_1):
        return single
    return Interval(*(k * limit / (1 + (k - 1) * limit) if 1 + (k - 1) * limit > 0 else -np.inf for limit in single))


def _limits_of_ratio(images: float, error: float, df_images: float, df_error: float, k: int, level: float) -> Interval:
    """Compute the exact limits of a form without readers' bias from the ratio of its mean squares."""
    if error == 0:
        return Interval(1.0, 1.0)
    tail = (1 + level) / 2
    low = images / error / fdtri(df_images, df_error, tail)
    high = images / error * fdtri(df_error, df_images, tail)
    return Interval(float((low - 1) / (low + k - 1)), float((high - 1) / (high + k - 1)))


def _limits_of_agreement(s: _MeanSquares, level: float) -> Interval:
    """Compute the limits of ICC(2,1) with Satterthwaite's degrees of freedom (McGraw & Wong 1996, table 7)."""
    n, k = s.n_images[0], s.n_readers
    images, readers, rest = s.images[0], s.readers[0], s.rest[0]
    value = float(_correlation(s, IccForm.ICC_2_1)[0])
    if value >= 1:
        return Interval(1.0, 1.0)
    a = k * value / (n * (1 - value))
    b = 1 + k * value * (n - 1) / (n * (1 - value))
    df = (a * readers + b * rest) ** 2 / ((a * readers) ** 2 / (k - 1) + (b * rest) ** 2 / ((n - 1) * (k - 1)))
    tail = (1 + level) / 2
    f_low, f_high = fdtri(n - 1, df, tail), fdtri(df, n - 1, tail)
    error = k * readers + (k * n - k - n) * rest
    # with hardly any degree of freedom the quantiles have no bound, and the limits are those of the formula
    low = n * (images - f_low * rest) / (f_low * error + n * images) if np.isfinite(f_low) else -n * rest / error
    high = n * (f_high * images - rest) / (error + n * f_high * images) if np.isfinite(f_high) else 1.0
    return Interval(float(low), float(high))
