"""Describe the cohort before training: whom it stands for, and what a network could learn from it by mistake."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

import numpy as np
from pydantic import TypeAdapter

from lucency.domain.cohort import CohortRow
from lucency.domain.description import ClinicalJoin, Description, Probe
from lucency.domain.parts import Part
from lucency.domain.plan import Plan
from lucency.domain.regression_plan import Regression
from lucency.study.cohort import (
    CLASSES,
    CLINICAL,
    CLINICAL_FACTS,
    COHORT,
    LABELS,
    SPLIT,
    STORE,
    classes_of,
    numbers_of,
    split_rows_of,
    targets_of,
)
from lucency.study.folder import StudyFolder
from lucency.study.medium import labelled_images
from lucency.study.plan import as_settings
from lucency.study.stage import Stage, Study

if TYPE_CHECKING:  # SciPy takes half a second to import; only stages that need it do
    from lucency.evaluation.representativeness import Cohort
    from lucency.evaluation.shortcuts import ProbedImages

DESCRIPTION = "description.json"
N_AT_ONCE = 256
"""Images that are read from the store at a time."""


def read_description(folder: StudyFolder) -> Description:
    """Return the description that the stage wrote."""
    return TypeAdapter(Description).validate_python(folder.read_json(DESCRIPTION))


def _describe(study: Study, key: str) -> Iterable[str]:  # noqa: ARG001 - every stage is given its key
    """Describe the cohort; the test part only by its headers and the numbers of its classes."""
    from lucency.evaluation.representativeness import describe_cohort
    from lucency.report.representativeness import tables_of

    plan, folder = study.plan, study.folder
    probes = _probe(study) if _has_probes(plan) else ()
    joined = TypeAdapter(ClinicalJoin).validate_python(folder.read_json(CLINICAL_FACTS)) if plan.data.clinical else None
    description = describe_cohort(_cohort(study, joined), plan.data.population, probes, joined, plan.evaluation.level)
    for sentence in _findings(description):
        study.desk.say(sentence)
    tables = tables_of(description)
    return [
        folder.write_json(DESCRIPTION, asdict(description)),
        *(folder.write_table(f"tables/{name}.csv", header, rows) for name, (header, rows) in tables.items()),
    ]


def _cohort(study: Study, joined: ClinicalJoin | None) -> "Cohort":
    """Gather what is known of all labelled images."""
    from lucency.evaluation.representativeness import Cohort, clinical_variables

    folder = study.folder
    rows = {row.image_id: row for row in folder.read_rows(COHORT, CohortRow)}
    split = split_rows_of(folder)
    cohort = Cohort(
        parts={part: [rows[row.image_id] for row in split if row.part == part] for part in Part},
        targets=targets_of(folder),
        classes=classes_of(study),
        clinical=clinical_variables(joined.columns, folder.read_table(CLINICAL)) if joined else (),
        unit=study.plan.unit,
    )
    return _in_thirds(cohort, study.plan.regression, folder) if study.plan.regression else cohort


def _in_thirds(cohort: "Cohort", regression: Regression, folder: StudyFolder) -> "Cohort":
    """Group images by thirds of their number, as those outside the test part tell them."""
    from lucency.evaluation.number_groups import thirds_of
    from lucency.evaluation.table_one import Variable

    numbers = numbers_of(folder)
    thirds = thirds_of(numbers, [row.image_id for row in cohort.open_images], regression.unit)
    measured = Variable(regression.as_title, lambda row: repr(numbers[row.image_id]), is_number=True)
    return replace(cohort, targets=thirds.of_image, classes=thirds.names, measured=measured)


def _probe(study: Study) -> tuple[Probe, ...]:
    from lucency.evaluation.shortcuts import find_shortcuts

    asked = "whether the number lies above the median" if study.plan.regression else "the label"
    return find_shortcuts(_probed_images(study), study.plan.seed, study.plan.evaluation.level, asked)


def _probed_images(study: Study) -> "ProbedImages":
    """Take coarse features from the images of the training and tuning parts."""
    from lucency.data.store import open_store
    from lucency.evaluation.shortcuts import ProbedImages

    images = [(part, image) for part in (Part.TRAINING, Part.TUNING) for image in labelled_images(study, part)]
    store = open_store(study.folder.path / "store")
    store_rows = np.array([image.store_row for _, image in images])
    coarse = [_coarse(store.images[some], store.white) for some in _portions(store_rows)]
    return ProbedImages(
        images=[image for _, image in images],
        parts=[part for part, _ in images],
        targets=_told(study, [image.image_id for _, image in images]),
        border=np.concatenate([border for border, _ in coarse]),
        thumbnail=np.concatenate([thumbnail for _, thumbnail in coarse]),
    )


def _told(study: Study, image_ids: Sequence[str]) -> np.ndarray:
    """Return what probes try to tell of each image: the number of its class, or whether its number is above the median."""
    if study.plan.regression:
        numbers = numbers_of(study.folder)
        values = np.array([numbers[image_id] for image_id in image_ids])
        return (values > np.median(values)).astype(np.int64)
    target, classes = targets_of(study.folder), classes_of(study)
    return np.array([classes.index(target[image_id]) for image_id in image_ids])


def _coarse(pictures: np.ndarray, white: int) -> tuple[np.ndarray, np.ndarray]:
    from lucency.evaluation.shortcuts import border_features, thumbnail_features

    return border_features(pictures, white), thumbnail_features(pictures, white)


def _portions(rows: np.ndarray) -> Iterator[np.ndarray]:
    return (rows[start : start + N_AT_ONCE] for start in range(0, len(rows), N_AT_ONCE))


def _findings(description: Description) -> Iterator[str]:
    """Say what should be known before training."""
    found = [probe for probe in description.probes if probe.verdict == "found"]
    if description.probes:
        asked = [probe for probe in description.probes if probe.verdict != "unknown"]
        yield f"Shortcuts: {len(found)} of {len(asked)} probes found one."
    yield from (f"{probe.question} {_auc(probe)}. {probe.text}" for probe in found)
    different = [comparison for comparison in description.comparisons if comparison.verdict == "different"]
    yield from (f"{comparison.variable}: {comparison.text}" for comparison in different)


def _auc(probe: Probe) -> str:
    estimate = probe.estimate
    return f"AUC {estimate.value:.2f} ({estimate.low:.2f}–{estimate.high:.2f})"


def _reads(plan: Plan) -> list[str]:
    clinical = [CLINICAL, CLINICAL_FACTS] if plan.data.clinical else []
    return [COHORT, LABELS, CLASSES, SPLIT, *clinical, *(STORE if _has_probes(plan) else [])]


def _has_probes(plan: Plan) -> bool:
    return plan.describe.probes and plan.unit == "image"  # borders and thumbnails are of images


DESCRIBE = Stage(
    "describe",
    "The cohort is described.",
    lambda study: (
        ({"regression": as_settings(study.plan.regression)} if study.plan.regression else {})
        | {
            "describe": as_settings(study.plan.describe),
            "population": as_settings(study.plan.data.population) if study.plan.data.population else None,
            "level": study.plan.evaluation.level,
            "seed": study.plan.seed,
        }
    ),
    _reads,
    _describe,
)
