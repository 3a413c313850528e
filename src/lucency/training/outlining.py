"""What a network learns from that outlines structures: patches with their label maps, judged on whole images."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from lucency.data.augmentation import Augment, Batch, to_unit_range
from lucency.domain.training_plan import Training
from lucency.training.course import Course, Judgement, Measure
from lucency.training.device import Device
from lucency.training.patches import Cases, Patches
from lucency.training.region_cost import RegionCost, cost_of_regions
from lucency.training.sliding_window import Window, predict_image
from lucency.training.standardised import Standardised


@dataclass(frozen=True)
class Lessons:
    """How a network is taught to outline."""

    patches: Patches
    tuning: Cases
    cost: RegionCost
    augment: Augment | None
    window: Window
    n_structures: int


def outlining_course(title: str, settings: Training, lessons: Lessons, seed: int, key: str) -> Course:
    """Put together a course: patches to learn from, and the mean Dice of the tuning part to choose the best epoch."""

    def lesson(batch: NDArray[np.int64], epoch: int, device: torch.device) -> tuple[Tensor, Tensor]:
        images, labels = (part.to(device) for part in lessons.patches.cut(batch, epoch))
        if lessons.augment is None:
            return to_unit_range(images), labels.long()
        changed = lessons.augment(Batch(images, labels), lessons.patches.keys[batch], epoch)
        assert changed.masks is not None
        return changed.images, changed.masks.long()

    def judge(network: nn.Module, device: Device) -> Judgement:
        network.eval()
        costs, overlaps = [], []
        for image, labels in zip(lessons.tuning.images, lessons.tuning.labels, strict=True):
            probabilities = predict_image(network, torch.from_numpy(np.array(image)), lessons.window, device)
            logs = probabilities.clamp(min=1e-7).log()[None]
            truth = torch.from_numpy(np.array(labels)).long()
            costs.append(float(lessons.cost(logs, truth[None])))
            overlaps.append(dice_of(probabilities.argmax(0).numpy(), truth.numpy(), lessons.n_structures))
        return Judgement(float(np.mean(costs)), mean_dice(overlaps))

    return Course(
        title=title,
        settings=settings,
        training=lessons.patches,
        lesson=lesson,
        cost=cost_of_regions(lessons.cost),
        judge=judge,
        measure=Measure("Dice"),
        seed=seed,
        key=key,
    )


def dice_of(predicted: NDArray, truth: NDArray, n_structures: int) -> list[float]:
    """Return the Dice coefficient of each structure; 1 where nothing was there and nothing was found."""
    found = []
    for structure in range(1, n_structures + 1):
        there, said = truth == structure, predicted == structure
        n_both = there.sum() + said.sum()
        found.append(float(2 * (there & said).sum() / n_both) if n_both else 1.0)
    return found


def mean_dice(overlaps: Sequence[Sequence[float]]) -> float:
    """Return the mean over images and structures, in which each structure weighs the same."""
    return float(np.mean([np.mean(of_structure) for of_structure in zip(*overlaps, strict=True)]))


def measure_grey_levels(network: Standardised, cases: Cases) -> None:
    """Give a network the mean and the standard deviation of the training images, channel by channel."""
    n_channels = cases.images[0].shape[0]
    total, squares, n_pixels = np.zeros(n_channels), np.zeros(n_channels), 0
    for image in cases.images:
        fractions = image.reshape(n_channels, -1).astype(np.float64) / np.iinfo(image.dtype).max
        total += fractions.sum(1)
        squares += np.square(fractions).sum(1)
        n_pixels += fractions.shape[1]
    mean = total / n_pixels
    deviation = np.sqrt(np.maximum(squares / n_pixels - mean**2, 1e-12))
    network.mean.copy_(torch.from_numpy(mean).view_as(network.mean))
    network.deviation.copy_(torch.from_numpy(deviation).view_as(network.deviation))
