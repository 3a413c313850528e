"""The stages of a network from its input to its head, as transfer learning freezes and thaws them."""

from torch import nn


def head_of(network: nn.Module) -> nn.Module:
    """Return the last layer, which answers."""
    return [layer for layer in network.modules() if isinstance(layer, nn.Linear)][-1]


def stages_of(network: nn.Module) -> tuple[tuple[nn.Module, ...], ...]:
    """Return the stages before the head, each as its layers."""
    head = head_of(network)
    stages: list[tuple[nn.Module, ...]] = []
    waiting: list[nn.Module] = []
    for child in network.children():
        if child is head or not list(child.parameters()):
            continue
        waiting.append(child)
        if list(child.children()):
            stages.append(tuple(waiting))
            waiting = []
    return (*stages, tuple(waiting)) if waiting else tuple(stages)
