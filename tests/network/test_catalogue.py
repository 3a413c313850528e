"""One contract for every network of the catalogue, for images and volumes."""

import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from lucency.domain.architectures import ARCHITECTURES
from lucency.domain.image_sizes import smallest_side
from lucency.domain.network_plan import NAMES, OUTLINING, READING, SETTINGS_OF_SOME, Activation, Network
from lucency.errors import PlanError
from lucency.network.catalogue import CATALOGUE, IN_THREE_DIMENSIONS, build
from lucency.network.recurrent import RECURRENT
from lucency.network.stages import head_of, replace_head, stages_of

SEED = 7
TIMM = ("timm:mobilenetv3_small_050", "timm:vit_tiny_patch16_224")
"""A small convolutional network and a transformer stand for the 1,371 of timm."""
ENTRIES = [
    *((name, "channels") for name in (*CATALOGUE, *TIMM)),
    *((name, "3d") for name in IN_THREE_DIMENSIONS),
    *((name, "slice_by_slice") for name in ("logistic", "small_cnn", "vgg11", TIMM[0])),
]
LARGE = (
    *("alexnet", "zfnet", "vgg11", "vgg16", "vgg19", "inception_v3"),
    *("resnet34", "resnet50", "resnet101", "densenet169", "densenet121-3d"),
)
"""Networks that are looked at on paper, without values: their 20 to 140 million weights would take seconds each."""
DEEPER = ("vgg16", "vgg19", "resnet34", "resnet50", "resnet101", "densenet169")
FAMILIES = [name for name in CATALOGUE if name not in DEEPER]
"""One network of each family, where its deeper sisters could only say the same again."""
entries = pytest.mark.parametrize(("name", "volumes"), ENTRIES)


def is_large(name: str, volumes: str) -> bool:
    return name in LARGE or f"{name}-{volumes}" in LARGE


def side_of(name: str, volumes: str) -> int:
    """Return the side of the smallest images that a batch of two can be taught on."""
    return 32 if name.startswith("timm:") else smallest_side(Network(architecture=name, volumes=volumes))


def made(name: str, volumes: str, seed: int = SEED, n_outputs: int = 3, **settings: object) -> nn.Module:
    side = side_of(name, volumes)
    torch.manual_seed(seed)
    n_channels = 1 if volumes == "channels" else max(side, 4)
    with torch.device("meta" if is_large(name, volumes) else "cpu"):
        return build(Network(architecture=name, volumes=volumes, **settings), n_channels, (side, side), n_outputs)


def images_for(name: str, volumes: str, n_images: int = 2) -> torch.Tensor:
    side = side_of(name, volumes)
    n_channels = 1 if volumes == "channels" else max(side, 4)
    images = torch.rand(n_images, n_channels, side, side, generator=torch.Generator().manual_seed(1))
    return images.to("meta") if is_large(name, volumes) else images


@cache
def network_of(name: str, volumes: str) -> nn.Module:
    """Return the network that several tests look at and none changes."""
    return made(name, volumes).eval()


def n_parameters(network: nn.Module) -> int:
    return sum(p.numel() for p in network.parameters())


def on_paper(name: str, n_channels: int, side: int, n_outputs: int, **settings: object) -> nn.Module:
    """Build a network without values, which takes no time and no memory."""
    with torch.device("meta"):
        return build(Network(architecture=name, **settings), n_channels, (side, side), n_outputs)


def test_the_catalogue_and_the_plan_name_the_same_networks():
    """A name that the plan accepts and the catalogue lacks would fail only after the data have been read."""
    assert set(READING) == set(RECURRENT)
    assert set(NAMES) - {*READING, *OUTLINING} == set(CATALOGUE) == set(ARCHITECTURES)
    assert {name for name, one in ARCHITECTURES.items() if one.volume} == set(IN_THREE_DIMENSIONS)


