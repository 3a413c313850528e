import numpy as np
import torch

from lucency.domain.network_plan import Network
from lucency.explanation.feature_maps import feature_maps
from lucency.network.catalogue import build


def test_every_convolution_and_pooling_has_its_maps_in_order():
    """Figure 3B of the article: several steps of convolution and pooling, each smaller and deeper."""
    maps = feature_maps(build(Network(architecture="lenet5"), 1, (32, 32), 2), torch.rand(1, 32, 32))
    assert {name: values.shape for name, values in maps.items()} == {
        "convolution_1": (6, 28, 28),
        "pooling_1": (6, 14, 14),
        "convolution_2": (16, 10, 10),
        "pooling_2": (16, 5, 5),
    }
    assert list(maps) == ["convolution_1", "pooling_1", "convolution_2", "pooling_2"]


def test_the_maps_are_what_the_layer_computed():
    """A later layer that writes in place, as ResNet's activations do, must not change them."""
    network = build(Network(architecture="resnet18"), 1, (32, 32), 2).eval()
    image = torch.rand(1, 32, 32)
    maps = feature_maps(network, image)
    with torch.no_grad():
        np.testing.assert_array_equal(maps["conv1"], network.conv1(image[None])[0].numpy())
    assert all(np.isfinite(values).all() for values in maps.values())
    assert "layer4.1.conv2" in maps


def test_pooling_keeps_the_largest_of_the_activation():
    """The maps of two layers fit together."""
    maps = feature_maps(build(Network(architecture="lenet5"), 1, (32, 32), 2), torch.rand(1, 32, 32))
    activated = np.maximum(maps["convolution_1"], 0)
    np.testing.assert_array_equal(maps["pooling_1"], activated.reshape(6, 14, 2, 14, 2).max(axis=(2, 4)))


def test_a_network_without_convolutions_has_none():
    """An empty answer, not an error."""
    assert feature_maps(build(Network(architecture="logistic"), 1, (8, 8), 2), torch.rand(1, 8, 8)) == {}


def test_the_network_is_not_disturbed():
    """Looking at one case must not change the running means."""
    network = build(Network(architecture="small_cnn"), 1, (28, 28), 2).train()
    before = {key: value.clone() for key, value in network.state_dict().items()}
    feature_maps(network, torch.rand(1, 28, 28))
    assert all(layer.training for layer in network.modules())
    assert all(torch.equal(before[key], value) for key, value in network.state_dict().items())
    assert not any(layer._forward_hooks for layer in network.modules())
