"""The table of layers: what each does, how large its output is, how many parameters it has and how much it sees.

The receptive field follows the arithmetic of Araujo, Norris and Sim (Distill, 2019) along the graph that torch records
for the gradient, so that shortcuts and other joins need no special case.
"""

from dataclasses import dataclass, replace
from typing import cast

import torch
from torch import Tensor, nn

from lucency.network.watching import at_rest, watched

KINDS: dict[type[nn.Module], str] = {
    nn.Conv2d: "convolution",
    nn.BatchNorm2d: "batch normalisation",
    nn.ReLU: "activation (ReLU)",
    nn.Tanh: "activation (tanh)",
    nn.Sigmoid: "activation (sigmoid)",
    nn.MaxPool2d: "max pooling",
    nn.AvgPool2d: "average pooling",
    nn.AdaptiveAvgPool2d: "global average pooling",
    nn.Flatten: "flattening",
    nn.Dropout: "dropout",
    nn.Identity: "nothing (left out)",
    nn.Linear: "fully connected",
    nn.ConvTranspose2d: "transposed convolution",
    nn.LeakyReLU: "activation (leaky ReLU)",
    nn.GroupNorm: "layer normalisation",
    nn.Unflatten: "feature maps from numbers",
}

Sliding = nn.Conv2d | nn.MaxPool2d | nn.AvgPool2d
"""Layers that look through a window which slides over the feature map."""


@dataclass(frozen=True)
class LayerRow:
    """One layer of a network, in the order of the computation."""

    name: str
    kind: str
    """What the layer does, in plain words."""
    output_shape: tuple[int, ...]
    """(channels, rows, columns) of a feature map, or (units,)."""
    n_kernels: int | None
    kernel_size: tuple[int, int] | None
    """Rows and columns of a kernel or of the pooled area; None for layers without one. So are stride and padding."""
    stride: tuple[int, int] | None
    padding: tuple[int, int] | None
    n_weights: int
    """Entries of the kernels or connections; for batch normalisation, the factors."""
    n_biases: int
    """Numbers added; for batch normalisation, the shifts."""
    n_parameters: int
    n_trainable: int
    """Parameters that training adjusts; the others are frozen."""
    receptive_field_pixels: tuple[int, int] | None
    """Rows and columns of the image that one value of a feature map depends on, along the longest path. It may be larger
    than the image and then sees all of it. For layers that join all places: the part of the image that they see. None for
    layers that read words."""


def layer_table(network: nn.Module, n_channels: int, shape: tuple[int, int]) -> list[LayerRow]:
    """List the layers of the network for images of `shape` (rows, columns); the network is left as it was."""
    rows: list[LayerRow] = []
    counted: set[nn.Parameter] = set()
    device = next(network.parameters()).device
    # A copy of a tensor that wants a gradient has a node in the graph, as the output of a layer does.
    image = torch.zeros(1, n_channels, *shape, device=device, requires_grad=True).clone()
    fields: dict[object, _Field] = {image.grad_fn: _Field.of_image(shape)}

    def add_row(name: str, layer: nn.Module, inputs: Tensor, output: Tensor) -> None:
        if any(layer.children()):
            return
        field = _after(layer, _before(inputs, fields), output)
        fields[output.grad_fn] = field
        new = {key: p for key, p in layer.named_parameters() if p not in counted}
        counted.update(new.values())
        rows.append(_row(name, layer, output, new, field))

    with at_rest(network), watched(network, add_row), torch.enable_grad():
        network(image)
    return rows


@dataclass(frozen=True)
class _Axis:
    """What the places of a feature map see along rows or columns, in pixels of the image."""

    first: int
    """First pixel that the first place sees; below zero it lies in the padding."""
    last: int
    jump: int
    """Pixels from what one place sees to what the next one sees."""
    n_places: int

    def slide(self, kernel: int, stride: int, padding: int, dilation: int, n_places: int) -> "_Axis":
        """Return what is seen through a kernel that slides over these places."""
        first = self.first - padding * self.jump
        last = self.last + ((kernel - 1) * dilation - padding) * self.jump
        return _Axis(first, last, self.jump * stride, n_places)

    def join(self, other: "_Axis") -> "_Axis":
        """Return what is seen where two paths meet."""
        return replace(self, first=min(self.first, other.first), last=max(self.last, other.last))

    def whole(self, n_pixels: int) -> "_Axis":
        """Return what all places see together, within the image."""
        last = self.last + (self.n_places - 1) * self.jump
        return _Axis(max(self.first, 0), min(last, n_pixels - 1), 0, 1)


