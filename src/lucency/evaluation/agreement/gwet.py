"""Agreement beyond chance that does not collapse where a finding is rare or common (Gwet 2008)."""

import numpy as np
from numpy.typing import NDArray

from lucency.domain.estimate import Estimate
from lucency.domain.readings import Readings
from lucency.evaluation.agreement.fleiss import beyond_chance, level_shares, varying_note, vote_rows
from lucency.evaluation.agreement.resampling import Sums, estimate_from_sums
from lucency.evaluation.agreement.votes import NO_LEVELS, undefined, why_no_pair
from lucency.evaluation.agreement.weighting import Weighting, agreement_weights, name_weighted


def gwet_ac(readings: Readings, weighting: Weighting = Weighting.NONE, level: float = 0.95, seed: int = 0) -> Estimate:
    """Estimate Gwet's AC1, or AC2 with weights; readings may be missing.

    Chance is Σ w / (q (q − 1)) × Σ π (1 − π) over the q levels of the scale, also those that nobody chose (Gwet 2008;
    Gwet 2014 for missing readings: as in `fleiss_kappa`).
    """
    name = "Gwet's AC1" if weighting is Weighting.NONE else name_weighted("Gwet's AC2", weighting)
    if not readings.is_categorical:
        return undefined(name, "all readers", 0, level, NO_LEVELS)
    n_levels = len(readings.levels)
    if n_levels == 1:
        return undefined(name, "all readers", 0, level, "The scale has one level only.")
    rows, patients = vote_rows(readings, weighting)
    weight = agreement_weights(n_levels, weighting).sum() / (n_levels * (n_levels - 1))

    def chance(totals: NDArray[np.float64]) -> NDArray[np.float64]:
        shares = level_shares(totals)
        return weight * (shares * (1 - shares)).sum(axis=1)

    sums = Sums(
        name,
        rows,
        patients,
        lambda totals: beyond_chance(totals, chance(totals)),
        lambda totals: 1 - chance(totals),
        note=varying_note(readings),
        if_undefined=why_no_pair(readings),
    )
    return estimate_from_sums(sums, level, seed)