@entries
def test_every_network_answers_and_every_parameter_learns(name: str, volumes: str):
    """Forward gives one number for each output, and backward reaches every parameter."""
    network = network_of(name, volumes)
    outputs = network.train()(images_for(name, volumes))
    assert outputs.shape == (2, 3)
    names, parameters = zip(*network.named_parameters(), strict=True)
    gradients = torch.autograd.grad(outputs.square().sum(), parameters, allow_unused=True)
    network.eval()
    unused = [key for key, gradient in zip(names, gradients, strict=True) if gradient is None]
    assert not unused
    if is_large(name, volumes):
        return
    assert torch.isfinite(outputs).all()
    assert all(torch.isfinite(gradient).all() for gradient in gradients)
    assert any(gradient.abs().max() > 0 for gradient in gradients)


@entries
def test_the_seed_decides_the_weights_and_files_keep_them(name: str, volumes: str, tmp_path: Path):
    """The same seed gives the same network, another seed another one, and safetensors give it back."""
    if is_large(name, volumes):
        return  # what has no values has nothing to keep
    first, other = made(name, volumes), made(name, volumes, seed=8)
    same = network_of(name, volumes).state_dict()
    learnt = [key for key, _ in first.named_parameters()]
    assert all(torch.equal(first.state_dict()[key], same[key]) for key in learnt)
    assert any(not torch.equal(other.state_dict()[key], same[key]) for key in learnt)

    save_file(same, tmp_path / "weights.safetensors")
    other.load_state_dict(load_file(tmp_path / "weights.safetensors"))
    with torch.no_grad():
        images = images_for(name, volumes)
        assert torch.equal(other.eval()(images), network_of(name, volumes)(images))


@entries
def test_every_parameter_belongs_to_one_stage_and_the_last_stage_answers(name: str, volumes: str):
    """Transfer learning freezes and thaws stages; a parameter in none of them, or in two, would escape it."""
    network = network_of(name, volumes)
    stages = stages_of(network)
    told = [parameter for stage in stages for parameter in stage.parameters]
    assert sorted(told) == sorted(key for key, _ in network.named_parameters())
    assert [stage.name for stage in stages] == [*(f"stage_{n}" for n in range(1, len(stages))), "head"]
    assert stages[-1].layers == head_of(network)
    assert all(stage.parameters for stage in stages)
    for stage in stages:
        within = [f"{layer}.{p}" for layer in stage.layers for p, _ in network.get_submodule(layer).named_parameters()]
        assert set(within) <= set(stage.parameters)
        homeless = set(stage.parameters) - set(within)
        assert not homeless or name.startswith("timm:"), homeless


@entries
def test_a_frozen_stage_keeps_its_weights_and_a_new_head_answers(name: str, volumes: str):
    """Freezing all but the head leaves a gradient to the head alone; a swapped head gives as many outputs as asked."""
    network = made(name, volumes)
    replace_head(network, 5)
    kept = {key for stage in stages_of(network)[:-1] for key in stage.parameters}
    for key, parameter in network.named_parameters():
        parameter.requires_grad_(key not in kept)
    outputs = network.eval()(images_for(name, volumes))
    assert outputs.shape == (2, 5)
    outputs.square().sum().backward()
    reached = {key for key, parameter in network.named_parameters() if parameter.grad is not None}
    assert reached == set(stages_of(network)[-1].parameters)


@pytest.mark.parametrize(
    ("name", "n_stages"),
    [
        ("logistic", 1),
        ("fully_connected", 3),
        ("lenet5", 5),
        ("small_cnn", 4),
        ("alexnet", 6),
        ("vgg16", 8),
        ("googlenet", 5),
        ("inception_v3", 5),
        ("resnet50", 6),
        ("densenet121", 6),
        ("timm:convnext_atto", 5),
        ("timm:vit_tiny_patch16_224", 13),
    ],
)
def test_stages_are_those_of_the_papers(name: str, n_stages: int):
    """Five blocks and three fully connected layers in VGG; beginning, four groups of blocks and head in ResNet."""
    network = network_of(name, "channels") if name in TIMM else None
    if network is None and name.startswith("timm:"):
        network = build(Network(architecture=name), 1, (64, 64), 3)
    assert len(stages_of(network or on_paper(name, 3, 224, 10))) == n_stages


