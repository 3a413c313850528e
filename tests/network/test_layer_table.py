import pytest
import torch
from torch import nn

from lucency.domain.network_plan import Network
from lucency.network.catalogue import CATALOGUE, build
from lucency.network.layer_table import LayerRow, layer_table
from lucency.network.watching import watched


def rows_of(shape: tuple[int, int], n_classes: int = 10, **settings: object) -> dict[str, LayerRow]:
    return {row.name: row for row in layer_table(build(Network(**settings), 1, shape, n_classes), 1, shape)}


@pytest.mark.parametrize("volumes", ["channels", "slice_by_slice"])
@pytest.mark.parametrize("name", CATALOGUE)
def test_the_table_counts_every_parameter_once(name: str, volumes: str):
    """The totals must be those of the network, trainable or frozen."""
    if volumes == "slice_by_slice" and name not in ("small_cnn", "densenet121"):
        return
    with torch.device("meta"):
        network = build(Network(architecture=name, volumes=volumes), 3, (120, 120), 5)
    list(network.parameters())[-1].requires_grad_(False)
    rows = layer_table(network, 3, (120, 120))
    assert sum(row.n_parameters for row in rows) == sum(p.numel() for p in network.parameters())
    assert sum(row.n_trainable for row in rows) == sum(p.numel() for p in network.parameters()) - 5
    assert all(row.n_parameters == row.n_weights + row.n_biases for row in rows)
    assert rows[-1].output_shape == (5,)
    assert all(row.receptive_field_pixels for row in rows if "LSTM" not in row.kind)


def test_lenet5_reads_as_in_the_paper():
    """LeCun 1998, section II: C1 6 @ 28 × 28, S2 6 @ 14 × 14, C3 16 @ 10 × 10, S4 16 @ 5 × 5, C5 120, F6 84."""
    rows = rows_of((32, 32), architecture="lenet5")
    assert rows["convolution_1"] == LayerRow(
        name="convolution_1",
        kind="convolution",
        output_shape=(6, 28, 28),
        n_kernels=6,
        kernel_size=(5, 5),
        stride=(1, 1),
        padding=(0, 0),
        n_weights=150,
        n_biases=6,
        n_parameters=156,
        n_trainable=156,
        receptive_field_pixels=(5, 5),
    )
    shapes = {name: row.output_shape for name, row in rows.items()}
    assert shapes["pooling_1"] == (6, 14, 14)
    assert shapes["convolution_2"] == (16, 10, 10)
    assert shapes["pooling_2"] == (16, 5, 5)
    assert (shapes["fully_connected_1"], shapes["fully_connected_2"]) == ((120,), (84,))
    assert rows["pooling_1"].kind == "max pooling"
    assert rows["pooling_1"].kernel_size == rows["pooling_1"].stride == (2, 2)
    assert rows["fully_connected_1"].receptive_field_pixels == (32, 32)


def test_resnet18_sees_435_pixels():
    """The theoretical receptive field of ResNet-18's last block; shortcuts must not shorten it."""
    rows = rows_of((224, 224), architecture="resnet18")
    assert rows["conv1"].receptive_field_pixels == (7, 7)
    assert rows["maxpool"].receptive_field_pixels == (11, 11)
    assert rows["layer4.1.conv2"].receptive_field_pixels == (435, 435)
    assert rows["fc"].receptive_field_pixels == (224, 224)


def test_pixels_that_pooling_drops_are_not_seen():
    """On 29 × 29 pixels LeNet-5 rounds down twice: 25 → 12, 8 → 4; the last row and column reach no unit."""
    assert rows_of((29, 28), architecture="lenet5")["fully_connected_3"].receptive_field_pixels == (28, 28)


