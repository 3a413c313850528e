"""Sums of pairs of numbers, true and predicted, from which correlation and calibration follow draw by draw."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lucency.domain.measurements import Measurements
from lucency.evaluation.intervals import patient_codes

TINY = 1e-12
"""Share of the sum of squares below which a spread is but a rounding error."""


@dataclass(frozen=True)
class Pairs:
    """True and predicted numbers around one centre and in one scale, so that no draw loses digits."""

    rows: NDArray[np.float64]
    """What each image adds, axes (image, sum); see `Moments`."""
    patients: NDArray[np.int64]
    centre: float
    """In units of the study."""
    scale: float
    """Units of the study in one unit of the rows."""


@dataclass(frozen=True)
class Moments:
    """Count, means and mean squares about them, axis (draw)."""

    n: NDArray[np.float64]
    mean_truth: NDArray[np.float64]
    mean_predicted: NDArray[np.float64]
    truth: NDArray[np.float64]
    """Variance of the true numbers (divisor n)."""
    predicted: NDArray[np.float64]
    """Variance of the predicted numbers (divisor n)."""
    both: NDArray[np.float64]
    """Covariance (divisor n)."""

    @property
    def shift(self) -> NDArray[np.float64]:
        """Mean prediction minus mean truth."""
        return self.mean_predicted - self.mean_truth


def pairs_of(predictions: Measurements) -> Pairs:
    """Lay out the pairs of a part."""
    truth, predicted = predictions.truth, predictions.predicted
    centre = float(np.median(truth)) if truth.size else 0.0
    scale = float(max(np.abs(truth - centre).max(initial=0), np.abs(predicted - centre).max(initial=0))) or 1.0
    y, p = (truth - centre) / scale, (predicted - centre) / scale
    rows = np.column_stack([np.ones(y.size), y, p, y**2, p**2, y * p])
    return Pairs(rows, patient_codes(predictions.patient_ids), centre, scale)


def moments(totals: NDArray[np.float64]) -> Moments:
    """Compute the moments of each draw from sums, axes (draw, sum); a spread of rounding errors is none."""
    n = np.where(totals[:, 0] > 0, totals[:, 0], np.nan)
    y, p, yy, pp, yp = (totals[:, place] / n for place in range(1, 6))
    truth, predicted = (np.where(s - m**2 > TINY * s, s - m**2, 0.0) for s, m in ((yy, y), (pp, p)))
    return Moments(n, y, p, truth, predicted, yp - y * p)


def ratio(numerator: NDArray[np.float64], denominator: NDArray[np.float64]) -> NDArray[np.float64]:
    """Divide draw by draw; NaN where the denominator is 0."""
    return numerator / np.where(denominator > 0, denominator, np.nan)
