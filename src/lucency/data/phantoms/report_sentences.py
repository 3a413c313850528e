"""The sentences of a made-up report: each says one thing about one finding, or denies or doubts several at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal, NamedTuple, TypeVar

import numpy as np

from lucency.data.phantoms import report_phrases as phrases
from lucency.data.phantoms.anatomy import Findings
from lucency.data.phantoms.report_phrases import Vocabulary, Words, choices

Choice = TypeVar("Choice")
Stated = Literal["positive", "uncertain", "negative"]
Statements = dict[str, Stated]
"""What a report says of each finding that it mentions."""

_IN_THE_LUNG = ("Consolidation", "Lung Opacity", "Pneumonia")
_AT_THE_WALL = ("Pleural Effusion", "Pneumothorax", "Pleural Other", "Fracture")
_TAKEN_FOR_EACH_OTHER = ("Pneumonia", "Consolidation", "Lung Opacity", "Atelectasis", "Edema")


@dataclass(frozen=True)
class Occasion:
    """What the radiologist who dictates knows."""

    findings: Findings
    is_subtle: bool
    has_cardiomegaly: bool
    views: tuple[str, ...]
    prior: date | None
    prior_had_pneumonia: bool


class Place(NamedTuple):
    """Words before and after the name of a finding that say where it is and how large."""

    before: str = ""
    after: str = ""


@dataclass(frozen=True)
class Dictation:
    """Turns statements into sentences of one vocabulary."""

    occasion: Occasion
    vocabulary: Vocabulary
    draw: np.random.Generator
    places: dict[str, Place]

    def say(self, words: Words) -> str:
        """Choose a phrase."""
        return pick(self.draw, choices(words, self.vocabulary))

    def describe(self, statements: Statements) -> tuple[str, ...]:
        """Write the findings section: what is seen, doubted and denied, in any order; pneumonia is left to the end."""
        seen = {finding: stance for finding, stance in statements.items() if finding != "Pneumonia"}
        sentences = [
            *(self._affirm(finding) for finding, stance in seen.items() if stance == "positive"),
            *self._doubt([finding for finding, stance in seen.items() if stance == "uncertain"]),
            *self._deny([finding for finding, stance in seen.items() if stance == "negative"]),
        ]
        if not sentences or self.draw.random() < 0.4:
            sentences.append(self.say(phrases.ASIDES))
        return tuple(sentences[i] for i in self.draw.permutation(len(sentences)))

    def conclude(self, statements: Statements) -> tuple[str, ...]:
        """Write the impression: pneumonia first, then most of what was seen or doubted, in other words than before."""
        pneumonia = statements.get("Pneumonia")
        others = {
            finding: stance
            for finding, stance in statements.items()
            if finding != "Pneumonia" and stance != "negative" and self.draw.random() < 0.8
        }
        doubted = [finding for finding, stance in others.items() if stance == "uncertain"]
        sentences = [
            *((self._affirm("Pneumonia"),) if pneumonia == "positive" else ()),
            *self._doubt((["Pneumonia"] if pneumonia == "uncertain" else []) + doubted),
            *self._deny(["Pneumonia"] if pneumonia == "negative" else []),
            *(self._affirm(finding) for finding, stance in others.items() if stance == "positive"),
        ]
        if not set(statements.values()) & {"positive", "uncertain"} and (not sentences or self.draw.random() < 0.5):
            sentences.append(self.say(phrases.NOTHING_NEW))
        if not sentences or self.draw.random() < 0.3:
            sentences.append(self.say(phrases.ADVICE))
        return tuple(sentences)

    def _affirm(self, finding: str) -> str:
        is_old = self.occasion.prior is not None and (
            self.occasion.prior_had_pneumonia if finding in _IN_THE_LUNG else self.draw.random() < 0.4
        )
        frame = self.say(phrases.PRESENT_AS_BEFORE if is_old else phrases.PRESENT)
        return self._fill(frame, finding, self.places.get(finding, Place()))

    def _doubt(self, findings: list[str]) -> list[str]:
        """Doubt one finding a sentence, or two that are taken for each other."""
        pair = [finding for finding in findings if finding in _TAKEN_FOR_EACH_OTHER][:2]
        if len(pair) < 2 or self.draw.random() < 0.4:
            return [
                self._fill(self.say(phrases.DOUBTED), finding, self.places.get(finding, Place()))
                for finding in findings
            ]
        both = self._fill(self.say(phrases.DOUBTED_ONE_OF_TWO).replace("{y}", self._bare(pair[1])), pair[0], Place())
        return [both, *self._doubt([finding for finding in findings if finding not in pair])]

    def _deny(self, findings: list[str]) -> list[str]:
        """Deny findings one by one, in lists of up to four, by what is normal instead, or as gone since the prior."""
        sentences, listed = [], []
        for finding in findings:
            was_there = self.occasion.prior_had_pneumonia and finding in _IN_THE_LUNG
            if was_there or (self.occasion.prior is not None and self.draw.random() < 0.1):
                sentences.append(self._fill(self.say(phrases.ABSENT_NOW), finding, Place()))
            elif finding in phrases.NORMAL and self.draw.random() < 0.5:
                sentences.append(self.say(phrases.NORMAL[finding]))
            elif self.draw.random() < 0.3:
                sentences.append(self._fill(self.say(phrases.ABSENT), finding, Place()))
            else:
                listed.append(finding)
        return sentences + [self._deny_all(listed[i : i + 4]) for i in range(0, len(listed), 4)]

    def _deny_all(self, findings: list[str]) -> str:
        if len(findings) == 1:
            return self._fill(self.say(phrases.ABSENT), findings[0], Place())
        names = [self._bare(finding) for finding in findings]
        first, last = ", ".join(names[:-1]), names[-1]
        frame = self.say(phrases.ABSENT_ALL)
        return frame.format(**{"or": f"{first} or {last}", "and": f"{first} and {last}", "nor": " nor ".join(names)})

    def _bare(self, finding: str) -> str:
        return self._fill("{x}", finding, Place())

    def _fill(self, frame: str, finding: str, place: Place) -> str:
        """Put the name of a finding into a frame."""
        article, name = _split(self.say(phrases.NOUNS[finding]))
        bare = f"{place.before} {name} {place.after}".strip()
        if article and place.before:
            article = "an" if bare.startswith(("a", "e", "i", "o", "u", "8", "11 ", "18 ")) else "a"
        return frame.format(a=f"{article} {bare}".strip(), x=bare, X=bare[0].upper() + bare[1:])


def locate(occasion: Occasion, vocabulary: Vocabulary, draw: np.random.Generator) -> dict[str, Place]:
    """Say where each finding is: where the image shows it, or anywhere for what no image shows."""
    findings = occasion.findings
    nodule = next((lesion for lesion in findings.lesions if lesion.kind == "nodule"), None)
    lobes: list[tuple[str, str]] = list(dict.fromkeys((lesion.side, lesion.lobe) for lesion in findings.opacities))
    if not lobes:
        lobes = [(findings.band, "lower lobe")] if findings.band else [pick(draw, list(phrases.LOBES))]
    where = " and ".join(pick(draw, choices(phrases.LOBES[lobe], vocabulary)) for lobe in lobes)
    places = dict.fromkeys(_IN_THE_LUNG, Place(after=f"in the {where}"))
    for finding in _AT_THE_WALL:
        places[finding] = Place(pick(draw, ("right", "left")))
    right, left = (height > 0 for height in findings.effusion_cm)
    side = (
        "bilateral" if right and left else "right" if right else "left" if left else places["Pleural Effusion"].before
    )
    places["Pleural Effusion"] = Place(f"{pick(draw, choices(phrases.SIZES, vocabulary))} {side}".strip())
    if findings.pneumothorax:
        places["Pneumothorax"] = Place(findings.pneumothorax)
    places["Atelectasis"] = Place(after=f"at the {findings.band or pick(draw, ('right', 'left'))} base")
    lobe = (nodule.side, nodule.lobe) if nodule else pick(draw, list(phrases.LOBES))
    size = f"{10 * 2 * nodule.radius_cm[0]:.0f} mm" if nodule else f"{draw.integers(5, 40)} mm"
    places["Lung Lesion"] = Place(size, f"in the {pick(draw, choices(phrases.LOBES[lobe], vocabulary))}")
    return places


def pick(draw: np.random.Generator, options: Sequence[Choice]) -> Choice:
    """Choose one of several, each as likely."""
    return options[int(draw.integers(len(options)))]


def _split(noun: str) -> tuple[str, str]:
    """Take the article off a noun."""
    first, _, rest = noun.partition(" ")
    return (first, rest) if first in ("a", "an") else ("", noun)
