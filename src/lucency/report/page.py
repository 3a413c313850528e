"""The report as one HTML file: no script, no network, every text escaped; the same material gives the same bytes."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from markupsafe import Markup

from lucency.domain.augmentation_plan import NO_AUGMENTATION
from lucency.domain.estimate import Estimate
from lucency.domain.parts import Part
from lucency.evaluation.agreement.convention import strength_in_words
from lucency.provenance import head_code
from lucency.report import ground_truth, representativeness, words
from lucency.report.answers.answers import Answers
from lucency.report.counts import count_flow, n_refused, notes_of_kept, rows_of
from lucency.report.figures import all_figures, interval_ruler, save_ready
from lucency.report.glossary import GLOSSARY, Term, look_up
from lucency.report.html import styles, template
from lucency.report.hyperparameters import augmentation_ranges, by_section, settings
from lucency.report.limitations import find_limitations, flips_across, sides_are_known
from lucency.report.material import Material
from lucency.report.tables import cohort_table, estimate_groups, not_recorded


class _Shown(Protocol):
    """Whatever is shown as a picture."""

    @property
    def png(self) -> bytes: ...


Shown = TypeVar("Shown", bound=_Shown)

IMAGE_BUDGET_BYTES = 520_000
"""PNG bytes that each of the four blocks of images may take, so that the page stays below 3 MB."""


@dataclass(frozen=True)
class RenderedReport:
    """The page, and the figures on it as files of their own."""

    html: str
    figures: dict[str, str]
    """Name → content of an .svg file."""


def render(material: Material) -> str:
    """Write the report as one self-contained HTML page."""
    return render_with_figures(material).html


def render_with_figures(material: Material) -> RenderedReport:
    """Write the report, and each of its drawings as a file for the study's folder `figures/`."""
    flow = count_flow(material)
    drawings = all_figures(material, flow)
    terms, numbers, methods = _Terms(), _Numbers(), _Footnotes()
    answers = material.answers
    html = template(answers.template).render(
        material=material,
        answers=answers,
        plan=material.plan,
        flow=flow,
        drawings={name: Markup(svg) for name, svg in drawings.items()},
        styles=styles(),
        sections=_sections(material),
        head_code=head_code(material.record_head),
        key_estimates=answers.key_estimates(material),
        limitations=find_limitations(material),
        cohort_lines=cohort_table(material),
        not_recorded=not_recorded(material),
        description=material.description,
        representativeness=representativeness,
        truth=material.ground_truth,
        ground_truth=ground_truth,
        strength=strength_in_words,
        source_groups=representativeness.source_groups(material.description),
        protocol_columns=representativeness.protocol_columns(material.description),
        missing_lines=representativeness.missing_lines(material.description),
        n_refused=n_refused(material),
        notes=notes_of_kept(material),
        estimate_groups=estimate_groups(material),
        setting_groups=by_section(settings(material.plan)),
        augmentation_ranges=augmentation_ranges(material.plan.augmentation or NO_AUGMENTATION),
        n_training=len(rows_of(material.split, Part.TRAINING)),
        n_iterations=answers.n_iterations(material),
        flip_is_wrong=flips_across(material) and sides_are_known(material),
        shares_told=answers.shares_told,
        words=words,
        term=terms.use,
        term_if_known=terms.use_if_known,
        used_terms=terms.used,
        figure=lambda name: numbers.of("Figure", name),
        table=lambda name: numbers.of("Table", name),
        footnotes=methods,
        ruler=lambda estimate: _ruler(answers, estimate),
        within_budget=_within_budget,
        code=_code_spans,
    )
    return RenderedReport(html, save_ready(drawings))


