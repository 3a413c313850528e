"""What the members of a study said about each image."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Predictions:
    """Class probabilities for the images of one part, from one member or from the ensemble of all members."""

    part: str
    member: str
    """"member-0" … or "ensemble"."""
    classes: tuple[str, ...]
    """Class names; for two classes the second is the positive one."""
    image_ids: tuple[str, ...]
    patient_ids: tuple[str, ...]
    targets: NDArray[np.int64]
    """Index of the true class, axis (image)."""
    probabilities: NDArray[np.float64]
    """Probability of each class, axes (image, class); rows sum to 1."""
    finding: str = ""
    """The finding, where several are asked at once; images whose truth is not known are left out then."""

    def __len__(self) -> int:
        return len(self.image_ids)
