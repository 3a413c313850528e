"""The three parts of the data (CLAIM 2024: training, tuning, test)."""

from enum import StrEnum


class Part(StrEnum):
    """A part of the split. The article calls tuning "validation"."""

    TRAINING = "training"
    TUNING = "tuning"
    TEST = "test"
