"""Networks that see volumes: slice by slice (2.5-D), or with kernels in three dimensions."""

from collections import OrderedDict

import torch
from torch import Tensor, nn

from lucency.domain.network_plan import Network
from lucency.network.recurrent import Attention, LastState, Mean, Memory, Strongest, memory_of, pooling_of
from lucency.network.stages import remove_head
from lucency.network.watching import at_rest


class SliceBySlice(nn.Module):
    """A network for images that looks at each slice, a memory that goes through the slices, and one answer for all.

    As in the studies of CT that are read slice by slice (Donahue et al. 2015 for films; Islam et al. 2019).
    """

    def __init__(
        self,
        network: nn.Module,
        memory: Memory | None,
        pooling: Attention | Strongest | Mean | LastState,
        answer: nn.Linear,
    ) -> None:
        super().__init__()
        self.network = network
        self.memory = memory
        self.pooling = pooling
        self.answer = answer

    def forward(self, volumes: Tensor) -> Tensor:
        """Return logits, axes (volume, output), for volumes with axes (volume, slice, row, column)."""
        n_volumes, n_slices = volumes.shape[:2]
        features = self.network(volumes.flatten(0, 1)[:, None]).unflatten(0, (n_volumes, n_slices))
        if self.memory is not None:
            features = self.memory(features, torch.full((n_volumes,), n_slices, device=volumes.device))
        is_slice = torch.ones(n_volumes, n_slices, dtype=torch.bool, device=volumes.device)
        logits: Tensor = self.answer(self.pooling(features, is_slice))
        return logits


def slice_by_slice(settings: Network, network: nn.Module, shape: tuple[int, ...], n_outputs: int) -> nn.Module:
    """Put a memory behind a network for single grey images of this shape, (rows, columns)."""
    remove_head(network)
    n_features = _count_features(network, shape)
    memory = None
    if settings.slice_memory != "none":
        memory = memory_of(settings.slice_memory, settings.recurrent, n_features, settings.dropout or 0.0)
        n_features = memory.n_features
    pooling = pooling_of(settings.recurrent, n_features)
    return SliceBySlice(network, memory, pooling, nn.Linear(n_features, n_outputs))


def in_three_dimensions(network: nn.Module, n_slices: int) -> nn.Module:
    """Let a network for volumes with axes (volume, channel, slice, row, column) take (volume, slice, row, column)."""
    return nn.Sequential(OrderedDict(channel=nn.Unflatten(1, (1, n_slices)), network=network))


def _count_features(network: nn.Module, shape: tuple[int, ...]) -> int:
    """Ask the network itself how many features it makes of one image."""
    some_weight = next(network.parameters(), torch.empty(0))  # pixels as they are, where it has none left
    with at_rest(network), torch.no_grad():
        return int(network(some_weight.new_zeros(1, 1, *shape)).shape[1])
