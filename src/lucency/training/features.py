"""What a trained network sees in images: the numbers before its last layer."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from lucency.network.watching import at_rest, watched
from lucency.training.device import Device
from lucency.training.examples import Examples
from lucency.training.prediction import predict


def features_of(network: nn.Module, examples: Examples, device: Device) -> NDArray[np.float64]:
    """Return what the last fully connected layer is given of each image, axes (image, feature), in the examples' order."""
    last = [layer for layer in network.modules() if isinstance(layer, nn.Linear)][-1]
    seen: list[Tensor] = []

    def keep(_name: str, layer: nn.Module, inputs: Tensor, _output: Tensor) -> None:
        if layer is last:
            seen.append(inputs.detach().flatten(1).float().cpu())

    with at_rest(network), watched(network, keep):
        predict(network, examples, device)
    order = np.concatenate(list(examples.in_order(256)))
    return torch.cat(seen).numpy().astype(np.float64)[np.argsort(order)]
