"""719 made-up sentences and reports in the hard language of radiology, labelled by their author, against the rules.

The suite was written before its author saw the rules, and a third of it is held back: whoever mends a rule reads the
public part only, so that the difference between both says whether rules were fitted to sentences.
"""

from collections.abc import Callable
from pathlib import Path

import pytest
from report_language.negex import label_by_negex
from report_language.suite import Labeller, Verdict, judge, read_suite

from lucency.data.ground_truth.reports.findings import load_findings
from lucency.data.ground_truth.reports.rules import label_report
from lucency.data.phantoms.report_phrases import NOUNS, Vocabulary
from lucency.data.phantoms.reports import compose_reports

HERE = Path(__file__).parent / "report_language"
PARTS = ("public", "held_back")
LEAST_SHARE = 0.85
LEAST_F1 = {"positive": 0.9, "negative": 0.88, "uncertain": 0.83}
"""Set a little below the first run of the rules, before they were mended: 0.87 of the passages, F1 0.92, 0.90 and 0.85.

The key was put right once after that run: "No Finding" may be negative where something is found (43 reports;
the rules had shown the key to be too strict), and two reports of the public part and six of the held-back part named a
finding that the key had left out. With the first key, 0.84 and 0.83 of the passages were right.
"""


@pytest.fixture(scope="module")
def label_by_rules() -> Labeller:
    findings = load_findings()
    return lambda text: label_report(text, findings)


@pytest.fixture(scope="module")
def verdicts(label_by_rules: Labeller) -> dict[str, Verdict]:
    """Judge the rules by both parts."""
    return {part: judge(read_suite(HERE / f"{part}.yaml"), label_by_rules) for part in PARTS}


@pytest.mark.parametrize("part", PARTS)
def test_the_rules_understand_hard_language(
    part: str, verdicts: dict[str, Verdict], tally: Callable[..., None]
) -> None:
    """A passage counts as understood only if every finding that it settles is right and none is out of thin air."""
    verdict = verdicts[part]
    name = part.replace("_", " ")
    tally(f"reports in hard language with every label right ({name} part)", verdict.n_kept, verdict.n_all, least=0)
    # What is held back is counted and never shown, so that nobody mends a rule by it.
    wrong = verdict.list_of_wrong() if part == "public" else ""
    assert verdict.n_kept >= LEAST_SHARE * verdict.n_all, f"\n{verdict.by_phenomenon()}\n\n{wrong}"


def test_positive_negative_and_uncertain_are_told_apart(verdicts: dict[str, Verdict]) -> None:
    """Whole passages can hide a finding that always fails; each label is counted over all findings too."""
    for part, verdict in verdicts.items():
        for label, least in LEAST_F1.items():
            assert verdict.f1(label) >= least, f"{part}, {label}: F1 {verdict.f1(label):.3f}\n{verdict.by_finding()}"


def test_the_rules_earn_their_keep(verdicts: dict[str, Verdict], tally: Callable[..., None]) -> None:
    """Triggers within five words take thirty lines; rules that are no better than that would not be worth having."""
    for part, verdict in verdicts.items():
        plain = judge(read_suite(HERE / f"{part}.yaml"), label_by_negex)
        name = part.replace("_", " ")
        tally(
            f"the same by triggers within five words, for comparison ({name} part)", plain.n_kept, plain.n_all, least=0
        )
        assert verdict.n_kept > plain.n_kept
        for label in ("positive", "negative", "uncertain"):
            assert verdict.f1(label) > plain.f1(label), (part, label)


@pytest.mark.parametrize("vocabulary", ["training", "test"])
def test_the_rules_read_the_made_up_reports(
    vocabulary: Vocabulary, label_by_rules: Labeller, tally: Callable[..., None]
) -> None:
    """What these state is known by construction; denied and not mentioned count as the same."""
    n_right = n_all = 0
    for report in compose_reports(500, seed=11, vocabulary=vocabulary):
        labels = label_by_rules(report.text)
        for finding in NOUNS:
            stated, said = report.statements.get(finding, "negative"), labels.get(finding, "negative")
            n_right += stated == said
            n_all += 1
    tally(f"findings of made-up reports read by the rules ({vocabulary} vocabulary)", n_right, n_all, least=0.95)


def test_the_judge_sees_every_kind_of_error() -> None:
    """A judge that lets a wrong label, a missing one or an invented one pass would prove nothing."""
    (passage,) = [p for p in read_suite(HERE / "public.yaml") if p.text == "No pneumonia. Small effusions bilaterally."]
    right = {"Pneumonia": "negative", "Pleural Effusion": "positive"}
    assert not passage.faults(right)
    assert not passage.faults({**right, "Lung Opacity": "positive"}), "pneumonia is an opacity"
    assert passage.faults({**right, "Pneumonia": "positive"})
    assert passage.faults({"Pneumonia": "negative"})
    assert passage.faults({**right, "Fracture": "uncertain"})


def test_the_suite_is_large_varied_and_in_two_parts() -> None:
    """The promise is worth as much as the suite is."""
    public, held_back = (read_suite(HERE / f"{part}.yaml") for part in PARTS)
    texts = [passage.text for passage in public + held_back]
    assert len(set(texts)) == len(texts)
    whole = [passage for passage in public + held_back if passage.phenomenon.startswith("whole report")]
    assert len(whole) >= 60
    assert len(texts) - len(whole) >= 450
    assert len(held_back) == pytest.approx(len(texts) / 3, abs=5)
    phenomena = [{p.phenomenon for p in part if p not in whole} for part in (public, held_back)]
    assert phenomena[0] == phenomena[1]
