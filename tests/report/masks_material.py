"""Fabricate a study of masks: two structures on made-up images, some missed, some marked where nothing is."""

from dataclasses import asdict, replace

import material_factory
import numpy as np
from material_factory import radiograph

from lucency.domain.cohort import LabelRow
from lucency.domain.estimate import Estimate
from lucency.domain.parts import Part
from lucency.domain.plan import Plan
from lucency.domain.segmentation import Choice, Configuration, GreyScale
from lucency.evaluation.overlap.case import CaseResult
from lucency.evaluation.overlap.summary import summarise
from lucency.report.answers.masks import Masks, OutlineColours, OutlinedCase, PostProcessing
from lucency.report.material import Material


def masks(structures: tuple[str, ...] = ("anterior", "posterior"), group: str = "", unit: str = "mm") -> Material:
    """Make a study of structures on 200 patients; with a group, of images of two kinds."""
    made = material_factory.two_classes()
    test = [row for row in made.split if row.part == Part.TEST]
    random = np.random.default_rng(5)
    results = tuple(
        _case(row.image_id, row.patient_id, structure, f"{group} {i % 2 + 1}" if group else "", unit, random)
        for i, row in enumerate(test)
        for structure in structures
    )
    estimates = summarise(results)
    plan = {
        "title": "Two structures",
        "task": "segmentation",
        "data": {
            "images": "i",
            "labels": {"from": "masks", "drawings": {"path": "m"}},
            "patient": "each_image",
            "image": {"volumes": "whole"},
        },
    }
    configuration = Configuration(
        structures, (1.0, 1.0, 1.0), GreyScale("own_range"), (40, 56, 40), (16, 32), ((1, 1, 1), (2, 2, 2)),
        ((3, 3, 3), (3, 3, 3)), 2, 3, (Choice("batch_size", "2", "as many as the memory takes", False),),
    )  # fmt: skip
    colours = (("sky blue", "orange"), ("green", "pink"))
    answers = Masks(
        results,
        configuration,
        tuple(PostProcessing(one, i + 1, i == 0, "auto", 0.8, 0.81) for i, one in enumerate(structures)),
        tuple(OutlinedCase(kind, f"X{kind}", group, "anterior 0.12", radiograph(random, 1)) for kind in KINDS),
        tuple(OutlineColours(one, *pair) for one, pair in zip(structures, colours, strict=False)),
    )
    members = tuple(replace(member, measure="Dice") for member in made.members)
    labels = tuple(LabelRow(row.image_id, " + ".join(structures), "masks", "kept", "") for row in made.split)
    return replace(
        made,
        plan=Plan.model_validate(plan),
        cohort=tuple(replace(row, laterality="") for row in made.cohort),
        labels=labels,
        members=members,
        estimates=tuple(Estimate(**asdict(one)) for one in estimates),
        answers=answers,
    )


KINDS = ("worst", "middling", "best", "false alarm")


def _case(
    image_id: str, patient_id: str, structure: str, group: str, unit: str, random: np.random.Generator
) -> CaseResult:
    n_truth = 0 if random.random() < 0.1 else int(random.integers(200, 3000))
    n_predicted = 0 if random.random() < 0.05 else int(max(n_truth, 100) * random.uniform(0.7, 1.3))
    n_common = int(min(n_truth, n_predicted) * random.uniform(0.6, 1))
    either, both = bool(n_truth or n_predicted), bool(n_truth and n_predicted)
    return CaseResult(
        image_id, patient_id, structure, group, n_truth, n_predicted, n_common, float(n_truth), float(n_predicted),
        "mm³" if unit == "mm" else "pixels",
        dice=2 * n_common / (n_truth + n_predicted) if either else None,
        jaccard=n_common / (n_truth + n_predicted - n_common) if either else None,
        sensitivity=n_common / n_truth if n_truth else None,
        precision=n_common / n_predicted if n_predicted else None,
        hausdorff=float(random.uniform(3, 9)) if both else None,
        hausdorff_95=float(random.uniform(1, 3)) if both else None,
        average_surface_distance=0.5 if both else None,
        surface_dice=float(random.uniform(0.7, 1)) if both else 0.0 if either else None,
        tolerance=1.0,
        distance_unit=unit,
    )  # fmt: skip
