"""The optimizers: how a gradient becomes a step."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import nn

from lucency.domain.training_plan import Training
from lucency.training.freezing import Stage

OPTIMIZERS: dict[str, Callable[[list[dict[str, Any]], Training], torch.optim.Optimizer]] = {
    "sgd": lambda parameters, s: torch.optim.SGD(parameters, s.learning_rate, weight_decay=s.weight_decay),
    "momentum": lambda parameters, s: torch.optim.SGD(
        parameters, s.learning_rate, momentum=s.momentum, weight_decay=s.weight_decay
    ),
    # with weight decay apart from the gradient (Loshchilov and Hutter 2019); without any, this is Kingma and Ba 2015
    "adam": lambda parameters, s: torch.optim.AdamW(parameters, s.learning_rate, weight_decay=s.weight_decay),
}


def make_optimizer(network: nn.Module, settings: Training, stages: Sequence[Stage] = ()) -> torch.optim.Optimizer:
    """Return the plan's optimizer over what shall learn: each stage with its own share of the rate, or the whole network."""
    learning = [stage for stage in stages if stage.from_epoch is not None]
    groups = [_group(stage.layers, stage.rate_factor) for stage in learning] if stages else [_group((network,), 1.0)]
    return OPTIMIZERS[settings.optimizer](groups, settings)


def set_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """Give each stage its share of the learning rate."""
    for group in optimizer.param_groups:
        group["lr"] = rate * group["rate_factor"]


def _group(layers: Sequence[nn.Module], rate_factor: float) -> dict[str, Any]:
    # what is frozen for now only waits for its thaw
    parameters = [parameter for layer in layers for parameter in layer.parameters() if parameter.requires_grad]
    return {"params": parameters, "rate_factor": rate_factor}
