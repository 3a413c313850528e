"""The optimizers: how a gradient becomes a step."""

from collections.abc import Callable

import torch
from torch import nn

from lucency.domain.training_plan import Training

OPTIMIZERS: dict[str, Callable[[list[nn.Parameter], Training], torch.optim.Optimizer]] = {
    "sgd": lambda parameters, s: torch.optim.SGD(parameters, s.learning_rate, weight_decay=s.weight_decay),
    "momentum": lambda parameters, s: torch.optim.SGD(
        parameters, s.learning_rate, momentum=s.momentum, weight_decay=s.weight_decay
    ),
    # with weight decay apart from the gradient (Loshchilov and Hutter 2019); without any, this is Kingma and Ba 2015
    "adam": lambda parameters, s: torch.optim.AdamW(parameters, s.learning_rate, weight_decay=s.weight_decay),
}


def make_optimizer(network: nn.Module, settings: Training) -> torch.optim.Optimizer:
    """Return the plan's optimizer over the network's trainable parameters."""
    trainable = [parameter for parameter in network.parameters() if parameter.requires_grad]
    return OPTIMIZERS[settings.optimizer](trainable, settings)
