"""The chapters that are special about a study of synthesis."""

from collections.abc import Iterable
from dataclasses import replace

from lucency.study.naming.classification import NAMING
from lucency.study.plan import as_settings
from lucency.study.stage import Stage, Study
from lucency.study.synthesis.ablation import ABLATE, weights_of_arms
from lucency.study.synthesis.contest import TRAIN
from lucency.study.synthesis.generator import WEIGHTS
from lucency.study.synthesis.making import MADE, MADE_TABLE, PREDICT
from lucency.study.synthesis.sight import CLASSIFIER
from lucency.study.synthesis.walk import EXPLAIN
from lucency.study.training import train_stage

JUDGE = replace(train_stage(NAMING), name="judge", done_already="The classifier that judges is trained.")
"""Train the classifier whose features tell how far synthetic images are from real ones."""


def _evaluate(study: Study, key: str) -> Iterable[str]:
    from lucency.study.synthesis.evaluation import evaluate  # brings SciPy, which takes its time

    return evaluate(study, key)


EVALUATE = Stage(
    "evaluate",
    "The synthetic images have been judged; the test set stays as it was.",
    lambda study: {
        "level": study.plan.evaluation.level,
        "synthesis": as_settings(study.plan.synthesis),
        "seed": study.plan.seed,
    },
    lambda plan: [*NAMING.reads(plan), CLASSIFIER, WEIGHTS, *MADE, MADE_TABLE, *weights_of_arms(plan)],
    _evaluate,
)

SYNTHESIS_STAGES = (JUDGE, TRAIN, PREDICT, ABLATE, EVALUATE, EXPLAIN)
