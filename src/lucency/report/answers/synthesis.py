"""Answers that are images: what a generator made, how it learnt, and what its images are worth."""

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from lucency.domain.estimate import Estimate
from lucency.domain.parts import Part
from lucency.evaluation.synthesis.memorisation import RATIO
from lucency.report.answers import synthesis_figures, synthesis_limitations
from lucency.report.counts import rows_of
from lucency.report.limitations import Limitation
from lucency.report.material import Layer, Material, Picture
from lucency.report.words import count, find

MODELS = {"dcgan": "DCGAN", "wgan_gp": "WGAN-GP"}


@dataclass(frozen=True)
class Round:
    """One epoch of the contest between generator and discriminator."""

    epoch: int
    generator_cost: float | None
    discriminator_cost: float
    score_real: float
    score_synthetic: float
    tuning_kid: float
    seconds: float


@dataclass(frozen=True)
class Arm:
    """What classifiers that learnt from one kind of images made of the test part."""

    name: str
    auc: Estimate
    of_seeds: tuple[float, ...]
    difference: Estimate | None
    """From the arm with real images only."""


@dataclass(frozen=True)
class Nearness:
    """How near images lie to their nearest training image, as shares of the grey scale."""

    synthetic: tuple[float, ...]
    unseen: tuple[float, ...]
    """Real images of the tuning part."""
    suspect_below: float
    n_identical: int


@dataclass(frozen=True)
class SyntheticImages:
    """What the generator made, and what the report shows of it."""

    classes: tuple[str, ...]
    model: str
    rounds: tuple[Round, ...]
    best_epoch: int
    generator_layers: tuple[Layer, ...]
    discriminator_layers: tuple[Layer, ...]
    kept: tuple[Picture, ...]
    """The sheet of the generator that was kept."""
    sheets: tuple[Picture, ...]
    """The same noise in the epochs before."""
    pairs: tuple[Picture, ...]
    """Synthetic images beside their nearest training image: first the nearest of all, then as many from the middle."""
    walks: tuple[Picture, ...]
    nearness: Nearness
    arms: tuple[Arm, ...]
    """Empty where the plan has no ablation."""
    verdicts: Mapping[str, str]
    """Plain words on distance, memorisation, variety and ablation; empty where there was nothing to judge."""

    template = "answers/synthesis.html.j2"
    ensemble = "one generator makes the images"

    @property
    def shares_told(self) -> tuple[str, ...]:
        """Of two classes, the share of one tells all."""
        return self.classes[1:] if len(self.classes) == 2 else self.classes

    def sections(self) -> tuple[tuple[str, str], ...]:
        """List memorisation, the ablation where there is one, and the walk."""
        use = (("ablation", "Are synthetic images of use?"),) if self.arms else ()
        return (("memorisation", "Memorisation"), *use, ("walk", "A walk through the noise"))

    def counts(self, material: Material, part: Part) -> dict[str, int]:
        """Count the images of each class."""
        label_of = {row.image_id: row for row in material.labels}
        rows = rows_of(material.split, part)
        found = Counter(label_of[row.image_id].in_part(part) for row in rows if row.image_id in label_of)
        return {name: found[name] for name in self.classes}

    def n_iterations(self, material: Material) -> int:
        """Count the batches in which the classifier sees each training image once."""
        return math.ceil(len(rows_of(material.split, Part.TRAINING)) / material.plan.training.batch_size)

    def aim(self) -> str:
        """Say what the classifier tells apart, and whose images it judges."""
        classes = f"{', '.join(self.classes[:-1])} and {self.classes[-1]}"
        sizes = [count(sum(layer.n_parameters for layer in layers)) for layers in self._both]
        return (
            f"tell {classes} apart; through its eyes the images of a {MODELS[self.model]} were judged (generator with {sizes[0]} "
            f"parameters, discriminator with {sizes[1]})"
        )

    @property
    def _both(self) -> tuple[tuple[Layer, ...], tuple[Layer, ...]]:
        return self.generator_layers, self.discriminator_layers

    def decision_sentence(self, material: Material) -> str:
        """Say which generator made the images."""
        why = "chosen on the tuning part" if material.plan.synthesis.select_by == "kid" else "the last"
        return (
            f"The images were made by the generator of epoch {self.best_epoch}, {why}; it was frozen before the test part was "
            "opened."
        )

    def result_sentences(self, material: Material) -> list[str]:  # noqa: ARG002 - as all answers
        """Say the verdicts, which name their intervals in the key box and the table."""
        return [
            self.verdicts[name] for name in ("distance", "memorisation", "variety", "ablation") if self.verdicts[name]
        ]

    def key_estimates(self, material: Material) -> tuple[Estimate, ...]:
        """Choose distance, memorisation and, where there is an ablation, its difference."""
        distance = find(material.estimates, ("kid",), Part.TEST, ("all",))
        ratio = find(material.estimates, (RATIO,), Part.TUNING, ("all",))
        difference = next((arm.difference for arm in self.arms if arm.difference), None)
        return tuple(estimate for estimate in (distance, ratio, difference) if estimate)

    def ruler(self, estimate: Estimate) -> tuple[float, float] | None:
        """Show a difference of AUCs between −0.1 and 0.1; the others have no natural ends."""
        return (-0.1, 0.1) if estimate.name.startswith("AUC difference") else None

    def everything(self, material: Material) -> str:  # noqa: ARG002 - as all answers
        """Name all images."""
        return "All images"

    def figures(self, material: Material) -> dict[str, str]:  # noqa: ARG002 - as all answers
        """Draw the costs of both networks, the distance by epoch, and how near images lie to training images."""
        return synthesis_figures.figures(self)

    def limitations(self, material: Material) -> Iterator[Limitation]:
        """Say what synthetic images are not, and what the results give away."""
        return synthesis_limitations.limitations(self, material)

    def n_of_middle(self) -> int:
        """Count the pairs that were taken from the middle."""
        return len(self.pairs) // 2
