"""Whether the probabilities mean what they say: of images given 0.8, four in five should have the finding."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from lucency.domain.estimate import Estimate
from lucency.evaluation.intervals import few_note, is_clustered, normal_quantile, t_quantile

_CERTAIN = 1e-6  # a probability of exactly 0 or 1 has no logit


def brier_score(
    targets: NDArray[np.int64], probabilities: NDArray[np.float64], patients: NDArray[np.int64], level: float = 0.95
) -> Estimate:
    """Estimate the mean squared error of the probabilities (Brier 1950), axes (image,) and (image, class).

    For two classes of the positive one's probability, 0 to 1; for more, summed over the classes, 0 to 2. Wald's
    interval with a t quantile, the error summed within patients.
    """
    n, n_classes = probabilities.shape
    clustered = is_clustered(patients)
    codes = np.unique(patients, return_inverse=True)[1]
    n_patients = int(codes.max()) + 1 if n else 0
    form = "of the positive class" if n_classes == 2 else "summed over classes"
    method = f"Wald, {form}" + (", clustered by patient" if clustered else "")
    counted = n_patients if clustered else None
    blank = Estimate("Brier score", None, None, None, n, "image", method, level, n_clusters=counted)
    if n_patients < 2:
        return replace(blank, note="The Brier score's interval needs two patients.")
    errors = (probabilities - np.eye(n_classes)[targets]) ** 2
    each = errors[:, 1] if n_classes == 2 else errors.sum(axis=1)
    value = float(each.mean())
    residuals = np.bincount(codes, each - value)
    reach = t_quantile(level, n_patients - 1) * np.sqrt(n_patients / (n_patients - 1) * (residuals**2).sum()) / n
    shares = np.bincount(targets, minlength=n_classes) / n
    baseline = (shares * (1 - shares)).sum() / (2 if n_classes == 2 else 1)
    note = f"Always answering the prevalence would give {baseline:.3f}."
    return replace(
        blank,
        value=value,
        low=float(max(0.0, value - reach)),
        high=float(min(1.0 if n_classes == 2 else 2.0, value + reach)),
        note=f"{note} {few_note(n_patients)}".strip() if clustered else note,
    )


def recalibration(
    positive: NDArray[np.bool_], probabilities: NDArray[np.float64], patients: NDArray[np.int64], level: float = 0.95
) -> list[Estimate]:
    """Estimate the calibration intercept (ideal 0) and slope (ideal 1), axes (image); Cox 1958, Van Calster 2016.

    The slope is that of a logistic regression of the finding on the logit of its probability; the intercept is that of
    one with the slope held at 1 (calibration in the large). Where a patient has several images the variance is the
    sandwich over patients (Liang & Zeger 1986).
    """
    n = positive.size
    clustered = is_clustered(patients)
    codes = np.unique(patients, return_inverse=True)[1]
    n_patients = int(codes.max()) + 1 if n else 0
    method = "logistic regression, Wald" + (", clustered by patient (Liang & Zeger 1986)" if clustered else "")
    linear = logit(np.clip(probabilities, _CERTAIN, 1 - _CERTAIN))
    constant = np.ones((n, 1))
    fits = {
        "calibration intercept": _logistic(constant, positive, linear, codes, clustered),
        "calibration slope": _logistic(np.column_stack([linear, constant]), positive, np.zeros(n), codes, clustered),
    }
    counted = n_patients if clustered else None
    estimates = []
    for name, fit in fits.items():
        blank = Estimate(name, None, None, None, n, "image", method, level, n_clusters=counted)
        if fit is None:
            note = "The regression has no answer: too few patients, a class is absent, or the two are fully separated."
            estimates.append(replace(blank, note=note))
            continue
        value, error = fit
        reach = (t_quantile(level, n_patients - 1) if clustered else normal_quantile(level)) * error
        note = few_note(n_patients) if clustered else ""
        estimates.append(replace(blank, value=value, low=value - reach, high=value + reach, note=note))
    return estimates


def _logistic(
    design: NDArray[np.float64],
    positive: NDArray[np.bool_],
    offset: NDArray[np.float64],
    patients: NDArray[np.int64],
    clustered: bool,
) -> tuple[float, float] | None:
    """Fit a logistic regression by Newton's method; return the first coefficient and its standard error.

    Design axes (image, coefficient); offset and patients (image). None when a class is absent or no maximum is found.
    """
    n_patients = np.unique(patients).size
    if positive.all() or not positive.any() or n_patients <= design.shape[1]:
        return None
    sign = np.where(positive, -1.0, 1.0)

    def deviance(coefficients: NDArray[np.float64]) -> float:
        return float(np.logaddexp(0, sign * (design @ coefficients + offset)).sum())

    coefficients = np.zeros(design.shape[1])
    for _ in range(50):
        probabilities = expit(design @ coefficients + offset)
        information = design.T @ (design * (probabilities * (1 - probabilities))[:, None])
        if not np.linalg.cond(information) < 1e12:
            return None
        step = np.linalg.solve(information, design.T @ (positive - probabilities))
        if np.abs(step).max() < 1e-10:
            break
        # a whole step can leap over the maximum when the start is far away
        while deviance(coefficients + step) > deviance(coefficients) + 1e-12 and np.abs(step).max() > 1e-12:
            step = step / 2
        coefficients = coefficients + step
    else:
        return None
    covariance = np.linalg.inv(information)
    if clustered:
        scores = design * (positive - probabilities)[:, None]
        sums = np.stack([np.bincount(patients, column) for column in scores.T])
        covariance = covariance @ (sums @ sums.T) @ covariance * n_patients / (n_patients - 1)
    return float(coefficients[0]), float(np.sqrt(covariance[0, 0]))
