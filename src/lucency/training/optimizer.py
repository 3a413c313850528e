"""The optimizers: how a gradient becomes a step."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import torch
from torch import nn

from lucency.domain.training_plan import Training
from lucency.training.freezing import Pace

OPTIMIZERS: dict[str, Callable[[list[dict[str, Any]], Training], torch.optim.Optimizer]] = {
    "sgd": lambda parameters, s: torch.optim.SGD(parameters, s.learning_rate, weight_decay=s.weight_decay),
    "momentum": lambda parameters, s: torch.optim.SGD(
        parameters, s.learning_rate, momentum=s.momentum, weight_decay=s.weight_decay
    ),
    # with weight decay apart from the gradient (Loshchilov and Hutter 2019); without any, this is Kingma and Ba 2015
    "adam": lambda parameters, s: torch.optim.AdamW(parameters, s.learning_rate, weight_decay=s.weight_decay),
}


def make_optimizer(network: nn.Module, settings: Training, paces: Sequence[Pace] = ()) -> torch.optim.Optimizer:
    """Return the plan's optimizer over what shall learn: parameters with their own share of the rate, or the whole network."""
    learning = [pace for pace in paces if pace.from_epoch is not None]
    groups = (
        [_group(pace.parameters, pace.rate_factor) for pace in learning] if paces else [_group(network.parameters())]
    )
    return OPTIMIZERS[settings.optimizer](groups, settings)


def set_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """Give all parameters their share of the learning rate."""
    for group in optimizer.param_groups:
        group["lr"] = rate * group["rate_factor"]


def _group(parameters: Iterable[nn.Parameter], rate_factor: float = 1.0) -> dict[str, Any]:
    return {"params": [parameter for parameter in parameters if parameter.requires_grad], "rate_factor": rate_factor}
