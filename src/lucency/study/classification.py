"""The task of classification: to name the class of an image."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, cast

from lucency.domain.parts import Part
from lucency.study.classes import (
    OPERATING_POINT,
    PREDICTIONS,
    examples_of,
    naming_classes,
    read_operating_points,
    stages_of_classes,
)
from lucency.study.cohort import COHORT, STORE
from lucency.study.image_medium import IMAGES
from lucency.study.plan import as_settings
from lucency.study.stage import Stage, Study
from lucency.study.tables import read_predictions
from lucency.study.training import files_of_networks, load_member, members

if TYPE_CHECKING:  # torch takes seconds to import; only stages that need it do
    from lucency.training.examples import ImageExamples

NAMING = naming_classes(IMAGES)
TRAIN, PREDICT, EVALUATE = stages_of_classes(IMAGES, NAMING)


def _explain(study: Study, key: str) -> Iterable[str]:  # noqa: ARG001 - every stage is given its key
    """Show the most confident errors, and what the network looked at."""
    from lucency.evaluation.classification import called_classes
    from lucency.study.pictures import show_errors, show_saliency

    test = read_predictions(study.folder, PREDICTIONS)[-1]
    examples = cast("ImageExamples", examples_of(IMAGES, study, Part.TEST, study.folder.last_opening()))
    called = called_classes(test, read_operating_points(study.folder)[""])
    network = load_member(NAMING, study, members(study.plan)[0])
    return [*show_errors(study, test, called, examples), *show_saliency(study, test, called, examples, network)]


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
