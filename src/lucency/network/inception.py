"""GoogLeNet (Szegedy et al. 2015) and Inception v3 (Szegedy et al. 2016): kernels of several sizes side by side.

Both were trained with auxiliary classifiers half way, which their authors later found to help little (2016, section 4). They are
left out, so that a network has one answer; published weights are taken without them.
"""

from torch import nn

from lucency.domain.network_plan import Network
from lucency.network.stems import first_convolution, has_small_stem


def googlenet(settings: Network, n_channels: int, shape: tuple[int, ...], n_outputs: int) -> nn.Module:
    """Build GoogLeNet, 6,624,904 parameters for 1,000 classes; parameter names are torchvision's."""
    # torchvision takes seconds to import; a study with another network need not wait for it.
    from torchvision.models import googlenet as torchvision_googlenet

    dropout = 0.2 if settings.dropout is None else settings.dropout
    network = torchvision_googlenet(num_classes=n_outputs, aux_logits=False, init_weights=True, dropout=dropout)
    is_small = has_small_stem(settings, shape)
    if is_small or n_channels != 3:
        network.conv1.conv = first_convolution(network.conv1.conv, n_channels, is_small)
    if is_small:
        network.maxpool1 = nn.Identity()
    return network


def inception_v3(settings: Network, n_channels: int, shape: tuple[int, ...], n_outputs: int) -> nn.Module:
    """Build Inception v3, 23,834,568 parameters for 1,000 classes; parameter names are torchvision's."""
    from torchvision.models import inception_v3 as torchvision_inception_v3

    dropout = 0.5 if settings.dropout is None else settings.dropout
    network = torchvision_inception_v3(num_classes=n_outputs, aux_logits=False, init_weights=True, dropout=dropout)
    is_small = has_small_stem(settings, shape)
    first = network.Conv2d_1a_3x3
    if is_small or n_channels != 3:
        first.conv = first_convolution(first.conv, n_channels, is_small)
    if is_small:
        network.maxpool1 = nn.Identity()
    return network
