"""A number that travels with its interval."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Estimate:
    """A measured quantity with its confidence interval and all that is needed to quote it.

    `n` counts units of analysis; `n_clusters` counts patients where a patient has several units. A proportion also
    carries its `numerator` and `denominator`. A quantity that cannot be computed has `value` None and the reason in
    `note`.
    """

    name: str
    """The field's standard term, for example "AUC" or "sensitivity"."""
    value: float | None
    low: float | None
    high: float | None
    n: int
    unit: str
    """Unit of analysis: "image" or "patient"."""
    method: str
    """How the interval was made, with its source, for example "Wilson 1927"."""
    level: float = 0.95
    part: str = "test"
    """Part of the split: training, tuning or test."""
    group: str = "all"
    """Class or subgroup that the number speaks of."""
    numerator: int | None = None
    denominator: int | None = None
    n_clusters: int | None = None
    note: str = ""
    measured_in: str | None = None
    """Unit of the number itself, for example "mm²", "" where it has none; None for shares, correlations and other numbers
    that need none."""
