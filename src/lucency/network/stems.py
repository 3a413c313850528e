"""How networks that were made for photographs begin: as published, or so that small images keep their detail."""

from torch import nn

from lucency.domain.architectures import architecture_of
from lucency.domain.network_plan import Network
from lucency.network.layers import CONVOLUTION


def has_small_stem(settings: Network, shape: tuple[int, ...]) -> bool:
    """Tell whether images or volumes of a shape begin with the small stem: by the plan, or because they are small."""
    architecture = architecture_of(settings.architecture)
    smallest = architecture.image if len(shape) == 2 else architecture.volume
    if settings.stem != "auto" or smallest is None or smallest.large_stem is None:
        return settings.stem == "small"
    return min(shape) < smallest.large_stem


def first_convolution(published: nn.Conv2d | nn.Conv3d, n_channels: int, is_small: bool) -> nn.Conv2d | nn.Conv3d:
    """Return the first convolution for another number of channels; the small one has 3 × 3 kernels with stride 1.

    Initial weights follow He et al. (2015), as a mean over what the kernels lead to.
    """
    n_dimensions = published.weight.ndim - 2
    size, stride, padding = (3, 1, 1) if is_small else (published.kernel_size, published.stride, published.padding)
    convolution = CONVOLUTION[n_dimensions](
        n_channels, published.out_channels, size, stride, padding, bias=published.bias is not None
    )
    nn.init.kaiming_normal_(convolution.weight, mode="fan_out", nonlinearity="relu")
    return convolution
