"""DenseNet, in which each layer sees the maps of all before it (Huang et al., CVPR 2017): torchvision's and MONAI's.

The large stem is that of the paper: 7 × 7 kernels with stride 2, then max pooling with stride 2. The small stem keeps the
resolution: 3 × 3 kernels with stride 1 and no pooling (section 4.2, for 32 × 32 pixels).
"""

from typing import Any

from torch import nn

from lucency.domain.network_plan import Network
from lucency.network.stems import first_convolution, has_small_stem


def densenet(settings: Network, n_channels: int, shape: tuple[int, ...], n_outputs: int) -> nn.Module:
    """Build the DenseNet that the plan names; parameter names are torchvision's, so that its weights fit."""
    # torchvision takes seconds to import; a study with another network need not wait for it.
    from torchvision import models

    network = models.get_model(settings.architecture, weights=None, num_classes=n_outputs)
    return _adapted(network, settings, n_channels, shape, nn.Dropout2d)


def densenet_3d(settings: Network, n_channels: int, shape: tuple[int, ...], n_outputs: int) -> nn.Module:
    """Build the DenseNet that the plan names with kernels in three dimensions; parameter names are MONAI's."""
    # MONAI takes ten seconds to import; a study of images need not wait for it.
    from monai.networks import nets

    network = getattr(nets, settings.architecture)(spatial_dims=3, in_channels=3, out_channels=n_outputs)
    return _adapted(network, settings, n_channels, shape, nn.Dropout3d)


def _adapted(
    network: Any,  # torchvision and MONAI publish no types
    settings: Network,
    n_channels: int,
    shape: tuple[int, ...],
    dropout: type[nn.Dropout2d] | type[nn.Dropout3d],
) -> nn.Module:
    """Give a network the plan's channels, stem and dropout."""
    is_small = has_small_stem(settings, shape)
    if is_small or n_channels != 3:
        network.features.conv0 = first_convolution(network.features.conv0, n_channels, is_small)
    if is_small:
        network.features.pool0 = nn.Identity()
    if settings.dropout:
        # To silence whole maps before they are pooled is to silence the features that they are pooled into.
        network.features.add_module("dropout", dropout(settings.dropout))
    adapted: nn.Module = network
    return adapted
