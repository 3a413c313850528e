"""What the last layer of a network is shown: its features."""

from copy import deepcopy
from typing import cast

from torch import nn

from lucency.network.stages import remove_head
from lucency.training.standardised import Standardised


def without_head(network: nn.Module) -> nn.Module:
    """Return a copy of a network whose last layer lets its features through, axes (image, feature)."""
    headless = deepcopy(cast(Standardised, network))
    remove_head(headless.network)
    return nn.Sequential(headless, nn.Flatten())
