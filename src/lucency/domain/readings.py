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


@dataclass(frozen=True)
class Repeat:
    """An image that one reader read again, with another answer."""

    question: str
    image_id: str
    reader: str
    answers: tuple[str, ...]
    """What the reader said: by day where the days are known, else in the order of the tables."""
    is_settled: bool
    """True where the days tell which answer is the last, and so the one that counts."""


@dataclass(frozen=True)
class OneReader:
    """What one reader did, for the report."""

    reader: str
    n_images: int
    """Images with an answer that counts."""
    first_day: str = ""
    """As 2024-03-01; empty where no day is known."""
    last_day: str = ""
    n_blinded: int = 0
    """Readings that were blinded, of those that the table tells of."""
    n_blinding_known: int = 0
    n_repeated: int = 0
    """Images read more than once with the same answer."""
    n_changed: int = 0
    """Images read again with another answer, where the later one counts."""
    n_contradicted: int = 0
    """Images with two answers and no day to tell the later; neither counts."""


@dataclass(frozen=True)
class ReaderFacts:
    """What the tables of the readers hold, for the report."""

    readers: tuple[OneReader, ...]
    n_images: int
    """Images that could have been read."""
    unread: tuple[str, ...]
    """Images that no reader saw."""
    unknown_rows: dict[str, tuple[int, ...]]
    """Table → its rows, counted from 2 as a spreadsheet does, that name no image of the cohort."""
    n_respelled: int = 0
    """Answers and names of readers whose capitals or spaces were made alike."""
    n_named_missing: int = 0
    """Cells that hold a word for missing (NA, null), counted as not read."""
    units: tuple[str, ...] = ()
    """Units that stood behind the measurements, one for each question that has one; they were taken off."""


@dataclass(frozen=True)
class ReaderTables:
    """The answers of the readers, and how they were read."""

    readings: tuple[Readings, ...]
    """One for each question, all of the same images and readers."""
    repeats: tuple[Repeat, ...]
    facts: ReaderFacts

    def of(self, question: str) -> Readings:
        """Return the answers to one question."""
        return next(readings for readings in self.readings if readings.question == question)
