"""Training of two networks that compete: steps of the discriminator, now and then a step of the generator, epoch after epoch."""

import copy
import math
import time
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from lucency.domain.progress import Desk
from lucency.errors import DivergenceError, Interrupted
from lucency.network.gan import image_with_class, noise_with_class
from lucency.randomness import key
from lucency.training.adversarial_cost import COSTS, Bout, Critic
from lucency.training.adversarial_course import Contest, ContestOutcome, Rivals, Round, Standing, Tally
from lucency.training.adversarial_resume import ContestSaver, resume_contest
from lucency.training.device import fix_arithmetic, make_device


def compete(
    generator: nn.Module, discriminator: nn.Module, contest: Contest, folder: Path, desk: Desk
) -> ContestOutcome:
    """Train a generator and its discriminator against each other; return the generator's mean as it was in its best epoch.

    Goes on from a checkpoint in `folder` if there is one of the same contest; on a CPU the weights are then the same, bit for
    bit, as if nothing had happened.

    Raises:
        Interrupted: the user asked to stop; a checkpoint was saved.
        DivergenceError: a cost became infinite or undefined.
        StorageError: a checkpoint could not be written.
    """
    settings, images = contest.settings, contest.images
    fix_arithmetic(contest.training)
    rivals = _rivals(generator, discriminator, contest)
    standing, best = resume_contest(rivals, contest, folder)
    saver = ContestSaver(rivals, contest, folder)
    n_batches = math.ceil(len(images) / settings.batch_size)
    n_done = standing.epoch * n_batches + standing.tally.n_steps

    with desk.progress(contest.title, settings.epochs * n_batches, n_done) as progress:
        while standing.epoch < settings.epochs:
            started = time.monotonic() - standing.seconds
            order = images.batches(settings.batch_size, contest.seed, standing.epoch)
            for batch in islice(order, standing.tally.n_steps, None):
                iteration = standing.epoch * n_batches + standing.tally.n_steps
                tally = _step(rivals, contest, batch, standing.tally, iteration)
                standing = replace(standing, tally=tally, seconds=time.monotonic() - started)
                try:
                    progress.advance(detail=_in_words(standing))
                except Interrupted:
                    saver.save(standing, best)
                    raise
                saver.save_if_due(standing, best)
            standing, best = _end_epoch(rivals, contest, standing, best, n_batches)
        saver.save(standing, best)
    return ContestOutcome(standing.history, standing.best_epoch, best)


def _rivals(generator: nn.Module, discriminator: nn.Module, contest: Contest) -> Rivals:
    """Bring both networks to the device, each with Adam (Kingma and Ba 2015) at its own rate."""
    settings, device = contest.settings, make_device(contest.training)
    rates = settings.learning_rate, settings.discriminator_learning_rate or settings.learning_rate
    average = device.setup(copy.deepcopy(generator))
    networks = [
        device.setup(network, torch.optim.Adam(network.parameters(), rate, settings.betas))
        for network, rate in zip((generator, discriminator), rates, strict=True)
    ]
    (generator, generator_optimizer), (discriminator, discriminator_optimizer) = networks
    generator.train()
    discriminator.train()
    average.eval()
    return Rivals(generator, discriminator, average, generator_optimizer, discriminator_optimizer, device)


def _step(rivals: Rivals, contest: Contest, batch: NDArray[np.int64], tally: Tally, iteration: int) -> Tally:
    """Do one step of the discriminator, and one of the generator when it is its turn."""
    real = contest.images.inputs(batch).to(rivals.device.device) * 2 - 1
    targets = contest.images.targets[batch].to(rivals.device.device)
    tally = _teach_discriminator(rivals, contest, real, targets, tally, iteration)
    if (iteration + 1) % contest.settings.critic_steps:
        return tally
    return _teach_generator(rivals, contest, targets, tally, iteration)


def _teach_discriminator(
    rivals: Rivals, contest: Contest, real: Tensor, targets: Tensor, tally: Tally, iteration: int
) -> Tally:
    """Show it real and synthetic images of the same classes."""
    with torch.no_grad():
        synthetic = _imagine(rivals, contest, targets, "noise", iteration)
    between = torch.rand(len(real), generator=_random(contest, "between", iteration)).to(real.device)
    of_discriminator, _ = COSTS[contest.settings.model]
    verdict = of_discriminator(_critic(rivals, contest, targets), Bout(real, synthetic, between), contest.settings)
    _refuse_divergence(verdict.cost, "discriminator", contest, iteration)
    _descend(rivals.discriminator_optimizer, verdict.cost)
    return replace(
        tally,
        n_steps=tally.n_steps + 1,
        discriminator_cost=tally.discriminator_cost + float(verdict.cost.detach()),
        score_real=tally.score_real + verdict.score_real,
        score_synthetic=tally.score_synthetic + verdict.score_synthetic,
    )


