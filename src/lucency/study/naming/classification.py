"""The task of classification: to name the class of an image."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, cast

import numpy as np

from lucency.domain.cohort import CohortRow
from lucency.domain.parts import Part
from lucency.study.cohort import COHORT, STORE
from lucency.study.image_medium import IMAGES
from lucency.study.medium import labelled_images
from lucency.study.naming.classes import (
    ENSEMBLE,
    OPERATING_POINT,
    PREDICTIONS,
    examples_of,
    naming_classes,
    read_operating_points,
    stages_of_classes,
)
from lucency.study.plan import as_settings
from lucency.study.stage import Stage, Study
from lucency.study.tables import read_predictions
from lucency.study.training import files_of_networks, load_member, members

if TYPE_CHECKING:  # torch takes seconds to import; only stages that need it do
    from lucency.study.pictures import Said
    from lucency.training.examples import ImageExamples

NAMING = naming_classes(IMAGES)
TRAIN, PREDICT, EVALUATE = stages_of_classes(IMAGES, NAMING)


def _explain(study: Study, key: str) -> Iterable[str]:  # noqa: ARG001 - every stage is given its key
    """Show the most confident errors, and what the network looked at."""
    from lucency.study.pictures import show_errors, show_saliency

    opening = study.folder.last_opening()
    said = _said(study, labelled_images(study, Part.TEST, opening))
    examples = cast("ImageExamples", examples_of(IMAGES, study, Part.TEST, opening))
    network = load_member(NAMING, study, members(study.plan)[0])
    return [*show_errors(study, said, examples), *show_saliency(study, said, examples, network)]


def _said(study: Study, images: Sequence[CohortRow]) -> "list[Said]":
    """Return what the ensemble said on the test part, about each finding where there are several."""
    from lucency.evaluation.classification import called_classes
    from lucency.study.pictures import Said

    place = {image.image_id: number for number, image in enumerate(images)}
    points = read_operating_points(study.folder)
    of_ensemble = [
        one for one in read_predictions(study.folder, PREDICTIONS) if one.part == Part.TEST and one.member == ENSEMBLE
    ]
    return [
        Said(
            one,
            called_classes(one, points[one.finding]),
            np.array([place[image_id] for image_id in one.image_ids], np.int64),
            number if one.finding else None,
        )
        for number, one in enumerate(of_ensemble)
    ]


EXPLAIN = Stage(
    "explain",
    "The explanations are drawn.",
    lambda study: {
        "explanation": as_settings(study.plan.explanation),
        "n_worst": study.plan.report.n_worst,
        "level": study.plan.evaluation.level,
        "seed": study.plan.seed,
    },
    lambda plan: [COHORT, *STORE, *files_of_networks(NAMING, plan), PREDICTIONS, OPERATING_POINT],
    _explain,
)
