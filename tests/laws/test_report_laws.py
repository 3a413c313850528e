"""What holds for every radiology report."""

from functools import cache
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from lucency.data.ground_truth.reports.findings import Findings, load_findings
from lucency.data.ground_truth.reports.rules import find_mentions, label_report
from lucency.data.ground_truth.reports.sentences import split_sentences
from lucency.data.ground_truth.reports.texts import clean_text
from lucency.data.phantoms.reports import compose_reports

UNRELATED = ("The patient was informed by telephone.", "Images were archived at 10:15.", "Two views were obtained.")


@cache
def findings() -> Findings:
    return load_findings()


@cache
def bodies() -> list[str]:
    """Return the sentences of made-up reports, as bodies without headings."""
    texts = [clean_text(report.text) for report in compose_reports(60, seed=2, vocabulary="training")]
    return [text.split("FINDINGS:")[1].split("IMPRESSION:")[0].strip() for text in texts if "FINDINGS:" in text]


a_body = st.deferred(lambda: st.sampled_from([body for body in bodies() if "IMPRESSION" not in body]))


@given(a_body)
def test_capitals_change_nothing(body: str) -> None:
    """Some hospitals dictate into capitals."""
    flat = " ".join(body.split())
    assert label_report(flat.upper(), findings()) == label_report(flat, findings())


@given(a_body, st.sampled_from(UNRELATED), st.booleans())
def test_an_unrelated_sentence_changes_nothing(body: str, sentence: str, is_first: bool) -> None:
    """Labels come from what is said of findings, and from nothing else."""
    more = f"{sentence} {body}" if is_first else f"{body} {sentence}"
    assert label_report(more, findings()) == label_report(body, findings())


@given(a_body, st.permutations(range(3)))
def test_the_order_of_the_sections_changes_nothing(body: str, order: list[int]) -> None:
    """Some houses put the impression first."""
    sections = ("INDICATION: Pneumonia?", f"FINDINGS: {' '.join(body.split())}", "IMPRESSION: Small left effusion.")
    shuffled = "\n\n".join(sections[place] for place in order)
    assert label_report(shuffled, findings()) == label_report("\n\n".join(sections), findings())


@given(a_body, st.integers(30, 90))
def test_wrapping_lines_changes_nothing(body: str, width: int) -> None:
    """Systems of the nineties break lines wherever the terminal ended."""
    import textwrap

    flat = " ".join(body.split())
    wrapped = "\n".join(textwrap.wrap(flat, width, break_on_hyphens=False))
    assert label_report(wrapped, findings()) == label_report(flat, findings())


@given(st.text(max_size=400))
def test_any_text_gets_labels_and_places_inside_it(text: str) -> None:
    """Whatever a system exports, nothing fails, and evidence can be shown."""
    clean = clean_text(text)
    for mention in find_mentions(clean, findings()):
        assert 0 <= mention.start < mention.end <= len(clean)
        assert clean[mention.cue_start : mention.cue_end] == mention.cue


WORDS = (
    "no",
    "not",
    "effusion",
    "pneumonia",
    "or",
    "and",
    ",",
    "heart",
    "normal",
    "enlarged",
    "?",
    ".",
    "has",
    "resolved",
)
MORE = (
    "may",
    "represent",
    "but",
    "(",
    ")",
    ";",
    "history",
    "of",
    "if",
    "cannot",
    "exclude",
    "\n",
    "versus",
    "unchanged",
    ":",
)


@settings(max_examples=300)
@given(st.lists(st.sampled_from(WORDS + MORE), max_size=60))
def test_any_jumble_of_cues_gets_an_answer(words: list[str]) -> None:
    """The rules meet sentences that nobody thought of."""
    text = " ".join(words)
    assert set(label_report(text, findings()).values()) <= {"positive", "negative", "uncertain"}
    places = split_sentences(text)
    assert all(first < last for first, last in places)
    assert all(before[1] <= after[0] for before, after in pairwise(places))
