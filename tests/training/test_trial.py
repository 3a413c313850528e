"""The trial of steps: it decides what changes no bit, leaves the network alone, and never costs more than it gains."""

import ctypes
import platform
from pathlib import Path
from unittest.mock import MagicMock

import numpy as np
import pytest
import torch
from torch import nn

from lucency.domain.plan import Training
from lucency.domain.progress import Silence
from lucency.training import trial
from lucency.training.class_course import class_course
from lucency.training.course import Course
from lucency.training.device import suits_channels_last
from lucency.training.examples import ImageExamples
from lucency.training.loop import train_member
from lucency.training.memory import keep_pages, release_pages
from lucency.training.trial import try_speed


def course(epochs: int, **changed: object) -> Course:
    """Make a course of 16 tiny images in batches of four."""
    images = np.random.default_rng(1).integers(0, 256, (16, 1, 12, 12), dtype=np.uint8)
    rows = np.arange(16)
    examples = ImageExamples(images, rows, torch.from_numpy(rows % 2), rows.astype(np.uint64))
    settings = Training(epochs=epochs, batch_size=4, early_stopping=None, device="cpu", **changed)
    return class_course("", settings, examples, examples, 2, None, lambda *_: 0.5, 1, "key")


def network() -> nn.Module:
    torch.manual_seed(3)
    return nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Dropout(), nn.Flatten(), nn.Linear(400, 2)
    )


@pytest.fixture(autouse=True)
def _memory_as_before():
    yield
    release_pages()


def test_a_short_training_is_not_preceded_by_a_trial() -> None:
    """Nine steps to find out how to compute eight are no gain."""
    speed = try_speed(network(), course(epochs=2))
    assert not speed.is_tried
    assert speed.gain == 1


def test_a_long_training_is_tried_and_every_time_is_written_down() -> None:
    """Whoever doubts the choice finds the numbers that it rests on."""
    speed = try_speed(network(), course(epochs=60))
    assert speed.is_tried
    assert speed.channels_last
    assert min(speed.default_seconds, speed.arranged_seconds) > 0
    assert speed.gain == speed.default_seconds / speed.chosen_seconds


def test_the_trial_leaves_network_and_randomness_as_they_were() -> None:
    """Running means that a trial has moved would be those of other images than the study's."""
    one, untouched = network(), network()
    state = torch.get_rng_state()
    try_speed(one, course(epochs=60))
    assert torch.equal(torch.get_rng_state(), state)
    for name, tensor in untouched.state_dict().items():
        assert torch.equal(one.state_dict()[name], tensor), name
        assert one.state_dict()[name].is_contiguous()
    assert one.training


def test_kept_memory_changes_no_bit(tmp_path: Path) -> None:
    """The trial's clock must not reach into the weights: a busy machine gives the same network."""
    trained = []
    for number, arrange in enumerate((keep_pages, release_pages)):
        arrange()
        trained.append(train_member(network(), course(epochs=2), tmp_path / str(number), Silence()).weights)
    for name, tensor in trained[0].items():
        assert torch.equal(tensor, trained[1][name]), name


def test_the_clock_decides_about_memory_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the times are, the channels are arranged by the rule."""
    for times in ([1.0, 2.0, 2.0], [2.0, 1.0, 0.5], [1.0, 1.0, 1.0]):
        measured = MagicMock(side_effect=times)
        monkeypatch.setattr(trial, "_seconds", measured)
        speed = try_speed(network(), course(epochs=60))
        assert speed.channels_last
        if platform.libc_ver()[0] == "glibc":
            assert speed.keeps_pages == (times[2] * trial.WORTH_KEEPING < times[1])


def test_a_plain_plan_leaves_everything_as_torch_does(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who compares with a loop of his own wants the same arithmetic."""
    monkeypatch.setattr(trial, "keep_pages", lambda: pytest.fail("the memory was touched"))
    speed = try_speed(network(), course(epochs=60, speed="plain"))
    assert (speed.channels_last, speed.keeps_pages, speed.is_tried) == (False, False, False)


def test_channels_are_arranged_where_networks_gain_by_it() -> None:
    """Instance normalisation sorts the channels back each time, and convolutions of volumes are slower."""
    assert suits_channels_last(nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4)))
    assert not suits_channels_last(nn.Sequential(nn.Conv2d(1, 4, 3), nn.InstanceNorm2d(4)))
    assert not suits_channels_last(nn.Sequential(nn.Conv3d(1, 4, 3)))


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc has these settings")
def test_kept_memory_is_not_taken_anew() -> None:
    """The system hands out fresh pages one by one; a block that was freed and kept costs none."""
    resource = pytest.importorskip("resource")

    def faults() -> int:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
        for _ in range(5):
            torch.ones(8_000_000).sum()  # 32 MB: eight thousand pages
        return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

    assert keep_pages()
    faults()
    kept = faults()
    ctypes.CDLL(None).malloc_trim(0)
    assert release_pages()
    assert kept < 1000 < faults()


def test_elsewhere_than_on_glibc_nothing_is_touched(monkeypatch: pytest.MonkeyPatch) -> None:
    """MacOS and Windows have allocators of their own."""
    monkeypatch.setattr(platform, "libc_ver", lambda: ("", ""))
    assert not keep_pages()
    assert not release_pages()
