"""The evaluation of a classification: every number of the results section, from a table of predictions."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from lucency.domain.estimate import Estimate
from lucency.domain.plan import Evaluation
from lucency.domain.predictions import Predictions
from lucency.errors import StudyError
from lucency.evaluation.calibration import brier_score, recalibration
from lucency.evaluation.confusion import agreement_estimates, finding_estimates, predictive_values_at
from lucency.evaluation.discrimination import auc_estimate, average_precision, macro_auc
from lucency.evaluation.intervals import patient_codes, proportion
from lucency.evaluation.operating_point import OperatingPoint


def evaluate_classification(
    predictions: Predictions, operating_point: OperatingPoint | None, settings: Evaluation
) -> list[Estimate]:
    """Estimate everything that a journal asks of a classification, the AUC first.

    With two classes the second is positive; without an operating point the quantities that need a threshold are left
    out. With more classes the most probable one is called, and each is also judged against all others. Intervals are
    clustered by patient as soon as any patient has several images.

    Raises:
        StudyError: a probability is not a number.
    """
    if not np.isfinite(predictions.probabilities).all():
        n_bad = int((~np.isfinite(predictions.probabilities)).any(axis=1).sum())
        raise StudyError(
            f"The predictions of {n_bad} images in the {predictions.part} part are not numbers. Training may have run "
            "away; lower `training.learning_rate` and train again."
        )
    patients = patient_codes(predictions.patient_ids)
    if len(predictions.classes) == 2:
        estimates = _two_classes(predictions, patients, operating_point, settings)
    else:
        estimates = _more_classes(predictions, patients, settings)
    return [replace(estimate, part=str(predictions.part)) for estimate in estimates]


def called_classes(predictions: Predictions, operating_point: OperatingPoint | None) -> NDArray[np.int64]:
    """Return the class that each image is called, axis (image): by the threshold, or the most probable without one."""
    if operating_point is None:
        return predictions.probabilities.argmax(axis=1)
    return (predictions.probabilities[:, 1] >= operating_point.threshold).astype(np.int64)


def _two_classes(
    predictions: Predictions,
    patients: NDArray[np.int64],
    operating_point: OperatingPoint | None,
    settings: Evaluation,
) -> list[Estimate]:
    positive, scores, level = predictions.targets == 1, predictions.probabilities[:, 1], settings.level
    estimates = [
        auc_estimate(positive, scores, patients, level),
        average_precision(positive, scores, patients, level),
        proportion("prevalence", positive, patients, level),
    ]
    if operating_point is not None:
        called = called_classes(predictions, operating_point)
        estimates += finding_estimates(positive, called == 1, patients, level)
        estimates += agreement_estimates(predictions.targets, called, patients, level)
        if settings.prevalence is not None:
            estimates += predictive_values_at(settings.prevalence, positive, called == 1, patients, level)
    estimates.append(brier_score(predictions.targets, predictions.probabilities, patients, level))
    return estimates + recalibration(positive, scores, patients, level)


def _more_classes(predictions: Predictions, patients: NDArray[np.int64], settings: Evaluation) -> list[Estimate]:
    targets, probabilities, level = predictions.targets, predictions.probabilities, settings.level
    called = called_classes(predictions, None)
    estimates = [
        macro_auc(targets, probabilities, patients, level),
        *agreement_estimates(targets, called, patients, level),
        brier_score(targets, probabilities, patients, level),
    ]
    for index, name in enumerate(predictions.classes):
        of_class = [
            auc_estimate(targets == index, probabilities[:, index], patients, level),
            average_precision(targets == index, probabilities[:, index], patients, level),
            proportion("prevalence", targets == index, patients, level),
            *finding_estimates(targets == index, called == index, patients, level),
        ]
        estimates += [replace(estimate, group=name) for estimate in of_class]
    return estimates
