"""Bring grey levels to the scale of the training part."""

from typing import Any

import torch
from torch import Tensor, nn

from lucency.network.transfer import Scale
from lucency.training.examples import ImageExamples


class Standardised(nn.Module):
    """A network behind the grey-level scale of its own training part: mean 0, standard deviation 1.

    With transfer it may be the scale of the weights that the network began with. The two numbers are saved with the
    weights, so that they can never be taken from other images.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, network: nn.Module, n_channels: int, n_axes: int = 2) -> None:
        """Wrap a network; `n_axes` is 2 for pictures and 3 for volumes."""
        super().__init__()
        self.network = network
        self.register_buffer("mean", torch.zeros(1, n_channels, *(1,) * n_axes))
        self.register_buffer("deviation", torch.ones(1, n_channels, *(1,) * n_axes))

    def fit(self, examples: ImageExamples) -> None:
        """Measure the training part, channel by channel."""
        n_channels = examples.store.shape[1]
        total, squares = torch.zeros(2, n_channels, dtype=torch.float64).unbind()
        n_pixels = 0
        for batch in examples.in_order(256):
            fractions = examples.inputs(batch).double()
            total = total + fractions.sum((0, 2, 3))
            squares = squares + fractions.square().sum((0, 2, 3))
            n_pixels += fractions[:, 0].numel()
        mean = total / n_pixels
        deviation = (squares / n_pixels - mean.square()).clamp(min=1e-12).sqrt()
        self.mean.copy_(mean.view(1, -1, 1, 1))
        self.deviation.copy_(deviation.view(1, -1, 1, 1))

    def rescale(self, scale: Scale) -> None:
        """Take the scale that weights from elsewhere are used to, in place of that of the training part."""
        self.mean.copy_(torch.tensor(scale.mean).view(1, -1, 1, 1))
        self.deviation.copy_(torch.tensor(scale.deviation).view(1, -1, 1, 1))

    def forward(self, images: Tensor, lessons: Any = None) -> Any:
        """Return what the network says of fractions of white, axes (image, channel, row, column): logits, axes (image, class).

        A network that counts its own cost, as those of detection do, is given the lessons too.
        """
        scaled = (images - self.mean) / self.deviation
        return self.network(scaled) if lessons is None else self.network(scaled, lessons)
