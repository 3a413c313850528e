"""Two networks that compete."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from lucency.domain.progress import Silence
from lucency.domain.synthesis_plan import Synthesis
from lucency.domain.training_plan import Training
from lucency.errors import DivergenceError, Interrupted
from lucency.network.gan import ADVERSARIES
from lucency.training.adversarial_cost import Bout, cost_of_generator, verdict_of_critic, verdict_of_discriminator
from lucency.training.adversarial_course import Contest, ContestOutcome
from lucency.training.adversarial_loop import compete
from lucency.training.device import Device, OneDevice
from lucency.training.examples import ImageExamples
from lucency.training.imagining import imagine, noise_of

DRAW = np.random.default_rng(1)
STORE = DRAW.integers(0, 200, (41, 1, 16, 16), dtype=np.uint8)
TARGETS = torch.arange(41) % 2
IMAGES = ImageExamples(STORE, np.arange(41), TARGETS, np.arange(41).astype(np.uint64))


def brightness(network: nn.Module, _device: Device) -> float:
    """Judge a generator by something cheap that is never the same twice."""
    with torch.no_grad():
        return float(network(torch.ones(1, 8)).mean())


def contest(key: str = "key", **changes: object) -> Contest:
    settings = Synthesis(**{"noise_size": 6, "n_kernels": 4, "epochs": 3, "batch_size": 8, **changes})
    shown = lambda *_: None  # noqa: E731
    return Contest("The contest", settings, Training(device="cpu", n_threads=1), IMAGES, 2, brightness, shown, 5, key)


def rivals(course: Contest) -> tuple[nn.Module, nn.Module]:
    torch.manual_seed(1)
    makes, judges = ADVERSARIES[course.settings.model]
    return makes(course.settings, 1, (16, 16), 2), judges(course.settings, 1, (16, 16), 2)


def carry_out(course: Contest, folder: Path, desk: Silence | None = None) -> ContestOutcome:
    return compete(*rivals(course), course, folder, desk or Silence())


def same(one: ContestOutcome, other: ContestOutcome) -> bool:
    histories = [[replace(line, seconds=0) for line in outcome.history] for outcome in (one, other)]
    weights = all(torch.equal(one.weights[name], other.weights[name]) for name in one.weights | other.weights)
    return histories[0] == histories[1] and weights and one.best_epoch == other.best_epoch


class StopAt(Silence):
    """A desk whose user loses patience after some steps."""

    def __init__(self, n_steps: int) -> None:
        self.left = n_steps

    def advance(self, n_steps: int = 1, detail: str = "") -> None:
        self.left -= 1
        if self.left <= 0:
            raise Interrupted("stop")


@pytest.mark.parametrize("model", list(ADVERSARIES))
@pytest.mark.parametrize("n_steps", [1, 5, 6, 7, 13])
def test_a_resumed_contest_gives_the_same_bits(tmp_path: Path, model: str, n_steps: int) -> None:
    """In the middle of an epoch, between two steps of the generator, at an epoch's end: both networks go on as if nothing was."""
    course = contest(model=model, critic_steps=2)
    expected = carry_out(course, tmp_path / "whole")
    with pytest.raises(Interrupted):
        carry_out(course, tmp_path / "stopped", StopAt(n_steps))
    assert same(carry_out(course, tmp_path / "stopped"), expected)


def test_a_finished_contest_is_not_fought_again(tmp_path: Path) -> None:
    """The checkpoint of the end is enough to give the outcome once more; that of other settings is not taken."""
    expected = carry_out(contest(), tmp_path)
    assert same(carry_out(contest(), tmp_path, StopAt(1)), expected)
    with pytest.raises(Interrupted):
        carry_out(contest(key="other"), tmp_path, StopAt(1))


def test_the_kept_epoch_is_the_nearest_or_the_last(tmp_path: Path) -> None:
    """As the plan says."""
    nearest = carry_out(contest(), tmp_path / "kid")
    assert nearest.history[nearest.best_epoch - 1].tuning_kid == min(line.tuning_kid for line in nearest.history)
    assert carry_out(contest(select_by="last"), tmp_path / "last").best_epoch == 3


