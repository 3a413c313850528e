"""The learning rate as a function of the iteration alone, so that a resumed run needs no memory of it."""

import math

from lucency.domain.training_plan import Training


def learning_rate(settings: Training, iteration: int, n_iterations_per_epoch: int) -> float:
    """Return the rate of one iteration, counted from 0 over the whole training (cosine: Loshchilov and Hutter 2017)."""
    n_warmup = settings.warmup_epochs * n_iterations_per_epoch
    if iteration < n_warmup:
        return settings.learning_rate * (iteration + 1) / n_warmup
    if settings.schedule == "constant":
        return settings.learning_rate
    n_iterations = settings.epochs * n_iterations_per_epoch
    progress = (iteration - n_warmup) / max(1, n_iterations - n_warmup)
    return settings.learning_rate * 0.5 * (1 + math.cos(math.pi * progress))
