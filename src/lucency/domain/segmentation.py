"""How a study of segmentation was configured, and why (`segmentation.json`)."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Choice:
    """One setting, and the reason for its value in words."""

    name: str
    """As the plan calls it."""
    value: str
    reason: str
    is_from_plan: bool
    """True where the plan names the value; false where it was chosen."""


@dataclass(frozen=True)
class GreyScale:
    """How the values of a volume become grey levels between black and white."""

    rule: str
    """"stored" (pictures, which are stored as they are shown), "own_range" (of each volume) or "between"."""
    low: float = 0.0
    """Black, for "between"."""
    high: float = 0.0
    """White, for "between"."""


@dataclass(frozen=True)
class Configuration:
    """What networks look at, and how they are built."""

    structures: tuple[str, ...]
    """The structures, in the order of their labels from 1; 0 is the background."""
    spacing_mm: tuple[float, float, float] | None
    """Distance of slices, rows and columns that networks work on; None for pictures, which have the plan's size."""
    grey_scale: GreyScale
    patch_size: tuple[int, ...]
    """([slice,] row, column)."""
    features: tuple[int, ...]
    """Kernels of each stage."""
    strides: tuple[tuple[int, ...], ...]
    kernel_sizes: tuple[tuple[int, ...], ...]
    batch_size: int
    patches_per_image: int
    choices: tuple[Choice, ...]
    """Each choice with its reason."""

    @property
    def n_axes(self) -> int:
        """2 for pictures, 3 for volumes."""
        return len(self.patch_size)

    @property
    def n_classes(self) -> int:
        """Structures and the background."""
        return len(self.structures) + 1
