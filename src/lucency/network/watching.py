"""Looking into a network without leaving a trace."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial

from torch import Tensor, nn

Look = Callable[[str, nn.Module, Tensor, Tensor], None]
"""Is shown a layer's name, the layer, its input and its output, in the order of the computation."""


@contextmanager
def at_rest(network: nn.Module) -> Iterator[None]:
    """Put the network into evaluation mode for a while; each layer then gets its own mode back."""
    modes = [(layer, layer.training) for layer in network.modules()]
    network.eval()
    try:
        yield
    finally:
        for layer, is_training in modes:
            layer.training = is_training


@contextmanager
def watched(network: nn.Module, look: Look) -> Iterator[None]:
    """Show each layer, and each group of layers, to `look` as soon as it has computed its output."""
    with ExitStack() as hooks:
        for name, layer in network.named_modules():
            hooks.callback(layer.register_forward_hook(partial(_show, name, look)).remove)
        yield


def _show(name: str, look: Look, layer: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
    """Hand what passed through one layer to `look`."""
    look(name, layer, inputs[0], output)
