"""AlexNet (Krizhevsky et al. 2012), which began deep learning on images, and ZFNet (Zeiler and Fergus 2014), which mended it."""

from collections.abc import Iterator
from typing import Any

from torch import nn

from lucency.domain.network_plan import Network
from lucency.network.layers import with_choices
from lucency.network.stems import first_convolution, has_small_stem

DROPOUT = 0.5


def alexnet(settings: Network, n_channels: int, shape: tuple[int, ...], n_outputs: int) -> nn.Module:
    """Build AlexNet as torchvision does: the one column of Krizhevsky 2014, 61,100,840 parameters for 1,000 classes."""
    # torchvision takes seconds to import; a study with another network need not wait for it.
    from torchvision.models import alexnet as torchvision_alexnet

    network = torchvision_alexnet(num_classes=n_outputs, dropout=_dropout(settings))
    return _adapted(network, settings, n_channels, shape)


def zfnet(settings: Network, n_channels: int, shape: tuple[int, ...], n_outputs: int) -> nn.Module:
    """Build ZFNet: AlexNet with smaller kernels and steps at its beginning, 62,357,608 parameters for 1,000 classes.

    As is usual today, without the contrast normalisation of 2014 (its figure 3 gives all sizes).
    """
    from torchvision.models import alexnet as torchvision_alexnet

    network = torchvision_alexnet(num_classes=n_outputs, dropout=_dropout(settings))
    network.features = nn.Sequential(
        nn.Conv2d(3, 96, kernel_size=7, stride=2, padding=1),
        nn.ReLU(inplace=True),
        nn.MaxPool2d(kernel_size=3, stride=2, padding=1),
        nn.Conv2d(96, 256, kernel_size=5, stride=2),
        nn.ReLU(inplace=True),
        nn.MaxPool2d(kernel_size=3, stride=2, padding=1),
        nn.Conv2d(256, 384, kernel_size=3, padding=1),
        nn.ReLU(inplace=True),
        nn.Conv2d(384, 384, kernel_size=3, padding=1),
        nn.ReLU(inplace=True),
        nn.Conv2d(384, 256, kernel_size=3, padding=1),
        nn.ReLU(inplace=True),
        nn.MaxPool2d(kernel_size=3, stride=2),
    )
    return _adapted(network, settings, n_channels, shape)


def _dropout(settings: Network) -> float:
    return DROPOUT if settings.dropout is None else settings.dropout


def _adapted(network: Any, settings: Network, n_channels: int, shape: tuple[int, ...]) -> nn.Module:
    """Give a network the plan's channels, stem, normalisation, activation and pooling."""
    is_small = has_small_stem(settings, shape)
    if is_small or n_channels != 3:
        network.features[0] = first_convolution(network.features[0], n_channels, is_small)
    if settings.batch_norm:
        network.features = nn.Sequential(*_normalised(network.features))
    return with_choices(network, settings)


def _normalised(features: nn.Sequential) -> Iterator[nn.Module]:
    """Put batch normalisation behind each convolution."""
    for layer in features:
        yield layer
        if isinstance(layer, nn.Conv2d):
            yield nn.BatchNorm2d(layer.out_channels)
