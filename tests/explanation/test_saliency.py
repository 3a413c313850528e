import numpy as np
import pytest
import torch
from torch import nn

from lucency.domain.network_plan import Network
from lucency.explanation.saliency import GRAD_CAM, GRADIENT_TIMES_INPUT, saliency
from lucency.network.catalogue import build


@pytest.fixture(params=["logistic", "fully_connected", "lenet5", "small_cnn", "resnet18"])
def network(request: pytest.FixtureRequest) -> nn.Module:
    torch.manual_seed(3)
    return build(Network(architecture=request.param), 1, (32, 40), 3)


def test_maps_have_the_size_of_the_images_and_values_from_zero_to_one(network: nn.Module):
    """The report lays them over the images."""
    images = torch.rand(5, 1, 32, 40)
    result = saliency(network, images, batch_size=2)
    assert result.maps.shape == (5, 32, 40)
    assert result.maps.dtype == np.float32
    assert result.maps.min() >= 0
    highest = result.maps.max(axis=(1, 2))
    assert all(value == 1 or value == 0 for value in highest)
    with torch.no_grad():
        np.testing.assert_array_equal(result.classes, network.eval()(images).argmax(1))


def test_the_name_says_which_method_it_was(network: nn.Module):
    """Grad-CAM needs convolutions; what stands in for it must not bear its name."""
    has_convolutions = any(isinstance(layer, nn.Conv2d) for layer in network.modules())
    expected = GRAD_CAM if has_convolutions else GRADIENT_TIMES_INPUT
    assert saliency(network, torch.rand(1, 1, 32, 40)).method == expected


def test_the_network_is_not_disturbed(network: nn.Module):
    """Weights, running means, gradients, modes, hooks and torch's random state are as before; images too."""
    network.train()
    next(network.children()).eval()
    images = torch.rand(3, 1, 32, 40)
    kept = images.clone()
    modes = [layer.training for layer in network.modules()]
    weights = {key: value.clone() for key, value in network.state_dict().items()}
    state = torch.get_rng_state()
    saliency(network, images)
    assert [layer.training for layer in network.modules()] == modes
    assert all(torch.equal(weights[key], value) for key, value in network.state_dict().items())
    assert all(p.grad is None and p.requires_grad for p in network.parameters())
    assert not any(layer._forward_hooks or layer._backward_hooks for layer in network.modules())
    assert torch.equal(state, torch.get_rng_state())
    assert torch.equal(images, kept)
    assert not images.requires_grad


def test_maps_do_not_depend_on_the_batch_or_on_chance(network: nn.Module):
    """An image's map is its own."""
    images = torch.rand(3, 1, 32, 40)
    together, again, apart = (saliency(network, images, batch_size=size).maps for size in (3, 3, 1))
    np.testing.assert_array_equal(together, again)
    np.testing.assert_allclose(together, apart, atol=2e-3)


def test_frozen_networks_can_be_explained(network: nn.Module):
    """Transfer learning freezes layers; the map is the same."""
    images = torch.rand(2, 1, 32, 40)
    free = saliency(network, images).maps
    network.requires_grad_(False)
    with torch.no_grad():
        np.testing.assert_array_equal(saliency(network, images).maps, free)


def test_grad_cam_agrees_with_the_formula_worked_by_hand():
    """Selvaraju 2017, equations 1 and 2: α is the mean gradient; the map is ReLU(Σ α A).

    After global average pooling and one linear layer, α is that layer's weight over the number of places.
    """
    torch.manual_seed(0)
    convolution, linear = nn.Conv2d(1, 4, 3, padding=1), nn.Linear(4, 2)
    network = nn.Sequential(convolution, nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), linear)
    images = torch.rand(2, 1, 6, 6)
    with torch.no_grad():
        activations = convolution(images).relu()
        expected = torch.einsum("k,ikrc->irc", linear.weight[1], activations).clamp(min=0)
        expected /= expected.amax((1, 2), keepdim=True).clamp(min=1e-12)
    np.testing.assert_allclose(saliency(network, images, [1, 1]).maps, expected.numpy(), atol=1e-6)


