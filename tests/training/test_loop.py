"""The training loop."""

import json
import math
import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from lucency.data.augmentation import Batch, make_augmenter
from lucency.domain.plan import Augmentation, Network, Training
from lucency.domain.progress import Silence
from lucency.errors import DivergenceError, Interrupted, PlanError
from lucency.network.catalogue import build
from lucency.training.checkpoint import Checkpoint, load_newest, save_checkpoint
from lucency.training.class_course import Score, class_course
from lucency.training.course import Course, Measure, Outcome
from lucency.training.device import OneDevice, make_device
from lucency.training.examples import ImageExamples, batches
from lucency.training.lessons import lessons_from
from lucency.training.loop import train_member
from lucency.training.optimizer import make_optimizer
from lucency.training.prediction import predict
from lucency.training.schedule import learning_rate
from lucency.training.standardised import Standardised

SETTINGS = Training(epochs=4, batch_size=8, learning_rate=0.01, early_stopping=None)
DRAW = np.random.default_rng(1)
STORE = DRAW.integers(0, 200, (60, 1, 16, 16), dtype=np.uint8)
TARGETS = np.arange(60) % 2
STORE[TARGETS == 1, :, 4:10, 4:10] += 40


def examples(rows: range) -> ImageExamples:
    numbers = np.array(rows)
    return ImageExamples(STORE, numbers, torch.from_numpy(TARGETS[numbers]), numbers.astype(np.uint64))


def auc_like(targets: np.ndarray, probabilities: np.ndarray) -> float:
    return float(probabilities[targets == 1, 1].mean() - probabilities[targets == 0, 1].mean())


def course(
    settings: Training = SETTINGS, key: str = "key", is_augmented: bool = True, score: Score = auc_like
) -> Course:
    augmenter = make_augmenter(Augmentation(noise=0.1, erase=0.5), 3)
    return class_course(
        title="Training",
        settings=settings,
        training=examples(range(41)),  # 41 = 5 × 8 + 1: a single image is left over
        tuning=examples(range(41, 60)),
        n_classes=2,
        augment=(lambda images, keys, epoch: augmenter(Batch(images), keys, epoch).images) if is_augmented else None,
        score=score,
        seed=5,
        key=key,
    )


def network(dropout: float = 0.3) -> Standardised:
    torch.manual_seed(1)
    return Standardised(build(Network(architecture="small_cnn", n_kernels=(4, 8), dropout=dropout), 1, (16, 16), 2), 1)


def same(one: Outcome, other: Outcome) -> bool:
    histories = [[replace(epoch, seconds=0) for epoch in outcome.history] for outcome in (one, other)]
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


def test_training_learns(tmp_path: Path) -> None:
    """A bright square is learnt in a few epochs, and the best epoch's weights come back."""
    plain = course(replace_settings(epochs=8), is_augmented=False)
    outcome = train_member(network(dropout=0), plain, tmp_path, Silence())
    assert [epoch.epoch for epoch in outcome.history] == list(range(1, 9))
    assert outcome.history[-1].n_iterations == 8 * math.ceil(41 / 8)
    assert outcome.history[outcome.best_epoch - 1].tuning_measure == max(
        epoch.tuning_measure for epoch in outcome.history
    )
    trained = network()
    trained.load_state_dict(outcome.weights)
    tuning = examples(range(41, 60))
    probabilities = torch.softmax(predict(trained, tuning, OneDevice("cpu")).double(), 1).numpy()
    assert auc_like(tuning.targets.numpy(), probabilities) == pytest.approx(
        outcome.history[outcome.best_epoch - 1].tuning_measure
    )
    assert auc_like(tuning.targets.numpy(), probabilities) > 0.3


def replace_settings(**changes: object) -> Training:
    return SETTINGS.model_copy(update=changes)


@pytest.mark.parametrize("optimizer", ["sgd", "momentum", "adam"])
@pytest.mark.parametrize("n_steps", [1, 5, 6, 7, 13, 23])
def test_a_resumed_training_gives_the_same_bits(tmp_path: Path, optimizer: str, n_steps: int) -> None:
    """In the middle of an epoch, at its end, anywhere; with dropout, shuffling, augmentation and batch normalisation."""
    chosen = course(replace_settings(optimizer=optimizer))
    expected = train_member(network(), chosen, tmp_path / "whole", Silence())
    with pytest.raises(Interrupted):
        train_member(network(), chosen, tmp_path / "stopped", StopAt(n_steps))
    assert same(train_member(network(), chosen, tmp_path / "stopped", Silence()), expected)


def test_many_interruptions_change_nothing(tmp_path: Path) -> None:
    """However often the power fails."""
    expected = train_member(network(), course(), tmp_path / "whole", Silence())
    draw, outcome = random.Random(3), None
    while outcome is None:
        try:
            outcome = train_member(network(), course(), tmp_path / "stopped", StopAt(draw.randint(1, 5)))
        except Interrupted:
            continue
    assert same(outcome, expected)


