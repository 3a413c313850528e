"""How many parameters a layer has, and how large its output is (the article's reason why a CNN is efficient)."""

from lucency.errors import PlanError


def count_fully_connected(n_inputs: int, n_outputs: int, has_bias: bool = False) -> int:
    """Count the parameters of a layer that connects every input with every output; a bias adds one for each output."""
    _demand_positive(n_inputs=n_inputs, n_outputs=n_outputs)
    return n_inputs * n_outputs + (n_outputs if has_bias else 0)


def count_convolution(kernel_size: int, n_channels: int = 1, n_kernels: int = 1, has_bias: bool = False) -> int:
    """Count the parameters of square kernels over all channels; they do not depend on the size of the image."""
    _demand_positive(kernel_size=kernel_size, n_channels=n_channels, n_kernels=n_kernels)
    return kernel_size**2 * n_channels * n_kernels + (n_kernels if has_bias else 0)


def output_size(size: int, kernel_size: int, stride: int = 1, padding: int = 0) -> int:
    """Return the side of the feature map in pixels: ⌊(size + 2 × padding − kernel size) / stride⌋ + 1."""
    _demand_positive(size=size, kernel_size=kernel_size, stride=stride)
    if padding < 0:
        raise PlanError(f"The padding must be 0 or more; it is {padding}.")
    if size + 2 * padding < kernel_size:
        raise PlanError(f"A kernel of {kernel_size} pixels does not fit on {size} + 2 × {padding} pixels.")
    return (size + 2 * padding - kernel_size) // stride + 1


def describe_counting(
    size: int = 256, kernel_size: int = 3, n_channels: int = 1, n_kernels: int = 1, has_bias: bool = False
) -> str:
    """Compare full connection with convolution, from `size` × `size` to the same; without arguments, the article's."""
    n_pixels = size * size
    n_inputs, n_outputs = n_pixels * n_channels, n_pixels * n_kernels
    n_full = count_fully_connected(n_inputs, n_outputs, has_bias)
    n_convolution = count_convolution(kernel_size, n_channels, n_kernels, has_bias)
    biases = "with biases" if has_bias else "without biases"
    lines = [
        f"From {_maps(size, n_channels)} to {_maps(size, n_kernels)}, {biases}",
        "",
        "Fully connected: every input has a weight to every output",
        f"  {n_inputs:,} × {n_outputs:,}{f' + {n_outputs:,}' if has_bias else ''} = {n_full:,} parameters",
        f"  as 32-bit numbers they fill {_bytes(4 * n_full)}",
        "",
        f"Convolution: one kernel of {kernel_size} × {kernel_size} for each pair of maps, shared by all places",
        f"  {kernel_size} × {kernel_size} × {n_channels} × {n_kernels}{f' + {n_kernels}' if has_bias else ''}"
        f" = {n_convolution:,} parameters",
        "",
        f"The convolution has {n_full / n_convolution:,.0f} times fewer.",
    ]
    if (size, kernel_size, n_channels, n_kernels, has_bias) == (256, 3, 1, 1, False):
        lines += ["", "The article prints 42,9496,7296: the digits are right, the commas stand in the wrong places."]
    return "\n".join(lines)


def describe_output_size(size: int = 4, kernel_size: int = 2, stride: int = 1, padding: int = 0) -> str:
    """Write out how large a feature map is; without arguments, the article's figure 3A."""
    side = output_size(size, kernel_size, stride, padding)
    return (
        f"⌊({size} + 2 × {padding} − {kernel_size}) / {stride}⌋ + 1 = {side}\n"
        f"A {size} × {size} image gives a {side} × {side} feature map."
    )


def _maps(size: int, n: int) -> str:
    """Return the words for `n` maps of `size` × `size`."""
    return f"{size} × {size}" if n == 1 else f"{n} maps of {size} × {size}"


def _bytes(n_bytes: int) -> str:
    """Return a number of bytes in a unit that keeps it short."""
    amount, units = float(n_bytes), ["bytes", "KiB", "MiB", "GiB", "TiB"]
    while amount >= 1024 and len(units) > 1:
        amount, units = amount / 1024, units[1:]
    return f"{amount:,.4g} {units[0]}"


def _demand_positive(**counts: int) -> None:
    """Raise PlanError for the first count below 1."""
    for name, value in counts.items():
        if value < 1:
            raise PlanError(f"{name} must be 1 or more; it is {value}.")
