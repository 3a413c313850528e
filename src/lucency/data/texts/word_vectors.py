"""Word vectors that somebody learnt from much text, in the text format of word2vec, GloVe and fastText."""

import gzip
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lucency.data.ground_truth.reports.words import plain
from lucency.errors import PlanError, SourceError

SETTING = "network.recurrent.vectors"


def read_word_vectors(path: Path, words: Sequence[str], size: int) -> dict[str, NDArray[np.float32]]:
    """Return the vectors of those words that the file has, each with `size` numbers.

    A line is a word and its numbers, separated by blanks; a first line of two numbers counts words and sizes. Of words that
    are one in plain form (opacity, opacities), the first counts: such files begin with the most frequent.

    Raises:
        SourceError: the file is missing, is no file of word vectors, or ends before it should.
        PlanError: its vectors have another size than the plan.
    """
    wanted = set(words)
    found: dict[str, NDArray[np.float32]] = {}
    for number, line in enumerate(_lines(path), start=1):
        word, *numbers = line.rstrip("\n ").rsplit(" ", size)
        if number == 1 and len(line.split()) == 2:
            _refuse_other_size(path, int(numbers[0]) if numbers and numbers[0].isdigit() else size, size)
            continue
        if number <= 2:
            _refuse_other_size(path, len(line.split()) - 1, size)
        form = plain(word)
        if form in wanted and form not in found:
            found[form] = _vector(path, number, numbers, size)
    return found


def _lines(path: Path) -> Iterator[str]:
    """Read a file line by line, unpacked if need be."""
    opener = gzip.open if path.suffix == ".gz" else open
    try:
        with opener(path, "rt", encoding="utf-8", errors="replace") as file:
            yield from file
    except FileNotFoundError:
        raise SourceError(f"There is no file of word vectors {path}. Check `{SETTING}` in the plan.") from None
    except (OSError, EOFError) as error:
        raise SourceError(
            f"{path.name} cannot be read to its end ({type(error).__name__}). Download the word vectors again."
        ) from None


def _refuse_other_size(path: Path, found: int, size: int) -> None:
    if found != size:
        raise PlanError(
            f"The word vectors in {path.name} have {found} numbers, and `network.recurrent.embedding_size` is {size}. Set it to "
            f"{found}, or take another file."
        )


def _vector(path: Path, number: int, numbers: Sequence[str], size: int) -> NDArray[np.float32]:
    try:
        vector = np.array(numbers, np.float32)
    except ValueError:
        vector = np.zeros(0, np.float32)
    if len(vector) != size or not np.isfinite(vector).all():
        raise SourceError(
            f"{path.name}, line {number}: this is not a word with {size} numbers. Take the text format (.txt, .vec or .gz), "
            "not the binary one."
        )
    return vector
