"""Whether synthetic images are as varied as real ones, and whether they can be told apart one by one.

A generator that has collapsed makes few kinds of images again and again, each of them perhaps a good one. Then unseen real images
have no synthetic neighbour (coverage; Naeem et al., ICML 2020), and pairs of synthetic images are too alike.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from lucency.domain.estimate import Estimate
from lucency.evaluation.intervals import proportion
from lucency.evaluation.synthesis.pictures import Pictures, distances, nearest, nearest_of_others
from lucency.randomness import generator

COVERAGE, COVERAGE_OF_REAL, TOO_ALIKE, TOLD_APART = (
    "coverage",
    "coverage by training images",
    "pairs too alike",
    "told apart by the nearest neighbour",
)
N_NEIGHBOURS = 5
"""As in the paper: chance alone then covers about 97 of 100 images of the same source."""


def coverage(made: Pictures, unseen: Pictures, name: str = COVERAGE, level: float = 0.95, seed: int = 0) -> Estimate:
    """Estimate the share of unseen real images that have a synthetic one among them.

    That is nearer than the fifth nearest real image of another patient. As many synthetic images are taken as real ones.
    """
    made = _as_many(made, len(unseen), seed)
    reach = np.empty(len(unseen))
    for rows, apart in distances(unseen.numbers, unseen.numbers):
        apart[unseen.patients[rows, None] == unseen.patients] = np.inf
        reach[rows] = np.partition(apart, N_NEIGHBOURS - 1, axis=1)[:, N_NEIGHBOURS - 1]
    found, _ = nearest(unseen.numbers, made.numbers)
    estimate = proportion(name, found < reach, unseen.patients, level)
    return replace(estimate, method=f"coverage (Naeem 2020), {estimate.method}")


def too_alike(made: Pictures, learnt: Pictures, share: float, level: float = 0.95, seed: int = 0) -> Estimate:
    """Estimate the share of synthetic images that have a twin.

    Two are twins that are as near as `share` of as many real training images are to another patient's image.
    """
    n = min(len(made), len(learnt))
    made, learnt = _as_many(made, n, seed), _as_many(learnt, n, seed)
    limit = float(np.quantile(nearest_of_others(learnt)[0], share))
    estimate = proportion(TOO_ALIKE, nearest_of_others(made)[0] < limit, level=level)
    note = f"{share:.3g} of as many real training images have another one as near, by the choice of the limit."
    return replace(estimate, note=note)


def told_apart(made: Pictures, unseen: Pictures, level: float = 0.95, seed: int = 0) -> Estimate:
    """Estimate how often the nearest other image tells whether an image is real (two-sample test; Lopez-Paz and Oquab 2017).

    Half is chance: nobody could tell. As many synthetic images are taken as there are real ones.
    """
    made = _as_many(made, len(unseen), seed)
    unseen = _as_many(unseen, len(made), seed)
    is_made = np.repeat([True, False], [len(made), len(unseen)])
    patients = np.concatenate([unseen.patients.max() + 1 + np.arange(len(made)), unseen.patients])
    both = Pictures(np.concatenate([made.numbers, unseen.numbers]), patients)
    _, where = nearest_of_others(both)
    estimate = proportion(TOLD_APART, is_made == is_made[where], patients, level)
    return replace(
        estimate,
        method=f"nearest neighbour of another patient (Lopez-Paz and Oquab 2017), {estimate.method}",
        note=f"0.5 is chance. Neighbours are shared, so that the interval is rough. {estimate.note}".strip(),
    )


def verdict_on_variety(covered: Estimate, by_real: Estimate, alike: Estimate, share: float) -> str:
    """Say in plain words whether the generator has collapsed."""
    if covered.high is not None and by_real.low is not None and covered.high < 0.5 * by_real.low:
        return (
            "The generator has collapsed in part: less than half of the unseen images that training images stand for have a "
            "synthetic neighbour."
        )
    words = "The synthetic images stand for most kinds of real ones."
    if covered.high is not None and by_real.low is not None and covered.high < by_real.low:
        words = "Some kinds of real images have no synthetic neighbour."
    if alike.low is not None and alike.low > share:
        words += " Pairs that look alike are more frequent than among real images."
    return words


def _as_many(pictures: Pictures, n: int, seed: int) -> Pictures:
    """Draw some images at random, in their own order; all where there are not so many."""
    drawn: NDArray[np.int64] = generator(seed, "images to compare").permutation(len(pictures))[:n]
    return pictures.some(np.sort(drawn))
