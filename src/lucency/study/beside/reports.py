"""Radiology reports read by rules, as tables and a page; nothing is sent anywhere."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lucency.domain.progress import Desk
from lucency.errors import PlanError
from lucency.study.folder import StudyFolder

if TYPE_CHECKING:  # pandas takes time to import, and `lucency --help` does without
    from lucency.data.ground_truth.reports.findings import Findings
    from lucency.data.ground_truth.reports.gathering import Report
    from lucency.data.ground_truth.reports.rules import Mention
    from lucency.report.labelled_reports import LabelledReports, Mark, ShownReport

LABELS, EVIDENCE, REREAD, PAGE = "labels.csv", "evidence.csv", "reread.csv", "reports.html"
N_SHOWN = 24
"""Reports on the page."""
N_AT_ONCE = 50
"""Reports between two steps of the bar."""


@dataclass(frozen=True)
class Asked:
    """What is asked of the reports."""

    source: Path
    out: Path
    findings: Path | None = None
    text_columns: tuple[str, ...] = ()
    name_column: str = ""
    reread: tuple[str, ...] = ()
    """Findings for which a person shall read a sample again."""
    n_reread: int = 100
    seed: int = 0


@dataclass(frozen=True)
class _ReadReport:
    report: "Report"
    mentions: "list[Mention]"
    labels: dict[str, str]


def read_reports(asked: Asked, desk: Desk) -> None:
    """Read all reports of a folder or table, and write labels, evidence, a sample to read again, and a page.

    Raises:
        SourceError: the reports cannot be read.
        PlanError: the list of findings is wrong, or a finding is not on it.
    """
    from lucency.data.ground_truth.reports.findings import load_findings
    from lucency.data.ground_truth.reports.gathering import gather_reports

    findings = load_findings(asked.findings)
    to_reread = asked.reread or _usual(findings)
    _refuse_unknown(to_reread, findings)
    reports = gather_reports(asked.source, asked.text_columns, asked.name_column)
    read = _read_all(reports, findings, asked, desk)
    folder = StudyFolder(asked.out)
    folder.write_table(LABELS, ["report", *findings.names, "code", "notes"], _label_rows(read, findings))
    folder.write_table(EVIDENCE, _EVIDENCE_COLUMNS, _evidence_rows(read))
    folder.write_table(REREAD, ["report", "finding", "reading", "drawn", "text"], _reread_rows(read, to_reread, asked))
    _write_page(folder, read, findings, asked.seed)
    _tell(read, findings, asked.out, desk)


def _usual(findings: "Findings") -> tuple[str, ...]:
    """Choose the finding that is read again if nobody says which: pneumonia, else the first of the list."""
    names = [finding.name for finding in findings.findings]
    return ("Pneumonia",) if "Pneumonia" in names else (names[0],)


def _refuse_unknown(names: Sequence[str], findings: "Findings") -> None:
    for name in names:
        if name not in findings.names:
            raise PlanError(f"“{name}” is no finding of the list. It has: {', '.join(findings.names)}.")


def _read_all(reports: "Sequence[Report]", findings: "Findings", asked: Asked, desk: Desk) -> list[_ReadReport]:
    from lucency.data.ground_truth.reports.many import find_mentions_of_all
    from lucency.data.ground_truth.reports.rules import labels_of

    read = []
    with desk.progress("Reading reports", len(reports)) as progress:
        texts = [report.text for report in reports]
        for report, mentions in zip(reports, find_mentions_of_all(texts, asked.findings), strict=True):
            read.append(_ReadReport(report, mentions, labels_of(mentions, findings)))
            if len(read) % N_AT_ONCE == 0:
                progress.advance(N_AT_ONCE)
    return read


def _label_rows(read: Sequence[_ReadReport], findings: "Findings") -> Iterator[list[str]]:
    for one in read:
        labels = [one.labels.get(name, "") for name in findings.names]
        yield [one.report.name, *labels, one.report.code, " ".join(one.report.notes)]


_EVIDENCE_COLUMNS = ["report", "finding", "stated", "words", "cue", "section", "start", "end", "cue_start", "cue_end"]


def _evidence_rows(read: Sequence[_ReadReport]) -> Iterator[list[object]]:
    for one in read:
        for mention in one.mentions:
            words = one.report.text[mention.start : mention.end]
            places = [mention.start, mention.end, mention.cue_start, mention.cue_end]
            yield [
                one.report.name,
                mention.finding,
                mention.stated or "not said of the image",
                " ".join(words.split()),
                " ".join(mention.cue.split()),
                mention.section.value,
                *places,
            ]


def _reread_rows(read: Sequence[_ReadReport], findings: Sequence[str], asked: Asked) -> Iterator[list[str]]:
    """Give the sample without the answers, so that whoever reads again is not led."""
    from lucency.data.ground_truth.reports.rereading import BY_ANSWER, choose_to_reread

    texts = {one.report.name: one.report.text for one in read if not one.report.code}
    labels = {one.report.name: one.labels for one in read if not one.report.code}
    for chosen in choose_to_reread(labels, findings, asked.n_reread, asked.seed):
        yield [chosen.report, chosen.finding, "", BY_ANSWER, texts[chosen.report]]


def _write_page(folder: StudyFolder, read: Sequence[_ReadReport], findings: "Findings", seed: int) -> None:
    from lucency.report.labelled_reports import render_labelled_reports

    folder.write(PAGE, render_labelled_reports(_page(read, findings, seed)))


def _page(read: Sequence[_ReadReport], findings: "Findings", seed: int) -> "LabelledReports":
    from lucency.data.codes import EXPLANATIONS
    from lucency.randomness import generator
    from lucency.report.labelled_reports import Counted, LabelledReports

    readable = [one for one in read if not one.report.code]
    codes = Counter(code for one in read for code in (one.report.code, *one.report.notes) if code)
    order = generator(seed, "reports on the page").permutation(len(readable))[:N_SHOWN]
    return LabelledReports(
        n_reports=len(read),
        n_read=len(readable),
        codes=tuple((code, n, EXPLANATIONS[code]) for code, n in sorted(codes.items())),
        counts=tuple(Counted(name, _numbers(readable, name)) for name in findings.names),
        shown=tuple(_shown(readable[place], findings) for place in sorted(order)),
    )


def _numbers(read: Sequence[_ReadReport], finding: str) -> tuple[int, ...]:
    counts = Counter(one.labels.get(finding, "") for one in read)
    return tuple(counts[answer] for answer in ("positive", "uncertain", "negative", ""))


def _shown(one: _ReadReport, findings: "Findings") -> "ShownReport":
    from lucency.report.labelled_reports import ShownReport

    marks = tuple(mark for mention in one.mentions for mark in _marks(mention))
    labels = tuple((name, one.labels[name]) for name in findings.names if name in one.labels)
    return ShownReport(one.report.name, one.report.text, marks, labels)


def _marks(mention: "Mention") -> "Iterator[Mark]":
    from lucency.report.labelled_reports import Mark

    stated = mention.stated or "void"
    meaning = f"{mention.finding}: {mention.stated or 'not said of the image'}"
    yield Mark(mention.start, mention.end, stated, meaning)
    if mention.cue_end > mention.cue_start:
        yield Mark(mention.cue_start, mention.cue_end, "cue", meaning)


def _tell(read: Sequence[_ReadReport], findings: "Findings", out: Path, desk: Desk) -> None:
    refused: Mapping[str, int] = Counter(one.report.code for one in read if one.report.code)
    desk.say(f"{len(read)} reports read; {sum(refused.values())} hold no text that can be read.")
    width = max(map(len, findings.names))
    readable = [one for one in read if not one.report.code]
    for name in findings.names:
        positive, uncertain, negative, _ = _numbers(readable, name)
        desk.say(f"  {name:<{width}}  {positive:>6} positive  {uncertain:>6} uncertain  {negative:>6} negative")
    desk.say(
        f"Look at {out / PAGE} (it holds the text of reports). Labels: {out / LABELS}, with words: {out / EVIDENCE}."
    )
    desk.say(f"To measure how often the rules err, fill in the column “reading” of {out / REREAD}.")
