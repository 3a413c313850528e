"""The estimate of Dawid and Skene reproduces the example of their paper."""

import csv
from pathlib import Path

import numpy as np
import pytest

from lucency.data.ground_truth.dawid_skene import DawidSkene, dawid_skene

TABLE = Path(__file__).parents[3] / "shared" / "reference" / "statistics" / "anesthesia.csv"


@pytest.fixture(scope="module")
def anesthesia() -> DawidSkene:
    """Fit 45 patients, five anaesthetists (the first of whom looked three times), four grades."""
    if not TABLE.exists():
        pytest.skip("the table of the paper (../shared/reference) is not here")
    counts = np.zeros((45, 5, 4), np.int64)
    with TABLE.open(newline="") as file:
        for row in csv.DictReader(file):
            item, rater, rating = (round(float(row[name])) - 1 for name in ("item", "rater", "rating"))
            counts[item, rater, rating] += 1
    assert counts.sum() == 45 * 7
    return dawid_skene(counts)


@pytest.mark.real
def test_the_share_of_each_grade_is_that_of_the_paper(anesthesia: DawidSkene) -> None:
    """Source: Dawid and Skene 1979, printed as .40 .42 .11 .07; five digits by an own fit in R and Python."""
    assert anesthesia.prevalence == pytest.approx([0.39997, 0.42158, 0.11179, 0.06667], abs=1e-5)
    assert np.round(anesthesia.prevalence, 2).tolist() == [0.40, 0.42, 0.11, 0.07]


@pytest.mark.real
def test_the_error_rates_of_the_first_rater_are_those_of_the_paper(anesthesia: DawidSkene) -> None:
    """Source: the same fit; how often the first anaesthetist names the true grade."""
    assert np.diag(anesthesia.confusion[0]) == pytest.approx([0.907, 0.877, 0.661, 0.444], abs=5e-4)


@pytest.mark.real
def test_the_likelihood_is_that_of_the_paper_and_never_falls(anesthesia: DawidSkene) -> None:
    """Source: the same fit. A step that lowers the likelihood would be no step of expectation and maximisation."""
    assert anesthesia.is_converged
    assert anesthesia.log_likelihood[-1] == pytest.approx(-190.731, abs=1e-3)
    assert np.diff(anesthesia.log_likelihood).min() > -1e-9
