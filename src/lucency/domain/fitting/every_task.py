"""Ask every kind of task what of a plan does not go together."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from lucency.domain.detection_plan import Detection
from lucency.domain.fitting import lesions, numbers, outlines, synthetic_images, texts, whole_images
from lucency.domain.synthesis_plan import Synthesis
from lucency.domain.tasks import (
    CLASSIFICATION,
    DETECTION,
    JUDGING_IMAGES,
    REGRESSION,
    REPORT_LABELLING,
    SEGMENTATION,
    SYNTHESIS,
)

if TYPE_CHECKING:  # the plan asks this file
    from lucency.domain.plan import Plan


def against(plan: "Plan") -> Iterator[str]:
    """Say what does not fit the task, what belongs to another one, and what the networks cannot take; each with the way out."""
    if plan.task == SEGMENTATION:
        yield from outlines.against(plan)
    if plan.task == DETECTION:
        yield from lesions.against(plan)
    if plan.task == REGRESSION:
        yield from numbers.against(plan)
    if plan.task == SYNTHESIS:
        yield from synthetic_images.against(plan)
    yield from _of_other_tasks(plan)
    yield from texts.against(plan)
    yield from whole_images.against(plan)


def _of_other_tasks(plan: "Plan") -> Iterator[str]:
    """Say what the plan takes from a task that is not its own."""
    labels = plan.data.labels
    if plan.task != SEGMENTATION:
        yield from outlines.borrowed(plan)
    if plan.task != REGRESSION:
        yield from numbers.borrowed(plan)
    if plan.task != DETECTION and plan.detection != Detection():
        yield f"`detection` is for `task: detection`, and this is a {plan.task}; leave it out"
    if plan.task != SYNTHESIS and plan.synthesis != Synthesis():
        yield f"`synthesis` is for `task: synthesis`, and this is a {plan.task}; leave it out"
    if plan.transfer and plan.task not in (*JUDGING_IMAGES, DETECTION):
        yield (
            "`transfer` is for networks that look at images as a whole, or for lesions in them; leave it out of `task: "
            f"{plan.task}`"
        )
    if labels.findings and plan.task not in (CLASSIFICATION, REPORT_LABELLING):
        yield f"several `data.labels.findings` at once do not fit `task: {plan.task}`; name one column as `label_column`"
    if labels.findings and plan.data.reference:
        yield "`data.reference` is for one question; leave it out where several `findings` are asked at once"
