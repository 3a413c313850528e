"""What does not go together where lesions are to be found."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from lucency.domain.detection_plan import BACKBONES, SMALLEST_SIDE_PIXELS
from lucency.domain.evaluation_plan import Threshold
from lucency.domain.network_plan import Network

if TYPE_CHECKING:  # the plan asks this file
    from lucency.domain.plan import Plan


def against(plan: "Plan") -> Iterator[str]:
    """Say what does not fit the finding of lesions, and the way out."""
    data, training = plan.data, plan.training
    if data.labels.from_ not in ("masks", "boxes"):
        yield (
            "a detection learns from lesions that somebody drew: set `data.labels.from` to `masks` or `boxes`, with a "
            "section `drawings`; labels of whole images are for `task: classification`"
        )
    if data.reference is not None:
        yield "`data.reference` is for labels of whole images; a detection is judged by the drawings it learns from"
    if data.labels.corrections is not None:
        yield "`data.labels.corrections` changes labels of whole images; for a detection, correct the drawings themselves"
    if data.image.n_slices is not None:
        yield (
            "a detection looks at single images: leave `data.image.n_slices` out, and each slice of a volume is an image of "
            "its own"
        )
    if min(data.image.shape) < SMALLEST_SIDE_PIXELS:
        yield f"`data.image.size` must be at least {SMALLEST_SIDE_PIXELS} for a detection"
    if plan.network.architecture not in BACKBONES:
        yield (
            f"`network.architecture: {plan.network.architecture}` cannot read images for a detection; take "
            f"{', '.join(BACKBONES[:-1])} or {BACKBONES[-1]}"
        )
    if plan.network != Network(architecture=plan.network.architecture):
        yield "a detection takes its ResNet as published; leave all of `network` out but its `architecture`"
    if plan.transfer and plan.detection.normalisation == "group":
        yield "weights from elsewhere know batch normalisation only; leave `detection.normalisation` out, or set it to batch"
    if training.class_weights != "none" or training.label_smoothing:
        yield "`training.class_weights` and `training.label_smoothing` are for classes; a detection takes neither"
    if plan.evaluation.threshold != Threshold() or plan.evaluation.prevalence is not None:
        yield (
            "a detection chooses its threshold by `detection.operating_point`; leave `evaluation.threshold` and "
            "`evaluation.prevalence` out"
        )