@pytest.mark.parametrize(
    ("settings", "shape"),
    [
        ({"architecture": "lenet5", "pooling": "average"}, (44, 16)),
        ({"architecture": "small_cnn", "pooling": "average", "kernel_size": 5}, (160, 16)),
        ({"architecture": "small_cnn", "pooling": "average", "n_kernels": (2, 3, 4, 5)}, (16, 160)),
        ({"architecture": "resnet18", "stem": "small"}, (240, 16)),
        ({"architecture": "resnet18", "stem": "large"}, (960, 64)),
    ],
)
def test_receptive_fields_are_those_of_the_gradient(settings: dict[str, object], shape: tuple[int, int]):
    """The pixels that really change the value in the middle of each map span exactly what the arithmetic says.

    The image is long enough for the whole field and, to be quick, narrow across. Weights and pixels are positive and
    pooling takes the mean, so that no gradient vanishes by chance; kernels of 1 / channels keep the numbers in range.
    """
    network = build(Network(**settings), 1, shape, 2).eval()
    if settings["architecture"] == "resnet18" and settings["stem"] == "large":
        network.maxpool = nn.AvgPool2d(3, 2, 1)
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.constant_(layer.weight, 1 / layer.in_channels)
    expected = {row.name: row.receptive_field_pixels for row in layer_table(network, 1, shape)}
    image = torch.ones(1, 1, *shape, requires_grad=True)
    middle: dict[str, torch.Tensor] = {}

    def keep(name: str, layer: nn.Module, _inputs: torch.Tensor, output: torch.Tensor) -> None:
        if isinstance(layer, nn.Conv2d | nn.AvgPool2d):
            middle[name] = output[0, 0, output.shape[2] // 2, output.shape[3] // 2]

    with watched(network, keep):
        network(image)
    long_axis = shape.index(max(shape))
    for name, value in middle.items():
        (gradient,) = torch.autograd.grad(value, image, retain_graph=True)
        seen = (gradient[0, 0] != 0).any(1 - long_axis).nonzero()
        assert int(seen.max() - seen.min()) + 1 == expected[name][long_axis], name


def test_two_paths_of_different_reach_give_the_longer_one():
    """Where a wide and a narrow branch meet, the sum sees what the wide one sees, wherever it lies."""

    class TwoBranches(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.wide = nn.Conv2d(1, 2, (7, 1), padding=(3, 0))
            self.narrow = nn.Conv2d(1, 2, (1, 3), padding=(0, 1))
            self.last = nn.Conv2d(4, 1, 3, padding=1, dilation=1)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.last(torch.cat([self.wide(x), self.narrow(x).relu() + x], 1))

    rows = {row.name: row for row in layer_table(TwoBranches(), 1, (20, 20))}
    assert rows["wide"].receptive_field_pixels == (7, 1)
    assert rows["narrow"].receptive_field_pixels == (1, 3)
    assert rows["last"].receptive_field_pixels == (9, 5)


class _Ways(nn.Module):
    """Everything that a layer's window can do, one after the other or side by side."""

    def __init__(self, n_axes: int) -> None:
        super().__init__()
        convolution = {2: nn.Conv2d, 3: nn.Conv3d}[n_axes]
        transposed = {2: nn.ConvTranspose2d, 3: nn.ConvTranspose3d}[n_axes]
        self.mode = {2: "bilinear", 3: "trilinear"}[n_axes]
        self.first = convolution(1, 4, 3, padding=1)
        self.dilated = convolution(4, 4, 3, padding=2, dilation=2)
        self.grouped = convolution(4, 4, 3, padding=1, groups=2)
        self.down = convolution(4, 4, 2, stride=2)
        self.deep = convolution(4, 4, 5, padding=2)
        self.up = transposed(4, 4, 2, stride=2)
        self.joined = convolution(8, 4, 3, padding=1)
        self.wide_up = transposed(4, 4, 4, stride=2, padding=1)
        self.end = convolution(4, 4, 1)
        self.smooth = convolution(4, 4, 1)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        fine = self.grouped(self.dilated(self.first(images)).relu())
        coarse = self.deep(self.down(fine))
        joined = self.joined(torch.cat([fine, self.up(coarse)], 1))
        wide = self.end(self.wide_up(coarse) + joined)
        smooth = nn.functional.interpolate(coarse, scale_factor=2, mode=self.mode, align_corners=False)
        return self.smooth(torch.nn.functional.pad(wide[..., 2:] + smooth[..., 2:], (2, 0)))


@pytest.mark.parametrize("n_axes", [2, 3])
def test_fields_of_any_network_are_those_of_the_gradient(n_axes: int):
    """Dilated, grouped and transposed kernels, joins, and functions that stand in no layer, in two dimensions and three.

    Behind an enlargement the places see parts of different length; the table gives the longest, so several are asked. Where
    ways of different steps meet again, it may say a pixel too much.
    """
    shape = (24,) * (n_axes - 1) + (48,)
    network = _Ways(n_axes).eval()
    for parameter in network.parameters():
        nn.init.constant_(parameter, 0.1)
    expected = {row.name: row.receptive_field_pixels for row in layer_table(network, 1, shape)}
    image = torch.ones(1, 1, *shape, requires_grad=True)
    outputs: dict[str, torch.Tensor] = {}
    with watched(network, lambda name, _layer, _inputs, output: outputs.update({name: output})):
        network(image)
    del outputs[""]
    assert len(outputs) == 10
    for name, output in outputs.items():
        middle = output[(0, 0, *(side // 2 for side in output.shape[2:-1]))]
        longest = 0
        for place in range(len(middle) // 2, len(middle) // 2 + 3):
            (gradient,) = torch.autograd.grad(middle[place], image, retain_graph=True)
            seen = (gradient != 0).flatten(0, -2).any(0).nonzero()
            longest = max(longest, int(seen.max() - seen.min()) + 1)
        spare = 1 if name in ("end", "smooth") else 0
        assert longest <= expected[name][-1] <= longest + spare, name


def test_kernels_in_three_dimensions_have_three_numbers():
    """(Slices, rows, columns), for kernels and for fields; the slices of a volume are the channels of the store."""
    rows = rows_of_volume("small_cnn")
    first, last = rows["network.stage_1.convolution_1"], rows["network.stage_3.convolution_2"]
    assert (first.kernel_size, first.padding, first.output_shape) == ((3, 3, 3), (1, 1, 1), (16, 12, 16, 20))
    assert (first.receptive_field_pixels, last.receptive_field_pixels) == ((3, 3, 3), (32, 32, 32))
    assert rows["network.fully_connected"].receptive_field_pixels == (12, 16, 20)


def rows_of_volume(architecture: str) -> dict[str, LayerRow]:
    network = build(Network(architecture=architecture, volumes="3d"), 12, (16, 20), 2)
    return {row.name: row for row in layer_table(network, 12, (16, 20))}


def test_attention_between_the_places_of_an_image_has_no_field():
    """Each place may look at any other; to give a number would be an invention. Parameters of no layer are counted."""
    with torch.device("meta"):
        network = build(Network(architecture="timm:vit_tiny_patch16_224"), 1, (64, 64), 2)
    rows = {row.name: row for row in layer_table(network, 1, (64, 64))}
    assert rows["patch_embed.proj"].receptive_field_pixels == (16, 16)
    assert rows["blocks.0.norm1"].receptive_field_pixels == (16, 16)
    assert rows["blocks.0.attn.proj"].receptive_field_pixels is None
    assert rows["head"].receptive_field_pixels is None
    assert rows["network"].kind == "parameters of no layer (VisionTransformer)"
    assert rows["network"].n_parameters == (16 + 1 + 1) * 192  # a number for each place, and the class token twice
    assert sum(row.n_parameters for row in rows.values()) == sum(p.numel() for p in network.parameters())


@pytest.mark.parametrize("name", ["mixer_s16_224", "tresnet_m"])
def test_places_that_are_mixed_by_other_means_have_no_field(name: str):
    """A mixer joins the places by fully connected layers, TResNet makes one place of sixteen; neither is a kernel that slides."""
    with torch.device("meta"):
        network = build(Network(architecture=f"timm:{name}"), 1, (224, 224), 2)
    rows = layer_table(network, 1, (224, 224))
    assert rows[-1].receptive_field_pixels is None
    assert sum(row.n_parameters for row in rows) == sum(p.numel() for p in network.parameters())


def test_layers_with_several_inputs_or_answers_are_listed():
    """U-Nets join two maps in a layer of their own, and a network may give a list while training."""

    class Join(nn.Module):
        def forward(self, fine: torch.Tensor, *, coarse: torch.Tensor) -> tuple[torch.Tensor, None]:
            return fine + coarse, None

    class Small(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.one, self.other, self.join = nn.Conv2d(1, 2, 3), nn.Conv2d(1, 2, 3, dilation=3, padding=2), Join()
            self.never = nn.Conv2d(1, 1, 1)

        def forward(self, images: torch.Tensor) -> list[torch.Tensor]:
            return [self.join(self.one(images), coarse=self.other(images))[0]]

    rows = {row.name: row for row in layer_table(Small(), 1, (12, 12))}
    assert rows["other"].kind == "convolution, dilation 3"
    assert rows["join"].receptive_field_pixels == (7, 7)
    assert rows["network"].n_parameters == 2


def test_the_table_leaves_the_network_as_it_was():
    """Mode, weights, running means and hooks are the training's own."""
    network = build(Network(architecture="small_cnn"), 1, (28, 28), 2).train()
    network.stage_1.eval()
    before = {key: value.clone() for key, value in network.state_dict().items()}
    layer_table(network, 1, (28, 28))
    assert network.training
    assert network.stage_2.training
    assert not network.stage_1.training
    assert all(torch.equal(before[key], value) for key, value in network.state_dict().items())
    assert all(p.grad is None for p in network.parameters())
    assert not any(layer._forward_hooks for layer in network.modules())
