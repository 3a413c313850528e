"""Which parameters of a network learn, from which epoch on and how fast; and the proof that frozen ones did not change."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class Pace:
    """How some parameters of a network learn, which belong together."""

    name: str
    parameters: tuple[nn.Parameter, ...]
    layers: tuple[nn.Module, ...] = ()
    """The layers that hold them: those with statistics of their own, as batch normalisation has, rest while frozen."""
    rate_factor: float = 1.0
    """Its share of the learning rate."""
    from_epoch: int | None = 0
    """The epoch, counted from 0, in which it begins to learn; None for never."""

    def learns_in(self, epoch: int) -> bool:
        """Tell whether they learn in an epoch."""
        return self.from_epoch is not None and epoch >= self.from_epoch


def let_learn(paces: Sequence[Pace], epoch: int) -> None:
    """Freeze and thaw as this epoch wants it: a function of the epoch alone, so that a resumed run needs no memory.

    What is frozen gets no gradient, and therefore no step and no weight decay; its layers rest as they do in prediction, so
    that batch normalisation keeps its statistics.
    """
    for pace in paces:
        learns = pace.learns_in(epoch)
        for parameter in pace.parameters:
            parameter.requires_grad = learns
        for layer in pace.layers:
            layer.training = learns


def names_of_frozen(network: nn.Module, paces: Iterable[Pace]) -> list[str]:
    """Name the parameters and buffers of a network that no epoch changes, as its state dict does."""
    frozen = [pace for pace in paces if pace.from_epoch is None]
    tensors = [*(p for pace in frozen for p in pace.parameters), *(b for pace in frozen for b in _buffers(pace))]
    numbers = {id(tensor) for tensor in tensors}
    named = dict(network.named_parameters()) | dict(network.named_buffers())
    return sorted(name for name, tensor in named.items() if id(tensor) in numbers)


def count_frozen(paces: Iterable[Pace]) -> int:
    """Count the parameters that no epoch changes."""
    return sum(parameter.numel() for pace in paces if pace.from_epoch is None for parameter in pace.parameters)


def _buffers(pace: Pace) -> list[Tensor]:
    return [buffer for layer in pace.layers for buffer in layer.buffers(recurse=False)]


def hash_of(tensors: Mapping[str, Tensor], names: Iterable[str]) -> str:
    """Return the SHA-256 of some tensors, with their names, types and shapes."""
    digest = hashlib.sha256()
    for name in sorted(names):
        tensor = tensors[name].detach().cpu().contiguous()
        digest.update(f"{name}{tensor.dtype}{tuple(tensor.shape)}".encode())
        digest.update(tensor.flatten().view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()
