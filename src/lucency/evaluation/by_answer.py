"""What a sample tells that was drawn by the answer of a test: verification by answer (Begg & Greenes 1983).

Findings are rare, so of few positive and many negative answers as many are verified. Predictive values may be read off such
a sample, as each answer was drawn by itself; everything else is brought back by the number of all answers. Each verified
case of an answer then stands for (all of that answer) / (verified of that answer) cases.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from lucency.domain.estimate import Estimate
from lucency.evaluation.intervals import is_clustered, proportion

_METHOD = "Begg & Greenes 1983; MOVER (Zou & Donner 2008) of Wilson 1927"

_Share = Callable[[NDArray[np.float64]], float]
"""Takes the share of cases with the finding among each answer, axis (answer); returns a quantity, NaN where undefined."""


@dataclass(frozen=True)
class SampleByAnswer:
    """Verified cases, axis (case), and how many answers of each kind there are in all."""

    answered: NDArray[np.int64]
    truth: NDArray[np.int64]
    patients: NDArray[np.int64]
    n_all: NDArray[np.int64]
    """Axis (answer)."""


def finding_by_answer(sample: SampleByAnswer, finding: int, level: float = 0.95) -> list[Estimate]:
    """Estimate sensitivity, specificity, predictive values and Cohen's kappa of one answer among all cases.

    The numbers of all answers count as exact. Where an answer was never wrong in the sample its Wilson limit still counts,
    so that a few verified negatives cannot prove that nothing was missed.
    """
    hits = sample.truth == finding
    p = sample.n_all / sample.n_all.sum()
    called = np.arange(p.size) == finding

    def ratio(part: float, whole: float) -> float:
        return part / whole if whole > 0 else np.nan

    def kappa(share: NDArray[np.float64]) -> float:
        found = p @ share
        observed = p @ np.where(called, share, 1 - share)
        expected = p[finding] * found + (1 - p[finding]) * (1 - found)
        return ratio(observed - expected, 1 - expected)

    quantities: dict[str, _Share] = {
        "sensitivity": lambda share: ratio((p * called) @ share, p @ share),
        "specificity": lambda share: ratio((p * ~called) @ (1 - share), p @ (1 - share)),
        "positive predictive value": lambda share: ratio((p * called) @ share, p[finding]),
        "negative predictive value": lambda share: ratio((p * ~called) @ (1 - share), 1 - p[finding]),
        "Cohen's kappa": kappa,
    }
    return [_estimate(sample, name, hits, quantity, level) for name, quantity in quantities.items()]


def overall_by_answer(sample: SampleByAnswer, level: float = 0.95) -> Estimate:
    """Estimate the share of right answers among all cases."""
    p = sample.n_all / sample.n_all.sum()
    return _estimate(sample, "accuracy", sample.truth == sample.answered, lambda share: float(p @ share), level)


def _estimate(sample: SampleByAnswer, name: str, hits: NDArray[np.bool_], quantity: _Share, level: float) -> Estimate:
    """Put the shares of all answers together, and their Wilson limits one at a time.

    A limit lies as far from the value as the squares of the ways add up that it goes when one share after the other moves
    to its own limit (Zou & Donner 2008), whichever direction that is.
    """
    clustered = is_clustered(sample.patients)
    method = f"{_METHOD}, clustered by patient (Rao & Scott 1992)" if clustered else _METHOD
    n_patients = int(np.unique(sample.patients).size)
    blank = Estimate(
        name, None, None, None, hits.size, "image", method, level, n_clusters=n_patients if clustered else None
    )
    parts = [_of_answer(sample, answer, hits, level) for answer in range(sample.n_all.size)]
    if any(part.value is None for part in parts):
        return replace(blank, note="Of one answer nothing was verified: its errors are not known.")
    shares = np.array([part.value for part in parts], np.float64)
    value = quantity(shares)
    drawn = ", ".join(f"{part.n:,} of {of:,}" for part, of in zip(parts, sample.n_all, strict=True))
    note = f"Verified by answer ({drawn}) and weighted back."
    if np.isnan(value):
        return replace(blank, note=f"No case is of this kind. {note}")
    if any(part.low is None for part in parts):
        return replace(blank, value=value, note=f"All cases of one answer are of one patient: no interval. {note}")
    limits = np.array([(part.low, part.high) for part in parts], np.float64)
    moved = [
        quantity(np.where(np.arange(shares.size) == place, limit, shares)) - value
        for place, of_answer in enumerate(limits)
        for limit in of_answer
    ]
    down, up = np.minimum(moved, 0), np.maximum(moved, 0)
    low, high = value - np.sqrt((down**2).sum()), value + np.sqrt((up**2).sum())
    least = -1.0 if "kappa" in name else 0.0
    return replace(blank, value=float(value), low=max(least, float(low)), high=min(1.0, float(high)), note=note)


def _of_answer(sample: SampleByAnswer, answer: int, hits: NDArray[np.bool_], level: float) -> Estimate:
    """Estimate the share of hits among the cases of one answer; 0 exactly where there is no such answer."""
    among = sample.answered == answer
    if sample.n_all[answer] == 0:
        return Estimate("share", 0.0, 0.0, 0.0, 0, "image", "none", level)
    return proportion("share", hits[among], sample.patients[among], level)
