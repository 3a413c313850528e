"""Read the ground truth that a plan names, from wherever it comes, and tell how far it can be trusted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from lucency.domain.cohort import CohortRow, LabelRow
from lucency.domain.ground_truth import CarryingWords, GroundTruth, LabelError, SeveralReaders
from lucency.domain.labels_plan import Labels
from lucency.study.images import naming_of
from lucency.study.stage import Study

if TYPE_CHECKING:  # pandas takes time to import; only stages that need it do
    from lucency.data.ground_truth.adjudication import Disputed
    from lucency.data.ground_truth.verdicts import Verdicts

FINDINGS = "findings.csv"
"""Where several findings are asked at once: whether each of them is there, for each image or report."""


@dataclass(frozen=True)
class Truth:
    """What one ground truth says about the kept images, and what can be told of it."""

    verdicts: "Verdicts"
    readers: tuple[SeveralReaders, ...] = ()
    by_rule: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Rule in words → image → class."""
    disputed: "tuple[Disputed, ...]" = ()
    errors: tuple[LabelError, ...] = ()
    words: tuple[CarryingWords, ...] = ()
    """What carried the labels, where they come from reports."""


def read_ground_truth(study: Study, kept: Sequence[CohortRow], labels: Labels, setting: str) -> Truth:
    """Return what one ground truth says about the kept images; `setting` is "labels" or "reference".

    Raises:
        SourceError, PlanError: a table, report or mask cannot be used.
    """
    from lucency.data.ground_truth.one_source import from_archive, from_folders, from_table
    from lucency.data.sources import archive_labels

    if labels.readers is not None and labels.from_ == "readers":
        from lucency.study.ground_truth.several_readers import from_readers

        return from_readers(study, kept, labels, labels.readers, setting)
    if labels.reports is not None and labels.from_ == "reports":
        from lucency.study.ground_truth.report_labels import from_reports

        return from_reports(study, kept, labels, labels.reports)
    if labels.drawings is not None and labels.from_ in ("masks", "boxes"):
        from lucency.study.ground_truth.drawings import read_drawn_ground_truth

        return Truth(read_drawn_ground_truth(study, kept, labels.drawings))
    if study.plan.regression:
        from lucency.data.ground_truth.numbers import numbers_from_table

        return Truth(numbers_from_table(kept, labels, study.plan.regression.unit, naming_of(study)))
    if labels.findings:
        return Truth(_several_findings(study, kept, labels))
    if labels.from_ == "table":
        return Truth(from_table(kept, labels, naming_of(study)))
    if labels.from_ == "archive":
        return Truth(from_archive(kept, labels, archive_labels(study.plan.data)))
    return Truth(from_folders(kept, labels, naming_of(study)))


def _several_findings(study: Study, kept: Sequence[CohortRow], labels: Labels) -> "Verdicts":
    """Read several findings, and write down whether each of them is there."""
    from lucency.data.ground_truth.findings import findings_from_table

    found = findings_from_table(kept, labels, naming_of(study))
    rows = [(image.image_id, *cells) for image, cells in zip(kept, found.cells, strict=True)]
    return replace(found.verdicts, files=(study.folder.write_table(FINDINGS, ["image_id", *found.findings], rows),))


def corrected(study: Study, kept: Sequence[CohortRow], labels: Labels, truth: Truth) -> Truth:
    """Let the corrections of the plan, if it names any, overrule what a ground truth says."""
    from lucency.data.ground_truth.corrections import read_corrections
    from lucency.data.ground_truth.verdicts import Verdict

    if labels.corrections is None:
        return truth
    classes = sorted({verdict.target for verdict in truth.verdicts.verdicts if verdict.target})
    corrections = read_corrections(Path(labels.corrections), classes, kept, naming_of(study)).by_image
    verdicts = [
        Verdict(corrections[image.image_id].label, votes=verdict.votes, notes=(*verdict.notes, "N_CORRECTED"))
        if image.image_id in corrections
        else verdict
        for image, verdict in zip(kept, truth.verdicts.verdicts, strict=True)
    ]
    return replace(truth, verdicts=replace(truth.verdicts, verdicts=verdicts))


def tell_ground_truth(
    study: Study, kept: Sequence[CohortRow], rows: Sequence[LabelRow], classes: Sequence[str], truths: Sequence[Truth]
) -> GroundTruth:
    """Gather what the report tells; `truths` are the labels and, where the plan names one, the reference."""
    errors = [error for truth in truths for error in truth.errors]
    if len(truths) == 2:
        errors += _held_against_the_reference(study, kept, rows, classes)
    return GroundTruth(
        readers=tuple(readers for truth in truths for readers in truth.readers),
        errors=tuple(errors),
        n_corrected=sum("N_CORRECTED" in row.notes.split() for row in rows),
        n_soft=sum(bool(row.soft) for row in rows),
        words=tuple(words for truth in truths for words in truth.words),
    )


def _held_against_the_reference(
    study: Study, kept: Sequence[CohortRow], rows: Sequence[LabelRow], classes: Sequence[str]
) -> list[LabelError]:
    """Measure how often the labels to learn from are not those to be judged by."""
    from lucency.evaluation.labeller import Reread, measure_labeller

    labelled = [(row, image) for row, image in zip(rows, kept, strict=True) if row.target and row.judged]
    both = [(row, image) for row, image in labelled if not row.soft]  # doubt is neither right nor wrong
    if not both:
        return []
    reread = Reread(
        tuple(classes),
        tuple(row.target for row, _ in both),
        tuple(row.judged for row, _ in both),
        tuple(image.patient_id for _, image in both),
    )
    estimates = measure_labeller(reread, study.plan.evaluation.level, study.plan.seed)
    data = study.plan.data
    source, reference = data.labels.from_, data.reference.from_ if data.reference else ""
    n_soft = len(labelled) - len(both)
    left_out = f"; {n_soft} left out, in doubt" if n_soft else ""
    return [
        LabelError(
            f"Labels to learn from (from {source})",
            f"the reference (from {reference}){left_out}",
            len(both),
            tuple(replace(estimate, unit="image") for estimate in estimates),
        )
    ]
