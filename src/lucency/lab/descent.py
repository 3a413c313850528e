"""Gradient descent on a parabola, step by step (the article's figures 6 and 7).

The cost is (W − minimum)², its gradient 2 × (W − minimum), and a step is W_b = W_a − rate × gradient. So each step
multiplies the distance to the minimum by 1 − 2 × rate, and everything about the learning rate follows from that number.
"""

from dataclasses import dataclass

from lucency.errors import PlanError
from lucency.lab.text import number, table

MINIMUM = 3.0
"""Where the cost of the experiment is smallest."""


@dataclass(frozen=True)
class Step:
    """One update of the parameter."""

    w_a: float
    """The parameter before the step."""
    cost: float
    """The cost before the step."""
    gradient: float
    """The slope of the cost before the step."""
    w_b: float
    """The parameter after the step."""


def descend(start: float, rate: float, n_steps: int, minimum: float = MINIMUM) -> list[Step]:
    """Walk down the parabola from `start`: W_b = W_a − rate × gradient."""
    if n_steps < 1:
        raise PlanError(f"The number of steps must be 1 or more; it is {n_steps}.")
    if not 0 < rate < float("inf"):
        raise PlanError(f"The learning rate must be above 0; it is {number(rate)}.")
    steps = []
    w = start
    for _ in range(n_steps):
        distance = w - minimum
        gradient = 2 * distance
        # A product, unlike a power, becomes infinite instead of an error when the descent runs away.
        steps.append(Step(w_a=w, cost=distance * distance, gradient=gradient, w_b=w - rate * gradient))
        w = steps[-1].w_b
    return steps


def judge_rate(rate: float) -> str:
    """Say what a learning rate does on this parabola: the distance is multiplied by 1 − 2 × rate in each step."""
    factor = 1 - 2 * rate
    if abs(factor) > 1:
        return "diverges: each step ends farther from the minimum than it began"
    if abs(factor) == 1:
        return "never arrives: it jumps from one side to the other for ever"
    if factor == 0:
        return "arrives in one step"
    if factor < 0:
        return "converges, jumping from side to side"
    return "converges slowly" if factor > 0.8 else "converges"


def describe_descent(start: float = 0.0, rate: float = 0.3, n_steps: int = 6) -> str:
    """Write one descent out for the terminal, step by step."""
    rows = [
        [
            str(place),
            number(step.w_a),
            number(step.cost),
            number(step.gradient),
            f"{number(step.w_a)} − {number(rate)} × {number(step.gradient)}",
            number(step.w_b),
        ]
        for place, step in enumerate(descend(start, rate, n_steps), start=1)
    ]
    return "\n\n".join(
        [
            f"Cost (W − {number(MINIMUM)})², gradient 2 × (W − {number(MINIMUM)}), from W = {number(start)}, "
            f"learning rate {number(rate)}",
            table(["step", "W_a", "cost", "gradient", "W_a − rate × gradient", "W_b"], rows),
            f"{_direction(start)} A learning rate of {number(rate)} {judge_rate(rate)}.",
        ]
    )


def describe_learning_rates(
    start: float = 0.0, rates: tuple[float, ...] = (0.02, 0.3, 0.9, 1.1), n_steps: int = 8
) -> str:
    """Compare learning rates for the terminal: too small, good, jumping, too large."""
    descents = [descend(start, rate, n_steps) for rate in rates]
    rows = [[str(place + 1), *(number(descent[place].w_b) for descent in descents)] for place in range(n_steps)]
    verdicts = "\n".join(f"  {number(rate)} {judge_rate(rate)}" for rate in rates)
    return "\n\n".join(
        [
            f"W after each step, from W = {number(start)} towards the minimum at {number(MINIMUM)}",
            table(["step", *(f"rate {number(rate)}" for rate in rates)], rows),
            verdicts,
        ]
    )


def _direction(start: float) -> str:
    """Say which way the first step goes, and why."""
    if start == MINIMUM:
        return "The gradient is zero: this is the minimum already."
    if start < MINIMUM:
        return "The gradient is negative, so the parameter grows."
    return "The gradient is positive, so the parameter shrinks."
