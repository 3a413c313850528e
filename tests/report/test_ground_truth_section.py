"""The report's section on the ground truth: names written by people stay text, and its sentences say what happened."""

from dataclasses import replace

import material_factory
import pytest
from test_page import Structure

from lucency.domain.estimate import Estimate
from lucency.domain.ground_truth import Consensus, GroundTruth, LabelError, PairOfReaders, RuleOutcome, SeveralReaders
from lucency.domain.plan import Plan
from lucency.domain.readings import OneReader, ReaderFacts
from lucency.report.ground_truth import (
    consensus_sentences,
    corrected_test_sentence,
    correction_sentences,
    reader_sentences,
    source_sentence,
    spread_sentence,
)
from lucency.report.material import Material
from lucency.report.page import render

HOSTILE = "<script>alert('x')</script>", '"><img src=x onerror=alert(1)>', "{{ 7 * 7 }}"
ALPHA = Estimate("Krippendorff's alpha (nominal)", 0.7, 0.6, 0.8, 144, "image", "x", group="all readers")


def several(names: tuple[str, ...] = ("A", "B"), levels: tuple[str, ...] = ("well", "ill")) -> SeveralReaders:
    """Make up what several readers said."""
    readers = tuple(OneReader(name, 120, "2024-03-04", "2024-05-02", 100, 110) for name in names)
    return SeveralReaders(
        "labels",
        ReaderFacts(readers, 130, ("i1",), {"readers.csv": (7,)}),
        "label",
        levels,
        (ALPHA, replace(ALPHA, name="Cohen's kappa", group=f"{names[0]} and {names[1]}")),
        (replace(ALPHA, group=levels[0]),),
        (PairOfReaders(names[0], names[1], tuple((5,) * len(levels) for _ in levels)),),
        Consensus("majority", n_unanimous=100, n_disputed=20, n_decided=12, n_open=8, n_single=1),
    )


def outcome(rule: str, auc: float | None, n: int = 50) -> RuleOutcome:
    told = (replace(ALPHA, name="AUC", value=auc),) if n else ()
    return RuleOutcome(rule, rule == "as in this study", n, 3 if n else 0, (("normal", n), ("pneumonia", 0)), told)


def with_truth(truth: GroundTruth, *by_rule: RuleOutcome) -> Material:
    return replace(material_factory.with_answers(material_factory.two_classes(), by_rule=by_rule), ground_truth=truth)


@pytest.mark.parametrize("name", HOSTILE)
def test_names_of_readers_classes_and_rules_are_text(name: str) -> None:
    """Tables come from anywhere; a name must never become a part of the page."""
    error = LabelError(f"Labels by {name}", f"the reference {name}", 40, (replace(ALPHA, group=name),))
    truth = GroundTruth((several((name, "B"), (name, "ill")),), (error,))
    page = render(with_truth(truth, outcome("as in this study", 0.9), outcome(f"reader {name}", 0.8)))
    plain = Structure(render(with_truth(GroundTruth((several(),)))))
    structure = Structure(page)
    assert structure.tags.count("script") == plain.tags.count("script")
    assert not [value for _, attribute, value in structure.attributes if attribute.startswith("on") or value == "x"]
    assert name not in page or name == "{{ 7 * 7 }}"
    assert " 49 read" not in page


def test_sentences_tell_who_read_and_how_it_was_settled() -> None:
    """In the order in which CLAIM asks: who, how many, when, blinded; how far they agree; how it was resolved."""
    readers = " ".join(reader_sentences(several()))
    assert readers.startswith(
        "2 readers made the labels to learn from. Reader A read 120 images between 2024-03-04 and"
    )
    assert "blinded to all other information in 100 of 110" in readers
    assert readers.endswith("1 image was read by nobody. 1 row of their tables names no image of the cohort.")
    settled = " ".join(consensus_sentences(several()))
    assert settled.startswith(
        "One label was made of several by the majority vote. Of 120 images that several readers saw,"
    )
    assert "disagree on 20 (16.7" in settled
    assert "1 image was seen by one reader alone. 12 images were decided by hand" in settled
    assert "8 images stayed without a label" in settled


def test_readers_of_the_reference_are_told_apart_from_those_to_learn_from() -> None:
    """Who judges is another question than who teaches."""
    judge = replace(several(), setting="reference")
    assert next(reader_sentences(judge)) == "2 readers made the labels to be judged by."
    page = render(with_truth(GroundTruth((several(), judge))))
    assert page.count("readers made the labels") == 2


def test_nothing_is_said_of_what_did_not_happen() -> None:
    """A study without corrections and doubt has no sentence on them, and one without readers no section."""
    assert list(correction_sentences(GroundTruth())) == []
    assert next(correction_sentences(GroundTruth(n_corrected=1, n_soft=2))) == (
        "1 image had its label corrected by hand."
    )
    page = render(material_factory.two_classes())
    assert "made the labels" not in page
    assert "consensus rules" not in page


def test_a_rule_without_test_images_has_a_whole_row() -> None:
    """A table with a hole is read wrongly."""
    page = render(with_truth(GroundTruth(), outcome("as in this study", 0.9), outcome("reader B", None, n=0)))
    assert '<td colspan="1">no test image has such a label</td>' in page


def test_the_spread_between_rules_is_that_of_the_known_values() -> None:
    """Rules without a value say nothing about the spread; one value alone has none."""
    rules = (outcome("as in this study", 0.91), outcome("any", 0.85), outcome("B", None), outcome("C", None, n=0))
    assert "the AUC lies between 0.850 and 0.910" in spread_sentence(rules)
    assert spread_sentence(rules[:1]) == spread_sentence(()) == ""


def test_the_page_says_what_taught_and_what_judges() -> None:
    """A reader must not take report labels for the reference standard."""
    material = material_factory.two_classes()
    settings = material.plan.model_dump(by_alias=True)
    readers = {"from": "readers", "readers": {"tables": ["a.csv"]}}
    settings["data"] |= {"labels": {"from": "reports", "reports": {"folder": "reports"}}, "reference": readers}
    judged = replace(material, plan=Plan.model_validate(settings))
    assert source_sentence(judged) == (
        "The training part was learnt from radiology reports; the tuning and test parts are judged by several readers."
    )
    assert "the others by those that judge" in render(judged)
    assert "the others by those that judge" not in render(material)


def test_corrections_that_judge_are_counted() -> None:
    """A network may have proposed them, and the test part then favours networks."""
    material = material_factory.two_classes()
    chosen = {row.image_id for row in material.split if row.part == "test"} - {material.split[-1].image_id}
    labels = [replace(row, notes="N_CORRECTED" if row.image_id in chosen else "") for row in material.labels]
    corrected = replace(material, labels=tuple(labels), ground_truth=GroundTruth(n_corrected=len(chosen)))
    assert corrected_test_sentence(corrected) == f"{len(chosen)} corrected labels judge in the test part."
    assert corrected_test_sentence(corrected) in render(corrected)
    assert corrected_test_sentence(material) == ""


def test_what_was_drawn_is_shown() -> None:
    """An outline on the wrong image is seen at once by a radiologist, and by nobody in a table."""
    material = material_factory.two_classes()
    drawn = replace(material, drawings=tuple(replace(one, caption="i7: lesion (A: blue)") for one in material.samples))
    assert render(drawn).count("i7: lesion (A: blue)") >= len(material.samples) > 0
    assert "What was drawn on some of the images" not in render(material)