def test_resnet_is_explained_after_its_last_shortcut():
    """The last feature map of ResNet-18 is that of its last block, which equals α from the linear layer's weight."""
    torch.manual_seed(5)
    network = build(Network(architecture="resnet18"), 1, (64, 64), 2).eval()
    images = torch.rand(2, 1, 64, 64)
    with torch.no_grad():
        names = ["conv1", "bn1", "relu", "maxpool", "layer1", "layer2", "layer3", "layer4"]
        stages = nn.Sequential(*(network.get_submodule(name) for name in names))
        coarse = torch.einsum("k,ikrc->irc", network.fc.weight[0], stages(images)).clamp(min=0)[:, None]
        expected = nn.functional.interpolate(coarse, (64, 64), mode="bilinear")[:, 0]
        expected /= expected.amax((1, 2), keepdim=True).clamp(min=1e-12)
    np.testing.assert_allclose(saliency(network, images, [0, 0]).maps, expected.numpy(), atol=1e-4)


def test_the_share_of_each_pixel_in_logistic_regression_is_exact():
    """Weight × pixel, where it raised the score."""
    network = build(Network(architecture="logistic"), 1, (4, 5), 2)
    image = torch.rand(1, 1, 4, 5)
    share = (network.fully_connected.weight[1].detach().view(4, 5) * image[0, 0]).clamp(min=0).numpy()
    np.testing.assert_allclose(saliency(network, image, [1]).maps[0], share / share.max(), rtol=1e-6)


def test_the_map_finds_what_the_network_learnt_to_look_for():
    """A tiny network that tells a bright spot from none must light up where it sees the spot, wherever that is.

    Its last feature map sees 14 pixels, at steps of 2: the peak may lie up to 8 pixels off (by chance 4 in 10 would).
    """
    torch.manual_seed(0)
    spots = torch.randint(3, 25, (128, 2))
    images, labels = 0.1 * torch.rand(128, 1, 28, 28), torch.arange(128) % 2
    for image, (row, column), label in zip(images, spots, labels, strict=True):
        image[0, row - 1 : row + 2, column - 1 : column + 2] += float(label)
    network = build(Network(architecture="small_cnn", n_kernels=(4, 8)), 1, (28, 28), 2)
    optimizer = torch.optim.Adam(network.parameters(), lr=0.01)
    for _ in range(40):
        optimizer.zero_grad()
        nn.functional.cross_entropy(network(images), labels).backward()
        optimizer.step()
    maps = saliency(network, images[labels == 1], [1] * 64).maps
    peaks = np.stack(np.unravel_index(maps.reshape(64, -1).argmax(1), (28, 28)), axis=1)
    distance = np.abs(peaks - spots[labels == 1].numpy()).max(axis=1)
    assert np.mean(distance <= 8) > 0.95


@pytest.mark.parametrize("volumes", ["slice_by_slice", "3d"])
def test_a_volume_has_one_map_that_finds_the_slice_that_counts(volumes: str):
    """Slices stand in the batch or in an axis of the maps; a bright spot in one of them must show where it lies."""
    torch.manual_seed(1)
    settings = Network(
        architecture="small_cnn",
        n_kernels=(4,),
        volumes=volumes,
        recurrent={"pooling": "max"} if volumes != "3d" else {},
    )
    network = build(settings, 6, (16, 24), 2).eval()
    volume = torch.zeros(2, 6, 16, 24)
    volume[0, 4, 3:6, 15:18] = 1
    found = saliency(network, volume, [1, 1])
    assert found.method == GRAD_CAM
    assert found.maps.shape == (2, 16, 24)
    other = saliency(network, volume, [0, 0])
    brightest = (found.maps[0] + other.maps[0])[1:8, 13:20].max()
    assert brightest == pytest.approx((found.maps[0] + other.maps[0]).max())
