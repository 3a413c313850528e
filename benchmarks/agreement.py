"""Agreement of four readers on 10,000 images, with 2,000 resamples: `python -m benchmarks.agreement`.

The peers have no bootstrap over patients; theirs is the loop that everybody writes: draw patients, take their rows, compute
anew. It is run for some resamples and multiplied up. Nothing is counted but processor time of one thread.
"""

import importlib.util
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from lucency.domain.readings import Readings, Scale
from lucency.evaluation.agreement.description import describe_agreement
from lucency.evaluation.agreement.fleiss import fleiss_kappa
from lucency.evaluation.agreement.gwet import gwet_ac
from lucency.evaluation.agreement.intraclass import intraclass_correlation
from lucency.evaluation.agreement.krippendorff import krippendorff_alpha

N_IMAGES, N_READERS, N_LEVELS, N_DRAWS = 10_000, 4, 5, 2_000


@dataclass(frozen=True)
class Job:
    """One coefficient, ours and the peer's."""

    name: str
    ours: Callable[[], object]
    peer: str = ""
    theirs: Callable[[NDArray[np.int64]], float] | None = None
    """Takes the rows of one resample."""
    n_timed: int = 20


def made_up(scale: Scale, n_each: int = 1, missing: float = 0.0) -> Readings:
    """Make readings around a truth; several images a patient if asked for."""
    random = np.random.default_rng(1)
    truth = random.integers(0, N_LEVELS, N_IMAGES)[:, None]
    values = np.clip(truth + random.integers(-1, 2, (N_IMAGES, N_READERS)), 0, N_LEVELS - 1).astype(np.float64)
    if scale in (Scale.INTERVAL, Scale.RATIO):
        values = truth + 10 + random.normal(0, 1, values.shape)
    values[random.random(values.shape) < missing] = np.nan
    ids = tuple(map(str, range(N_IMAGES)))
    patients = tuple(str(place // n_each) for place in range(N_IMAGES))
    levels = tuple("abcde") if scale in (Scale.NOMINAL, Scale.ORDINAL) else ()
    return Readings("label", ids, patients, tuple("ABCD"), scale, values, levels)


def jobs() -> list[Job]:
    """List what is timed, with the peers that are installed."""
    nominal, gaps = made_up(Scale.NOMINAL), made_up(Scale.ORDINAL, missing=0.2)
    found = [
        Job(
            "Fleiss' kappa",
            lambda: fleiss_kappa(nominal),
            "statsmodels",
            lambda rows: _statsmodels(nominal.values[rows]),
        )
    ]
    if importlib.util.find_spec("krippendorff"):
        found.append(Job("alpha, ordinal, gaps", lambda: krippendorff_alpha(gaps), "krippendorff", _alpha_of(gaps)))
    else:
        found.append(Job("alpha, ordinal, gaps", lambda: krippendorff_alpha(gaps)))
    if importlib.util.find_spec("irrCAC"):
        found.append(Job("AC1, gaps", lambda: gwet_ac(gaps), "irrCAC", _ac1_of(gaps), 5))
    else:
        found.append(Job("AC1, gaps", lambda: gwet_ac(gaps)))
    clustered, numbers = made_up(Scale.ORDINAL, 2, 0.2), made_up(Scale.RATIO, 2)
    return [
        *found,
        Job("alpha, ordinal, two images a patient", lambda: krippendorff_alpha(clustered)),
        Job("ICC(2,1), two images a patient", lambda: intraclass_correlation(numbers)),
        Job("alpha, ratio, 40,000 different values", lambda: krippendorff_alpha(numbers)),
        Job("everything, categories", lambda: describe_agreement(nominal)),
        Job("everything, grades, two images a patient", lambda: describe_agreement(clustered)),
        Job("everything, measurements, two images a patient", lambda: describe_agreement(numbers)),
    ]


def seconds(work: Callable[[], object]) -> float:
    """Return the processor time of one call."""
    start = time.process_time()
    work()
    return time.process_time() - start


def _statsmodels(values: NDArray[np.float64]) -> float:
    from statsmodels.stats.inter_rater import fleiss_kappa as theirs

    return theirs(np.stack([(values == level).sum(axis=1) for level in range(N_LEVELS)], axis=1))


def _alpha_of(readings: Readings) -> Callable[[NDArray[np.int64]], float]:
    import krippendorff

    return lambda rows: krippendorff.alpha(readings.values[rows].T, level_of_measurement="ordinal")


def _ac1_of(readings: Readings) -> Callable[[NDArray[np.int64]], float]:
    import pandas as pd
    from irrCAC.raw import CAC

    table, categories = pd.DataFrame(readings.values), [float(level) for level in range(N_LEVELS)]
    return lambda rows: CAC(table.iloc[rows], categories=categories).gwet()["est"]["coefficient_value"]


def main() -> None:
    """Print the table."""
    print(f"\n### Agreement, {N_IMAGES:,} images × {N_READERS} readers, {N_DRAWS:,} resamples\n")
    print("| | lucency, s | the loop, s | | ours is faster by |\n|:--|--:|--:|:--|--:|")
    random = np.random.default_rng(2)
    for job in jobs():
        ours = min(seconds(job.ours) for _ in range(3))
        if job.theirs is None:
            print(f"| {job.name} | {ours:.2f} | | | |", flush=True)
            continue
        drawn = [random.integers(0, N_IMAGES, N_IMAGES) for _ in range(job.n_timed)]
        theirs = sum(seconds(partial(job.theirs, rows)) for rows in drawn) * N_DRAWS / job.n_timed
        print(f"| {job.name} | {ours:.2f} | {theirs:,.0f} | {job.peer} | {theirs / ours:,.0f} × |", flush=True)


if __name__ == "__main__":
    main()
