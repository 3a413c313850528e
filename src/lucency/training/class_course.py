"""What a network learns from that names classes, or findings that are there or not."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from lucency.domain.training_plan import Training
from lucency.training.cost import make_cost, probabilities_of
from lucency.training.course import Course, Measure
from lucency.training.examples import Augment, Examples
from lucency.training.lessons import cost_of_answers, judged_on, lessons_from

Score = Callable[[NDArray, NDArray[np.float64]], float]
"""(targets, probabilities) of the tuning part to its AUC, or what else is larger when the network is better."""


def class_course(
    title: str,
    settings: Training,
    training: Examples,
    tuning: Examples,
    n_classes: int,
    augment: Augment | None,
    score: Score,
    seed: int,
    key: str,
) -> Course:
    """Put together a course whose cost and measure see probabilities; `n_classes` counts findings where several are asked."""
    cost = make_cost(settings, training.targets, n_classes)

    def measure(answers: Tensor, targets: Tensor) -> float:
        return score(targets.numpy(), probabilities_of(answers, targets))

    return Course(
        title=title,
        settings=settings,
        training=training,
        lesson=lessons_from(training, augment),
        cost=cost_of_answers(cost),
        judge=judged_on(tuning, cost, measure),
        measure=Measure("AUC"),
        seed=seed,
        key=key,
    )
