"""The limitations that masks give away: units, sides, small structures, misses, few cases."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from lucency.evaluation.overlap.case import CaseResult
from lucency.report import words
from lucency.report.limitations import Limitation, sides_are_known, wide_intervals
from lucency.report.material import Material

if TYPE_CHECKING:
    from lucency.report.answers.masks import Masks

FEW_CASES = 30
WIDE_INTERVAL = 0.1
MANY_MISSED = 0.05
SMALL = 100
"""Pixels or voxels below which one row more or less moves the Dice by several hundredths."""


def limitations(answers: "Masks", material: Material) -> Iterator[Limitation]:
    """Look for every weakness of the results, the gravest first."""
    yield from _few_cases(answers)
    yield from wide_intervals((e for e in answers.key_estimates(material) if "Dice" in e.name), WIDE_INTERVAL)
    yield from _missed(answers)
    yield from _alarms(answers)
    yield from _small(answers)
    yield from _sides(material)
    yield from _pixels(answers)


def _few_cases(answers: "Masks") -> Iterator[Limitation]:
    counts = {structure: len(_there(answers, structure)) for structure in answers.structures}
    rarest = min(counts, key=lambda structure: counts[structure])
    if counts[rarest] < FEW_CASES:
        yield Limitation(
            "Few test images of a structure",
            f"On {words.of_images(counts[rarest])} of the test part {rarest} is drawn. One bad outline more would change the "
            f"mean visibly; {FEW_CASES} or more are advisable.",
        )


def _missed(answers: "Masks") -> Iterator[Limitation]:
    for one in answers.empties():
        if one.title in answers.structures and one.n_missed > MANY_MISSED * one.n_there:
            yield Limitation(
                "Structures were missed altogether",
                f"In {one.n_missed:,} of {words.of_images(one.n_there)} with {one.title} nothing was outlined. They count as "
                "Dice 0; distances leave them out and look better than they are.",
            )


def _alarms(answers: "Masks") -> Iterator[Limitation]:
    for one in answers.empties():
        if one.title in answers.structures and one.n_false_alarms:
            yield Limitation(
                "Something was outlined where nothing is",
                f"In {one.n_false_alarms:,} of {words.of_images(one.n_not_there)} without {one.title} something was outlined. "
                "The Dice speaks only of images with a structure and does not know of it.",
            )


def _small(answers: "Masks") -> Iterator[Limitation]:
    small = {}
    for structure in answers.structures:
        sizes = [result.n_truth for result in _there(answers, structure)]
        if sizes and np.median(sizes) < SMALL:
            small[structure] = round(float(np.median(sizes)))
    if small:
        listed = ", ".join(f"{structure} (median {n} {answers.pixel}s)" for structure, n in small.items())
        yield Limitation(
            "Small structures",
            f"{listed}: one row of {answers.pixel}s more or less changes the Dice by several hundredths. The surface Dice is "
            "fairer here.",
        )


def _sides(material: Material) -> Iterator[Limitation]:
    patient = material.plan.data.patient
    if not sides_are_known(material) and patient is not None and patient.from_ == "each_image":
        yield Limitation(
            "Left and right are not marked",
            "The images do not tell which side they show. If both sides of one person came as two images, one may have taught "
            "the network what it was tested on with the other.",
        )


def _pixels(answers: "Masks") -> Iterator[Limitation]:
    images = {result.image_id for result in answers.results if result.distance_unit == "pixels"}
    if images:
        yield Limitation(
            "Measured in pixels",
            f"The spacing is not known of {words.of_images(len(images))}: distances and sizes are in pixels and do not compare "
            "with those of other studies.",
        )


def _there(answers: "Masks", structure: str) -> list[CaseResult]:
    return [result for result in answers.of(structure) if result.n_truth]
