"""The plan's part about detection: lesions as boxes or masks, the network that finds them, and how a find is counted."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from lucency.domain.section import Fraction, Section

BACKBONES = ("resnet18", "resnet34", "resnet50", "resnet101")
"""What may read the images for a detection network."""
SMALLEST_SIDE_PIXELS = 64
"""The coarsest level of the feature pyramid has one place for 64 pixels."""


class Hit(Section):
    """When a mark of the network counts as a hit of a lesion."""

    rule: Literal["overlap", "centre"] = "overlap"
    """`overlap`: the mark's box and the lesion's box share at least `least_overlap` of what they cover together
    (intersection over union). `centre`: the middle of the mark's box lies inside the lesion's box. Under both, marks come in
    the order of their score, each lesion is hit once, and every further mark on it is a false positive."""
    least_overlap: Annotated[float, Field(gt=0, le=1)] = 0.5
    """Intersection over union from which on a mark is a hit, for `rule: overlap`. 0.5 is usual (PASCAL VOC 2010); small
    lesions with loose boxes are often judged by less."""


class DetectionPoint(Section):
    """The score from which on a mark counts, chosen on the tuning part alone."""

    rule: Literal["false_positives", "sensitivity", "fixed"] = "false_positives"
    """`false_positives`: the score that finds most lesions of the tuning part with at most `value` false positives an image;
    of equally good ones the highest. `sensitivity`: the highest score at which at least the share `value` of its lesions is hit.
    `fixed`: the score `value` itself."""
    value: Annotated[float, Field(ge=0)] = 1.0
    """False positives an image, share of lesions, or score."""

    @model_validator(mode="after")
    def _keep_shares_below_one(self) -> "DetectionPoint":
        if self.rule != "false_positives" and self.value > 1:
            raise ValueError(f"`value` is a share between 0 and 1 under `rule: {self.rule}`")
        return self


class Detection(Section):
    """Finding lesions: the network's parts, its proposals and marks, and when a mark is a hit."""

    network: Literal["auto", "faster_rcnn", "mask_rcnn"] = "auto"
    """`faster_rcnn` finds boxes (Ren et al. 2015), `mask_rcnn` boxes and the pixels in them (He et al. 2017); `auto` takes
    `mask_rcnn` where the ground truth is masks. `network.architecture` names the ResNet that reads the image for it."""
    n_channels: Annotated[int, Field(ge=32, le=512, multiple_of=32)] = 128
    """Feature maps in each level of the feature pyramid (Lin et al. 2017). 256 is usual on a GPU, 64 trains fastest."""
    normalisation: Literal["auto", "group", "batch"] = "auto"
    """`group` normalises each image by itself, which suits the small batches of detection when training begins from nothing
    (Wu and He 2018; He, Girshick and Dollár 2019); `batch` is that of the original ResNet, which weights from elsewhere need.
    `auto`: `batch` with `transfer`, else `group`."""
    n_proposals: Annotated[int, Field(ge=20, le=2000)] = 200
    """Regions of an image that are looked at more closely."""
    n_anchor_sizes: Annotated[int, Field(ge=1, le=4)] = 1
    """Sizes of anchors in each level of the pyramid. The sizes themselves come from the lesions of the training part."""
    lowest_score: Fraction = 0.02
    """Marks with a lower score are not kept. Low marks are needed to draw the FROC curve to its right end."""
    most_marks: Annotated[int, Field(ge=1, le=100)] = 20
    """Marks kept in each image, those of the highest score."""
    most_overlap: Annotated[float, Field(gt=0, le=1)] = 0.3
    """Of two marks of one kind that overlap by more than this (intersection over union), the lower one is dropped."""
    hit: Hit = Hit()
    """When a mark of the network counts as a hit of a lesion."""
    operating_point: DetectionPoint = DetectionPoint()
    """The score from which on a mark counts, chosen on the tuning part alone."""
