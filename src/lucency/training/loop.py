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
from lucency.training.cost import make_cost, probabilities_of
from lucency.training.course import Course, Epoch, Learner, Outcome, Position
from lucency.training.device import Device, fix_arithmetic, make_device
from lucency.training.examples import Examples
from lucency.training.optimizer import make_optimizer
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
    network, optimizer = device.setup(network, make_optimizer(network, settings))
    cost_of = make_cost(settings, course.training.targets, course.n_classes)
    learner = Learner(network, optimizer, device, cost_of, course)
    position, best = resume(learner, folder)
    saver = Saver(learner, folder)
    n_batches = math.ceil(len(course.training) / settings.batch_size)
    n_done = position.epoch * n_batches + position.batch

    with desk.progress(course.title, settings.epochs * n_batches, n_done) as progress:
        while not position.stopped_because:
            started = time.monotonic() - position.seconds
            network.train()
            order = course.training.batches(settings.batch_size, course.seed, position.epoch)
            for batch in islice(order, position.batch, None):
                iteration = position.epoch * n_batches + position.batch
                rate = learning_rate(settings, iteration, n_batches)
                cost = _step(learner, batch, rate, position.epoch, iteration)
                _refuse_divergence(cost, course.title, position.epoch, iteration)
                position = _count(position, cost, len(batch), time.monotonic() - started)
                try:
                    progress.advance(detail=_standing(position))
                except Interrupted:
                    saver.save(position, best)
                    raise
                saver.save_if_due(position, best)
            position, best = _end_epoch(learner, position, best, n_batches)
        saver.save(position, best)
    return Outcome(position.history, position.best_epoch, position.stopped_because, best)


def predict(network: nn.Module, examples: Examples, device: Device, batch_size: int = 256) -> Tensor:
    """Return the logits of all examples, axes (example, class), without learning from them."""
    network.eval()
    order = list(examples.in_order(batch_size))
    with torch.inference_mode(), device.autocast():
        logits = [network(examples.inputs(batch).to(device.device)).float().cpu() for batch in order]
    return torch.cat(logits)[np.argsort(np.concatenate(order))]


def _step(learner: Learner, batch: NDArray[np.int64], rate: float, epoch: int, iteration: int) -> float:
    """Do one iteration: forward propagation, cost, back propagation, one step of every parameter against its gradient."""
    course, device, examples = learner.course, learner.device, learner.course.training
    torch.manual_seed(key(course.seed, "dropout", iteration) >> 1)
    lessons = examples.lessons[batch].to(device.device)
    if course.augment:
        inputs = course.augment(examples.stored(batch).to(device.device), examples.sample_keys[batch], epoch)
    else:
        inputs = examples.inputs(batch).to(device.device)
    with device.autocast():
        cost = learner.cost_of(learner.network(inputs), lessons)
    learner.optimizer.zero_grad()
    device.backward(cost)
    for group in learner.optimizer.param_groups:
        group["lr"] = rate
    learner.optimizer.step()
    return float(cost.item())


def _count(position: Position, cost: float, n_images: int, seconds: float) -> Position:
    return replace(
        position,
        batch=position.batch + 1,
        cost_sum=position.cost_sum + cost * n_images,
        n_images=position.n_images + n_images,
        seconds=seconds,
    )


def _end_epoch(
    learner: Learner, position: Position, best: dict[str, Tensor], n_batches: int
) -> tuple[Position, dict[str, Tensor]]:
    """Measure the tuning part, keep the weights if they are the best so far, and decide whether to stop."""
    course, settings = learner.course, learner.course.settings
    n_iterations = (position.epoch + 1) * n_batches
    rate = learning_rate(settings, n_iterations - 1, n_batches)
    logits = predict(learner.network, course.tuning, learner.device)
    tuning_cost = float(learner.cost_of(logits, course.tuning.targets))
    _refuse_divergence(tuning_cost, course.title, position.epoch, n_iterations - 1)
    auc = course.score(course.tuning.targets.numpy(), probabilities_of(logits, course.tuning.targets))
    epoch, training_cost = position.epoch + 1, position.cost_sum / position.n_images
    entry = Epoch(epoch, rate, training_cost, tuning_cost, auc, n_iterations, round(position.seconds, 3))
    score = auc if settings.select_by == "auc" else -tuning_cost
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


def _own_copy(tensor: Tensor) -> Tensor:
    """Copy a tensor that training goes on changing, in the plain order that files want."""
    return tensor.detach().cpu().clone(memory_format=torch.contiguous_format)


def _reason_to_stop(settings: Training, epoch: int, best_epoch: int) -> str:
    if epoch == settings.epochs:
        return "all epochs done"
    if settings.early_stopping and epoch - best_epoch >= settings.early_stopping.patience:
        return f"no gain on the tuning part for {settings.early_stopping.patience} epochs"
    return ""


def _standing(position: Position) -> str:
    """Say in a few words how training stands."""
    words = f"epoch {position.epoch + 1}, cost {position.cost_sum / position.n_images:.3f}"
    if position.history:
        words += f", tuning AUC {position.history[-1].tuning_auc:.3f}"
    return words


def _refuse_divergence(cost: float, title: str, epoch: int, iteration: int) -> None:
    if not math.isfinite(cost):
        raise DivergenceError(
            f"{title} diverged: in epoch {epoch + 1}, iteration {iteration + 1}, the cost is {cost}. Lower "
            "`training.learning_rate` (a tenth is a good next try) and run again; no undefined weights were kept."
        )
