"""Generative adversarial networks: a generator makes images from noise, a discriminator tells them from real ones.

Goodfellow et al. 2014; the layers are those of DCGAN (Radford, Metz and Chintala, ICLR 2016): strided convolutions in place
of pooling, batch normalisation, no fully connected layer behind the first. WGAN-GP (Gulrajani et al., NeurIPS 2017) has the same
generator; its critic normalises each image by itself, because its penalty is about single images, and a batch must not mix them.

A class is told to both as Mirza and Osindero (2014) did: to the generator as numbers beside the noise, 1 for the class and 0 for
the others; to the discriminator as planes of 1 and 0 beside the channels of the image. Images go from −1 (black) to 1 (white).
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lucency.domain.synthesis_plan import Synthesis, fits_generator, n_doublings, sides_that_fit
from lucency.errors import PlanError
from lucency.network.layer_table import LayerRow, layer_row, layer_table
from lucency.network.watching import at_rest, watched

MOST_KERNELS = 8
"""Times `n_kernels` that no layer goes beyond, as in the paper for 64 pixels."""
FIRST_MAPS = "numbers laid out as small images"
SLOPE = 0.2
"""Of the leaky ReLU below zero (Radford 2016)."""


def generator(settings: Synthesis, n_channels: int, shape: tuple[int, int], n_classes: int) -> nn.Sequential:
    """Build the generator: axes (image, noise and class) to images, axes (image, channel, row, column), from −1 to 1.

    `n_classes` is 0 where no class is told.

    Raises:
        PlanError: no generator makes images of this shape.
    """
    refuse_shape(shape)
    n_steps = n_doublings(min(shape))
    first = tuple(side // 2**n_steps for side in shape)
    widths = _widths(settings, n_steps)[::-1]
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    layers["projection"] = nn.Linear(settings.noise_size + n_classes, widths[0] * first[0] * first[1], bias=False)
    layers["unflatten"] = nn.Unflatten(1, (widths[0], *first))
    layers["normalisation_0"] = nn.BatchNorm2d(widths[0])
    layers["activation_0"] = nn.ReLU()
    for number, (n_inputs, n_kernels) in enumerate(pairwise(widths), start=1):
        layers[f"convolution_{number}"] = nn.ConvTranspose2d(n_inputs, n_kernels, 4, 2, 1, bias=False)
        layers[f"normalisation_{number}"] = nn.BatchNorm2d(n_kernels)
        layers[f"activation_{number}"] = nn.ReLU()
    layers[f"convolution_{n_steps}"] = nn.ConvTranspose2d(widths[-1], n_channels, 4, 2, 1)
    layers["tanh"] = nn.Tanh()
    return _begun(nn.Sequential(layers))


def discriminator(settings: Synthesis, n_channels: int, shape: tuple[int, int], n_classes: int) -> nn.Sequential:
    """Build the discriminator of DCGAN: images with planes of their class to one number each, the larger the more real."""
    return _judge(settings, n_channels + n_classes, shape, nn.BatchNorm2d)


def critic(settings: Synthesis, n_channels: int, shape: tuple[int, int], n_classes: int) -> nn.Sequential:
    """Build the critic of WGAN-GP, with layer normalisation (Ba 2016) in place of that over the batch."""
    return _judge(settings, n_channels + n_classes, shape, lambda n_maps: nn.GroupNorm(1, n_maps))


Constructor = Callable[[Synthesis, int, tuple[int, int], int], nn.Sequential]
"""Builds a network from (settings, number of channels, image shape in (rows, columns), number of classes told)."""

ADVERSARIES: dict[str, tuple[Constructor, Constructor]] = {
    "dcgan": (generator, discriminator),
    "wgan_gp": (generator, critic),
}
"""A model in the plan, and the two networks that compete in it."""


def noise_with_class(noise: Tensor, targets: Tensor, n_classes: int) -> Tensor:
    """Return what the generator is given: the noise, axes (image, number), and the class as numbers 1 and 0 beside it."""
    return torch.cat([noise, F.one_hot(targets, n_classes).to(noise.dtype)], dim=1) if n_classes else noise


def image_with_class(images: Tensor, targets: Tensor, n_classes: int) -> Tensor:
    """Return what the discriminator is given: the images, and the class as planes of 1 and 0 beside their channels."""
    if not n_classes:
        return images
    planes = F.one_hot(targets, n_classes).to(images.dtype)[:, :, None, None]
    return torch.cat([images, planes.expand(-1, -1, *images.shape[2:])], dim=1)


def adversarial_layers(
    settings: Synthesis, n_channels: int, shape: tuple[int, int], n_classes: int
) -> tuple[list[LayerRow], list[LayerRow]]:
    """List the layers of the generator and of the discriminator."""
    makes, judges = ADVERSARIES[settings.model]
    judging = judges(settings, n_channels, shape, n_classes)
    return (
        _layers_from_noise(makes(settings, n_channels, shape, n_classes), settings.noise_size + n_classes),
        layer_table(judging, n_channels + n_classes, shape),
    )


def _layers_from_noise(network: nn.Sequential, n_inputs: int) -> list[LayerRow]:
    """List the layers of a generator; its values depend on all of the noise, so that it has no receptive field."""
    rows: list[LayerRow] = []

    def add_row(name: str, layer: nn.Module, _inputs: Tensor, output: Tensor) -> None:
        if layer is not network:
            row = layer_row(name, layer, output, dict(layer.named_parameters()), None)
            rows.append(replace(row, kind=FIRST_MAPS) if isinstance(layer, nn.Unflatten) else row)

    with at_rest(network), watched(network, add_row), torch.no_grad():
        network(torch.zeros(1, n_inputs))
    return rows


def refuse_shape(shape: tuple[int, int]) -> None:
    """Refuse images that no generator makes.

    Raises:
        PlanError: with the nearest sizes that fit.
    """
    if not fits_generator(shape):
        rows, columns = shape
        fitting = " or ".join(str(side) for side in sides_that_fit(min(shape)))
        raise PlanError(
            f"A generator doubles 4 to 7 pixels again and again, and cannot make images of {rows} × {columns}. Set "
            f"`data.image.size` to {fitting}."
        )


def _judge(
    settings: Synthesis, n_channels: int, shape: tuple[int, int], normalisation: Callable[[int], nn.Module]
) -> nn.Sequential:
    """Halve the image until 4 to 7 pixels are left, and weigh those together."""
    refuse_shape(shape)
    n_steps = n_doublings(min(shape))
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    n_inputs = n_channels
    for number, n_kernels in enumerate(_widths(settings, n_steps), start=1):
        layers[f"convolution_{number}"] = nn.Conv2d(n_inputs, n_kernels, 4, 2, 1, bias=number == 1)
        if number > 1:  # the first layer sees the image as it is (Radford 2016)
            layers[f"normalisation_{number}"] = normalisation(n_kernels)
        layers[f"activation_{number}"] = nn.LeakyReLU(SLOPE)
        n_inputs = n_kernels
    last = tuple(side // 2**n_steps for side in shape)
    layers["answer"] = nn.Conv2d(n_inputs, 1, last)
    layers["flatten"] = nn.Flatten(0)
    return _begun(nn.Sequential(layers))


def _widths(settings: Synthesis, n_steps: int) -> list[int]:
    """Return the kernels at half of the image's size, at a quarter, and so on."""
    return [settings.n_kernels * min(2**step, MOST_KERNELS) for step in range(n_steps)]


def _begun(network: nn.Sequential) -> nn.Sequential:
    """Draw the initial weights of the paper: normal with a standard deviation of 0.02."""
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
            nn.init.normal_(layer.weight, 0, 0.02)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
        elif isinstance(layer, nn.BatchNorm2d):
            nn.init.normal_(layer.weight, 1, 0.02)
    return network
