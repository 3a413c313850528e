"""The results of masks as sentences; no result without its interval."""

from dataclasses import replace
from typing import TYPE_CHECKING

from lucency.domain.estimate import Estimate
from lucency.domain.parts import Part
from lucency.evaluation.overlap.summary import ALL_STRUCTURES, FALSE_ALARMS, MISSED
from lucency.report.material import Material
from lucency.report.words import aside, find, quote

if TYPE_CHECKING:
    from lucency.report.answers.masks import Masks

MEAN_DICE = "mean Dice"
_MOST_KEYS = 4


def key_estimates(answers: "Masks", material: Material) -> tuple[Estimate, ...]:
    """Choose the numbers of the key box."""
    if len(answers.structures) == 1:
        wanted = (MEAN_DICE, *_named(material, "mean surface Dice"), *_named(material, "median HD95"))
        of_one = (of_structure(material, name, answers.structures[0]) for name in wanted)
        return tuple(estimate for estimate in of_one if estimate)
    groups = (ALL_STRUCTURES, *answers.structures[: _MOST_KEYS - 1])
    return tuple(_titled(found) for group in groups if (found := of_structure(material, MEAN_DICE, group)))


def decision_sentence(answers: "Masks") -> str:
    """Say how probabilities become masks, and that the test part had no say in it."""
    kept = [one.structure for one in answers.post_processing if one.keeps_largest_component]
    what = "the structure" if len(answers.structures) == 1 else "one of the structures"
    sentence = f"Each {answers.pixel} belongs to what is most probable there: {what} or the background."
    if not kept:
        return sentence
    how = "as the tuning part decided" if answers.post_processing[0].decided_by == "auto" else "as the plan says"
    return f"{sentence} Of {join(kept)} only the largest connected part is kept, {how}."


def result_sentences(answers: "Masks", material: Material) -> list[str]:
    """Say the results of the test part in words that need no statistics."""
    sentences = []
    for structure in answers.structures:
        mean, median = (of_structure(material, name, structure) for name in (MEAN_DICE, "median Dice"))
        if mean is None or mean.value is None:
            sentences.append(f"On no test image is {structure} drawn, so its outline cannot be judged.")
            continue
        sentences.append(f"The mean Dice of {structure} is {quote(mean)}.")
        if median and median.value is not None and abs(median.value - mean.value) > 0.03:
            sentences.append(f"In half of the images it is above {median.value:.3f}: a few cases pull the mean down.")
        sentences += _counted(material, structure)
    return [*sentences, "Dice is twice what both masks share, divided by the sum of both: 1 is the same mask."]


def of_structure(material: Material, name: str, group: str) -> Estimate | None:
    """Return an estimate of the test part."""
    return find(material.estimates, (name.lower(),), Part.TEST, (group,))


def join(names: "tuple[str, ...] | list[str]") -> str:
    """Write names one after the other: a, b and c."""
    return " and ".join((", ".join(names[:-1]), names[-1])) if len(names) > 1 else names[0]


def _named(material: Material, beginning: str) -> tuple[str, ...]:
    """Return the name of the estimate that begins so; its end tells tolerance or unit."""
    return tuple(dict.fromkeys(one.name for one in material.estimates if one.name.startswith(beginning)))[:1]


def _titled(estimate: Estimate) -> Estimate:
    return replace(estimate, name=f"{estimate.name}, {estimate.group}")


def _counted(material: Material, structure: str) -> list[str]:
    missed, alarms = (of_structure(material, name, structure) for name in (MISSED, FALSE_ALARMS))
    told = []
    if missed and missed.numerator:
        told.append(
            f"In {missed.numerator:,} of {missed.denominator:,} images it was missed altogether ({aside(missed)})."
        )
    if alarms and alarms.denominator:
        told.append(
            f"Where there is none, something was outlined in {alarms.numerator:,} of {alarms.denominator:,} images "
            f"({aside(alarms)})."
        )
    return told
