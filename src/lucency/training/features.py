"""What the last layer of a network is shown: its features."""

from copy import deepcopy
from typing import cast

from torch import nn

from lucency.network.stages import head_of
from lucency.training.standardised import Standardised


def without_head(network: nn.Module) -> nn.Module:
    """Return a copy of a network whose last layer lets its features through, axes (image, feature)."""
    headless = deepcopy(cast(Standardised, network))
    for name in head_of(headless.network):
        headless.network.set_submodule(name, nn.Identity())
    return nn.Sequential(headless, nn.Flatten())
