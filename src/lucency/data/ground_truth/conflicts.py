"""Find pictures that are in the cohort more than once, under different labels: at least one label is wrong."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lucency.domain.cohort import CohortRow, LabelRow
from lucency.domain.label_audit import Doubt


@dataclass(frozen=True)
class Conflict:
    """Images that show one picture and contradict each other."""

    name: str
    doubt: Doubt
    images: tuple[CohortRow, ...]
    labels: tuple[str, ...]


def find_conflicts(
    cohort: Sequence[CohortRow], labels: Sequence[LabelRow], open_labels: Mapping[str, str]
) -> list[Conflict]:
    """Return equal images that were set aside for their labels, then near-duplicates with different labels.

    Of the near-duplicates, only those with `open_labels` (image identifier → class; the training and tuning parts) are
    looked at.
    """
    set_aside_labels = {row.image_id: row.target for row in labels if row.reason == "E_CONFLICT"}
    label_of = {**set_aside_labels, **open_labels}
    set_aside = [image for image in cohort if image.image_id in set_aside_labels]
    kept = [image for image in cohort if image.image_id in open_labels and image.lookalike]
    equal = _grouped(set_aside, [image.pixel_sha256 for image in set_aside])
    alike = _grouped(kept, [image.lookalike for image in kept])
    named = [(f"C{number:04d}", Doubt.EQUAL_IMAGES, group) for number, group in enumerate(equal.values(), start=1)]
    named += [(name, Doubt.NEAR_DUPLICATES, group) for name, group in sorted(alike.items())]
    found = [
        Conflict(name, doubt, tuple(group), tuple(label_of[image.image_id] for image in group))
        for name, doubt, group in named
    ]
    return [conflict for conflict in found if len(set(conflict.labels)) > 1]


def _grouped(images: Sequence[CohortRow], keys: Sequence[str]) -> dict[str, list[CohortRow]]:
    groups: defaultdict[str, list[CohortRow]] = defaultdict(list)
    for image, key in sorted(zip(images, keys, strict=True), key=lambda pair: pair[0].source):
        groups[key].append(image)
    return groups
