"""The section on representativeness: its tables, as lines of the page and as CSV files."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lucency.domain.description import Comparison, Description, Missing, Probe, Protocol, Source, TableOne
from lucency.domain.estimate import Estimate
from lucency.report import words
from lucency.report.tables import CohortLine, count_and_share, table_lines

Table = tuple[Sequence[str], list[Sequence[object]]]
"""The header and the rows of a CSV file."""

MOST_SOURCES = 12
"""Sites, scanners or years of each kind that the page shows; all are in the CSV file."""
VERDICTS = {
    "found": "found",
    "trace": "trace",
    "harmless": "harmless here",
    "none": "none seen",
    "unknown": "cannot say",
}
"""What the page says of a probe."""


@dataclass(frozen=True)
class SourceGroup:
    """The sites, the scanners or the years, the largest first."""

    kind: str
    sources: tuple[Source, ...]
    n_left_out: int
    """Sources that the page has no room for."""
    association: str
    """What the test of association says; empty where there is none."""


def label_lines(description: Description, unit: str) -> list[CohortLine]:
    """Describe the patients of the training and tuning parts by class; `unit` is "image" or "report"."""
    return table_lines(description.by_label, unit)


def missing_lines(description: Description) -> list[tuple[str, list[str]]]:
    """Write for each variable how many patients lack it; variables that everybody has are left out."""
    return [
        (missing.variable, [count_and_share(cell) for cell in missing.cells])
        for missing in description.missing
        if missing.cells[-1].n
    ]


def source_groups(description: Description) -> list[SourceGroup]:
    """Group the sources by kind."""
    associations = {one.kind: one for one in description.associations}
    groups = []
    for kind in dict.fromkeys(source.kind for source in description.sources):
        sources = [source for source in description.sources if source.kind == kind]
        if kind != "year":
            sources.sort(key=lambda source: -source.n_patients)
        shown = sources[:MOST_SOURCES] if kind != "year" else sources[-MOST_SOURCES:]
        association = ""
        if kind in associations:
            association = association_in_words(kind, associations[kind].p_value)
        groups.append(SourceGroup(kind, tuple(shown), len(sources) - len(shown), association))
    return groups


def association_in_words(kind: str, p_value: float) -> str:
    """Say whether the labels are unevenly spread over the sources."""
    p = f"p = {p_value:.3f}" if p_value >= 0.001 else "p < 0.001"
    if p_value < 0.05:
        return f"The labels are unevenly spread over the {kind}s ({p})."
    return f"No sign that the labels are unevenly spread over the {kind}s ({p})."


def protocol_columns(description: Description) -> list[str]:
    """Name the settings that any protocol tells."""
    return list(description.protocols[0].facts) if description.protocols else []


def share_and_interval(share: Estimate) -> str:
    """Write the share of a class at a source: 40.0 % (31.2–49.4 %)."""
    if share.value is None:
        return "–"
    return f"{words.proportion(share.value)} ({words.interval(share)})"


def level_cells(comparison: Comparison) -> list[tuple[str, str, str]]:
    """Write the figures of a comparison: level, cohort, target population."""
    write = (
        (lambda value: words.proportion(value, 0)) if comparison.is_share else (lambda value: words.number(value, 1))
    )
    return [(one.level, write(one.cohort), write(one.target)) for one in comparison.levels]


def found_shortcuts(description: Description) -> list[Probe]:
    """Return the probes that found something."""
    return [probe for probe in description.probes if probe.verdict == "found"]


def verdict_on_shortcuts(description: Description) -> str:
    """Say in one sentence what the probes found."""
    if not description.probes:
        return "No probes for shortcuts were made."
    found, asked = found_shortcuts(description), [p for p in description.probes if p.verdict != "unknown"]
    if not asked:
        return "The probes for shortcuts can say nothing: there are too few patients, or nothing to look at."
    if not found:
        return f"None of {len(asked)} probes found a shortcut, as far as they can tell."
    return f"{len(found)} of {len(asked)} probes found a shortcut; look at what they found before trusting the results."


# CSV files -----------------------------------------------------------------------------------------------------------


def tables_of(description: Description) -> dict[str, Table]:
    """Return every table of the description as name → header and rows."""
    classes = [group.name for group in description.by_label.groups[:-1]]
    return {
        "by_part": _table_one(description.by_part),
        "by_label": _table_one(description.by_label),
        "missing": _missing(description.missing, description.by_part),
        "sources": _sources(description.sources, classes),
        "acquisition": _protocols(description.protocols),
        "population": _comparisons(description.comparisons),
        "probes": _probes(description.probes),
    }


def _table_one(table: TableOne) -> Table:
    groups = [group.name for group in table.groups]
    header = ["variable", "level", *groups, "standardised difference", "low", "high", "between"]
    rows: list[Sequence[object]] = []
    heading = ""
    for line in table_lines(table, "image"):
        heading = line.name if not line.is_detail else heading
        difference: list[object] = [""] * 4
        if line.difference:
            d = line.difference
            difference = [_digits(d.value), _digits(d.low), _digits(d.high), d.group]
        cells = line.cells or [""] * len(groups)
        rows.append([heading, line.name if line.is_detail else "", *cells, *difference])
    return header, rows


def _missing(missing: Iterable[Missing], table: TableOne) -> Table:
    names = [group.name for group in table.groups]
    header = ["variable", *(f"{name} {what}" for name in names for what in ("missing", "patients", "share"))]
    rows: list[Sequence[object]] = [
        [
            one.variable,
            *(x for c in one.cells for x in (c.n, c.n_group, _digits(c.n / c.n_group if c.n_group else None))),
        ]
        for one in missing
    ]
    return header, rows


def _sources(sources: Iterable[Source], classes: Sequence[str]) -> Table:
    header = ["kind", "name", "patients", "images"]
    header += [f"{name} {what}" for name in classes for what in ("share", "low", "high")]
    rows: list[Sequence[object]] = []
    for source in sources:
        shares = [_digits(value) for share in source.shares for value in (share.value, share.low, share.high)]
        rows.append([source.kind, source.name, source.n_patients, source.n_images, *shares])
    return header, rows


def _protocols(protocols: Sequence[Protocol]) -> Table:
    settings = list(protocols[0].facts) if protocols else []
    rows: list[Sequence[object]] = [
        [one.site, one.scanner, one.modality, one.n_patients, one.n_images, *one.facts.values()] for one in protocols
    ]
    return ["site", "scanner", "modality", "patients", "images", *settings], rows


def _comparisons(comparisons: Iterable[Comparison]) -> Table:
    header = ["variable", "level", "cohort", "target", "standardised difference", "low", "high", "verdict", "in words"]
    rows: list[Sequence[object]] = []
    for one in comparisons:
        d = one.difference
        verdict = [_digits(d.value), _digits(d.low), _digits(d.high), one.verdict, one.text]
        rows.append([one.variable, "", "", "", *verdict])
        rows += [[one.variable, x.level, _digits(x.cohort), _digits(x.target), *[""] * 5] for x in one.levels]
    return header, rows


def _probes(probes: Iterable[Probe]) -> Table:
    header = ["probe", "question", "AUC", "low", "high", "images", "patients", "method", "verdict", "in words"]
    rows: list[Sequence[object]] = []
    for one in probes:
        e = one.estimate
        n_patients = e.n_clusters if e.n_clusters is not None else e.n
        value = [_digits(e.value), _digits(e.low), _digits(e.high), e.n, n_patients, e.method]
        rows.append([one.name, one.question, *value, one.verdict, one.text])
    return header, rows


def _digits(value: float | None) -> float | str:
    return "" if value is None else round(value, 4)
