"""The table of layers of a network that outlines: what each does, how large its output is, how many parameters it has."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from lucency.network.layer_table import KINDS, LayerRow
from lucency.network.watching import at_rest, watched

_KINDS = KINDS | {
    nn.Conv3d: "convolution",
    nn.ConvTranspose2d: "transposed convolution",
    nn.ConvTranspose3d: "transposed convolution",
    nn.InstanceNorm2d: "instance normalisation",
    nn.InstanceNorm3d: "instance normalisation",
    nn.LeakyReLU: "activation (leaky ReLU)",
}


def outline_table(network: nn.Module, n_channels: int, patch_size: Sequence[int]) -> list[LayerRow]:
    """List the layers of a network for patches of a size, ([slice,] row, column); the network is left as it was.

    The receptive field is left out: on the way up every layer sees what the coarsest stage has seen.
    """
    rows: list[LayerRow] = []

    def add_row(name: str, layer: nn.Module, inputs: Tensor, output: Tensor) -> None:  # noqa: ARG001 - as every watcher
        if not any(layer.children()):
            rows.append(_row(name, layer, output))

    with at_rest(network), watched(network, add_row), torch.no_grad():
        network(torch.zeros(1, n_channels, *patch_size))
    return rows


def _row(name: str, layer: Any, output: Tensor) -> LayerRow:
    parameters = dict(layer.named_parameters())
    is_sliding = isinstance(layer, nn.Conv2d | nn.Conv3d | nn.ConvTranspose2d | nn.ConvTranspose3d)
    return LayerRow(
        name=name,
        kind=_KINDS.get(type(layer), type(layer).__name__),
        output_shape=tuple(output.shape[1:]),
        n_kernels=layer.out_channels if is_sliding else None,
        kernel_size=layer.kernel_size if is_sliding else None,
        stride=layer.stride if is_sliding else None,
        padding=layer.padding if is_sliding else None,
        n_weights=sum(p.numel() for key, p in parameters.items() if key == "weight"),
        n_biases=sum(p.numel() for key, p in parameters.items() if key == "bias"),
        n_parameters=sum(p.numel() for p in parameters.values()),
        n_trainable=sum(p.numel() for p in parameters.values() if p.requires_grad),
        receptive_field_pixels=None,
    )
