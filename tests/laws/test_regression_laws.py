"""What holds for every measurement, whatever the numbers."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lucency.domain.measurements import Measurements
from lucency.evaluation.regression import evaluate_regression

numbers = st.lists(
    st.tuples(st.integers(-1000, 1000), st.integers(-1000, 1000), st.integers(0, 12)), min_size=3, max_size=40
)


def values(rows, sign: int = 1, shift: float = 0.0) -> dict[str, float | None]:
    truth, predicted, patients = (np.array(column) for column in zip(*rows, strict=True))
    ids = tuple(str(place) for place in range(len(rows)))
    made = Measurements(
        "test", "ensemble", ids, tuple(map(str, patients)), sign * truth + shift, sign * predicted + shift
    )
    return {one.name: one.value for one in evaluate_regression(made) if one.group == "all"}


@settings(max_examples=30)
@given(numbers)
def test_measures_keep_their_order(rows):
    """The mean error is no larger than its root mean square, concordance no larger than correlation, R² no larger than r²."""
    found = values(rows)
    assert found["mean absolute error"] <= found["root mean squared error"] * (1 + 1e-9)
    if found["Pearson correlation"] is not None and found["concordance correlation"] is not None:
        assert abs(found["concordance correlation"]) <= abs(found["Pearson correlation"]) + 1e-9
        assert found["R²"] <= found["Pearson correlation"] ** 2 + 1e-9
    assert found["bias"] == pytest.approx(-found["calibration in the large"], abs=1e-9)


@settings(max_examples=30)
@given(numbers)
def test_another_zero_and_another_direction_change_what_they_should(rows):
    """A shift of both moves no error; turned around, errors and correlations stay and the bias changes its sign."""
    found, moved, turned = values(rows), values(rows, shift=500.0), values(rows, sign=-1)
    for name in ("mean absolute error", "R²", "Pearson correlation", "Spearman correlation", "calibration slope"):
        assert (found[name] is None) == (moved[name] is None) == (turned[name] is None), name
        if found[name] is not None:
            assert moved[name] == pytest.approx(found[name], abs=1e-7), name
            assert turned[name] == pytest.approx(found[name], abs=1e-7), name
    assert turned["bias"] == pytest.approx(-found["bias"], abs=1e-9)
