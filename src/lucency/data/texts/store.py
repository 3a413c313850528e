"""The store of a study of reports: all words as they are written, once, and each report as their numbers.

`words.json` lists the words; `tokens.bin` is the plain array of their numbers, one report after the other; `reports.json`
says where each report begins. What a network may know of these words is decided later, from the training part alone.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lucency.provenance import write_atomically

WORDS, TOKENS, REPORTS = "words.json", "tokens.bin", "reports.json"


@dataclass(frozen=True)
class TextStore:
    """The reports of a cohort as numbers of words."""

    words: tuple[str, ...]
    """Every word and mark as it is written."""
    tokens: NDArray[np.int32]
    """Numbers of the words of all reports, one after the other."""
    starts: NDArray[np.int64]
    """Where each report begins in `tokens`, and at last where the last one ends."""

    def report(self, row: int) -> NDArray[np.int32]:
        """Return the numbers of the words of one report."""
        return self.tokens[self.starts[row] : self.starts[row + 1]]


def number_words(reports: Iterable[Sequence[str]]) -> TextStore:
    """Give each word a number, in the order in which the words first appear."""
    numbers: dict[str, int] = {}
    tokens: list[int] = []
    starts = [0]
    for report in reports:
        tokens += [numbers.setdefault(word, len(numbers)) for word in report]
        starts.append(len(tokens))
    return TextStore(tuple(numbers), np.array(tokens, np.int32), np.array(starts, np.int64))


def write_text_store(folder: Path, store: TextStore) -> None:
    """Write the three files of a store.

    Raises:
        StorageError: the folder cannot be written.
    """
    write_atomically(folder / WORDS, json.dumps(store.words, ensure_ascii=False) + "\n")
    write_atomically(folder / TOKENS, store.tokens.tobytes())
    write_atomically(folder / REPORTS, json.dumps({"starts": store.starts.tolist()}) + "\n")


def open_text_store(folder: Path) -> TextStore:
    """Map a finished store into memory."""
    words = json.loads((folder / WORDS).read_text(encoding="utf-8"))
    starts = np.array(json.loads((folder / REPORTS).read_text())["starts"], np.int64)
    tokens = np.memmap(folder / TOKENS, np.int32, mode="r", shape=(int(starts[-1]),))
    return TextStore(tuple(words), tokens, starts)
