"""Epoch, batch and iteration (the article's figure 8)."""

from dataclasses import dataclass

from lucency.errors import PlanError


@dataclass(frozen=True)
class Iteration:
    """One batch through the network, forward and backward, and one update of the parameters."""

    number: int
    """Counted from 1 through all epochs."""
    epoch: int
    images: tuple[int, ...]
    """The images of the batch, counted from 1."""


def plan_iterations(n_images: int, batch_size: int, n_epochs: int = 1) -> list[Iteration]:
    """List the iterations of a training; in each epoch every image comes once, and the last batch may be short."""
    if min(n_images, batch_size, n_epochs) < 1:
        raise PlanError(
            f"Images, batch size and epochs must each be 1 or more; they are {n_images}, {batch_size} and {n_epochs}."
        )
    starts = range(1, n_images + 1, batch_size)
    batches = [tuple(range(start, min(start + batch_size, n_images + 1))) for start in starts]
    return [
        Iteration(epoch * len(batches) + place, epoch + 1, images)
        for epoch in range(n_epochs)
        for place, images in enumerate(batches, start=1)
    ]


def describe_batches(n_images: int = 6, batch_size: int = 2, n_epochs: int = 2) -> str:
    """Write the iterations out for the terminal; without arguments, the article's figure 8C."""
    iterations = plan_iterations(n_images, batch_size, n_epochs)
    n_per_epoch = len(iterations) // n_epochs
    lines = [f"{n_images} images, batch size {batch_size}, {_count(n_epochs, 'epoch')}", ""]
    for iteration in iterations:
        short = " (short: no images are left)" if len(iteration.images) < batch_size else ""
        images = " ".join(str(image) for image in iteration.images)
        lines.append(f"  epoch {iteration.epoch}, iteration {iteration.number}: images {images}{short}")
    rounded = "" if n_images % batch_size == 0 else ", rounded up"
    lines += [
        "",
        f"{n_images} / {batch_size}{rounded} = {_count(n_per_epoch, 'iteration')} per epoch",
        f"{n_per_epoch} × {n_epochs} = {_count(len(iterations), 'iteration')} in all",
        "In a real training the images are shuffled before each epoch.",
    ]
    return "\n".join(lines)


def _count(n: int, noun: str) -> str:
    """Return a number with its noun."""
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"
