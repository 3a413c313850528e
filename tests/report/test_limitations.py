"""Limitations come from facts: each appears when its fact is there, and only then."""

from dataclasses import replace

import material_factory
import pytest

from lucency.domain.description import Comparison, Probe
from lucency.domain.estimate import Estimate
from lucency.domain.ground_truth import Consensus, GroundTruth, LabelError, SeveralReaders
from lucency.domain.plan import Plan
from lucency.domain.readings import OneReader, ReaderFacts
from lucency.report.limitations import find_limitations
from lucency.report.material import Material, Opening


@pytest.fixture(scope="module")
def material() -> Material:
    return material_factory.two_classes()


def titles(material: Material) -> list[str]:
    return [limitation.title for limitation in find_limitations(material)]


def with_plan(material: Material, **changes: object) -> Material:
    """Change settings of the plan, given by section."""
    plan = material.plan.model_dump(by_alias=True)
    for section, values in changes.items():
        plan[section] = {**plan[section], **values} if isinstance(values, dict) else values
    return replace(material, plan=Plan.model_validate(plan))


def test_a_study_without_an_external_test_says_so(material: Material) -> None:
    """One source cannot show whether a network travels."""
    assert "No external test set" in titles(material)


def test_a_second_opening_is_among_the_gravest(material: Material) -> None:
    """It turns a test into an exploration."""
    again = replace(material, openings=(*material.openings, Opening("2026-03-15T00:00:00+00:00", 2)))
    assert titles(again)[0] == "The test set was opened more than once"
    assert "The test set was opened more than once" not in titles(material)


def test_a_shared_patient_stands_above_everything(material: Material) -> None:
    """Even where the certificate says nothing, the rows of the split are looked at."""
    stray = replace(material.split[0], part="test")
    assert titles(replace(material, split=(*material.split, stray)))[0] == "The parts are not apart"
    shared = replace(material.certificate, n_images_shared=3)
    assert titles(replace(material, certificate=shared))[0] == "The parts are not apart"
    assert "The parts are not apart" not in titles(material)


def probe(name: str, verdict: str = "found") -> Probe:
    estimate = Estimate("AUC", 0.9, 0.85, 0.94, 700, "image", "DeLong 1988", part="all")
    return Probe(name, "?", estimate, verdict, "…")


def test_a_shortcut_is_among_the_gravest(material: Material) -> None:
    """With what it was found in; a source that the image tells is one only where it tells the label."""
    title, site = "Something else than the finding tells the label (shortcut)", "The site goes with the label"
    assert title not in titles(material)
    description = replace(material.description, probes=(probe("border"), probe("site"), probe("header", "none")))
    found = find_limitations(replace(material, description=description))
    assert found[0].title == title
    assert "from the border alone, AUC 0.900, 95\u202f%" in found[0].text
    assert "header" not in found[0].text
    assert found[1].title.startswith(site)
    harmless = replace(material.description, probes=(probe("site", "harmless"),))
    assert not any(name.startswith(site) for name in titles(replace(material, description=harmless)))


def test_another_population_is_a_limitation(material: Material) -> None:
    """Results speak of those who were in the cohort."""
    difference = Estimate("standardised difference", 0.5, 0.3, 0.7, 900, "patient", "Bonett 2008", part="all")
    title = "The cohort differs from the target population"
    for verdict in ("different", "unsure", "alike"):
        comparison = Comparison("Age in years", False, (), difference, verdict, "The patients are older.")
        description = replace(material.description, comparisons=(comparison,))
        assert (title in titles(replace(material, description=description))) == (verdict == "different")


def test_declaring_each_image_a_patient_has_its_price(material: Material) -> None:
    """The plan may say it out loud, and the report repeats it."""
    assert "Patients are not known" in titles(with_plan(material, data={"patient": "each_image"}))
    assert "Patients are not known" not in titles(material)


def test_few_positives_and_wide_intervals_are_named(material: Material) -> None:
    """Fewer than 50 positives, or an interval wider than 0.15."""
    test_positives = [row.image_id for row in material.labels if row.target == "pneumonia"]
    in_test = [row for row in material.split if row.part == "test" and row.image_id in set(test_positives)]
    dropped = {row.image_id for row in in_test[49:]}
    few = replace(material, split=tuple(row for row in material.split if row.image_id not in dropped))
    limitation = next(x for x in find_limitations(few) if x.title == "Few test images of a class")
    assert "49 images of pneumonia" in limitation.text
    wide = tuple(replace(e, low=0.5, high=0.66) if e.name == "AUC" else e for e in material.estimates)
    assert "Wide confidence intervals" in titles(replace(material, estimates=wide))
    assert not {"Few test images of a class", "Wide confidence intervals"} & set(titles(material))


def test_sites_are_one_several_or_unknown(material: Material) -> None:
    """One site is a limitation, and so is not knowing."""
    assert not {"One site", "Sites are not recorded"} & set(titles(material))
    one = tuple(replace(row, site="Site A") for row in material.cohort)
    none = tuple(replace(row, site="") for row in material.cohort)
    assert "One site" in titles(replace(material, cohort=one))
    assert "Sites are not recorded" in titles(replace(material, cohort=none))


def test_one_source_of_labels_is_a_limitation(material: Material) -> None:
    """Nobody has checked the reader."""
    assert "One source of the ground truth" in titles(material)
    second = (replace(material.labels[0], source="second reader"), *material.labels[1:])
    assert "One source of the ground truth" not in titles(replace(material, labels=second))


