"""The layers that several networks share and the plan can choose, in two dimensions and in three."""

from collections.abc import Callable

from torch import nn

from lucency.domain.network_plan import Activation, Network

ACTIVATIONS: dict[Activation, type[nn.Module]] = {
    Activation.RELU: nn.ReLU,
    Activation.TANH: nn.Tanh,
    Activation.SIGMOID: nn.Sigmoid,
}
CONVOLUTION: dict[int, Callable[..., nn.Conv2d | nn.Conv3d]] = {2: nn.Conv2d, 3: nn.Conv3d}
"""By the number of dimensions, as the following ones."""
BATCH_NORM: dict[int, type[nn.BatchNorm2d] | type[nn.BatchNorm3d]] = {2: nn.BatchNorm2d, 3: nn.BatchNorm3d}
MAX_POOLING: dict[int, type[nn.MaxPool2d] | type[nn.MaxPool3d]] = {2: nn.MaxPool2d, 3: nn.MaxPool3d}
AVERAGE_POOLING: dict[int, type[nn.AvgPool2d] | type[nn.AvgPool3d]] = {2: nn.AvgPool2d, 3: nn.AvgPool3d}
GLOBAL_POOLING: dict[int, type[nn.AdaptiveAvgPool2d] | type[nn.AdaptiveAvgPool3d]] = {
    2: nn.AdaptiveAvgPool2d,
    3: nn.AdaptiveAvgPool3d,
}


def activation(settings: Network) -> nn.Module:
    """Return the plan's activation function as a layer."""
    return ACTIVATIONS[settings.activation]()


def pooling(settings: Network, n_dimensions: int = 2) -> nn.Module:
    """Return the plan's pooling over 2 × 2 pixels (or 2 × 2 × 2 voxels), which halves each side (rounding down)."""
    kinds = MAX_POOLING if settings.pooling == "max" else AVERAGE_POOLING
    return kinds[n_dimensions](2)


def dropout(settings: Network) -> dict[str, nn.Module]:
    """Return the layer that silences features at random, to stand before the last one; nothing when it is off."""
    return {"dropout": nn.Dropout(settings.dropout)} if settings.dropout else {}


def with_choices(network: nn.Module, settings: Network) -> nn.Module:
    """Give a published network the plan's activation and pooling where it has ReLU and max pooling."""
    if settings.activation != Activation.RELU:
        _replace(network, nn.ReLU, lambda _: activation(settings))
    if settings.pooling == "average":
        _replace(network, nn.MaxPool2d, lambda old: nn.AvgPool2d(old.kernel_size, old.stride, old.padding))
        _replace(network, nn.MaxPool3d, lambda old: nn.AvgPool3d(old.kernel_size, old.stride, old.padding))
    return network


def _replace(network: nn.Module, kind: type[nn.Module], new: Callable[..., nn.Module]) -> None:
    for group in list(network.modules()):
        for name, layer in group.named_children():
            if isinstance(layer, kind):
                setattr(group, name, new(layer))
