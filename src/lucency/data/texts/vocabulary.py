"""The words that a network knows: learnt from the training part alone, and saved beside its weights."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lucency.data.ground_truth.reports.words import Vocabulary as NearWords
from lucency.data.ground_truth.reports.words import plain, vocabulary_of
from lucency.data.texts.store import TextStore
from lucency.data.texts.tokens import FOLDED

PADDING, UNKNOWN = 0, 1
"""Numbers of no word at all, and of a word that is not in the vocabulary."""
_FIRST_WORD = 2
LEAST_PATIENTS = 2
"""Patients of the training part in whose reports a word must stand before any page shows it."""


@dataclass(frozen=True)
class KnownWord:
    """One word of a vocabulary, in its plain form: lower case, singular, American spelling."""

    word: str
    n: int
    """How often it stands in the training part."""
    n_patients: int
    """Patients of the training part in whose reports it stands."""
    is_shown: bool
    """Whether a page may show it: reports of several patients write it, and not only with a capital, as names are."""


@dataclass(frozen=True)
class Vocabulary:
    """The words that a network knows, the most frequent first."""

    known: tuple[KnownWord, ...]

    def __len__(self) -> int:
        return len(self.known) + _FIRST_WORD

    def numbers_of(self, words: Sequence[str]) -> NDArray[np.int64]:
        """Return the number of each word as it is written; a slip of the pen in a long word does not matter."""
        return np.array([self._number(plain(word)) for word in words], np.int64)

    def shown(self, number: int) -> str:
        """Return a word that a page may show, or "" where it might tell who the patient is, or is not known."""
        known = self.known[number - _FIRST_WORD] if number >= _FIRST_WORD else None
        return known.word if known and known.is_shown else ""

    def plain_words(self) -> list[str]:
        """Return the known words, in the order of their numbers from the first word on."""
        return [known.word for known in self.known]

    def as_json(self) -> list[list[Any]]:
        """Return what JSON can hold."""
        return [[known.word, known.n, known.n_patients, known.is_shown] for known in self.known]

    @classmethod
    def from_json(cls, rows: Sequence[Sequence[Any]]) -> "Vocabulary":
        """Take up what `as_json` gave."""
        return cls(tuple(KnownWord(*row) for row in rows))

    @cached_property
    def _numbers(self) -> dict[str, int]:
        return {known.word: number for number, known in enumerate(self.known, start=_FIRST_WORD)}

    @cached_property
    def _near(self) -> NearWords:
        return vocabulary_of((word for word in self._numbers if word.isalpha()), ())

    def _number(self, word: str) -> int:
        number = self._numbers.get(word)
        if number is None:
            near = self._near.candidates(word) if word.isalpha() else ()
            number = self._numbers[near[0]] if near else UNKNOWN
        return number


def learn_vocabulary(store: TextStore, rows: Sequence[int], patient_ids: Sequence[str], least_count: int) -> Vocabulary:
    """Learn the words of the training part: `rows` of the store, with the patient of each.

    The order is by frequency and then by the word itself, so that no report outside the training part can change it.
    """
    plain_words, plain_of = np.unique([plain(word) for word in store.words], return_inverse=True)
    patients = np.unique(np.asarray(patient_ids), return_inverse=True)[1]
    reports = [store.report(row) for row in rows]
    tokens = np.concatenate(reports)
    owners = np.repeat(patients, [len(report) for report in reports])
    words = plain_of[tokens]
    counts = np.bincount(words, minlength=len(plain_words))
    n_patients = _patients_a_word(words, owners, len(plain_words))
    is_ordinary = np.array([_is_ordinary(word) for word in store.words], bool)[tokens]
    n_ordinary = _patients_a_word(words[is_ordinary], owners[is_ordinary], len(plain_words))
    kept = sorted(np.flatnonzero(counts >= least_count), key=lambda n: (-counts[n], plain_words[n]))
    return Vocabulary(
        tuple(
            KnownWord(str(plain_words[n]), int(counts[n]), int(n_patients[n]), bool(n_ordinary[n] >= LEAST_PATIENTS))
            for n in kept
        )
    )


def _patients_a_word(words: NDArray[np.int64], owners: NDArray[np.int64], n_words: int) -> NDArray[np.int64]:
    """Count the patients in whose reports each word stands."""
    pairs = np.unique(np.stack([words, owners]), axis=1)
    return np.bincount(pairs[0], minlength=n_words)


def _is_ordinary(word: str) -> bool:
    """Tell a word in small letters, an abbreviation and a mark from what a capital makes look like a name."""
    return word not in FOLDED and (not word[0].isalpha() or word[0].islower() or word.isupper())


def share_unknown(numbers: Iterator[NDArray[np.int64]]) -> tuple[int, int]:
    """Count the unknown words among the numbers of reports, and all of their words."""
    n_unknown, n_all = 0, 0
    for report in numbers:
        n_unknown += int((report == UNKNOWN).sum())
        n_all += len(report)
    return n_unknown, n_all
