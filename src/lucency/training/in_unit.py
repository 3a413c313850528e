"""Let a network answer in the unit of the study."""

import torch
from torch import Tensor, nn


class InUnit(nn.Module):
    """A network before the scale of its own training part: it gives standard deviations from the mean, and this the number.

    Mean and standard deviation are saved with the weights, so that predictions are always in the unit of the study.
    """

    target_mean: Tensor
    target_deviation: Tensor

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network
        self.register_buffer("target_mean", torch.zeros(()))
        self.register_buffer("target_deviation", torch.ones(()))

    def fit_targets(self, targets: Tensor) -> None:
        """Measure the numbers of the training part, axis (example)."""
        self.target_mean.copy_(targets.double().mean())
        self.target_deviation.copy_(targets.double().std(correction=0))

    def forward(self, images: Tensor) -> Tensor:
        """Return numbers in the unit of the study, axes (image, 1), for what the network takes."""
        return self.target_mean + self.target_deviation * self.network(images).float()
