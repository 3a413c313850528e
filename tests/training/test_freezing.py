"""Freezing and thawing: what is frozen does not move at all, and a thaw that was interrupted goes on bit by bit."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import cast

import pytest
import torch
from torch import nn

from lucency.domain.plan import Plan
from lucency.domain.progress import Silence
from lucency.domain.training_plan import Training
from lucency.errors import Interrupted
from lucency.study.transfer import paces_of_plan
from lucency.training.course import Course
from lucency.training.freezing import Pace, hash_of, let_learn, names_of_frozen
from lucency.training.loop import train_member
from lucency.training.optimizer import make_optimizer, set_rate
from lucency.training.standardised import Standardised
from training.test_loop import SETTINGS, StopAt, course, network, same


def pace(layer: nn.Module, factor: float = 1.0, first: int | None = 0) -> Pace:
    return Pace("stage", tuple(layer.parameters()), tuple(layer.modules()), factor, first)


def by_stages(thaws: tuple[int | None, ...], factors: tuple[float, ...] = (1.0, 1.0, 1.0)) -> Course:
    """Return a course for the small network: two stages and the head."""

    def paces(network: nn.Module) -> list[Pace]:
        body = cast(nn.Sequential, cast(Standardised, network).network)
        layers = (body.stage_1, body.stage_2, body.fully_connected)
        return [pace(layer, factor, first) for layer, factor, first in zip(layers, factors, thaws, strict=True)]

    settings = SETTINGS.model_copy(update={"epochs": 5, "weight_decay": 0.1})
    return replace(course(settings), paces=paces)


@pytest.mark.parametrize("optimizer", ["sgd", "momentum", "adam"])
def test_frozen_layers_do_not_change_at_all(optimizer: str, tmp_path: Path) -> None:
    """Neither by a step nor by weight decay nor through the statistics of batch normalisation."""
    frozen_course = by_stages((None, None, 0))
    frozen_course = replace(frozen_course, settings=frozen_course.settings.model_copy(update={"optimizer": optimizer}))
    trained = network()
    before = {name: tensor.clone() for name, tensor in trained.state_dict().items()}
    names = names_of_frozen(trained, frozen_course.paces(trained))
    assert len(names) == 24  # four convolutions, and four normalisations of five tensors
    outcome = train_member(trained, frozen_course, tmp_path, Silence())
    assert hash_of(before, names) == hash_of(outcome.weights, names)
    assert not torch.equal(before["network.fully_connected.weight"], outcome.weights["network.fully_connected.weight"])


def test_the_hash_notices_the_smallest_change() -> None:
    """A proof that cannot fail proves nothing."""
    tensors = {"a": torch.zeros(3), "b": torch.ones(2)}
    changed = tensors | {"a": torch.tensor([0.0, 0.0, 1e-40])}
    assert hash_of(tensors, ["a", "b"]) != hash_of(changed, ["a", "b"])
    assert hash_of(tensors, ["b"]) == hash_of(changed, ["b"])
    assert hash_of(tensors, ["a"]) != hash_of({"a": torch.zeros(3, 1)}, ["a"])


def test_a_stage_moves_only_after_its_thaw(tmp_path: Path) -> None:
    """The head alone in the first epoch, one more stage after each."""
    seen: list[dict[str, torch.Tensor]] = []
    thawing = by_stages((2, 1, 0))

    def watching(network: nn.Module, device: object) -> object:
        seen.append({name: tensor.clone() for name, tensor in network.state_dict().items()})
        return thawing.judge(network, device)

    start = network()
    begun = {name: tensor.clone() for name, tensor in start.state_dict().items()}
    train_member(start, replace(thawing, judge=watching), tmp_path, Silence())

    def moved(name: str) -> list[bool]:
        states = [begun, *seen]
        return [not torch.equal(a[name], b[name]) for a, b in pairwise(states)]

    for layer in ("convolution_1.weight", "normalisation_1.running_mean", "normalisation_1.weight"):
        assert moved(f"network.stage_1.{layer}") == [False, False, True, True, True]
        assert moved(f"network.stage_2.{layer}") == [False, True, True, True, True]
    assert moved("network.fully_connected.weight") == [True] * 5


@pytest.mark.parametrize("n_steps", [3, 8, 13, 20])
def test_a_thaw_that_was_interrupted_ends_as_if_nothing_had_happened(n_steps: int, tmp_path: Path) -> None:
    """What learns is a function of the epoch alone (6 iterations each); the optimizer's memory of each stage comes back."""
    thawing = by_stages((2, 1, 0), (0.1, 0.5, 1.0))
    whole = train_member(network(), thawing, tmp_path / "whole", Silence())
    with pytest.raises(Interrupted):
        train_member(network(), thawing, tmp_path / "cut", StopAt(n_steps))
    assert same(whole, train_member(network(), thawing, tmp_path / "cut", Silence()))


def test_each_stage_has_its_share_of_the_rate() -> None:
    """The schedule multiplies all of them."""
    layers = nn.Linear(2, 2), nn.Linear(2, 2), nn.Linear(2, 2)
    paces = [pace(layer, factor) for layer, factor in zip(layers, (0.16, 0.4, 1.0), strict=True)]
    optimizer = make_optimizer(nn.Sequential(*layers), Training(learning_rate=0.5), paces)
    set_rate(optimizer, 0.1)
    assert [group["lr"] for group in optimizer.param_groups] == pytest.approx([0.016, 0.04, 0.1])


def test_frozen_layers_are_at_rest() -> None:
    """Batch normalisation would go on measuring otherwise."""
    layers = nn.Sequential(nn.Dropout(), nn.BatchNorm2d(2)), nn.Linear(2, 2)
    nn.Sequential(*layers).train()
    let_learn([pace(layers[0], first=1), pace(layers[1])], epoch=0)
    assert [layer.training for layer in (*layers[0], layers[1])] == [False, False, True]
    let_learn([pace(layers[0], first=1), pace(layers[1])], epoch=1)
    assert all(layer.training for layer in (*layers[0], layers[1]))


@pytest.mark.parametrize(
    ("settings", "thaws", "factors"),
    [
        ({"unfreeze": "head"}, [None, None, None, 0], None),
        ({"unfreeze": "all"}, [0, 0, 0, 0], [0.064, 0.16, 0.4, 1.0]),
        ({"unfreeze": 1, "rate_factor": 1}, [None, None, 0, 0], [1, 1, 1, 1]),
        ({"unfreeze": 9}, [0, 0, 0, 0], None),
        ({"thaw_epochs": 2}, [6, 4, 2, 0], None),
        ({"unfreeze": 2, "thaw_epochs": 3}, [None, 6, 3, 0], None),
    ],
)
def test_the_plan_decides_what_learns_when(
    settings: dict[str, object], thaws: list[int | None], factors: list[float] | None
) -> None:
    """Counted from the head backwards, as a radiologist would say “the last two stages”."""
    network_settings = {"architecture": "small_cnn", "n_kernels": [4, 8, 8]}
    plan = Plan.model_validate(
        {"task": "classification", "data": {"images": "x"}, "network": network_settings, "transfer": settings}
    )
    from lucency.network.catalogue import build

    paces = paces_of_plan(plan)(Standardised(build(plan.network, 1, (32, 32), 2), 1))
    assert [pace.from_epoch for pace in paces] == thaws
    if factors:
        assert [pace.rate_factor for pace in paces] == pytest.approx(factors)
