"""Agreement of two readers beyond chance (Cohen 1960), weighted for grades (Cohen 1968)."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from lucency.domain.estimate import Estimate
from lucency.domain.readings import Readings
from lucency.evaluation.agreement.resampling import Sums, estimate_from_sums
from lucency.evaluation.agreement.votes import NO_LEVELS, NO_PAIR, ONE_LEVEL, name_pair, read_by_both, undefined
from lucency.evaluation.agreement.weighting import Weighting, agreement_weights, name_weighted
from lucency.evaluation.intervals import is_clustered


def cohen_kappa(
    readings: Readings,
    first: str,
    second: str,
    weighting: Weighting = Weighting.NONE,
    level: float = 0.95,
    seed: int = 0,
) -> Estimate:
    """Estimate Cohen's kappa of two readers over the images that both read.

    BCa limits over patients. Kappa ± 1.96 standard errors, which other programs print, held the truth in as few as 87 % of
    simulated studies where a finding was rare or kappa high; the error is in the note, where images are of different
    patients.
    """
    name, group = name_weighted("Cohen's kappa", weighting), name_pair(first, second)
    if not readings.is_categorical:
        return undefined(name, group, 0, level, NO_LEVELS)
    pair, patients = read_by_both(readings, first, second)
    n_levels = len(readings.levels)
    rows = np.eye(n_levels**2)[(pair @ [n_levels, 1]).astype(np.int64)]
    weights = agreement_weights(n_levels, weighting)
    sums = Sums(
        name,
        rows,
        patients,
        lambda totals: kappa_of_tables(totals.reshape(-1, n_levels, n_levels), weights),
        lambda totals: 1 - chance_agreement(totals.reshape(-1, n_levels, n_levels), weights),
        group,
        if_undefined=ONE_LEVEL if len(pair) else NO_PAIR,
    )
    estimate = estimate_from_sums(sums, level, seed)
    error = kappa_error(rows.sum(axis=0).reshape(n_levels, n_levels), weights)
    if is_clustered(patients) or not error > 1e-9:
        return estimate
    note = f"Standard error {error:.4f} (Fleiss, Cohen & Everitt 1969)."
    return replace(estimate, note=f"{note} {estimate.note}".strip())


def kappa_of_tables(tables: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Compute kappa of tables of counts, axes (table, level of one, level of the other); NaN where chance agrees fully."""
    n = tables.sum(axis=(1, 2))
    with np.errstate(divide="ignore", invalid="ignore"):
        observed = (tables * weights).sum(axis=(1, 2)) / n
        expected = chance_agreement(tables, weights)
        return np.where(expected < 1 - 1e-12, (observed - expected) / (1 - expected), np.nan)


def chance_agreement(tables: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Compute the agreement of independent readers with the same margins, axis (table)."""
    n = tables.sum(axis=(1, 2))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.einsum("ti,ij,tj->t", tables.sum(axis=2), weights, tables.sum(axis=1)) / n**2


def kappa_error(table: NDArray[np.float64], weights: NDArray[np.float64]) -> float:
    """Compute the standard error of Fleiss, Cohen and Everitt (1969), not supposing kappa to be 0; NaN where there is none."""
    kappa, expected = kappa_of_tables(table[None], weights)[0], chance_agreement(table[None], weights)[0]
    if np.isnan(kappa):
        return np.nan
    n = table.sum()
    shares = table / n
    credit = (weights @ shares.sum(axis=0))[:, None] + (shares.sum(axis=1) @ weights)[None, :]
    deviations = weights - credit * (1 - kappa)
    variance = (shares * deviations**2).sum() - (kappa - expected * (1 - kappa)) ** 2
    return float(np.sqrt(max(variance, 0) / n) / (1 - expected))
