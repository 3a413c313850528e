"""The sample of reports that a person reads again, and many reports at once."""

from collections import Counter

import pytest

from lucency.data.ground_truth.reports import many
from lucency.data.ground_truth.reports.findings import load_findings
from lucency.data.ground_truth.reports.many import find_mentions_of_all
from lucency.data.ground_truth.reports.rereading import NEITHER, choose_to_reread
from lucency.data.ground_truth.reports.rules import find_mentions

LABELS = {f"r{number:03d}": {"Pneumonia": "positive"} if number < 5 else {} for number in range(200)} | {
    f"n{number:03d}": {"Pneumonia": "negative"} for number in range(100)
}


def test_rare_answers_are_read_as_often_as_common_ones() -> None:
    """A simple sample of 30 would hold hardly any positive report."""
    chosen = choose_to_reread(LABELS, ["Pneumonia"], 30, seed=1)
    assert Counter(one.answer for one in chosen) == {"positive": 5, NEITHER: 25}
    assert len({one.report for one in chosen}) == 30


def test_the_sample_depends_on_the_seed_alone() -> None:
    """Another order of the files must not give another sample."""
    turned = dict(reversed(LABELS.items()))
    assert choose_to_reread(LABELS, ["Pneumonia"], 30, 1) == choose_to_reread(turned, ["Pneumonia"], 30, 1)
    assert choose_to_reread(LABELS, ["Pneumonia"], 30, 1) != choose_to_reread(LABELS, ["Pneumonia"], 30, 2)
    assert choose_to_reread({}, ["Pneumonia"], 30, 1) == []


def test_several_processes_give_what_one_gives(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reports come back in their order."""
    monkeypatch.setattr(many, "FEWEST_FOR_CHILDREN", 10)
    monkeypatch.setattr(many, "N_REPORTS_A_BATCH", 4)
    monkeypatch.setattr(many.os, "cpu_count", lambda: 2)
    texts = [f"{'No' if number % 3 else 'Small'} effusion. Nodule {number}." for number in range(15)]
    findings = load_findings()
    assert list(find_mentions_of_all(texts)) == [find_mentions(text, findings) for text in texts]