class _Terms:
    """Marks the terms of the page and remembers which were used."""

    def __init__(self) -> None:
        self._used: dict[str, Term] = {}

    def use(self, name: str, shown: str | None = None) -> Markup:
        """Mark a term: it links to its entry and shows it on hover and on keyboard focus."""
        entry = GLOSSARY[name]
        self._used[name] = entry
        return Markup(
            '<span class="term"><a href="#term-{slug}" aria-describedby="means-{slug}">{shown}</a>'
            '<span class="tip" aria-hidden="true"><b>{name}</b> {text}</span></span>'
        ).format(slug=entry.slug, shown=shown or name, name=entry.name, text=entry.text)

    def use_if_known(self, word: str) -> Markup:
        """Mark a word if the glossary knows it, else write it as it is."""
        entry = look_up(word) or look_up(_bare(word))
        return self.use(entry.name, word) if entry else Markup.escape(word)

    def used(self) -> list[Term]:
        """Return the entries of the terms used so far, by name."""
        return sorted(self._used.values(), key=lambda entry: entry.name.lower())


def _bare(word: str) -> str:
    """Take from the name of a measure what says of what it is and how it was averaged: "mean surface Dice at 1 mm"."""
    first = re.split(r" \(| at |, |(?<=agreement) of ", word)[0]
    return re.sub(r"^(?:(?:mean|median|(?:lower|upper) quartile of|absolute|relative) )+", "", first)


class _Numbers:
    """Numbers figures and tables in the order in which the page first names them."""

    def __init__(self) -> None:
        self._names: dict[str, list[str]] = {}

    def of(self, kind: str, name: str) -> str:
        """Return for example "Figure 3"."""
        names = self._names.setdefault(kind, [])
        if name not in names:
            names.append(name)
        return f"{kind}\u00a0{names.index(name) + 1}"


@dataclass
class _Footnotes:
    """Letters for the methods and notes below the table of estimates."""

    texts: list[str] = field(default_factory=list)

    def letter(self, text: str) -> str:
        """Return the letter of a footnote: a, b, … z, aa, ab …."""
        if text not in self.texts:
            self.texts.append(text)
        return self._name(self.texts.index(text))

    def of(self, estimate: Estimate) -> list[str]:
        """Return the letters of an estimate: its method, then its note."""
        return [self.letter(text) for text in (estimate.method, estimate.note) if text]

    def all(self) -> list[tuple[str, str]]:
        """Return every footnote with its letter."""
        return [(self._name(i), text) for i, text in enumerate(self.texts)]

    @staticmethod
    def _name(i: int) -> str:
        return (chr(96 + i // 26) if i >= 26 else "") + chr(97 + i % 26)


def _sections(material: Material) -> list[tuple[str, str]]:
    """List identifier and title of each section, in order."""
    named = [
        ("data", "Data"),
        ("ground-truth", "Ground truth"),
        ("split", "Split"),
        ("representativeness", "Representativeness"),
        ("augmentation", "Augmentation"),
        ("network", "Network"),
        ("training", "Training"),
        ("results", "Results on the sealed test set"),
        *material.answers.sections(),
        ("limitations", "Limitations"),
        ("hyperparameters", "All hyperparameters"),
        ("reproducibility", "Reproducibility"),
        ("glossary", "Glossary"),
    ]
    left_out = {"augmentation"} if material.plan.unit == "report" else set()
    return [section for section in named if section[0] not in left_out]


def _ruler(answers: Answers, estimate: Estimate) -> Markup:
    ends = answers.ruler(estimate)
    return Markup(interval_ruler(estimate, *ends)) if ends else Markup("")


def _within_budget(pictures: Sequence[Shown]) -> list[Shown]:
    """Keep the first pictures that fit into the budget of their block, at least one."""
    kept: list[Shown] = []
    n_bytes = 0
    for picture in pictures:
        n_bytes += len(picture.png)
        if kept and n_bytes > IMAGE_BUDGET_BYTES:
            break
        kept.append(picture)
    return kept


def _code_spans(text: str) -> Markup:
    """Set what stands between backticks as code."""
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if i % 2 else Markup.escape(part)
        for i, part in enumerate(re.split("`", text))
    )
