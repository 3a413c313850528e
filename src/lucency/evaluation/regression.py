"""The evaluation of a regression: how far the predicted numbers are from the true ones, and what they are worth."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from lucency.domain.estimate import Estimate
from lucency.domain.measurements import Baseline, Measurements
from lucency.domain.readings import Readings, Scale
from lucency.domain.regression_plan import Regression
from lucency.errors import StudyError
from lucency.evaluation.agreement.bland_altman import bland_altman
from lucency.evaluation.agreement.intraclass import IccForm, intraclass_correlation
from lucency.evaluation.correlation import explained_variance, pearson, spearman
from lucency.evaluation.deviation import (
    ALL,
    against_baseline,
    mean_absolute_error,
    median_absolute_error,
    root_mean_squared_error,
    within_tolerance,
)
from lucency.evaluation.mean_calibration import (
    calibration_in_the_large,
    calibration_line,
    concordance,
    proportional_bias,
)

IN_THE_UNIT = {
    *("mean absolute error", "root mean squared error", "median absolute error", "difference of mean absolute errors"),
    *("calibration in the large", "calibration intercept"),
    *("bias", "lower limit of agreement", "upper limit of agreement"),
}
"""Measures that are quantities; all others are pure numbers."""

NETWORK, REFERENCE = "network", "reference standard"


def evaluate_regression(
    predictions: Measurements,
    baselines: Sequence[Baseline] = (),
    regression: Regression = Regression(),  # noqa: B008 - frozen
    level: float = 0.95,
    seed: int = 0,
) -> list[Estimate]:
    """Estimate everything that is asked of a measurement, the mean absolute error first; patients are resampled.

    Errors are prediction minus truth, in the unit of the study.

    Raises:
        StudyError: a prediction is not a number.
    """
    if not np.isfinite(predictions.predicted).all():
        n_bad = int((~np.isfinite(predictions.predicted)).sum())
        raise StudyError(
            f"The predictions of {n_bad} images in the {predictions.part} part are not numbers. Training may have run "
            "away; lower `training.learning_rate` and train again."
        )
    measures = (
        *(mean_absolute_error, root_mean_squared_error, median_absolute_error, explained_variance, pearson, spearman),
        *(concordance, calibration_in_the_large, calibration_line, proportional_bias),
    )
    found = [measure(predictions, level, seed) for measure in measures]
    estimates = [one for each in found for one in (each if isinstance(each, tuple) else (each,))]
    both = _as_readings(predictions)
    estimates += bland_altman(both, NETWORK, REFERENCE, level, seed)
    estimates.append(intraclass_correlation(both, IccForm.ICC_2_1, level, seed))
    if regression.tolerance is not None:
        estimates.append(within_tolerance(predictions, regression.tolerance, level))
    estimates = [replace(one, group=ALL) for one in estimates]  # that of Bland and Altman names its readers
    for baseline in baselines:
        estimates += against_baseline(predictions, baseline, level, seed)
    return [_in_its_unit(replace(one, part=str(predictions.part)), regression.unit) for one in estimates]


def _in_its_unit(estimate: Estimate, unit: str) -> Estimate:
    return replace(estimate, measured_in=unit) if estimate.name in IN_THE_UNIT else estimate


def _as_readings(predictions: Measurements) -> Readings:
    """Take the network and the reference standard for two readers, who measured the same images."""
    values = np.column_stack([predictions.predicted, predictions.truth])
    readers = (NETWORK, REFERENCE)
    return Readings("value", predictions.image_ids, predictions.patient_ids, readers, Scale.INTERVAL, values)