def test_stages_of_volumes_end_with_the_memory_and_the_head():
    """Slice by slice, the memory is a stage of its own behind those of the network for single slices."""
    stages = stages_of(network_of("small_cnn", "slice_by_slice"))
    assert [stage.layers[0].split(".")[0] for stage in stages] == ["network", "network", "network", "memory", "answer"]
    assert len(stages_of(network_of("resnet18", "3d"))) == 6


@pytest.mark.parametrize("name", ["logistic", "small_cnn", "resnet18", "densenet121", "googlenet", "zfnet"])
def test_images_need_not_be_square(name: str):
    """Radiographs seldom are."""
    network = on_paper(name, 1, 40, 3)
    network = network if name != "logistic" else build(Network(architecture=name), 1, (40, 72), 3)
    device = next(network.parameters()).device
    assert network.eval()(torch.rand(2, 1, 40, 72, device=device)).shape == (2, 3)


@pytest.mark.parametrize("stem", ["auto", "small", "large"])
@pytest.mark.parametrize("name", FAMILIES)
def test_the_smallest_image_works_and_a_smaller_one_is_refused(name: str, stem: str):
    """The size in the message is the true limit, and at it even a batch of one image trains."""
    if stem != "auto" and "stem" not in ARCHITECTURES[name].settings:
        return
    settings = Network(architecture=name, stem=stem)
    side = smallest_side(settings)
    network = on_paper(name, 1, side, 2, stem=stem).train()
    assert network(torch.rand(1, 1, side, side, device="meta")).shape == (1, 2)
    with pytest.raises(PlanError, match=f"at least {side} × {side}"):
        build(settings, 1, (side + 5, side - 1), 2)


@pytest.mark.parametrize("stem", ["auto", "large"])
@pytest.mark.parametrize("name", [name for name in IN_THREE_DIMENSIONS if name in FAMILIES])
def test_the_smallest_volume_works_and_a_smaller_one_is_refused(name: str, stem: str):
    """Slices count as rows and columns do."""
    if stem != "auto" and "stem" not in ARCHITECTURES[name].settings:
        return
    settings = Network(architecture=name, volumes="3d", stem=stem)
    side = smallest_side(settings)
    network = on_paper(name, side, side, 2, stem=stem, volumes="3d").train()
    assert network(torch.rand(1, side, side, side, device="meta")).shape == (1, 2)
    with pytest.raises(PlanError, match=f"at least {side} × {side} × {side}"):
        build(settings, side - 1, (side, side), 2)


@pytest.mark.parametrize(
    ("chain", "side"),
    [
        ({"architecture": "lenet5"}, 16),
        ({"architecture": "lenet5", "kernel_size": 3, "padding": 1}, 4),
        ({"architecture": "lenet5", "n_kernels": (4, 4, 4), "stride": 2, "padding": 2}, 43),
        ({"architecture": "small_cnn"}, 8),
        ({"architecture": "small_cnn", "stride": 2}, 43),
        ({"architecture": "small_cnn", "kernel_size": 5, "padding": 0, "n_kernels": (4, 4)}, 28),
    ],
)
def test_what_kernels_and_steps_leave_is_counted(chain: dict[str, object], side: int):
    """The smallest image of a chain follows from its own settings, and one pixel less leaves nothing."""
    settings = Network(**chain)
    assert smallest_side(settings) == side
    assert build(settings, 1, (side, side), 2).train()(torch.rand(1, 1, side, side)).shape == (1, 2)
    with pytest.raises(PlanError, match=f"at least {side}"):
        build(settings, 1, (side - 1, side), 2)


