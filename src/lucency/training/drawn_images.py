"""Images with the lesions that lie in them: what a detection network learns from."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lucency.data.augmentation import Augment, Batch, to_unit_range
from lucency.data.augmentation.draws import Draws
from lucency.data.augmentation.geometry import count_boxes_left
from lucency.domain.detections import Lesion, pixels_of
from lucency.domain.plan import Augmentation
from lucency.training.course import Lesson
from lucency.training.examples import ImageExamples

Taught = Mapping[str, Tensor]
"""What torchvision's networks learn of one image: `boxes`, axes (lesion, (left, top, right, bottom)), `labels` from 1, and
`masks`, axes (lesion, row, column), where lesions have their pixels."""

_LEAST_SIDE_PIXELS = 1.0
"""A box that is narrower teaches nothing."""


@dataclass(frozen=True)
class DrawnImages:
    """The images of one part with their lesions."""

    images: ImageExamples
    lesions: tuple[tuple[Lesion, ...], ...]
    """Of each image; empty where none is there."""
    kinds: tuple[str, ...]
    has_masks: bool

    def __len__(self) -> int:
        return len(self.images)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of every image."""
        rows, columns = self.images.store.shape[2:]
        return rows, columns

    def batches(self, batch_size: int, seed: int, epoch: int) -> Iterator[NDArray[np.int64]]:
        """Deal all images once, in an order of this epoch's own."""
        return self.images.batches(batch_size, seed, epoch)

    def drawn(self, batch: NDArray[np.int64]) -> Batch:
        """Return images as they are stored, with boxes filled up to one number an image, and the mask of each lesion."""
        lesions = [self.lesions[number] for number in batch]
        n_most = max(1, *map(len, lesions))
        boxes, is_visible = np.zeros((len(batch), n_most, 4), np.float32), np.zeros((len(batch), n_most), bool)
        masks = np.zeros((len(batch), n_most, *self.shape), np.uint8) if self.has_masks else None
        for image, of_image in enumerate(lesions):
            for number, lesion in enumerate(of_image):
                boxes[image, number], is_visible[image, number] = lesion.edges, True
                if masks is not None:
                    masks[image, number] = pixels_of(lesion.runs or (), self.shape)
        return Batch(
            self.images.stored(batch),
            None if masks is None else torch.from_numpy(masks),
            torch.from_numpy(boxes),
            torch.from_numpy(is_visible),
        )

    def taught(self, batch: NDArray[np.int64], moved: Batch) -> list[Taught]:
        """Return what is to be learnt of each image of a batch, after it was moved or as it is."""
        boxes, is_visible = moved.boxes, moved.box_is_visible
        assert boxes is not None
        assert is_visible is not None
        if moved.masks is not None:
            boxes, is_drawn = boxes_around(moved.masks)
            is_visible = is_visible & is_drawn
        is_visible = is_visible & (boxes[..., 2:] - boxes[..., :2] >= _LEAST_SIDE_PIXELS).all(-1)
        lessons: list[Taught] = []
        for place, number in enumerate(batch):
            labels = torch.tensor(
                [self.kinds.index(lesion.kind) + 1 for lesion in self.lesions[number]], device=boxes.device
            )
            stays = is_visible[place]
            one = {"boxes": boxes[place, stays], "labels": labels.long()[stays[: len(labels)]]}
            lessons.append(one if moved.masks is None else one | {"masks": moved.masks[place, stays]})
        return lessons


def boxes_around(masks: Tensor) -> tuple[Tensor, Tensor]:
    """Return the smallest boxes around masks, axes (image, lesion, row, column), and which masks are not empty.

    Boxes are float32, axes (image, lesion, (left, top, right, bottom)); pixel i is from i to i + 1.
    """
    ends = []
    for axis in (2, 3):  # columns are left where the rows are joined, and the other way round
        held = (masks > 0).any(axis)
        first = held.to(torch.uint8).argmax(-1)
        ends.append((first, held.shape[-1] - held.flip(-1).to(torch.uint8).argmax(-1)))
    (left, right), (top, bottom) = ends
    return torch.stack([left, top, right, bottom], -1).float(), (masks > 0).flatten(2).any(-1)


def share_moved_out(examples: DrawnImages, settings: Augmentation, seed: int, n_epochs: int) -> float:
    """Return the share of lesions that teach nothing in an epoch, because less than half of them is left in the moved image."""
    owners = np.repeat(np.arange(len(examples)), [len(lesions) for lesions in examples.lesions])
    edges = [lesion.edges for lesions in examples.lesions for lesion in lesions]
    boxes, keys = torch.tensor(edges).view(-1, 1, 4), examples.images.sample_keys[owners]
    n_left = sum(
        count_boxes_left(boxes, settings, Draws(seed, epoch, keys), examples.shape) for epoch in range(n_epochs)
    )
    return n_left / (len(edges) * n_epochs)


def drawn_lessons(examples: DrawnImages, augment: Augment | None) -> Lesson:
    """Show the images of a batch with their lesions, which move along where the plan changes images at random."""

    def lesson(batch: NDArray[np.int64], epoch: int, device: torch.device) -> tuple[Tensor, list[Taught]]:
        drawn = _on(examples.drawn(batch), device)
        if augment is not None:
            moved = augment(drawn, examples.images.sample_keys[batch], epoch)
            return moved.images, examples.taught(batch, moved)
        return to_unit_range(drawn.images), examples.taught(batch, drawn)

    return lesson


def _on(batch: Batch, device: torch.device) -> Batch:
    moved = (None if part is None else part.to(device) for part in (batch.masks, batch.boxes, batch.box_is_visible))
    return Batch(batch.images.to(device), *moved)
