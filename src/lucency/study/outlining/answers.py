"""Read answers that are masks back from a study's folder."""

from typing import TYPE_CHECKING

from lucency.domain.plan import Plan
from lucency.study.answer_files import AnswerFiles, only_fields, read_png
from lucency.study.folder import StudyFolder
from lucency.study.outlining.cases import read_cases
from lucency.study.outlining.configuring import CONFIGURATION, read_configuration
from lucency.study.outlining.pictures import OUTLINED, colours_of
from lucency.study.outlining.segmentation import CASES, POSTPROCESSING

if TYPE_CHECKING:
    from lucency.report.answers.masks import Masks


def _masks(plan: Plan, folder: StudyFolder) -> "Masks":  # noqa: ARG001 - as every task
    from lucency.report.answers.masks import Masks, OutlineColours, OutlinedCase, PostProcessing

    configuration = read_configuration(folder)
    cases = [facts | {"png": read_png(folder, facts["file"])} for facts in folder.read_json(OUTLINED)]
    return Masks(
        results=read_cases(folder, CASES),
        configuration=configuration,
        post_processing=tuple(PostProcessing(**facts) for facts in folder.read_json(POSTPROCESSING)),
        shown=tuple(only_fields(OutlinedCase, facts) for facts in cases),
        colours=tuple(OutlineColours(*colours) for colours in colours_of(configuration.structures)),
    )


MASKS = AnswerFiles(lambda _: [CASES, POSTPROCESSING, CONFIGURATION, OUTLINED], _masks)
