"""Read marks and lesions back from a study's folder for the report."""

from typing import TYPE_CHECKING

from lucency.domain.parts import Part
from lucency.domain.plan import Plan
from lucency.domain.progress import Silence
from lucency.study.answer_files import AnswerFiles, only_fields, read_png
from lucency.study.finding.detection import (
    ANCHORS,
    ENSEMBLE,
    OPERATING_POINT,
    PREDICTIONS,
    read_mark_threshold,
    size_bands_of,
)
from lucency.study.finding.lesions import LESIONS, read_lesions
from lucency.study.finding.marks import read_marks
from lucency.study.finding.pictures import MARKED
from lucency.study.folder import StudyFolder
from lucency.study.stage import Study

if TYPE_CHECKING:
    from lucency.report.answers.boxes import Boxes
    from lucency.report.material import Picture


def _boxes(plan: Plan, folder: StudyFolder) -> "Boxes":
    from lucency.report.answers.boxes import AnchorFacts, Boxes

    study, lesions = Study(plan, folder, Silence()), read_lesions(folder)
    facts = folder.read_json(ANCHORS)
    facts["sizes"] = [tuple(of_level) for of_level in facts["sizes"]]
    shown = _pictures(folder)
    return Boxes(
        tuning=read_marks(study, PREDICTIONS, lesions, Part.TUNING, ENSEMBLE),
        test=read_marks(study, PREDICTIONS, lesions, Part.TEST, ENSEMBLE),
        point=read_mark_threshold(folder),
        hit=plan.detection.hit,
        bands=size_bands_of(folder),
        anchors=only_fields(AnchorFacts, facts),
        has_masks=lesions.has_masks,
        kinds_of_image={
            image_id: tuple(one.kind for one in of_image) for image_id, of_image in lesions.of_image.items()
        },
        hits=shown["hit"],
        misses=shown["miss"],
        false_alarms=shown["false alarm"],
    )


def _pictures(folder: StudyFolder) -> "dict[str, tuple[Picture, ...]]":
    """Return the pictures of hits, misses and false alarms."""
    from lucency.report.material import Picture

    index = folder.read_json(MARKED)
    return {
        group: tuple(Picture(read_png(folder, one["file"]), one["caption"]) for one in index if one["group"] == group)
        for group in ("hit", "miss", "false alarm")
    }


BOXES = AnswerFiles(lambda _: [PREDICTIONS, OPERATING_POINT, ANCHORS, LESIONS, MARKED], _boxes)