def test_imbalance_says_whether_training_made_up_for_it(material: Material) -> None:
    """Three quarters of one class count as imbalanced."""
    assert "Imbalanced classes" not in titles(material)
    normal = tuple(replace(row, target="normal") if i % 4 else row for i, row in enumerate(material.labels))
    imbalanced = replace(material, labels=normal)
    text = next(x.text for x in find_limitations(imbalanced) if x.title == "Imbalanced classes")
    assert "did not weigh" in text
    weighed = with_plan(imbalanced, training={"class_weights": "balanced"})
    assert "make up for it" in next(x.text for x in find_limitations(weighed) if x.title == "Imbalanced classes")


def test_several_images_a_patient_are_named(material: Material) -> None:
    """Images of one patient resemble each other."""
    assert "Several images a patient" in titles(material)
    first = {row.patient_id: row for row in material.split}
    assert "Several images a patient" not in titles(replace(material, split=tuple(first.values())))


def test_a_threshold_that_does_not_hold_is_named(material: Material) -> None:
    """The fabricated study loses specificity from tuning to test."""
    assert "The threshold moved: specificity" in titles(material)
    alike = tuple(e for e in material.estimates if e.part == "test")
    steady = replace(material, estimates=(*alike, *(replace(e, part="tuning") for e in alike)))
    assert not any(title.startswith("The threshold moved") for title in titles(steady))


def test_overfitting_and_undertraining_are_read_from_the_history(material: Material) -> None:
    """A gap between the costs, or a best epoch that was the last."""
    member = material.members[0]
    last = member.epochs[-1].epoch
    assert "A gap between training and tuning (overfitting)" in titles(material)
    assert "The best epoch was the last" not in titles(material)
    assert "The best epoch was the last" in titles(replace(material, members=(replace(member, best_epoch=last),)))
    level = tuple(replace(epoch, tuning_cost=epoch.training_cost) for epoch in member.epochs)
    honest = replace(material, members=(replace(member, epochs=level),))
    assert "A gap between training and tuning (overfitting)" not in titles(honest)


def test_a_flip_matters_only_where_sides_are_known(material: Material) -> None:
    """Without laterality nothing contradicts the flip."""
    title = "Training mirrors left and right"
    assert title in titles(material)
    sideless = tuple(replace(row, laterality="") for row in material.cohort)
    assert title not in titles(replace(material, cohort=sideless))
    assert title not in titles(with_plan(material, augmentation={"flip_horizontal": 0}))


def test_duplicates_and_many_refusals_are_counted(material: Material) -> None:
    """Nine duplicates are named; refusals only above one in twenty."""
    text = next(x.text for x in find_limitations(material) if x.title == "The source repeats itself")
    assert text.startswith("9 images were an exact copy")
    assert "Many images were refused" not in titles(material)
    refused = tuple(material_factory.refused_row(f"R{i}", "", "E_TRUNCATED") for i in range(100))
    assert "Many images were refused" in titles(replace(material, cohort=material.cohort + refused))


def test_an_official_split_is_named(material: Material) -> None:
    """Its makers answer for the patients, not the study."""
    assert "The data set prescribes the split" in titles(with_plan(material, split={"official": True}))
    assert "The data set prescribes the split" not in titles(material)


def told_of_the_labels(n_disputed: int = 0, rates: tuple[str, ...] = ()) -> GroundTruth:
    """Make up two readers, and one source of labels with the error rates of these names."""
    readers = SeveralReaders(
        "reference", ReaderFacts((OneReader("A", 100), OneReader("B", 100)), 100, (), {}), "label", ("no", "yes"), (), (),
        (), Consensus("majority", 100 - n_disputed, n_disputed, 0, n_disputed, 0),
    )  # fmt: skip
    estimates = tuple(
        Estimate(name, 0.9, 0.8, 0.95, 40, "image", "Wilson 1927", numerator=36, denominator=40) for name in rates
    )
    errors = (LabelError("Labels from reports", "the readers", 80, estimates),) if rates else ()
    return GroundTruth((readers,), errors)


def test_labels_that_err_are_carried_into_the_limitations(material: Material) -> None:
    """Who reads only the limitations must learn what the network was taught with."""
    erring = replace(material, ground_truth=told_of_the_labels(rates=("sensitivity", "specificity", "accuracy")))
    said = {one.title: one.text for one in find_limitations(erring)}
    assert "Labels from reports, held against the readers (80 images): sensitivity 90.0" in said["Labels err"]
    assert said["Labels err"].count("CI") == 2
    assert "One source of the ground truth" not in said
    assert "Labels err" not in titles(replace(material, ground_truth=told_of_the_labels()))


def test_readers_who_disagree_much_are_a_limitation(material: Material) -> None:
    """No network can be measured more finely than its readers agree."""
    assert "Readers disagree" in titles(replace(material, ground_truth=told_of_the_labels(n_disputed=6)))
    assert "Readers disagree" not in titles(replace(material, ground_truth=told_of_the_labels(n_disputed=5)))


@pytest.mark.parametrize(("action", "is_said"), [("link", False), ("ignore", True)])
def test_near_duplicates_are_missed_only_where_nobody_looked(material: Material, action: str, is_said: bool) -> None:
    """The sentence about exact copies must not deny what curation does."""
    looked = with_plan(material, data={"near_duplicates": {"action": action}})
    text = next(one.text for one in find_limitations(looked) if one.title == "The source repeats itself")
    assert ("compressed anew were not looked for" in text) == is_said