@pytest.mark.parametrize("name", ["logistic", "lenet5", "small_cnn", "resnet18", "densenet121", "googlenet", TIMM[0]])
def test_dropout_silences_while_training_and_rests_afterwards(name: str):
    """Each family must obey the setting, and keep the names of its parameters; at rest nothing may be random."""
    network = made(name, "channels", dropout=0.5)
    assert list(network.state_dict()) == list(network_of(name, "channels").state_dict())
    images = images_for(name, "channels")
    with torch.no_grad():
        assert not torch.equal(network.train()(images), network(images))
        assert torch.equal(network.eval()(images), network(images))


@pytest.mark.parametrize("name", ["alexnet", "zfnet", "vgg11", "googlenet", "inception_v3"])
def test_published_dropout_is_the_default_and_can_be_changed(name: str):
    """AlexNet, ZFNet, VGG and Inception v3 were published with 0.5, GoogLeNet with 0.2 (torchvision: 0.2)."""

    def shares(**settings: object) -> set[float]:
        return {layer.p for layer in on_paper(name, 1, 120, 2, **settings).modules() if isinstance(layer, nn.Dropout)}

    assert shares() == {0.2 if name == "googlenet" else 0.5}
    assert shares(dropout=0.3) == {0.3}


@pytest.mark.parametrize("activation", Activation)
@pytest.mark.parametrize("name", [n for n in FAMILIES if "activation" in ARCHITECTURES[n].settings])
def test_the_activation_is_the_plan_s(name: str, activation: Activation):
    """A network that quietly keeps ReLU would make the methods section wrong."""
    network = on_paper(name, 1, 64, 2, activation=activation)
    kinds = {"relu": nn.ReLU, "tanh": nn.Tanh, "sigmoid": nn.Sigmoid}
    found = {type(layer) for layer in network.modules()} & set(kinds.values())
    assert found == {kinds[activation]}


@pytest.mark.parametrize("name", [n for n in FAMILIES if "pooling" in ARCHITECTURES[n].settings])
def test_the_pooling_is_the_plan_s(name: str):
    """Max and average pooling are the article's two methods."""
    average = on_paper(name, 1, 64, 2, pooling="average")
    assert any(isinstance(layer, nn.AvgPool2d) for layer in average.modules())
    assert not any(isinstance(layer, nn.MaxPool2d) for layer in average.modules())


@pytest.mark.parametrize("name", [n for n in FAMILIES if "batch_norm" in ARCHITECTURES[n].settings])
def test_batch_normalisation_stands_behind_each_convolution_or_nowhere(name: str):
    """With it or without is the plan's choice, in each network that has it."""

    def n_of(kind: type[nn.Module], **settings: object) -> int:
        return sum(isinstance(layer, kind) for layer in on_paper(name, 1, 64, 2, **settings).modules())

    assert n_of(nn.BatchNorm2d, batch_norm=True) == n_of(nn.Conv2d) > 0
    assert n_of(nn.BatchNorm2d, batch_norm=False) == 0


def test_a_setting_that_a_network_has_not_is_refused_by_naming_those_that_have_it():
    """Passing over it in silence would make the methods section wrong."""
    with pytest.raises(ValueError, match=r"ResNet-18 has no setting `kernel_size`.*lenet5, small_cnn"):
        Network(architecture="resnet18", kernel_size=5)
    with pytest.raises(ValueError, match="GoogLeNet has no setting `activation`"):
        Network(architecture="googlenet", activation="tanh")
    with pytest.raises(ValueError, match="VGG-16 has no form in three dimensions"):
        Network(architecture="vgg16", volumes="3d")
    assert {"n_kernels", "kernel_size", "stride", "padding", "activation", "pooling", "dropout"} < SETTINGS_OF_SOME
    defaults = {name: field.default for name, field in Network.model_fields.items() if name in SETTINGS_OF_SOME}
    Network(architecture="resnet18", **defaults)  # as in the plan that every study folder keeps


