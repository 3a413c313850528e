"""The parts of a network that can be frozen, thawed and taught by themselves: its stages, from the image to the answer.

A stage ends where a network halves its feature maps, or with a hidden fully connected layer. The last stage is the head: the
layer whose outputs are the answer. This holds for every network that `catalogue.build` returns.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from torch import nn

HEAD = "head"
SHRINKING = (
    *(nn.MaxPool2d, nn.AvgPool2d, nn.AdaptiveAvgPool2d),
    *(nn.MaxPool3d, nn.AvgPool3d, nn.AdaptiveAvgPool3d),
)
ENDS = {
    "ResNet": ("maxpool", "layer1", "layer2", "layer3", "layer4"),
    "DenseNet": (
        "features.pool0",
        "features.transition1",
        "features.transition2",
        "features.transition3",
        "features.norm5",
    ),
    "GoogLeNet": ("maxpool2", "maxpool3", "maxpool4", "inception5b"),
    "Inception3": ("maxpool2", "Mixed_5d", "Mixed_6e", "Mixed_7c"),
}
"""The last layer of each stage of networks that are no chains, by the name of their class: importing it would take seconds."""

DETECTING = "GeneralizedRCNN"
"""Networks of torchvision that find lesions: a ResNet reads for them, and all that follows it is their head."""


@dataclass(frozen=True)
class Stage:
    """One part of a network."""

    name: str
    """stage_1, stage_2 … and, last, head."""
    parameters: tuple[str, ...]
    """Names of its parameters, as in `network.named_parameters()`."""
    layers: tuple[str, ...]
    """Names of the layers that hold these parameters and no others, for `network.get_submodule`. A few networks of timm have
    parameters that stand in no layer, such as the numbers of the places of a transformer."""


def stages_of(network: nn.Module) -> list[Stage]:
    """Name the stages of a network, from the image to the answer; every parameter belongs to exactly one of them."""
    heads, ends = head_of(network), _ends_of(network)
    places = {name: place for place, (name, _) in enumerate(network.named_modules())}
    last_places = [max(place for name, place in places.items() if _lies_in(name, end)) for end in ends]
    bodies: list[list[str]] = [[] for _ in range(max(len(ends), 1))]
    head: list[str] = []
    for name, _ in network.named_parameters():
        layer = _owner(name)
        number = min(sum(last < places[layer] for last in last_places), len(bodies) - 1)
        (head if any(_lies_in(layer, one) for one in heads) else bodies[number]).append(name)
    filled = [body for body in bodies if body]
    return [
        *(_stage(network, f"stage_{number}", names) for number, names in enumerate(filled, start=1)),
        _stage(network, HEAD, head),
    ]


def head_of(network: nn.Module) -> tuple[str, ...]:
    """Name the layer whose outputs are the answer; several where a network was taught by another one, or finds lesions."""
    if _is_of_timm(network):
        classifiers = network.get_classifier()  # type: ignore[operator]
        listed = classifiers if isinstance(classifiers, tuple) else (classifiers,)
        return tuple(name for name, layer in network.named_modules() if any(layer is one for one in listed))
    if _is_detecting(network):
        return "backbone.fpn", "rpn", "roi_heads"
    return (_owner([name for name, _ in network.named_parameters()][-1]),)


def replace_head(network: nn.Module, n_outputs: int) -> None:
    """Give the network a new last layer with random weights; all other layers stay as they are."""
    if _is_of_timm(network):
        network.reset_classifier(n_outputs)  # type: ignore[operator]
        return
    (name,) = head_of(network)
    old = network.get_submodule(name)
    assert isinstance(old, nn.Linear)
    new = nn.Linear(old.in_features, n_outputs, device=old.weight.device, dtype=old.weight.dtype)
    network.set_submodule(name, new)


def remove_head(network: nn.Module) -> None:
    """Leave the last layer out, so that the network answers with its features, axes (image, feature)."""
    if _is_of_timm(network):
        network.reset_classifier(0)  # type: ignore[operator]
        return
    (name,) = head_of(network)
    network.set_submodule(name, nn.Identity())


def _stage(network: nn.Module, name: str, parameters: Sequence[str]) -> Stage:
    whole = {
        layer: {f"{layer}.{p}" for p, _ in network.get_submodule(layer).named_parameters()}
        for layer in dict.fromkeys(map(_owner, parameters))
        if layer
    }
    return Stage(name, tuple(parameters), tuple(layer for layer, held in whole.items() if held <= set(parameters)))


def _owner(parameter: str) -> str:
    """Return the name of the layer that holds a parameter."""
    return parameter.rpartition(".")[0]


def _lies_in(name: str, group: str) -> bool:
    return name == group or name.startswith(f"{group}.")


def _ends_of(network: nn.Module) -> list[str]:
    """Name the last layer of each stage before the head, in their order."""
    inside = dict(network.named_children()).get("network")
    if inside is not None:  # a network of the catalogue that sees volumes
        return [f"network.{end}" for end in _ends_of(inside)] + [
            name for name in ("network", "pooling") if name in dict(network.named_children())
        ]
    if _is_of_timm(network):
        return [feature["module"] for feature in network.feature_info]  # type: ignore[union-attr]
    if _is_detecting(network):
        return [f"backbone.body.{end}" for end in ENDS["ResNet"]]
    published = next((ENDS[kind.__name__] for kind in type(network).mro() if kind.__name__ in ENDS), None)
    return list(published or _ends_of_chain(network))


def _is_detecting(network: nn.Module) -> bool:
    return any(kind.__name__ == DETECTING for kind in type(network).mro())


def _ends_of_chain(network: nn.Module) -> list[str]:
    """Name the layers of a chain that shrink its maps, and its fully connected ones but the last."""
    connected = [name for name, layer in network.named_modules() if isinstance(layer, nn.Linear)]
    return [
        name
        for name, layer in network.named_modules()
        if isinstance(layer, SHRINKING) or (isinstance(layer, nn.Linear) and name != connected[-1])
    ]


def _is_of_timm(network: nn.Module) -> bool:
    return type(network).__module__.startswith("timm.")
