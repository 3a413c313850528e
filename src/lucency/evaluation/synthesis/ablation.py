"""Do synthetic images help? Classifiers that learnt without and with them, judged on the same real images.

The AUC of an arm is the mean over its seeds. Two sources of chance are added up: the test patients, by DeLong's structural
components averaged over seeds and classes (DeLong 1988; Obuchowski 1997), and the training, by the spread of the difference from
seed to seed. The quantile is Student's, with Satterthwaite's degrees of freedom (1946).
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lucency.domain.estimate import Estimate
from lucency.evaluation.discrimination import auc_and_influence, spread_of
from lucency.evaluation.intervals import is_clustered, t_quantile

_METHOD = "test patients by DeLong 1988 and seeds by their spread, t quantile (Satterthwaite 1946)"


@dataclass(frozen=True)
class Arm:
    """What the classifiers of one arm made of the test images."""

    name: str
    auc: Estimate
    of_seeds: tuple[float, ...]
    """The AUC of each seed."""
    difference: Estimate | None
    """From the arm with real images only; None for that arm itself."""


def compare_arms(
    targets: NDArray[np.int64],
    answers: Mapping[str, NDArray[np.float64]],
    patients: NDArray[np.int64],
    level: float = 0.95,
) -> tuple[Arm, ...]:
    """Judge arms by the probabilities of their classifiers, axes (seed, image, class); the first arm is compared with."""
    judged = {name: _judge(targets, said) for name, said in answers.items()}
    first = next(iter(judged.values()))
    return tuple(
        Arm(
            name=name,
            auc=_estimate(f"AUC, {name}", arm, targets, patients, level),
            of_seeds=tuple(arm.of_seeds.tolist()),
            difference=None
            if arm is first
            else _estimate(
                f"AUC difference, {name} − {next(iter(judged))}", arm.minus(first), targets, patients, level
            ),
        )
        for name, arm in judged.items()
    )


def verdict_on_ablation(difference: Estimate) -> str:
    """Say in plain words whether synthetic images helped."""
    value, low, high = difference.value, difference.low, difference.high
    if value is None or low is None or high is None:
        return "Whether synthetic images help cannot be told here."
    if low > 0:
        return "Adding synthetic images helped the classifier on real test images."
    if high < 0:
        return "Adding synthetic images harmed the classifier on real test images."
    return (
        f"Adding synthetic images made no difference that these test images could show: the AUC may have risen by up to "
        f"{max(high, 0):.3f} or fallen by up to {max(-low, 0):.3f}."
    )


@dataclass(frozen=True)
class _Judged:
    """The AUC of each seed, and the influence of each image on their mean, axis (image)."""

    of_seeds: NDArray[np.float64]
    influence: NDArray[np.float64]

    def minus(self, other: "_Judged") -> "_Judged":
        """Return the differences, seed by seed and image by image."""
        return _Judged(self.of_seeds - other.of_seeds, self.influence - other.influence)


def _judge(targets: NDArray[np.int64], said: NDArray[np.float64]) -> _Judged:
    """Measure the AUC of the second of two classes, or the mean of each against the rest, axes of `said` (seed, image, class)."""
    n_classes = said.shape[2]
    positives = [1] if n_classes == 2 else [k for k in range(n_classes) if 0 < (targets == k).sum() < len(targets)]
    parts = [[auc_and_influence(targets == k, one[:, k]) for k in positives] for one in said]
    return _Judged(
        np.array([np.mean([value for value, _ in seed]) for seed in parts]),
        np.mean([influence for seed in parts for _, influence in seed], axis=0),
    )


def _estimate(
    name: str, judged: _Judged, targets: NDArray[np.int64], patients: NDArray[np.int64], level: float
) -> Estimate:
    """Add up the variance over patients and that over seeds."""
    n_seeds = len(judged.of_seeds)
    value, spread = float(judged.of_seeds.mean()), spread_of(judged.influence, targets, patients)
    by_patient = spread.variance or 0.0
    by_seed = float(judged.of_seeds.var(ddof=1)) / n_seeds if n_seeds > 1 else 0.0
    variance = by_patient + by_seed
    low = high = value
    if variance > 0:
        parts = [(by_patient, spread.degrees_of_freedom), (by_seed, n_seeds - 1)]
        freedom = variance**2 / sum(part**2 / max(df, 1) for part, df in parts if part > 0)
        reach = t_quantile(level, freedom) * np.sqrt(variance)
        low, high = value - float(reach), value + float(reach)
    return Estimate(
        name=name,
        value=value,
        low=low,
        high=high,
        n=len(targets),
        unit="image",
        method=_METHOD,
        level=level,
        n_clusters=int(np.unique(patients).size) if is_clustered(patients) else None,
        note="One seed: chance in the training is not in the interval."
        if n_seeds == 1
        else f"Mean of {n_seeds} seeds.",
    )