def test_kernels_steps_and_padding_are_the_plan_s():
    """The article names them as architectural hyperparameters."""
    network = build(
        Network(architecture="small_cnn", n_kernels=(4, 6), kernel_size=5, stride=2, padding=1), 1, (44, 44), 2
    )
    first = network.stage_1.convolution_1
    assert (first.out_channels, first.kernel_size, first.stride, first.padding) == (4, (5, 5), (2, 2), (1, 1))
    network = build(
        Network(architecture="lenet5", n_kernels=(3, 5), kernel_size=3, stride=2, padding=1), 1, (44, 44), 2
    )
    second = network.convolution_2
    assert (second.out_channels, second.kernel_size, second.stride, second.padding) == (5, (3, 3), (2, 2), (1, 1))


def test_logistic_regression_has_a_weight_for_each_pixel_and_class():
    """28 × 28 × 2 weights and 2 biases; without hidden units the fully connected network is the same."""
    assert n_parameters(on_paper("logistic", 1, 28, 2)) == 1_570
    assert n_parameters(on_paper("fully_connected", 1, 28, 2, hidden_units=())) == 1_570


def test_the_fully_connected_network_follows_its_hidden_units():
    """784 × 32 + 32, then 32 × 16 + 16, then 16 × 5 + 5."""
    assert n_parameters(on_paper("fully_connected", 1, 28, 5, hidden_units=(32, 16))) == 25_120 + 528 + 85


def test_the_small_cnn_follows_its_kernels():
    """Two 5 × 5 convolutions of 8 kernels with batch normalisation, then 8 × 2 weights and 2 biases."""
    n = n_parameters(on_paper("small_cnn", 1, 28, 2, n_kernels=(8,), kernel_size=5))
    assert n == 25 * 8 + 16 + 25 * 64 + 16 + 18


def test_the_small_stem_is_chosen_by_the_size_of_the_image():
    """Below 64 pixels the large stem would leave nothing to see; the plan may still insist on either."""

    def first_kernel(stem: str, side: int) -> tuple[int, ...]:
        network = build(Network(architecture="resnet18", stem=stem), 1, (side, side + 40), 2)
        return tuple(network.state_dict()["conv1.weight"].shape)

    assert first_kernel("auto", 63) == (64, 1, 3, 3)
    assert first_kernel("auto", 64) == (64, 1, 7, 7)
    assert first_kernel("small", 64) == (64, 1, 3, 3)
    assert first_kernel("large", 64) == (64, 1, 7, 7)


@pytest.mark.parametrize("memory", ["lstm", "gru", "none"])
@pytest.mark.parametrize("pooling", ["attention", "max", "mean", "last"])
def test_slices_are_read_one_by_one(memory: str, pooling: str):
    """With mean and no memory, the answer to a volume is that to the mean of its slices' features."""
    if (memory, pooling) == ("none", "last"):
        with pytest.raises(ValueError, match="without a memory the last slice alone would count"):
            Network(
                architecture="small_cnn", volumes="slice_by_slice", slice_memory=memory, recurrent={"pooling": pooling}
            )
        return
    network = made(
        "small_cnn", "slice_by_slice", slice_memory=memory, recurrent={"pooling": pooling, "hidden_units": 5}
    ).eval()
    volumes = images_for("small_cnn", "slice_by_slice")
    with torch.no_grad():
        together = network(volumes)
        alone = torch.cat([network(volume[None]) for volume in volumes])
        turned = network(volumes.flip(1))
    assert torch.allclose(together, alone, atol=1e-6)
    assert torch.allclose(together, turned, atol=1e-6) == (memory == "none")
    if (memory, pooling) == ("none", "mean"):
        with torch.no_grad():
            of_slices = torch.stack([network.network(volumes[:, k : k + 1]) for k in range(volumes.shape[1])]).mean(0)
            assert torch.allclose(together, network.answer(of_slices), atol=1e-6)


def test_the_catalogue_comes_without_the_libraries_of_its_networks():
    """Torchvision (and sympy behind it), timm and MONAI take seconds to import; only their networks may ask for them."""
    rooms = "lucency.network.catalogue, lucency.network.layer_table, lucency.network.timm_names"
    look = f"import sys, {rooms}; print({{'torchvision', 'sympy', 'timm', 'monai'}} & set(sys.modules))"
    answer = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "set()"
