"""Whether predicted numbers mean what they say: of images predicted at 20 mm, the truth should be 20 mm on average."""

import numpy as np
from numpy.typing import NDArray

from lucency.domain.estimate import Estimate
from lucency.domain.measurements import Measurements
from lucency.evaluation.agreement.resampling import Sums, estimate_from_sums
from lucency.evaluation.correlation import NO_SPREAD
from lucency.evaluation.deviation import ALL, NO_IMAGE, rescaled
from lucency.evaluation.two_numbers import Moments, moments, pairs_of, ratio


def calibration_in_the_large(predictions: Measurements, level: float = 0.95, seed: int = 0) -> Estimate:
    """Estimate mean truth minus mean prediction, ideal 0 (calibration in the large)."""
    pairs = pairs_of(predictions)
    sums = Sums(
        "calibration in the large",
        pairs.rows,
        pairs.patients,
        lambda totals: -moments(totals).shift,
        group=ALL,
        note="Mean truth minus mean prediction; ideal 0.",
        if_undefined=NO_IMAGE,
    )
    return rescaled(estimate_from_sums(sums, level, seed), pairs.scale)


def calibration_line(predictions: Measurements, level: float = 0.95, seed: int = 0) -> tuple[Estimate, Estimate]:
    """Estimate slope and intercept of the least-squares line of truth on prediction; ideal 1 and 0.

    A slope below 1 says that high predictions are too high and low ones too low. The intercept is the truth to be expected
    where the network predicts 0.
    """
    pairs = pairs_of(predictions)
    origin = -pairs.centre / pairs.scale  # where a prediction of 0 lies in the rows

    def slope(totals: NDArray[np.float64]) -> NDArray[np.float64]:
        of = moments(totals)
        return ratio(of.both, of.predicted)

    def intercept(totals: NDArray[np.float64]) -> NDArray[np.float64]:
        of = moments(totals)
        return of.mean_truth + slope(totals) * (origin - of.mean_predicted) - origin

    found = estimate_from_sums(
        Sums(
            "calibration slope",
            pairs.rows,
            pairs.patients,
            slope,
            group=ALL,
            note="Truth on prediction, least squares; ideal 1.",
            if_undefined=NO_SPREAD,
        ),
        level,
        seed,
    )
    at_zero = estimate_from_sums(
        Sums(
            "calibration intercept",
            pairs.rows,
            pairs.patients,
            intercept,
            group=ALL,
            note="Truth to be expected where 0 is predicted; ideal 0.",
            if_undefined=NO_SPREAD,
        ),
        level,
        seed,
    )
    return found, rescaled(at_zero, pairs.scale)


def concordance(predictions: Measurements, level: float = 0.95, seed: int = 0) -> Estimate:
    """Estimate the concordance correlation coefficient, 2 s_yp / (s_y² + s_p² + (mean shift)²), with divisor n (Lin 1989).

    1 says that all points lie on the line of identity: what correlation misses, a shift or another scale, lowers it.
    """
    pairs = pairs_of(predictions)

    def coefficient(totals: NDArray[np.float64]) -> NDArray[np.float64]:
        of = moments(totals)
        return ratio(2 * of.both, of.truth + of.predicted + of.shift**2)

    sums = Sums("concordance correlation", pairs.rows, pairs.patients, coefficient, group=ALL, if_undefined=NO_SPREAD)
    return estimate_from_sums(sums, level, seed)


def proportional_bias(predictions: Measurements, level: float = 0.95, seed: int = 0) -> Estimate:
    """Estimate the slope of the difference (prediction − truth) on their mean, ideal 0 (Bland & Altman 1999).

    Above 0, large values are overestimated more than small ones; below 0, the network keeps to the middle.
    """
    pairs = pairs_of(predictions)

    def slope(totals: NDArray[np.float64]) -> NDArray[np.float64]:
        of = moments(totals)
        return ratio(of.predicted - of.truth, 2 * _variance_of_mean(of))

    sums = Sums(
        "proportional bias",
        pairs.rows,
        pairs.patients,
        slope,
        group=ALL,
        note="Slope of prediction minus truth on the mean of both; ideal 0.",
        if_undefined=NO_SPREAD,
    )
    return estimate_from_sums(sums, level, seed)


def _variance_of_mean(of: Moments) -> NDArray[np.float64]:
    """Return the variance of (truth + prediction) / 2."""
    variance = (of.truth + of.predicted + 2 * of.both) / 4
    return np.where(variance > 1e-12 * (of.truth + of.predicted), variance, 0.0)
