"""The stages of a network from its input to its head, as transfer learning freezes and thaws them."""

from dataclasses import dataclass

from torch import nn


@dataclass(frozen=True)
class Stage:
    """One part of a network."""

    name: str
    parameters: tuple[str, ...]
    """Names of its parameters, as in `network.named_parameters()`."""
    layers: tuple[str, ...]
    """Names of the layers that hold these parameters, as in `network.get_submodule`."""


def head_of(network: nn.Module) -> tuple[str, ...]:
    """Name the last layer, which answers."""
    return (_leaves(network, nn.Linear)[-1],)


def stages_of(network: nn.Module) -> list[Stage]:
    """Name the stages of a network from its input to its head, which is the last."""
    (head,) = head_of(network)
    groups: list[list[str]] = [[]]
    for name, child in network.named_children():
        layers = [
            f"{name}.{inner}".rstrip(".")
            for inner in _leaves(child, nn.Module)
            if f"{name}.{inner}".rstrip(".") != head
        ]
        groups[-1] += layers
        if layers and any(True for _ in child.children()):
            groups.append([])
    bodies = [group for group in groups if group]
    return [_stage(network, f"stage_{n}", layers) for n, layers in enumerate(bodies, 1)] + [
        _stage(network, "head", [head])
    ]


def _stage(network: nn.Module, name: str, layers: list[str]) -> Stage:
    names = [f"{layer}.{p}" for layer in layers for p, _ in network.get_submodule(layer).named_parameters()]
    return Stage(name, tuple(names), tuple(layers))


def _leaves(network: nn.Module, kind: type[nn.Module]) -> list[str]:
    return [
        name
        for name, layer in network.named_modules()
        if isinstance(layer, kind) and not any(True for _ in layer.children()) and any(True for _ in layer.parameters())
    ]
