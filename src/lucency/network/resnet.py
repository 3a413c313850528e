"""ResNet, deep networks with shortcuts (He et al., CVPR 2016): torchvision's for images, MONAI's for volumes.

The large stem is that of the paper: 7 × 7 kernels with stride 2, then max pooling with stride 2. The small stem keeps the
resolution: 3 × 3 kernels with stride 1 and no pooling (He 2016, section 4.2, for 32 × 32 pixels).
"""

from typing import Any

from torch import nn

from lucency.domain.network_plan import Network
from lucency.network.layers import with_choices
from lucency.network.stems import first_convolution, has_small_stem


def resnet(settings: Network, n_channels: int, shape: tuple[int, ...], n_outputs: int) -> nn.Module:
    """Build the ResNet that the plan names; parameter names are torchvision's, so that its weights fit."""
    # torchvision takes seconds to import; a study with another network need not wait for it.
    from torchvision import models

    network = models.get_model(settings.architecture, weights=None, num_classes=n_outputs)
    is_small = has_small_stem(settings, shape)
    if is_small or n_channels != 3:
        network.conv1 = first_convolution(network.conv1, n_channels, is_small)
    if is_small:
        network.maxpool = nn.Identity()
    return _with_dropout(with_choices(network, settings), settings)


def resnet_3d(settings: Network, n_channels: int, shape: tuple[int, ...], n_outputs: int) -> nn.Module:
    """Build the ResNet that the plan names with kernels in three dimensions (Hara et al. 2018); names are MONAI's."""
    # MONAI takes ten seconds to import; a study of images need not wait for it.
    from monai.networks import nets

    is_small = has_small_stem(settings, shape)
    network = getattr(nets, settings.architecture)(
        spatial_dims=3,
        n_input_channels=n_channels,
        num_classes=n_outputs,
        conv1_t_size=3 if is_small else 7,
        conv1_t_stride=1 if is_small else 2,
        no_max_pool=is_small,
        bias_downsample=False,
    )
    return _with_dropout(with_choices(network, settings), settings)


def _with_dropout(network: Any, settings: Network) -> nn.Module:
    if settings.dropout:
        # Beside the pooling, which has no parameters, the dropout leaves all parameter names as they are.
        network.avgpool = nn.Sequential(network.avgpool, nn.Dropout(settings.dropout))
    adapted: nn.Module = network
    return adapted
