"""Counts of the flow diagram and of the cohort table."""

from dataclasses import replace

import material_factory
import pytest

from lucency.domain.plan import Augmentation, Plan
from lucency.report.counts import count_flow
from lucency.report.hyperparameters import augmentation_ranges, settings
from lucency.report.material import Material
from lucency.report.tables import cohort_table, not_recorded


@pytest.fixture(scope="module")
def material() -> Material:
    return material_factory.two_classes()


def test_every_image_is_accounted_for(material: Material) -> None:
    """At each step, those who arrive are those who leave and those who stay."""
    flow = count_flow(material)
    assert flow.steps[0].n_images == len(material.cohort)
    for before, after in zip(flow.steps[:-1], flow.steps[1:], strict=True):
        assert before.refused is not None
        assert before.n_images == before.refused.n_images + after.n_images
    assert flow.steps[-1].n_images == sum(part.n_images for part in flow.parts) == len(material.split)
    assert [step.refused.by_reason for step in flow.steps if step.refused] == [
        {"E_UNREADABLE": 7, "E_BLANK": 3, "E_LOCALIZER": 2},
        {"E_DUPLICATE": 9},
        {"E_NO_LABEL": 11, "E_CONFLICT": 4},
    ]


def test_a_duplicate_that_the_labels_refuse_is_a_duplicate_all_the_same(material: Material) -> None:
    """Two rooms may find it; the reader sees one box."""
    late = replace(material.labels[0], status="refused", reason="E_DUPLICATE")
    flow = count_flow(replace(material, labels=(late, *material.labels[1:]), split=material.split[1:]))
    duplicates = next(step.refused for step in flow.steps if step.refused and step.refused.title == "Exact duplicates")
    assert duplicates.by_reason == {"E_DUPLICATE": 10}


def test_criteria_have_a_box_of_their_own(material: Material) -> None:
    """A reader asks who was not eligible, and by which criterion (STARD 2015, item 20)."""
    young = replace(material.cohort[0], status="refused", reason="E_NOT_INCLUDED", criterion="age_years is at least 18")
    rest = [row for row in material.labels if row.image_id != young.image_id]
    split = [row for row in material.split if row.image_id != young.image_id]
    changed = replace(material, cohort=(young, *material.cohort[1:]), labels=tuple(rest), split=tuple(split))
    box = next(step.refused for step in count_flow(changed).steps if step.title == "Readable")
    assert box is not None
    assert (box.title, box.by_reason) == ("Not eligible", {"does not meet: age_years is at least 18": 1})


def test_a_cohort_without_refusals_has_one_step(material: Material) -> None:
    """A diagram does not draw empty boxes."""
    kept = {row.image_id for row in material.split}
    clean = replace(
        material,
        cohort=tuple(row for row in material.cohort if row.image_id in kept),
        labels=tuple(row for row in material.labels if row.image_id in kept),
    )
    assert [(step.title, step.refused) for step in count_flow(clean).steps] == [("Found", None)]


def test_the_columns_of_the_cohort_table_add_up(material: Material) -> None:
    """Training, tuning and test make all, for patients and images alike."""
    for line in cohort_table(material)[:2]:
        training, tuning, test, everything = (int(cell.replace(",", "")) for cell in line.cells)
        assert training + tuning + test == everything


def test_a_standardised_difference_has_the_value_of_its_formula(material: Material) -> None:
    """(p − q) / √((p(1−p) + q(1−q)) / 2), Austin 2009: 0.6 against 0.5 gives 0.2020."""
    ids = [row.image_id for row in material.split]
    part = {i: "training" if n < 100 else "test" for n, i in enumerate(ids[:200])}
    site = {i: "Site A" if n % 10 < (6 if n < 100 else 5) else "Site B" for n, i in enumerate(ids[:200])}
    small = replace(
        material,
        split=tuple(replace(row, part=part[row.image_id]) for row in material.split[:200]),
        cohort=tuple(replace(row, site=site[row.image_id]) for row in material.cohort if row.image_id in site),
    )
    each_a_patient = replace(
        small,
        cohort=tuple(replace(row, patient_id=row.image_id) for row in small.cohort),
        split=tuple(replace(row, patient_id=row.image_id) for row in small.split),
    )
    lines = {line.name: line for line in cohort_table(material_factory.described(each_a_patient))}
    assert lines["Site A"].cells[0] == "60 (60\u202f%)"
    assert lines["Site"].difference.value == pytest.approx(0.1 / (0.5 * (0.24 + 0.25)) ** 0.5)
    assert lines["Site"].is_notable


def test_what_no_image_tells_is_named_and_not_tabled(material: Material) -> None:
    """A reviewer asks for sex and age; an empty row would not answer."""
    blind = replace(material, cohort=tuple(replace(row, sex="", age_years="", site="") for row in material.cohort))
    assert not_recorded(blind) == ["age", "sex", "site"]
    assert not {"Sex", "Site"} & {line.name for line in cohort_table(material_factory.described(blind))}


def test_every_setting_is_listed_once_and_knows_its_default() -> None:
    """All hyperparameters, each with its meaning, whatever the plan will hold."""
    plan = Plan.model_validate({"task": "classification", "data": {"images": "x"}, "training": {"epochs": 5}})
    listed = {setting.key: setting for setting in settings(plan)}
    assert len(listed) == len(settings(plan))
    assert not listed["training.epochs"].is_default
    assert listed["training.batch_size"].is_default
    assert listed["data.patient"].value == "null"
    assert all(setting.meaning for setting in listed.values())


def test_every_kind_of_augmentation_is_told_in_words() -> None:
    """A new kind in the plan must get its words here."""
    ranges = augmentation_ranges(Augmentation(flip_horizontal=0.5))
    assert len(ranges) == len(Augmentation.model_fields)
    told = {(one.term, one.detail): one.range for one in ranges}
    assert told["flip", "left and right"] == "50\u202f% of the images"
    assert told["rotation", ""] == "−10° to 10°"
    assert told["noise", ""] == ""
