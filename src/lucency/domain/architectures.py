"""The networks for images that a plan can name: what each is called, which settings it has, and how small an image it takes."""

from dataclasses import dataclass

TIMM = "timm:"
"""Begins the name of any network of the library timm, as in timm:convnext_tiny."""


@dataclass(frozen=True)
class Smallest:
    """The shortest side, in pixels, of an image or volume that a network takes."""

    side: int
    large_stem: int | None = None
    """With its published beginning, where it has a smaller one for small images."""


@dataclass(frozen=True)
class Architecture:
    """One network of the catalogue."""

    title: str
    """Its name in a sentence."""
    settings: frozenset[str]
    """Settings of the plan's section `network` that it has; others are refused."""
    image: Smallest
    volume: Smallest | None = None
    """In three dimensions, slices included; None where it has no such form."""


_ANY = Smallest(1)
_BY_CHAIN = Smallest(1)
"""Where the plan sets kernels and strides, `domain/chain.py` counts what they leave."""
_RESNET = frozenset({"stem", "activation", "pooling", "dropout"})
_DENSENET = frozenset({"stem", "dropout"})
_EARLY = frozenset({"stem", "activation", "pooling", "batch_norm", "dropout"})
_VGG = frozenset({"activation", "pooling", "batch_norm", "dropout"})
_CHAIN = frozenset({"n_kernels", "kernel_size", "stride", "padding"}) | _VGG

ARCHITECTURES = {
    "logistic": Architecture("logistic regression", frozenset({"dropout"}), _ANY, _ANY),
    "fully_connected": Architecture(
        "a fully connected network", frozenset({"hidden_units", "activation", "dropout"}), _ANY, _ANY
    ),
    "lenet5": Architecture("LeNet-5", _CHAIN, _BY_CHAIN),
    "small_cnn": Architecture("a small convolutional network", _CHAIN, _BY_CHAIN, _BY_CHAIN),
    "alexnet": Architecture("AlexNet", _EARLY, Smallest(15, 63)),
    "zfnet": Architecture("ZFNet", _EARLY, Smallest(25, 53)),
    "vgg11": Architecture("VGG-11", _VGG, Smallest(32)),
    "vgg16": Architecture("VGG-16", _VGG, Smallest(32)),
    "vgg19": Architecture("VGG-19", _VGG, Smallest(32)),
    "googlenet": Architecture("GoogLeNet", _DENSENET, Smallest(12, 47)),
    "inception_v3": Architecture("Inception v3", _DENSENET, Smallest(27, 107)),
    "resnet18": Architecture("ResNet-18", _RESNET, Smallest(16, 64), Smallest(16, 33)),
    "resnet34": Architecture("ResNet-34", _RESNET, Smallest(16, 64), Smallest(16, 33)),
    "resnet50": Architecture("ResNet-50", _RESNET, Smallest(16, 64), Smallest(16, 33)),
    "resnet101": Architecture("ResNet-101", _RESNET, Smallest(16, 64), Smallest(16, 33)),
    "densenet121": Architecture("DenseNet-121", _DENSENET, Smallest(16, 64), Smallest(16, 64)),
    "densenet169": Architecture("DenseNet-169", _DENSENET, Smallest(16, 64), Smallest(16, 64)),
}
"""By the name in the plan."""


def architecture_of(name: str) -> Architecture:
    """Return what the plan has to know of a network for images; of one of timm, a size that it cannot take shows later."""
    if name.startswith(TIMM):
        return Architecture(f"{name.removeprefix(TIMM)} (timm)", frozenset({"dropout"}), _ANY)
    return ARCHITECTURES[name]
