"""Labels from radiology reports: read by rules or by a network, and held against a second reading."""

import difflib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from lucency.domain.cohort import CohortRow
from lucency.domain.ground_truth import LabelError
from lucency.domain.labels_plan import Labels, Reports
from lucency.errors import PlanError, SourceError
from lucency.study.ground_truth.label_words import Carried, Statement, count_words, write_label_words
from lucency.study.ground_truth.truth import Truth
from lucency.study.images import naming_of
from lucency.study.stage import Study

if TYPE_CHECKING:  # pandas takes time to import; only stages that need it do
    from lucency.data.ground_truth.from_reports import LinkedReports
    from lucency.data.ground_truth.verdicts import Verdicts


def from_reports(study: Study, kept: Sequence[CohortRow], labels: Labels, settings: Reports) -> Truth:
    """Let rules or a network read the reports; what they state about the finding becomes the label."""
    from lucency.data.ground_truth.from_reports import STATED, link_reports, verdicts_from

    finding = settings.finding if settings.network else _known_finding(settings)
    linked = link_reports(kept, settings, naming_of(study))
    read = _stated_by_network if settings.network else _stated_by_rules
    said = dict(zip(linked.texts, read(study, settings, finding, list(linked.texts.values())), strict=True))
    stated = {report: statement.answer for report, statement in said.items()}
    counts = Counter(stated.values())
    words = ", ".join(
        f"{counts[answer]} {answer or 'not mentioned'}" for answer in dict.fromkeys((*STATED, "", *counts))
    )
    study.desk.say(f"Reports: {len(linked.texts)} read on {finding}: {words}; {linked.n_unused} belong to no image.")
    written = write_label_words(study.folder, kept, linked.of_image, said)
    verdicts = replace(_renamed(verdicts_from(kept, settings, linked, stated), labels), files=(written,))
    errors = [_held_against_the_reread(study, kept, settings, linked, stated)] if settings.reread else []
    return Truth(verdicts, errors=tuple(errors), words=count_words(kept, linked.of_image, said))


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


def _stated_by_rules(study: Study, settings: Reports, finding: str, texts: Sequence[str]) -> Iterator[Statement]:
    """Yield what each report states about the finding: positive, uncertain, negative or nothing."""
    from lucency.data.ground_truth.reports.findings import load_findings
    from lucency.data.ground_truth.reports.many import find_mentions_of_all
    from lucency.data.ground_truth.reports.rules import carrying, labels_of

    own_list = Path(settings.findings) if settings.findings else None
    findings = load_findings(own_list)
    with study.desk.progress("Reading reports", len(texts)) as progress:
        for text, mentions in zip(texts, find_mentions_of_all(texts, own_list), strict=True):
            answer = labels_of(mentions, findings).get(finding, "")
            decided = [
                Carried(" ".join(text[one.start : one.end].split()), " ".join(one.cue.split()))
                for one in carrying(mentions, finding, answer)
            ]
            yield Statement(answer, tuple(dict.fromkeys(decided)))
            progress.advance()


def _stated_by_network(study: Study, settings: Reports, finding: str, texts: Sequence[str]) -> Iterator[Statement]:
    """Yield positive or negative by the frozen threshold; of a network with more classes, the class itself."""
    from lucency.study.reading.labelling_texts import label_texts

    answers = label_texts(Path(settings.network or ""), texts, study.desk).of(finding)
    if not answers.finding:  # it was taught one thing, whatever that is called
        study.desk.say(f"The network tells {' from '.join(answers.classes)}; the last of them counts as {finding}.")
    for called, words in zip(answers.called, answers.carrying, strict=True):
        carried = tuple(Carried(word, is_listed=False) for word in words)
        yield Statement(_stated(called, answers.classes), carried)


def _stated(called: str, classes: Sequence[str]) -> str:
    """Return what a class of the network states about the finding."""
    from lucency.data.ground_truth.from_reports import NEGATIVE, POSITIVE, STATED, UNREAD

    if not called:
        return UNREAD
    if len(classes) == 2:
        return POSITIVE if called == classes[1] else NEGATIVE
    return called if called in STATED else ""


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
