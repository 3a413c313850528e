"""What is made small when structures are outlined: by how much two regions fail to overlap.

Logits have axes (image, class, [slice,] row, column), label maps (image, [slice,] row, column); class 0 is the background, which
the overlap leaves out. Sums run over the whole batch (Isensee 2021), in 32 bits whatever the network computes in.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

RegionCost = Callable[[Tensor, Tensor], Tensor]
"""(log probabilities, label maps) to one number."""

_SMOOTH = 1e-5
"""Keeps a structure that is nowhere from being divided by nothing."""


def make_region_cost(name: str, false_positives: float) -> RegionCost:
    """Return the plan's cost: `dice`, `tversky`, `cross_entropy` or `dice_cross_entropy`, the sum of both."""
    costs: dict[str, RegionCost] = {
        "cross_entropy": _cross_entropy,
        "dice": _dice,
        "dice_cross_entropy": lambda logs, labels: _dice(logs, labels) + _cross_entropy(logs, labels),
        "tversky": lambda logs, labels: _tversky(logs, labels, false_positives),
    }
    return costs[name]


def cost_of_regions(region_cost: RegionCost) -> Callable[[nn.Module, Tensor, Tensor], Tensor]:
    """Compare what a network answers with label maps; of several stages, each counts half as much as the next finer one."""

    def cost(network: nn.Module, images: Tensor, labels: Tensor) -> Tensor:
        answers = network(images)
        if isinstance(answers, Tensor):
            return region_cost(logs_of(answers), labels)
        weights = [0.5**stage for stage in range(len(answers))]
        costs = [
            weight * region_cost(logs_of(answer), _coarser(labels, answer.shape[2:]))
            for weight, answer in zip(weights, answers, strict=True)
        ]
        return torch.stack(costs).sum() / sum(weights)

    return cost


def logs_of(logits: Tensor) -> Tensor:
    """Return the logarithms of the probabilities."""
    return torch.log_softmax(logits.float(), dim=1)


def _cross_entropy(logs: Tensor, labels: Tensor) -> Tensor:
    return F.nll_loss(logs, labels)


def _dice(logs: Tensor, labels: Tensor) -> Tensor:
    """Return 1 − the mean soft Dice of the structures (Milletari 2016, with sums in the place of squares)."""
    both, predicted, true = _sums(logs, labels)
    return 1 - ((2 * both + _SMOOTH) / (predicted + true + _SMOOTH)).mean()


def _tversky(logs: Tensor, labels: Tensor, false_positives: float) -> Tensor:
    """Return 1 − the mean Tversky index (Salehi 2017); with ½ it is the Dice cost."""
    both, predicted, true = _sums(logs, labels)
    wrong = false_positives * (predicted - both) + (1 - false_positives) * (true - both)
    return 1 - ((both + _SMOOTH) / (both + wrong + _SMOOTH)).mean()


def _sums(logs: Tensor, labels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Sum the probability of each structure inside of it, everywhere, and its size; axis (structure)."""
    probabilities = logs[:, 1:].exp()
    inside = [(labels == structure) for structure in range(1, logs.shape[1])]
    both = torch.stack([(probabilities[:, i] * there).sum() for i, there in enumerate(inside)])
    true = torch.stack([there.sum() for there in inside]).to(both.dtype)
    others = tuple(axis for axis in range(probabilities.ndim) if axis != 1)
    return both, probabilities.sum(others), true


def _coarser(labels: Tensor, shape: Sequence[int]) -> Tensor:
    """Return label maps at the shape of a coarser stage; the nearest label counts."""
    if tuple(labels.shape[1:]) == tuple(shape):
        return labels
    return F.interpolate(labels[:, None].float(), tuple(shape), mode="nearest-exact")[:, 0].long()
