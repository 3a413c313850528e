"""ResNet-18, a deep network with shortcuts (He et al., CVPR 2016), as torchvision builds it."""

from torch import nn

from lucency.domain.network_plan import Network

LARGE_STEM_FROM_PIXELS = 64
"""The large stem and the stages divide rows and columns by 32, so that 64 pixels leave 2 × 2 to the last stage."""
SMALLEST_SIDE_PIXELS = 16
"""With the small stem they are divided by 8 alone."""


def resnet18(settings: Network, n_channels: int, shape: tuple[int, int], n_classes: int) -> nn.Module:
    """Build ResNet-18 with the stem of the plan; parameter names are torchvision's, so that its weights fit.

    The large stem is that of the paper: 7 × 7 kernels with stride 2, then max pooling with stride 2. The small stem
    keeps the resolution: 3 × 3 kernels with stride 1 and no pooling (He 2016, section 4.2, for 32 × 32 pixels).
    """
    # torchvision takes seconds to import; a study with another network need not wait for it.
    from torchvision.models import resnet18 as torchvision_resnet18

    network = torchvision_resnet18(num_classes=n_classes)
    if _has_small_stem(settings, shape):
        network.conv1 = _first_convolution(n_channels, kernel_size=3, stride=1)
        network.maxpool = nn.Identity()
    elif n_channels != 3:
        network.conv1 = _first_convolution(n_channels, kernel_size=7, stride=2)
    if settings.dropout > 0:
        # Beside the pooling, which has no parameters, the dropout leaves all parameter names as they are.
        network.avgpool = nn.Sequential(network.avgpool, nn.Dropout(settings.dropout))
    return network


def smallest_for_resnet18(settings: Network) -> int:
    """Return the shortest side in pixels that an image may have with the stem of the plan."""
    return LARGE_STEM_FROM_PIXELS if settings.stem == "large" else SMALLEST_SIDE_PIXELS


def _has_small_stem(settings: Network, shape: tuple[int, int]) -> bool:
    """Tell whether the images begin with the small stem."""
    return settings.stem == "small" or (settings.stem == "auto" and min(shape) < LARGE_STEM_FROM_PIXELS)


def _first_convolution(n_channels: int, kernel_size: int, stride: int) -> nn.Conv2d:
    """Return the first convolution to 64 maps with the initial weights of the paper (He 2015)."""
    convolution = nn.Conv2d(n_channels, 64, kernel_size, stride, padding=kernel_size // 2, bias=False)
    nn.init.kaiming_normal_(convolution.weight, mode="fan_out", nonlinearity="relu")
    return convolution
