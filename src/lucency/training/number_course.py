"""What a network learns from that measures a number."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from lucency.domain.training_plan import Training
from lucency.training.cost import AnswerCost
from lucency.training.course import Course, Measure
from lucency.training.examples import Augment, Examples
from lucency.training.lessons import cost_of_answers, judged_on, lessons_from

COSTS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "mse": F.mse_loss,
    "mae": F.l1_loss,
    "huber": F.huber_loss,
}
"""Costs by their names in the plan, of numbers in standard deviations of the training part."""


def number_course(
    title: str, settings: Training, training: Examples, tuning: Examples, augment: Augment | None, seed: int, key: str
) -> Course:
    """Put together a course whose cost is in standard deviations of the training part, and whose measure in its unit."""
    cost = cost_of_numbers(settings, training.targets)
    return Course(
        title=title,
        settings=settings,
        training=training,
        lesson=lessons_from(training, augment),
        cost=cost_of_answers(cost),
        judge=judged_on(tuning, cost, _mean_absolute_error),
        measure=Measure("mean absolute error", is_better_larger=False),
        seed=seed,
        key=key,
    )


def cost_of_numbers(settings: Training, targets: Tensor) -> AnswerCost:
    """Return the plan's cost of answers, axes (example, 1), against numbers, axis (example); both in the unit of the study."""
    deviation = float(targets.double().std(correction=0))
    compare = COSTS[settings.cost]

    def cost(answers: Tensor, numbers: Tensor) -> Tensor:
        return compare(answers[:, 0] / deviation, numbers / deviation)

    return cost


def _mean_absolute_error(answers: Tensor, numbers: Tensor) -> float:
    return float(torch.mean(torch.abs(answers[:, 0].double() - numbers.double())))
