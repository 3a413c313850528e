"""What a ground truth says about each image, wherever it comes from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Verdict:
    """What is said about one image: a class, or the reason why there is none."""

    target: str = ""
    code: str = ""
    """Why there is no class (E_…)."""
    probabilities: Mapping[str, float] | None = None
    """Of each class, where doubt or disagreement shall teach too."""
    votes: str = ""
    """What each reader said."""
    agreement: float | None = None
    """Share of the readers who said what counts."""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Verdicts:
    """What is said about the kept images of a cohort, one verdict each and in their order."""

    verdicts: Sequence[Verdict]
    unknown_rows: tuple[int, ...] = ()
    """Rows of the table (counted from 2, as a spreadsheet does) that name no image of the cohort."""
    files: tuple[str, ...] = ()
    """Files of the study's folder that were written about it."""


def say(target: str, names: Mapping[str, str] | None) -> Verdict:
    """Give a code its name; without any there is no label."""
    named = (names or {}).get(target, target)
    return Verdict(named) if named else Verdict(code="E_NO_LABEL")
