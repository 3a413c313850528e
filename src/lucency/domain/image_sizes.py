"""Whether images and volumes are large enough for a network, told before anything is built."""

from lucency.domain.architectures import architecture_of
from lucency.domain.chain import chain_of
from lucency.domain.network_plan import Network

CHAINS = ("lenet5", "small_cnn")
"""Networks whose kernels and strides are the plan's."""


def smallest_side(settings: Network) -> int:
    """Return the shortest side, in pixels, of an image (or volume, where the plan asks for three dimensions)."""
    if settings.architecture in CHAINS:
        return chain_of(settings).smallest_side
    architecture = architecture_of(settings.architecture)
    smallest = (architecture.volume if settings.volumes == "3d" else None) or architecture.image
    return smallest.large_stem if settings.stem == "large" and smallest.large_stem else smallest.side


def refusal_of_size(settings: Network, n_slices: int, shape: tuple[int, int]) -> str:
    """Say why images of a shape (rows, columns) are too small for the network, and the way out; nothing where they are not.

    `n_slices` counts in three dimensions alone.
    """
    smallest, title = smallest_side(settings), architecture_of(settings.architecture).title
    rows, columns = shape
    if settings.volumes == "3d" and min(n_slices, *shape) < smallest:
        return (
            f"volumes of {n_slices} × {rows} × {columns} voxels are too small for {title} in three dimensions: it needs at "
            f"least {smallest} × {smallest} × {smallest}. Raise `data.image.n_slices` and `data.image.size`, or take "
            "`network.volumes: slice_by_slice`"
        )
    if min(shape) < smallest:
        larger = " with `network.stem: large`" if settings.stem == "large" else ""
        return (
            f"images of {rows} × {columns} pixels are too small for {title}{larger}: it needs at least {smallest} × "
            f"{smallest}. Raise `data.image.size`, or choose another `network.architecture`"
        )
    return ""
