"""LeNet-5, the first convolutional network in wide use (LeCun et al., Proceedings of the IEEE 1998)."""

from collections import OrderedDict

from torch import nn

from lucency.domain.chain import chain_of
from lucency.domain.network_plan import Network
from lucency.network.layers import activation, dropout, pooling


def lenet5(settings: Network, n_channels: int, shape: tuple[int, ...], n_outputs: int) -> nn.Module:
    """Build LeNet-5: two convolutions with pooling, then 120, 84 and `n_outputs` units.

    On the 32 × 32 grey images and 10 classes of 1998 it has 61,706 parameters. On other images the layer of 120 units
    grows or shrinks with the image. As is usual today, every kernel sees all maps of the layer before, pooling has no
    weights, and the last layer is fully connected.
    """
    chain, n_inputs = chain_of(settings), n_channels
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    for number, n_kernels in enumerate(chain.n_kernels, start=1):
        layers[f"convolution_{number}"] = nn.Conv2d(
            n_inputs, n_kernels, chain.kernel_size, chain.stride, chain.padding, bias=not chain.batch_norm
        )
        if chain.batch_norm:
            layers[f"normalisation_{number}"] = nn.BatchNorm2d(n_kernels)
        layers[f"activation_{number}"] = activation(settings)
        layers[f"pooling_{number}"] = pooling(settings)
        n_inputs = n_kernels
    rows, columns = (chain.side_after(side) for side in shape)
    n_stages = len(chain.n_kernels)
    layers["flatten"] = nn.Flatten()
    layers["fully_connected_1"] = nn.Linear(n_inputs * rows * columns, 120)
    layers[f"activation_{n_stages + 1}"] = activation(settings)
    layers["fully_connected_2"] = nn.Linear(120, 84)
    layers[f"activation_{n_stages + 2}"] = activation(settings)
    layers.update(dropout(settings))
    layers["fully_connected_3"] = nn.Linear(84, n_outputs)
    return nn.Sequential(layers)
