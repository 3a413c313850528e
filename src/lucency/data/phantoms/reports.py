"""Radiology reports of invented patients: synonyms, negation, doubt, history, priors, houses' styles, typing errors.

A stated share of the cohort's reports says the opposite of the truth about pneumonia, as dictated reports do.
"""

from dataclasses import dataclass, replace
from datetime import date

import numpy as np

from lucency import randomness
from lucency.data.phantoms import report_phrases as phrases
from lucency.data.phantoms.anatomy import Findings
from lucency.data.phantoms.report_phrases import Vocabulary
from lucency.data.phantoms.report_sentences import Dictation, Occasion, Stated, Statements, locate, pick
from lucency.data.phantoms.report_styles import LAYOUTS, Sections, mistype

NORMAL_SHARE = 0.15
"""Share of the reports without images that find nothing."""
ERROR_SHARE = 0.04
"""Share of reports that miss a pneumonia or report one that is not there."""
TYPING_ERROR_SHARE = 0.18
"""Share of reports with a slip of the keyboard."""

FINDINGS = (*phrases.NOUNS, "No Finding")
"""The fourteen findings, as CheXpert names them (Irvin 2019)."""


@dataclass(frozen=True)
class RadiologyReport:
    """The text below the letterhead, and what it says."""

    text: str
    statements: Statements
    """For each of the fourteen findings that the report settles; what is not mentioned is not in it."""
    stated: Stated
    """What a reader takes from it about pneumonia; without a word on it, that there is none."""
    is_wrong: bool


def compose_reports(n_reports: int, seed: int = 1, vocabulary: Vocabulary = "all") -> list[RadiologyReport]:
    """Dictate reports about patients without images: as many as asked for, a function of number, seed, and vocabulary.

    The vocabularies "training" and "test" share no phrase, so that a labeller that learnt from one shows on the other
    whether it understands more than what it has seen.
    """
    return [_compose_about_nobody(seed, number, vocabulary) for number in range(n_reports)]


def compose_report(occasion: Occasion, draw: np.random.Generator, vocabulary: Vocabulary = "all") -> RadiologyReport:
    """Dictate the report that belongs to an image."""
    has_pneumonia = bool(occasion.findings.opacities)
    is_wrong = bool(draw.random() < ERROR_SHARE)
    stated = _stance(has_pneumonia != is_wrong, occasion.is_subtle, bool(occasion.findings.band), is_wrong, draw)
    return _dictate(_statements_about(occasion, stated, draw), occasion, stated, is_wrong, vocabulary, draw)


def _compose_about_nobody(seed: int, number: int, vocabulary: Vocabulary) -> RadiologyReport:
    """Invent what one report states, and dictate it."""
    draw = randomness.generator(seed, f"phantom report {vocabulary} {number}")
    statements = _invent_statements(draw)
    stated = statements.get("Pneumonia", "negative")
    prior = date(2023, 5, 1) if draw.random() < 0.5 else None
    occasion = Occasion(Findings(), False, False, ("AP",) if draw.random() < 0.4 else ("PA", "LL"), prior, False)
    return _dictate(statements, occasion, stated, False, vocabulary, draw)


def _invent_statements(draw: np.random.Generator) -> Statements:
    """Draw what a report says of each finding: most are denied or not mentioned."""
    stances: tuple[Stated | None, ...] = ("positive", "uncertain", "negative", None)
    shares = (0.0, 0.0, 0.45, 0.55) if draw.random() < NORMAL_SHARE else (0.2, 0.08, 0.32, 0.4)
    drawn = {finding: stances[int(draw.choice(4, p=shares))] for finding in phrases.NOUNS}
    # Nobody doubts whether a patient has a tube.
    drawn["Support Devices"] = "positive" if drawn["Support Devices"] == "uncertain" else drawn["Support Devices"]
    return {finding: stance for finding, stance in drawn.items() if stance}


