"""U-Nets for pictures and volumes: a way down that sees ever more, a way up that finds back where it was.

Ronneberger 2015 in the form that Isensee 2021 (nnU-Net) gave it: instance normalisation, leaky ReLU, strided convolutions in
the place of pooling, transposed convolutions on the way up. `residual_unet` is the DynUNet of MONAI with residual blocks
(He 2016), `segresnet` that of Myronenko (2018), by MONAI as well.

A network maps images, axes (image, channel, [slice,] row, column), to logits, axes (image, class, [slice,] row, column);
class 0 is the background. With deep supervision and while training, it returns a list: the finest answer first.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

Side = tuple[int, ...]
"""One number for each axis, ([slice,] row, column)."""


@dataclass(frozen=True)
class UnetShape:
    """How deep and how wide a U-Net is."""

    n_channels: int
    n_classes: int
    """Structures and the background."""
    features: tuple[int, ...]
    """Kernels of each stage, the finest first."""
    strides: tuple[Side, ...]
    """How much coarser each stage is than the one before; the first stage has 1 along every axis."""
    kernel_sizes: tuple[Side, ...]
    """Sides of the kernels of each stage."""
    deep_supervision: bool = False

    @property
    def n_axes(self) -> int:
        """2 for pictures, 3 for volumes."""
        return len(self.strides[0])


Layer = Callable[..., nn.Module]

CONVOLUTIONS: dict[int, Layer] = {2: nn.Conv2d, 3: nn.Conv3d}
TRANSPOSED: dict[int, Layer] = {2: nn.ConvTranspose2d, 3: nn.ConvTranspose3d}
NORMALISATIONS: dict[int, Layer] = {2: nn.InstanceNorm2d, 3: nn.InstanceNorm3d}


class Unet(nn.Module):
    """The plain U-Net."""

    def __init__(self, shape: UnetShape) -> None:
        super().__init__()
        features, strides, kernels = shape.features, shape.strides, shape.kernel_sizes
        convolution, transposed = CONVOLUTIONS[shape.n_axes], TRANSPOSED[shape.n_axes]
        inputs = (shape.n_channels, *features[:-1])
        self.down = nn.ModuleList(
            _two_convolutions(n_in, n_out, stride, kernel)
            for n_in, n_out, stride, kernel in zip(inputs, features, strides, kernels, strict=True)
        )
        coarse_to_fine = range(len(features) - 1, 0, -1)
        self.enlarge = nn.ModuleList(
            transposed(features[i], features[i - 1], strides[i], strides[i]) for i in coarse_to_fine
        )
        even = (1,) * shape.n_axes
        self.up = nn.ModuleList(
            _two_convolutions(2 * features[i - 1], features[i - 1], even, kernels[i - 1]) for i in coarse_to_fine
        )
        # the coarsest stage of the way up has no answer of its own, as in nnU-Net
        taught = [i - 1 for i in coarse_to_fine if i == 1 or (shape.deep_supervision and i < len(features) - 1)]
        self.answers = nn.ModuleDict({str(i): convolution(features[i], shape.n_classes, 1) for i in taught})

    def forward(self, images: Tensor) -> Tensor | list[Tensor]:
        """Return logits, or those of all stages that are taught while training with deep supervision."""
        seen = []
        for stage in self.down:
            images = stage(images)
            seen.append(images)
        answers: list[Tensor] = []
        for i, enlarge, stage in zip(range(len(seen) - 2, -1, -1), self.enlarge, self.up, strict=True):
            images = stage(torch.cat([enlarge(images), seen[i]], dim=1))
            if str(i) in self.answers and (i == 0 or self.training):
                answers.insert(0, self.answers[str(i)](images))
        return answers if len(answers) > 1 else answers[0]


def _two_convolutions(n_in: int, n_out: int, stride: Side, kernel: Side) -> nn.Sequential:
    """Return two convolutions, the first with a stride, each normalised and made non-linear."""
    convolution, normalisation = CONVOLUTIONS[len(stride)], NORMALISATIONS[len(stride)]
    padding = tuple(side // 2 for side in kernel)
    even = (1,) * len(stride)
    layers: list[nn.Module] = []
    for n_from, step in ((n_in, stride), (n_out, even)):
        layers += [
            convolution(n_from, n_out, kernel, step, padding),
            normalisation(n_out, affine=True),
            nn.LeakyReLU(0.01, inplace=True),
        ]
    return nn.Sequential(*layers)


def _residual_unet(shape: UnetShape) -> nn.Module:
    from monai.networks.nets.dynunet import DynUNet

    return DynUNet(
        spatial_dims=shape.n_axes,
        in_channels=shape.n_channels,
        out_channels=shape.n_classes,
        kernel_size=shape.kernel_sizes,
        strides=shape.strides,
        upsample_kernel_size=shape.strides[1:],
        filters=shape.features,
        res_block=True,
    )


def _segresnet(shape: UnetShape) -> nn.Module:
    """Build Myronenko's network, whose stages are all half as fine as the one before."""
    from monai.networks.nets.segresnet import SegResNet

    n_stages = len(shape.features)
    return SegResNet(
        spatial_dims=shape.n_axes,
        init_filters=shape.features[0],
        in_channels=shape.n_channels,
        out_channels=shape.n_classes,
        norm=("INSTANCE", {"affine": True}),
        blocks_down=(1, *(2,) * (n_stages - 1)),
        blocks_up=(1,) * (n_stages - 1),
    )


SEGMENTERS: dict[str, Callable[[UnetShape], nn.Module]] = {
    "unet": Unet,
    "residual_unet": _residual_unet,
    "segresnet": _segresnet,
}
"""The networks that outline structures: a name in the plan, and the function that builds it."""


def build_segmenter(architecture: str, shape: UnetShape) -> nn.Module:
    """Build the network of the plan, with initial weights from torch's global generator alone."""
    return SEGMENTERS[architecture](shape)
