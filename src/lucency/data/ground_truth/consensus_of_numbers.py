"""Make one number of what several readers measured."""

import numpy as np
from numpy.typing import NDArray

from lucency.data.ground_truth.consensus import FEW_READERS, NOT_READ, Fused
from lucency.data.ground_truth.numbers import as_target
from lucency.data.ground_truth.verdicts import Verdict
from lucency.domain.labels_plan import Consensus
from lucency.domain.readings import Readings
from lucency.errors import PlanError


def fuse_numbers(readings: Readings, settings: Consensus) -> Fused:
    """Take the mean, the median, or what one reader measured, of each image.

    Raises:
        PlanError: the rule names a reader who is none.
    """
    if settings.reader is not None and settings.reader not in readings.readers:
        raise PlanError(
            f"`data.labels.consensus` names the reader “{settings.reader}”, who is not in the tables. Readers: "
            f"{', '.join(readings.readers[:8])}."
        )
    counting = readings.values
    if settings.reader is not None:
        counting = counting[:, [readings.readers.index(settings.reader)]]
    middle = np.nanmedian if settings.rule == "median" else np.nanmean
    verdicts = []
    for all_said, said in zip(readings.values, counting, strict=True):
        n_read = int((~np.isnan(all_said)).sum())
        votes = _votes(readings.readers, all_said)
        if np.isnan(said).all():
            verdicts.append(Verdict(code=NOT_READ, votes=votes))
        elif n_read < settings.least_readers:
            verdicts.append(Verdict(code=FEW_READERS, votes=votes))
        else:
            verdicts.append(Verdict(as_target(float(middle(said))), votes=votes))
    return Fused(tuple(verdicts))


def _votes(readers: tuple[str, ...], said: NDArray[np.float64]) -> str:
    return "; ".join(f"{reader}={value:g}" for reader, value in zip(readers, said, strict=True) if not np.isnan(value))
