"""The catalogue of networks: a name in the plan, and the function that builds it.

A network maps images, axes (image, channel, row, column), to logits, axes (image, class). Its initial weights are drawn
from torch's global generator alone, so that `torch.manual_seed` before `build` decides them.
"""

from collections.abc import Callable

from torch import nn

from lucency.domain.network_plan import Network
from lucency.errors import PlanError
from lucency.network.baselines import fully_connected, logistic, smallest_for_baselines
from lucency.network.lenet import lenet5, smallest_for_lenet5
from lucency.network.resnet import resnet18, smallest_for_resnet18
from lucency.network.small_cnn import small_cnn, smallest_for_small_cnn

Constructor = Callable[[Network, int, tuple[int, int], int], nn.Module]
"""Builds a network from (settings, number of channels, image shape in (rows, columns), number of classes)."""

CATALOGUE: dict[str, Constructor] = {
    "logistic": logistic,
    "fully_connected": fully_connected,
    "lenet5": lenet5,
    "small_cnn": small_cnn,
    "resnet18": resnet18,
}

SMALLEST: dict[str, Callable[[Network], int]] = {
    "logistic": smallest_for_baselines,
    "fully_connected": smallest_for_baselines,
    "lenet5": smallest_for_lenet5,
    "small_cnn": smallest_for_small_cnn,
    "resnet18": smallest_for_resnet18,
}
"""The shortest side, in pixels, of an image that each network can take."""


def build(settings: Network, n_channels: int, shape: tuple[int, int], n_classes: int) -> nn.Module:
    """Build the network of the plan for images of `shape` (rows, columns); PlanError where they are too small for it."""
    smallest = SMALLEST[settings.architecture](settings)
    if min(shape) < smallest:
        rows, columns = shape
        raise PlanError(
            f"Images of {rows} × {columns} pixels are too small for this {settings.architecture}: it needs at least "
            f"{smallest} × {smallest}. Raise data.image.size or choose another network.architecture."
        )
    return CATALOGUE[settings.architecture](settings, n_channels, shape, n_classes)
