"""Did the generator learn images by heart? Each synthetic image beside its nearest training image.

Two questions, because each has a blind spot. (1) Are synthetic images nearer to a training image than unseen real ones are
(Meehan, Chaudhuri and Dasgupta, AISTATS 2020)? Images that are merely smooth are near to everything, and answer yes as well.
(2) Is the nearest real image more often one that was learnt from than one that was not, image for image (after Platzer and
Reutterer, Frontiers in Big Data 2021)? Without copying both are equally likely, however smooth an image is. But few copies among
many images move that ratio little, so that the nearest ones are counted and shown, too.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from lucency.domain.estimate import Estimate
from lucency.evaluation.discrimination import auc_estimate
from lucency.evaluation.intervals import few_note, proportion, t_quantile
from lucency.evaluation.synthesis.pictures import Pictures, nearest

NEARER, RATIO, SUSPECTS = "nearer than unseen images", "ratio of nearest images", "suspected copies"


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
    made: Pictures, learnt: Pictures, unseen: Pictures, suspect_share: float, level: float = 0.95
) -> Memorisation:
    """Compare synthetic images with those that were learnt from, and both with real images that were not."""
    found, where = nearest(made.numbers, learnt.numbers)
    to_unseen, in_unseen = nearest(made.numbers, unseen.numbers)
    of_unseen, _ = nearest(unseen.numbers, learnt.numbers)
    limit = float(np.quantile(of_unseen, suspect_share))
    suspects = proportion(SUSPECTS, found < limit, level=level)
    note = f"{suspect_share:.3g} of the unseen real images lie as near, by the choice of the limit."
    return Memorisation(
        estimates=(
            _nearer(found, of_unseen, unseen.patients, level),
            _ratio(found <= to_unseen, (_Side(learnt, where), _Side(unseen, in_unseen)), level),
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
    nearer, ratio, suspects = estimates
    if n_identical:
        return f"The generator copies: {n_identical} synthetic images equal an image that it learnt from. Do not pass them on."
    if ratio.low is not None and ratio.low > 1:
        return (
            "The generator remembers what it learnt from: the image nearest to a synthetic one is a training image more often "
            "than chance allows. Do not pass the images on."
        )
    words = "No sign of copying: training images are the nearest ones no more often than unseen images are."
    if nearer.low is not None and nearer.low > 0.5:
        words += (
            " All the same they lie nearer to training images than unseen real images do, as too smooth images will."
        )
    if suspects.low is not None and suspects.denominator and suspects.numerator:
        words += (
            f" {suspects.numerator} of {suspects.denominator} lie so near to a training image that they deserve a look."
        )
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


def _ratio(is_learnt: NDArray[np.bool_], sides: "tuple[_Side, _Side]", level: float) -> Estimate:
    """Estimate how many times as often a training image is the nearest real image as an unseen one is.

    Patients of the two parts were dealt at random, so that without copying each image is the nearest equally often, however many
    there are of either. The interval is that of a ratio of two rates clustered by patient, on the logarithmic scale.
    """
    rates = [side.rate(is_this) for side, is_this in zip(sides, (is_learnt, ~is_learnt), strict=True)]
    (learnt, of_learnt), (unseen, of_unseen) = rates
    fewest = min(side.pictures.n_patients for side in sides)
    reach = t_quantile(level, fewest - 1) * np.sqrt(of_learnt / learnt**2 + of_unseen / unseen**2)
    centre = np.log(learnt / unseen)
    return Estimate(
        name=RATIO,
        value=float(np.exp(centre)),
        low=float(np.exp(centre - reach)),
        high=float(np.exp(centre + reach)),
        n=len(is_learnt),
        unit="image",
        method="ratio of rates, clustered by patient, after Platzer and Reutterer 2021; logarithmic scale, t quantile",
        level=level,
        note=f"1 without copying. {few_note(fewest)}".strip(),
    )


@dataclass(frozen=True)
class _Side:
    """Real images of one side, learnt from or not, and which of them is the nearest to each synthetic image."""

    pictures: Pictures
    where: NDArray[np.int64]

    def rate(self, is_this: NDArray[np.bool_]) -> tuple[float, float]:
        """Return how often an image of this side is the nearest real one, and the variance of that."""
        codes = np.unique(self.pictures.patients, return_inverse=True)[1]
        n_images = np.bincount(codes)
        n_nearest = np.bincount(codes[self.where[is_this]], minlength=len(n_images))
        # half a count keeps the ratio finite where no unseen image is ever the nearest
        rate = (n_nearest.sum() + 0.5) / n_images.sum()
        correction = len(n_images) / max(len(n_images) - 1, 1)
        return rate, correction * ((n_nearest - rate * n_images) ** 2).sum() / n_images.sum() ** 2
