"""Radiology reports drawn from a small grammar: negations, doubts, synonyms, history, priors, and typing errors.

A stated share of the reports says the opposite of the truth about pneumonia, as dictated reports do.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal, TypeVar

import numpy as np

from lucency.data.phantoms.anatomy import Findings

ERROR_SHARE = 0.04
"""Share of reports that miss a pneumonia or report one that is not there."""

Choice = TypeVar("Choice")
Stated = Literal["positive", "uncertain", "negative"]


@dataclass(frozen=True)
class Occasion:
    """What the radiologist who dictates knows."""

    findings: Findings
    is_subtle: bool
    has_cardiomegaly: bool
    views: tuple[str, ...]
    prior: date | None
    prior_had_pneumonia: bool


@dataclass(frozen=True)
class RadiologyReport:
    """The text below the letterhead, and what it says about pneumonia."""

    text: str
    stated: Stated
    is_wrong: bool


_OPACITY = (
    "consolidation",
    "airspace opacity",
    "air-space opacification",
    "infiltrate",
    "patchy opacity",
    "focal density",
)
_INDICATIONS = (
    "Cough and fever for three days, ?pneumonia.",
    "Shortness of breath. Rule out pneumonia.",
    "Chest pain.",
    "Pre-operative assessment.",
    "Fever of unknown origin.",
    "Known COPD, increasing dyspnoea.",
    "Productive cough, crackles on auscultation; pneumonia?",
    "Weight loss, smoker of 30 pack-years.",
    "Status post fall. Evaluate for pneumothorax.",
    "Leukocytosis. Query infiltrate.",
    "Follow-up.",
)
_HISTORY = (
    "History of pneumonia in childhood.",
    "Previous pneumonia years ago, treated.",
    "No history of tuberculosis.",
    "Hypertension.",
)
_LOBES = {
    ("right", "upper lobe"): ("right upper lobe", "RUL", "right upper zone"),
    ("right", "middle lobe"): ("right middle lobe", "RML", "right mid zone"),
    ("right", "lower lobe"): ("right lower lobe", "RLL", "right lung base"),
    ("left", "upper lobe"): ("left upper lobe", "LUL", "left upper zone"),
    ("left", "lingula"): ("lingula", "left mid zone"),
    ("left", "lower lobe"): ("left lower lobe", "LLL", "left lung base"),
}


def compose_report(occasion: Occasion, draw: np.random.Generator) -> RadiologyReport:
    """Dictate one report."""
    has_pneumonia = bool(occasion.findings.opacities)
    is_wrong = bool(draw.random() < ERROR_SHARE)
    stated = _stance(has_pneumonia != is_wrong, occasion.is_subtle, bool(occasion.findings.band), is_wrong, draw)
    places = _places(occasion.findings, draw)
    findings = [
        _heart_sentence(occasion.has_cardiomegaly, draw),
        *_lung_sentences(stated, places, occasion, draw),
        *_other_sentences(occasion.findings, draw),
        _bone_sentence(draw),
    ]
    body = " ".join(sentence for sentence in findings if sentence)
    if draw.random() < 0.18:
        body = _mistype(body, draw)
    history = f" {_pick(draw, _HISTORY)}" if draw.random() < 0.25 else ""
    sections = {
        "INDICATION": _pick(draw, _INDICATIONS) + history,
        "TECHNIQUE": _technique(occasion.views),
        "COMPARISON": f"Chest radiograph of {occasion.prior.isoformat()}."
        if occasion.prior
        else _pick(draw, ("None.", "None available.", "No prior studies.")),
        "FINDINGS": body,
        "IMPRESSION": _impression(stated, places, occasion, draw),
    }
    return RadiologyReport("\n\n".join(f"{title}: {text}" for title, text in sections.items()) + "\n", stated, is_wrong)


def _stance(says_pneumonia: bool, is_subtle: bool, has_band: bool, is_wrong: bool, draw: np.random.Generator) -> Stated:
    """Choose how sure the report is; a wrong report is sure of itself."""
    doubt = draw.random()
    if is_wrong:
        return "positive" if says_pneumonia else "negative"
    if says_pneumonia:
        return "uncertain" if doubt < (0.4 if is_subtle else 0.1) else "positive"
    return "uncertain" if doubt < (0.25 if has_band else 0.03) else "negative"


def _places(findings: Findings, draw: np.random.Generator) -> list[str]:
    """Name the lobes of the opacities, or a plausible one for a report that sees what is not there."""
    lobes: list[tuple[str, str]] = [(lesion.side, lesion.lobe) for lesion in findings.opacities]
    if not lobes:
        lobes = [(findings.band or _pick(draw, ("right", "left")), "lower lobe")]
    return [_pick(draw, _LOBES[lobe]) for lobe in dict.fromkeys(lobes)]


def _heart_sentence(is_large: bool, draw: np.random.Generator) -> str:
    if is_large:
        return _pick(
            draw,
            (
                "The heart is enlarged.",
                "Cardiomegaly.",
                "The cardiac silhouette is enlarged.",
                "Increased cardiothoracic ratio.",
            ),
        )
    return _pick(
        draw,
        (
            "The heart is normal in size.",
            "Heart size within normal limits.",
            "The cardiomediastinal silhouette is unremarkable.",
            "No cardiomegaly.",
            "Cardiac silhouette not enlarged.",
        ),
    )


def _lung_sentences(stated: Stated, places: list[str], occasion: Occasion, draw: np.random.Generator) -> list[str]:
    """Say what the lungs show; the first sentences settle pneumonia, the last may speak of a streak."""
    where = " and ".join(places)
    opacity = _pick(draw, _OPACITY)
    sentences = []
    if stated == "positive":
        sentences.append(
            _pick(
                draw,
                (
                    f"There is {_article(opacity)} in the {where}.",
                    f"{opacity.capitalize()} projecting over the {where}, with air bronchograms.",
                    f"Ill-defined {opacity} is seen in the {where}.",
                    f"{_change(occasion)}{opacity} in the {where}.",
                ),
            )
        )
    elif stated == "uncertain":
        sentences.append(
            _pick(
                draw,
                (
                    f"Subtle increased density in the {where}, which may represent {opacity} or overlapping vessels.",
                    f"Possible {opacity} in the {where}.",
                    f"Questionable {opacity} at the {where}, versus atelectasis.",
                    f"Faint opacity in the {where}; {opacity} cannot be excluded.",
                ),
            )
        )
    else:
        cleared = occasion.prior_had_pneumonia and not occasion.findings.opacities
        sentences.append(
            _pick(
                draw,
                (f"The previously seen {opacity} has resolved.", "Complete clearing of the earlier consolidation."),
            )
            if cleared
            else _pick(
                draw,
                (
                    "The lungs are clear.",
                    f"No {opacity}.",
                    "No focal consolidation.",
                    f"Lungs are well expanded without {opacity}.",
                    f"There is no evidence of {opacity}.",
                    "Both lungs are free of infiltrates.",
                    f"Neither {opacity} nor congestion is seen.",
                ),
            )
        )
    if occasion.findings.band:
        sentences.append(f"Linear atelectasis at the {occasion.findings.band} base.")
    return sentences


def _other_sentences(findings: Findings, draw: np.random.Generator) -> list[str]:
    """Report effusion, pneumothorax and nodule, present or absent."""
    right, left = (height > 0 for height in findings.effusion_cm)
    side = "bilateral" if right and left else "right" if right else "left"
    nodules = [lesion for lesion in findings.lesions if lesion.kind == "nodule"]
    sentences = []
    if right or left:
        size = "Moderate" if max(findings.effusion_cm) > 5 else "Small"
        sentences.append(
            _pick(
                draw,
                (
                    f"{size} {side} pleural effusion.",
                    f"Blunting of the {side} costophrenic angle, in keeping with effusion.",
                    f"{size} {side} pleural fluid.",
                ),
            )
        )
    if findings.pneumothorax:
        sentences.append(
            _pick(
                draw,
                (
                    f"{findings.pneumothorax.capitalize()} apical pneumothorax.",
                    f"Visible pleural line on the {findings.pneumothorax}, consistent with pneumothorax.",
                ),
            )
        )
    if nodules:
        place = _LOBES[(nodules[0].side, nodules[0].lobe)][0]
        sentences.append(
            _pick(
                draw,
                (
                    f"A {10 * 2 * nodules[0].radius_cm[0]:.0f} mm nodule in the {place}.",
                    f"Rounded nodular opacity in the {place}, CT recommended.",
                ),
            )
        )
    if not (right or left or findings.pneumothorax):
        sentences.append(
            _pick(
                draw,
                (
                    "No pleural effusion or pneumothorax.",
                    "Costophrenic angles are sharp. No pneumothorax.",
                    "No effusion. No pneumothorax.",
                    "Pleural spaces are clear.",
                ),
            )
        )
    elif not findings.pneumothorax:
        sentences.append("No pneumothorax.")
    elif not (right or left):
        sentences.append("No pleural effusion.")
    return sentences


def _bone_sentence(draw: np.random.Generator) -> str:
    return _pick(
        draw,
        (
            "No acute osseous abnormality.",
            "Degenerative changes of the spine.",
            "The visualised skeleton is intact.",
            "",
        ),
    )


def _impression(stated: Stated, places: list[str], occasion: Occasion, draw: np.random.Generator) -> str:
    where = " and ".join(places)
    if stated == "positive":
        lead = _pick(
            draw,
            (
                f"Pneumonia in the {where}.",
                f"Findings consistent with pneumonia of the {where}.",
                f"{_change(occasion)}consolidation in the {where}, most likely infectious.",
                f"Infiltrate in the {where}, compatible with pneumonia. Follow-up after treatment is advised.",
                f"Airspace disease of the {where} in keeping with pneumonia.",
            ),
        )
    elif stated == "uncertain":
        lead = _pick(
            draw,
            (
                f"Pneumonia of the {where} cannot be excluded.",
                f"Opacity in the {where}, which may represent early pneumonia or atelectasis.",
                f"Possible pneumonia in the {where}; correlate clinically.",
                f"Equivocal density in the {where}. Pneumonia is not excluded; lateral view suggested.",
            ),
        )
    elif occasion.prior_had_pneumonia and not occasion.findings.opacities:
        lead = _pick(
            draw,
            (
                "Interval resolution of pneumonia.",
                "The earlier pneumonia has cleared. No new infiltrate.",
                "No residual consolidation.",
            ),
        )
    else:
        lead = _pick(
            draw,
            (
                "No radiographic evidence of pneumonia.",
                "No acute cardiopulmonary disease.",
                "Normal chest radiograph for age." if not _has_more(occasion) else "No consolidation.",
                "No focal consolidation to suggest pneumonia.",
                "No acute infiltrate.",
                "Clear lungs.",
            ),
        )
    extras = []
    if max(occasion.findings.effusion_cm):
        extras.append("Pleural effusion.")
    if occasion.findings.pneumothorax:
        extras.append(f"{occasion.findings.pneumothorax.capitalize()} pneumothorax, referrer informed by telephone.")
    if occasion.has_cardiomegaly:
        extras.append("Cardiomegaly.")
    if any(lesion.kind == "nodule" for lesion in occasion.findings.lesions):
        extras.append("Pulmonary nodule; CT recommended.")
    return " ".join([lead, *extras])


def _has_more(occasion: Occasion) -> bool:
    findings = occasion.findings
    return bool(findings.lesions or max(findings.effusion_cm) or findings.pneumothorax or occasion.has_cardiomegaly)


def _change(occasion: Occasion) -> str:
    if not occasion.prior:
        return "Acute "
    return "Persistent " if occasion.prior_had_pneumonia else "New "


def _article(noun: str) -> str:
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


def _technique(views: tuple[str, ...]) -> str:
    names = {"PA": "PA", "AP": "AP portable", "LL": "lateral"}
    return f"Chest radiograph, {' and '.join(names[view] for view in views)} view{'s' if len(views) > 1 else ''}."


def _mistype(text: str, draw: np.random.Generator) -> str:
    """Swap two neighbouring letters inside one long word."""
    words = text.split(" ")
    long_words = [i for i, word in enumerate(words) if len(word) > 6 and word.isalpha()]
    if not long_words:
        return text
    i = _pick(draw, long_words)
    k = int(draw.integers(2, len(words[i]) - 2))
    words[i] = words[i][:k] + words[i][k + 1] + words[i][k] + words[i][k + 2 :]
    return " ".join(words)


def _pick(draw: np.random.Generator, options: Sequence[Choice]) -> Choice:
    return options[int(draw.integers(len(options)))]
