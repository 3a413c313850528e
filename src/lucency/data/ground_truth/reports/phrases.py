"""Phrases in a small grammar, and all their occurrences in a sentence in one pass.

pleural effusion            these words, one after the other
(heart|cardiac) size        either word; choices may hold several words
[focal] consolidation       a word that may be missing
enlarg* .. heart            up to three other words between; a word with any ending
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from lucency.data.ground_truth.reports.words import Token, Vocabulary, split_words, vocabulary_of

GAP = ".."
_MAX_GAP = 3
"""Words that a gap may hold."""
_NO_GAP = {"and", "or", "but", "with", "without", "nor", "however", "although"}
"""Words at which a gap ends."""
_MAX_FORMS = 10_000
"""Forms that one phrase may stand for."""
_SYMBOL = re.compile(r"\.\.|[()\[\]|]|[^\s()\[\]|]+")

Form = tuple[str, ...]


class PhraseError(ValueError):
    """A phrase that the grammar does not allow."""


@dataclass(frozen=True, slots=True)
class Hit:
    """An occurrence of a phrase."""

    meaning: Any
    """What was listed with the phrase."""
    places: tuple[int, ...]
    """The tokens that belong to it, in their order; the words in a gap do not."""

    @property
    def first(self) -> int:
        """The first token."""
        return self.places[0]

    @property
    def last(self) -> int:
        """The last token."""
        return self.places[-1]


@dataclass
class Node:
    """What may follow after some words of a phrase."""

    following: dict[str, "Node"] = field(default_factory=dict)
    meanings: list[Any] = field(default_factory=list)


@dataclass(frozen=True)
class PhraseBook:
    """All phrases of a list, as a tree of words."""

    root: Node
    vocabulary: Vocabulary

    def hits(self, tokens: Sequence[Token]) -> list[Hit]:
        """Return every occurrence of every phrase, also inside others; time grows with the number of tokens."""
        options = [self.vocabulary.candidates(token.word) if token.is_word else (token.word,) for token in tokens]
        found = []
        for start, words in enumerate(options):
            for word in words:
                node = self.root.following.get(word)
                if node:
                    found += [Hit(m, places) for m, places in _follow(node, (start,), tokens, options)]
        return found


def _follow(
    node: Node, places: tuple[int, ...], tokens: Sequence[Token], options: Sequence[tuple[str, ...]]
) -> Iterator[tuple[Any, tuple[int, ...]]]:
    for meaning in node.meanings:
        yield meaning, places
    following = node.following
    place = places[-1] + 1
    if not following or place >= len(tokens):
        return
    for word in options[place]:
        if word in following:
            yield from _follow(following[word], (*places, place), tokens, options)
    gap = following.get(GAP)
    if gap is None:
        return
    for later in range(place, min(place + _MAX_GAP + 1, len(tokens))):
        for word in options[later]:
            if word in gap.following:
                yield from _follow(gap.following[word], (*places, later), tokens, options)
        if not tokens[later].is_word or tokens[later].word in _NO_GAP:
            return


def make_book(phrases: Iterable[tuple[str, Any]], no_typos: Iterable[str] = ()) -> PhraseBook:
    """Make a book of (phrase, meaning) pairs.

    Raises:
        PhraseError: a phrase does not follow the grammar.
    """
    root, words = Node(), set()
    for phrase, meaning in phrases:
        for form in forms_of(phrase):
            node = root
            for word in form:
                node = node.following.setdefault(word, Node())
                words.add(word)
            if meaning not in node.meanings:
                node.meanings.append(meaning)
    return PhraseBook(root, vocabulary_of(words - {GAP}, no_typos))


def forms_of(phrase: str) -> set[Form]:
    """Return all sequences of words that a phrase stands for.

    Raises:
        PhraseError: a bracket is not closed, there are no words, or too many forms.
    """
    symbols = _SYMBOL.findall(phrase)
    forms, rest = _choice(symbols)
    if rest:
        raise PhraseError(f"“{rest[0]}” closes nothing")
    if any(not form or form[0] == GAP or form[-1] == GAP for form in forms):
        raise PhraseError("a phrase has to begin and end with a word that cannot be missing")
    return set(forms)


def _choice(symbols: list[str]) -> tuple[list[Form], list[str]]:
    """Read alternatives up to a closing bracket; return their forms and what follows."""
    forms, rest = _sequence(symbols)
    while rest and rest[0] == "|":
        more, rest = _sequence(rest[1:])
        forms = forms + more
    return forms, rest


def _sequence(symbols: list[str]) -> tuple[list[Form], list[str]]:
    forms: list[Form] = [()]
    while symbols and symbols[0] not in ("|", ")", "]"):
        symbol, symbols = symbols[0], symbols[1:]
        if symbol in ("(", "["):
            parts, symbols = _choice(symbols)
            closing = ")" if symbol == "(" else "]"
            if symbols[:1] != [closing]:
                raise PhraseError(f"“{symbol}” is not closed")
            symbols = symbols[1:]
            parts = parts if symbol == "(" else [(), *parts]
        else:
            parts = [_words(symbol)]
        forms = list(dict.fromkeys(before + part for before in forms for part in parts))
        if len(forms) > _MAX_FORMS:
            raise PhraseError("it stands for too many forms; write several phrases")
    return forms, symbols


def _words(symbol: str) -> Form:
    """Bring what stands between blanks to the form of a text's words."""
    if symbol == GAP:
        return (GAP,)
    if symbol.endswith("*") and len(symbol) > 1:
        *head, last = split_words(symbol[:-1], 0, len(symbol) - 1)
        return (*(token.word for token in head), symbol[last.start : -1].lower() + "*")
    return tuple(token.word for token in split_words(symbol, 0, len(symbol)))
