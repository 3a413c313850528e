"""How a detection network learns and answers: its own costs, the marks that it sets, and how it stands in between."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor, nn

from lucency.data.ground_truth.drawings.runs import run_lengths
from lucency.domain.detections import Mark
from lucency.training.course import Judge, Judgement
from lucency.training.device import Device
from lucency.training.drawn_images import DrawnImages, Taught
from lucency.training.standardised import Standardised

BATCH = 16
"""Images that are looked at together when nothing is learnt."""
_DRAWN_FROM = 0.5
"""Probability from which on a pixel belongs to a mark."""

Score = Callable[[Sequence[tuple[Mark, ...]]], float]
"""Takes the marks of each image of the tuning part; the larger, the better."""


def detection_cost(network: nn.Module, images: Tensor, lessons: Sequence[Taught]) -> Tensor:
    """Add up what the network charges itself: for proposals, kinds, boxes and masks (Ren et al. 2015; He et al. 2017)."""
    return torch.stack(list(network(images, lessons).values())).sum()


def take_backbone(detector: Standardised, reader: Standardised) -> None:
    """Let a detection network begin with the backbone of one that looks at whole images, and with its scale of grey levels."""
    body, given = detector.network.get_submodule("backbone.body"), reader.network.state_dict()
    body.load_state_dict({name: given[name] for name in body.state_dict()})
    detector.mean.copy_(reader.mean)
    detector.deviation.copy_(reader.deviation)


def set_marks(network: nn.Module, examples: DrawnImages, device: Device) -> list[tuple[Mark, ...]]:
    """Return the marks of each image, the highest score first, without learning from them."""
    network.eval()
    marks: list[tuple[Mark, ...]] = []
    for batch in examples.images.in_order(BATCH):
        with torch.inference_mode(), device.autocast():
            answers = network(examples.images.inputs(batch).to(device.device))
        marks += [_marks_in(answer, examples.kinds) for answer in answers]
    return marks


def judged_by(tuning: DrawnImages, score: Score) -> Judge:
    """Let the network mark the tuning part, and charge it for that."""

    def judge(network: nn.Module, device: Device) -> Judgement:
        return Judgement(_cost_on(network, tuning, device), score(set_marks(network, tuning, device)))

    return judge


def _cost_on(network: nn.Module, examples: DrawnImages, device: Device) -> float:
    """Return the mean cost of an image; torchvision counts costs in training mode only, and nothing is learnt all the same."""
    _count_costs_only(network)
    total = 0.0
    for number, batch in enumerate(examples.images.in_order(BATCH)):
        torch.manual_seed(number)  # proposals are sampled; the same ones after every epoch
        drawn = examples.drawn(batch)
        images = examples.images.inputs(batch).to(device.device)
        lessons = [
            {name: part.to(device.device) for name, part in one.items()} for one in examples.taught(batch, drawn)
        ]
        with torch.no_grad(), device.autocast():
            total += float(detection_cost(network, images, lessons)) * len(batch)
    return total / len(examples)


def _count_costs_only(network: nn.Module) -> None:
    """Switch to training mode without the layers that would learn from what passes through them."""
    network.train()
    for layer in network.modules():
        if isinstance(layer, nn.BatchNorm2d | nn.Dropout):
            layer.eval()


def _marks_in(answer: dict[str, Tensor], kinds: Sequence[str]) -> tuple[Mark, ...]:
    """Turn what torchvision says of one image into marks; a mask without any pixel is that of its box's middle."""
    found = {name: part.float().cpu().numpy() for name, part in answer.items()}
    marks = [
        Mark(kinds[int(label) - 1], float(score), (float(left), float(top), float(right), float(bottom)))
        for label, score, (left, top, right, bottom) in zip(
            found["labels"], found["scores"], found["boxes"], strict=True
        )
    ]
    if "masks" in found:
        marks = [
            replace(mark, runs=_runs(probability[0] >= _DRAWN_FROM, mark))
            for mark, probability in zip(marks, found["masks"], strict=True)
        ]
    return tuple(sorted(marks, key=lambda mark: -mark.score))


def _runs(pixels: np.ndarray, mark: Mark) -> tuple[int, ...]:
    if not pixels.any():
        left, top, right, bottom = mark.edges
        row, column = int((top + bottom) / 2), int((left + right) / 2)
        pixels[min(row, pixels.shape[0] - 1), min(column, pixels.shape[1] - 1)] = True
    return tuple(run_lengths(pixels))
