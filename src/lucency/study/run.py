"""The whole study on one screen: curate → label → split → describe → train → predict → evaluate → explain → report."""

from collections.abc import Sequence
from functools import partial

from lucency.domain.plan import Plan
from lucency.domain.progress import Desk
from lucency.study.cohort import CURATE, LABEL, SPLIT_STAGE
from lucency.study.describing import DESCRIBE
from lucency.study.finding import detection
from lucency.study.finding.lesions import LABEL_LESIONS
from lucency.study.folder import StudyFolder
from lucency.study.measuring import regression as numbers
from lucency.study.naming import classification as images
from lucency.study.outlining import segmentation as outlines
from lucency.study.outlining.configuring import CONFIGURE
from lucency.study.outlining.structures import LABEL_STRUCTURES
from lucency.study.plan import write_plan
from lucency.study.reading import report_labelling as reports
from lucency.study.reading.carrying_words import EXPLAIN_WORDS
from lucency.study.reporting import REPORT
from lucency.study.stage import Stage, Study
from lucency.study.synthesis.stages import SYNTHESIS_STAGES

STAGES = {
    "classification": (
        *(CURATE, LABEL, SPLIT_STAGE, DESCRIBE),
        *(images.TRAIN, images.PREDICT, images.EVALUATE, images.EXPLAIN, REPORT),
    ),
    "regression": (
        *(CURATE, LABEL, SPLIT_STAGE, DESCRIBE),
        *(numbers.TRAIN, numbers.PREDICT, numbers.EVALUATE, numbers.EXPLAIN, REPORT),
    ),
    "detection": (
        *(CURATE, LABEL_LESIONS, SPLIT_STAGE, DESCRIBE),
        *(detection.TRAIN, detection.PREDICT, detection.EVALUATE, detection.EXPLAIN, REPORT),
    ),
    "segmentation": (
        *(CURATE, LABEL_STRUCTURES, SPLIT_STAGE, DESCRIBE, CONFIGURE),
        *(outlines.TRAIN, outlines.PREDICT, outlines.EVALUATE, outlines.EXPLAIN, REPORT),
    ),
    "report_labelling": (
        *(reports.CURATE, LABEL, SPLIT_STAGE, DESCRIBE),
        *(reports.TRAIN, reports.PREDICT, reports.EVALUATE, EXPLAIN_WORDS, REPORT),
    ),
    "synthesis": (CURATE, LABEL, SPLIT_STAGE, DESCRIBE, *SYNTHESIS_STAGES, REPORT),
}
"""The chapters of each task."""


def run(plan: Plan, folder: StudyFolder, desk: Desk, until: str = "report") -> None:
    """Carry a study out up to a stage. What is done already is not done again; what was interrupted goes on.

    Raises:
        LucencyError: with a sentence for the user; nothing that was finished is lost.
    """
    with folder.in_use():
        stages = STAGES[plan.task]
        names = [stage.name for stage in stages]
        carry_out(Study(plan, folder, desk), stages[: names.index(until) + 1])


def carry_out(study: Study, stages: Sequence[Stage]) -> None:
    """Carry out stages one after the other in a folder that is in use; what is done already is not done again."""
    # whatever the plan names outside the folder is looked at before any work, and before the plan is written down
    settings = [stage.settings(study) for stage in stages]
    study.folder.write_if_changed("study.yaml", write_plan(study.plan))
    for stage, depends_on in zip(stages, settings, strict=True):
        reads, work = stage.reads(study.plan), partial(stage.work, study)
        if not study.folder.stage(stage.name, depends_on, reads, work):
            study.desk.say(stage.done_already)
