"""Standardised differences against hand calculation, SciPy's distributions and simulation."""

import numpy as np
import pytest
from scipy.stats import ncx2, norm

from lucency.evaluation.differences import Moments, Shares, difference_of_means, difference_of_shares

LEVELS = "abcdefghij"


def shares(values: list[float], n: float) -> Shares:
    return Shares(dict(zip(LEVELS, values, strict=False)), n)


def test_a_difference_of_means_has_the_value_of_its_formula() -> None:
    """Worked by hand: means 5 and 3, variances 2.5 and 2.5, five values each."""
    difference = difference_of_means(Moments.of([3, 4, 5, 6, 7]), Moments.of([1, 2, 3, 4, 5]))
    assert difference.value == pytest.approx(2 / 2.5**0.5)
    # Bonett 2008 with equal variances v and n − 1 = 4: d² (1/4 + 1/4) / 8 + (1/4 + 1/4)
    error = (1.6 * 0.5 / 8 + 0.5) ** 0.5
    assert difference.low == pytest.approx(difference.value - 1.959964 * error, abs=1e-5)
    assert difference.high == pytest.approx(difference.value + 1.959964 * error, abs=1e-5)


@pytest.mark.parametrize(("p", "q"), [(0.6, 0.5), (0.05, 0.4), (0.9, 0.2)])
def test_two_levels_differ_as_austin_writes(p: float, q: float) -> None:
    """|p − q| / √((p(1−p) + q(1−q)) / 2), Austin 2009: the form of two levels is a special case."""
    difference = difference_of_shares(shares([p, 1 - p], 80), shares([q, 1 - q], 120))
    assert difference.value == pytest.approx(abs(p - q) / ((p * (1 - p) + q * (1 - q)) / 2) ** 0.5)


def test_several_levels_differ_as_yang_and_dalton_write() -> None:
    """The Mahalanobis distance of all shares but one, worked with an explicit inverse; which one is left out is no matter."""
    p, q = np.array([0.5, 0.3, 0.2]), np.array([0.3, 0.3, 0.4])
    covariance = (np.diag(p) - np.outer(p, p) + np.diag(q) - np.outer(q, q)) / 2
    found = difference_of_shares(shares(list(p), 100), shares(list(q), 100)).value
    for left_out in range(3):
        kept = [level for level in range(3) if level != left_out]
        d = (p - q)[kept]
        expected = np.sqrt(d @ np.linalg.inv(covariance[np.ix_(kept, kept)]) @ d)
        assert found == pytest.approx(expected)


def test_the_lower_end_is_a_noncentrality_of_scipy() -> None:
    """With equal and small differences the statistic is n/2 D², and its noncentrality that of SciPy's distribution."""
    difference = difference_of_shares(shares([0.55, 0.45], 2000), shares([0.45, 0.55], 2000))
    value, low = difference.value, difference.low
    assert value is not None
    assert low is not None
    # the variance of the delta method is at least 2/n, so the effective count is known up to a part in a hundred
    statistic, noncentrality = 1000 * value**2, 1000 * low**2
    assert ncx2.cdf(statistic, 1, noncentrality) == pytest.approx(0.975, abs=0.003)


def test_groups_without_anything_in_common_have_no_bound() -> None:
    """An infinite distance is not a number that can be printed."""
    apart = difference_of_shares(shares([0.5, 0.5, 0, 0], 40), shares([0, 0, 0.5, 0.5], 40))
    constant = difference_of_means(Moments(1, 0, 10), Moments(2, 0, 10))
    for difference in (apart, constant):
        assert difference.value is None
        assert "nothing in common" in difference.note
    assert difference_of_shares(shares([1.0], 30), shares([1.0], 30)).value == 0
    assert difference_of_means(Moments(2, 0, 10), Moments(2, 0, 10)).value == 0


def test_equal_shares_do_not_claim_to_be_equal_for_certain() -> None:
    """Twenty patients that happen to match the target say little; the interval must reach beyond 0."""
    difference = difference_of_shares(shares([0.5, 0.5], 20), shares([0.5, 0.5], np.inf))
    assert difference.value == 0
    assert difference.high == pytest.approx(norm.ppf(0.975) / 20**0.5)


def test_a_declared_population_has_no_error_of_sampling() -> None:
    """The interval against a population is narrower than that against an equal sample."""
    ours = Moments(60, 100, 50)
    against_all, against_some = (difference_of_means(ours, Moments(55, 100, n)) for n in (np.inf, 50))
    assert against_all.value == against_some.value
    assert against_all.high - against_all.low < against_some.high - against_some.low


@pytest.mark.parametrize(
    ("p", "q", "n", "m"),
    [
        ([0.5, 0.5], [0.5, 0.5], 100, 100),
        ([0.9, 0.1], [0.5, 0.5], 500, 50),
        ([0.5, 0.3, 0.2], [0.3, 0.4, 0.3], 100, None),
        ([0.9, 0.05, 0.05], [0.1, 0.5, 0.4], 80, 80),
        ([0.1] * 10, [0.1] * 10, 100, 300),
    ],
)
def test_intervals_of_shares_cover(p: list[float], q: list[float], n: int, m: int | None) -> None:
    """At least 93 % of 600 simulated intervals hold the true difference: small and large, few and many levels."""
    random = np.random.default_rng(5)
    true = difference_of_shares(shares(p, 1e12), shares(q, np.inf)).value
    hits = 0
    for _ in range(600):
        second = shares(list(random.multinomial(m, q) / m), m) if m else shares(q, np.inf)
        found = difference_of_shares(shares(list(random.multinomial(n, p) / n), n), second)
        hits += found.low - 1e-6 <= true <= found.high
    assert hits / 600 > 0.93


def test_intervals_of_means_cover() -> None:
    """The same for unequal variances and numbers, where pooling would fail."""
    random = np.random.default_rng(6)
    true, hits = 1 / 2.5**0.5, 0
    for _ in range(1500):
        found = difference_of_means(
            Moments.of(list(random.normal(1, 1, 30))), Moments.of(list(random.normal(0, 2, 90)))
        )
        hits += found.low <= true <= found.high
    assert hits / 1500 == pytest.approx(0.95, abs=0.02)
