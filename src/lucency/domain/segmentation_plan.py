"""The plan's part about segmentation: what is cut out of images, by which network, and how its answer becomes a mask.

Whatever is null is chosen from the training part and the machine, and told with its reason in `segmentation.json`.
"""

import re
from typing import Annotated, Literal

from pydantic import Field, field_validator

from lucency.domain.section import Fraction, Section

Side = Annotated[int, Field(ge=4, le=1024)]


class Segmentation(Section):
    """How structures are outlined, for `task: segmentation`."""

    patch_size: tuple[Side, Side] | tuple[Side, Side, Side] | None = None
    """What the network sees at a time, in pixels of the grid it works on: [rows, columns], or [slices, rows, columns] for
    whole volumes. Null chooses it from the shapes of the training images and the memory at hand."""
    n_stages: Annotated[int, Field(ge=2, le=8)] | None = None
    """Depth of the U-Net: resolutions at which it looks, each half as fine as the one before. Null goes down to 4 pixels."""
    n_features: Annotated[int, Field(ge=4, le=128)] | None = None
    """Kernels of the first stage; each further stage has twice as many, up to `most_features`. Null takes 32 on a GPU and 16
    on a CPU."""
    most_features: Annotated[int, Field(ge=4, le=1024)] = 320
    """Kernels that no stage exceeds."""
    batch_size: Annotated[int, Field(ge=1)] | None = None
    """Patches per iteration, in the place of `training.batch_size`. Null chooses it from the memory at hand."""
    patches_per_image: Annotated[int, Field(ge=1)] | None = None
    """Patches that are cut from each image in an epoch. Null takes as many as cover a usual image once, at most 8."""
    memory_gb: Annotated[float, Field(gt=0)] | None = None
    """Memory that training may take, in gigabytes; null takes half of what is free when the study is configured."""
    foreground: Fraction = 0.33
    """Share of the patches that are cut around a voxel of a structure, so that small structures are met often enough."""
    grey_levels: Literal["auto", "own_range", "foreground", "window"] = "auto"
    """How the values of a volume become grey levels. `own_range`: from the darkest to the brightest 0.1 % of each volume, as
    MR needs, whose values have no unit. `foreground`: from the 0.5th to the 99.5th percentile of what the structures of the
    training part hold, as nnU-Net does for CT. `window`: `data.image.window`, given in numbers. `auto`: `window` where it is
    given, `foreground` for Hounsfield units, else `own_range`."""
    deep_supervision: bool = False
    """Whether the coarser stages are taught too (Lee 2015; Isensee 2021): each gives an answer that counts half as much as
    the next finer one."""
    false_positives: Annotated[float, Field(gt=0, lt=1)] = 0.3
    """Weight of false positives in the cost `tversky` (Salehi 2017); false negatives weigh the rest."""
    window_overlap: Annotated[float, Field(ge=0, lt=1)] = 0.5
    """Share by which neighbouring windows overlap when an image larger than the patch is predicted."""
    test_time_flips: bool = False
    """Whether the answer is the mean over the image and its mirror images, along the axes that `augmentation` mirrors."""
    largest_component: Literal["auto", "always", "never"] = "auto"
    """Whether only the largest connected part of each structure is kept: `auto` decides for each structure by what gains
    on the tuning part."""

    subgroups: str | None = None
    """Regular expression searched in the path of each image; what its groups (or else all of it) catch names the subgroup
    that results are given for, for example '^(benign|malignant)'. Null for none."""

    @field_validator("patch_size", mode="before")
    @classmethod
    def _square_of_one_number(cls, value: object) -> object:
        return [value, value] if isinstance(value, int) else value

    @field_validator("subgroups")
    @classmethod
    def _be_a_pattern(cls, value: str | None) -> str | None:
        try:
            re.compile(value or "")
        except re.error as error:
            raise ValueError(f"`subgroups` is no regular expression: {error}") from None
        return value
