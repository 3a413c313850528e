"""Read answers that are classes or findings back from a study's folder, of images and of radiology reports."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter

from lucency.domain.cohort import SplitRow
from lucency.domain.estimate import Estimate
from lucency.domain.ground_truth import RuleOutcome
from lucency.domain.parts import Part
from lucency.domain.plan import Plan
from lucency.domain.questions import ABSENT, PRESENT
from lucency.study.answer_files import AnswerFiles, only_fields, read_explanation, read_png
from lucency.study.cohort import SPLIT
from lucency.study.folder import StudyFolder
from lucency.study.ground_truth.truth import FINDINGS
from lucency.study.naming.classes import ENSEMBLE, OPERATING_POINT, PREDICTIONS, RESULTS_BY_RULE, read_operating_points
from lucency.study.pictures import ERRORS, SALIENCY
from lucency.study.reading.carrying_words import CARRYING_WORDS, VOCABULARY_FACTS
from lucency.study.tables import read_predictions

if TYPE_CHECKING:
    from lucency.report.answers import reading
    from lucency.report.answers.classes import Classes

FILES = (PREDICTIONS, OPERATING_POINT, RESULTS_BY_RULE)


def _classes(plan: Plan, folder: StudyFolder) -> "Classes":
    """Read what the ensemble said, of each finding where there are several."""
    from lucency.report.answers.classes import Classes, FindingResult

    predictions = {(p.part, p.finding): p for p in read_predictions(folder, PREDICTIONS) if p.member == ENSEMBLE}
    points = read_operating_points(folder)
    first = next(iter(points))
    return Classes(
        tuning=predictions["tuning", first],
        test=predictions["test", first],
        operating_point=points[first],
        by_rule=tuple(TypeAdapter(list[RuleOutcome]).validate_python(folder.read_json(RESULTS_BY_RULE))),
        findings=tuple(
            FindingResult(
                finding, predictions["tuning", finding], predictions["test", finding], points[finding], *counts
            )
            for finding, counts in _counts_of_findings(plan, folder).items()
        ),
    )


def _of_images(plan: Plan, folder: StudyFolder) -> "Classes":
    """Add the errors, and what the network looked at."""
    from lucency.report.answers.classes import ErrorCase

    errors = (ErrorCase(png=read_png(folder, facts.pop("file")), **facts) for facts in folder.read_json(ERRORS))
    return replace(_classes(plan, folder), errors=tuple(errors), explanation=read_explanation(folder, SALIENCY))


def _of_reports(plan: Plan, folder: StudyFolder) -> "Classes":
    """Add the vocabulary, and the words that carried the answers."""
    from lucency.report.answers.reading import KnownWords, Reading

    facts = folder.read_json(CARRYING_WORDS)
    check = facts["check"] or {}
    reading = Reading(
        vocabulary=only_fields(KnownWords, folder.read_json(VOCABULARY_FACTS)),
        errors=tuple(map(_read_report, facts["errors"])),
        cases=tuple(map(_read_report, facts["cases"])),
        method=check.get("method", ""),
        verdict=check.get("verdict", ""),
        similarity=Estimate(**check["similarity"]) if check else None,
        attention=Estimate(**check["attention"]) if check.get("attention") else None,
    )
    return replace(_classes(plan, folder), reading=reading)


def _read_report(facts: dict[str, Any]) -> "reading.ReadReport":
    from lucency.report.answers.reading import ReadReport, ShownWord

    return ReadReport(**facts | {"words": tuple(ShownWord(*word) for word in facts["words"])})


def _counts_of_findings(plan: Plan, folder: StudyFolder) -> dict[str, tuple[dict[str, int], dict[str, int]]]:
    """Count by part where each of several findings is there, and where it is not; empty where one thing is asked."""
    if not plan.data.labels.findings:
        return {}
    told = {row["image_id"]: row for row in folder.read_table(FINDINGS)}
    split = folder.read_rows(SPLIT, SplitRow)

    def count(finding: str, answer: str) -> dict[str, int]:
        return {str(part): sum(r.part == part and told[r.image_id][finding] == answer for r in split) for part in Part}

    return {finding: (count(finding, PRESENT), count(finding, ABSENT)) for finding in plan.data.labels.findings}


CLASSES_OF_IMAGES = AnswerFiles(lambda _: [*FILES, ERRORS, SALIENCY], _of_images)
CLASSES_OF_REPORTS = AnswerFiles(lambda _: [*FILES, CARRYING_WORDS, VOCABULARY_FACTS], _of_reports)
