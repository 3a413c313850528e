"""Intervals of proportions reproduce published numbers to their printed precision."""

import numpy as np
import pytest

from lucency.evaluation.confusion import predictive_values_at
from lucency.evaluation.intervals import clopper_pearson, effective_count, wilson


@pytest.mark.parametrize(
    ("successes", "trials", "score", "exact"),
    [
        (81, 263, (0.2553, 0.3662), (0.2527, 0.3676)),
        (15, 148, (0.0624, 0.1605), (0.0578, 0.1617)),
        (0, 20, (0.0, 0.1611), (0.0, 0.1684)),
        (1, 29, (0.0061, 0.1718), (0.0009, 0.1776)),
    ],
)
def test_newcombes_table(successes, trials, score, exact):
    """Source: Newcombe, Stat Med 1998;17:857, table I, methods 3 (Wilson) and 5 (Clopper–Pearson)."""
    assert wilson(successes, trials) == pytest.approx(score, abs=5e-5)
    assert clopper_pearson(successes, trials) == pytest.approx(exact, abs=5e-5)


def test_design_effect_of_a_hand_calculation():
    """Four patients with 2, 2, 4, 4 images and 2, 0, 4, 2 hits: residuals ±2/3 …, worked by hand below.

    p = 8/12; residuals 2 − 4/3, 0 − 4/3, 4 − 8/3, 2 − 8/3 = 2/3, −4/3, 4/3, −2/3, squares sum to 40/9. Variance
    4/3 × 40/9 / 144 = 0.041152; binomial 2/9 / 12 = 0.018519; design effect 20/9, so 12 images are worth 5.4, and with
    3 degrees of freedom (1.95996 / 3.18245)² of that.
    """
    patients = np.repeat([0, 1, 2, 3], [2, 2, 4, 4])
    hits = np.array([1, 1, 0, 0, 1, 1, 1, 1, 1, 1, 0, 0], bool)
    count = effective_count(hits, patients)
    assert count.n == pytest.approx(5.4 * (1.959964 / 3.182446) ** 2, rel=1e-5)


def test_predictive_values_of_mercaldos_logit_interval():
    """Source: the formulas of Mercaldo, Lau & Zhou 2007, worked by hand for 80/100 and 90/100 at a prevalence of 10 %.

    PPV = .08/.17; var logit = .2/(.8·100) + .9/(.1·100) = .0925. NPV = .81/.83; var = .8/(.2·100) + .1/(.9·100).
    """
    positive = np.repeat([True, False], 100)
    called = np.concatenate([np.arange(100) < 80, np.arange(100) < 10])
    ppv, npv = predictive_values_at(0.1, positive, called, np.arange(200))

    def limits(value: float, variance: float) -> list[float]:
        centre, reach = np.log(value / (1 - value)), 1.959964 * np.sqrt(variance)
        return [1 / (1 + np.exp(-centre + reach)), 1 / (1 + np.exp(-centre - reach))]

    assert ppv.value == pytest.approx(0.08 / 0.17)
    assert npv.value == pytest.approx(0.81 / 0.83)
    assert [ppv.low, ppv.high] == pytest.approx(limits(0.08 / 0.17, 0.0925), abs=1e-6)
    assert [npv.low, npv.high] == pytest.approx(limits(0.81 / 0.83, 0.04 + 0.1 / 90), abs=1e-6)
