"""How networks learn to outline: patches, costs, windows, components."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from lucency.data.augmentation import make_augmenter
from lucency.domain.plan import Augmentation, Training
from lucency.domain.progress import Silence
from lucency.errors import Interrupted
from lucency.network.unet import Unet, UnetShape
from lucency.training.components import dice_with_and_without, without_smaller_components
from lucency.training.course import Course
from lucency.training.device import OneDevice
from lucency.training.loop import train_member
from lucency.training.outlining import Lessons, dice_of, mean_dice, measure_grey_levels, outlining_course
from lucency.training.patches import Cases, Cutting, Patches
from lucency.training.region_cost import cost_of_regions, logs_of, make_region_cost
from lucency.training.sliding_window import Window, predict_image, starts_of
from lucency.training.standardised import Standardised

DEVICE = OneDevice("cpu")


def volumes(n: int = 6) -> Cases:
    """Return volumes whose grey level tells the place, with a small cube of structure 1 and a smaller one of 2."""
    shapes = [(5, 9 + i, 12) for i in range(n)]
    images = [np.arange(np.prod(shape), dtype=np.uint16).reshape(1, *shape) + 1 for shape in shapes]
    labels = [np.zeros(shape, np.uint8) for shape in shapes]
    for one in labels:
        one[2:4, 5:8, 6:9] = 1
        one[0, 0, 0] = 2
    return Cases(tuple(f"i{i}" for i in range(n)), images, labels)


def patches(foreground: float = 0.5, size: tuple[int, ...] = (4, 4, 4), seed: int = 1) -> Patches:
    return Patches(volumes(), Cutting(size, 3, foreground, seed))


def test_a_patch_depends_on_seed_epoch_and_sample_alone() -> None:
    """So a resumed run, or another batch, cuts the same patches."""
    deck = patches()
    together, one = deck.cut(np.arange(18), 4), deck.cut(np.array([11]), 4)
    assert torch.equal(together[0][11:12], one[0])
    assert torch.equal(together[1][11:12], one[1])
    assert not torch.equal(together[0], deck.cut(np.arange(18), 5)[0])
    assert not torch.equal(together[0], patches(seed=2).cut(np.arange(18), 4)[0])


def test_image_and_label_map_are_cut_at_the_same_place() -> None:
    """The grey level of a voxel tells where it was; its label must be the one of that place."""
    deck = patches()
    images, labels = deck.cut(np.arange(18), 0)
    for number in range(18):
        image, truth = deck.cases.images[number // 3], deck.cases.labels[number // 3]
        places = images[number, 0].numpy().astype(int) - 1
        np.testing.assert_array_equal(labels[number].numpy(), truth.ravel()[places])
        assert places.max() < image.size


def test_small_structures_are_met_as_often_as_the_plan_asks() -> None:
    """One voxel of 500 would hardly ever be in a patch that is cut at random."""
    deck, n_epochs = patches(foreground=1, size=(2, 2, 2)), 40
    found = [set(np.unique(deck.cut(np.arange(18), epoch)[1][i])) for epoch in range(n_epochs) for i in range(18)]
    assert all(labels - {0} for labels in found)
    share = np.mean([2 in labels for labels in found])
    assert 0.4 < share < 0.6  # each structure that is there is as likely


def test_an_image_smaller_than_the_patch_lies_in_its_middle() -> None:
    """What lies outside is black, and background."""
    deck = patches(foreground=0, size=(9, 32, 12))
    images, labels = deck.cut(np.array([0]), 0)
    assert torch.equal(images[0, 0, 2:7, 11:20].to(torch.int64), torch.from_numpy(deck.cases.images[0][0].astype(int)))
    assert images.sum() == deck.cases.images[0].sum()
    assert (labels > 0).sum() == (deck.cases.labels[0] > 0).sum()


def soft_dice(probabilities: np.ndarray, labels: np.ndarray, structure: int) -> float:
    there = labels == structure
    return 2 * probabilities[:, structure][there].sum() / (probabilities[:, structure].sum() + there.sum())


def tversky_index(probabilities: np.ndarray, labels: np.ndarray, structure: int, false_positives: float) -> float:
    there, said = labels == structure, probabilities[:, structure]
    both, false = said[there].sum(), said[~there].sum()
    return both / (both + false_positives * false + (1 - false_positives) * (1 - said[there]).sum())


def test_costs_are_those_of_their_formulas() -> None:
    """Written down once more in NumPy, image by image and structure by structure."""
    draw = np.random.default_rng(3)
    logits, labels = draw.normal(size=(2, 3, 4, 5, 6)), draw.integers(0, 3, (2, 4, 5, 6))
    probabilities = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    logs, truth = logs_of(torch.from_numpy(logits)), torch.from_numpy(labels)
    dice = 1 - np.mean([soft_dice(probabilities, labels, structure) for structure in (1, 2)])
    cross_entropy = -np.log(np.take_along_axis(probabilities, labels[:, None], 1)).mean()
    for name, expected in (
        ("dice", dice),
        ("cross_entropy", cross_entropy),
        ("dice_cross_entropy", dice + cross_entropy),
    ):
        assert float(make_region_cost(name, 0.3)(logs, truth)) == pytest.approx(expected, abs=1e-5)
    assert float(make_region_cost("tversky", 0.5)(logs, truth)) == pytest.approx(dice, abs=1e-5)
    tversky = 1 - np.mean([tversky_index(probabilities, labels, structure, 0.3) for structure in (1, 2)])
    assert float(make_region_cost("tversky", 0.3)(logs, truth)) == pytest.approx(tversky, abs=1e-5)


@pytest.mark.parametrize("name", ["dice", "dice_cross_entropy", "tversky"])
@pytest.mark.parametrize("labels", [torch.zeros(1, 4, 4).long(), torch.ones(1, 4, 4).long()], ids=["empty", "full"])
def test_no_cost_is_undefined_however_sure_the_network_is(name: str, labels: Tensor) -> None:
    """A structure that is nowhere, and logits as large as half precision makes them, leave cost and gradient finite."""
    logits = torch.full((1, 3, 4, 4), -3e4, dtype=torch.float16)
    logits[:, 2] = 3e4
    logits.requires_grad_(True)
    cost = make_region_cost(name, 0.3)(logs_of(logits), labels)
    cost.backward()
    assert torch.isfinite(cost)
    assert logits.grad is not None
    assert torch.isfinite(logits.grad).all()


def test_coarser_stages_count_half_as_much_each() -> None:
    """Deep supervision: 1, ½, ¼ … of the costs at each stage, divided by their sum."""

    class Stages(nn.Module):
        def forward(self, images: Tensor) -> list[Tensor]:
            return [images, images[:, :, ::2, ::2]]

    draw = torch.Generator().manual_seed(1)
    logits, labels = torch.randn((1, 2, 8, 8), generator=draw), torch.ones(1, 8, 8).long()
    cost = make_region_cost("cross_entropy", 0.3)
    fine, coarse = cost(logs_of(logits), labels), cost(logs_of(logits[:, :, ::2, ::2]), labels[:, ::2, ::2])
    assert float(cost_of_regions(cost)(Stages(), logits, labels)) == pytest.approx(float((fine + coarse / 2) / 1.5))


class Pointwise(nn.Module):
    """Answers each pixel by its own grey level, so that it cannot matter in which window it is seen."""

    def forward(self, images: Tensor) -> Tensor:
        return torch.cat([torch.zeros_like(images), 8 * images - 4], dim=1)


@pytest.mark.parametrize("shape", [(5, 5), (16, 21), (9, 7, 30), (3, 3, 3)])
@pytest.mark.parametrize("flips", [(), (0, 1)])
def test_windows_put_together_are_the_whole_image(shape: tuple[int, ...], flips: tuple[int, ...]) -> None:
    """Larger, smaller and equal sides; with mirror images and without."""
    draw = np.random.default_rng(1)
    image = torch.from_numpy(draw.integers(0, 65535, (1, *shape)).astype(np.uint16))
    answer = predict_image(Pointwise(), image, Window((5,) * len(shape), 0.5, 3, flips), DEVICE)
    fractions = torch.from_numpy(image.numpy().astype(np.float32) / 65535)
    expected = torch.sigmoid(8 * fractions[0] - 4)
    np.testing.assert_allclose(answer[1].numpy(), expected.numpy(), atol=1e-5)
    np.testing.assert_allclose(answer.sum(0).numpy(), np.ones(shape), atol=1e-5)


def test_windows_reach_from_end_to_end_and_overlap_as_asked() -> None:
    """No pixel is left out, and none is asked for more often than need be."""
    for n in range(8, 60):
        starts = starts_of(n, 8, 0.5)
        assert starts[0] == 0
        assert starts[-1] == n - 8
        assert all(later - earlier <= 4 for earlier, later in pairwise(starts))
    assert starts_of(8, 8, 0.5) == [0]
    assert starts_of(16, 8, 0.0) == [0, 8]


def test_the_middle_of_a_window_counts_most() -> None:
    """Where two windows disagree, the answer goes over from one to the other between their middles."""

    class ByCall(nn.Module):
        def forward(self, images: Tensor) -> Tensor:
            first = torch.zeros_like(images)
            first[0] = 9.0  # the first window of the batch says background, the second structure
            return torch.cat([first, 9.0 - first], dim=1)

    image = torch.zeros(1, 1, 24, dtype=torch.uint8)
    answer = predict_image(ByCall(), image, Window((1, 16), 0.5, 2), DEVICE)[0, 0]
    assert answer[0] > 0.99
    assert answer[-1] < 0.01
    assert (answer[8:16].diff() < 0).all()
    assert float(answer[11] + answer[12]) == pytest.approx(1, abs=1e-5)


def test_dice_is_that_of_its_definition() -> None:
    """2 · 3 / (4 + 5), and 1 where nothing was there and nothing was said."""
    truth, said = np.zeros(20, int), np.zeros(20, int)
    truth[:4], said[1:6] = 1, 1
    assert dice_of(said, truth, 2) == [pytest.approx(6 / 9), 1.0]
    assert mean_dice([[0.5, 1.0], [0.7, 0.0]]) == pytest.approx((0.6 + 0.5) / 2)


def test_only_the_largest_part_stays_and_other_structures_are_left_alone() -> None:
    """Voxels that touch at a corner belong together."""
    labels = np.zeros((1, 6, 8), np.uint8)
    labels[0, 0, 0] = labels[0, 1, 1] = labels[0, 2, 1] = 1
    labels[0, 5, 7] = 1
    labels[0, 4, 0] = labels[0, 0, 7] = 2
    cleaned = without_smaller_components(labels, [1])
    assert cleaned[0, 5, 7] == 0
    assert (cleaned == 1).sum() == 3
    assert (cleaned == 2).sum() == 2
    assert dice_with_and_without(1, [(labels, cleaned)]) == (pytest.approx(6 / 7), 1.0)


def network() -> Standardised:
    torch.manual_seed(1)
    even, half = (1, 1, 1), (2, 2, 2)
    shape = UnetShape(1, 3, (4, 8), (even, half), ((3, 3, 3),) * 2)
    return Standardised(Unet(shape), 1, 3)


def bright_cubes() -> Cases:
    """Return volumes in which the structures are brighter than what lies around them."""
    cases = volumes(4)
    draw = np.random.default_rng(1)
    noise = [draw.integers(0, 9000, one.shape) for one in cases.labels]
    images = [
        (n + 20000 * labels.astype(int))[None].astype(np.uint16) for n, labels in zip(noise, cases.labels, strict=True)
    ]
    return replace(cases, images=images)


def course(epochs: int) -> Course:
    cases = bright_cubes()
    lessons = Lessons(
        patches=Patches(cases, Cutting((4, 8, 8), 2, 0.5, 7)),
        tuning=cases,
        cost=make_region_cost("dice_cross_entropy", 0.3),
        augment=make_augmenter(Augmentation(), 7),
        window=Window((4, 8, 8)),
        n_structures=2,
    )
    settings = Training(epochs=epochs, batch_size=4, learning_rate=0.01, early_stopping=None)
    return outlining_course("Training", settings, lessons, seed=7, key="k")


class StoppedOnce(Silence):
    """A desk at which somebody stops after some iterations."""

    def __init__(self, n_iterations: int) -> None:
        self.n_left = n_iterations

    def progress(self, *_: object, **__: object):
        return self

    def __enter__(self):
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def advance(self, *_: object, **__: object) -> None:
        self.n_left -= 1
        if self.n_left == 0:
            raise Interrupted("stopped")


def test_a_network_learns_to_outline_and_a_stopped_one_learns_the_same(tmp_path: Path) -> None:
    """The Dice rises, and the weights of a resumed run are those of an undisturbed one, bit for bit."""
    one = network()
    measure_grey_levels(one, bright_cubes())
    whole = train_member(one, course(6), tmp_path / "whole", Silence())
    assert whole.history[-1].tuning_cost < whole.history[0].tuning_cost
    assert max(epoch.tuning_measure for epoch in whole.history) > whole.history[0].tuning_measure
    other = network()
    measure_grey_levels(other, bright_cubes())
    with pytest.raises(Interrupted):
        train_member(other, course(6), tmp_path / "cut", StoppedOnce(7))
    resumed = train_member(network(), course(6), tmp_path / "cut", Silence())
    assert [replace(e, seconds=0) for e in resumed.history] == [replace(e, seconds=0) for e in whole.history]
    for name, weights in whole.weights.items():
        assert torch.equal(weights, resumed.weights[name]), name


def test_grey_levels_are_measured_on_all_training_images() -> None:
    """Mean and deviation of every voxel, as fractions of white."""
    one, cases = network(), volumes()
    measure_grey_levels(one, cases)
    voxels = np.concatenate([image.ravel() for image in cases.images]) / 65535
    assert float(one.mean) == pytest.approx(voxels.mean(), rel=1e-5)
    assert float(one.deviation) == pytest.approx(voxels.std(), rel=1e-5)
