"""What does not go together where networks read reports, and what only they can take."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from lucency.domain.network_plan import READING
from lucency.domain.tasks import REPORT_LABELLING

if TYPE_CHECKING:  # the plan asks this file
    from lucency.domain.plan import Plan


def against(plan: "Plan") -> Iterator[str]:
    """Say where a network for words meets images, or the other way round."""
    is_text = plan.task == REPORT_LABELLING
    if is_text != (plan.network.architecture in READING):
        suited = "`lstm` or `gru`" if is_text else "one for images, such as `resnet18`"
        yield f"`network.architecture: {plan.network.architecture}` does not fit `task: {plan.task}`; take {suited}"
    if is_text and plan.augmentation is not None:
        yield "`augmentation` is for images; leave it out, or set it to null"
    if is_text and plan.data.labels.from_ not in ("table", "folder", "readers"):
        yield "the labels of reports come from a table, from readers or from folders (`data.labels.from`)"
