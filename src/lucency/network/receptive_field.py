"""How much of the image one value of a feature map can see: the receptive field.

The arithmetic of Araujo, Norris and Sim (Distill, 2019), carried out along the graph that torch records for the gradient. So
shortcuts, branches, joins and functions that stand in no layer need no special case. Where places are mixed in a way that has no
field (attention between the places of an image), the answer is None.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import ceil, prod
from typing import Any

from torch import Tensor


@dataclass(frozen=True)
class Axis:
    """What the places of a feature map see along one axis, in pixels of the image."""

    first: Fraction
    """First pixel that the first place sees; below zero it lies in the padding."""
    last: Fraction
    jump: Fraction
    """Pixels from what one place sees to what the next one sees; 0 where every place sees the whole axis."""

    @property
    def size(self) -> int:
        """Pixels that one place sees."""
        return ceil(self.last - self.first) + 1

    def slide(self, kernel: int, stride: int, padding: int, dilation: int) -> "Axis":
        """Return what is seen through a kernel that slides over these places."""
        first = self.first - padding * self.jump
        last = self.last + ((kernel - 1) * dilation - padding) * self.jump
        return Axis(first, last, self.jump * stride)

    def spread(self, kernel: int, stride: int, padding: int, dilation: int) -> "Axis":
        """Return what is seen through a kernel that spreads each place over several (transposed convolution).

        Output o is made of the places i with o = i · stride − padding + j · dilation for some j of the kernel.
        """
        reach = (kernel - 1) * dilation
        first = self.first + ceil(Fraction(padding - reach, stride)) * self.jump
        n_places = ceil(Fraction(reach + 1, stride))
        return Axis(first, first + (self.last - self.first) + (n_places - 1) * self.jump, self.jump / stride)

    def join(self, other: "Axis") -> "Axis":
        """Return what is seen where two paths meet."""
        if not self.jump or not other.jump:
            return self if not self.jump else other
        return replace(self, first=min(self.first, other.first), last=max(self.last, other.last))

    def whole(self, n_places: int, n_pixels: int) -> "Axis":
        """Return what all places see together, within the image."""
        if not self.jump:
            return self
        last = self.last + (n_places - 1) * self.jump
        return Axis(max(self.first, Fraction(0)), min(last, Fraction(n_pixels - 1)), Fraction(0))


@dataclass(frozen=True)
class Field:
    """What a feature map sees, with an axis for each of its own."""

    axes: tuple[Axis, ...]
    n_places: tuple[int, ...]
    """Along each axis."""
    image_shape: tuple[int, ...]
    begins_with_channels: bool
    """Whether the first axis is that of the image's channels, which a network may yet take for slices."""

    @staticmethod
    def of_image(shape: Sequence[int]) -> "Field":
        """Return the field of an image, (channels, [slices,] rows, columns), of which each pixel sees one."""
        here = Axis(Fraction(0), Fraction(0), Fraction(1))
        return Field((here,) * len(shape), tuple(shape), tuple(shape), begins_with_channels=True)

    def moved(self, steps: Sequence[Callable[[Axis], Axis]], n_places: Sequence[int]) -> "Field":
        """Return the field after a step along each of the last axes; those before them are no longer places."""
        axes = tuple(step(axis) for step, axis in zip(steps, self.axes[-len(steps) :], strict=True))
        return Field(axes, tuple(n_places), self.image_shape[-len(steps) :], begins_with_channels=False)

    def whole(self) -> "Field":
        """Return what all places see together."""
        sides = zip(self.axes, self.n_places, self.image_shape, strict=True)
        return replace(self, axes=tuple(axis.whole(n, n_pixels) for axis, n, n_pixels in sides))

    def join(self, other: "Field") -> "Field":
        """Return the field where two paths meet."""
        if len(self.axes) == len(other.axes):
            axes = tuple(a.join(b) for a, b in zip(self.axes, other.axes, strict=True))
            return replace(self, axes=axes)
        n = min(len(self.axes), len(other.axes))
        mine, theirs = self.moved([_stay] * n, self.n_places[-n:]), other.moved([_stay] * n, other.n_places[-n:])
        return mine.join(theirs)

    @property
    def is_whole(self) -> bool:
        """Tell whether every place sees everything, so that no mixing of places can add to it."""
        return not any(axis.jump for axis in self.axes)

    @property
    def size_pixels(self) -> tuple[int, ...]:
        """Pixels that one place sees along each axis."""
        return tuple(axis.size for axis in self.axes[self.begins_with_channels :])


