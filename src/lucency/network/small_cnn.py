"""A compact convolutional network in the manner of VGG (Simonyan and Zisserman, 2014) that trains quickly on a CPU.

Batch normalisation (Ioffe and Szegedy, 2015) lets it learn in few epochs; global average pooling (Lin et al., 2013) in
place of large fully connected layers keeps it small and lets it take images of any size. It is the same for volumes, with
kernels in three dimensions.
"""

from collections import OrderedDict

from torch import nn

from lucency.domain.chain import Chain, chain_of
from lucency.domain.network_plan import Network
from lucency.network.layers import BATCH_NORM, CONVOLUTION, GLOBAL_POOLING, activation, dropout, pooling


def small_cnn(settings: Network, n_channels: int, shape: tuple[int, ...], n_outputs: int) -> nn.Module:
    """Build stages of two convolutions each, pooling between the stages, and one fully connected layer."""
    chain, n_inputs, n_dimensions = chain_of(settings), n_channels, len(shape)
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    for number, n_kernels in enumerate(chain.n_kernels, start=1):
        if number > 1:
            layers[f"pooling_{number - 1}"] = pooling(settings, n_dimensions)
        layers[f"stage_{number}"] = _stage(settings, chain, n_inputs, n_kernels, n_dimensions)
        n_inputs = n_kernels
    layers["global_pooling"] = GLOBAL_POOLING[n_dimensions](1)
    layers["flatten"] = nn.Flatten()
    layers.update(dropout(settings))
    layers["fully_connected"] = nn.Linear(n_inputs, n_outputs)
    return nn.Sequential(layers)


def _stage(settings: Network, chain: Chain, n_inputs: int, n_kernels: int, n_dimensions: int) -> nn.Sequential:
    """Return convolution, batch normalisation and activation, twice, at one resolution."""
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    for number, n_maps, stride in ((1, n_inputs, chain.stride), (2, n_kernels, 1)):
        # The normalisation subtracts each map's mean and adds its own: a bias before it would be lost.
        layers[f"convolution_{number}"] = CONVOLUTION[n_dimensions](
            n_maps, n_kernels, chain.kernel_size, stride, chain.padding, bias=not chain.batch_norm
        )
        if chain.batch_norm:
            layers[f"normalisation_{number}"] = BATCH_NORM[n_dimensions](n_kernels)
        layers[f"activation_{number}"] = activation(settings)
    return nn.Sequential(layers)
