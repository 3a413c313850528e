"""Read the ground truth that a plan names, from wherever it comes, and tell how far it can be trusted."""

import difflib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from lucency.domain.cohort import CohortRow, LabelRow
from lucency.domain.ground_truth import Consensus, GroundTruth, LabelError, PairOfReaders, SeveralReaders
from lucency.domain.labels_plan import Labels, Readers, Reports
from lucency.errors import PlanError, SourceError
from lucency.study.images import naming_of
from lucency.study.stage import Study

if TYPE_CHECKING:  # pandas takes time to import; only stages that need it do
    from lucency.data.ground_truth.adjudication import Decisions, Disputed
    from lucency.data.ground_truth.from_reports import LinkedReports
    from lucency.data.ground_truth.verdicts import Verdict, Verdicts
    from lucency.domain.readings import ReaderTables, Readings

FINDINGS = "findings.csv"
"""Where several findings are asked at once: whether each of them is there, for each image or report."""
ADJUDICATION, ADJUDICATION_SHEET = "adjudication.csv", "adjudication.html"
N_SHOWN = 60
"""Disputed images on the sheet; the table lists all."""


@dataclass(frozen=True)
class Truth:
    """What one ground truth says about the kept images, and what can be told of it."""

    verdicts: "Verdicts"
    readers: tuple[SeveralReaders, ...] = ()
    by_rule: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Rule in words → image → class."""
    disputed: "tuple[Disputed, ...]" = ()
    errors: tuple[LabelError, ...] = ()


def read_ground_truth(study: Study, kept: Sequence[CohortRow], labels: Labels, setting: str) -> Truth:
    """Return what one ground truth says about the kept images; `setting` is "labels" or "reference".

    Raises:
        SourceError, PlanError: a table, report or mask cannot be used.
    """
    from lucency.data.ground_truth.one_source import from_archive, from_folders, from_table
    from lucency.data.sources import archive_labels

    if labels.readers is not None and labels.from_ == "readers":
        return _from_readers(study, kept, labels, labels.readers, setting)
    if labels.reports is not None and labels.from_ == "reports":
        return _from_reports(study, kept, labels, labels.reports)
    if labels.drawings is not None and labels.from_ in ("masks", "boxes"):
        from lucency.study.drawings import read_drawn_ground_truth

        return Truth(read_drawn_ground_truth(study, kept, labels.drawings))
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
    )


def write_disputes(study: Study, disputed: "Sequence[Disputed]") -> list[str]:
    """Write the sheet of disputed images and the table to fill in; nothing where all is settled."""
    from lucency.data.ground_truth.adjudication import HEADER, refuse_to_overwrite, rows_to_decide
    from lucency.report.sheet import Card, Sheet, render_sheet
    from lucency.study.pictures import pictures_of

    refuse_to_overwrite(study.folder.path / ADJUDICATION)
    for name in (ADJUDICATION, ADJUDICATION_SHEET):
        (study.folder.path / name).unlink(missing_ok=True)  # of a time when more was disputed
    if not disputed:
        return []
    shown = disputed[:N_SHOWN]
    pictures = pictures_of(study, [one.image.image_id for one in shown])
    cards = [
        Card(
            png,
            one.image.source,
            (("Readers", one.votes), ("Image", one.image.image_id)),
            "Without a label until it is decided." if one.is_open else "Has a label by the rule of the plan.",
        )
        for one, png in zip(shown, pictures, strict=True)
    ]
    n_open = sum(one.is_open for one in disputed)
    instructions = (
        f"The readers disagree on these {len(disputed)} images; {n_open} of them have no label until somebody decides. "
        "A decision should be made by a reader who was not one of them, without knowing what a network says.",
        f"Open {ADJUDICATION} in a spreadsheet and save a copy under another name.",
        "Write the right class into the column “decision”, and who decided and when beside it. Leave open what stays open.",
        "Name the copy in the plan: data.labels.consensus.adjudicated (or data.reference.consensus.adjudicated), and run "
        "the study again.",
    )
    sheet = Sheet("Images on which the readers disagree", instructions, tuple(cards), ("Decision", "Decided by"))
    return [
        study.folder.write_table(ADJUDICATION, HEADER, rows_to_decide(disputed)),
        study.folder.write(ADJUDICATION_SHEET, render_sheet(sheet)),
    ]


def _from_readers(study: Study, kept: Sequence[CohortRow], labels: Labels, settings: Readers, setting: str) -> Truth:
    from lucency.data.ground_truth.adjudication import NO_DECISIONS, disputed_images, read_decisions
    from lucency.data.ground_truth.consensus import fuse, labels_by_rule
    from lucency.data.ground_truth.readings import read_readings
    from lucency.data.ground_truth.verdicts import Verdicts

    naming = naming_of(study)
    tables = read_readings(settings, labels.names, kept, naming, labels.positive)
    readings = tables.of(settings.studied)
    decisions = NO_DECISIONS
    if labels.consensus.adjudicated:
        path = Path(labels.consensus.adjudicated)
        _refuse_own_sheet(study, path)
        decisions = read_decisions(path, readings.levels, kept, naming, labels.names)
        study.desk.say(_sentence_on_decisions(decisions, readings))
    fused = fuse(readings, labels.consensus, decisions.levels)
    for note in fused.notes:
        study.desk.say(note)
    unknown = decisions.unknown_rows
    unknown += tuple(number for numbers in tables.facts.unknown_rows.values() for number in numbers)
    told = _tell_readers(study, labels, setting, tables, readings, fused.verdicts)
    study.desk.say(_sentence_on(told))
    return Truth(
        Verdicts(fused.verdicts, unknown),
        (told,),
        labels_by_rule(readings),
        disputed_images(kept, readings, fused.verdicts, labels.consensus),
    )


def _from_reports(study: Study, kept: Sequence[CohortRow], labels: Labels, settings: Reports) -> Truth:
    """Let rules or a network read the reports; what they state about the finding becomes the label."""
    from lucency.data.ground_truth.from_reports import STATED, from_reports, link_reports

    finding = settings.finding if settings.network else _known_finding(settings)
    linked = link_reports(kept, settings, naming_of(study))
    read = _stated_by_network if settings.network else _stated_by_rules
    stated = dict(zip(linked.texts, read(study, settings, finding, list(linked.texts.values())), strict=True))
    counts = Counter(stated.values())
    words = ", ".join(f"{counts[answer]} {answer or 'not mentioned'}" for answer in (*STATED, ""))
    study.desk.say(f"Reports: {len(linked.texts)} read on {finding}: {words}; {linked.n_unused} belong to no image.")
    verdicts = from_reports(kept, settings, linked, stated)
    errors = [_held_against_the_reread(study, kept, settings, linked, stated)] if settings.reread else []
    return Truth(_renamed(verdicts, labels), errors=tuple(errors))


def _stated_by_rules(study: Study, settings: Reports, finding: str, texts: Sequence[str]) -> Iterator[str]:
    """Yield what each report states about the finding: positive, uncertain, negative or nothing."""
    from lucency.data.ground_truth.reports.findings import load_findings
    from lucency.data.ground_truth.reports.many import find_mentions_of_all
    from lucency.data.ground_truth.reports.rules import labels_of

    own_list = Path(settings.findings) if settings.findings else None
    findings = load_findings(own_list)
    with study.desk.progress("Reading reports", len(texts)) as progress:
        for mentions in find_mentions_of_all(texts, own_list):
            yield labels_of(mentions, findings).get(finding, "")
            progress.advance()


def _stated_by_network(study: Study, settings: Reports, finding: str, texts: Sequence[str]) -> Iterator[str]:
    """Yield positive or negative by the frozen threshold; of a network with more classes, the class itself."""
    from lucency.data.ground_truth.from_reports import NEGATIVE, POSITIVE, STATED
    from lucency.study.labelling_texts import label_texts

    answers = label_texts(Path(settings.network or ""), texts, study.desk).of(finding)
    for called in answers.called:
        if len(answers.classes) == 2 and called:
            yield POSITIVE if called == answers.classes[1] else NEGATIVE
        else:
            yield called if called in STATED else ""


def _known_finding(settings: Reports) -> str:
    """Return the finding by the name of the list.

    Raises:
        PlanError: the list has no such finding.
    """
    from lucency.data.ground_truth.reports.findings import load_findings

    names = load_findings(Path(settings.findings) if settings.findings else None).names
    by_lower = {name.lower(): name for name in names}
    if settings.finding.lower() in by_lower:
        return by_lower[settings.finding.lower()]
    close = difflib.get_close_matches(settings.finding.lower(), by_lower, n=1)
    hint = f"Did you mean “{by_lower[close[0]]}”?" if close else f"The list has: {', '.join(names)}."
    raise PlanError(f"`data.labels.reports.finding` is “{settings.finding}”, which is no finding of the list. {hint}")


def _renamed(verdicts: "Verdicts", labels: Labels) -> "Verdicts":
    """Give the classes the names of the plan."""
    names = labels.names or {}
    renamed = []
    for verdict in verdicts.verdicts:
        doubt = verdict.probabilities and {names.get(name, name): p for name, p in verdict.probabilities.items()}
        renamed.append(replace(verdict, target=names.get(verdict.target, verdict.target), probabilities=doubt))
    return replace(verdicts, verdicts=renamed)


def _held_against_the_reread(
    study: Study, kept: Sequence[CohortRow], settings: Reports, linked: "LinkedReports", stated: Mapping[str, str]
) -> LabelError:
    """Measure the labeller on the reports that a person read again; those in doubt are left out and counted."""
    from lucency.data.ground_truth.from_reports import class_names, read_reread, verdict_on
    from lucency.evaluation.labeller import Reread, measure_labeller

    settings = settings.model_copy(update={"uncertain": "refuse"})  # a sample by answer must not mix two answers
    sheet = read_reread(settings, Path(settings.reread or ""))
    reread = sheet.stated
    patient_of = {linked.of_image[i.image_id]: i.patient_id for i in kept if i.image_id in linked.of_image}
    both = [
        (name, verdict_on(stated[name], settings).target, verdict_on(reread[name], settings).target)
        for name in sorted(reread.keys() & patient_of.keys())
    ]
    settled = [(name, labelled, truth) for name, labelled, truth in both if labelled and truth]
    n_missed = len(reread) - len(settled)
    if not settled:
        raise SourceError(
            f"None of the {len(reread)} reports that were read again belongs to an image and is settled. Check "
            "`data.labels.reports.reread` and the finding that it speaks of."
        )
    estimates = measure_labeller(
        Reread(
            class_names(settings),
            tuple(labelled for _, labelled, _ in settled),
            tuple(truth for _, _, truth in settled),
            tuple(patient_of[name] for name, _, _ in settled),
            Counter(verdict_on(said, settings).target for said in stated.values())
            if sheet.is_drawn_by_answer
            else None,
        ),
        study.plan.evaluation.level,
        study.plan.seed,
    )
    left_out = f"; {n_missed} left out, in doubt or without an image" if n_missed else ""
    return LabelError(
        f"Reports as read by {'the network' if settings.network else 'the rules'}",
        f"a person's second reading{left_out}",
        len(settled),
        estimates,
    )


def _refuse_own_sheet(study: Study, path: Path) -> None:
    """Stop before the sheet that somebody filled in is written anew."""
    if path.resolve() == (study.folder.path / ADJUDICATION).resolve():
        raise PlanError(
            f"`consensus.adjudicated` names the {ADJUDICATION} that this study writes, and would lose your decisions. Save it "
            "under another name outside the study's folder, and name the copy."
        )


def _tell_readers(
    study: Study,
    labels: Labels,
    setting: str,
    tables: "ReaderTables",
    readings: "Readings",
    verdicts: "Sequence[Verdict]",
) -> SeveralReaders:
    from lucency.data.ground_truth.consensus import ADJUDICATED, is_disputed
    from lucency.evaluation.agreement.description import confusion_between, describe_agreement

    level, seed = study.plan.evaluation.level, study.plan.seed
    others = (describe_agreement(other, level, seed) for other in tables.readings if other is not readings)
    questions = [other.question for other in tables.readings if other is not readings]
    disputed, n_read = is_disputed(readings), (~np.isnan(readings.values)).sum(axis=1)
    consensus = Consensus(
        rule=labels.consensus.rule,
        n_unanimous=int((~disputed & (n_read > 1)).sum()),
        n_disputed=int(disputed.sum()),
        n_decided=sum(ADJUDICATED in verdict.notes for verdict in verdicts),
        n_open=sum(bool(verdict.code and n) for verdict, n in zip(verdicts, n_read, strict=True)),
        n_single=int((n_read == 1).sum()),
    )
    return SeveralReaders(
        setting=setting,
        facts=tables.facts,
        question=readings.question,
        levels=readings.levels,
        agreement=describe_agreement(readings, level, seed),
        other_questions=tuple(
            replace(found[0], group=question) for question, found in zip(questions, others, strict=True) if found
        ),
        pairs=tuple(
            PairOfReaders(first, second, tuple(map(tuple, confusion_between(readings, first, second).tolist())))
            for first, second in list(combinations(readings.readers, 2))[:3]
        ),
        consensus=consensus,
    )


def _sentence_on_decisions(decisions: "Decisions", readings: "Readings") -> str:
    """Tell who decided, what is open, and what was decided though nobody disagreed."""
    from lucency.data.ground_truth.consensus import is_disputed

    disputed = {image for image, differ in zip(readings.image_ids, is_disputed(readings), strict=True) if differ}
    n_agreed = len(decisions.by_image.keys() - disputed)
    deciders = sorted({decision.decided_by for decision in decisions.by_image.values()} - {""})
    words = f"Adjudication: {len(decisions.by_image)} images decided"
    words += f" by {', '.join(deciders)}" if deciders else ""
    words += f", {decisions.n_open} still open"
    return (
        f"{words}; {n_agreed} of the decisions are about images on which no two readers disagree."
        if n_agreed
        else f"{words}."
    )


def _sentence_on(told: SeveralReaders) -> str:
    consensus = told.consensus
    agreement = next((estimate for estimate in told.agreement if estimate.value is not None), None)
    words = (
        f"Readers: {', '.join(reader.reader for reader in told.facts.readers)}; they disagree on {consensus.n_disputed} of "
        f"{consensus.n_disputed + consensus.n_unanimous} images, {consensus.n_decided} decided by hand, "
        f"{consensus.n_open} open, {len(told.facts.unread)} read by nobody."
    )
    if agreement is None or agreement.low is None or agreement.high is None:
        return words
    return f"{words} {agreement.name} {agreement.value:.2f} ({agreement.level:.0%} CI {agreement.low:.2f}–{agreement.high:.2f})."


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
