"""How training steps are computed, and what a short trial measured before (`training/speed.json`)."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Speed:
    """Settings that change how long a step takes, and what a step took with and without them.

    Times are seconds of processor time, 0 where no trial was made. None of what the trial decides changes a bit of any result.
    """

    channels_last: bool
    """True where the channels of a pixel lie side by side; by a rule, since it changes the rounding of the last digit."""
    keeps_pages: bool
    """True where the memory of a step is kept for the next; the trial decides."""
    default_seconds: float = 0.0
    """As PyTorch leaves it."""
    arranged_seconds: float = 0.0
    """With the channels arranged."""
    kept_seconds: float = 0.0
    """With the memory kept as well."""

    @property
    def is_tried(self) -> bool:
        """Tell whether a trial was made."""
        return self.default_seconds > 0

    @property
    def chosen_seconds(self) -> float:
        """Seconds of a step as it is computed."""
        return self.kept_seconds if self.keeps_pages else self.arranged_seconds

    @property
    def gain(self) -> float:
        """How many times as fast a step is as PyTorch leaves it."""
        return self.default_seconds / self.chosen_seconds if self.is_tried else 1.0
