"""The layer table of a detection network: its backbone in full, and then pyramid, proposals and heads."""

from collections.abc import Iterator
from dataclasses import replace
from typing import cast

import torch
from torch import Tensor, nn
from torchvision.models.detection import FasterRCNN

from lucency.network.layer_table import KINDS, LayerRow, layer_table
from lucency.network.watching import at_rest


def layers_of_detector(detector: FasterRCNN, n_channels: int, shape: tuple[int, int]) -> list[LayerRow]:
    """List the layers for images of `shape` (rows, columns).

    What comes after the backbone looks at several levels of the pyramid or at cut-out regions; its output has the shape of
    the first level, or of one region, and no receptive field of its own.
    """
    body = detector.backbone.body
    rows = layer_table(_Deepest(body), n_channels, shape)
    return rows + list(_beyond_the_backbone(detector, n_channels, shape))


class _Deepest(nn.Module):
    """The backbone with its deepest map as the only answer."""

    def __init__(self, body: nn.Module) -> None:
        super().__init__()
        self.backbone = body

    def forward(self, images: Tensor) -> Tensor:
        return list(self.backbone(images).values())[-1]


def _beyond_the_backbone(detector: FasterRCNN, n_channels: int, shape: tuple[int, int]) -> Iterator[LayerRow]:
    layers = {
        name: layer
        for name, layer in detector.named_modules()
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d | nn.Linear) and not name.startswith("backbone.body")
    }
    outputs: dict[str, tuple[int, ...]] = {}

    def remember(name: str, output: Tensor) -> None:
        outputs.setdefault(name, tuple(output.shape[1:]))

    hooks = [
        layer.register_forward_hook(lambda _, __, output, name=name: remember(name, output))
        for name, layer in layers.items()
    ]
    with at_rest(detector), torch.no_grad():
        detector([torch.zeros(n_channels, *shape)])
    for hook in hooks:
        hook.remove()
    yield from (_row(name, layer, outputs[name]) for name, layer in layers.items())


def _row(name: str, layer: nn.Module, output_shape: tuple[int, ...]) -> LayerRow:
    sizes = {key: parameter.numel() for key, parameter in layer.named_parameters()}
    row = LayerRow(
        name=name,
        kind=KINDS[type(layer)],
        output_shape=output_shape,
        n_kernels=None,
        kernel_size=None,
        stride=None,
        padding=None,
        n_weights=sizes["weight"],
        n_biases=sizes.get("bias", 0),
        n_parameters=sum(sizes.values()),
        n_trainable=sum(p.numel() for p in layer.parameters() if p.requires_grad),
        receptive_field_pixels=None,
    )
    if not isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
        return row
    kernel, stride, padding = (cast(tuple[int, int], t) for t in (layer.kernel_size, layer.stride, layer.padding))
    return replace(row, n_kernels=layer.out_channels, kernel_size=kernel, stride=stride, padding=padding)
