"""Published numbers of parameters, for three colours and 1,000 classes where nothing else is said."""

import pytest
import torch

from lucency.domain.network_plan import Network
from lucency.network.catalogue import build

TORCHVISION = "torchvision, table of models, column “Params” in full"
PUBLISHED = {
    "lenet5": (61_706, "LeCun 1998, section II: 156 + 2,416 + 48,120 + 10,164 + 850, with every kernel on all maps"),
    "alexnet": (61_100_840, TORCHVISION),
    "zfnet": (62_357_608, "Zeiler and Fergus 2014, figure 3, counted layer by layer; pytorchcv gives the same"),
    "vgg11": (132_863_336, TORCHVISION),
    "vgg16": (138_357_544, "Simonyan and Zisserman 2014, table 2: 138 million; torchvision"),
    "vgg19": (143_667_240, "Simonyan and Zisserman 2014, table 2: 144 million; torchvision"),
    "googlenet": (6_624_904, TORCHVISION),
    "inception_v3": (
        23_834_568,
        "Keras 23.9 million; torchvision 27,161,264 less its auxiliary classifier of 3,326,696",
    ),
    "resnet18": (11_689_512, TORCHVISION),
    "resnet34": (21_797_672, TORCHVISION),
    "resnet50": (25_557_032, TORCHVISION),
    "resnet101": (44_549_160, TORCHVISION),
    "densenet121": (7_978_856, TORCHVISION),
    "densenet169": (14_149_480, TORCHVISION),
    "timm:efficientnet_b0": (5_288_548, "Tan and Le 2019, table 1: 5.3 million; timm"),
}
WITH_BATCH_NORM = {"vgg11": 132_868_840, "vgg16": 138_365_992, "vgg19": 143_678_248}
"""torchvision's vgg11_bn, vgg16_bn, vgg19_bn."""


def n_parameters(name: str, n_channels: int, side: int, n_outputs: int, **settings: object) -> int:
    with torch.device("meta"):
        network = build(Network(architecture=name, **settings), n_channels, (side, side), n_outputs)
    return sum(p.numel() for p in network.parameters())


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_network_has_as_many_parameters_as_published(name: str):
    """The cheapest proof that a network of that name is the one of that name."""
    side, n_channels, n_outputs = {"lenet5": (32, 1, 10), "inception_v3": (299, 3, 1000)}.get(name, (224, 3, 1000))
    assert n_parameters(name, n_channels, side, n_outputs) == PUBLISHED[name][0]


@pytest.mark.parametrize("name", WITH_BATCH_NORM)
def test_vgg_with_batch_normalisation_has_as_many_as_published(name: str):
    """Two numbers more for each kernel."""
    assert n_parameters(name, 3, 224, 1000, batch_norm=True) == WITH_BATCH_NORM[name]


def test_what_is_left_out_of_inception_is_its_auxiliary_classifier():
    """27,161,264 parameters with it, as torchvision and the paper's authors publish it."""
    from torchvision.models import inception_v3

    with torch.device("meta"):
        whole = inception_v3(init_weights=False)
    auxiliary = sum(p.numel() for p in whole.AuxLogits.parameters())
    assert sum(p.numel() for p in whole.parameters()) == 27_161_264
    assert n_parameters("inception_v3", 3, 299, 1000) == 27_161_264 - auxiliary


@pytest.mark.parametrize(("name", "expected"), [("resnet18", 33_161_026), ("densenet121", 11_244_674)])
def test_networks_in_three_dimensions_have_as_many_as_monai_s(name: str, expected: int):
    """One channel and two classes; ResNet-18 without biases beside its shortcuts (Hara et al. 2018), as He's."""
    assert n_parameters(name, 64, 64, 2, volumes="3d") == expected
