"""What a network is asked about each image or report."""

from dataclasses import dataclass

ABSENT, PRESENT = "negative", "positive"
"""The two classes of a finding, where several findings are asked at once."""


@dataclass(frozen=True)
class Question:
    """One question with its possible answers."""

    finding: str
    """The finding, where several are asked at once; empty where the study asks one thing only."""
    classes: tuple[str, ...]
    """Class names; of two, the second is the positive one."""
