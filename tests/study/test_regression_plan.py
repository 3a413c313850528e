"""Plans that measure a number: what suits them by default, and what they may not ask for."""

import pytest
from pydantic import ValidationError

from lucency.domain.plan import Plan

BASE = {"images": "images", "patient": "each_image"}
TABLE = {"from": "table", "table": "t.csv"}
MASKS = {"from": "masks", "drawings": {"path": "masks", "measure": "area_pixels"}}


def plan(labels=TABLE, data=None, **sections) -> Plan:
    return Plan.model_validate({"task": "regression", "data": BASE | {"labels": labels} | (data or {})} | sections)


def test_augmentation_does_not_change_the_size_of_what_is_measured():
    """A lesion that is zoomed or sheared has another area, and its label would no longer be true."""
    made = plan()
    assert (made.augmentation.zoom, made.augmentation.skew_degrees) == ((1, 1), 0)
    assert made.augmentation.rotate_degrees == 10
    chosen = plan(augmentation={"zoom": [0.8, 1.2]})
    assert (chosen.augmentation.zoom, chosen.augmentation.skew_degrees) == ((0.8, 1.2), 0)
    assert plan(augmentation=None).augmentation is None


def test_what_is_measured_on_drawings_names_itself():
    """Quantity, unit and lowest number follow from the measure; the plan may have better words."""
    made = plan(MASKS)
    assert (made.regression.in_words, made.regression.lowest) == ("area (pixels)", 0)
    assert plan(MASKS, regression={"quantity": "lesion area"}).regression.in_words == "lesion area (pixels)"
    assert plan().training.cost == "mse"


def test_a_written_plan_reads_back_as_itself():
    """study.yaml in the folder holds every default, and is read again when a study goes on."""
    made = plan(MASKS)
    assert Plan.model_validate(made.model_dump(mode="json", by_alias=True)) == made


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"labels": {"from": "folder"}}, "data.labels.from"),
        ({"labels": {"from": "masks", "drawings": {"path": "m"}}}, "drawings.measure"),
        ({"labels": MASKS, "regression": {"unit": "mm²"}}, "gives pixels"),
        ({"labels": TABLE | {"positive": "ill"}}, "data.labels.positive"),
        ({"labels": TABLE | {"names": {"0": "no"}}}, "data.labels.names"),
        ({"labels": TABLE | {"corrections": "c.csv"}}, "corrections"),
        ({"labels": {"from": "table", "table": "t.csv", "findings": ["a"]}}, "findings"),
        ({"labels": {"from": "readers", "readers": {"tables": ["a.csv"]}}}, "scale: ratio"),
        ({"labels": {"from": "readers", "readers": {"tables": ["a.csv"], "scale": "ratio"}}}, "`median`"),
        ({"data": {"reference": TABLE}}, "data.reference"),
        ({"data": {"population": {"prevalence": {"ill": 0.1}}}}, "prevalence"),
        ({"training": {"cost": "cross_entropy"}}, "`mse`"),
        ({"training": {"class_weights": "balanced"}}, "class_weights"),
        ({"training": {"label_smoothing": 0.1}}, "label_smoothing"),
        ({"evaluation": {"threshold": {"rule": "fixed", "value": 0.5}}}, "evaluation.threshold"),
        ({"evaluation": {"prevalence": 0.1}}, "evaluation.prevalence"),
        ({"regression": None}, "regression"),
        ({"network": {"architecture": "lstm"}}, "does not fit"),
    ],
)
def test_what_is_for_classes_is_refused_with_the_way_out(changes, said):
    """A setting that would be ignored in silence is a wrong plan."""
    with pytest.raises(ValidationError, match=said):
        plan(**changes)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"training": {"cost": "mse"}}, "cross_entropy"),
        ({"regression": {"unit": "mm"}}, "`task: regression`"),
        ({"data": BASE | {"labels": MASKS}}, "measure"),
    ],
)
def test_what_is_for_numbers_is_refused_of_classes(changes, said):
    """The other way round."""
    with pytest.raises(ValidationError, match=said):
        Plan.model_validate({"task": "classification", "data": BASE} | changes)
