"""Did the generator learn images by heart? Each synthetic image beside its nearest training image.

Two questions, because each has a blind spot. (1) Are synthetic images nearer to a training image than unseen real ones are
(Meehan, Chaudhuri and Dasgupta, AISTATS 2020)? Images that are merely smooth are near to everything, and answer yes as well.
(2) Are they nearer to images that were learnt from than to as many real images that were not (the share of Platzer and Reutterer,
Frontiers in Big Data 2021)? Without copying both are equally likely to be the nearest, however smooth an image is: a half. But few
copies among many images move that share little, so that the nearest ones are counted and shown, too.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from lucency.domain.estimate import Estimate
from lucency.evaluation.discrimination import auc_estimate
from lucency.evaluation.intervals import few_note, proportion
from lucency.evaluation.synthesis.pictures import Pictures, distances, nearest
from lucency.randomness import generator

NEARER, LEARNT_SHARE, SUSPECTS = (
    "nearer to a training image than unseen images",
    "share nearest to a training image",
    "suspected copies",
)
_N_RESAMPLES = 400


@dataclass(frozen=True)
class Memorisation:
    """What was found, and where the nearest training images are."""

    estimates: tuple[Estimate, ...]
    """(1), (2), and the share of images that are suspected to be copies."""
    distance: NDArray[np.float64]
    """From each synthetic image to its nearest training image, as a share of the grey scale."""
    nearest: NDArray[np.int64]
    """Which training image that is."""
    unseen_distance: NDArray[np.float64]
    """From each unseen real image to its nearest training image."""
    suspect_below: float
    """The distance below which a synthetic image is suspected."""
    n_identical: int
    """Synthetic images that equal a training image in every pixel of the thumbnail, to one grey level of 256."""


def find_memorisation(
    made: Pictures, learnt: Pictures, unseen: Pictures, suspect_share: float, level: float = 0.95, seed: int = 0
) -> Memorisation:
    """Compare synthetic images with those that were learnt from, and both with real images that were not."""
    found, where = nearest(made.numbers, learnt.numbers)
    of_unseen, _ = nearest(unseen.numbers, learnt.numbers)
    limit = float(np.quantile(of_unseen, suspect_share))
    suspects = proportion(SUSPECTS, found < limit, level=level)
    note = f"{suspect_share:.3g} of the unseen real images lie as near, by the choice of the limit."
    return Memorisation(
        estimates=(
            _nearer(found, of_unseen, unseen.patients, level),
            _learnt_share(made, learnt, unseen, level, seed),
            replace(suspects, note=note),
        ),
        distance=found,
        nearest=where,
        unseen_distance=of_unseen,
        suspect_below=limit,
        n_identical=int((found < 0.5 / 255).sum()),
    )


def verdict_on_memorisation(estimates: tuple[Estimate, ...], n_identical: int) -> str:
    """Say in plain words what was found."""
    nearer, share, suspects = estimates
    if n_identical:
        return f"The generator copies: {n_identical} synthetic images equal an image that it learnt from. Do not pass them on."
    if share.low is not None and share.low > 0.5:
        return (
            "The generator remembers what it learnt from: its images lie nearer to training images than to as many unseen ones. "
            "Do not pass them on."
        )
    words = "No sign of copying: training images are the nearest ones no more often than unseen images are."
    if nearer.low is not None and nearer.low > 0.5:
        words += " All the same, the images lie nearer to real ones than real ones to each other, as images do that are too smooth."
    if suspects.low is not None and suspects.denominator and suspects.numerator:
        words += f" {suspects.numerator} of {suspects.denominator} lie so near to a training image that they deserve a look."
    return words + " This does not prove that they hold nothing of a patient."


def _nearer(
    found: NDArray[np.float64], of_unseen: NDArray[np.float64], patients: NDArray[np.int64], level: float
) -> Estimate:
    """Estimate the chance that a synthetic image lies nearer to its nearest training image than an unseen one does."""
    is_made = np.repeat([True, False], [len(found), len(of_unseen)])
    codes = np.concatenate([patients.max() + 1 + np.arange(len(found)), patients])
    estimate = auc_estimate(is_made, -np.concatenate([found, of_unseen]), codes, level)
    return replace(
        estimate,
        name=NEARER,
        method=f"Mann–Whitney statistic (Meehan 2020), {estimate.method}",
        note=f"0.5 is what unseen images themselves have. {estimate.note}".strip(),
    )


def _learnt_share(made: Pictures, learnt: Pictures, unseen: Pictures, level: float, seed: int) -> Estimate:
    """Estimate the share of synthetic images whose nearest real image is one that was learnt from.

    As many patients are drawn from the training part, in each resample anew, as there are unseen ones.
    """
    to_learnt = np.concatenate([apart for _, apart in distances(made.numbers, learnt.numbers)])
    to_unseen = np.concatenate([apart for _, apart in distances(made.numbers, unseen.numbers)])
    random, n_patients = generator(seed, "nearest real images"), min(learnt.n_patients, unseen.n_patients)
    of_learnt, of_unseen = _images_by_patient(learnt), _images_by_patient(unseen)
    values, resampled = [], []
    for _ in range(_N_RESAMPLES):
        some = [images[n] for images in (of_learnt, of_unseen) for n in random.permutation(len(images))[:n_patients]]
        wins = _wins(to_learnt, to_unseen, some[:n_patients], some[n_patients:])
        values.append(wins.mean())
        again = [images[n] for images in (of_learnt, of_unseen) for n in random.integers(0, len(images), n_patients)]
        wins = _wins(to_learnt, to_unseen, again[:n_patients], again[n_patients:])
        resampled.append(wins[random.integers(0, len(wins), len(wins))].mean())
    value = float(np.mean(values))
    low, high = np.quantile(resampled, [(1 - level) / 2, (1 + level) / 2]) + value - np.mean(resampled)
    return Estimate(
        name=LEARNT_SHARE,
        value=value,
        low=float(max(low, 0)),
        high=float(min(high, 1)),
        n=len(made),
        unit="image",
        method=f"share of Platzer and Reutterer 2021, bootstrap of {_N_RESAMPLES} resamples by patient, percentiles",
        level=level,
        note=f"0.5 without copying. {few_note(n_patients)}".strip(),
    )


def _images_by_patient(pictures: Pictures) -> list[NDArray[np.int64]]:
    order = np.argsort(pictures.patients, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(pictures.patients[order])) + 1)


def _wins(
    to_learnt: NDArray[np.float64],
    to_unseen: NDArray[np.float64],
    learnt: list[NDArray[np.int64]],
    unseen: list[NDArray[np.int64]],
) -> NDArray[np.float64]:
    """Tell which synthetic images are nearer to the chosen training images than to the chosen unseen ones; ties count half."""
    near, far = to_learnt[:, np.concatenate(learnt)].min(1), to_unseen[:, np.concatenate(unseen)].min(1)
    return np.where(near == far, 0.5, near < far)
