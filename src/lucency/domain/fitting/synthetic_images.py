"""What does not go together where images are made."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from lucency.domain.synthesis_plan import fits_generator, sides_that_fit

if TYPE_CHECKING:  # the plan asks this file
    from lucency.domain.plan import Plan


def against(plan: "Plan") -> Iterator[str]:
    """Say what a generator cannot make, and what would not be judged."""
    image = plan.data.image
    if image.n_slices:
        yield "`task: synthesis` makes single images; leave out `data.image.n_slices`"
    if not fits_generator(image.shape):
        rows, columns = image.shape
        fitting = " or ".join(map(str, sides_that_fit(min(image.shape))))
        yield (
            f"a generator doubles 4 to 7 pixels again and again, up to 128, and cannot make images of {rows} × {columns}; "
            f"set `data.image.size` to {fitting}"
        )
    if plan.training.n_members > 1:
        yield "one classifier judges synthetic images; leave `training.n_members` at 1"
    if plan.training.precision != "32":
        yield "two networks that compete need 32 bits; leave `training.precision` at 32"
