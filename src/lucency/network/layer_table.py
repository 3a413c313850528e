"""The table of layers: what each does, how large its output is, how many parameters it has and how much it sees."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn

from lucency.network.receptive_field import Field, Fields
from lucency.network.watching import at_rest, watched

KINDS: dict[type[nn.Module], str] = {
    nn.Conv1d: "convolution",
    nn.Conv2d: "convolution",
    nn.Conv3d: "convolution",
    nn.ConvTranspose2d: "transposed convolution",
    nn.ConvTranspose3d: "transposed convolution",
    nn.BatchNorm1d: "batch normalisation",
    nn.BatchNorm2d: "batch normalisation",
    nn.BatchNorm3d: "batch normalisation",
    nn.InstanceNorm2d: "instance normalisation",
    nn.InstanceNorm3d: "instance normalisation",
    nn.GroupNorm: "group normalisation",
    nn.LayerNorm: "layer normalisation",
    nn.ReLU: "activation (ReLU)",
    nn.ReLU6: "activation (ReLU up to 6)",
    nn.LeakyReLU: "activation (leaky ReLU)",
    nn.PReLU: "activation (ReLU with a learnt slope)",
    nn.GELU: "activation (GELU)",
    nn.SiLU: "activation (SiLU)",
    nn.Hardswish: "activation (hard swish)",
    nn.Tanh: "activation (tanh)",
    nn.Sigmoid: "activation (sigmoid)",
    nn.Hardsigmoid: "activation (hard sigmoid)",
    nn.Softmax: "softmax",
    nn.MaxPool2d: "max pooling",
    nn.MaxPool3d: "max pooling",
    nn.AvgPool2d: "average pooling",
    nn.AvgPool3d: "average pooling",
    nn.AdaptiveAvgPool2d: "global average pooling",
    nn.AdaptiveAvgPool3d: "global average pooling",
    nn.Upsample: "enlargement",
    nn.Flatten: "flattening",
    nn.Unflatten: "another order of the same numbers",
    nn.Dropout: "dropout",
    nn.Dropout2d: "dropout of whole maps",
    nn.Dropout3d: "dropout of whole maps",
    nn.Identity: "nothing (left out)",
    nn.Linear: "fully connected",
    nn.Embedding: "embedding",
    nn.LSTM: "long short-term memory (LSTM)",
    nn.GRU: "gated recurrent units (GRU)",
}

Convolution = nn.Conv2d | nn.Conv3d | nn.ConvTranspose2d | nn.ConvTranspose3d
Pooling = nn.MaxPool2d | nn.AvgPool2d | nn.MaxPool3d | nn.AvgPool3d
Sliding = Convolution | Pooling
"""Layers that look through a window which slides over the feature map."""


@dataclass(frozen=True)
class LayerRow:
    """One layer of a network, in the order of the computation."""

    name: str
    kind: str
    """What the layer does, in plain words."""
    output_shape: tuple[int, ...]
    """(channels, rows, columns) of a feature map, with slices before the rows in three dimensions; or (units,)."""
    n_kernels: int | None
    kernel_size: tuple[int, ...] | None
    """([Slices,] rows and columns) of a kernel or of the pooled area; None for layers without one. So are stride and padding."""
    stride: tuple[int, ...] | None
    padding: tuple[int, ...] | None
    n_weights: int
    """Entries of the kernels or connections; for batch normalisation, the factors."""
    n_biases: int
    """Numbers added; for batch normalisation, the shifts."""
    n_parameters: int
    n_trainable: int
    """Parameters that training adjusts; the others are frozen."""
    receptive_field_pixels: tuple[int, ...] | None
    """([Slices,] rows and columns) of the image that one value of a feature map depends on, along the longest path. It may be
    larger than the image and then sees all of it. For layers that join all places: the part of the image that they see. None
    where it has no meaning: for words, and for attention between the places of an image."""


def layer_table(network: nn.Module, n_channels: int, shape: Sequence[int]) -> list[LayerRow]:
    """List the layers of any network for images of `shape` ([slices,] rows, columns); the network is left as it was.

    Parameters that stand in no layer of their own, or in a layer that was passed by, have a row with the group they belong to.
    """
    rows: list[LayerRow] = []
    counted: set[nn.Parameter] = set()
    device = next(network.parameters()).device
    # A copy of a tensor that wants a gradient has a node in the graph, as the output of a layer does.
    image = torch.zeros(1, n_channels, *shape, device=device, requires_grad=True).clone()
    fields = Fields(image)

    def add_row(name: str, layer: nn.Module, inputs: Tensor, output: Tensor) -> None:  # noqa: ARG001 - as every watcher
        new = {key: p for key, p in layer.named_parameters() if p not in counted}
        if any(layer.children()) and not new:
            return
        counted.update(new.values())
        rows.append(layer_row(name or "network", layer, output, new, fields.of(output)))

    with at_rest(network), watched(network, add_row), torch.enable_grad():
        network(image)
    return rows


def layer_row(
    name: str, layer: nn.Module, output: Tensor, parameters: dict[str, nn.Parameter], field: Field | None
) -> LayerRow:
    """Put one layer into words and numbers; `parameters` are those that no earlier row has counted."""
    kernel_size, stride, padding = _steps(layer) if isinstance(layer, Sliding) else (None, None, None)
    n_biases = sum(p.numel() for key, p in parameters.items() if "bias" in key.rpartition(".")[2])
    n_all = sum(p.numel() for p in parameters.values())
    return LayerRow(
        name=name,
        kind=_kind(layer),
        output_shape=tuple(output.shape[1:]),
        n_kernels=layer.out_channels if isinstance(layer, Convolution) else None,
        kernel_size=kernel_size,
        stride=stride,
        padding=padding,
        n_weights=n_all - n_biases,
        n_biases=n_biases,
        n_parameters=n_all,
        n_trainable=sum(p.numel() for p in parameters.values() if p.requires_grad),
        receptive_field_pixels=field.size_pixels if field else None,
    )


def _kind(layer: nn.Module) -> str:
    """Say in plain words what a layer does; of a group, that the row holds what none of its layers does."""
    if any(layer.children()):
        return f"parameters of no layer ({type(layer).__name__})"
    known = next((KINDS[kind] for kind in type(layer).mro() if kind in KINDS), type(layer).__name__)
    if not isinstance(layer, Convolution):
        return known
    dilation = max(_in_each(layer.dilation, layer))
    groups = "" if layer.groups == 1 else f", in {layer.groups} groups"
    return f"{known}{groups}{f', dilation {dilation}' if dilation > 1 else ''}"


def _steps(layer: Sliding) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
    """Return kernel size, stride and padding along each axis."""
    padding: object = layer.padding
    if isinstance(layer, Convolution) and isinstance(padding, str):  # torch's words for half a kernel, and for none
        padding = tuple(k // 2 for k in layer.kernel_size) if padding == "same" else 0
    return _in_each(layer.kernel_size, layer), _in_each(layer.stride, layer), _in_each(padding, layer)


def _in_each(value: object, layer: Sliding) -> tuple[int, ...]:
    """Return torch's number, or numbers, along each axis."""
    n_axes = 3 if isinstance(layer, nn.Conv3d | nn.ConvTranspose3d | nn.MaxPool3d | nn.AvgPool3d) else 2
    return (value,) * n_axes if isinstance(value, int) else cast(tuple[int, ...], value)
