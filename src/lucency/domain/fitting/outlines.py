"""What does not go together where structures are outlined."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from lucency.domain.data_plan import Data, Image
from lucency.domain.network_plan import OUTLINING, Network
from lucency.domain.segmentation_plan import Segmentation
from lucency.domain.training_plan import Training

if TYPE_CHECKING:  # the plan asks this file
    from lucency.domain.plan import Plan

REGION_COSTS = ("dice", "dice_cross_entropy", "tversky")
"""Costs that compare regions; `cross_entropy` compares them as well, pixel by pixel."""


def against(plan: "Plan") -> Iterator[str]:
    """Say why a plan cannot outline anything."""
    yield from _of_data(plan.data)
    yield from _of_network(plan.network, plan.training, plan.segmentation)
    yield from _of_patches(plan.data.image, plan.segmentation)
    if plan.segmentation.test_time_flips and not plan.flips:
        yield (
            "`segmentation.test_time_flips` asks for mirror images, which the network must have learnt from: set "
            "`augmentation.flip_horizontal` or `flip_vertical`, or leave it out"
        )
    if plan.describe.probes:
        yield "`describe.probes` ask what gives a class away, and outlines are none; set it to false"


def borrowed(plan: "Plan") -> Iterator[str]:
    """Say what a plan of another task takes from segmentation."""
    if plan.network.architecture in OUTLINING:
        yield f"`network.architecture: {plan.network.architecture}` outlines structures, for `task: segmentation`"
    if plan.training.cost in REGION_COSTS:
        yield f"`training.cost: {plan.training.cost}` is for `task: segmentation`"
    if plan.data.image.volumes == "whole":
        yield "`data.image.volumes: whole` is for `task: segmentation`; take `data.image.n_slices`"


def _of_data(data: Data) -> Iterator[str]:
    if data.labels.from_ != "masks" or data.reference:
        yield (
            "`task: segmentation` learns from masks: set `data.labels` to {from: masks, drawings: {path: …}}, and leave "
            "`data.reference` out"
        )
    if data.image.n_slices:
        yield "`data.image.n_slices` is for classes; take `data.image.volumes: whole`, or leave it out"
    if data.image.volumes == "whole" and data.quality.denoise != "none":
        yield "`data.quality.denoise` is for pictures; whole volumes keep their own values"


def _of_network(network: Network, training: Training, settings: Segmentation) -> Iterator[str]:
    named = f"`network.architecture: {network.architecture}`"
    if network.architecture not in OUTLINING:
        yield f"{named} names classes and outlines nothing; take {' or '.join(OUTLINING)}"
    if settings.deep_supervision and network.architecture != "unet":
        yield "`segmentation.deep_supervision` is for `network.architecture: unet`"
    if training.cost not in (*REGION_COSTS, "cross_entropy"):
        yield f"`training.cost: {training.cost}` is not for masks; take {', '.join(REGION_COSTS)}"
    if training.batch_size != Training().batch_size:
        yield "`training.batch_size` counts whole images; patches in an iteration are `segmentation.batch_size`"
    if training.class_weights != "none" or training.label_smoothing:
        yield "`class_weights` and `label_smoothing` are for classes; the Dice cost balances structures"


def _of_patches(image: Image, settings: Segmentation) -> Iterator[str]:
    patch, is_whole = settings.patch_size, image.volumes == "whole"
    if settings.grey_levels != "auto" and not is_whole:
        yield "`segmentation.grey_levels` is for whole volumes; pictures are shown by `data.image.window`"
    if not patch:
        return
    if len(patch) == 3 and not is_whole:
        yield (
            "a `segmentation.patch_size` of three numbers is for volumes; set `data.image.volumes: whole`, or give rows and "
            "columns only"
        )
    if len(patch) == 2 and is_whole:
        yield "volumes need a `segmentation.patch_size` of [slices, rows, columns]"
    if not is_whole and (patch[0] > image.shape[0] or patch[1] > image.shape[1]):
        yield "`segmentation.patch_size` is larger than the images; raise `data.image.size`, or lower it"