def _teach_generator(rivals: Rivals, contest: Contest, targets: Tensor, tally: Tally, iteration: int) -> Tally:
    """Let it hear what the discriminator says of fresh images, and let its mean follow."""
    _, of_generator = COSTS[contest.settings.model]
    made = _imagine(rivals, contest, targets, "noise of the generator", iteration)
    cost = of_generator(_critic(rivals, contest, targets)(made))
    _refuse_divergence(cost, "generator", contest, iteration)
    _descend(rivals.generator_optimizer, cost)
    _follow(rivals, contest.settings.average, (iteration + 1) // contest.settings.critic_steps)
    return replace(
        tally,
        n_generator_steps=tally.n_generator_steps + 1,
        generator_cost=tally.generator_cost + float(cost.detach()),
    )


def _critic(rivals: Rivals, contest: Contest, targets: Tensor) -> Critic:
    """Return the discriminator as it judges images of some classes."""
    return lambda images: rivals.discriminator(image_with_class(images, targets, contest.n_classes))


def _imagine(rivals: Rivals, contest: Contest, targets: Tensor, purpose: str, iteration: int) -> Tensor:
    """Let the generator make images of some classes from noise of this iteration's own."""
    noise = torch.randn(len(targets), contest.settings.noise_size, generator=_random(contest, purpose, iteration))
    return rivals.generator(noise_with_class(noise.to(targets.device), targets, contest.n_classes))


def _random(contest: Contest, purpose: str, iteration: int) -> torch.Generator:
    """Return a generator of random numbers for one purpose in one iteration, whatever was drawn before."""
    return torch.Generator().manual_seed(key(contest.seed, purpose, iteration) >> 1)


def _descend(optimizer: torch.optim.Optimizer, cost: Tensor) -> None:
    """Take one step against the gradient; what the other network gathered on the way is forgotten at its own next step."""
    optimizer.zero_grad()
    cost.backward()
    optimizer.step()


def _follow(rivals: Rivals, share: float, n_steps: int) -> None:
    """Move the mean of the generator a little towards it, faster in the beginning (Yazıcı et al. 2019)."""
    kept = min(share, n_steps / (10 + n_steps))
    with torch.no_grad():
        for mean, now in zip(rivals.average.state_dict().values(), rivals.generator.state_dict().values(), strict=True):
            if mean.is_floating_point():
                mean.lerp_(now, 1 - kept)
            else:
                mean.copy_(now)


def _end_epoch(
    rivals: Rivals, contest: Contest, standing: Standing, best: dict[str, Tensor], n_batches: int
) -> tuple[Standing, dict[str, Tensor]]:
    """Show and judge what the generator's mean makes, and keep its weights if they are the best so far."""
    epoch, tally = standing.epoch + 1, standing.tally
    contest.show(rivals.average, rivals.device, epoch)
    kid = contest.judge(rivals.average, rivals.device)
    entry = Round(
        epoch=epoch,
        generator_cost=tally.generator_cost / tally.n_generator_steps if tally.n_generator_steps else None,
        discriminator_cost=tally.discriminator_cost / tally.n_steps,
        score_real=tally.score_real / tally.n_steps,
        score_synthetic=tally.score_synthetic / tally.n_steps,
        tuning_kid=kid,
        n_iterations=epoch * n_batches,
        seconds=round(standing.seconds, 3),
    )
    if kid < standing.best_kid or contest.settings.select_by == "last":
        standing = replace(standing, best_epoch=epoch, best_kid=kid)
        best = {
            name: tensor.detach().cpu().clone(memory_format=torch.contiguous_format)
            for name, tensor in rivals.average.state_dict().items()
        }
    history = (*standing.history, entry)
    return Standing(epoch, history=history, best_epoch=standing.best_epoch, best_kid=standing.best_kid), best


def _in_words(standing: Standing) -> str:
    """Say in a few words how the contest stands."""
    tally = standing.tally
    words = f"epoch {standing.epoch + 1}, discriminator {tally.discriminator_cost / tally.n_steps:.3f}"
    if tally.n_generator_steps:
        words += f", generator {tally.generator_cost / tally.n_generator_steps:.3f}"
    if standing.history:
        words += f", tuning KID {standing.history[-1].tuning_kid:.3f}"
    return words


def _refuse_divergence(cost: Tensor, who: str, contest: Contest, iteration: int) -> None:
    if not math.isfinite(cost.detach()):
        raise DivergenceError(
            f"{contest.title} diverged: in iteration {iteration + 1} the cost of the {who} is {float(cost.detach())}. Lower "
            "`synthesis.learning_rate` (a third is a good next try) and run again; no undefined weights were kept."
        )
