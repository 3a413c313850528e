"""Agreement in plain shares: how often readers say the same, on all images and on those with and without a finding."""

from dataclasses import replace

import numpy as np

from lucency.domain.estimate import Estimate
from lucency.domain.readings import Readings
from lucency.evaluation.agreement.fleiss import varying_note, vote_rows
from lucency.evaluation.agreement.resampling import Sums, estimate_from_sums
from lucency.evaluation.agreement.votes import (
    NO_LEVELS,
    NO_PAIR,
    name_pair,
    of_group,
    read_by_both,
    undefined,
    why_no_pair,
)
from lucency.evaluation.agreement.weighting import Weighting
from lucency.evaluation.confusion import f1_score
from lucency.evaluation.intervals import proportion


def agreement_of_all(readings: Readings, level: float = 0.95, seed: int = 0) -> Estimate:
    """Estimate how often two readings of an image agree, the mean over images with two or more."""
    name = "observed agreement"
    if not readings.is_categorical:
        return undefined(name, "all readers", 0, level, NO_LEVELS)
    rows, patients = vote_rows(readings, Weighting.NONE)
    paired = rows[:, 1] > 0
    sums = Sums(
        name,
        rows[paired, :2],
        patients[paired],
        lambda totals: totals[:, 0] / totals[:, 1],
        lambda totals: np.ones(len(totals)),
        note=varying_note(readings),
        if_undefined=why_no_pair(readings),
    )
    return estimate_from_sums(sums, level, seed)


def observed_agreement(readings: Readings, first: str, second: str, level: float = 0.95) -> Estimate:
    """Estimate the share of images on which two readers say the same."""
    pair, patients = read_by_both(readings, first, second)
    estimate = proportion("observed agreement", pair[:, 0] == pair[:, 1], patients, level)
    return of_group(_with_reason(estimate), name_pair(first, second))


def specific_agreement(readings: Readings, first: str, second: str, level: float = 0.95) -> tuple[Estimate, ...]:
    """Estimate, of the images to which one reader gives a level, how often the other agrees (Cicchetti & Feinstein 1990).

    2 a / (2 a + b + c), which is F1. Of two levels the second is the positive one.
    """
    pair, patients = read_by_both(readings, first, second)
    n_levels = len(readings.levels)
    names = [f"agreement on “{name}”" for name in readings.levels]
    if n_levels == 2:
        names = ["negative agreement", "positive agreement"]
    found = []
    for place, name in reversed(list(enumerate(names))):
        estimate = replace(f1_score(pair[:, 0] == place, pair[:, 1] == place, patients, level), name=name)
        if estimate.value is None:
            estimate = replace(estimate, note="Neither reader chose it." if len(pair) else NO_PAIR)
        found.append(of_group(estimate, name_pair(first, second)))
    return tuple(found)


def prevalence_index(readings: Readings, first: str, second: str, level: float = 0.95, seed: int = 0) -> Estimate:
    """Estimate the share of images that both call positive minus that which both call negative (Byrt 1993).

    Far from 0 Cohen's kappa is low, however often two readers agree.
    """
    pair, patients = read_by_both(readings, first, second)
    rows = np.column_stack([pair.sum(axis=1) - 1, np.ones(len(pair))])
    sums = Sums(
        "prevalence index",
        rows,
        patients,
        lambda totals: totals[:, 0] / totals[:, 1],
        group=name_pair(first, second),
        if_undefined=NO_PAIR,
    )
    return estimate_from_sums(sums, level, seed)


def _with_reason(estimate: Estimate) -> Estimate:
    return replace(estimate, note=NO_PAIR) if estimate.n == 0 else estimate
