"""Networks of timm by their name: any of them, or a plain refusal."""

import pytest
import timm
import torch

from lucency.domain.network_plan import Network
from lucency.errors import PlanError
from lucency.network.catalogue import build
from lucency.network.timm_names import timm_names, unknown_to_timm


def test_the_names_are_those_that_timm_itself_lists():
    """They are read from its source files, because importing it takes seconds."""
    assert timm_names() == set(timm.list_models())


def test_an_unknown_name_is_refused_with_the_nearest_one():
    """A misspelt network is found before any image is read."""
    assert unknown_to_timm("resnet18") == ""
    assert "Did you mean “timm:convnext_tiny”?" in unknown_to_timm("convnxt_tiny")
    assert "lists them" in unknown_to_timm("qqqqqqqqqqqqqq")
    with pytest.raises(PlanError, match="Did you mean “timm:convnext_tiny”"):
        build(Network(architecture="timm:convnxt_tiny"), 1, (64, 64), 2)


@pytest.mark.parametrize("name", ["resnext50", "timm:", "timm:a b", "timm:resnet50.a1_in1k"])
def test_a_name_that_cannot_be_is_refused_by_the_plan(name: str):
    """With the nearest right one, or with the part of it that names the network."""
    with pytest.raises(ValueError, match=r"Did you mean|no network has that name|write `timm:resnet50`"):
        Network(architecture=name)


@pytest.mark.parametrize(
    ("name", "n_channels", "shape"),
    [
        ("resnet10t", 1, (32, 40)),
        ("efficientnet_lite0", 4, (33, 64)),
        ("vit_tiny_patch16_224", 1, (48, 64)),
        ("convnext_atto", 3, (32, 32)),
    ],
)
def test_any_channels_and_sizes_are_taken(name: str, n_channels: int, shape: tuple[int, int]):
    """Radiographs have one channel, volumes as many as slices; transformers are built for the size at hand."""
    network = build(Network(architecture=f"timm:{name}"), n_channels, shape, 2)
    with torch.no_grad():
        assert network(torch.rand(2, n_channels, *shape)).shape == (2, 2)


@pytest.mark.parametrize(("name", "side"), [("vit_tiny_patch16_224", 8), ("inception_v4", 28)])
def test_a_size_that_a_network_cannot_take_is_refused(name: str, side: int):
    """Whatever it is that the foreign network stumbles over."""
    with pytest.raises(PlanError, match=f"{name} of timm cannot take images of {side} × {side} pixels"):
        build(Network(architecture=f"timm:{name}"), 1, (side, side), 2)
