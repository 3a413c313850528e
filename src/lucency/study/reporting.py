"""Gather a finished study for the report, and write it."""

from collections.abc import Iterable
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter

from lucency.domain.cohort import CohortRow, LabelRow, SplitRow
from lucency.domain.estimate import Estimate
from lucency.domain.ground_truth import GroundTruth, RuleOutcome
from lucency.domain.parts import Part
from lucency.domain.plan import REPORT_LABELLING, Plan
from lucency.domain.questions import ABSENT, PRESENT
from lucency.study.carrying_words import CARRYING_WORDS, VOCABULARY_FACTS
from lucency.study.classes import (
    ENSEMBLE,
    METRICS,
    OPERATING_POINT,
    PREDICTIONS,
    RESULTS_BY_RULE,
    read_operating_points,
)
from lucency.study.cohort import CERTIFICATE, COHORT, GROUND_TRUTH, LABELS, SPLIT, files_of_labels
from lucency.study.describing import DESCRIPTION, read_description
from lucency.study.folder import STAGE_DONE, TEST_OPENED, StudyFolder
from lucency.study.ground_truth import FINDINGS
from lucency.study.images import ACCOUNT
from lucency.study.pictures import AUGMENTED, DRAWN, ERRORS, SALIENCY, SAMPLES, SET_ASIDE
from lucency.study.plan import as_settings
from lucency.study.stage import Stage, Study
from lucency.study.tables import read_predictions
from lucency.study.training import LAYERS, history_file, members, outcome_file
from lucency.study.versions import n_versions

if TYPE_CHECKING:
    from lucency.report import material

REPORT_FILE = "report.html"
FILES_OF_IMAGES = (SET_ASIDE, SAMPLES, AUGMENTED, ERRORS, SALIENCY)
FILES_OF_REPORTS = (CARRYING_WORDS, VOCABULARY_FACTS)
"""What the report shows of one medium only."""


def _report(study: Study, key: str) -> Iterable[str]:  # noqa: ARG001 - every stage is given its key
    from lucency.report.page import render_with_figures

    report = render_with_figures(gather(study.plan, study.folder))
    figures = [study.folder.write(f"figures/{name}.svg", svg) for name, svg in sorted(report.figures.items())]
    return [study.folder.write(REPORT_FILE, report.html), *figures]


def gather(plan: Plan, folder: StudyFolder) -> "material.Material":
    """Read everything that the report shows from the files of a study."""
    from lucency.data.codes import EXPLANATIONS
    from lucency.report import material

    predictions = {(p.part, p.finding): p for p in read_predictions(folder, PREDICTIONS) if p.member == ENSEMBLE}
    points = read_operating_points(folder)
    first = next(iter(points))
    stages = [entry for entry in folder.record.entries if entry.event == STAGE_DONE]
    openings = {
        entry.payload["key"]: entry.time for entry in reversed(folder.record.entries) if entry.event == TEST_OPENED
    }
    return material.Material(
        plan=plan,
        cohort=tuple(folder.read_rows(COHORT, CohortRow)),
        labels=tuple(folder.read_rows(LABELS, LabelRow)),
        split=tuple(folder.read_rows(SPLIT, SplitRow)),
        certificate=_only_fields(material.Certificate, folder.read_json(CERTIFICATE)),
        layers=tuple(_only_fields(material.Layer, row) for row in folder.read_json(LAYERS)),
        members=tuple(_member(folder, member) for member in members(plan)),
        tuning=predictions["tuning", first],
        test=predictions["test", first],
        operating_point=points[first],
        estimates=tuple(Estimate(**row) for row in folder.read_json(METRICS)),
        description=read_description(folder),
        ground_truth=TypeAdapter(GroundTruth).validate_python(folder.read_json(GROUND_TRUTH)),
        by_rule=tuple(TypeAdapter(list[RuleOutcome]).validate_python(folder.read_json(RESULTS_BY_RULE))),
        record_head=folder.record.head,
        openings=tuple(material.Opening(time, n) for n, time in enumerate(sorted(openings.values()), start=1)),
        stages=tuple(
            material.Stage(entry.payload["stage"], entry.time, entry.payload["seconds"])
            for entry in {entry.payload["stage"]: entry for entry in stages}.values()
        ),
        environment=stages[-1].payload["environment"],
        reasons=EXPLANATIONS,
        deidentified=_deidentified(plan, folder),
        cohort_version=n_versions(folder),
        findings=tuple(
            material.FindingResult(
                finding, predictions["tuning", finding], predictions["test", finding], points[finding], *counts
            )
            for finding, counts in _counts_of_findings(plan, folder).items()
        ),
        **(_of_reports(folder) if plan.task == REPORT_LABELLING else _of_images(plan, folder)),
    )


