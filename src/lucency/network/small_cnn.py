"""A compact convolutional network in the manner of VGG (Simonyan and Zisserman, 2014) that trains quickly on a CPU.

Batch normalisation (Ioffe and Szegedy, 2015) lets it learn in few epochs; global average pooling (Lin et al., 2013) in
place of large fully connected layers keeps it small and lets it take images of any size.
"""

from collections import OrderedDict

from torch import nn

from lucency.domain.network_plan import Network
from lucency.network.layers import activation, dropout, pooling


def small_cnn(settings: Network, n_channels: int, shape: tuple[int, int], n_classes: int) -> nn.Module:  # noqa: ARG001 - any shape fits
    """Build stages of two convolutions each, pooling between the stages, and one fully connected layer."""
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    n_inputs = n_channels
    for number, n_kernels in enumerate(settings.n_kernels, start=1):
        if number > 1:
            layers[f"pooling_{number - 1}"] = pooling(settings)
        layers[f"stage_{number}"] = _stage(settings, n_inputs, n_kernels)
        n_inputs = n_kernels
    layers["global_pooling"] = nn.AdaptiveAvgPool2d(1)
    layers["flatten"] = nn.Flatten()
    layers.update(dropout(settings))
    layers["fully_connected"] = nn.Linear(n_inputs, n_classes)
    return nn.Sequential(layers)


def smallest_for_small_cnn(settings: Network) -> int:
    """Return the shortest side in pixels that leaves 2 × 2 pixels to the last stage, so that a batch of one normalises."""
    return int(2 ** len(settings.n_kernels))


def _stage(settings: Network, n_inputs: int, n_kernels: int) -> nn.Sequential:
    """Return convolution, batch normalisation and activation, twice, at one resolution."""
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    for number, n_maps in ((1, n_inputs), (2, n_kernels)):
        # The normalisation subtracts each map's mean and adds its own: a bias before it would be lost.
        layers[f"convolution_{number}"] = nn.Conv2d(
            n_maps, n_kernels, settings.kernel_size, padding=settings.kernel_size // 2, bias=False
        )
        layers[f"normalisation_{number}"] = nn.BatchNorm2d(n_kernels)
        layers[f"activation_{number}"] = activation(settings)
    return nn.Sequential(layers)
