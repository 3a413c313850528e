"""What does not go together where networks look at whole images."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from lucency.domain.image_sizes import refusal_of_size
from lucency.domain.tasks import JUDGING_IMAGES
from lucency.domain.text_plan import Recurrent

if TYPE_CHECKING:  # the plan asks this file
    from lucency.domain.plan import Plan


def against(plan: "Plan") -> Iterator[str]:
    """Say which images or weights a network of the catalogue cannot take."""
    image, network = plan.data.image, plan.network
    if plan.task not in JUDGING_IMAGES:
        return
    if network.volumes != "channels" and image.n_slices is None:
        yield (
            f"`network.volumes: {network.volumes}` is for volumes, and the images of this plan are single pictures; set "
            "`data.image.n_slices`, or leave `network.volumes` out"
        )
    if network.volumes != "slice_by_slice" and network.recurrent != Recurrent():
        yield "`network.recurrent` is for reports, or for `network.volumes: slice_by_slice`; leave it out"
    if refusal := refusal_of_size(network, image.n_channels, image.shape):
        yield refusal
    if plan.transfer and plan.transfer.weights and network.volumes == "3d":
        yield (
            "published weights have seen flat images, and `network.volumes: 3d` reaches across slices; take "
            "`slice_by_slice` or `channels`, or begin with a `study` of your own"
        )
