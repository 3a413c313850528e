"""Cut text into words, and bring each word to the form in which lists of phrases are compared.

Plurals, British spelling and, for long words, one or two typing errors (Damerau 1964) do not count.
"""

import functools
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

_TOKEN = re.compile(r"[^\W_]+(?:'[^\W_]+)?|[^\w\s]")
_LONGEST_WORD = 40
_SHORTEST_TYPO = 7
"""Letters that a word of the list must have to be known with one wrong letter, or one missing."""
_SHORTEST_TWO_TYPOS = 11
_REMEMBERED = 50_000
"""Words whose forms are kept in memory."""

_BRITISH = (
    *(("oedem", "edem"), ("haem", "hem"), ("oesoph", "esoph"), ("aetio", "etio"), ("umour", "umor"), ("avour", "avor")),
    *(
        ("olour", "olor"),
        ("ibre", "iber"),
        ("centre", "center"),
        ("calibre", "caliber"),
        ("grey", "gray"),
        ("anaes", "anes"),
    ),
    *(("isation", "ization"), ("paed", "ped"), ("ischaem", "ischem"), ("programme", "program"), ("sulph", "sulf")),
)
_ISE = re.compile(r"is(e|ed|es|ing)$")


@dataclass(frozen=True, slots=True)
class Token:
    """A word or a mark of punctuation."""

    word: str
    """In its plain form; a mark stands for itself."""
    start: int
    end: int
    is_word: bool


@dataclass
class Vocabulary:
    """The words that phrases are made of, and which of them a word of a text stands for."""

    words: frozenset[str]
    beginnings: tuple[str, ...]
    """Words that end in any way: "opaci" for "opaci*"."""
    no_typos: frozenset[str]
    """Proper words that look like a mistyped word of the list."""
    _nearby: dict[str, list[str]] = field(default_factory=dict)
    """A word with one or two letters left out → words of the list (Garbe's symmetric deletes)."""
    _known: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for word in self.words:
            for shorter in _deletes(word):
                self._nearby.setdefault(shorter, []).append(word)

    def candidates(self, word: str) -> tuple[str, ...]:
        """Return the words of the list that a plain word stands for; most often none."""
        known = self._known.get(word)
        if known is None:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            known = self._known[word] = self._find(word)
        return known

    def _find(self, word: str) -> tuple[str, ...]:
        begun = tuple(f"{beginning}*" for beginning in self.beginnings if word.startswith(beginning))
        if word in self.words or begun:
            return ((word,) if word in self.words else ()) + begun
        if len(word) > _LONGEST_WORD or word in self.no_typos:
            return ()
        near = {other for shorter in _deletes(word) for other in self._nearby.get(shorter, ())}
        close = sorted((_distance(word, other), other) for other in near if _may_be_mistyped(word, other))
        return (close[0][1],) if close and close[0][0] <= _n_typos(word) else ()


def split_words(text: str, start: int, end: int) -> list[Token]:
    """Return the words and marks of text[start:end]; a hyphen inside a word only divides it, "n't" is "not"."""
    tokens: list[Token] = []
    for found in _TOKEN.finditer(text, start, end):
        word = found.group()
        first, last = found.span()
        if word == "-" and _is_inside_word(text, first):
            continue
        if word[0].isalnum():
            tokens.append(Token(plain(word), first, last, True))
        else:
            tokens.append(Token(word, first, last, False))
    return tokens


@functools.lru_cache(_REMEMBERED)
def plain(word: str) -> str:
    """Return a word in lower case, in the singular and in American spelling, the way phrases are compared."""
    word = word.lower()
    if word.isdigit() or len(word) > _LONGEST_WORD:
        return word
    if "'" in word:
        word = "cannot" if word == "can't" else "not" if word.endswith("n't") else word.partition("'")[0]
    if len(word) > 4:
        for british, american in _BRITISH:
            if british in word:
                word = word.replace(british, american)
        word = _ISE.sub(r"iz\1", word) if word.endswith(("ise", "ised", "ises", "ising")) else word
    return _singular(word)


def _singular(word: str) -> str:
    if len(word) < 4 or not word.endswith("s") or word.endswith(("ss", "us", "is")):
        return word
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    return word[:-2] if word.endswith(("sses", "xes", "ches", "shes")) else word[:-1]


def _is_inside_word(text: str, place: int) -> bool:
    return 0 < place < len(text) - 1 and text[place - 1].isalnum() and text[place + 1].isalnum()


def _n_typos(word: str) -> int:
    return 0 if len(word) < _SHORTEST_TYPO - 1 else 1 if len(word) < _SHORTEST_TWO_TYPOS else 2


def _deletes(word: str) -> Iterator[str]:
    """Give a long word, and the word with one letter left out, with two if it is very long."""
    if not word.isalpha() or _n_typos(word) == 0:
        return
    yield word
    for i in range(1, len(word)):
        shorter = word[:i] + word[i + 1 :]
        yield shorter
        if len(word) >= _SHORTEST_TWO_TYPOS - 1:
            for k in range(max(1, i), len(shorter)):
                yield shorter[:k] + shorter[k + 1 :]


def _may_be_mistyped(word: str, other: str) -> bool:
    """Demand the first letter and a length at which one wrong letter does not make another word."""
    return word[0] == other[0] and len(other) >= _SHORTEST_TYPO and abs(len(word) - len(other)) <= 2


def _distance(a: str, b: str) -> int:
    """Count letters changed, left out, added, or swapped with their neighbour (Damerau 1964)."""
    before: list[int] = []
    above = list(range(len(b) + 1))
    for i, letter in enumerate(a, 1):
        row = [i]
        for k, other in enumerate(b, 1):
            cost = min(above[k] + 1, row[k - 1] + 1, above[k - 1] + (letter != other))
            if i > 1 and k > 1 and letter == b[k - 2] and a[i - 2] == other:
                cost = min(cost, before[k - 2] + 1)
            row.append(cost)
        before, above = above, row
    return above[-1]


def vocabulary_of(words: Iterable[str], no_typos: Iterable[str]) -> Vocabulary:
    """Make a vocabulary; words that end in "*" stand for all words that begin so."""
    words = set(words)
    beginnings = tuple(sorted(word[:-1] for word in words if word.endswith("*")))
    proper = frozenset(form for word in no_typos for form in (word, plain(word)))
    return Vocabulary(frozenset(word for word in words if not word.endswith("*")), beginnings, proper)
