"""Read radiology reports by rules, outside of any study: labels, the words behind them, a sample to read again."""

import csv
import io
import os
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING

from lucency.domain.progress import Desk
from lucency.errors import PlanError, SourceError
from lucency.provenance import write_atomically
from lucency.randomness import generator

if TYPE_CHECKING:  # pandas and jinja2 take time to import
    from lucency.data.ground_truth.reports.rules import Mention

LABELS, EVIDENCE, REREAD, PAGE = "labels.csv", "evidence.csv", "reread.csv", "reports.html"
N_AT_ONCE = 100
"""Reports that a process reads at a time."""
FEW = 500
"""Fewer reports than this are read sooner by one process."""
N_SHOWN = 24
"""Reports on the page, with their words marked."""


@dataclass(frozen=True)
class ReportRead:
    """What the rules made of one report."""

    name: str
    text: str
    labels: Mapping[str, str]
    """Finding → positive, negative or uncertain; what is not mentioned is not in it."""
    mentions: "tuple[Mention, ...]" = ()
    code: str = ""
    """Why it could not be read (E_…)."""


def read_all_reports(
    source: Path, out: Path, desk: Desk, text_column: str | None, findings_file: Path | None, n_sample: int, seed: int
) -> list[Path]:
    """Read every report of a folder or table and write labels, evidence, a sample to read again and a page.

    Raises:
        SourceError: there are no reports, or the table lacks the column.
        PlanError: the list of findings is wrong.
        Interrupted: the user asked to stop.
    """
    from lucency.data.ground_truth.reports.findings import load_findings

    findings = [one.name for one in load_findings(findings_file).findings]
    texts = _texts_of_table(source, text_column) if source.is_file() else _texts_of_folder(source)
    if not texts:
        raise SourceError(f"There is no report in {source}. Give a folder of texts, or a table with --text-column.")
    read = list(_read(texts, findings_file, desk))
    names = list(dict.fromkeys([*findings, *(name for one in read for name in one.labels)]))
    out.mkdir(parents=True, exist_ok=True)
    return [
        _write_table(out / LABELS, ["report", *names, "code"], _label_rows(read, names)),
        _write_table(out / EVIDENCE, EVIDENCE_HEADER, _evidence_rows(read)),
        _write_sample(out / REREAD, read, findings, n_sample, seed),
        _write_page(out / PAGE, read, names, seed),
    ]


def _texts_of_folder(folder: Path) -> list[tuple[str, bytes | str]]:
    if not folder.is_dir():
        raise SourceError(f"There is no {folder}. Give a folder of reports, or a table (CSV or XLSX).")
    files = sorted(file for file in folder.rglob("*") if file.is_file() and not file.name.startswith("."))
    return [(file.relative_to(folder).as_posix(), file.read_bytes()) for file in files]


def _texts_of_table(path: Path, text_column: str | None) -> list[tuple[str, bytes | str]]:
    from lucency.data.ground_truth.tables import read_table

    if text_column is None:
        raise PlanError(f"{path.name} is a table: name the column that holds the reports with --text-column.")
    rows = read_table(path, [text_column], "SOURCE")
    return [(row.get("report") or f"row {number}", row[text_column]) for number, row in enumerate(rows, start=2)]


def _read(texts: Sequence[tuple[str, bytes | str]], findings_file: Path | None, desk: Desk) -> Iterator[ReportRead]:
    """Read all texts in their order, many on all cores."""
    from lucency.data.in_order import map_in_order

    portions = [texts[first : first + N_AT_ONCE] for first in range(0, len(texts), N_AT_ONCE)]
    task = partial(read_portion, findings_file)
    n_processes = os.cpu_count() or 1
    with desk.progress("Reading reports", len(texts)) as progress:
        done: Iterator[list[ReportRead]]
        if len(texts) < FEW or n_processes == 1:
            done = map(task, portions)
        else:
            pool = ProcessPoolExecutor(n_processes, mp_context=get_context("spawn"))
            done = map_in_order(pool, task, portions, 2 * n_processes)
        for portion in done:
            for one in portion:
                progress.advance()
                yield one