def test_the_history_counts_steps(tmp_path: Path) -> None:
    """41 images in batches of 8 are 6 steps of the discriminator, and a step of the generator after every fourth."""
    history = carry_out(contest(critic_steps=4), tmp_path / "often").history
    assert [line.n_iterations for line in history] == [6, 12, 18]
    assert all(line.generator_cost is not None for line in history)
    assert carry_out(contest(critic_steps=50), tmp_path / "rare").history[0].generator_cost is None
    assert all(0 <= line.score_real <= 1 for line in history), "the scores of DCGAN are probabilities"


@pytest.mark.parametrize("model", list(ADVERSARIES))
def test_an_undefined_cost_stops_the_contest(tmp_path: Path, model: str) -> None:
    """With its cause and a way out, and without a checkpoint of undefined weights."""
    course = contest(model=model, learning_rate=1e30)
    with pytest.raises(DivergenceError, match=r"cost of the (discriminator|generator) is .*synthesis.learning_rate"):
        carry_out(course, tmp_path)
    assert not list(tmp_path.glob("*.safetensors"))


def test_a_generator_learns_brightness(tmp_path: Path) -> None:
    """Images that are all bright are soon what the generator makes."""
    bright = np.full((64, 1, 16, 16), 230, np.uint8)
    images = ImageExamples(bright, np.arange(64), torch.arange(64) % 2, np.arange(64).astype(np.uint64))
    course = replace(contest(epochs=12, learning_rate=2e-3, select_by="last"), images=images)
    network, _ = rivals(course)
    network.load_state_dict(carry_out(course, tmp_path).weights)
    noise = noise_of(np.arange(20), 1, "test", 6)
    made = imagine(network, noise, torch.arange(20) % 2, 2, OneDevice("cpu"), np.dtype(np.uint8))
    assert made.shape == (20, 1, 16, 16)
    assert made.mean() > 180


def test_costs_are_those_of_the_papers() -> None:
    """Worked by hand: a discriminator that answers the mean of an image, whose gradient has the length 1/√n everywhere."""
    bout = Bout(torch.full((2, 1, 4, 4), 0.5), torch.full((2, 1, 4, 4), -0.5), torch.tensor([0.0, 1.0]))
    mean = lambda images: images.mean(dim=(1, 2, 3))  # noqa: E731
    settings = Synthesis(label_smoothing=0.1, penalty_weight=10)
    verdict = verdict_of_discriminator(mean, bout, settings)
    p = 1 / (1 + math.exp(-0.5))
    expected = -(0.9 * math.log(p) + 0.1 * math.log(1 - p)) - math.log(p)
    assert float(verdict.cost) == pytest.approx(expected, rel=1e-6)
    assert (verdict.score_real, verdict.score_synthetic) == pytest.approx((p, 1 - p))
    assert float(cost_of_generator(torch.tensor([0.5]))) == pytest.approx(-math.log(p))
    critic = verdict_of_critic(mean, bout, settings)
    assert float(critic.cost.detach()) == pytest.approx(-0.5 - 0.5 + 10 * (1 / 4 - 1) ** 2)


def test_a_numbered_image_depends_on_its_number_alone() -> None:
    """So that image 7 is the same whoever asks for it, and beside whatever others."""
    course = contest()
    network, _ = rivals(course)
    ten, some = np.arange(10), np.array([7, 3])
    targets = torch.ones(10, dtype=torch.long)
    all_of_them, two = (
        imagine(network, noise_of(n, 1, "test", 6), targets[: len(n)], 2, OneDevice("cpu"), np.dtype(np.uint16))
        for n in (ten, some)
    )
    assert np.abs(all_of_them[some].astype(int) - two).max() <= 1
    drawn = noise_of(np.arange(4000), 1, "test", 6)
    assert abs(drawn.mean()) < 0.03
    assert abs(drawn.std() - 1) < 0.03