@dataclass(frozen=True)
class _Field:
    """What a feature map sees of an image of `shape` (rows, columns)."""

    shape: tuple[int, int]
    axes: tuple[_Axis, _Axis]

    @staticmethod
    def of_image(shape: tuple[int, int]) -> "_Field":
        """Return the field of the image itself, of which each pixel sees one."""
        rows, columns = shape
        return _Field(shape, (_Axis(0, 0, 1, rows), _Axis(0, 0, 1, columns)))

    def join(self, other: "_Field") -> "_Field":
        """Return the field where two paths meet."""
        return replace(self, axes=(self.axes[0].join(other.axes[0]), self.axes[1].join(other.axes[1])))

    @property
    def size_pixels(self) -> tuple[int, int]:
        """Rows and columns that one place sees."""
        rows, columns = self.axes
        return rows.last - rows.first + 1, columns.last - columns.first + 1


def _before(inputs: Tensor, fields: dict[object, _Field]) -> _Field:
    """Return the field of a layer's input: that of the layers whose outputs, joined in any way, it consists of."""
    known = []
    ahead = [inputs.grad_fn]
    while ahead:
        node = ahead.pop()
        if node in fields:
            known.append(fields[node])
        elif node is not None:
            ahead.extend(earlier for earlier, _ in node.next_functions)
    field = known[0]
    for other in known[1:]:
        field = field.join(other)
    return field


def _after(layer: nn.Module, field: _Field, output: Tensor) -> _Field:
    """Return the field of a layer's output."""
    if isinstance(layer, Sliding):
        steps = zip(*_steps(layer), output.shape[2:], strict=True)
        rows, columns = (axis.slide(*step) for axis, step in zip(field.axes, steps, strict=True))
        return replace(field, axes=(rows, columns))
    if isinstance(layer, nn.AdaptiveAvgPool2d | nn.Linear):
        rows, columns = (axis.whole(side) for axis, side in zip(field.axes, field.shape, strict=True))
        return replace(field, axes=(rows, columns))
    return field


def _row(name: str, layer: nn.Module, output: Tensor, parameters: dict[str, nn.Parameter], field: _Field) -> LayerRow:
    """Put one layer into words and numbers; `parameters` are those that no earlier row has counted."""
    kernel_size, stride, padding, _ = _steps(layer) if isinstance(layer, Sliding) else (None, None, None, None)
    return LayerRow(
        name=name,
        kind=KINDS.get(type(layer), type(layer).__name__),
        output_shape=tuple(output.shape[1:]),
        n_kernels=layer.out_channels if isinstance(layer, nn.Conv2d) else None,
        kernel_size=kernel_size,
        stride=stride,
        padding=padding,
        n_weights=sum(p.numel() for key, p in parameters.items() if key == "weight"),
        n_biases=sum(p.numel() for key, p in parameters.items() if key == "bias"),
        n_parameters=sum(p.numel() for p in parameters.values()),
        n_trainable=sum(p.numel() for p in parameters.values() if p.requires_grad),
        receptive_field_pixels=field.size_pixels,
    )


def _steps(layer: Sliding) -> tuple[tuple[int, int], ...]:
    """Return kernel size, stride, padding and dilation, each in (rows, columns)."""
    dilation = 1 if isinstance(layer, nn.AvgPool2d) else layer.dilation
    return _pair(layer.kernel_size), _pair(layer.stride), _pair(layer.padding), _pair(dilation)


def _pair(value: object) -> tuple[int, int]:
    """Return torch's number, or pair of numbers, for (rows, columns)."""
    return (value, value) if isinstance(value, int) else cast(tuple[int, int], value)