def _stance(says_pneumonia: bool, is_subtle: bool, has_band: bool, is_wrong: bool, draw: np.random.Generator) -> Stated:
    """Choose how sure the report is; a wrong report is sure of itself."""
    doubt = draw.random()
    if is_wrong:
        return "positive" if says_pneumonia else "negative"
    if says_pneumonia:
        return "uncertain" if doubt < (0.4 if is_subtle else 0.1) else "positive"
    return "uncertain" if doubt < (0.25 if has_band else 0.03) else "negative"


def _statements_about(occasion: Occasion, stated: Stated, draw: np.random.Generator) -> Statements:
    """Say what the image shows; what it does not show is denied or not mentioned."""
    findings = occasion.findings
    statements: Statements = {}
    if stated != "negative" or occasion.prior_had_pneumonia or draw.random() < 0.6:
        statements["Pneumonia"] = stated
    # An infiltrate is described in one of two words, and denied in either.
    opacity = pick(draw, ("Consolidation", "Lung Opacity"))
    statements[opacity] = "negative" if stated == "negative" else "positive"
    shown = {
        "Cardiomegaly": occasion.has_cardiomegaly,
        "Pleural Effusion": max(findings.effusion_cm) > 0,
        "Pneumothorax": findings.pneumothorax is not None,
        "Lung Lesion": any(lesion.kind == "nodule" for lesion in findings.lesions),
        "Atelectasis": findings.band is not None,
    }
    statements |= dict.fromkeys((finding for finding, is_shown in shown.items() if is_shown), "positive")
    for finding, share in (
        *dict.fromkeys(shown, 0.7).items(),
        ("Edema", 0.3),
        ("Fracture", 0.2),
        ("Pleural Other", 0.1),
    ):
        if draw.random() < share:
            statements.setdefault(finding, "negative")
    return statements


def _dictate(
    statements: Statements,
    occasion: Occasion,
    stated: Stated,
    is_wrong: bool,
    vocabulary: Vocabulary,
    draw: np.random.Generator,
) -> RadiologyReport:
    """Put statements into words, lay them out, and slip on the keyboard now and then."""
    dictation = Dictation(occasion, vocabulary, draw, locate(occasion, vocabulary, draw))
    history = f" {dictation.say(phrases.HISTORIES)}" if draw.random() < 0.3 else ""
    sections = Sections(
        indication=dictation.say(phrases.INDICATIONS) + history,
        technique=_technique(occasion.views),
        comparison=_comparison(occasion.prior, draw),
        findings=dictation.describe(statements),
        impression=dictation.conclude(statements),
    )
    if draw.random() < TYPING_ERROR_SHARE:
        sections = replace(sections, findings=_mistype_one(sections.findings, draw))
    return RadiologyReport(pick(draw, LAYOUTS)(sections), _with_no_finding(statements), stated, is_wrong)


def _with_no_finding(statements: Statements) -> Statements:
    """Add "No Finding" where nothing but a device is present or possible."""
    is_ill = any(stance != "negative" for finding, stance in statements.items() if finding != "Support Devices")
    return statements if is_ill else {**statements, "No Finding": "positive"}


def _technique(views: tuple[str, ...]) -> str:
    names = {"PA": "PA", "AP": "AP portable", "LL": "lateral"}
    return f"Chest radiograph, {' and '.join(names[view] for view in views)} view{'s' if len(views) > 1 else ''}."


def _comparison(prior: date | None, draw: np.random.Generator) -> str:
    none = pick(draw, ("None.", "None available.", "No prior studies."))
    return f"Chest radiograph of {prior.isoformat()}." if prior else none


def _mistype_one(sentences: tuple[str, ...], draw: np.random.Generator) -> tuple[str, ...]:
    """Slip in one of the sentences."""
    i = int(draw.integers(len(sentences)))
    return (*sentences[:i], mistype(sentences[i], draw), *sentences[i + 1 :])
