"""A page about the agreement of readers and the consensus that is made of what they said; no study is needed."""

from dataclasses import dataclass

from lucency.domain.estimate import Estimate
from lucency.evaluation.agreement.convention import strength_in_words
from lucency.report import words
from lucency.report.ground_truth import RULES
from lucency.report.html import styles, template

WITHOUT_LABEL = {
    "E_TIE": "the readers are even",
    "E_FEW_READERS": "too few readers saw it",
    "E_NOT_READ": "nobody read it",
}
"""Why the consensus gives a case no label."""


@dataclass(frozen=True)
class QuestionAsked:
    """One question that the readers answered."""

    question: str
    readings: tuple[tuple[int, int], ...]
    """Number of readings, and the cases that have so many."""
    estimates: tuple[Estimate, ...]
    labels: tuple[tuple[str, int], ...]
    """What the consensus says, and of how many cases; empty for measurements."""
    codes: tuple[tuple[str, int], ...]
    """Code of the reason why cases have no label, and how many."""
    notes: tuple[str, ...]
    """Why the rule of the consensus may not be trusted."""


@dataclass(frozen=True)
class AgreementPage:
    """What the page tells."""

    table: str
    n_cases: int
    n_patients: int
    n_readings: int
    are_readers_known: bool
    are_patients_known: bool
    rule: str
    level: float
    questions: tuple[QuestionAsked, ...]


def render_agreement(page: AgreementPage) -> str:
    """Write the page; the same material gives the same bytes."""
    return template("agreement.html.j2").render(
        page=page,
        styles=styles("sheet.css"),
        words=words,
        strength=strength_in_words,
        rule=RULES[page.rule],
        without_label=WITHOUT_LABEL,
    )