def read_portion(findings_file: Path | None, texts: Sequence[tuple[str, bytes | str]]) -> list[ReportRead]:
    """Read some reports; what is no text is told by a code."""
    from lucency.data.ground_truth.reports.findings import load_findings
    from lucency.data.ground_truth.reports.rules import find_mentions, labels_of
    from lucency.data.ground_truth.reports.texts import clean_text, read_text

    findings = load_findings(findings_file)
    read = []
    for name, content in texts:
        try:
            text = clean_text(content) if isinstance(content, str) else read_text(content, name)
        except SourceError:
            read.append(ReportRead(name, "", {}, code="E_NOT_TEXT"))
            continue
        mentions = find_mentions(text, findings)
        code = "" if text.strip() else "E_EMPTY_REPORT"
        read.append(ReportRead(name, text, labels_of(mentions, findings), tuple(mentions), code))
    return read


def _label_rows(read: Sequence[ReportRead], names: Sequence[str]) -> Iterator[list[str]]:
    for one in read:
        yield [one.name, *(one.labels.get(name, "") for name in names), one.code]


EVIDENCE_HEADER = ["report", "finding", "stated", "words", "because_of", "section", "start", "end"]


def _evidence_rows(read: Sequence[ReportRead]) -> Iterator[list[object]]:
    for one in read:
        for mention in one.mentions:
            words = " ".join(one.text[mention.start : mention.end].split())
            yield [
                *(one.name, mention.finding, mention.stated or "does not count", words),
                *(mention.cue, mention.section.value, mention.start, mention.end),
            ]


def _write_sample(path: Path, read: Sequence[ReportRead], findings: Sequence[str], n_sample: int, seed: int) -> Path:
    """Draw reports for a person to read again, of each finding in equal shares of its answers; the answers are not shown."""
    from lucency.data.ground_truth.from_reports import BY_ANSWER

    rows = []
    readable = [one for one in read if not one.code]
    for finding in findings:
        strata: defaultdict[str, list[ReportRead]] = defaultdict(list)
        for one in readable:
            strata[one.labels.get(finding, "negative")].append(one)
        draw = generator(seed, f"reread/{finding}")
        chosen = []
        for answer in sorted(strata):
            order = draw.permutation(len(strata[answer]))
            chosen += [strata[answer][place] for place in order[: max(1, n_sample // max(len(strata), 1))]]
        rows += [[one.name, finding, "", BY_ANSWER, one.text] for one in sorted(chosen, key=lambda one: one.name)]
    return _write_table(path, ["report", "finding", "reading", "drawn", "text"], rows)


def _write_page(path: Path, read: Sequence[ReportRead], names: Sequence[str], seed: int) -> Path:
    from lucency.report.reports_page import FindingCount, MarkedReport, render_reports_page

    counts = []
    for name in names:
        found = Counter(one.labels.get(name, "") for one in read if not one.code)
        counts.append(FindingCount(name, found["positive"], found["uncertain"], found["negative"], found[""]))
    readable = [one for one in read if not one.code]
    order = generator(seed, "reports on the page").permutation(len(readable))[:N_SHOWN]
    shown = [
        MarkedReport(
            readable[place].name,
            readable[place].text,
            tuple((m.start, m.end, m.finding, m.stated) for m in readable[place].mentions if m.stated),
            tuple(readable[place].labels.items()),
        )
        for place in order
    ]
    write_atomically(path, render_reports_page(len(read), len(read) - len(readable), counts, shown))
    return path


def _write_table(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> Path:
    from lucency.study.folder import disarmed

    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows([disarmed(cell) for cell in row] for row in rows)
    write_atomically(path, text.getvalue())
    return path
