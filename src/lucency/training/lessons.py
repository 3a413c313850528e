"""How a network learns to answer: batches of labelled examples, the cost of its answers, and how it stands in between."""

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from lucency.training.cost import AnswerCost
from lucency.training.course import Cost, Judge, Judgement, Lesson
from lucency.training.device import Device
from lucency.training.examples import Augment, Examples
from lucency.training.prediction import predict


def lessons_from(examples: Examples, augment: Augment | None) -> Lesson:
    """Show the examples of a batch, changed at random where the plan asks for it, with their labels."""

    def lesson(batch: NDArray[np.int64], epoch: int, device: torch.device) -> tuple[Tensor, Tensor]:
        lessons = examples.lessons[batch].to(device)
        if augment is None:
            return examples.inputs(batch).to(device), lessons
        return augment(examples.stored(batch).to(device), examples.sample_keys[batch], epoch), lessons

    return lesson


def cost_of_answers(answer_cost: AnswerCost) -> Cost:
    """Compare what the network answers with the lessons."""

    def cost(network: nn.Module, inputs: Tensor, lessons: Tensor) -> Tensor:
        return answer_cost(network(inputs), lessons)

    return cost


def judged_on(tuning: Examples, answer_cost: AnswerCost, measure: Callable[[Tensor, Tensor], float]) -> Judge:
    """Let the network answer the tuning part; `measure` takes its answers and the targets, both with the example first."""

    def judge(network: nn.Module, device: Device) -> Judgement:
        answers = predict(network, tuning, device)
        return Judgement(float(answer_cost(answers, tuning.targets)), measure(answers, tuning.targets))

    return judge
