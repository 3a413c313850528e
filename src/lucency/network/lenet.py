"""LeNet-5, the first convolutional network in wide use (LeCun et al., Proceedings of the IEEE 1998)."""

from collections import OrderedDict

from torch import nn

from lucency.domain.network_plan import Network
from lucency.network.layers import activation, dropout, pooling

SMALLEST_SIDE_PIXELS = 16
"""After two unpadded 5 × 5 convolutions and two poolings one row is left: ((16 − 4) / 2 − 4) / 2 = 1."""


def lenet5(settings: Network, n_channels: int, shape: tuple[int, int], n_classes: int) -> nn.Module:
    """Build LeNet-5: two convolutions with pooling, then 120, 84 and `n_classes` units.

    On the 32 × 32 grey images and 10 classes of 1998 it has 61,706 parameters. On other images the layer of 120 units
    grows or shrinks with the image. As is usual today, every kernel sees all maps of the layer before, pooling has no
    weights, and the last layer is fully connected.
    """
    rows, columns = (((side - 4) // 2 - 4) // 2 for side in shape)
    layers: OrderedDict[str, nn.Module] = OrderedDict(
        convolution_1=nn.Conv2d(n_channels, 6, kernel_size=5),
        activation_1=activation(settings),
        pooling_1=pooling(settings),
        convolution_2=nn.Conv2d(6, 16, kernel_size=5),
        activation_2=activation(settings),
        pooling_2=pooling(settings),
        flatten=nn.Flatten(),
        fully_connected_1=nn.Linear(16 * rows * columns, 120),
        activation_3=activation(settings),
        fully_connected_2=nn.Linear(120, 84),
        activation_4=activation(settings),
    )
    layers.update(dropout(settings))
    layers["fully_connected_3"] = nn.Linear(84, n_classes)
    return nn.Sequential(layers)


def smallest_for_lenet5(_: Network) -> int:
    """Return the shortest side in pixels that an image may have."""
    return SMALLEST_SIDE_PIXELS
