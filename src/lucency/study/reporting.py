"""Gather a finished study for the report, and write it."""

import math
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter

from lucency.domain.cohort import CohortRow, LabelRow, SplitRow
from lucency.domain.estimate import Estimate
from lucency.domain.ground_truth import GroundTruth
from lucency.domain.plan import Plan
from lucency.domain.speed import Speed
from lucency.domain.tasks import DETECTION, REGRESSION, REPORT_LABELLING, SEGMENTATION, SYNTHESIS
from lucency.study.answer_files import AnswerFiles, only_fields, read_png
from lucency.study.cohort import CERTIFICATE, COHORT, GROUND_TRUTH, LABELS, SPLIT, files_of_labels
from lucency.study.describing import DESCRIPTION, read_description
from lucency.study.finding.answers import BOXES
from lucency.study.folder import STAGE_DONE, TEST_OPENED, StudyFolder
from lucency.study.images import ACCOUNT
from lucency.study.measuring.answers import NUMBERS_OF_IMAGES
from lucency.study.naming.answers import CLASSES_OF_IMAGES, CLASSES_OF_REPORTS
from lucency.study.naming.classes import METRICS
from lucency.study.outlining.answers import MASKS
from lucency.study.pictures import AUGMENTED, DRAWN, SAMPLES, SET_ASIDE
from lucency.study.plan import as_settings
from lucency.study.stage import Stage, Study
from lucency.study.synthesis.answers import SYNTHETIC_IMAGES
from lucency.study.training import LAYERS, SPEED, history_file, members, outcome_file
from lucency.study.transfer import TRANSFER, files_of_transfer
from lucency.study.versions import n_versions

if TYPE_CHECKING:
    from lucency.report import material

REPORT_FILE = "report.html"
FILES_OF_IMAGES = (SET_ASIDE, SAMPLES, AUGMENTED)
ANSWERS: Mapping[str, AnswerFiles] = {
    "classification": CLASSES_OF_IMAGES,
    REGRESSION: NUMBERS_OF_IMAGES,
    REPORT_LABELLING: CLASSES_OF_REPORTS,
    DETECTION: BOXES,
    SEGMENTATION: MASKS,
    SYNTHESIS: SYNTHETIC_IMAGES,
}
"""Task → the files that hold its answers. A task adds itself here, with answers of its own in `report/answers`."""


def _report(study: Study, key: str) -> Iterable[str]:  # noqa: ARG001 - every stage is given its key
    from lucency.report.page import render_with_figures

    report = render_with_figures(gather(study.plan, study.folder))
    figures = [study.folder.write(f"figures/{name}.svg", svg) for name, svg in sorted(report.figures.items())]
    return [study.folder.write(REPORT_FILE, report.html), *figures]


def gather(plan: Plan, folder: StudyFolder) -> "material.Material":
    """Read everything that the report shows from the files of a study."""
    from lucency.data.codes import EXPLANATIONS
    from lucency.report import material

    stages = [entry for entry in folder.record.entries if entry.event == STAGE_DONE]
    openings = {
        entry.payload["key"]: entry.time for entry in reversed(folder.record.entries) if entry.event == TEST_OPENED
    }
    return material.Material(
        plan=plan,
        cohort=tuple(folder.read_rows(COHORT, CohortRow)),
        labels=tuple(folder.read_rows(LABELS, LabelRow)),
        split=tuple(folder.read_rows(SPLIT, SplitRow)),
        certificate=only_fields(material.Certificate, folder.read_json(CERTIFICATE)),
        layers=tuple(only_fields(material.Layer, row) for row in folder.read_json(LAYERS)),
        members=tuple(_member(folder, member) for member in members(plan)),
        answers=ANSWERS[plan.task].gather(plan, folder),
        estimates=tuple(Estimate(**row) for row in folder.read_json(METRICS)),
        description=read_description(folder),
        ground_truth=TypeAdapter(GroundTruth).validate_python(folder.read_json(GROUND_TRUTH)),
        record_head=folder.record.head,
        openings=tuple(material.Opening(time, n) for n, time in enumerate(sorted(openings.values()), start=1)),
        stages=tuple(
            material.Stage(entry.payload["stage"], entry.time, entry.payload["seconds"])
            for entry in {entry.payload["stage"]: entry for entry in stages}.values()
        ),
        environment=stages[-1].payload["environment"],
        reasons=EXPLANATIONS,
        deidentified=_deidentified(plan, folder),
        beginning=material.Beginning(**folder.read_json(TRANSFER)) if plan.transfer else None,
        cohort_version=n_versions(folder),
        speed=_speed(folder),
        **(_of_images(plan, folder) if plan.unit == "image" else {}),
    )


