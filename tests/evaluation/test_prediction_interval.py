"""Intervals for measurements on new images."""

import numpy as np
import pytest

from lucency.evaluation.prediction_interval import reach_of_errors


def test_the_interval_reaches_to_the_error_that_the_formula_names() -> None:
    """Of 19 patients at 95 %, the largest; of 39, the second largest; of 18, there is none."""
    errors = np.arange(1.0, 40)
    assert reach_of_errors(errors[:19], np.arange(19), 0.95) == 19
    assert reach_of_errors(errors, np.arange(39), 0.95) == 38
    assert reach_of_errors(errors[:18], np.arange(18), 0.95) is None
    assert reach_of_errors(-errors[:19], np.arange(19), 0.95) == 19


def test_a_patient_counts_once_with_the_largest_error() -> None:
    """Twenty images of two patients promise nothing."""
    assert reach_of_errors(np.arange(20.0), np.arange(20) // 10, 0.95) is None
    assert reach_of_errors(np.arange(40.0), np.arange(40) // 2, 0.9) == 37


@pytest.mark.parametrize("level", [0.8, 0.95])
def test_as_many_new_numbers_lie_within_as_was_promised(level: float) -> None:
    """Simulated with skewed errors: 3,000 studies of 60 patients; on average no fewer than the level."""
    random = np.random.default_rng(9)
    drawn = random.gamma(0.5, 3, (3000, 61)) * random.choice([-1, 1], (3000, 61))
    held = [abs(errors[-1]) <= (reach_of_errors(errors[:-1], np.arange(60), level) or 0) for errors in drawn]
    assert level - 0.015 < np.mean(held) < level + 0.03
