"""Networks that are a chain of convolutions which the plan can set: what it leaves open, and what size it leaves."""

from dataclasses import dataclass
from itertools import count

from lucency.domain.network_plan import Network


@dataclass(frozen=True)
class Chain:
    """Stages of convolutions; rows and columns are halved by pooling (rounding down)."""

    n_kernels: tuple[int, ...]
    """In each stage."""
    kernel_size: int
    stride: int
    """Of the first convolution of each stage."""
    padding: int
    batch_norm: bool
    n_convolutions: int
    """In each stage."""
    pools_last: bool
    """Whether pooling follows the last stage, too."""
    least_left: int
    """Rows and columns that the last stage needs."""

    def side_after(self, side: int) -> int:
        """Return how many of so many rows or columns are left after the last stage; 0 or less where none are."""
        for number in range(len(self.n_kernels)):
            side = side // 2 if number and not self.pools_last else side
            for convolution in range(self.n_convolutions):
                step = self.stride if convolution == 0 else 1
                side = (side + 2 * self.padding - self.kernel_size) // step + 1
            side = side // 2 if self.pools_last else side
        return side

    @property
    def smallest_side(self) -> int:
        """The shortest side, in pixels, that leaves enough to the last stage."""
        return next(side for side in count(1) if self.side_after(side) >= self.least_left)


def chain_of(settings: Network) -> Chain:
    """Fill in what the plan leaves to LeNet-5 (as of 1998) or to the small network."""
    is_lenet = settings.architecture == "lenet5"
    kernel_size = settings.kernel_size or (5 if is_lenet else 3)
    usual_padding = 0 if is_lenet else kernel_size // 2
    return Chain(
        n_kernels=settings.n_kernels or ((6, 16) if is_lenet else (16, 32, 64)),
        kernel_size=kernel_size,
        stride=settings.stride,
        padding=usual_padding if settings.padding is None else settings.padding,
        batch_norm=not is_lenet if settings.batch_norm is None else settings.batch_norm,
        n_convolutions=1 if is_lenet else 2,
        pools_last=is_lenet,
        # batch normalisation needs two places to compare, even where a batch holds one image
        least_left=1 if is_lenet else 2,
    )
