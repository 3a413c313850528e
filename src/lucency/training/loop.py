"""Training, as the article tells it: epochs, batches, iterations; forward, cost, backward, step."""

import math
import time
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from lucency.domain.progress import Desk
from lucency.domain.training_plan import Training
from lucency.errors import DivergenceError, Interrupted
from lucency.randomness import key
from lucency.training.course import Course, Epoch, Judgement, Learner, Measure, Outcome, Position
from lucency.training.device import fix_arithmetic, make_device
from lucency.training.freezing import let_learn
from lucency.training.optimizer import make_optimizer, set_rate
from lucency.training.resume import Saver, resume
from lucency.training.schedule import learning_rate


def train_member(network: nn.Module, course: Course, folder: Path, desk: Desk) -> Outcome:
    """Train one network and return it as it was in its best epoch on the tuning part.

    Goes on from a checkpoint in `folder` if there is one of the same course; on a CPU the weights are then the same,
    bit for bit, as if nothing had happened.

    Raises:
        Interrupted: the user asked to stop; a checkpoint was saved.
        DivergenceError: the cost became infinite or undefined.
        StorageError: a checkpoint could not be written.
    """
    settings = course.settings
    fix_arithmetic(settings)
    device = make_device(settings)
    paces = course.paces(network)
    network, optimizer = device.setup(network, make_optimizer(network, settings, paces))
    learner = Learner(network, optimizer, device, course)
    position, best = resume(learner, folder)
    saver = Saver(learner, folder)
    n_batches = math.ceil(len(course.training) / settings.batch_size)
    n_done = position.epoch * n_batches + position.batch

    with desk.progress(course.title, settings.epochs * n_batches, n_done) as progress:
        while not position.stopped_because:
            started = time.monotonic() - position.seconds
            network.train()
            let_learn(paces, position.epoch)
            order = course.training.batches(settings.batch_size, course.seed, position.epoch)
            for batch in islice(order, position.batch, None):
                iteration = position.epoch * n_batches + position.batch
                rate = learning_rate(settings, iteration, n_batches)
                cost = _step(learner, batch, rate, position.epoch, iteration)
                _refuse_divergence(cost, course.title, position.epoch, iteration)
                position = _count(position, cost, len(batch), time.monotonic() - started)
                try:
                    progress.advance(detail=_standing(position, course.measure))
                except Interrupted:
                    saver.save(position, best)
                    raise
                saver.save_if_due(position, best)
            position, best = _end_epoch(learner, position, best, n_batches)
        saver.save(position, best)
    return Outcome(position.history, position.best_epoch, position.stopped_because, best)


def _step(learner: Learner, batch: NDArray[np.int64], rate: float, epoch: int, iteration: int) -> float:
    """Do one iteration: forward propagation, cost, back propagation, one step of every parameter against its gradient."""
    course, device = learner.course, learner.device
    torch.manual_seed(key(course.seed, "dropout", iteration) >> 1)
    inputs, lessons = course.lesson(batch, epoch, device.device)
    with device.autocast():
        cost = course.cost(learner.network, inputs, lessons)
    learner.optimizer.zero_grad()
    device.backward(cost)
    set_rate(learner.optimizer, rate)
    learner.optimizer.step()
    return float(cost.item())


def _count(position: Position, cost: float, n_examples: int, seconds: float) -> Position:
    return replace(
        position,
        batch=position.batch + 1,
        cost_sum=position.cost_sum + cost * n_examples,
        n_examples=position.n_examples + n_examples,
        seconds=seconds,
    )


def _end_epoch(
    learner: Learner, position: Position, best: dict[str, Tensor], n_batches: int
) -> tuple[Position, dict[str, Tensor]]:
    """Measure the tuning part, keep the weights if they are the best so far, and decide whether to stop."""
    course, settings = learner.course, learner.course.settings
    n_iterations = (position.epoch + 1) * n_batches
    rate = learning_rate(settings, n_iterations - 1, n_batches)
    judged = course.judge(learner.network, learner.device)
    _refuse_divergence(judged.cost, course.title, position.epoch, n_iterations - 1)
    epoch, training_cost = position.epoch + 1, position.cost_sum / position.n_examples
    seconds = round(position.seconds, 3)
    entry = Epoch(epoch, rate, training_cost, judged.cost, judged.measure, n_iterations, seconds)
    score = _score(course, judged)
    if score > position.best_score:
        position = replace(position, best_epoch=epoch, best_score=score)
        best = {name: _own_copy(tensor) for name, tensor in learner.network.state_dict().items()}
    return Position(
        epoch=epoch,
        history=(*position.history, entry),
        best_epoch=position.best_epoch,
        best_score=position.best_score,
        stopped_because=_reason_to_stop(settings, epoch, position.best_epoch),
    ), best


def _score(course: Course, judged: Judgement) -> float:
    """Return what chooses the best epoch, the larger the better."""
    if course.settings.select_by == "cost":
        return -judged.cost
    return judged.measure if course.measure.is_better_larger else -judged.measure


def _own_copy(tensor: Tensor) -> Tensor:
    """Copy a tensor that training goes on changing, in the plain order that files want."""
    return tensor.detach().cpu().clone(memory_format=torch.contiguous_format)


def _reason_to_stop(settings: Training, epoch: int, best_epoch: int) -> str:
    if epoch == settings.epochs:
        return "all epochs done"
    if settings.early_stopping and epoch - best_epoch >= settings.early_stopping.patience:
        return f"no gain on the tuning part for {settings.early_stopping.patience} epochs"
    return ""


def _standing(position: Position, measure: Measure) -> str:
    """Say in a few words how training stands."""
    words = f"epoch {position.epoch + 1}, cost {position.cost_sum / position.n_examples:.3f}"
    if position.history:
        words += f", tuning {measure.name} {position.history[-1].tuning_measure:.3f}"
    return words


def _refuse_divergence(cost: float, title: str, epoch: int, iteration: int) -> None:
    if not math.isfinite(cost):
        raise DivergenceError(
            f"{title} diverged: in epoch {epoch + 1}, iteration {iteration + 1}, the cost is {cost}. Lower "
            "`training.learning_rate` (a tenth is a good next try) and run again; no undefined weights were kept."
        )
