"""Which stages of a network learn, from which epoch on and how fast; and the proof that frozen ones did not change."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class Stage:
    """Some layers of a network that learn together."""

    layers: tuple[nn.Module, ...]
    rate_factor: float = 1.0
    """Its share of the learning rate."""
    from_epoch: int | None = 0
    """The epoch, counted from 0, in which it begins to learn; None for never."""

    def learns_in(self, epoch: int) -> bool:
        """Tell whether the stage learns in an epoch."""
        return self.from_epoch is not None and epoch >= self.from_epoch


def let_learn(stages: Sequence[Stage], epoch: int) -> None:
    """Freeze and thaw stages as this epoch wants it: a function of the epoch alone, so that a resumed run needs no memory.

    Frozen layers get no gradient, and therefore no step and no weight decay; they are also at rest as in prediction, so that
    their batch normalisation keeps its statistics and their dropout is off.
    """
    for stage in stages:
        learns = stage.learns_in(epoch)
        for layer in stage.layers:
            layer.train(learns)
            layer.requires_grad_(learns)


def names_of_frozen(network: nn.Module, stages: Iterable[Stage]) -> list[str]:
    """Name the parameters and buffers of a network that no epoch changes, as its state dict does."""
    frozen = {id(layer) for stage in stages if stage.from_epoch is None for layer in stage.layers}
    prefixes = tuple(f"{name}." for name, layer in network.named_modules() if id(layer) in frozen)
    return sorted(name for name in network.state_dict() if name.startswith(prefixes)) if prefixes else []


def hash_of(tensors: Mapping[str, Tensor], names: Iterable[str]) -> str:
    """Return the SHA-256 of some tensors, with their names, types and shapes."""
    digest = hashlib.sha256()
    for name in sorted(names):
        tensor = tensors[name].detach().cpu().contiguous()
        digest.update(f"{name}{tensor.dtype}{tuple(tensor.shape)}".encode())
        digest.update(tensor.flatten().view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()
