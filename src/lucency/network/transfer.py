"""Transfer learning: a network takes over the weights of another of its kind, all but the last layer."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass
from statistics import fmean

import torch
from torch import Tensor, nn

from lucency.errors import SourceError


@dataclass(frozen=True)
class Scale:
    """What is subtracted from the fractions of white of each channel, and what they are then divided by."""

    mean: tuple[float, ...]
    deviation: tuple[float, ...]


def take_over(
    network: nn.Module,
    head: Sequence[str],
    given: Mapping[str, Tensor],
    scale: Scale | None,
    by_order: bool = False,
) -> Scale | None:
    """Give a network the weights of another; its head (the names of the layers that answer) stays as it is.

    Where the other one was trained on images with another number of channels, its first kernels are converted
    (`convert_kernels`). Returns the scale that grey levels should have for the network, or None where `scale` is None.
    What stands in the place of a layer that the network leaves out is not taken.
    With `by_order`, the tensors have other names and stand in the network's own order.

    Raises:
        SourceError: the weights are those of another network.
    """
    own = network.state_dict()
    left_out = [name for name, layer in network.named_modules() if isinstance(layer, nn.Identity)]
    not_taken = (*(f"{name}." for name in (*head, *left_out)), *_AUXILIARY)
    given = _in_order_of(own, given) if by_order else {_name_today(name): tensor for name, tensor in given.items()}
    taken = {name: tensor for name, tensor in given.items() if not name.startswith(not_taken)}
    wanted = {name: tensor for name, tensor in own.items() if not name.startswith(not_taken)}
    _refuse_other_names(wanted, taken)
    first = _first_convolution(network)
    name = f"{first}.weight"
    if name in taken and taken[name].shape[1] != wanted[name].shape[1]:
        converted = convert_kernels(taken[name], wanted[name].shape[1], scale)
        taken[name], scale = converted.kernels, converted.scale
        _add_response(network, first, taken, converted.response_to_mean)
    _refuse_other_shapes(wanted, taken)
    network.load_state_dict(own | taken)
    return scale


_AUXILIARY = ("AuxLogits.", "aux1.", "aux2.")
"""Further answers from the middle of GoogLeNet and Inception, which help to train from scratch and are not transferred."""


@dataclass(frozen=True)
class Converted:
    """First kernels for another number of channels."""

    kernels: Tensor
    """Axes (kernel, channel, row, column)."""
    scale: Scale | None
    """For the new channels."""
    response_to_mean: Tensor
    """What each kernel is to add, because the channels that became one had different means; axis (kernel)."""


def convert_kernels(kernels: Tensor, n_channels: int, scale: Scale | None) -> Converted:
    """Sum kernels over their channels, and share the sum among new ones, axes (kernel, channel, row, column).

    An image whose new channels are all alike then gives the response that it gave as so many equal channels before, each
    scaled by its own mean and deviation. Exact inside the image; where a kernel hangs over the edge, the padding is the new
    mean in place of the old ones. With equal means and deviations it is exact everywhere.
    """
    known = scale or Scale((0.0,) * kernels.shape[1], (1.0,) * kernels.shape[1])
    new_mean, new_deviation = fmean(known.mean), fmean(known.deviation)
    mean, deviation = (torch.tensor(values, dtype=torch.float64, device=kernels.device) for values in astuple(known))
    per_unit = kernels.double() / deviation.view(1, -1, *[1] * (kernels.ndim - 2))
    summed = per_unit.sum(1, keepdim=True) * new_deviation / n_channels
    response = (per_unit.flatten(2).sum(2) * (new_mean - mean)).sum(1)
    new = Scale((new_mean,) * n_channels, (new_deviation,) * n_channels)
    repeats = (1, n_channels, *[1] * (kernels.ndim - 2))
    return Converted(summed.repeat(repeats).to(kernels.dtype), new if scale else None, response.to(kernels.dtype))


def _add_response(network: nn.Module, first: str, taken: dict[str, Tensor], response: Tensor) -> None:
    """Add a constant to each map of the first convolution: to its biases, or to the mean that is subtracted right after."""
    if f"{first}.bias" in taken:
        taken[f"{first}.bias"] = taken[f"{first}.bias"] + response
        return
    layers = [(name, layer) for name, layer in network.named_modules() if not list(layer.children())]
    behind = layers[[name for name, _ in layers].index(first) + 1]
    name = f"{behind[0]}.running_mean"
    if isinstance(behind[1], nn.BatchNorm2d) and name in taken:
        taken[name] = taken[name] - response


def _first_convolution(network: nn.Module) -> str:
    """Name the layer that sees the channels of the image; empty where no convolution does."""
    return next((name for name, layer in network.named_modules() if isinstance(layer, nn.Conv2d | nn.Conv3d)), "")


def _in_order_of(own: Mapping[str, Tensor], given: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Give tensors the names of those that stand in their place; the last part of each name must be the same.

    A head that the network leaves out stands behind all others.
    """
    kinds, kinds_given = ([name.rpartition(".")[2] for name in tensors] for tensors in (own, given))
    if kinds_given not in (kinds, [*kinds, "weight", "bias"]):
        raise SourceError(
            f"The weights are those of another network: {len(given)} tensors in another order, where this one has {len(own)}."
        )
    return dict(zip(own, given.values(), strict=False))


_OLD_DENSENET = re.compile(r"(denselayer\d+\.(?:norm|conv))\.(\d)\.")


def _name_today(name: str) -> str:
    """Write a name as networks of today do: without the marks of training on several GPUs, or of an old DenseNet."""
    return _OLD_DENSENET.sub(r"\1\2.", name.removeprefix("module."))


def _refuse_other_names(wanted: Mapping[str, Tensor], given: Mapping[str, Tensor]) -> None:
    """Let only the counters of batch normalisation be missing, which old files lack."""
    missing = [name for name in wanted if name not in given and not name.endswith("num_batches_tracked")]
    surplus = [name for name in given if name not in wanted]
    if missing or surplus:
        what = f"{missing[0]} is missing" if missing else f"{surplus[0]} belongs nowhere"
        raise SourceError(
            f"The weights are those of another network: {what} ({len(missing)} of {len(wanted)} tensors missing, "
            f"{len(surplus)} too many). Name the network that they were trained with in `network.architecture`, with the same "
            "settings."
        )


def _refuse_other_shapes(wanted: Mapping[str, Tensor], given: Mapping[str, Tensor]) -> None:
    for name, tensor in given.items():
        if tensor.shape != wanted[name].shape:
            raise SourceError(
                f"The weights are those of another network: {name} has the shape {tuple(tensor.shape)} in place of "
                f"{tuple(wanted[name].shape)}. Take the settings of `network` and the `data.image.size` that they were "
                "trained with."
            )
