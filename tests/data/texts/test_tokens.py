"""Words of radiology reports, as a network is shown them."""

import pytest

from lucency.data.texts.curation import read_words
from lucency.data.texts.tokens import DATE, NAME, NUMBER, tokens_of
from lucency.domain.text_plan import Text


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("No pneumothorax.", ["No", "pneumothorax", "."]),
        ("A 12.5 mm nodule, seen at 10:30!", ["A", NUMBER, "mm", "nodule", ",", "seen", "at", NUMBER, "."]),
        ("Compared with 2023-05-01 and 3/4/22", ["Compared", "with", DATE, "and", DATE]),
        ("on 14 March 2020 and May 2, 2021", ["on", DATE, "and", DATE]),
        (
            "Discussed with Dr. John Q. Smith. Pneumonia.",
            ["Discussed", "with", NAME, NAME, NAME, ".", "Pneumonia", "."],
        ),
        ("MR angiography of Mr Miller", ["MR", "angiography", "of", NAME]),
        ("air-space opacity?", ["air", "space", "opacity", "?"]),
        ("kein Erguß, Ödem", ["kein", "Erguß", ",", "Ödem"]),
        ("肺炎", ["肺", "炎"]),
        ("T4 ___ @@ 5", ["T", NUMBER, NUMBER]),
        ("x" * 500_000 + " y", ["x" * 60, "y"]),
        ("", []),
    ],
)
def test_words_are_cut_and_folded(text: str, words: list[str]) -> None:
    """Numbers, dates and the names behind titles tell one report from another, and nothing about disease."""
    assert list(tokens_of(text)) == words


def test_only_what_was_seen_is_read() -> None:
    """What was feared stands in the indication; a network that reads it learns the question and not the answer."""
    report = b"INDICATION: Pneumonia?\n\nFINDINGS: Clear lungs.\n\nIMPRESSION: Normal.\n"
    seen = read_words(report, "r.txt", Text())[0]
    assert "Pneumonia" not in seen
    assert seen == ("Clear", "lungs", ".", "Normal", ".")
    assert "Pneumonia" in read_words(report, "r.txt", Text(sections="all"))[0]


def test_a_long_report_keeps_its_beginning_and_its_end() -> None:
    """The impression comes last, so that a cut at the end would lose what counts most."""
    words = " ".join(f"w{chr(97 + n % 26)}{chr(97 + n // 26)}" for n in range(300))
    read, notes, _ = read_words(words.encode(), "r.txt", Text(most_words=100))
    assert len(read) == 100
    assert read[:50] == tuple(words.split()[:50])
    assert read[50:] == tuple(words.split()[-50:])
    assert notes == ("N_CUT_TEXT",)


def test_a_line_of_half_a_megabyte_is_read() -> None:
    """Some systems write the whole history of a patient into one field."""
    read, notes, _ = read_words(b"no focal consolidation, " * 21_000, "r.txt", Text())
    assert len(read) == 400
    assert notes == ("N_CUT_TEXT",)


def test_copies_are_known_by_their_words() -> None:
    """Whatever became of capitals, blanks and line ends on the way; another date makes another report."""
    _, _, first = read_words(b"FINDINGS: Clear  lungs.", "a.txt", Text())
    assert first == read_words(b"Findings:\r\nclear lungs.", "b.txt", Text())[2]
    assert first != read_words(b"Findings: clear lungs on 2020-01-01.", "b.txt", Text())[2]
