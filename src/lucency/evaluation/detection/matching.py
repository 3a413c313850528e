"""Hold the marks of a network against the lesions that are there.

Marks of an image come in the order of their score, the highest first. Each takes the lesion of its kind that it overlaps
most among those that no earlier mark has taken; a mark that takes none is a false positive, so that the second mark on one
lesion is a false positive as well (Everingham et al., IJCV 2010; Lin et al., ECCV 2014).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from lucency.domain.detection_plan import Hit
from lucency.domain.detections import Detections, Edges, Lesion, Mark, pixels_of
from lucency.evaluation.intervals import patient_codes

Place = TypeVar("Place", Lesion, Mark)

NO_LESION = -1


@dataclass(frozen=True)
class Matched:
    """All marks of one part with the lesions that they hit. Marks are in the order of their score, the highest first."""

    patients: NDArray[np.int64]
    """Number of the patient, axis (image)."""
    image_of_lesion: NDArray[np.int64]
    """Axis (lesion)."""
    marks: NDArray[np.int64]
    """Number of each mark in the order of the images, axis (mark)."""
    image_of_mark: NDArray[np.int64]
    """Axis (mark)."""
    scores: NDArray[np.float64]
    """Axis (mark)."""
    lesion_of_mark: NDArray[np.int64]
    """Number of the lesion that was hit, or `NO_LESION`, axis (mark)."""

    @property
    def n_images(self) -> int:
        """Images with and without lesions."""
        return self.patients.size

    @property
    def n_lesions(self) -> int:
        """Lesions of all images."""
        return self.image_of_lesion.size

    @property
    def is_hit(self) -> NDArray[np.bool_]:
        """Tell which marks hit a lesion, axis (mark)."""
        return self.lesion_of_mark != NO_LESION

    @property
    def lesions_per_image(self) -> NDArray[np.int64]:
        """Count the lesions, axis (image)."""
        return np.bincount(self.image_of_lesion, minlength=self.n_images)

    @property
    def score_of_lesion(self) -> NDArray[np.float64]:
        """Return the score of the mark that hit each lesion, −∞ where none did, axis (lesion)."""
        scores = np.full(self.n_lesions, -np.inf)
        scores[self.lesion_of_mark[self.is_hit]] = self.scores[self.is_hit]
        return scores

    def highest_scores(self, *, of_false_positives: bool) -> NDArray[np.float64]:
        """Return the highest score of the marks of each image, or of its false positives, −∞ without any, axis (image)."""
        highest = np.full(self.n_images, -np.inf)
        chosen = ~self.is_hit if of_false_positives else np.ones(self.scores.size, bool)
        np.maximum.at(highest, self.image_of_mark[chosen], self.scores[chosen])
        return highest

    def of_lesions(self, chosen: NDArray[np.bool_]) -> "Matched":
        """Keep some of the lesions, axis (lesion); marks that hit one of the others are left out, and are no false alarms."""
        numbers = np.where(chosen, np.cumsum(chosen) - 1, NO_LESION)
        stays = ~self.is_hit | chosen[self.lesion_of_mark]
        return Matched(
            self.patients,
            self.image_of_lesion[chosen],
            self.marks[stays],
            self.image_of_mark[stays],
            self.scores[stays],
            np.where(self.is_hit, numbers[self.lesion_of_mark], NO_LESION)[stays],
        )


def match(detections: Detections, hit: Hit, kind: str | None = None, *, by_mask: bool = False) -> Matched:
    """Match the marks of every image, of one kind or of all; a mark never hits a lesion of another kind.

    With `by_mask`, overlap is that of the masks and not of the boxes.
    """
    images, lesions_before = [], 0
    for lesions, marks in zip(detections.lesions, detections.marks, strict=True):
        of_image = _of_kind(lesions, kind), _of_kind(marks, kind)
        hits = _match_image(*of_image, hit, detections.shape if by_mask else None)
        images.append((len(of_image[0]), [mark.score for mark in of_image[1]], hits + lesions_before * (hits >= 0)))
        lesions_before += len(of_image[0])
    scores = np.concatenate([np.array(scores, float) for _, scores, _ in images] or [np.empty(0)])
    hits = np.concatenate([hits for _, _, hits in images] or [np.empty(0, np.int64)])
    order = np.argsort(-scores, kind="stable")
    numbers = np.arange(len(images))
    return Matched(
        patient_codes(detections.patient_ids),
        np.repeat(numbers, [n_lesions for n_lesions, _, _ in images]),
        order,
        np.repeat(numbers, [len(scores) for _, scores, _ in images])[order],
        scores[order],
        hits[order],
    )


def _of_kind(several: Sequence[Place], kind: str | None) -> list[Place]:
    return [one for one in several if kind is None or one.kind == kind]


def _match_image(
    lesions: Sequence[Lesion], marks: Sequence[Mark], hit: Hit, mask_shape: tuple[int, int] | None
) -> NDArray[np.int64]:
    """Return the number of the lesion that each mark hits, or `NO_LESION`; the marks fall by their score."""
    hits = np.full(len(marks), NO_LESION)
    if not lesions or not marks:
        return hits
    if mask_shape is None:
        overlaps = box_overlaps([mark.edges for mark in marks], [lesion.edges for lesion in lesions])
    else:
        overlaps = mask_overlaps(marks, lesions, mask_shape)
    is_near = overlaps >= hit.least_overlap - 1e-10 if hit.rule == "overlap" else _centres_inside(marks, lesions)
    is_near &= np.array([[mark.kind == lesion.kind for lesion in lesions] for mark in marks])
    is_free = np.ones(len(lesions), bool)
    for number in range(len(marks)):
        within_reach = np.flatnonzero(is_near[number] & is_free)
        if within_reach.size:
            hits[number] = within_reach[overlaps[number, within_reach].argmax()]
            is_free[hits[number]] = False
    return hits


def box_overlaps(some: Sequence[Edges], others: Sequence[Edges]) -> NDArray[np.float64]:
    """Return the intersection over union of each pair of boxes, axes (one, other)."""
    a, b = np.array(some, float).reshape(-1, 1, 4), np.array(others, float).reshape(1, -1, 4)
    sides = np.minimum(a[..., 2:], b[..., 2:]) - np.maximum(a[..., :2], b[..., :2])
    both = sides.clip(min=0).prod(-1)
    either = (a[..., 2:] - a[..., :2]).prod(-1) + (b[..., 2:] - b[..., :2]).prod(-1) - both
    return np.divide(both, either, out=np.zeros_like(both), where=either > 0)


def mask_overlaps(marks: Sequence[Mark], lesions: Sequence[Lesion], shape: tuple[int, int]) -> NDArray[np.float64]:
    """Return the intersection over union of the pixels of each mark and each lesion, axes (mark, lesion)."""
    a, b = (
        np.stack([pixels_of(one.runs or (shape[0] * shape[1],), shape).ravel() for one in several]).astype(np.float32)
        for several in (marks, lesions)
    )
    both = (a @ b.T).astype(np.float64)
    either = a.sum(1)[:, None] + b.sum(1) - both
    return np.divide(both, either, out=np.zeros_like(both), where=either > 0)


def _centres_inside(marks: Sequence[Mark], lesions: Sequence[Lesion]) -> NDArray[np.bool_]:
    """Tell which lesions' boxes hold the middle of which mark's box, axes (mark, lesion)."""
    a, b = np.array([mark.edges for mark in marks]), np.array([lesion.edges for lesion in lesions])
    centre = (a[:, None, :2] + a[:, None, 2:]) / 2
    return np.asarray(((centre >= b[None, :, :2]) & (centre <= b[None, :, 2:])).all(-1))
