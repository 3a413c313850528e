"""Answers without a look at the image, which a network that measures has to beat."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lucency.domain.cohort import CohortRow
from lucency.domain.measurements import Baseline
from lucency.evaluation.intervals import patient_codes
from lucency.evaluation.representativeness import METADATA
from lucency.evaluation.shortcuts import indicators
from lucency.evaluation.table_one import Variable

MEAN, HEADER = "mean of the training part", "header alone"

EXTENT = (
    Variable("Rows", lambda row: str(row.rows or ""), is_number=True),
    Variable("Columns", lambda row: str(row.columns or ""), is_number=True),
    Variable("Slices", lambda row: str(row.slices), is_number=True),
)
"""How large the picture is: cut to fit an organ, it tells the organ's size."""

_STRENGTHS = np.logspace(-1, 4, 11)
"""Strengths of the penalty that are tried, by leaving out one image after the other."""


def simple_answers(
    training: Sequence[CohortRow], numbers: NDArray[np.float64], asked: Sequence[CohortRow]
) -> tuple[Baseline, ...]:
    """Answer with the mean of the training part, and from the headers alone where they tell images apart.

    `numbers` are those of the training images.
    """
    mean = Baseline(MEAN, np.full(len(asked), numbers.mean()))
    predicted = _from_header(training, numbers, asked)
    return (mean,) if predicted is None else (mean, Baseline(HEADER, predicted))


def _from_header(
    training: Sequence[CohortRow], numbers: NDArray[np.float64], asked: Sequence[CohortRow]
) -> NDArray[np.float64] | None:
    """Predict by ridge regression (Hoerl & Kennard 1970) on age, sex, site, scanner, size and whatever else is recorded."""
    from sklearn.linear_model import RidgeCV

    rows = [*training, *asked]
    patients = patient_codes([row.patient_id for row in rows])
    features = np.concatenate([indicators(rows, variable, patients) for variable in (*METADATA, *EXTENT)], axis=1)
    known, new = features[: len(training)], features[len(training) :]
    if not features.shape[1] or not np.ptp(known, axis=0).any():
        return None
    model = RidgeCV(alphas=_STRENGTHS).fit(known, numbers)
    return np.asarray(model.predict(new), np.float64)
