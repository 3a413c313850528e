"""Agreement of any number of readers beyond chance (Fleiss 1971)."""

import numpy as np
from numpy.typing import NDArray

from lucency.domain.estimate import Estimate
from lucency.domain.readings import Readings
from lucency.evaluation.agreement.resampling import Sums, estimate_from_sums
from lucency.evaluation.agreement.votes import NO_LEVELS, ONE_LEVEL, count_votes, undefined, why_no_pair
from lucency.evaluation.agreement.weighting import Weighting, agreement_weights
from lucency.evaluation.intervals import patient_codes


def fleiss_kappa(readings: Readings, level: float = 0.95, seed: int = 0) -> Estimate:
    """Estimate Fleiss' kappa; with as many readings of each image it is that of 1971.

    Where the number of readings varies, each image with two or more counts once in the observed agreement, and each
    image with at least one counts once in the levels' shares, as the mean over its readings (Gwet 2014).
    """
    name = "Fleiss' kappa"
    if not readings.is_categorical:
        return undefined(name, "all readers", 0, level, NO_LEVELS)
    rows, patients = vote_rows(readings, Weighting.NONE)
    sums = Sums(
        name,
        rows,
        patients,
        lambda totals: beyond_chance(totals, _chance(totals)),
        lambda totals: 1 - _chance(totals),
        note=varying_note(readings),
        if_undefined=why_no_pair(readings) or ONE_LEVEL,
    )
    return estimate_from_sums(sums, level, seed)


def vote_rows(readings: Readings, weighting: Weighting) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return what each image with a reading adds, axes (image, sum), and the codes of the patients.

    The sums: agreement of its pairs of readings, 1 if it has a pair, 1, and the share of each level.
    """
    votes = count_votes(readings)
    n_readings = votes.sum(axis=1)
    seen = n_readings > 0
    votes, n_readings = votes[seen], n_readings[seen]
    credit = (votes * (votes @ agreement_weights(votes.shape[1], weighting) - 1)).sum(axis=1)
    paired = n_readings > 1
    agreement = np.where(paired, credit / np.maximum(n_readings * (n_readings - 1), 1), 0)
    rows = np.column_stack([agreement, paired, np.ones(paired.size), votes / n_readings[:, None]])
    return rows, patient_codes(readings.patient_ids)[seen]


def level_shares(totals: NDArray[np.float64]) -> NDArray[np.float64]:
    """Compute the shares of the levels from the sums of `vote_rows`, axes (draw, level)."""
    return totals[:, 3:] / totals[:, 2:3]


def beyond_chance(totals: NDArray[np.float64], expected: NDArray[np.float64]) -> NDArray[np.float64]:
    """Compute (observed − expected) / (1 − expected) from the sums of `vote_rows`, axis (draw); NaN where it is 0 / 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        observed = totals[:, 0] / totals[:, 1]
        return np.where(expected < 1 - 1e-12, (observed - expected) / (1 - expected), np.nan)


def varying_note(readings: Readings) -> str:
    """Say how readings are counted where their number varies, else nothing."""
    n_readings = count_votes(readings).sum(axis=1)
    if np.unique(n_readings[n_readings > 0]).size < 2:
        return ""
    return f"Images have {n_readings[n_readings > 0].min():.0f} to {n_readings.max():.0f} readings; each counts once."


def _chance(totals: NDArray[np.float64]) -> NDArray[np.float64]:
    return (level_shares(totals) ** 2).sum(axis=1)
