"""Take up training where a checkpoint left it."""

import time
from dataclasses import asdict
from pathlib import Path

import torch
from torch import Tensor

from lucency.training.checkpoint import Checkpoint, load_newest, remove_checkpoints, save_checkpoint
from lucency.training.course import Epoch, Learner, Position


def resume(learner: Learner, folder: Path) -> tuple[Position, dict[str, Tensor]]:
    """Take up the newest checkpoint of this course, or begin."""
    checkpoint = load_newest(folder, learner.course.key)
    if checkpoint is None:
        remove_checkpoints(folder)
        return Position(), {}
    groups: dict[str, dict[str, Tensor]] = {"network": {}, "optimizer": {}, "best": {}}
    for name, tensor in checkpoint.tensors.items():
        group, _, rest = name.partition("/")
        groups[group][rest] = tensor
    learner.network.load_state_dict(groups["network"])
    load_optimizer(learner.optimizer, groups["optimizer"])
    scalars = checkpoint.scalars["position"]
    scalars["history"] = tuple(Epoch(**entry) for entry in scalars["history"])
    return Position(**scalars), groups["best"]


def tensors_of_optimizer(optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """Return what an optimizer remembers of each parameter, as `number/quantity`."""
    return {
        f"{number}/{name}": value
        for number, quantities in optimizer.state_dict()["state"].items()
        for name, value in quantities.items()
        if isinstance(value, Tensor)
    }


def load_optimizer(optimizer: torch.optim.Optimizer, tensors: dict[str, Tensor]) -> None:
    """Give an optimizer back what it remembered."""
    state: dict[int, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        number, _, quantity = name.partition("/")
        state.setdefault(int(number), {})[quantity] = tensor
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})


class Saver:
    """Writes a checkpoint now and then."""

    def __init__(self, learner: Learner, folder: Path) -> None:
        self._learner = learner
        self._folder = folder
        self._last = time.monotonic()

    def save_if_due(self, position: Position, best: dict[str, Tensor]) -> None:
        """Write a checkpoint when the plan's minutes have passed since the last."""
        if time.monotonic() - self._last >= 60 * self._learner.course.settings.checkpoint_minutes:
            self.save(position, best)

    def save(self, position: Position, best: dict[str, Tensor]) -> None:
        """Write a checkpoint of network, optimizer and best weights."""
        learner = self._learner
        tensors = {f"network/{name}": tensor for name, tensor in learner.network.state_dict().items()}
        tensors |= {f"best/{name}": tensor for name, tensor in best.items()}
        tensors |= {f"optimizer/{name}": tensor for name, tensor in tensors_of_optimizer(learner.optimizer).items()}
        scalars = {"key": learner.course.key, "position": asdict(position)}
        # the name only has to sort by time: epochs first, then batches
        save_checkpoint(self._folder, position.epoch * 10**6 + position.batch, Checkpoint(scalars, tensors))
        self._last = time.monotonic()
