"""Activation functions and their derivatives, and why deep networks left the sigmoid for ReLU."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lucency.lab.text import number, table


def sigmoid(x: ArrayLike) -> NDArray[np.float64]:
    """Return 1 / (1 + e^−x), between 0 and 1."""
    # Written with tanh, because e^−x overflows for large negative x.
    return 0.5 * (1 + np.tanh(0.5 * np.asarray(x, np.float64)))


def sigmoid_derivative(x: ArrayLike) -> NDArray[np.float64]:
    """Return s × (1 − s), at most 1/4."""
    return sigmoid(x) * sigmoid(-np.asarray(x, np.float64))


def tanh(x: ArrayLike) -> NDArray[np.float64]:
    """Return the hyperbolic tangent, between −1 and 1."""
    return np.tanh(np.asarray(x, np.float64))


def tanh_derivative(x: ArrayLike) -> NDArray[np.float64]:
    """Return 1 − tanh², at most 1."""
    return 1 - tanh(x) ** 2


def relu(x: ArrayLike) -> NDArray[np.float64]:
    """Return x above zero and 0 below."""
    return np.maximum(np.asarray(x, np.float64), 0)


def relu_derivative(x: ArrayLike) -> NDArray[np.float64]:
    """Return 1 above zero and 0 elsewhere; at zero itself, where there is no derivative, 0 by convention."""
    return (np.asarray(x, np.float64) > 0).astype(np.float64)


@dataclass(frozen=True)
class Function:
    """An activation function and its derivative."""

    value: Callable[[ArrayLike], NDArray[np.float64]]
    derivative: Callable[[ArrayLike], NDArray[np.float64]]


FUNCTIONS: dict[str, Function] = {
    "sigmoid": Function(sigmoid, sigmoid_derivative),
    "tanh": Function(tanh, tanh_derivative),
    "relu": Function(relu, relu_derivative),
}


def largest_gradient_left(name: str, n_layers: int) -> float:
    """Return the most that is left of a gradient on its way back through `n_layers` activations (weights of 1)."""
    # Each of the three is steepest at zero, or as steep as anywhere just above it.
    return float(FUNCTIONS[name].derivative(np.nextafter(0.0, 1.0))) ** n_layers


def describe_activations(points: Sequence[float] = (-6, -2, -1, 0, 1, 2, 6)) -> str:
    """Write the functions, their derivatives and what ten layers leave of a gradient out for the terminal."""
    values = [[number(x), *(f"{f.value(x):.4f}" for f in FUNCTIONS.values())] for x in points]
    slopes = [[number(x), *(f"{f.derivative(x):.4f}" for f in FUNCTIONS.values())] for x in points]
    left = [[name, f"{largest_gradient_left(name, 10):.2g}"] for name in FUNCTIONS]
    return "\n\n".join(
        [
            f"Value\n{table(['x', *FUNCTIONS], values)}",
            f"Derivative\n{table(['x', *FUNCTIONS], slopes)}",
            f"The most that ten layers leave of a gradient of 1\n{table(['function', 'left'], left)}",
            "The derivative of the sigmoid is 0.25 at best, so a gradient fades on its way back through many layers.\n"
            "ReLU passes it on undiminished wherever its input is above zero; that is why it is the usual choice.",
        ]
    )