class Fields:
    """The fields of all that was computed from one image."""

    def __init__(self, image: Tensor) -> None:
        """Begin with an image, axes (image, channel, [slice,] row, column), that has a gradient function of its own."""
        self._known: dict[Any, Field | _Nothing | None] = {image.grad_fn: Field.of_image(image.shape[1:])}

    def of(self, output: Tensor) -> Field | None:
        """Return the field of something computed; None where it has none."""
        field = self._find(output.grad_fn)
        return None if isinstance(field, _Nothing) else field

    def _find(self, wanted: Any) -> "Field | _Nothing | None":
        """Walk back to what is known, and forth again; without recursion, because networks are deeper than Python's stack."""
        if wanted is None:
            return NOTHING
        waiting = [wanted]
        while waiting:
            node = waiting[-1]
            if node in self._known:
                waiting.pop()
                continue
            before = [earlier for earlier, _ in node.next_functions if earlier is not None]
            unknown = [earlier for earlier in before if earlier not in self._known]
            if unknown:
                waiting += unknown
                continue
            self._known[node] = _after(node, [self._known[earlier] for earlier in before])
            waiting.pop()
        return self._known[wanted]


class _Nothing:
    """The field of what does not depend on the image: weights and constants."""


NOTHING = _Nothing()


def _after(node: Any, before: Sequence["Field | _Nothing | None"]) -> "Field | _Nothing | None":
    """Return the field of what one function puts out, from those of what went in."""
    seeing = [field for field in before if not isinstance(field, _Nothing)]
    if not seeing:
        return NOTHING
    if any(field is None for field in seeing):
        return None
    fields = [field for field in seeing if field is not None]
    joined = fields[0]
    for other in fields[1:]:
        joined = joined.join(other)
    if joined.is_whole:
        return joined
    rule = RULES.get(re.sub(r"Backward\d*$", "", node.name()))
    return rule(node, joined) if rule else None


def _stay(axis: Axis) -> Axis:
    return axis


def _same(_: Any, field: Field) -> Field:
    return field


def _whole(_: Any, field: Field) -> Field:
    return field.whole()


def _places_after(node: Any, n_axes: int) -> tuple[int, ...]:
    return tuple(node._input_metadata[0].shape[-n_axes:])


def _has_places_of(node: Any, field: Field, n_axes: int) -> bool:
    """Tell whether what goes into a function has the places that the field speaks of, and not others made of them."""
    producer, number = node.next_functions[0]
    shape = tuple(producer._input_metadata[number].shape)
    return len(field.axes) >= n_axes and shape[-n_axes:] == field.n_places[-n_axes:]


def _convolved(node: Any, field: Field) -> Field | None:
    kernel = node._saved_weight.shape[2:]
    if not _has_places_of(node, field, len(kernel)):
        return None
    move = "spread" if node._saved_transposed else "slide"
    steps = zip(kernel, node._saved_stride, node._saved_padding, node._saved_dilation, strict=True)
    return field.moved([_step(move, *step) for step in steps], _places_after(node, len(kernel)))


def _pooled(node: Any, field: Field) -> Field | None:
    kernel = node._saved_kernel_size
    if not _has_places_of(node, field, len(kernel)):
        return None
    stride = node._saved_stride or kernel
    dilation = getattr(node, "_saved_dilation", (1,) * len(kernel))  # average pooling has none
    steps = zip(kernel, stride, node._saved_padding, dilation, strict=True)
    return field.moved([_step("slide", *step) for step in steps], _places_after(node, len(kernel)))


def _step(move: str, kernel: int, stride: int, padding: int, dilation: int) -> Callable[[Axis], Axis]:
    return lambda axis: getattr(axis, move)(kernel, stride, padding, dilation)


def _enlarged(is_smooth: bool) -> Callable[[Any, Field], Field | None]:
    """Return the rule of an enlargement: as a transposed convolution, twice as wide where it smooths (Long et al. 2015)."""

    def rule(node: Any, field: Field) -> Field | None:
        n_axes = len(node._input_metadata[0].shape) - 2
        if not _has_places_of(node, field, n_axes):
            return None
        after = _places_after(node, n_axes)
        factors = [max(1, round(n / before)) for n, before in zip(after, field.n_places[-n_axes:], strict=True)]
        return field.moved([_spread_by(factor, is_smooth) for factor in factors], after)

    return rule