def test_two_runs_are_equal_and_another_seed_differs(tmp_path: Path) -> None:
    """The seed decides everything, and decides something."""
    one = train_member(network(), course(), tmp_path / "a", Silence())
    assert same(one, train_member(network(), course(), tmp_path / "b", Silence()))
    assert not same(one, train_member(network(), replace(course(), seed=6), tmp_path / "c", Silence()))


def test_a_finished_training_is_not_repeated(tmp_path: Path) -> None:
    """The last checkpoint says that all is done."""
    expected = train_member(network(), course(), tmp_path, Silence())
    assert same(train_member(network(), course(), tmp_path, StopAt(1)), expected)


def test_a_checkpoint_of_other_settings_is_not_taken_up(tmp_path: Path) -> None:
    """Half a training with one learning rate and half with another would be neither."""
    with pytest.raises(Interrupted):
        train_member(network(), course(), tmp_path / "a", StopAt(9))
    fresh = train_member(network(), course(key="other"), tmp_path / "b", Silence())
    assert same(train_member(network(), course(key="other"), tmp_path / "a", Silence()), fresh)


def test_only_training_images_are_augmented(tmp_path: Path) -> None:
    """Every training image in every epoch, and never one of the tuning part, whose numbers would then say nothing."""
    chosen, seen = course(), []

    def augment(images: torch.Tensor, keys: np.ndarray, epoch: int) -> torch.Tensor:
        seen.extend((epoch, int(key)) for key in keys)
        return images.float() / 255

    lesson = lessons_from(examples(range(41)), augment)
    train_member(network(), replace(chosen, lesson=lesson), tmp_path, Silence())
    assert sorted(seen) == [(epoch, key) for epoch in range(4) for key in range(41)]


def test_early_stopping_ends_training(tmp_path: Path) -> None:
    """No gain for `patience` epochs, and the reason is told."""
    settings = Training.model_validate({"epochs": 50, "batch_size": 8, "early_stopping": {"patience": 2}})
    chosen = course(settings, score=lambda _t, _p: 0.5)
    outcome = train_member(network(), chosen, tmp_path, Silence())
    assert len(outcome.history) == 3
    assert outcome.best_epoch == 1
    assert outcome.stopped_because == "no gain on the tuning part for 2 epochs"


def test_a_diverging_training_stops_and_keeps_no_nonsense(tmp_path: Path) -> None:
    """NaN must never become a checkpoint, let alone the best."""
    chosen = course(replace_settings(optimizer="sgd", learning_rate=1e30, epochs=6))
    with pytest.raises(DivergenceError, match="Lower `training.learning_rate`"):
        train_member(network(), chosen, tmp_path, Silence())
    checkpoint = load_newest(tmp_path, "key")
    assert checkpoint is None or all(t.isfinite().all() for t in checkpoint.tensors.values())


def test_cost_can_choose_the_best_epoch(tmp_path: Path) -> None:
    """`select_by: cost`."""
    outcome = train_member(network(), course(replace_settings(select_by="cost")), tmp_path, Silence())
    assert outcome.history[outcome.best_epoch - 1].tuning_cost == min(epoch.tuning_cost for epoch in outcome.history)


@pytest.mark.parametrize("n_images", [1, 2, 7, 8, 9, 16, 17, 41])
@pytest.mark.parametrize("batch_size", [1, 2, 3, 8, 100])
def test_an_epoch_deals_every_image_once(n_images: int, batch_size: int) -> None:
    """Iterations are ceil(n / batch), and no batch of many has only one image."""
    dealt = list(batches(n_images, batch_size, seed=1, epoch=0))
    assert sorted(np.concatenate(dealt)) == list(range(n_images))
    assert len(dealt) == math.ceil(n_images / batch_size)
    if batch_size > 2 and n_images > 1:
        assert min(map(len, dealt)) > 1
    other = np.concatenate(list(batches(41, 8, seed=1, epoch=1)))
    assert not np.array_equal(np.concatenate(list(batches(41, 8, seed=1, epoch=0))), other)


def test_standardisation_comes_from_the_training_part() -> None:
    """Mean 0 and standard deviation 1 of exactly those images."""
    chosen = network()
    chosen.fit(examples(range(41)))
    pixels = STORE[:41] / 255
    assert float(chosen.mean) == pytest.approx(pixels.mean(), abs=1e-6)
    assert float(chosen.deviation) == pytest.approx(pixels.std(), abs=1e-6)


def test_schedules_follow_their_formula() -> None:
    """Warm-up is linear, cosine ends at zero, constant stays."""
    cosine = replace_settings(schedule="cosine", learning_rate=1.0, epochs=10, warmup_epochs=2.0)
    rates = [learning_rate(cosine, iteration, 5) for iteration in range(50)]
    assert rates[:10] == pytest.approx([(n + 1) / 10 for n in range(10)])
    assert rates[10] == pytest.approx(1.0)
    assert rates[30] == pytest.approx(0.5)
    assert 0 < rates[49] < 0.01
    assert learning_rate(replace_settings(schedule="constant", learning_rate=0.3), 17, 5) == 0.3