def _of_images(plan: Plan, folder: StudyFolder) -> dict[str, Any]:
    """Read what only a study of images shows."""
    from lucency.report import material

    return {
        "set_aside": tuple(_pictures(folder, SET_ASIDE)),
        "drawings": tuple(_pictures(folder, DRAWN)) if _has_drawings(plan) else (),
        "samples": tuple(_pictures(folder, SAMPLES)),
        "augmentations": tuple(_pictures(folder, AUGMENTED)),
        "errors": tuple(
            material.ErrorCase(png=_png(folder, facts.pop("file")), **facts) for facts in folder.read_json(ERRORS)
        ),
        "explanation": _explanation(folder),
    }


def _has_drawings(plan: Plan) -> bool:
    """Tell whether masks or boxes make any labels."""
    return any(
        labels is not None and labels.from_ in ("masks", "boxes") for labels in (plan.data.labels, plan.data.reference)
    )


def _of_reports(folder: StudyFolder) -> dict[str, Any]:
    """Read what only a study of reports shows."""
    from lucency.report import material

    facts, vocabulary = folder.read_json(CARRYING_WORDS), folder.read_json(VOCABULARY_FACTS)
    check = facts["check"] or {}
    reading = material.Reading(
        vocabulary=_only_fields(material.KnownWords, vocabulary),
        errors=tuple(map(_read_report, facts["errors"])),
        cases=tuple(map(_read_report, facts["cases"])),
        method=check.get("method", ""),
        verdict=check.get("verdict", ""),
        similarity=Estimate(**check["similarity"]) if check else None,
        attention=Estimate(**check["attention"]) if check.get("attention") else None,
    )
    return {"reading": reading}


def _read_report(facts: dict[str, Any]) -> "material.ReadReport":
    from lucency.report import material

    return material.ReadReport(**facts | {"words": tuple(material.ShownWord(*word) for word in facts["words"])})


def _counts_of_findings(plan: Plan, folder: StudyFolder) -> dict[str, tuple[dict[str, int], dict[str, int]]]:
    """Count by part where each of several findings is there, and where it is not; empty where one thing is asked."""
    if not plan.data.labels.findings:
        return {}
    told = {row["image_id"]: row for row in folder.read_table(FINDINGS)}
    split = folder.read_rows(SPLIT, SplitRow)

    def count(finding: str, answer: str) -> dict[str, int]:
        return {str(part): sum(r.part == part and told[r.image_id][finding] == answer for r in split) for part in Part}

    return {finding: (count(finding, PRESENT), count(finding, ABSENT)) for finding in plan.data.labels.findings}


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


def _member(folder: StudyFolder, name: str) -> "material.Member":
    from lucency.report import material

    history = [{key: float(text) for key, text in row.items()} for row in folder.read_table(history_file(name))]
    epochs = [_only_fields(material.Epoch, row | {"epoch": int(row["epoch"])}) for row in history]
    outcome = folder.read_json(outcome_file(name))
    return material.Member(name, tuple(epochs), outcome["best_epoch"], outcome["stopped_because"])


def _pictures(folder: StudyFolder, index: str) -> "Iterable[material.Picture]":
    from lucency.report import material

    return (material.Picture(_png(folder, facts["file"]), facts["caption"]) for facts in folder.read_json(index))


def _explanation(folder: StudyFolder) -> "material.Explanation | None":
    from lucency.report import material

    facts = folder.read_json(SALIENCY)
    if not facts:
        return None
    cases = [
        material.SaliencyCase(_png(folder, case["file"]), case["caption"], case["similarity_after_randomisation"])
        for case in facts["cases"]
    ]
    return material.Explanation(facts["method"], tuple(cases), facts["verdict"], Estimate(**facts["similarity"]))


def _png(folder: StudyFolder, file: str) -> bytes:
    return (folder.path / file).read_bytes()


def _only_fields(kind: Any, facts: dict[str, Any]) -> Any:
    """Build a dataclass from the facts that it has a field for; JSON's lists become tuples."""
    names = {field.name for field in fields(kind)}
    return kind(**{n: tuple(v) if isinstance(v, list) else v for n, v in facts.items() if n in names})


def _settings_of_labels(plan: Plan) -> dict[str, Any]:
    reference = plan.data.reference
    return {"labels": as_settings(plan.data.labels), "reference": as_settings(reference) if reference else None}


REPORT = Stage(
    "report",
    "The report is written.",
    lambda study: as_settings(study.plan) | {"data": _settings_of_labels(study.plan)},
    lambda plan: [
        *(COHORT, LABELS, SPLIT, CERTIFICATE, DESCRIPTION, LAYERS, PREDICTIONS, METRICS, OPERATING_POINT),
        *(GROUND_TRUTH, RESULTS_BY_RULE),
        *([DRAWN] if _has_drawings(plan) else []),
        *(FILES_OF_REPORTS if plan.task == REPORT_LABELLING else FILES_OF_IMAGES),
        *files_of_labels(plan),
        *(history_file(member) for member in members(plan)),
        *(outcome_file(member) for member in members(plan)),
    ],
    _report,
)
