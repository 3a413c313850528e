"""The ensemble's marks: marks of several members that lie on one another become one (Solovyev, Wang & Gabruseva 2021)."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from lucency.domain.detections import Detections, Mark
from lucency.evaluation.detection.matching import box_overlaps


def fused(members: Sequence[Detections], name: str, least_overlap: float = 0.5) -> Detections:
    """Join the marks of all members in each image; one member's marks stay as they are.

    Marks of one kind that overlap by more than `least_overlap` make one mark. Its score is the sum of the best score of each
    member over the number of members, so that a mark that one member alone sets counts little; its box is the mean weighted
    by the scores; its mask is that of the surest member.
    """
    images = zip(*(member.marks for member in members), strict=True)
    marks = tuple(_fused_in_image(of_members, least_overlap) for of_members in images)
    return replace(members[0], member=name, marks=members[0].marks if len(members) == 1 else marks)


def _fused_in_image(of_members: Sequence[Sequence[Mark]], least_overlap: float) -> tuple[Mark, ...]:
    by_score = sorted(
        ((mark, member) for member, marks in enumerate(of_members) for mark in marks), key=lambda pair: -pair[0].score
    )
    groups: list[list[tuple[Mark, int]]] = []
    for mark, member in by_score:
        group = next((group for group in groups if _belongs(mark, group[0][0], least_overlap)), None)
        if group is None:
            groups.append([(mark, member)])
        else:
            group.append((mark, member))
    joined = [_joined(group, len(of_members)) for group in groups]
    return tuple(sorted(joined, key=lambda mark: -mark.score))


def _belongs(mark: Mark, first: Mark, least_overlap: float) -> bool:
    return mark.kind == first.kind and bool(box_overlaps([mark.edges], [first.edges])[0, 0] > least_overlap)


def _joined(group: Sequence[tuple[Mark, int]], n_members: int) -> Mark:
    best: dict[int, float] = {}
    for mark, member in group:
        best.setdefault(member, mark.score)
    edges = np.average([mark.edges for mark, _ in group], axis=0, weights=[mark.score for mark, _ in group])
    left, top, right, bottom = map(float, edges)
    return replace(group[0][0], score=sum(best.values()) / n_members, edges=(left, top, right, bottom))