def _of_images(plan: Plan, folder: StudyFolder) -> dict[str, Any]:
    """Read what only a study of images shows."""
    return {
        "set_aside": tuple(_pictures(folder, SET_ASIDE)),
        "drawings": tuple(_pictures(folder, DRAWN)) if _has_drawings(plan) else (),
        "samples": tuple(_pictures(folder, SAMPLES)),
        "augmentations": tuple(_pictures(folder, AUGMENTED)),
    }


def _has_drawings(plan: Plan) -> bool:
    """Tell whether masks or boxes make any labels."""
    return any(
        labels is not None and labels.from_ in ("masks", "boxes") for labels in (plan.data.labels, plan.data.reference)
    )


def _deidentified(plan: Plan, folder: StudyFolder) -> "material.Deidentified | None":
    from lucency.report import material

    if plan.data.deidentify is None:
        return None
    account = folder.read_json(ACCOUNT)
    counts = account["n_files"]
    methods = tuple(meaning for _, meaning in account["methods"])
    return material.Deidentified(
        account["edition"], methods, counts["written"], counts["refused"], counts["quarantined"]
    )


def _speed(folder: StudyFolder) -> Speed:
    facts = folder.read_json(SPEED)
    return Speed(**{name: value for name, value in facts.items() if name != "key"})


def _member(folder: StudyFolder, name: str) -> "material.Member":
    from lucency.report import material

    epochs = [only_fields(material.Epoch, _numbers(row)) for row in folder.read_table(history_file(name))]
    outcome = folder.read_json(outcome_file(name))
    return material.Member(
        name=name,
        epochs=tuple(epochs),
        best_epoch=outcome["best_epoch"],
        stopped_because=outcome["stopped_because"],
        measure=outcome["measure"],
        frozen=material.Frozen(**outcome["frozen"]) if "frozen" in outcome else None,
        stages=tuple(material.LearningStage(**stage) for stage in outcome["stages"]),
    )


def _numbers(row: Mapping[str, str]) -> dict[str, float | None]:
    """Read one epoch; what could not be measured is None."""
    numbers = {key: None if math.isnan(value := float(text)) else value for key, text in row.items()}
    return numbers | {"epoch": int(row["epoch"])}


def _pictures(folder: StudyFolder, index: str) -> "Iterable[material.Picture]":
    from lucency.report import material

    return (material.Picture(read_png(folder, facts["file"]), facts["caption"]) for facts in folder.read_json(index))


def _settings_of_labels(plan: Plan) -> dict[str, Any]:
    reference = plan.data.reference
    return {"labels": as_settings(plan.data.labels), "reference": as_settings(reference) if reference else None}


REPORT = Stage(
    "report",
    "The report is written.",
    lambda study: as_settings(study.plan) | {"data": _settings_of_labels(study.plan)},
    lambda plan: [
        *(COHORT, LABELS, SPLIT, CERTIFICATE, DESCRIPTION, LAYERS, SPEED, METRICS, GROUND_TRUTH),
        *([DRAWN] if _has_drawings(plan) else []),
        *(FILES_OF_IMAGES if plan.unit == "image" else ()),
        *ANSWERS[plan.task].reads(plan),
        *files_of_labels(plan),
        *files_of_transfer(plan),
        *(history_file(member) for member in members(plan)),
        *(outcome_file(member) for member in members(plan)),
    ],
    _report,
)
