"""What became of several readers' answers: one label for each image, or the reason why it has none."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Fused:
    """One label for each image, made of what the readers said by one rule."""

    rule: str
    image_ids: tuple[str, ...]
    levels: tuple[str, ...]
    """Empty for measurements."""
    values: NDArray[np.float64]
    """Axis (image); number of the level, or the measurement; NaN where there is no label."""
    reasons: tuple[str, ...]
    """Code of the refusal (E_…) of each image; empty where it has a label."""
    probabilities: NDArray[np.float64]
    """Axes (image, level): share of the votes, or probability by Dawid and Skene; 0 and 1 where somebody decided; NaN where
    nobody read."""
    votes: tuple[str, ...]
    """What each reader said, for example “A=pneumonia; B=no_pneumonia”."""
    n_readers: NDArray[np.intp]
    """Readers who saw the image."""
    agreement: NDArray[np.float64]
    """Share of them who said what the label says; without a label, the share of the commonest answer; NaN for measurements
    and where nobody read."""
    decided: tuple[str, ...] = ()
    """Images whose label was decided by adjudication."""
    decided_undisputed: tuple[str, ...] = ()
    """Those of them that the rule would have labelled by itself."""
    overruled: tuple[str, ...] = ()
    """Those of them that the rule would have labelled otherwise."""
    notes: tuple[str, ...] = ()
    """Why the rule may not be trusted here, in words."""

    @property
    def answers(self) -> tuple[str, ...]:
        """Return the label of each image as a text; empty where there is none."""
        if self.levels:
            return tuple("" if np.isnan(value) else self.levels[int(value)] for value in self.values)
        return tuple("" if np.isnan(value) else f"{value:.10g}" for value in self.values)


@dataclass(frozen=True)
class RuleOutcome:
    """What the labels would be under one rule, beside those under the rule of the plan."""

    rule: str
    """As in the plan; `one_reader: A` for the word of reader A."""
    is_chosen: bool
    n_labelled: int
    n_tied: int
    counts: tuple[int, ...]
    """Images of each level; empty for measurements."""
    n_changed: int
    """Images that have a label under both rules, but another one."""
    mean: float | None = None
    """Of measurements."""


@dataclass(frozen=True)
class Decision:
    """What a person decided about one disputed image."""

    image_id: str
    answer: str
    """Name of the level, or the measurement as it was written."""
    decided_by: str = ""
    date: str = ""
    remark: str = ""


@dataclass(frozen=True)
class Decisions:
    """A sheet of disputed images, filled in."""

    decided: tuple[Decision, ...]
    still_open: tuple[str, ...]
    """Images on the sheet without a decision."""
    unknown_rows: tuple[int, ...]
    """Rows, counted from 2 as a spreadsheet does, that name no image of the cohort."""

    @property
    def answers(self) -> dict[str, str]:
        """Return the decision by image."""
        return {decision.image_id: decision.answer for decision in self.decided}
