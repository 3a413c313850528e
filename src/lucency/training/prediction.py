"""What a network answers, without learning from it."""

import numpy as np
import torch
from torch import Tensor, nn

from lucency.training.device import Device
from lucency.training.examples import Examples


def predict(network: nn.Module, examples: Examples, device: Device, batch_size: int = 256) -> Tensor:
    """Return the answers to all examples as the last layer gives them, axes (example, output)."""
    network.eval()
    order = list(examples.in_order(batch_size))
    with torch.inference_mode(), device.autocast():
        answers = [network(examples.inputs(batch).to(device.device)).float().cpu() for batch in order]
    return torch.cat(answers)[np.argsort(np.concatenate(order))]
