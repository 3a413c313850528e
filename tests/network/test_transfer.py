"""Taking over weights: the head stays, kernels are converted so that a grey image gives the same response, nothing else fits."""

from collections import OrderedDict, defaultdict
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from lucency.domain.network_plan import Network
from lucency.domain.progress import Silence
from lucency.errors import SourceError
from lucency.network.catalogue import build
from lucency.network.pretrained import WEIGHTS, at_hand, obtain, read_tensors
from lucency.network.stages import head_of
from lucency.network.transfer import Scale, convert_kernels, take_over
from lucency.network.volumes import SliceBySlice

IMAGENET = Scale((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
HALF = Scale((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))


def scaled(images: Tensor, scale: Scale) -> Tensor:
    mean, deviation = (torch.tensor(values).view(1, -1, 1, 1) for values in (scale.mean, scale.deviation))
    return (images - mean) / deviation


def small(n_channels: int, n_classes: int, bias: bool = False) -> nn.Sequential:
    torch.manual_seed(n_classes)
    return nn.Sequential(
        nn.Conv2d(n_channels, 8, 3, padding=1, bias=bias),
        nn.BatchNorm2d(8),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(8, n_classes),
    )


@pytest.mark.parametrize("n_channels", [1, 2, 5])
@pytest.mark.parametrize("padding", [0, 1])
def test_a_grey_image_gives_the_response_of_its_copy_in_colour(n_channels: int, padding: int) -> None:
    """With one mean and deviation for all colours, exactly and everywhere, whatever the number of channels."""
    kernels, grey = torch.randn(8, 3, 3, 3), torch.rand(2, 1, 12, 12)
    converted = convert_kernels(kernels, n_channels, HALF)
    before = nn.functional.conv2d(scaled(grey.repeat(1, 3, 1, 1), HALF), kernels, padding=padding)
    images = scaled(grey.repeat(1, n_channels, 1, 1), converted.scale)
    after = nn.functional.conv2d(images, converted.kernels, padding=padding)
    assert torch.allclose(before, after, atol=1e-5)
    assert converted.response_to_mean.abs().max() == 0


@pytest.mark.parametrize("n_channels", [1, 4])
def test_colours_of_different_means_keep_the_response_inside_the_image(n_channels: int) -> None:
    """ImageNet's three means differ; what is left over is a constant for each kernel."""
    kernels, grey = torch.randn(8, 3, 3, 3), torch.rand(2, 1, 12, 12)
    converted = convert_kernels(kernels, n_channels, IMAGENET)
    before = nn.functional.conv2d(scaled(grey.repeat(1, 3, 1, 1), IMAGENET), kernels)
    images = scaled(grey.repeat(1, n_channels, 1, 1), converted.scale)
    after = nn.functional.conv2d(images, converted.kernels) + converted.response_to_mean.view(1, -1, 1, 1)
    assert torch.allclose(before, after, atol=1e-5)
    assert converted.response_to_mean.abs().max() > 0.01


def test_without_a_known_scale_kernels_are_simply_summed() -> None:
    """Where grey levels get the scale of one's own training part, channel by channel."""
    kernels = torch.randn(8, 3, 3, 3)
    converted = convert_kernels(kernels, 1, None)
    assert torch.allclose(converted.kernels, kernels.sum(1, keepdim=True))
    assert converted.scale is None


@pytest.mark.parametrize("bias", [False, True])
def test_a_whole_network_answers_to_grey_as_to_colour(bias: bool) -> None:
    """The constant goes into the biases, or into the mean of the normalisation behind; then also the features agree."""
    colour, grey = small(3, 5, bias).eval(), small(1, 2, bias).eval()
    colour[1].running_mean.copy_(torch.randn(8))
    scale = take_over(grey, ["5"], colour.state_dict(), IMAGENET)
    image = torch.rand(2, 1, 20, 20)
    before, after = (colour[:2](scaled(image.repeat(1, 3, 1, 1), IMAGENET)), grey[:2](scaled(image, scale)))
    assert torch.allclose(before[..., 1:-1, 1:-1], after[..., 1:-1, 1:-1], atol=1e-5)


def test_the_head_is_new_and_all_else_is_taken_over() -> None:
    """The classes of ImageNet mean nothing here; the kernels do."""
    other, network = small(3, 1000), small(3, 2)
    head = {name: tensor.clone() for name, tensor in network[-1].state_dict().items()}
    assert take_over(network, ["5"], other.state_dict(), IMAGENET) == IMAGENET
    assert all(torch.equal(head[name], tensor) for name, tensor in network[-1].state_dict().items())
    for name, tensor in network[:-1].state_dict().items():
        assert torch.equal(tensor, other.state_dict()[name])


def test_a_head_with_as_many_answers_is_new_too() -> None:
    """Two classes there need not be the two classes here."""
    other, network = small(3, 2), small(3, 2)
    nn.init.constant_(other[-1].weight, 7.0)
    take_over(network, ["5"], other.state_dict(), None)
    assert not (network[-1].weight == 7).any()


def test_weights_of_another_network_are_refused() -> None:
    """Names and shapes tell; nothing is taken over by half."""
    network = small(3, 2)
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    good = small(3, 5).state_dict()
    for wrong, words in (
        ({name: good[name] for name in list(good)[1:]}, "0.weight is missing"),
        (good | {"more.weight": torch.zeros(1)}, "more.weight belongs nowhere"),
        (good | {"0.weight": torch.zeros(8, 3, 5, 5)}, "0.weight has the shape"),
        (good | {"1.weight": torch.zeros(9)}, "1.weight has the shape"),
        ({}, "is missing"),
    ):
        with pytest.raises(SourceError, match=words):
            take_over(network, ["5"], wrong, None)
    with pytest.raises(SourceError, match="another order"):
        take_over(network, ["5"], {"a.bias": torch.zeros(1)}, None, by_order=True)
    assert all(torch.equal(before[name], tensor) for name, tensor in network.state_dict().items())


def test_names_of_old_files_are_understood() -> None:
    """Torchvision's DenseNets were saved by an old torch, other files by several GPUs at once."""
    network, other = (old_style(n_classes) for n_classes in (2, 5))
    given = {
        f"module.{name.replace('norm1', 'norm.1').replace('conv2', 'conv.2')}": tensor
        for name, tensor in other.state_dict().items()
        if not name.endswith("num_batches_tracked")
    }
    assert "module.denseblock1.denselayer1.norm.1.weight" in given
    take_over(network, ["classifier"], given, None)
    block, published = network.denseblock1.denselayer1, other.denseblock1.denselayer1
    assert torch.equal(block.conv2.weight, published.conv2.weight)
    assert torch.equal(block.norm1.running_mean, published.norm1.running_mean)


def old_style(n_classes: int) -> nn.Module:
    """Return a network with the names of one layer of a DenseNet."""
    layer = nn.Sequential(OrderedDict(norm1=nn.BatchNorm2d(3), conv2=nn.Conv2d(3, 4, 3, bias=False)))
    block = nn.Sequential(OrderedDict(denselayer1=layer))
    network = nn.Sequential(OrderedDict(denseblock1=block, classifier=nn.Linear(4, n_classes)))
    nn.init.normal_(layer.norm1.running_mean)
    return network


@pytest.fixture(scope="module")
def packaged() -> dict[str, Tensor]:
    """Return the ImageNet weights that lie in a package."""
    weights = WEIGHTS["efficientnet-lite0"]
    if at_hand(weights, Path("/nowhere")) is None:
        pytest.skip("the extra `pretrained` is not installed")
    return read_tensors(obtain(weights, Path("/nowhere"), Silence()))


def test_the_packaged_weights_fit_tensor_by_tensor(packaged: dict[str, Tensor]) -> None:
    """They have other names than timm's network and stand in the same order: number, kinds and shapes agree."""
    import timm

    own = timm.create_model("tf_efficientnet_lite0").state_dict()
    assert [name.rpartition(".")[2] for name in own] == [name.rpartition(".")[2] for name in packaged]
    assert [tensor.shape for tensor in own.values()] == [tensor.shape for tensor in packaged.values()]


def test_the_packaged_network_sees_what_it_was_taught(packaged: dict[str, Tensor]) -> None:
    """The activations of each map vary as much as batch normalisation remembers from ImageNet.

    So no two tensors of one shape stand in each other's place: with every kernel moved on to the next of its shape, the
    agreement is gone.
    """
    moved, of_shape = dict(packaged), defaultdict(list)
    for name, tensor in packaged.items():
        if name.endswith("conv.weight"):
            of_shape[tensor.shape].append(name)
    for names in of_shape.values():
        moved |= {name: packaged[other] for name, other in zip(names, [*names[1:], names[0]], strict=True)}
    assert remembered(packaged) > 0.6
    assert remembered(moved) < 0.4


def remembered(weights: dict[str, Tensor]) -> float:
    """Return the median over 49 normalisations of the correlation of variances, measured here and stored; both as logarithms."""
    import timm

    network = timm.create_model("tf_efficientnet_lite0", num_classes=2).eval()
    take_over(network, ["classifier"], weights, HALF, by_order=True)
    found = []

    def look(layer: nn.BatchNorm2d, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        variances = torch.stack([inputs[0].var((0, 2, 3)), layer.running_var])
        found.append(torch.corrcoef((variances + 1e-6).log())[0, 1])

    for layer in network.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.register_forward_hook(look)
    generator = torch.Generator().manual_seed(1)
    smooth = nn.functional.interpolate(torch.rand(8, 3, 14, 14, generator=generator), 224, mode="bicubic").clamp(0, 1)
    with torch.no_grad():
        network(scaled(smooth, HALF))
    assert len(found) == 49
    return float(torch.stack(found).median())


@pytest.mark.parametrize("name", [w.name for w in WEIGHTS.values() if w.source == "torchvision"])
@pytest.mark.parametrize("n_channels", [1, 3])
def test_what_torchvision_publishes_fits_the_catalogue(name: str, n_channels: int) -> None:
    """Every name and shape, but for the head; without any numbers, since the files are large."""
    from torchvision import models

    side = WEIGHTS[name].side_px
    with torch.device("meta"):
        options = {"init_weights": False} if name in ("googlenet", "inception_v3") else {}
        published = getattr(models, name)(weights=None, **options).state_dict()
        network = build(Network(architecture=name), n_channels, (side, side), 2)
    take_over(network, head_of(network), published, Scale(WEIGHTS[name].mean, WEIGHTS[name].deviation))


def test_a_network_that_goes_through_slices_takes_weights_of_images(packaged: dict[str, Tensor]) -> None:
    """What looks at each slice is the published network; the memory and the answer behind it are new."""
    settings = Network(architecture="timm:tf_efficientnet_lite0", volumes="slice_by_slice")
    network = build(settings, 3, (32, 32), 2)
    assert isinstance(network, SliceBySlice)
    scale = take_over(network.network, (), packaged, HALF, by_order=True)
    assert scale == Scale((0.5,), (0.5,))
    assert torch.equal(network.network.bn1.weight, packaged["_bn0.weight"])
