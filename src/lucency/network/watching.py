"""Looking into a network without leaving a trace."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

from torch import Tensor, nn

Look = Callable[[str, nn.Module, Tensor, Tensor], None]
"""Is shown a layer's name, the layer, its input and its output (the first of each, where there are several), in the order of
the computation."""


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
            hook = layer.register_forward_hook(partial(_show, name, look), with_kwargs=True)
            hooks.callback(hook.remove)
        yield


def _show(
    name: str, look: Look, layer: nn.Module, inputs: tuple[Any, ...], options: dict[str, Any], output: object
) -> None:
    """Hand what passed through one layer to `look`; layers that pass something else than tensors are passed over."""
    into, out = _first_tensor([inputs, options]), _first_tensor(output)
    if into is not None and out is not None:
        look(name, layer, into, out)


def _first_tensor(passed: object) -> Tensor | None:
    """Return the first tensor of what a layer takes or gives, however it is packed."""
    if isinstance(passed, Tensor):
        return passed
    parts = passed.values() if isinstance(passed, Mapping) else passed if isinstance(passed, list | tuple) else ()
    return next((found for part in parts if (found := _first_tensor(part)) is not None), None)
