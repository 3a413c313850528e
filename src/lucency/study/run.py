"""The whole study on one screen: curate → label → split → describe → train → predict → evaluate → explain → report."""

from functools import partial

from lucency.domain.plan import Plan
from lucency.domain.progress import Desk
from lucency.study.classification import EVALUATE, EXPLAIN, PREDICT, TRAIN
from lucency.study.cohort import CURATE, LABEL, SPLIT_STAGE
from lucency.study.describing import DESCRIBE
from lucency.study.folder import StudyFolder
from lucency.study.plan import write_plan
from lucency.study.reporting import REPORT
from lucency.study.stage import Study

STAGES = (CURATE, LABEL, SPLIT_STAGE, DESCRIBE, TRAIN, PREDICT, EVALUATE, EXPLAIN, REPORT)


def run(plan: Plan, folder: StudyFolder, desk: Desk, until: str = "report") -> None:
    """Carry a study out up to a stage. What is done already is not done again; what was interrupted goes on.

    Raises:
        LucencyError: with a sentence for the user; nothing that was finished is lost.
    """
    with folder.in_use():
        study = Study(plan, folder, desk)
        names = [stage.name for stage in STAGES]
        for stage in STAGES[: names.index(until) + 1]:
            settings, reads, work = stage.settings(study), stage.reads(plan), partial(stage.work, study)
            folder.write_if_changed("study.yaml", write_plan(plan))  # only now: the images were found
            if not folder.stage(stage.name, settings, reads, work):
                desk.say(stage.done_already)
