"""Read a radiology report by rules: what it says about each finding, and the words by which it says so."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from lucency.data.ground_truth.reports.findings import NEGATIVE, POSITIVE, UNCERTAIN, Findings
from lucency.data.ground_truth.reports.phrases import Hit
from lucency.data.ground_truth.reports.scope import Sentence, Verdict
from lucency.data.ground_truth.reports.sections import Kind, Section, telling_sections
from lucency.data.ground_truth.reports.sentences import split_sentences
from lucency.data.ground_truth.reports.words import split_words

_LONGEST_SENTENCE = 120
"""Words after which a text without any full stop is cut, so that time grows with its length and no faster."""
_ORDER = {POSITIVE: 0, UNCERTAIN: 1, NEGATIVE: 2}
"""Of several statements about a finding the first of these counts."""


@dataclass(frozen=True)
class Mention:
    """One statement about a finding. Places are characters of the clean text."""

    finding: str
    stated: str
    """positive, negative or uncertain; empty where the words do not speak of the image (history, questions, advice)."""
    start: int
    end: int
    cue: str
    """The words that made it negative, uncertain or void; empty for a plain statement."""
    cue_start: int
    cue_end: int
    section: Kind
    is_weak: bool = False
    """True where it yields to a plain statement anywhere else: “lungs are clear”, “no acute fracture”, “heart unchanged”."""


def label_report(text: str, findings: Findings) -> dict[str, str]:
    """Return finding → positive, negative or uncertain; a finding that is not mentioned is not in it."""
    return labels_of(find_mentions(text, findings), findings)


def find_mentions(text: str, findings: Findings) -> list[Mention]:
    """Return every statement about a finding in the sections that tell what the image shows."""
    return [
        mention
        for section in telling_sections(text)
        for first, last in split_sentences(text, section.start, section.end)
        for mention in _mentions_of(text, first, last, section, findings)
    ]


def labels_of(mentions: Iterable[Mention], findings: Findings) -> dict[str, str]:
    """Make one label a finding of all that a report says.

    Positive counts before uncertain, and uncertain before negative (Irvin 2019). What the impression says counts before all
    else, unless it is weak.
    """
    told: defaultdict[str, list[Mention]] = defaultdict(list)
    for mention in mentions:
        if mention.stated:
            told[mention.finding].append(mention)
    labels = {finding.name: _strongest(told[finding.name]) for finding in findings.findings if told[finding.name]}
    if findings.no_finding is None:
        return labels
    name = findings.no_finding.name
    abnormal = [labels[known] for known in labels if known not in findings.no_finding.ignores]
    others = [mention.stated for mention in told[name]]
    if POSITIVE in abnormal or UNCERTAIN in abnormal or NEGATIVE in others:
        return {name: NEGATIVE} | labels
    return {name: POSITIVE} | labels if abnormal or others else labels


def carrying(mentions: Iterable[Mention], finding: str, label: str) -> list[Mention]:
    """Return the statements that made the label of a finding: those that say the same, of the impression if it does."""
    agreeing = [mention for mention in mentions if mention.finding == finding and mention.stated == label]
    return [mention for mention in agreeing if mention.section is Kind.IMPRESSION and not mention.is_weak] or agreeing


def _strongest(mentions: list[Mention]) -> str:
    impression = [mention for mention in mentions if mention.section is Kind.IMPRESSION and not mention.is_weak]
    firm = [mention for mention in mentions if not mention.is_weak]
    counted = impression or firm
    if not counted or (not impression and all(mention.stated == NEGATIVE for mention in firm)):
        counted = [*counted, *(mention for mention in mentions if mention.is_weak)]
    return min((mention.stated for mention in counted), key=_ORDER.__getitem__)


def _mentions_of(text: str, first: int, last: int, section: Section, findings: Findings) -> Iterator[Mention]:
    """Read one sentence; a very long one in pieces."""
    tokens = split_words(text, first, last)
    for begin in range(0, len(tokens), _LONGEST_SENTENCE):
        piece = tokens[begin : begin + _LONGEST_SENTENCE]
        hits = findings.book.hits(piece)
        if hits:
            yield from _Reader(text, Sentence(piece, hits), section, findings).mentions()


@dataclass(frozen=True)
class _Reader:
    """Turns the phrases of one sentence into mentions."""

    text: str
    sentence: Sentence
    section: Section
    findings: Findings

    def mentions(self) -> Iterator[Mention]:
        for hit in (*self.sentence.of_kind("finding"), *self.sentence.of_kind("hint")):
            yield self._named(hit)
        for hit in self.sentence.of_kind("part"):
            yield from self._judged(hit)
        if self.findings.no_finding:
            yield from self._normal_and_other(self.findings.no_finding.name)

    def _named(self, hit: Hit) -> Mention:
        verdict = self.sentence.judge(hit, hit.meaning.finding in self.findings.devices)
        if hit.meaning.kind == "hint" and verdict.stated == POSITIVE:
            verdict = Verdict(UNCERTAIN)
        return self._mention(hit.meaning.finding, hit, verdict)

    def _judged(self, part: Hit) -> Iterator[Mention]:
        """Read “the heart is enlarged” and “lungs are clear”; of several things said the plainest counts."""
        states = self.findings.states[part.meaning.block]
        told = []
        for state in self.sentence.states_of(part, states):
            stated = _with_verdict(states[state.meaning.finding], self.sentence.judge(state).stated)
            if stated:
                told.append((stated, state))
        for stated in (POSITIVE, NEGATIVE, UNCERTAIN):
            for said, state in told:
                if said == stated:
                    is_weak = stated != POSITIVE
                    yield self._mention(part.meaning.finding, part, Verdict(stated, state, is_weak))
                    return

    def _normal_and_other(self, name: str) -> Iterator[Mention]:
        """Note what speaks for and against “No Finding”."""
        for hit in self.sentence.of_kind("other"):
            verdict = self.sentence.judge(hit)
            if verdict.stated in (POSITIVE, UNCERTAIN):
                yield self._mention(name, hit, Verdict(NEGATIVE, None))
        for hit in self.sentence.of_kind("normal"):
            yield self._mention(name, hit, Verdict(POSITIVE, None))

    def _mention(self, finding: str, hit: Hit, verdict: Verdict) -> Mention:
        tokens = self.sentence.tokens
        start, end = tokens[hit.first].start, tokens[hit.last].end
        cue_start, cue_end = (
            (tokens[verdict.cue.first].start, tokens[verdict.cue.last].end) if verdict.cue else (start, start)
        )
        cue = self.text[cue_start:cue_end]
        return Mention(finding, verdict.stated, start, end, cue, cue_start, cue_end, self.section.kind, verdict.is_weak)


def _with_verdict(state: str, verdict: str) -> str:
    """Join what a state means with whether it is denied or doubted; empty where nothing is left of it."""
    if not verdict:
        return ""
    if verdict == POSITIVE:
        return state
    if verdict == UNCERTAIN:
        return UNCERTAIN
    return UNCERTAIN if state == NEGATIVE else NEGATIVE
