"""What several readers said about the same images."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray


class Scale(StrEnum):
    """How the values of a label relate to each other, which decides how disagreement is counted."""

    NOMINAL = "nominal"
    """Names without an order: pneumonia, effusion, normal."""
    ORDINAL = "ordinal"
    """Grades in an order: none, mild, moderate, severe."""
    INTERVAL = "interval"
    """Numbers whose differences mean something: degrees, Hounsfield units."""
    RATIO = "ratio"
    """Numbers with a true zero: millimetres, areas, counts."""


@dataclass(frozen=True)
class Readings:
    """The answers of several readers to one question about the same images."""

    question: str
    """What was asked, for example the name of the finding; "label" where the table asks one thing only."""
    image_ids: tuple[str, ...]
    patient_ids: tuple[str, ...]
    """The patient of each image: the unit that is drawn by the bootstrap."""
    readers: tuple[str, ...]
    scale: Scale
    values: NDArray[np.float64]
    """Axes (image, reader); the number of the level on a nominal or ordinal scale, else the measurement; NaN where the
    reader did not see the image."""
    levels: tuple[str, ...] = ()
    """Names of the levels, in their order; of two, the second is the positive one. Empty for measurements."""

    @property
    def is_categorical(self) -> bool:
        """Tell levels from measurements."""
        return bool(self.levels)
