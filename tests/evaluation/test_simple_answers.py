"""Answers without a look at the image, and the thirds by which tables compare patients."""

import numpy as np
import pytest

from lucency.domain.cohort import CohortRow
from lucency.evaluation.number_groups import thirds_of
from lucency.evaluation.simple_answers import HEADER, MEAN, simple_answers


def patients(n: int, start: int = 0) -> list[CohortRow]:
    return [CohortRow(f"i{i}", f"P{i}", age_years=str(20 + i % 60), sex="FM"[i % 2]) for i in range(start, start + n)]


def test_the_header_alone_answers_where_it_tells_something():
    """A number that follows sex: the regression on the header halves the error, the mean cannot."""
    training, asked = patients(100), patients(40, 100)
    numbers = np.array([10.0 if row.sex == "F" else 20.0 for row in training])
    answers = {one.name: one.predicted for one in simple_answers(training, numbers, asked)}
    assert answers[MEAN] == pytest.approx(np.full(40, 15.0))
    truth = np.array([10.0 if row.sex == "F" else 20.0 for row in asked])
    assert np.abs(answers[HEADER] - truth).mean() < 1


def test_without_a_header_the_mean_is_all():
    """Images that tell nothing of themselves."""
    rows = [CohortRow(f"i{i}", f"P{i}") for i in range(20)]
    assert [one.name for one in simple_answers(rows[:10], np.arange(10.0), rows[10:])] == [MEAN]


def test_thirds_are_cut_where_the_open_images_tell():
    """A test image far beyond belongs to the highest third, and moves no border."""
    numbers = {f"i{n}": float(n) for n in range(1, 10)} | {"test": 1000.0}
    thirds = thirds_of(numbers, [f"i{n}" for n in range(1, 10)], "mm")
    assert thirds.names == ("lowest third (up to 3 mm)", "middle third (over 3 to 6 mm)", "highest third (over 6 mm)")
    assert thirds.of_image["i3"] == thirds.names[0]
    assert thirds.of_image["test"] == thirds.names[2]


@pytest.mark.parametrize(("values", "n_groups"), [([0] * 8 + [1], 2), ([0] * 6 + [1, 2, 3], 2), ([5] * 9, 1)])
def test_equal_numbers_stay_together(values, n_groups):
    """Most images without a lesion: fewer groups, and none of them empty."""
    numbers = {f"i{place}": float(value) for place, value in enumerate(values)}
    thirds = thirds_of(numbers, list(numbers), "")
    assert len(set(thirds.of_image.values())) == len(thirds.names) == n_groups
