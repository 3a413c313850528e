"""Answers that are masks: which voxels of an image belong to which structure."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from lucency.domain.cohort import KEPT
from lucency.domain.estimate import Estimate
from lucency.domain.parts import Part
from lucency.domain.segmentation import Configuration
from lucency.evaluation.overlap.case import CaseResult, Emptiness
from lucency.report.answers import masks_figures, masks_limitations, masks_words
from lucency.report.counts import rows_of
from lucency.report.limitations import Limitation
from lucency.report.material import Material

_BETWEEN_STRUCTURES = " + "
"""As the label of an image joins the structures that are drawn on it."""


@dataclass(frozen=True)
class OutlinedCase:
    """A test image with the outlines of the truth (solid) and of the prediction (dashed)."""

    kind: str
    """"worst", "middling", "best" or "false alarm"."""
    image_id: str
    group: str
    caption: str
    """Each structure with its Dice."""
    png: bytes


@dataclass(frozen=True)
class OutlineColours:
    """The colours of a structure in the pictures."""

    structure: str
    truth: str
    predicted: str


@dataclass(frozen=True)
class PostProcessing:
    """Whether only the largest connected part of a structure is kept, and what both ways give on the tuning part."""

    structure: str
    label: int
    keeps_largest_component: bool
    decided_by: str
    """"auto", "always" or "never"."""
    dice_without: float
    dice_with: float


@dataclass(frozen=True)
class EmptyCount:
    """How often a structure of one group is there, and what the network made of it."""

    title: str
    n_there: int
    n_missed: int
    n_not_there: int
    n_false_alarms: int


@dataclass(frozen=True)
class Masks:
    """What the networks outlined on the test part, and what the report shows of it."""

    results: tuple[CaseResult, ...]
    """Of each structure of each test image."""
    configuration: Configuration
    post_processing: tuple[PostProcessing, ...] = ()
    shown: tuple[OutlinedCase, ...] = ()
    colours: tuple[OutlineColours, ...] = ()

    template = "answers/masks.html.j2"
    ensemble = "the mean of their probabilities, pixel by pixel, is the answer"
    shares_told: tuple[str, ...] = ()

    @property
    def structures(self) -> tuple[str, ...]:
        """What is outlined."""
        return self.configuration.structures

    @property
    def groups(self) -> tuple[str, ...]:
        """Subgroups of the images, where the plan names any."""
        return tuple(sorted({result.group for result in self.results if result.group}))

    @property
    def pixel(self) -> str:
        """Return what a mask consists of: pixels of pictures, voxels of volumes."""
        return "voxel" if self.configuration.n_axes == 3 else "pixel"

    def sections(self) -> tuple[tuple[str, str], ...]:
        """List the cases and the configuration."""
        return (("cases", "Cases from worst to best"), ("configuration", "How the segmentation was configured"))

    def counts(self, material: Material, part: Part) -> dict[str, int]:
        """Count the images on which each structure is drawn."""
        chosen = {row.image_id for row in rows_of(material.split, part)}
        drawn = [
            row.target.split(_BETWEEN_STRUCTURES)
            for row in material.labels
            if row.image_id in chosen and row.status == KEPT
        ]
        return {structure: sum(structure in names for names in drawn) for structure in self.structures}

    def n_iterations(self, material: Material) -> int:
        """Count the batches of patches in one epoch."""
        n_patches = len(rows_of(material.split, Part.TRAINING)) * self.configuration.patches_per_image
        return math.ceil(n_patches / self.configuration.batch_size)

    def aim(self) -> str:
        """Say what is outlined."""
        return f"outline {masks_words.join(self.structures)}"

    def decision_sentence(self, material: Material) -> str:  # noqa: ARG002 - as all answers
        """Say how probabilities become masks."""
        return masks_words.decision_sentence(self)

    def result_sentences(self, material: Material) -> list[str]:
        """Say how far the masks overlap, and what was missed."""
        return masks_words.result_sentences(self, material)

    def key_estimates(self, material: Material) -> tuple[Estimate, ...]:
        """Choose the mean Dice of each structure; of a single one, its surface Dice and HD95 as well."""
        return masks_words.key_estimates(self, material)

    def ruler(self, estimate: Estimate) -> tuple[float, float] | None:
        """Overlap goes from 0 to 1; a distance has no worst end."""
        return (0.0, 1.0) if "Dice" in estimate.name else None

    def everything(self, material: Material) -> str:  # noqa: ARG002 - as all answers
        """Name all images; estimates of masks always speak of a structure."""
        return "All images"

    def figures(self, material: Material) -> dict[str, str]:
        """Draw Dice by case, agreement of sizes, and Dice against size."""
        return masks_figures.figures(self, material)

    def limitations(self, material: Material) -> Iterator[Limitation]:
        """Look at what masks hide: units, sides, small structures, misses."""
        return masks_limitations.limitations(self, material)

    def empties(self) -> list[EmptyCount]:
        """Count what is there and what is not, by structure and group."""
        found = []
        for structure in self.structures:
            for group in ("", *self.groups):
                results = self.of(structure, group)
                found.append(
                    EmptyCount(
                        f"{structure}: {group}" if group else structure,
                        sum(result.n_truth > 0 for result in results),
                        sum(result.emptiness is Emptiness.MISSED for result in results),
                        sum(result.n_truth == 0 for result in results),
                        sum(result.emptiness is Emptiness.FALSE_ALARM for result in results),
                    )
                )
        return found

    def of(self, structure: str, group: str = "") -> list[CaseResult]:
        """Return the cases of one structure, of one group or of all."""
        return [
            result for result in self.results if result.structure == structure and (not group or result.group == group)
        ]
