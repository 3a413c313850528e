"""Take up a contest of two networks where a checkpoint left it."""

import time
from dataclasses import asdict
from pathlib import Path

import torch
from torch import Tensor, nn

from lucency.training.adversarial_course import Contest, Rivals, Round, Standing, Tally
from lucency.training.checkpoint import Checkpoint, load_newest, remove_checkpoints, save_checkpoint
from lucency.training.resume import load_optimizer, tensors_of_optimizer


def resume_contest(rivals: Rivals, contest: Contest, folder: Path) -> tuple[Standing, dict[str, Tensor]]:
    """Take up the newest checkpoint of this contest, or begin."""
    checkpoint = load_newest(folder, contest.key)
    if checkpoint is None:
        remove_checkpoints(folder)
        return Standing(), {}
    groups: dict[str, dict[str, Tensor]] = {}
    for name, tensor in checkpoint.tensors.items():
        group, _, rest = name.partition("/")
        groups.setdefault(group, {})[rest] = tensor
    for name, network in _networks(rivals).items():
        network.load_state_dict(groups[name])
    for name, optimizer in _optimizers(rivals).items():
        load_optimizer(optimizer, groups.get(name, {}))
    scalars = checkpoint.scalars["standing"]
    scalars["history"] = tuple(Round(**entry) for entry in scalars["history"])
    scalars["tally"] = Tally(**scalars["tally"])
    return Standing(**scalars), groups.get("best", {})


class ContestSaver:
    """Writes a checkpoint now and then."""

    def __init__(self, rivals: Rivals, contest: Contest, folder: Path) -> None:
        self._rivals = rivals
        self._contest = contest
        self._folder = folder
        self._last = time.monotonic()

    def save_if_due(self, standing: Standing, best: dict[str, Tensor]) -> None:
        """Write a checkpoint when the plan's minutes have passed since the last."""
        if time.monotonic() - self._last >= 60 * self._contest.training.checkpoint_minutes:
            self.save(standing, best)

    def save(self, standing: Standing, best: dict[str, Tensor]) -> None:
        """Write a checkpoint of both networks, the generator's mean, both optimizers and the best weights."""
        tensors = {f"best/{name}": tensor for name, tensor in best.items()}
        for group, network in _networks(self._rivals).items():
            tensors |= {f"{group}/{name}": tensor for name, tensor in network.state_dict().items()}
        for group, optimizer in _optimizers(self._rivals).items():
            tensors |= {f"{group}/{name}": tensor for name, tensor in tensors_of_optimizer(optimizer).items()}
        scalars = {"key": self._contest.key, "standing": asdict(standing)}
        # the name only has to sort by time: epochs first, then batches
        number = standing.epoch * 10**6 + standing.tally.n_steps
        save_checkpoint(self._folder, number, Checkpoint(scalars, tensors))
        self._last = time.monotonic()


def _networks(rivals: Rivals) -> dict[str, nn.Module]:
    return {"generator": rivals.generator, "discriminator": rivals.discriminator, "average": rivals.average}


def _optimizers(rivals: Rivals) -> dict[str, torch.optim.Optimizer]:
    return {
        "generator_optimizer": rivals.generator_optimizer,
        "discriminator_optimizer": rivals.discriminator_optimizer,
    }
