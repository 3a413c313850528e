import pytest

from lucency.errors import PlanError
from lucency.lab.descent import MINIMUM, descend, describe_descent, describe_learning_rates, judge_rate


@pytest.mark.parametrize("start", [-4.0, 0.0, 2.5, 6.0])
@pytest.mark.parametrize("rate", [0.02, 0.3, 0.5, 0.9, 1.1])
def test_every_step_obeys_the_article_s_formula(start: float, rate: float):
    """Figure 6: W_b = W_a − rate × gradient; on a parabola this has the closed form (1 − 2 × rate)ⁿ."""
    for n, step in enumerate(descend(start, rate, 10), start=1):
        assert step.w_b == step.w_a - rate * step.gradient
        assert step.w_b == pytest.approx(MINIMUM + (start - MINIMUM) * (1 - 2 * rate) ** n, abs=1e-12)


def test_from_the_left_the_gradient_is_negative_and_the_parameter_grows():
    """Figure 6A."""
    first = descend(0.0, 0.3, 1)[0]
    assert first.gradient < 0
    assert first.w_b > first.w_a


def test_from_the_right_the_gradient_is_positive_and_the_parameter_shrinks():
    """Figure 6B."""
    first = descend(6.0, 0.3, 1)[0]
    assert first.gradient > 0
    assert first.w_b < first.w_a


@pytest.mark.parametrize(
    ("rate", "word"),
    [(0.02, "slowly"), (0.3, "converges"), (0.5, "one step"), (0.9, "side to side"), (1.0, "never"), (1.1, "diverges")],
)
def test_the_verdict_on_a_rate_is_what_happens(rate: float, word: str):
    """Figure 7: too small is slow, too large runs away; the word must agree with the distance after 50 steps."""
    distance = abs(descend(0.0, rate, 50)[-1].w_b - MINIMUM)
    assert word in judge_rate(rate)
    assert (distance < MINIMUM) == (rate < 1)


def test_a_descent_that_runs_away_becomes_infinite_instead_of_failing():
    """Rate 10 for 2,000 steps leaves the range of numbers; the table still has to be written."""
    last = descend(0.0, 10.0, 2000)[-1]
    assert not last.cost < float("inf")
    assert "diverges" in describe_descent(0.0, 10.0, 2000)


def test_wrong_arguments_are_refused():
    """A rate of zero never moves; zero steps are no descent."""
    with pytest.raises(PlanError, match="learning rate"):
        descend(0.0, 0.0, 3)
    with pytest.raises(PlanError, match="steps"):
        descend(0.0, 0.1, 0)


def test_the_description_writes_the_formula_with_its_numbers():
    """The first step from 0 with rate 0.3: 0 − 0.3 × −6 = 1.8."""
    text = describe_descent(0.0, 0.3, 6)
    assert "0 − 0.3 × −6     1.8" in text
    assert "The gradient is negative, so the parameter grows." in text
    assert "The gradient is positive, so the parameter shrinks." in describe_descent(6.0, 0.3, 6)
    assert "this is the minimum already" in describe_descent(MINIMUM)


def test_learning_rates_stand_side_by_side():
    """One column and one verdict for each rate."""
    text = describe_learning_rates()
    assert "rate 0.02" in text
    assert "1.1 diverges" in text
