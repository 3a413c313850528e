"""Average precision: how pure the marks are while more and more lesions are hit.

Precision is first made to fall with recall, by taking the highest precision at this recall or any higher one. `coco` takes the
mean of it at 101 recalls from 0 to 1 (Lin et al., ECCV 2014), `voc` the area below all its steps (Everingham et al. 2010).
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from lucency.domain.estimate import Estimate
from lucency.evaluation.bootstrap import portions, resampled_weights
from lucency.evaluation.detection.froc import NO_LESIONS
from lucency.evaluation.detection.matching import Matched
from lucency.evaluation.intervals import wilson

Form = Literal["coco", "voc"]
OVERLAPS = tuple(round(0.5 + 0.05 * step, 2) for step in range(10))
"""Intersections over union over which COCO takes the mean."""
_RECALLS = np.linspace(0, 1, 101)


def average_precision(matched: Matched, form: Form) -> float:
    """Compute the average precision of one kind of lesions; NaN where none is there."""
    return float(_precisions(matched, form, np.ones((1, matched.n_images)))[0])


def average_precision_estimate(blank: Estimate, matches: Sequence[Matched], form: Form, seed: int = 0) -> Estimate:
    """Estimate the mean of the average precisions of several matchings of the same images: kinds of lesions, or overlaps.

    `blank` gives the name, the number of lesions and the level. Kinds without a lesion are left out. The interval is the
    percentile bootstrap over patients.
    """
    known = [matched for matched in matches if matched.n_lesions]
    if not known:
        return replace(blank, note=NO_LESIONS)
    value = float(np.mean([average_precision(matched, form) for matched in known]))
    has_lesion = np.any([matched.lesions_per_image > 0 for matched in known], axis=0)
    chunks = resampled_weights(has_lesion, known[0].patients, "bootstrap of average precision", seed)
    n_marks = max(matched.scores.size for matched in known)
    resampled = np.concatenate(
        [
            np.nanmean([_precisions(matched, form, few) for matched in known], axis=0)
            for weights in chunks
            for few in portions(weights, n_marks)
        ]
    )
    low, high = np.nanquantile(resampled, [(1 - blank.level) / 2, (1 + blank.level) / 2])
    if np.ptp(resampled) < 1e-12:
        n_patients = np.unique(known[0].patients[has_lesion]).size
        low, high = wilson(value * n_patients, n_patients, blank.level)
        blank = replace(blank, method="Wilson 1927, each patient with a lesion counted once")
    return replace(blank, value=value, low=min(float(low), value), high=max(float(high), value))


def _precisions(matched: Matched, form: Form, weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the average precision with images that count so often, axis (resample); NaN where no lesion is left."""
    of_mark = weights[:, matched.image_of_mark]
    hits = np.cumsum(of_mark * matched.is_hit, axis=1)
    n_lesions = weights @ matched.lesions_per_image
    with np.errstate(invalid="ignore", divide="ignore"):
        precision = np.nan_to_num(hits / np.cumsum(of_mark, axis=1))
        recall = hits / n_lesions[:, None]
    falling = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
    if form == "voc":
        steps = np.diff(recall, axis=1, prepend=0)
        return np.where(n_lesions > 0, (steps * falling).sum(axis=1), np.nan)
    followed = np.concatenate(
        [falling, np.zeros((len(weights), 1))], axis=1
    )  # beyond the highest recall nothing is right
    places = [np.searchsorted(row, _RECALLS) for row in recall]
    means = [row[place].mean() for row, place in zip(followed, places, strict=True)]
    return np.where(n_lesions > 0, means, np.nan)
