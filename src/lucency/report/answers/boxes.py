"""Answers that are marks on images: boxes around lesions, with masks in them or without."""

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from lucency.domain.detection_plan import Hit
from lucency.domain.detections import Detections
from lucency.domain.estimate import Estimate
from lucency.domain.parts import Part
from lucency.evaluation.detection.matching import Matched, match
from lucency.evaluation.detection.operating_point import MarkThreshold
from lucency.evaluation.detection.results import SizeBands
from lucency.report import words
from lucency.report.answers import boxes_figures, boxes_limitations
from lucency.report.counts import rows_of
from lucency.report.limitations import Limitation
from lucency.report.material import Material, Picture

SENSITIVITY, ALARMS, FROC = ("lesion-wise sensitivity",), ("false positives per image",), ("froc score",)
PRECISION, IMAGE_AUC, DICE = ("average precision at iou 0.5",), ("image-level auc",), ("mask dice of hits",)
WITHOUT = "images without lesions"


@dataclass(frozen=True)
class AnchorFacts:
    """The anchors, and how well they fit the lesions of the training part."""

    sizes: tuple[tuple[float, ...], ...]
    """Pixels, axes (level, size)."""
    ratios: tuple[float, ...]
    """Height over width."""
    n_lesions: int
    share_well_covered: float
    """Share of the lesions that some anchor overlaps by half."""
    share_moved_out: float = 0.0
    """Share of the lesions that augmentation moves out of the image in an epoch."""


@dataclass(frozen=True)
class Boxes:
    """What the networks marked on the tuning and test parts, and what the report shows of it."""

    tuning: Detections
    """The ensemble's marks on the tuning part."""
    test: Detections
    """The ensemble's marks on the test part."""
    point: MarkThreshold
    hit: Hit
    """When a mark is a hit."""
    bands: SizeBands
    anchors: AnchorFacts
    has_masks: bool
    """True where the network learnt masks."""
    kinds_of_image: Mapping[str, tuple[str, ...]]
    """Labelled image → the kind of each of its lesions."""
    hits: tuple[Picture, ...] = ()
    misses: tuple[Picture, ...] = ()
    false_alarms: tuple[Picture, ...] = ()

    template = "answers/boxes.html.j2"
    ensemble = "marks of theirs that lie on one another become one"
    shares_told = ()

    @property
    def name(self) -> str:
        """Name the network that finds."""
        return "Mask R-CNN" if self.has_masks else "Faster R-CNN"

    @property
    def noun(self) -> str:
        """What is looked for, in words: "lesions", or the names of several kinds."""
        kinds = self.test.kinds
        return " and ".join((", ".join(kinds[:-1]), kinds[-1])) if len(kinds) > 1 else f"every {kinds[0]}"

    def matched(self) -> Matched:
        """Hold the marks on the test part against its lesions."""
        return match(self.test, self.hit)

    def sections(self) -> tuple[tuple[str, str], ...]:
        """List the section that shows hits and errors."""
        return (("errors", "Hits, misses and false alarms"),)

    def counts(self, material: Material, part: Part) -> dict[str, int]:
        """Count the lesions of each kind, and the images without any."""
        of_part = [self.kinds_of_image[row.image_id] for row in rows_of(material.split, part)]
        found = Counter(kind for kinds in of_part for kind in kinds)
        one = len(self.test.kinds) == 1
        return {("lesions" if one else kind): found[kind] for kind in self.test.kinds} | {
            WITHOUT: sum(not kinds for kinds in of_part)
        }

    def n_iterations(self, material: Material) -> int:
        """Count the batches that hold each training image once."""
        return math.ceil(len(rows_of(material.split, Part.TRAINING)) / material.plan.training.batch_size)

    def aim(self) -> str:
        """Say what is looked for."""
        return f"mark {self.noun}, as the backbone of {self.name}"

    def decision_sentence(self, material: Material) -> str:  # noqa: ARG002 - as all answers
        """Say from which score on a mark counts, and when it is a hit."""
        rule = (
            f"its box and that of a lesion share at least {words.proportion(self.hit.least_overlap, 0)} of what they cover "
            "together"
            if self.hit.rule == "overlap"
            else "the middle of its box lies inside that of a lesion"
        )
        return (
            f"A mark counts from a score of {self.point.threshold:.3f}. This threshold was chosen on the tuning part before the "
            f"test part was opened, by the rule: {self.point.rule}. A mark is a hit when {rule}; each lesion is hit once, and "
            "whatever else is marked is a false positive."
        )

    def result_sentences(self, material: Material) -> list[str]:
        """Say what was found, what it cost, and how good masks and images are told."""
        found, alarms, froc, auc, dice = (
            words.find(material.estimates, names, Part.TEST, ("all",))
            for names in (SENSITIVITY, ALARMS, FROC, IMAGE_AUC, DICE)
        )
        sentences = []
        if found and alarms and found.value is not None:
            sentences.append(
                f"Of {found.denominator:,} test lesions, the network found {found.numerator:,} (sensitivity "
                f"{words.aside(found)}), at {words.quote(alarms)} false positives an image."
            )
        if froc and froc.value is not None:
            sentences.append(
                f"Averaged over thresholds that allow from 1/8 to 8 false positives an image, it found {words.quote(froc)} "
                "of the lesions (FROC score)."
            )
        if auc and auc.value is not None:
            sentences.append(
                f"The highest mark of an image told images with lesions from others with an AUC of {words.quote(auc)}."
            )
        if dice and dice.value is not None:
            sentences.append(
                f"Where it hit, its mask and the drawn one agreed with a mean Dice of {words.quote(dice)}."
            )
        return sentences

    def key_estimates(self, material: Material) -> tuple[Estimate, ...]:
        """Choose sensitivity, false positives an image, and the FROC score."""
        found = (words.find(material.estimates, names, Part.TEST, ("all",)) for names in (SENSITIVITY, ALARMS, FROC))
        return tuple(estimate for estimate in found if estimate)

    def ruler(self, estimate: Estimate) -> tuple[float, float] | None:
        """Give shares a ruler from 0 to 1; a rate of false positives has no end."""
        return None if estimate.name.lower() in ALARMS else (0.0, 1.0)

    def everything(self, material: Material) -> str:  # noqa: ARG002 - as all answers
        """Name what the estimates speak of."""
        return "All lesions"

    def figures(self, material: Material) -> dict[str, str]:
        """Draw FROC and AFROC curves."""
        return boxes_figures.figures(self, material.plan)

    def limitations(self, material: Material) -> Iterator[Limitation]:
        """Look at numbers, intervals, small lesions and the threshold."""
        return boxes_limitations.limitations(self, material)

    def by_size(self, material: Material) -> list[Estimate]:
        """Return the sensitivity for each size of lesions on the test part."""
        found = (words.find(material.estimates, SENSITIVITY, Part.TEST, (name,)) for name in self.bands.names)
        return [estimate for estimate in found if estimate]

    def count_marks(self) -> tuple[int, int, int]:
        """Count hits, misses and false alarms on the test part at the threshold."""
        matched = self.matched()
        counts = matched.scores >= self.point.threshold
        n_hits = int((counts & matched.is_hit).sum())
        return n_hits, matched.n_lesions - n_hits, int((counts & ~matched.is_hit).sum())
