"""What the numbers of the last layer mean: the cost, which training makes small, and the probabilities.

Targets with axis (example) name one class of several: cross entropy and softmax. Targets with axes (example, finding) hold
several findings at once, each there or not by itself: binary cross entropy and the logistic function. Cross entropy also
takes the probability of each class, axes (example, class), from labels that are in doubt.
"""

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from lucency.domain.training_plan import Training

AnswerCost = Callable[[Tensor, Tensor], Tensor]
"""(logits with axes (example, class or finding), targets as `Examples` says) to one number."""


def make_cost(settings: Training, targets: Tensor, n_classes: int) -> AnswerCost:
    """Return the plan's cost function; balanced class weights come from the training targets alone."""
    if targets.ndim == 2:
        return _of_findings(settings, targets)
    weights = _balanced(targets, n_classes) if settings.class_weights == "balanced" else None

    def cross_entropy(logits: Tensor, targets: Tensor) -> Tensor:
        weight = None if weights is None else weights.to(logits.device)
        return F.cross_entropy(logits, targets, weight=weight, label_smoothing=settings.label_smoothing)

    return cross_entropy


def probabilities_of(logits: Tensor, targets: Tensor) -> NDArray[np.float64]:
    """Return the probability of each class or finding, as the axes of the targets say which it is."""
    logits = logits.double()
    return (logits.sigmoid() if targets.ndim == 2 else torch.softmax(logits, 1)).numpy()


def _of_findings(settings: Training, targets: Tensor) -> AnswerCost:
    """Return the binary cross entropy, a mean over the findings that are known; the unknown ones teach nothing."""
    weights = _balanced_findings(targets) if settings.class_weights == "balanced" else torch.ones(2, targets.shape[1])

    def binary_cross_entropy(logits: Tensor, targets: Tensor) -> Tensor:
        is_known = ~targets.isnan()
        there = targets.nan_to_num()
        absent, present = weights.to(logits.device)
        weight = torch.where(there > 0.5, present, absent) * is_known
        smooth = there * (1 - settings.label_smoothing) + settings.label_smoothing / 2
        costs = F.binary_cross_entropy_with_logits(logits, smooth, weight, reduction="sum")
        return costs / is_known.sum().clamp(min=1)

    return binary_cross_entropy


def _balanced(targets: Tensor, n_classes: int) -> Tensor:
    """Weigh each class by the inverse of its frequency, with mean weight 1 over the images (King and Zeng 2001)."""
    counts = torch.bincount(targets, minlength=n_classes).clamp(min=1)
    return len(targets) / (n_classes * counts.float())


def _balanced_findings(targets: Tensor) -> Tensor:
    """Weigh absence and presence of each finding in the same way, axes (absent or there, finding)."""
    counts = torch.stack([(targets == 0).sum(0), (targets == 1).sum(0)]).clamp(min=1)
    return counts.sum(0) / (2 * counts.float())
