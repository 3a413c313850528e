"""The networks that outline structures."""

import pytest
import torch
from torch import nn

from lucency.domain.network_plan import OUTLINING
from lucency.network.layer_table import layer_table
from lucency.network.unet import SEGMENTERS, Unet, UnetShape, build_segmenter

PATCHES = {2: (16, 24), 3: (8, 16, 16)}


def shape_of(n_axes: int, deep_supervision: bool = False) -> UnetShape:
    even, half = (1,) * n_axes, (2,) * n_axes
    return UnetShape(2, 3, (4, 8, 12), (even, half, half), ((3,) * n_axes,) * 3, deep_supervision)


def test_the_plan_and_the_catalogue_name_the_same_networks() -> None:
    """A name that the plan accepts can be built."""
    assert set(OUTLINING) == set(SEGMENTERS)


@pytest.mark.slow  # MONAI takes ten seconds to import
@pytest.mark.parametrize("n_axes", [2, 3])
@pytest.mark.parametrize("architecture", SEGMENTERS)
def test_every_network_answers_each_pixel_learns_and_comes_back(architecture: str, n_axes: int) -> None:
    """Forward, backward, the same weights from the same seed, save and load."""
    torch.manual_seed(1)
    network = build_segmenter(architecture, shape_of(n_axes))
    torch.manual_seed(1)
    again = build_segmenter(architecture, shape_of(n_axes))
    images = torch.rand(2, 2, *PATCHES[n_axes])
    logits = network.train()(images)
    assert logits.shape == (2, 3, *PATCHES[n_axes])
    logits.square().mean().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in network.parameters())
    assert all(torch.equal(one, other) for one, other in zip(network.parameters(), again.parameters(), strict=True))
    another = build_segmenter(architecture, shape_of(n_axes))
    another.load_state_dict(network.state_dict())
    with torch.no_grad():
        assert torch.equal(network.eval()(images), another.eval()(images))


@pytest.mark.parametrize("n_axes", [2, 3])
def test_the_plain_unet_has_the_parameters_that_its_drawing_shows(n_axes: int) -> None:
    """Counted by hand: two convolutions a stage, each with a normalisation; transposed convolutions; 1×1 answers."""
    k, s = 3**n_axes, 2**n_axes

    def block(n_in: int, n_out: int) -> int:
        return (k * n_in * n_out + n_out + 2 * n_out) + (k * n_out * n_out + n_out + 2 * n_out)

    down = block(2, 4) + block(4, 8) + block(8, 12)
    up = (s * 12 * 8 + 8) + block(16, 8) + (s * 8 * 4 + 4) + block(8, 4)
    n_parameters = sum(p.numel() for p in Unet(shape_of(n_axes)).parameters())
    assert n_parameters == down + up + (4 * 3 + 3)


def test_deep_supervision_teaches_the_coarser_stages_and_answers_once() -> None:
    """Two answers while training, the second half as fine; one answer, the same, when asked."""
    torch.manual_seed(2)
    even, half = (1, 1, 1), (2, 2, 2)
    network = Unet(UnetShape(2, 3, (4, 8, 12, 16), (even, half, half, half), ((3, 3, 3),) * 4, deep_supervision=True))
    images = torch.rand(1, 2, 8, 16, 16)
    fine, coarse = network.train()(images)
    assert (fine.shape[2:], coarse.shape[2:]) == ((8, 16, 16), (4, 8, 8))
    with torch.no_grad():
        answer = network.eval()(images)
    assert answer.shape == fine.shape
    assert torch.allclose(answer, fine)


def test_axes_that_are_coarse_already_are_not_halved() -> None:
    """Thick slices: strides and kernels of 1 along the first axis."""
    strides = ((1, 1, 1), (1, 2, 2), (2, 2, 2))
    kernels = ((1, 3, 3), (3, 3, 3), (3, 3, 3))
    network = Unet(UnetShape(1, 2, (4, 8, 12), strides, kernels))
    assert network(torch.rand(1, 1, 4, 16, 16)).shape == (1, 2, 4, 16, 16)


def test_the_layer_table_counts_every_parameter_once() -> None:
    """What the report says of the network adds up."""
    network = Unet(shape_of(3))
    rows = layer_table(network, 2, PATCHES[3])
    assert sum(row.n_parameters for row in rows) == sum(p.numel() for p in network.parameters())
    assert rows[0].kind == "convolution"
    assert rows[0].output_shape == (4, 8, 16, 16)
    assert {row.kind for row in rows if row.n_parameters} == {
        "convolution",
        "transposed convolution",
        "instance normalisation",
    }
    assert not any(isinstance(module, nn.MaxPool3d) for module in network.modules())
