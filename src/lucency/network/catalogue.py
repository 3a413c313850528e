"""The catalogue of networks: a name in the plan, and the function that builds it.

A network maps images, axes (image, channel, row, column), to logits, axes (image, output). Its initial weights are drawn
from torch's global generator alone, so that `torch.manual_seed` before `build` decides them. Which settings each has, and how
small an image it takes, stands in `domain/architectures.py`, where the plan can look without torch.
"""

from collections.abc import Callable

from torch import nn

from lucency.domain.architectures import TIMM
from lucency.domain.image_sizes import refusal_of_size
from lucency.domain.network_plan import Network
from lucency.errors import PlanError
from lucency.network.alexnet import alexnet, zfnet
from lucency.network.baselines import fully_connected, logistic
from lucency.network.densenet import densenet, densenet_3d
from lucency.network.from_timm import from_timm
from lucency.network.inception import googlenet, inception_v3
from lucency.network.lenet import lenet5
from lucency.network.resnet import resnet, resnet_3d
from lucency.network.small_cnn import small_cnn
from lucency.network.vgg import vgg
from lucency.network.volumes import in_three_dimensions, slice_by_slice

Constructor = Callable[[Network, int, tuple[int, ...], int], nn.Module]
"""Builds a network from (settings, number of channels, shape in ([slices,] rows, columns), number of outputs)."""

CATALOGUE: dict[str, Constructor] = {
    "logistic": logistic,
    "fully_connected": fully_connected,
    "lenet5": lenet5,
    "small_cnn": small_cnn,
    "alexnet": alexnet,
    "zfnet": zfnet,
    "vgg11": vgg,
    "vgg16": vgg,
    "vgg19": vgg,
    "googlenet": googlenet,
    "inception_v3": inception_v3,
    "resnet18": resnet,
    "resnet34": resnet,
    "resnet50": resnet,
    "resnet101": resnet,
    "densenet121": densenet,
    "densenet169": densenet,
}
"""Networks for images; any other is one of timm."""

IN_THREE_DIMENSIONS: dict[str, Constructor] = {
    "logistic": logistic,
    "fully_connected": fully_connected,
    "small_cnn": small_cnn,
    "resnet18": resnet_3d,
    "resnet34": resnet_3d,
    "resnet50": resnet_3d,
    "resnet101": resnet_3d,
    "densenet121": densenet_3d,
    "densenet169": densenet_3d,
}
"""Networks for volumes, whose kernels reach across slices."""


def build(settings: Network, n_channels: int, shape: tuple[int, int], n_outputs: int) -> nn.Module:
    """Build the network of the plan for images of `shape` (rows, columns); the channels of a volume are its slices.

    Raises:
        PlanError: the images are too small for it, or timm has no network of that name.
    """
    refusal = refusal_of_size(settings, n_channels, shape)
    if refusal:
        raise PlanError(f"{refusal[0].upper()}{refusal[1:]}.")
    if settings.volumes == "3d":
        network = IN_THREE_DIMENSIONS[settings.architecture](settings, 1, (n_channels, *shape), n_outputs)
        return in_three_dimensions(network, n_slices=n_channels)
    constructor = from_timm if settings.architecture.startswith(TIMM) else CATALOGUE[settings.architecture]
    if settings.volumes == "slice_by_slice":
        return slice_by_slice(settings, constructor(settings, 1, shape, n_outputs), shape, n_outputs)
    return constructor(settings, n_channels, shape, n_outputs)
