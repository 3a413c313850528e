"""Feature maps: what a network makes of one image, layer by layer (the article's figure 3B)."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from lucency.network.watching import at_rest, watched

SHOWN = nn.Conv2d | nn.MaxPool2d | nn.AvgPool2d


def feature_maps(network: nn.Module, image: Tensor) -> dict[str, NDArray[np.float32]]:
    """Return the output of every convolution and pooling for one image, axes (channel, row, column), in their order.

    The keys are the names of the layers, the values have the axes (kernel, row, column). A network without convolutions
    has no feature maps. The network is left as it was.
    """
    maps: dict[str, NDArray[np.float32]] = {}

    def keep(name: str, layer: nn.Module, _inputs: Tensor, output: Tensor) -> None:
        if isinstance(layer, SHOWN):
            # A copy, because a later layer may write its result over this one.
            maps[name] = output[0].detach().cpu().numpy().copy()

    device = next(network.parameters()).device
    with at_rest(network), watched(network, keep), torch.no_grad():
        network(image[None].to(device))
    return maps
