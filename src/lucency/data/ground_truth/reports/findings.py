"""The findings that reports are read for: the fourteen usual ones of chest radiographs, or a user's own list (YAML)."""

import difflib
import functools
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import Field, ValidationError

from lucency.data.ground_truth.reports.phrases import PhraseBook, PhraseError, forms_of, make_book
from lucency.domain.section import Section
from lucency.errors import PlanError

POSITIVE, NEGATIVE, UNCERTAIN = "positive", "negative", "uncertain"

Phrases = tuple[Annotated[str, Field(min_length=1, max_length=2000)], ...]


class Judged(Section):
    """A part of the body whose state tells about the finding: “the heart is enlarged”, “costophrenic angles are sharp”."""

    what: Annotated[Phrases, Field(min_length=1)]
    """Names of the part."""
    positive: Phrases = ()
    """What is said of it where the finding is there."""
    uncertain: Phrases = ()
    """What is said of it where that leaves the finding open."""
    negative: Phrases = ()
    """What is said of it where the finding is not there."""


class Finding(Section):
    """One finding, and the words for it."""

    name: Annotated[str, Field(min_length=1, max_length=80)]
    words: Phrases = ()
    """Phrases that name the finding."""
    hints: Phrases = ()
    """Phrases that leave it open even where they are stated without doubt; denied, they deny it."""
    not_: Annotated[Phrases, Field(alias="not")] = ()
    """Phrases that hold such words and mean something else."""
    judged: tuple[Judged, ...] = ()
    device: bool = False
    """True for what was put into the patient: it can be removed, and “status post” tells that it is there."""


class NoFinding(Section):
    """The label of a report that describes nothing abnormal."""

    name: str = "No Finding"
    ignores: tuple[str, ...] = ()
    """Findings that do not count as abnormal."""
    normal: Phrases = ()
    """Phrases by which a report says that all is normal."""
    other: Phrases = ()
    """Abnormal things that are not among the findings."""


class _List(Section):
    findings: Annotated[tuple[Finding, ...], Field(min_length=1, max_length=200)]
    no_finding: NoFinding | None = None


@dataclass(frozen=True)
class Cues:
    """The words that change what a mention means: kinds of cues, and sets of plain words."""

    phrases: tuple[tuple[str, str], ...]
    """Phrase and kind."""
    no_typos: tuple[str, ...]


@dataclass(frozen=True)
class Meaning:
    """What a phrase stands for."""

    kind: str
    """"finding", "hint", "not", "part", "state", "normal", "other", or a kind of cue."""
    finding: str = ""
    block: int = -1
    """For parts: which of the blocks of `judged`, counted over all findings."""


