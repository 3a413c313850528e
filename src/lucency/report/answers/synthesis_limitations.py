"""What synthetic images are not, and the weaknesses that their results give away."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from lucency.domain.parts import Part
from lucency.evaluation.synthesis.memorisation import RATIO
from lucency.evaluation.synthesis.variety import COVERAGE, COVERAGE_OF_REAL
from lucency.report import words
from lucency.report.limitations import Limitation
from lucency.report.material import Material

if TYPE_CHECKING:
    from lucency.report.answers.synthesis import SyntheticImages

FEW_SEEDS = 3
FEW_UNSEEN = 200
"""Unseen real images below which copying can only be told when it is gross."""


def limitations(answers: "SyntheticImages", material: Material) -> Iterator[Limitation]:
    """Look for every weakness of the results, the gravest first."""
    yield from _copies(answers, material)
    yield from _collapsed(material)
    yield Limitation(
        "Synthetic images are not patients",
        "They repeat what the training part shows often, and may leave out or invent what is rare. No diagnosis can be checked "
        "on them, because nobody stands behind them: use them to teach networks and people, not to measure either.",
    )
    yield Limitation(
        "Privacy is not proven",
        "That no copy was found among the images that were looked at does not prove that there is none, nor that the weights of "
        "the generator hold nothing of a patient. Only training with a formal guarantee (differential privacy) could.",
    )
    yield from _few_unseen(answers)
    yield Limitation(
        "The judge is the study's own classifier",
        "Distance and coverage are measured in the features by which it tells the classes apart. What it does not look at counts "
        "for little, and values of two studies cannot be compared.",
    )
    yield from _ablation(answers, material)


def _copies(answers: "SyntheticImages", material: Material) -> Iterator[Limitation]:
    ratio = words.find(material.estimates, (RATIO,), Part.TUNING, ("all",))
    if answers.nearness.n_identical or (ratio and ratio.low is not None and ratio.low > 1):
        yield Limitation("The generator copies training images", answers.verdicts["memorisation"])


def _collapsed(material: Material) -> Iterator[Limitation]:
    covered, by_real = (
        words.find(material.estimates, (name,), Part.TEST, ("all",)) for name in (COVERAGE, COVERAGE_OF_REAL)
    )
    if covered and by_real and covered.high is not None and by_real.low is not None and covered.high < by_real.low:
        yield Limitation(
            "The generator leaves kinds of images out (mode collapse)",
            f"Of the test images {words.quote(covered)} have a synthetic neighbour; as many training images cover "
            f"{words.quote(by_real)}.",
        )


def _few_unseen(answers: "SyntheticImages") -> Iterator[Limitation]:
    n_unseen = len(answers.nearness.unseen)
    if n_unseen < FEW_UNSEEN:
        yield Limitation(
            "Few unseen images to compare with",
            f"Copying was looked for with {words.of_images(n_unseen)} of the tuning part; with fewer than {FEW_UNSEEN} only "
            "gross copying can be told.",
        )


def _ablation(answers: "SyntheticImages", material: Material) -> Iterator[Limitation]:
    if not answers.arms:
        yield Limitation(
            "Whether the images are of use was not tried",
            "The plan leaves the ablation out, or the images have no class, so that no classifier learnt from them.",
        )
        return
    if len(answers.arms[0].of_seeds) < FEW_SEEDS:
        yield Limitation(
            "Few seeds",
            "Chance in the training of a classifier can be as large as what synthetic images do; three seeds or more tell them "
            "apart.",
        )
    if material.plan.synthesis.ablation.synthetic_only:
        yield Limitation(
            "Synthetic images hold no new patient",
            "The generator learnt from the very images that the classifier has. What it adds can smooth and balance, but it "
            "cannot know a finding that the training part does not show.",
        )
