"""Read answers that are numbers back from a study's folder."""

from typing import TYPE_CHECKING

from lucency.domain.measurements import LearntRange
from lucency.domain.plan import Plan
from lucency.domain.regression_plan import Regression
from lucency.study.answer_files import AnswerFiles, read_explanation, read_png
from lucency.study.folder import StudyFolder
from lucency.study.measuring.regression import LEARNT_RANGE
from lucency.study.naming.classes import ENSEMBLE, PREDICTIONS
from lucency.study.pictures import ERRORS, SALIENCY
from lucency.study.tables import read_measurements

if TYPE_CHECKING:
    from lucency.report.answers.numbers import Numbers


def _numbers(plan: Plan, folder: StudyFolder) -> "Numbers":
    from lucency.report.answers.numbers import Numbers, WorstCase

    measured = {one.part: one for one in read_measurements(folder, PREDICTIONS) if one.member == ENSEMBLE}
    worst = (WorstCase(png=read_png(folder, facts.pop("file")), **facts) for facts in folder.read_json(ERRORS))
    return Numbers(
        regression=plan.regression or Regression(),
        learnt=LearntRange(**folder.read_json(LEARNT_RANGE)),
        tuning=measured["tuning"],
        test=measured["test"],
        worst=tuple(worst),
        explanation=read_explanation(folder, SALIENCY),
    )


NUMBERS_OF_IMAGES = AnswerFiles(lambda _: [PREDICTIONS, LEARNT_RANGE, ERRORS, SALIENCY], _numbers)
