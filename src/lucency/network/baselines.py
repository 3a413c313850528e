"""The baselines: networks without convolutions, that any better one has to beat."""

from collections import OrderedDict
from math import prod

from torch import nn

from lucency.domain.network_plan import Network
from lucency.network.layers import activation, dropout


def logistic(settings: Network, n_channels: int, shape: tuple[int, ...], n_outputs: int) -> nn.Module:
    """Build a logistic regression on the pixels: one weight for each pixel and output."""
    layers: OrderedDict[str, nn.Module] = OrderedDict(flatten=nn.Flatten())
    layers.update(dropout(settings))
    layers["fully_connected"] = nn.Linear(n_channels * prod(shape), n_outputs)
    return nn.Sequential(layers)


def fully_connected(settings: Network, n_channels: int, shape: tuple[int, ...], n_outputs: int) -> nn.Module:
    """Build a network in which each unit is connected to all units of the next layer (the article's figure 2B)."""
    layers: OrderedDict[str, nn.Module] = OrderedDict(flatten=nn.Flatten())
    n_inputs = n_channels * prod(shape)
    for number, n_units in enumerate(settings.hidden_units, start=1):
        layers[f"fully_connected_{number}"] = nn.Linear(n_inputs, n_units)
        layers[f"activation_{number}"] = activation(settings)
        n_inputs = n_units
    layers.update(dropout(settings))
    layers[f"fully_connected_{len(settings.hidden_units) + 1}"] = nn.Linear(n_inputs, n_outputs)
    return nn.Sequential(layers)
