"""The linear probe: how much of the label can be read from features by a logistic regression alone (Alain and Bengio 2016)."""

import warnings
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from lucency.domain.estimate import Estimate
from lucency.evaluation.discrimination import auc_estimate, macro_auc
from lucency.evaluation.intervals import patient_codes

STRENGTHS = tuple(10.0**power for power in range(-5, 2))
"""Inverse strengths of the penalty that are tried, on standardised features."""
N_FOLDS = 5


@dataclass(frozen=True)
class Features:
    """Features of the images of one part, axis (image) throughout."""

    values: NDArray[np.float32]
    """Axes (image, feature)."""
    targets: NDArray[np.int64]
    patient_ids: tuple[str, ...]


@dataclass(frozen=True)
class Probed:
    """What the probe found."""

    auc: Estimate
    strength: float
    """Inverse strength of the penalty that was chosen."""


def probe(training: Features, judging: Features, level: float, seed: int) -> Probed:
    """Fit a logistic regression to the features of one part, and measure it on those of another.

    The strength of the penalty is chosen inside the first part, by cross-validation over its patients; the second has no
    say in anything.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GridSearchCV, StratifiedGroupKFold
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    groups = patient_codes(training.patient_ids)
    folds = list(
        StratifiedGroupKFold(_n_folds(training, groups), shuffle=True, random_state=seed % 2**32).split(
            training.values, training.targets, groups
        )
    )
    search = GridSearchCV(
        make_pipeline(StandardScaler(), LogisticRegression(max_iter=500)),
        {"logisticregression__C": STRENGTHS},
        scoring="neg_log_loss",
        cv=folds,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a weak penalty that has not quite converged is not chosen
        search.fit(training.values.astype(np.float64), training.targets)
        scores = search.predict_proba(judging.values.astype(np.float64))
    patients = patient_codes(judging.patient_ids)
    if scores.shape[1] == 2:
        auc = auc_estimate(judging.targets == 1, scores[:, 1], patients, level)
    else:
        auc = macro_auc(judging.targets, scores, patients, level)
    return Probed(replace(auc, group="linear probe"), float(search.best_params_["logisticregression__C"]))


def _n_folds(training: Features, groups: NDArray[np.int64]) -> int:
    """Take fewer folds where a class has fewer patients."""
    rarest = min(len(np.unique(groups[training.targets == k])) for k in np.unique(training.targets))
    return max(2, min(N_FOLDS, rarest))
