"""Calibration reproduces published numbers to their printed precision."""

import csv
from pathlib import Path

import numpy as np
import pytest

from lucency.evaluation.calibration import brier_score, recalibration

REFERENCE = Path(__file__).parents[3] / "shared" / "reference" / "statistics"


@pytest.mark.real
def test_decision_curve_example_is_calibrated_by_construction():
    """Source: dcurves' df_binary; cancerpredmarker is a fitted model, so slope 1, intercept 0; Brier .0849291."""
    path = REFERENCE / "df_binary.csv"
    if not path.exists():
        pytest.skip("df_binary.csv is not beside the project")
    with path.open() as file:
        rows = list(csv.DictReader(file))
    targets = np.array([row["cancer"] == "True" for row in rows]).astype(np.int64)
    scores = np.array([float(row["cancerpredmarker"]) for row in rows])
    patients = np.arange(len(rows))
    intercept, slope = recalibration(targets == 1, scores, patients)
    assert intercept.value == pytest.approx(0.0, abs=5e-4)
    assert slope.value == pytest.approx(1.0, abs=5e-4)
    brier = brier_score(targets, np.stack([1 - scores, scores], axis=1), patients)
    assert brier.value == pytest.approx(0.0849291, abs=5e-8)
