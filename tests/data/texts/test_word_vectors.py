"""Word vectors from files of others."""

import gzip
from pathlib import Path

import pytest

from lucency.data.texts.word_vectors import read_word_vectors
from lucency.errors import LucencyError, PlanError, SourceError

WORDS = ["opacity", "effusion", "lung"]
GLOVE = "the 0.1 0.2 0.3\nOpacities 1 2 3\nopacity 9 9 9\nNew York 4 5 6\nlung -1 -2e-1 0\n"


@pytest.mark.parametrize("head", ["", "5 3\n"], ids=["GloVe", "word2vec and fastText"])
@pytest.mark.parametrize("name", ["vectors.txt", "vectors.vec.gz"])
def test_vectors_are_found_by_the_plain_form_of_a_word(tmp_path: Path, head: str, name: str) -> None:
    """The first form counts, because such files begin with the most frequent; other words cost no memory."""
    path = tmp_path / name
    content = (head + GLOVE).encode()
    path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    found = read_word_vectors(path, WORDS, 3)
    assert {word: vector.tolist() for word, vector in found.items()} == {
        "opacity": [1, 2, 3],
        "lung": pytest.approx([-1, -0.2, 0]),
    }


@pytest.mark.parametrize(
    ("content", "error", "said"),
    [
        ("lung 1 2\n", PlanError, "have 2 numbers"),
        ("5 300\nlung 1 2 3\n", PlanError, "300 numbers"),
        ("the 1 2 3\nlung a b c\n", SourceError, "line 2"),
        ("the 1 2 3\nthe 1 2 3\nlung 1 2\n", SourceError, "line 3"),
        ("the 1 2 3\nthe 1 2 3\nlung 1 2 nan\n", SourceError, "line 3"),
    ],
)
def test_a_wrong_file_is_refused_in_words(tmp_path: Path, content: str, error: type[LucencyError], said: str) -> None:
    """Vectors of another size would be cut off in silence otherwise."""
    (tmp_path / "v.txt").write_text(content)
    with pytest.raises(error, match=said):
        read_word_vectors(tmp_path / "v.txt", WORDS, 3)


def test_a_missing_or_cut_file_is_refused(tmp_path: Path) -> None:
    """A download that broke off looks like a file."""
    with pytest.raises(SourceError, match="no file of word vectors"):
        read_word_vectors(tmp_path / "none.txt", WORDS, 3)
    (tmp_path / "cut.gz").write_bytes(gzip.compress(GLOVE.encode() * 1000)[:-200])
    with pytest.raises(SourceError, match="cannot be read to its end"):
        read_word_vectors(tmp_path / "cut.gz", WORDS, 3)
