"""Any network of the library timm (Wightman 2019)."""

from typing import Any

import torch
from torch import nn

from lucency.domain.architectures import TIMM
from lucency.domain.network_plan import Network
from lucency.errors import PlanError
from lucency.network.timm_names import unknown_to_timm


def from_timm(settings: Network, n_channels: int, shape: tuple[int, ...], n_outputs: int) -> nn.Module:
    """Build the network of timm that the plan names, with random weights.

    Raises:
        PlanError: timm has no network of that name, or it cannot take images of this shape.
    """
    # timm takes seconds to import; a study with another network need not wait for it.
    import timm

    name = settings.architecture.removeprefix(TIMM)
    fault = unknown_to_timm(name)
    if fault:
        raise PlanError(f"`network.architecture: {settings.architecture}`: {fault}")
    usual = timm.get_pretrained_cfg(name, allow_unregistered=True)
    options: dict[str, Any] = {"num_classes": n_outputs, "in_chans": n_channels}
    if settings.dropout is not None:
        options["drop_rate"] = settings.dropout
    if usual and usual.fixed_input_size:  # as transformers have, which number the places of an image
        options["img_size"] = shape
    try:
        network: nn.Module = timm.create_model(name, **options)
        _try(network, n_channels, shape, n_outputs)
    except Exception:  # each of a thousand foreign networks stumbles in a way of its own
        rows, columns = shape
        made_for = " × ".join(map(str, usual.input_size[1:])) if usual else "other"
        raise PlanError(
            f"The network {name} of timm cannot take images of {rows} × {columns} pixels with {n_channels} "
            f"channel{'' if n_channels == 1 else 's'} and these settings; it was made for {made_for} pixels. Change "
            "data.image.size, leave out network.dropout, or choose another network.architecture."
        ) from None
    return network


def _try(network: nn.Module, n_channels: int, shape: tuple[int, ...], n_outputs: int) -> None:
    """Let one image through the network, and see that it gives one number for each output."""
    network.eval()
    with torch.inference_mode():
        answer = network(torch.zeros(1, n_channels, *shape))
    network.train()
    if answer.shape != (1, n_outputs):
        raise ValueError(f"an answer of shape {tuple(answer.shape)}")