def _spread_by(factor: int, is_smooth: bool) -> Callable[[Axis], Axis]:
    if not is_smooth:
        return _step("spread", factor, factor, 0, 1)
    return _step("spread", 2 * factor - factor % 2, factor, factor // 2, 1)


def _averaged(node: Any, field: Field) -> Field:
    """Return the field of a sum or mean: all places where it goes over all of them, none where it goes over channels."""
    dimensions = getattr(node, "_saved_dim", None)
    if dimensions is None:  # over everything
        return field.whole()
    n_dimensions = len(node._saved_self_sym_sizes)
    over = {_signed(dimension) % n_dimensions for dimension in dimensions}
    places = set(range(n_dimensions - len(field.axes), n_dimensions))
    return field.whole() if over & places else field


def _multiplied(node: Any, field: Field) -> Field | None:
    """Return the field behind a fully connected layer: one row of numbers an image joins all places, one a place none."""
    n_rows = node._input_metadata[0].shape[0]
    if n_rows == 1:
        return field.whole()
    return field if n_rows == prod(field.n_places) else None


def _padded(node: Any, field: Field) -> Field:
    pads = [_signed(n) for n in node._saved_pad]
    n_axes = len(field.axes)
    before = (pads[::2] + [0] * n_axes)[:n_axes][::-1]  # the last axis comes first
    steps = [_step("slide", 1, 1, n, 1) for n in before]
    return field.moved(steps, _places_after(node, n_axes))


def _signed(number: int) -> int:
    """Return what torch shows of a negative number as one without a sign."""
    return int(number) - 2**64 if number >= 2**63 else int(number)


def _cut(node: Any, field: Field) -> Field:
    """Return the field of a part of a map, or of some of its channels."""
    shape, n_axes, dim = node._input_metadata[0].shape, len(field.axes), node._saved_dim
    place = dim - (len(shape) - n_axes)
    if place < 0 or len(shape) != n_axes + 2:
        return field
    steps: list[Callable[[Axis], Axis]] = [_stay] * n_axes
    steps[place] = _step("slide", 1, int(node._saved_step), -_signed(node._saved_start), 1)
    return field.moved(steps, _places_after(node, n_axes))


PLACE_BY_PLACE = (
    *(
        "Abs",
        "Add",
        "Addcmul",
        "Celu",
        "Clamp",
        "ClampMax",
        "ClampMin",
        "Div",
        "Elu",
        "Exp",
        "Gelu",
        "Glu",
        "Hardsigmoid",
    ),
    *(
        "Hardswish",
        "Hardtanh",
        "LeakyRelu",
        "Log",
        "Mish",
        "Mul",
        "Neg",
        "Pow",
        "Prelu",
        "PreluKernel",
        "Relu",
        "Rsqrt",
        "Rsub",
    ),
    *("Sigmoid", "Silu", "Softplus", "Sqrt", "Sub", "Tanh", "Threshold"),
    *("BatchNorm", "CudnnBatchNorm", "NativeBatchNorm", "NativeDropout", "NativeGroupNorm", "NativeLayerNorm"),
    *(
        "Alias",
        "AsStrided",
        "Cat",
        "Clone",
        "Contiguous",
        "Copy",
        "CopySlices",
        "Expand",
        "Permute",
        "Repeat",
        "ReshapeAlias",
    ),
    *(
        "Select",
        "Split",
        "SplitWithSizes",
        "Squeeze",
        "Stack",
        "T",
        "ToCopy",
        "Transpose",
        "Unbind",
        "UnsafeSplit",
        "UnsafeView",
    ),
    *("Unsqueeze", "View"),
)
"""Functions that look at each place by itself, or carry places about without mixing them. Normalisation is counted among them,
as is usual: at rest it only scales."""

RULES: dict[str, Callable[[Any, Field], Field | None]] = {
    **dict.fromkeys(PLACE_BY_PLACE, _same),
    "Slice": _cut,
    "ConstantPadNd": _padded,
    "Convolution": _convolved,
    **dict.fromkeys(("MaxPool2DWithIndices", "MaxPool3DWithIndices", "AvgPool2D", "AvgPool3D"), _pooled),
    **dict.fromkeys(("AdaptiveAvgPool2D", "AdaptiveAvgPool3D", "AdaptiveMaxPool2D", "AdaptiveMaxPool3D"), _whole),
    **dict.fromkeys(("Mean", "Sum"), _averaged),
    **dict.fromkeys(("Addmm", "Mm"), _multiplied),
    **dict.fromkeys(("UpsampleNearest2D", "UpsampleNearest3D"), _enlarged(is_smooth=False)),
    **dict.fromkeys(("UpsampleBilinear2D", "UpsampleTrilinear3D"), _enlarged(is_smooth=True)),
}
"""What each function of torch does to the field, by its name in the graph; any other has none that is known here."""
