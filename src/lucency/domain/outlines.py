"""Tell what of a plan does not go together where structures are outlined, and the way out."""

from lucency.domain.data_plan import Data, Image
from lucency.domain.network_plan import OUTLINING, Network
from lucency.domain.segmentation_plan import Segmentation
from lucency.domain.training_plan import Training

REGION_COSTS = ("dice", "dice_cross_entropy", "tversky")
"""Costs that compare regions; `cross_entropy` compares them as well, pixel by pixel."""


def refusal_of_outlines(
    data: Data, network: Network, training: Training, settings: Segmentation, has_flips: bool
) -> str:
    """Return why a plan cannot outline anything; empty if it can. `has_flips`: training images are mirrored."""
    return (
        _of_data(data)
        or _of_network(network, training, settings)
        or _of_patches(data.image, settings)
        or _of_flips(settings, has_flips)
    )


def refusal_without_outlines(data: Data, network: Network, training: Training) -> str:
    """Return what a plan of another task takes from segmentation; empty if nothing."""
    if network.architecture in OUTLINING:
        return f"`network.architecture: {network.architecture}` outlines structures, for `task: segmentation`"
    if training.cost in REGION_COSTS:
        return f"`training.cost: {training.cost}` is for `task: segmentation`"
    if data.image.volumes == "whole":
        return "`data.image.volumes: whole` is for `task: segmentation`; take `data.image.n_slices`"
    return ""


def _of_data(data: Data) -> str:
    if data.labels.from_ != "masks" or data.reference:
        return (
            "`task: segmentation` learns from masks: set `data.labels` to {from: masks, drawings: {path: …}}, and leave "
            "`data.reference` out"
        )
    if data.image.n_slices:
        return "`data.image.n_slices` is for classes; take `data.image.volumes: whole`, or leave it out"
    if data.image.volumes == "whole" and data.quality.denoise != "none":
        return "`data.quality.denoise` is for pictures; whole volumes keep their own values"
    return ""


def _of_network(network: Network, training: Training, settings: Segmentation) -> str:
    named = f"`network.architecture: {network.architecture}`"
    if network.architecture not in OUTLINING:
        return f"{named} names classes and outlines nothing; take {' or '.join(OUTLINING)}"
    if settings.deep_supervision and network.architecture != "unet":
        return "`segmentation.deep_supervision` is for `network.architecture: unet`"
    if training.cost not in (*REGION_COSTS, "cross_entropy"):
        return f"`training.cost: {training.cost}` is not for masks; take {', '.join(REGION_COSTS)}"
    if training.class_weights != "none" or training.label_smoothing:
        return "`class_weights` and `label_smoothing` are for classes; the Dice cost balances structures"
    return ""


def _of_patches(image: Image, settings: Segmentation) -> str:
    patch, is_whole = settings.patch_size, image.volumes == "whole"
    if settings.grey_levels != "auto" and not is_whole:
        return "`segmentation.grey_levels` is for whole volumes; pictures are shown by `data.image.window`"
    if not patch:
        return ""
    if len(patch) == 3 and not is_whole:
        return (
            "a `segmentation.patch_size` of three numbers is for volumes; set `data.image.volumes: whole`, or give rows and "
            "columns only"
        )
    if len(patch) == 2 and is_whole:
        return "volumes need a `segmentation.patch_size` of [slices, rows, columns]"
    if not is_whole and (patch[0] > image.shape[0] or patch[1] > image.shape[1]):
        return "`segmentation.patch_size` is larger than the images; raise `data.image.size`, or lower it"
    return ""


def _of_flips(settings: Segmentation, has_flips: bool) -> str:
    if settings.test_time_flips and not has_flips:
        return (
            "`segmentation.test_time_flips` asks for mirror images, which the network must have learnt from: set "
            "`augmentation.flip_horizontal` or `flip_vertical`, or leave it out"
        )
    return ""
