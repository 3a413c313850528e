"""What a discriminator and a generator make small, each against the other."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from lucency.domain.synthesis_plan import Synthesis

Critic = Callable[[Tensor], Tensor]
"""Images, axes (image, channel, row, column), to one number each, the larger the more real."""


@dataclass(frozen=True)
class Bout:
    """One batch of real images beside as many synthetic ones, from −1 to 1, axes (image, channel, row, column)."""

    real: Tensor
    synthetic: Tensor
    between: Tensor
    """Where on the way from the one to the other the critic's gradient is looked at, from 0 to 1, axis (image)."""


@dataclass(frozen=True)
class Verdict:
    """What the discriminator made of a batch."""

    cost: Tensor
    score_real: float
    score_synthetic: float


def verdict_of_discriminator(critic: Critic, bout: Bout, settings: Synthesis) -> Verdict:
    """Binary cross entropy of real and synthetic (Goodfellow 2014), with a target for real below 1 (Salimans 2016)."""
    real, synthetic = critic(bout.real), critic(bout.synthetic)
    target = torch.full_like(real, 1 - settings.label_smoothing)
    cost = F.binary_cross_entropy_with_logits(real, target) + F.softplus(synthetic).mean()
    return Verdict(cost, float(real.detach().sigmoid().mean()), float(synthetic.detach().sigmoid().mean()))


def cost_of_generator(scores: Tensor) -> Tensor:
    """Minus the logarithm of the probability that synthetic images are real: the non-saturating cost (Goodfellow 2014)."""
    return F.softplus(-scores).mean()


def verdict_of_critic(critic: Critic, bout: Bout, settings: Synthesis) -> Verdict:
    """Mean score of synthetic minus real images, with a penalty where the gradient's length is not 1 (Gulrajani 2017)."""
    real, synthetic = critic(bout.real), critic(bout.synthetic)
    way = bout.between[:, None, None, None]
    between = (way * bout.real + (1 - way) * bout.synthetic).requires_grad_()
    (gradient,) = torch.autograd.grad(critic(between).sum(), between, create_graph=True)
    penalty = (gradient.flatten(1).norm(dim=1) - 1).square().mean()
    cost = synthetic.mean() - real.mean() + settings.penalty_weight * penalty
    return Verdict(cost, float(real.detach().mean()), float(synthetic.detach().mean()))


def cost_under_critic(scores: Tensor) -> Tensor:
    """Minus the mean score of synthetic images (Arjovsky 2017)."""
    return -scores.mean()


COSTS: dict[str, tuple[Callable[[Critic, Bout, Synthesis], Verdict], Callable[[Tensor], Tensor]]] = {
    "dcgan": (verdict_of_discriminator, cost_of_generator),
    "wgan_gp": (verdict_of_critic, cost_under_critic),
}
"""A model in the plan, and what its two networks make small."""
