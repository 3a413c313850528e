"""The plan's part about augmentation: random changes of training images."""

from typing import Annotated

from pydantic import Field, field_validator

from lucency.domain.section import Fraction, Range, Section


class Augmentation(Section):
    """Random changes of training images that leave their label unchanged. Never applied to tuning or test images."""

    flip_horizontal: Fraction = 0.0
    """Probability of mirroring left and right. Off by default: it puts the heart on the wrong side."""
    flip_vertical: Fraction = 0.0
    """Probability of turning upside down."""
    rotate_degrees: Annotated[float, Field(ge=0, le=180)] = 10.0
    """Rotation by up to this angle to either side."""
    tilt_degrees: Annotated[float, Field(ge=0, le=180)] = 0.0
    """Rotation of volumes out of their slices, by up to this angle to either side, about the rows and about the columns. It
    counts in voxels, so it is for volumes that are as fine in every direction; pictures are left as they are."""
    zoom: Range = (0.9, 1.1)
    """Smallest and largest magnification; 1 changes nothing."""
    shift: Fraction = 0.1
    """Move by up to this share of the height and width, so that a lesion stands elsewhere."""
    skew_degrees: Annotated[float, Field(ge=0, le=45)] = 5.0
    """Shear by up to this angle."""
    blur_pixels: Annotated[float, Field(ge=0, le=20)] = 0.0
    """Gaussian blur with a standard deviation of up to this many pixels."""
    contrast: Range = (0.8, 1.25)
    """Smallest and largest factor on the contrast around the mean grey level; 1 changes nothing."""
    brightness: Fraction = 0.1
    """Brighten or darken by up to this share of the full grey scale."""
    resolution: Fraction = 1.0
    """Coarsest resolution, as a share of the original; 0.5 may halve it. 1 changes nothing."""
    noise: Fraction = 0.0
    """Gaussian noise with a standard deviation of up to this share of the full grey scale."""
    erase: Fraction = 0.0
    """Probability of erasing a random rectangle (2 to 20 % of the area)."""

    @field_validator("zoom", "contrast")
    @classmethod
    def _order_the_range(cls, value: Range) -> Range:
        if not 0 < value[0] <= value[1]:
            raise ValueError("give the smallest factor first, both above 0, for example [0.9, 1.1]")
        return value

    @field_validator("resolution")
    @classmethod
    def _keep_something(cls, value: float) -> float:
        if value <= 0:
            raise ValueError("resolution must be above 0")
        return value

    @property
    def is_off(self) -> bool:
        """True when nothing would change."""
        return self == NO_AUGMENTATION


NO_AUGMENTATION = Augmentation(rotate_degrees=0, zoom=(1, 1), shift=0, skew_degrees=0, contrast=(1, 1), brightness=0)