@pytest.mark.parametrize(
    ("optimizer", "expected"),
    [
        # W − rate × gradient, with gradient W on the parabola W²/2: three steps from 1 with rate 0.1
        ("sgd", 0.9**3),
        # velocity 1, 0.9 + 0.9, 0.9 × 1.8 + 0.72 (Polyak 1964)
        ("momentum", 1 - 0.1 - 0.1 * 1.8 - 0.1 * (0.9 * 1.8 + 0.72)),
        # Kingma and Ba 2015: bias-corrected moments, step close to the rate
        ("adam", None),
    ],
)
def test_optimizers_follow_their_published_rule(optimizer: str, expected: float | None) -> None:
    """On a parabola each step can be computed by hand."""
    module = nn.Module()
    module.weight = nn.Parameter(torch.tensor(1.0, dtype=torch.float64))
    step = make_optimizer(module, replace_settings(optimizer=optimizer, learning_rate=0.1))
    for _ in range(3):
        step.zero_grad()
        (module.weight.square() / 2).backward()
        step.step()
    if expected is None:
        weight, first, second = 1.0, 0.0, 0.0
        for t in range(1, 4):
            first, second = 0.9 * first + 0.1 * weight, 0.999 * second + 0.001 * weight**2
            weight -= 0.1 * (first / (1 - 0.9**t)) / (math.sqrt(second / (1 - 0.999**t)) + 1e-8)
        expected = weight
    assert module.weight.item() == pytest.approx(expected, rel=1e-9)


def test_a_damaged_checkpoint_is_passed_over(tmp_path: Path) -> None:
    """One flipped bit or a cut end anywhere: the checkpoint before it is taken."""
    for iteration in (1, 2):
        scalars = {"key": "k", "n": iteration}
        save_checkpoint(tmp_path, iteration, Checkpoint(scalars, {"w": torch.full((50,), float(iteration))}))
    newest = max(tmp_path.iterdir())
    content = newest.read_bytes()
    draw = random.Random(1)
    for _ in range(100):
        place = draw.randrange(len(content))
        bad = content[:place]
        if draw.random() < 0.5:
            bad += bytes([content[place] ^ (1 << draw.randrange(8))]) + content[place + 1 :]
        newest.write_bytes(bad)
        found = load_newest(tmp_path, "k")
        assert found is not None
        # a flipped bit in the padding of the header changes nothing that is read
        assert found.scalars["n"] == 1 or torch.equal(found.tensors["w"], torch.full((50,), 2.0))
    assert json.dumps(found.scalars)


def test_only_two_checkpoints_stay(tmp_path: Path) -> None:
    """A predecessor for safety, and not a full disk."""
    for iteration in range(5):
        save_checkpoint(tmp_path, iteration, Checkpoint({"key": "k"}, {"w": torch.zeros(2)}))
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.skipif(torch.cuda.is_available(), reason="speaks of a machine without a GPU")
def test_a_gpu_that_is_not_there_is_refused() -> None:
    """Before any work starts."""
    with pytest.raises(PlanError, match="no GPU"):
        make_device(replace_settings(device="cuda"))
    with pytest.raises(PlanError, match="needs a GPU"):
        make_device(replace_settings(precision="16"))


@pytest.mark.slow
def test_mixed_precision_goes_through_fabric(tmp_path: Path) -> None:
    """bf16 on a CPU, resumed too."""
    chosen = course(replace_settings(precision="bf16", epochs=2))
    expected = train_member(network(), chosen, tmp_path / "whole", Silence())
    with pytest.raises(Interrupted):
        train_member(network(), chosen, tmp_path / "stopped", StopAt(8))
    assert same(train_member(network(), chosen, tmp_path / "stopped", Silence()), expected)
    assert set(expected.weights) == set(network().state_dict())


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("precision", ["32", "bf16"])
def test_training_on_a_gpu_learns_and_resumes(tmp_path: Path, precision: str) -> None:
    """The same loop on a GPU."""
    chosen = course(replace_settings(device="cuda", precision=precision, epochs=8))
    with pytest.raises(Interrupted):
        train_member(network(), chosen, tmp_path, StopAt(20))
    outcome = train_member(network(), chosen, tmp_path, Silence())
    assert len(outcome.history) == 8
    assert outcome.history[-1].training_cost < outcome.history[0].training_cost


def test_a_measure_that_is_better_small_chooses_the_smallest(tmp_path: Path) -> None:
    """An error in millimetres is no AUC; the history still shows it as it is."""
    smallest = replace(course(), measure=Measure("mean absolute error", is_better_larger=False))
    outcome = train_member(network(), smallest, tmp_path, Silence())
    errors = [epoch.tuning_measure for epoch in outcome.history]
    assert len(set(errors)) > 1
    assert outcome.history[outcome.best_epoch - 1].tuning_measure == min(errors)
