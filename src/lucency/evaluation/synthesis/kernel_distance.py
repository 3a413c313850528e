"""How far two sets of images are apart as a whole: the kernel inception distance, KID (Bińkowski et al., ICLR 2018).

It is the squared maximum mean discrepancy (Gretton et al. 2012) with the kernel k(x, y) = (x · y / d + 1)³ on d features of
each image, estimated without bias: 0 in the mean where both sets come from one source, whatever their sizes, and so now and then
below 0. The features are here those of the study's own classifier, so that values compare within one study only.

Images of one patient are alike. They never make a pair, and the standard error leaves out one patient, or one synthetic image,
at a time (jackknife of a U-statistic of two samples; Arvesen 1969). Near 0 it is too large rather than too small, because the
statistic is degenerate there.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lucency.domain.estimate import Estimate
from lucency.evaluation.intervals import few_note, t_quantile
from lucency.evaluation.synthesis.pictures import Pictures

KID = "KID"
_METHOD = "unbiased MMD² with the cubic kernel (Bińkowski 2018), jackknife by patient (Arvesen 1969)"
_ROWS_AT_ONCE = 512


def kernel_distance(first: Pictures, second: Pictures) -> float:
    """Compute the KID of two sets of images."""
    return _left_out(first, second).value


def kernel_distance_estimate(first: Pictures, second: Pictures, level: float = 0.95) -> Estimate:
    """Estimate the KID of two sets of images, with its interval."""
    found = _left_out(first, second)
    return _with_interval(KID, found.value, (found.without_first, found.without_second), len(first), level)


def excess_estimate(made: Pictures, learnt: Pictures, unseen: Pictures, level: float = 0.95) -> Estimate:
    """Estimate how much farther from unseen real images the synthetic ones are than the real ones that were learnt from.

    Both distances are to the same unseen images, which the interval takes into account.
    """
    ours, floor = _left_out(made, unseen), _left_out(learnt, unseen)
    parts = (ours.without_first, -floor.without_first, ours.without_second - floor.without_second)
    return _with_interval("KID above the floor", ours.value - floor.value, parts, len(made), level)


def verdict_on_distance(made: Estimate, floor: Estimate, excess: Estimate, apart: Estimate) -> str:
    """Say in plain words whether synthetic images can be told from real ones, as a whole and (`apart`) one by one."""
    reached = f"KID {made.value:.3f} to the test part, where the training images reach {floor.value:.3f}"
    words = f"As a whole the synthetic images are no farther from real test images than training images are: {reached}."
    if excess.low is not None and excess.low > 0:
        words = (
            f"As a whole the synthetic images are farther from real ones than real ones are from each other: {reached}."
        )
    if apart.value is not None and apart.low is not None and apart.low > 0.5:
        words += (
            f" One by one, the most alike image tells whether an image is real in {apart.value:.0%} (50% is chance)."
        )
    return words


@dataclass(frozen=True)
class _LeftOut:
    """A distance, and what it is without each patient of the one set or the other, axis (patient)."""

    value: float
    without_first: NDArray[np.float64]
    without_second: NDArray[np.float64]


def _left_out(first: Pictures, second: Pictures) -> _LeftOut:
    alike_first, alike_second, across = _Within(first), _Within(second), _Across(first, second)
    return _LeftOut(
        alike_first.mean + alike_second.mean - 2 * across.mean,
        alike_first.without() + alike_second.mean - 2 * across.without(0),
        alike_first.mean + alike_second.without() - 2 * across.without(1),
    )


class _Within:
    """The mean kernel over all pairs of different patients in one set."""

    def __init__(self, pictures: Pictures) -> None:
        codes = np.unique(pictures.patients, return_inverse=True)[1]
        self._n_of = np.bincount(codes).astype(np.float64)
        sums = np.empty(len(pictures))
        for start in range(0, len(pictures), _ROWS_AT_ONCE):
            rows = slice(start, start + _ROWS_AT_ONCE)
            sums[rows] = (_kernel(pictures.numbers[rows], pictures.numbers) * (codes[rows, None] != codes)).sum(1)
        self._of_patient = np.bincount(codes, sums)
        self._total = sums.sum()
        self._n_pairs = self._n_of.sum() ** 2 - (self._n_of**2).sum()

    @property
    def mean(self) -> float:
        return float(self._total / self._n_pairs)

    def without(self) -> NDArray[np.float64]:
        """Return the mean without each patient, whose pairs stand in the sum twice."""
        n_pairs = self._n_pairs - 2 * self._n_of * (self._n_of.sum() - self._n_of)
        return (self._total - 2 * self._of_patient) / n_pairs


class _Across:
    """The mean kernel over all pairs of an image of the one set and one of the other."""

    def __init__(self, first: Pictures, second: Pictures) -> None:
        sums = np.zeros(len(second))
        of_first = np.empty(len(first))
        for start in range(0, len(first), _ROWS_AT_ONCE):
            kernel = _kernel(first.numbers[start : start + _ROWS_AT_ONCE], second.numbers)
            of_first[start : start + _ROWS_AT_ONCE] = kernel.sum(1)
            sums += kernel.sum(0)
        codes = [np.unique(pictures.patients, return_inverse=True)[1] for pictures in (first, second)]
        self._of_patient = [np.bincount(c, s) for c, s in zip(codes, (of_first, sums), strict=True)]
        self._n_of = [np.bincount(c) for c in codes]
        self._n_all = (len(first), len(second))
        self._total = sums.sum()

    @property
    def mean(self) -> float:
        return float(self._total / (self._n_all[0] * self._n_all[1]))

    def without(self, side: int) -> NDArray[np.float64]:
        """Return the mean without each patient of one side."""
        n_left = self._n_all[side] - self._n_of[side]
        return (self._total - self._of_patient[side]) / (n_left * self._n_all[1 - side])


def _kernel(first: NDArray[np.float64], second: NDArray[np.float64]) -> NDArray[np.float64]:
    return (first @ second.T / first.shape[1] + 1) ** 3


def _with_interval(
    name: str, value: float, left_out: tuple[NDArray[np.float64], ...], n_images: int, level: float
) -> Estimate:
    """Add up the jackknife variances of samples that were drawn apart."""
    variance = sum(float((len(part) - 1) / len(part) * ((part - part.mean()) ** 2).sum()) for part in left_out)
    fewest = min(map(len, left_out))
    reach = t_quantile(level, fewest - 1) * np.sqrt(variance)
    return Estimate(
        name=name,
        value=value,
        low=value - float(reach),
        high=value + float(reach),
        n=n_images,
        unit="image",
        method=_METHOD,
        level=level,
        note=few_note(fewest),
    )
