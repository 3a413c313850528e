"""What the last layer of each kind of network is shown."""

import pytest
import torch
from torch import nn

from lucency.domain.network_plan import Network
from lucency.network.catalogue import build
from lucency.network.penultimate import seen_by_last_layer
from lucency.network.stages import head_of


@pytest.mark.parametrize(
    ("settings", "n_channels"),
    [
        ({"architecture": "logistic"}, 1),
        ({"architecture": "small_cnn", "n_kernels": [4, 8]}, 1),
        ({"architecture": "resnet18"}, 3),
        ({"architecture": "small_cnn", "n_kernels": [4, 8], "volumes": "slice_by_slice"}, 6),
    ],
)
def test_the_last_layer_makes_the_answer_of_what_it_is_shown(settings: dict[str, object], n_channels: int) -> None:
    """So nothing lies between the features and the answer; and the network is left without a hook."""
    torch.manual_seed(1)
    network = build(Network.model_validate(settings), n_channels, (28, 28), 2).eval()
    images = torch.rand(3, n_channels, 28, 28)
    with torch.inference_mode():
        features = seen_by_last_layer(network, images)
        head = network.get_submodule(head_of(network)[0])
        assert features.shape[0] == 3
        assert torch.equal(head(features), network(images))
    assert not any(layer._forward_pre_hooks for layer in network.modules())


def test_feature_maps_are_averaged_over_space() -> None:
    """A network that ends with a convolution answers for each pixel."""
    network = nn.Sequential(nn.Conv2d(1, 5, 3, padding=1), nn.Conv2d(5, 2, 1))
    images = torch.rand(2, 1, 8, 8)
    expected = network[0](images).mean((2, 3))
    assert torch.allclose(seen_by_last_layer(network, images), expected)
