"""Convolution and pooling, place by place, with the arithmetic written out (the article's figure 3A)."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lucency.errors import PlanError
from lucency.lab.text import matrix, number

ARTICLE_IMAGE = np.arange(1.0, 17.0).reshape(4, 4)
ARTICLE_KERNEL = np.ones((2, 2))


@dataclass(frozen=True)
class Step:
    """What happens at one place of the output."""

    row: int
    column: int
    arithmetic: str
    """The calculation as one would write it down, for example "1×1 + 2×1 + 5×1 + 6×1 = 14"."""
    value: float


@dataclass(frozen=True)
class Worked:
    """An output, axes (row, column), and the steps that led to it, row by row."""

    output: NDArray[np.float64]
    steps: tuple[Step, ...]


def convolve(image: ArrayLike, kernel: ArrayLike, stride: int = 1, padding: int = 0) -> Worked:
    """Lay the kernel on every place of the image, multiply what lies on each other, and add.

    The kernel is not turned round first, as in all deep learning; mathematics calls this a cross-correlation. `padding`
    adds that many rows and columns of zeros on each side; `stride` is the step from place to place.
    """
    pixels, weights = _as_matrix(image, "image"), _as_matrix(kernel, "kernel")
    steps = []
    for row, column, seen in _places(np.pad(pixels, padding), weights.shape, stride):
        value = float((seen * weights).sum())
        products = (f"{number(a)}×{number(b)}" for a, b in zip(seen.flat, weights.flat, strict=True))
        steps.append(Step(row, column, f"{' + '.join(products)} = {number(value)}", value))
    return _worked(steps)


def pool(
    feature_map: ArrayLike, size: int = 2, stride: int | None = None, kind: Literal["max", "average"] = "max"
) -> Worked:
    """Keep one value of each area of `size` × `size`: the largest, or the mean. The stride is the size when left out."""
    steps = []
    for row, column, seen in _places(_as_matrix(feature_map, "feature map"), (size, size), stride or size):
        values = ", ".join(number(a) for a in seen.flat)
        value = float(seen.max() if kind == "max" else seen.mean())
        name = "largest" if kind == "max" else "mean"
        steps.append(Step(row, column, f"{name} of {values} = {number(value)}", value))
    return _worked(steps)


def describe_convolution(
    image: ArrayLike = ARTICLE_IMAGE, kernel: ArrayLike = ARTICLE_KERNEL, stride: int = 1, padding: int = 0
) -> str:
    """Write a convolution out for the terminal; without arguments, the article's."""
    worked = convolve(image, kernel, stride, padding)
    return "\n\n".join(
        [
            f"Image\n{matrix(image)}",
            f"Kernel (stride {stride}, padding {padding})\n{matrix(kernel)}",
            f"At each place, multiply what lies on each other and add\n{_written_out(worked)}",
            f"Feature map\n{matrix(worked.output)}",
        ]
    )


def describe_pooling(
    feature_map: ArrayLike | None = None,
    size: int = 2,
    stride: int | None = None,
    kind: Literal["max", "average"] = "max",
) -> str:
    """Write a pooling out for the terminal; without a feature map, that of the article."""
    chosen = convolve(ARTICLE_IMAGE, ARTICLE_KERNEL).output if feature_map is None else feature_map
    worked = pool(chosen, size, stride, kind)
    return "\n\n".join(
        [
            f"Feature map\n{matrix(chosen)}",
            f"{kind.capitalize()} pooling over {size} × {size} (stride {stride or size})\n{_written_out(worked)}",
            f"Result\n{matrix(worked.output)}",
        ]
    )


def _as_matrix(values: ArrayLike, name: str) -> NDArray[np.float64]:
    """Return the values with axes (row, column); PlanError where they have others."""
    array = np.asarray(values, np.float64)
    if array.ndim != 2 or array.size == 0:
        raise PlanError(f"The {name} must have rows and columns of numbers; this one has {array.ndim} axes.")
    return array


def _places(
    pixels: NDArray[np.float64], size: tuple[int, ...], stride: int
) -> list[tuple[int, int, NDArray[np.float64]]]:
    """Return (row, column, what lies under the window) for each place that the window takes."""
    if stride < 1:
        raise PlanError(f"The stride must be 1 or more; it is {stride}.")
    if pixels.shape[0] < size[0] or pixels.shape[1] < size[1]:
        raise PlanError(
            f"A window of {size[0]} × {size[1]} does not fit on {pixels.shape[0]} × {pixels.shape[1]} values. "
            "Take a smaller one, or more padding."
        )
    windows = np.lib.stride_tricks.sliding_window_view(pixels, size)[::stride, ::stride]
    return [(row, column, windows[row, column]) for row, column in np.ndindex(windows.shape[:2])]


def _worked(steps: list[Step]) -> Worked:
    """Put the values of the steps in their places."""
    last = steps[-1]
    values = np.array([step.value for step in steps]).reshape(last.row + 1, last.column + 1)
    return Worked(values, tuple(steps))


def _written_out(worked: Worked) -> str:
    """Return one line for each step."""
    return "\n".join(f"  row {s.row + 1}, column {s.column + 1}: {s.arithmetic}" for s in worked.steps)
