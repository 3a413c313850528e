"""One contract for every network of the catalogue."""

import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest
import torch
from safetensors.torch import load_file, save_file

from lucency.domain.network_plan import Activation, Network
from lucency.domain.plan import READING
from lucency.errors import PlanError
from lucency.network.catalogue import CATALOGUE, SMALLEST, build
from lucency.network.recurrent import RECURRENT


def n_parameters(network: torch.nn.Module) -> int:
    return sum(p.numel() for p in network.parameters())


def test_the_catalogue_and_the_plan_name_the_same_networks():
    """A name that the plan accepts and the catalogue lacks would fail only after the data have been read."""
    names = set(get_args(Network.model_fields["architecture"].annotation))
    assert set(READING) == set(RECURRENT)
    assert names - set(READING) == set(CATALOGUE) == set(SMALLEST)


@pytest.mark.parametrize("n_classes", [2, 5])
@pytest.mark.parametrize("side", [28, 64])
@pytest.mark.parametrize("n_channels", [1, 3])
@pytest.mark.parametrize("name", CATALOGUE)
def test_every_network_learns_saves_and_loads(name: str, n_channels: int, side: int, n_classes: int, tmp_path: Path):
    """Forward gives one logit for each class, backward reaches every parameter, safetensors give the same network back."""
    settings = Network(architecture=name)
    torch.manual_seed(1)
    network = build(settings, n_channels, (side, side), n_classes)
    images = torch.rand(4, n_channels, side, side)

    logits = network(images)
    assert logits.shape == (4, n_classes)
    assert torch.isfinite(logits).all()

    torch.nn.functional.cross_entropy(logits, torch.arange(4) % n_classes).backward()
    assert all(p.grad is not None and torch.isfinite(p.grad).all() for p in network.parameters())
    assert any(p.grad.abs().max() > 0 for p in network.parameters())

    save_file(network.state_dict(), tmp_path / "weights.safetensors")
    torch.manual_seed(2)
    copy = build(settings, n_channels, (side, side), n_classes)
    copy.load_state_dict(load_file(tmp_path / "weights.safetensors"))
    with torch.no_grad():
        assert torch.equal(network.eval()(images), copy.eval()(images))


@pytest.mark.parametrize("name", CATALOGUE)
def test_the_seed_alone_decides_the_initial_weights(name: str):
    """The study seeds torch before it builds; the same seed must give the same network and another seed another one."""
    first, same, other = (
        (torch.manual_seed(seed), build(Network(architecture=name), 1, (28, 28), 2).state_dict())[1]
        for seed in (7, 7, 8)
    )
    assert all(torch.equal(first[key], same[key]) for key in first)
    assert any(not torch.equal(first[key], other[key]) for key in first)


@pytest.mark.parametrize("name", CATALOGUE)
def test_images_need_not_be_square(name: str):
    """Radiographs seldom are."""
    network = build(Network(architecture=name), 1, (40, 72), 3).eval()
    assert network(torch.rand(2, 1, 40, 72)).shape == (2, 3)


@pytest.mark.parametrize("stem", ["auto", "small", "large"])
@pytest.mark.parametrize("name", CATALOGUE)
def test_the_smallest_image_works_and_a_smaller_one_is_refused(name: str, stem: str):
    """The size in the message is the true limit, and at it even a batch of one image trains."""
    settings = Network(architecture=name, stem=stem)
    side = SMALLEST[name](settings)
    network = build(settings, 1, (side, side), 2).train()
    assert network(torch.rand(1, 1, side, side)).shape == (1, 2)
    with pytest.raises(PlanError, match=f"at least {side} × {side}"):
        build(settings, 1, (side + 5, side - 1), 2)


@pytest.mark.parametrize("name", CATALOGUE)
def test_dropout_stands_before_the_last_layer_and_rests_in_evaluation(name: str):
    """Each network must obey the setting; in evaluation mode nothing may be random."""
    network = build(Network(architecture=name, dropout=0.5), 1, (28, 28), 2)
    weights = build(Network(architecture=name), 1, (28, 28), 2).state_dict()
    assert list(network.state_dict()) == list(weights)
    images = torch.rand(2, 1, 28, 28)
    assert not torch.equal(network.train()(images), network(images))
    assert torch.equal(network.eval()(images), network(images))


