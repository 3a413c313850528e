"""Where the arithmetic happens.

Fabric carries mixed precision and several devices; but importing it takes longer than many a study on a CPU needs to
train, so that plain 32-bit work on one device goes through the five lines of `OneDevice`, which has the same verbs.
"""

import contextlib
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from lucency.domain.training_plan import Training
from lucency.errors import PlanError


class Device(Protocol):
    """The verbs of Fabric that the loop uses."""

    device: torch.device

    def setup(self, module: nn.Module, *optimizers: torch.optim.Optimizer) -> Any:
        """Bring a network and its optimizers to the device."""

    def backward(self, tensor: Tensor) -> None:
        """Propagate a cost back through the network."""

    def autocast(self) -> contextlib.AbstractContextManager[None]:
        """Choose the precision of what is computed inside."""


class OneDevice:
    """One CPU or GPU with 32-bit arithmetic."""

    def __init__(self, name: str, *, arranges: bool = True) -> None:
        """Take a device by its name; `arranges` lays the channels of a pixel side by side where that is faster."""
        self.device = torch.device(name)
        self._arranges = arranges

    def setup(self, module: nn.Module, *optimizers: torch.optim.Optimizer) -> Any:
        """Bring a network to the device; its optimizers follow their parameters."""
        module = module.to(self.device)
        if self._arranges and suits_channels_last(module):
            module = module.to(memory_format=torch.channels_last)
        return (module, *optimizers) if optimizers else module

    def backward(self, tensor: Tensor) -> None:
        """Propagate a cost back through the network."""
        tensor.backward()

    def autocast(self) -> contextlib.AbstractContextManager[None]:
        """Leave the precision at 32 bits."""
        return contextlib.nullcontext()


def suits_channels_last(module: nn.Module) -> bool:
    """Tell whether a network is faster when the channels of a pixel lie side by side.

    Two-dimensional convolutions are, by a third on a CPU. Those of three dimensions are not, nor are networks with instance
    normalisation, which takes each channel by itself and would have to sort them anew every time.
    """
    has_planes = all(parameter.ndim <= 4 for parameter in module.parameters())
    return has_planes and not any(isinstance(one, nn.InstanceNorm2d) for one in module.modules())


def make_device(settings: Training) -> Device:
    """Return the plan's device.

    Raises:
        PlanError: the plan asks for a GPU that is not there, or for a precision that the device lacks.
    """
    has_gpu = torch.cuda.is_available()
    if settings.device == "cuda" and not has_gpu:
        raise PlanError("`training.device: cuda` was asked for, but there is no GPU here. Use `auto` or `cpu`.")
    name = "cuda" if has_gpu and settings.device != "cpu" else "cpu"
    if settings.precision == "32":
        return OneDevice(name, arranges=settings.speed == "auto")
    if name == "cpu" and settings.precision == "16":
        raise PlanError("`training.precision: 16` needs a GPU. Use 32, or bf16.")
    from lightning_fabric import Fabric

    return Fabric(accelerator=name, devices=1, precision=f"{settings.precision}-mixed")


def fix_arithmetic(settings: Training) -> None:
    """Ask for the same bits every time, on the plan's number of threads."""
    if settings.n_threads:
        torch.set_num_threads(settings.n_threads)
    torch.use_deterministic_algorithms(True, warn_only=True)
    torch.backends.cudnn.benchmark = False