@dataclass(frozen=True)
class Findings:
    """A list of findings, ready to read reports with."""

    findings: tuple[Finding, ...]
    no_finding: NoFinding | None
    book: PhraseBook
    states: tuple[dict[str, str], ...]
    """For each block of `judged`: phrase of a state → positive, uncertain or negative."""

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of all labels, in the order of the list; that of “No Finding” first."""
        first = (self.no_finding.name,) if self.no_finding else ()
        return first + tuple(finding.name for finding in self.findings)

    @property
    def devices(self) -> frozenset[str]:
        """Return the findings that were put into the patient."""
        return frozenset(finding.name for finding in self.findings if finding.device)


def load_findings(path: Path | None = None) -> Findings:
    """Read a list of findings; without a path, the fourteen usual ones of chest radiographs.

    Raises:
        PlanError: the file is missing, is not YAML, or has a wrong key, name or phrase.
    """
    if path is None:
        return _chest_findings()
    try:
        return _make(path.read_text(encoding="utf-8"), path.name)
    except FileNotFoundError:
        raise PlanError(
            f"There is no list of findings {path}. Check the path, or leave it out for the usual ones."
        ) from None
    except (UnicodeDecodeError, IsADirectoryError):
        raise PlanError(f"{path.name} is not a text file. Give the path of a YAML file with `findings:`.") from None


@functools.cache
def _chest_findings() -> Findings:
    return _make(_packaged("chest_findings.yaml"), "chest_findings.yaml")


@functools.cache
def load_cues() -> Cues:
    """Read the cues that come with lucency."""
    settings = _texts(yaml.compose(_packaged("cues.yaml"), Loader=yaml.SafeLoader))
    no_typos = tuple(word for words in settings.pop("no_typos") for word in words)
    return Cues(tuple((phrase, kind) for kind, phrases in settings.items() for phrase in phrases), no_typos)


def _packaged(name: str) -> str:
    return resources.files(__package__).joinpath(name).read_text(encoding="utf-8")


def _make(text: str, name: str) -> Findings:
    settings, lines = _parse(text, name)
    try:
        listed = _List.model_validate(settings)
    except ValidationError as error:
        raise PlanError("\n".join(_explain(name, lines, error))) from None
    _refuse_double_names(listed, name)
    _refuse_wrong_phrases(listed, name, text)
    states: list[dict[str, str]] = []
    phrases = [*_phrases(listed, states), *((phrase, Meaning(kind)) for phrase, kind in load_cues().phrases)]
    return Findings(listed.findings, listed.no_finding, make_book(phrases, load_cues().no_typos), tuple(states))


def _phrases(listed: _List, states: list[dict[str, str]]) -> Iterator[tuple[str, Meaning]]:
    """Give all phrases with their meanings, and note the states of each block."""
    for finding in listed.findings:
        for kind, phrases in (("finding", finding.words), ("hint", finding.hints), ("not", finding.not_)):
            yield from ((phrase, Meaning(kind, finding.name)) for phrase in phrases)
        for judged in finding.judged:
            yield from ((phrase, Meaning("part", finding.name, len(states))) for phrase in judged.what)
            state_of: dict[str, str] = {}
            for stated in (POSITIVE, UNCERTAIN, NEGATIVE):
                for phrase in getattr(judged, stated):
                    state_of.setdefault(phrase, stated)
                    yield phrase, Meaning("state", phrase)
            states.append(state_of)
    if listed.no_finding:
        yield from ((phrase, Meaning("normal")) for phrase in listed.no_finding.normal)
        yield from ((phrase, Meaning("other")) for phrase in listed.no_finding.other)


def _parse(text: str, name: str) -> tuple[Any, dict[tuple[str, ...], int]]:
    lines: dict[tuple[str, ...], int] = {}
    try:
        if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, Loader=yaml.SafeLoader)):
            raise PlanError(
                f"{name} uses YAML aliases (*name). Write the phrases out, in quotes where they begin with *."
            )
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        _collect_lines(node, (), lines)
        return _texts(node), lines
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else 1
        raise PlanError(
            f"{name}, line {line}: this is not YAML. A phrase that begins with [ or holds a colon needs quotes."
        ) from None


def _texts(node: yaml.Node | None) -> Any:
    """Return a node as texts, lists and mappings: YAML would take the words “no” and “off” for a false."""
    if isinstance(node, yaml.MappingNode):
        return {_texts(key): _texts(value) for key, value in node.value}
    if isinstance(node, yaml.SequenceNode):
        return [_texts(value) for value in node.value]
    return None if node is None else node.value


def _collect_lines(node: yaml.Node | None, place: tuple[str, ...], lines: dict[tuple[str, ...], int]) -> None:
    if node is None:
        return
    lines.setdefault(place, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            lines[(*place, str(key.value))] = key.start_mark.line + 1
            _collect_lines(value, (*place, str(key.value)), lines)
    if isinstance(node, yaml.SequenceNode):
        for number, value in enumerate(node.value):
            _collect_lines(value, (*place, str(number)), lines)


def _explain(name: str, lines: dict[tuple[str, ...], int], error: ValidationError) -> Iterator[str]:
    for fault in error.errors():
        place = tuple(str(step) for step in fault["loc"])
        known = next((place[:length] for length in range(len(place), -1, -1) if place[:length] in lines), ())
        key = place[-1] if place else ""
        what = str(fault["msg"])
        if fault["type"] == "extra_forbidden":
            close = difflib.get_close_matches(key, _keys_beside(place), n=1, cutoff=0.5)
            what = f"“{key}” is no key of a list of findings." + (
                f" Did you mean “{close[0]}”?" if close else f" Keys here: {', '.join(_keys_beside(place))}."
            )
        elif fault["type"] == "missing":
            what = f"“{key}” is missing."
        else:
            what = f"“{key}”: {what[0].lower()}{what[1:]}."
        yield f"{name}, line {lines.get(known, 1)}: {what}"


def _keys_beside(place: tuple[str, ...]) -> list[str]:
    kind: type[Section] = _List
    if place[0] == "no_finding":
        kind = NoFinding
    elif "judged" in place[:-1]:
        kind = Judged
    elif len(place) > 1:
        kind = Finding
    return [field.alias or name for name, field in kind.model_fields.items()]


def _refuse_double_names(listed: _List, name: str) -> None:
    names = [finding.name for finding in listed.findings] + ([listed.no_finding.name] if listed.no_finding else [])
    double = sorted({one for one in names if names.count(one) > 1})
    if double:
        raise PlanError(f"{name}: “{double[0]}” is the name of two findings. Give each its own, or join their phrases.")
    unknown = sorted(set(listed.no_finding.ignores) - set(names)) if listed.no_finding else []
    if unknown:
        raise PlanError(f"{name}: `ignores` names “{unknown[0]}”, which is not a finding of the list.")
    empty = [
        finding.name for finding in listed.findings if not finding.words and not finding.hints and not finding.judged
    ]
    if empty:
        raise PlanError(f"{name}: “{empty[0]}” has no words. Give it `words`, `hints` or `judged`.")


def _refuse_wrong_phrases(listed: _List, name: str, text: str) -> None:
    """Check each phrase, and name the line of the first wrong one."""
    for phrase in _all_phrases(listed):
        try:
            forms_of(phrase)
        except PhraseError as error:
            line = next((n for n, line in enumerate(text.splitlines(), 1) if phrase in line), 1)
            raise PlanError(f"{name}, line {line}: the phrase “{phrase[:60]}” cannot be used: {error}.") from None


def _all_phrases(listed: _List) -> Iterator[str]:
    for finding in listed.findings:
        yield from (*finding.words, *finding.hints, *finding.not_)
        for judged in finding.judged:
            yield from (*judged.what, *judged.positive, *judged.uncertain, *judged.negative)
    if listed.no_finding:
        yield from (*listed.no_finding.normal, *listed.no_finding.other)
