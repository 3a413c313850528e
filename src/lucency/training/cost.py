"""The cost: the gap between prediction and truth that training makes small."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from lucency.domain.plan import Training

Cost = Callable[[Tensor, Tensor], Tensor]
"""(logits with axes (image, class), targets with axis (image)) to one number."""


def make_cost(settings: Training, targets: Tensor, n_classes: int) -> Cost:
    """Return the plan's cost function; balanced class weights come from the training targets alone."""
    weights = _balanced(targets, n_classes) if settings.class_weights == "balanced" else None

    def cross_entropy(logits: Tensor, targets: Tensor) -> Tensor:
        weight = None if weights is None else weights.to(logits.device)
        return F.cross_entropy(logits, targets, weight=weight, label_smoothing=settings.label_smoothing)

    return cross_entropy


def _balanced(targets: Tensor, n_classes: int) -> Tensor:
    """Weigh each class by the inverse of its frequency, with mean weight 1 over the images (King and Zeng 2001)."""
    counts = torch.bincount(targets, minlength=n_classes).clamp(min=1)
    return len(targets) / (n_classes * counts.float())
