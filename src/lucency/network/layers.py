"""The layers that several networks share and the plan can choose."""

from torch import nn

from lucency.domain.network_plan import Activation, Network

ACTIVATIONS: dict[Activation, type[nn.Module]] = {
    Activation.RELU: nn.ReLU,
    Activation.TANH: nn.Tanh,
    Activation.SIGMOID: nn.Sigmoid,
}


def activation(settings: Network) -> nn.Module:
    """Return the plan's activation function as a layer."""
    return ACTIVATIONS[settings.activation]()


def pooling(settings: Network) -> nn.Module:
    """Return the plan's pooling over 2 × 2 pixels, which halves rows and columns (rounding down)."""
    return nn.MaxPool2d(2) if settings.pooling == "max" else nn.AvgPool2d(2)


def dropout(settings: Network) -> dict[str, nn.Module]:
    """Return the layer that silences features at random, to stand before the last one; nothing when it is off."""
    return {"dropout": nn.Dropout(settings.dropout)} if settings.dropout > 0 else {}
