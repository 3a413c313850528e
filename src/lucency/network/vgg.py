"""VGG (Simonyan and Zisserman 2014): nothing but 3 × 3 kernels, one above the other, as torchvision builds it."""

from torch import nn

from lucency.domain.network_plan import Network
from lucency.network.layers import with_choices
from lucency.network.stems import first_convolution

DROPOUT = 0.5


def vgg(settings: Network, n_channels: int, shape: tuple[int, ...], n_outputs: int) -> nn.Module:  # noqa: ARG001 - any shape fits
    """Build the VGG that the plan names, with batch normalisation if it says so; parameter names are torchvision's."""
    # torchvision takes seconds to import; a study with another network need not wait for it.
    from torchvision import models

    name = f"{settings.architecture}_bn" if settings.batch_norm else settings.architecture
    dropout = DROPOUT if settings.dropout is None else settings.dropout
    network = models.get_model(name, weights=None, num_classes=n_outputs, dropout=dropout)
    if n_channels != 3:
        network.features[0] = first_convolution(network.features[0], n_channels, is_small=False)
    return with_choices(network, settings)
