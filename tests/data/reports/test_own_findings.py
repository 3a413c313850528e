"""Lists of findings of one's own, and what is wrong with them."""

from pathlib import Path

import pytest

from lucency.data.ground_truth.reports.findings import load_findings
from lucency.data.ground_truth.reports.phrases import PhraseError, forms_of, make_book
from lucency.data.ground_truth.reports.rules import label_report
from lucency.data.ground_truth.reports.words import plain, split_words
from lucency.errors import PlanError

OWN = """\
findings:
  - name: Ovarian Cyst
    words:
      - (ovarian|adnexal) cyst*
      - cyst .. ovary
    not:
      - ovarian cystectomy
    judged:
      - what: [ovaries, "[right|left] ovary"]
        positive: [cystic]
        negative: [normal, unremarkable]
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "own.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_list_of_ones_own_is_read_like_the_usual_one(tmp_path: Path) -> None:
    """The same grammar, the same denials."""
    own = load_findings(write(tmp_path, OWN))
    assert own.names == ("Ovarian Cyst",)
    for text, wanted in (
        ("No adnexal cysts.", "negative"),
        ("A cyst in the left ovary, possibly.", "uncertain"),
        ("Both ovaries are unremarkable.", "negative"),
        ("Ovarian cysts.", "positive"),
    ):
        assert label_report(text, own) == {"Ovarian Cyst": wanted}
    assert label_report("Status after ovarian cystectomy.", own) == {}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("words:", "wrds:"), "own.yaml, line 3: “wrds” is no key of a list of findings. Did you mean “words”?"),
        (("name: Ovarian Cyst", "nam: x"), "own.yaml, line 2: “name” is missing"),
        (
            ("cyst .. ovary", "(cyst .. ovary"),
            "own.yaml, line 5: the phrase “(cyst .. ovary” cannot be used: “(” is not closed",
        ),
        (("cyst .. ovary", "cyst .."), "own.yaml, line 5: the phrase"),
        (("  - name", "  - [name"), "own.yaml, line "),
        (("words:", "device: perhaps\n    words:"), "own.yaml, line 3: “device”"),
        (("- ovarian cystectomy", "ovarian cystectomy"), "own.yaml, line 6: “not”"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(tmp_path: Path, change: tuple[str, str], message: str) -> None:
    """A list is written by hand, in a text editor."""
    with pytest.raises(PlanError) as caught:
        load_findings(write(tmp_path, OWN.replace(*change)))
    assert message in str(caught.value)


def test_double_names_and_absent_files_are_refused(tmp_path: Path) -> None:
    """Two findings of one name would be one column."""
    with pytest.raises(PlanError, match="two findings"):
        load_findings(write(tmp_path, OWN + OWN.removeprefix("findings:\n")))
    with pytest.raises(PlanError, match="no list of findings"):
        load_findings(tmp_path / "absent.yaml")
    with pytest.raises(PlanError, match="has no words"):
        load_findings(write(tmp_path, "findings:\n  - name: Nothing\n"))


def test_the_grammar_of_phrases() -> None:
    """Choices, words that may be missing, gaps."""
    assert forms_of("(heart|cardiac [shadow]) size") == {
        ("heart", "size"),
        ("cardiac", "size"),
        ("cardiac", "shadow", "size"),
    }
    for wrong in ("(a", "a)", "[a]", ".. a", "a ..", "", "(a|b|)"):
        with pytest.raises(PhraseError):
            forms_of(wrong)
    with pytest.raises(PhraseError, match="too many"):
        forms_of("(a|b|c|d|e|f|g|h|i|j) " * 5)


def test_a_gap_holds_three_words_and_no_joint() -> None:
    """“Heart … enlarged” must not jump to another clause."""
    book = make_book([("heart .. enlarged", "found")])

    def finds(text: str) -> bool:
        return bool(book.hits(split_words(text, 0, len(text))))

    assert finds("The heart is mildly to moderately, enlarged") is False
    assert finds("heart is mildly enlarged")
    assert not finds("heart normal and aorta enlarged")
    assert not finds("heart a b c d enlarged")


@pytest.mark.parametrize(
    ("word", "wanted"),
    [
        ("Oedema", "edema"),
        ("opacities", "opacity"),
        ("masses", "mass"),
        ("visualised", "visualized"),
        ("atelectasis", "atelectasis"),
        ("haemothorax", "hemothorax"),
        ("tumours", "tumor"),
        ("isn't", "not"),
        ("can't", "cannot"),
        ("is", "is"),
    ],
)
def test_words_are_brought_to_one_form(word: str, wanted: str) -> None:
    """Plurals and British spelling."""
    assert plain(word) == wanted


def test_typing_errors_are_known_in_long_words_only() -> None:
    """A short word with one wrong letter is another word."""
    book = make_book([("pneumothorax", 1), ("without", 1), ("mass", 1), ("present", 1)], ["prevent"])
    known = book.vocabulary.candidates
    assert known("pneumothroax") == known("pnuemothorax") == ("pneumothorax",)
    assert known("wihtout") == known("wihout") == ("without",)
    for other in ("moss", "prevent", "pneumonia", "x" * 60, "pneumo"):
        assert known(other) == ()
