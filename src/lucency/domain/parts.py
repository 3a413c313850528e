"""The three parts of the data (CLAIM 2024: training, tuning, test)."""

from enum import StrEnum


class Part(StrEnum):
    """A part of the split. The article calls tuning "validation"."""

    TRAINING = "training"
    TUNING = "tuning"
    TEST = "test"


class Targets(StrEnum):
    """By what the parts are dealt, so that each gets its share."""

    CLASSES = "class"
    NUMBERS = "fifths of the number"
    STRUCTURES = "the structures that are drawn"
