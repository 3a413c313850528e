"""The whole study on one screen: curate → label → split → describe → train → predict → evaluate → explain → report."""

from collections.abc import Sequence
from functools import partial

from lucency.domain.plan import Plan
from lucency.domain.progress import Desk
from lucency.study.classification import EVALUATE, EXPLAIN, PREDICT, TRAIN
from lucency.study.cohort import CURATE, LABEL, SPLIT_STAGE
from lucency.study.describing import DESCRIBE
from lucency.study.folder import StudyFolder
from lucency.study.plan import write_plan
from lucency.study.reporting import REPORT
from lucency.study.stage import Stage, Study

STAGES = (CURATE, LABEL, SPLIT_STAGE, DESCRIBE, TRAIN, PREDICT, EVALUATE, EXPLAIN, REPORT)


def run(plan: Plan, folder: StudyFolder, desk: Desk, until: str = "report") -> None:
    """Carry a study out up to a stage. What is done already is not done again; what was interrupted goes on.

    Raises:
        LucencyError: with a sentence for the user; nothing that was finished is lost.
    """
    with folder.in_use():
        names = [stage.name for stage in STAGES]
        carry_out(Study(plan, folder, desk), STAGES[: names.index(until) + 1])


def carry_out(study: Study, stages: Sequence[Stage]) -> None:
    """Carry out stages one after the other in a folder that is in use; what is done already is not done again."""
    for stage in stages:
        settings, reads, work = stage.settings(study), stage.reads(study.plan), partial(stage.work, study)
        study.folder.write_if_changed("study.yaml", write_plan(study.plan))  # only now: the images were found
        if not study.folder.stage(stage.name, settings, reads, work):
            study.desk.say(stage.done_already)