@pytest.mark.parametrize("activation", Activation)
@pytest.mark.parametrize("name", ["fully_connected", "lenet5", "small_cnn"])
def test_the_activation_is_the_plan_s(name: str, activation: Activation):
    """A network that quietly keeps ReLU would make the methods section wrong."""
    network = build(Network(architecture=name, activation=activation), 1, (28, 28), 2)
    kinds = {"relu": torch.nn.ReLU, "tanh": torch.nn.Tanh, "sigmoid": torch.nn.Sigmoid}
    found = {type(layer) for layer in network.modules()} & set(kinds.values())
    assert found == {kinds[activation]}


@pytest.mark.parametrize("name", ["lenet5", "small_cnn"])
def test_the_pooling_is_the_plan_s(name: str):
    """Max and average pooling are the article's two methods."""
    average = build(Network(architecture=name, pooling="average"), 1, (28, 28), 2)
    assert any(isinstance(layer, torch.nn.AvgPool2d) for layer in average.modules())
    assert not any(isinstance(layer, torch.nn.MaxPool2d) for layer in average.modules())


def test_logistic_regression_has_a_weight_for_each_pixel_and_class():
    """28 × 28 × 2 weights and 2 biases; without hidden units the fully connected network is the same."""
    assert n_parameters(build(Network(architecture="logistic"), 1, (28, 28), 2)) == 1_570
    assert n_parameters(build(Network(architecture="fully_connected", hidden_units=()), 1, (28, 28), 2)) == 1_570


def test_the_fully_connected_network_follows_its_hidden_units():
    """784 × 32 + 32, then 32 × 16 + 16, then 16 × 5 + 5."""
    settings = Network(architecture="fully_connected", hidden_units=(32, 16))
    assert n_parameters(build(settings, 1, (28, 28), 5)) == 25_120 + 528 + 85


def test_lenet5_has_61706_parameters():
    """LeCun 1998 on 32 × 32 grey images and ten classes: 156 + 2,416 + 48,120 + 10,164 + 850."""
    assert n_parameters(build(Network(architecture="lenet5"), 1, (32, 32), 10)) == 61_706


def test_the_small_cnn_follows_its_kernels():
    """Two 5 × 5 convolutions of 8 kernels with batch normalisation, then 8 × 2 weights and 2 biases."""
    settings = Network(architecture="small_cnn", n_kernels=(8,), kernel_size=5)
    assert n_parameters(build(settings, 1, (28, 28), 2)) == 25 * 8 + 16 + 25 * 64 + 16 + 18


def test_resnet18_has_the_published_number_of_parameters():
    """11,689,512 for three channels and 1,000 classes with the large stem (He 2016, as torchvision counts it)."""
    assert n_parameters(build(Network(architecture="resnet18"), 3, (224, 224), 1000)) == 11_689_512


def test_the_small_stem_is_chosen_by_the_size_of_the_image():
    """Below 64 pixels the large stem would leave nothing to see; the plan may still insist on either."""

    def first_kernel(stem: str, side: int) -> tuple[int, ...]:
        network = build(Network(architecture="resnet18", stem=stem), 1, (side, side + 40), 2)
        return tuple(network.state_dict()["conv1.weight"].shape)

    assert first_kernel("auto", 63) == (64, 1, 3, 3)
    assert first_kernel("auto", 64) == (64, 1, 7, 7)
    assert first_kernel("small", 64) == (64, 1, 3, 3)
    assert first_kernel("large", 64) == (64, 1, 7, 7)


def test_the_catalogue_comes_without_torchvision():
    """torchvision, and sympy behind it, take seconds to import; only ResNet-18 may ask for them."""
    rooms = "lucency.network.catalogue, lucency.network.layer_table"
    look = f"import sys, {rooms}; print({{'torchvision', 'sympy'}} & set(sys.modules))"
    answer = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "set()"
