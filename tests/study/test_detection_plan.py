"""Plans of detections that do not fit together are refused with the way out."""

import pytest
from pydantic import ValidationError

from lucency.domain.plan import Plan


def plan(**changes):
    """Return the plan of a detection from masks."""
    data = {"images": "images", "labels": {"from": "masks", "drawings": {"path": "masks"}}}
    return Plan.model_validate({"task": "detection", "data": data | changes.pop("data", {})} | changes)


def test_a_detection_has_defaults_of_its_own():
    """Small batches, small steps, and parts of masks that are lesions of their own."""
    chosen = plan()
    assert chosen.training.batch_size == 8
    assert chosen.training.learning_rate == 3e-4
    assert chosen.data.labels.drawings.split_lesions
    assert plan(training={"batch_size": 2}).training.batch_size == 2
    together = {"labels": {"from": "masks", "drawings": {"path": "masks", "split_lesions": False}}}
    assert not plan(data=together).data.labels.drawings.split_lesions


@pytest.mark.parametrize(
    ("changes", "way_out"),
    [
        ({"data": {"labels": {"from": "folder"}}}, "`data.labels.from` to `masks` or `boxes`"),
        ({"data": {"image": {"n_slices": 8}}}, "each slice of a volume is an image of its own"),
        ({"data": {"image": {"size": 32}}}, "at least 64"),
        ({"network": {"architecture": "lenet5"}}, "take resnet18"),
        ({"network": {"stem": "small"}}, "as published"),
        ({"transfer": {}, "detection": {"normalisation": "group"}}, "know batch normalisation only"),
        ({"training": {"class_weights": "balanced"}}, "a detection takes neither"),
        ({"evaluation": {"threshold": {"rule": "fixed", "value": 0.5}}}, "`detection.operating_point`"),
        ({"data": {"reference": {"from": "folder"}}}, "judged by the drawings"),
        ({"detection": {"operating_point": {"rule": "sensitivity", "value": 1.5}}}, "between 0 and 1"),
    ],
)
def test_what_does_not_fit_is_refused_with_the_way_out(changes, way_out):
    """Before any work."""
    with pytest.raises(ValidationError) as caught:
        plan(**changes)
    assert way_out in str(caught.value)


def test_settings_of_a_detection_do_not_hide_in_other_tasks():
    """Whoever writes them there meant another task."""
    settings = {"task": "classification", "data": {"images": "images"}, "detection": {"n_channels": 64}}
    with pytest.raises(ValidationError) as caught:
        Plan.model_validate(settings)
    assert "`task: detection`" in str(caught.value)
