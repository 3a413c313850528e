"""AFROC: lesions that are hit against images with any false alarm, and the area below (Chakraborty & Winter 1990).

The area is the probability that a lesion scores higher than the highest false positive of an image (Chakraborty 2004). A
lesion without a mark, and an image without a false positive, score lower than any mark; two of those are even. The weighted
area (wAFROC; Chakraborty & Zhai 2016) lets every image with lesions count the same, however many it has.
"""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from lucency.domain.estimate import Estimate
from lucency.evaluation.bootstrap import resampled_weights
from lucency.evaluation.detection.froc import METHOD
from lucency.evaluation.detection.matching import Matched
from lucency.evaluation.discrimination import newcombe

Alarms = Literal["lesion-free", "all"]
"""The images whose false positives count: those without a lesion (JAFROC), or all (AFROC1)."""


@dataclass(frozen=True)
class AfrocCurve:
    """The empirical curve, axis (threshold), with the straight line to (1, 1) that belongs to what was never marked."""

    false_alarm_rate: NDArray[np.float64]
    """Share of images without a lesion that have a false positive at or above the threshold."""
    sensitivity: NDArray[np.float64]
    """Share of lesions that are hit at or above the threshold."""


def afroc_area(matched: Matched, alarms: Alarms = "lesion-free", *, is_weighted: bool = False) -> float:
    """Compute the area below the AFROC curve: JAFROC's figure of merit, or with weights that of wAFROC.

    NaN where no image of the kind asked for, or no lesion, is there.
    """
    return float(_areas(matched, alarms, is_weighted, np.ones((1, matched.n_images)))[0])


def inferred_auc(matched: Matched) -> float:
    """Compute the AUC of the highest mark of each image, hit or not (inferred ROC); NaN without both kinds of images."""
    has_lesion, scores = matched.lesions_per_image > 0, matched.highest_scores(of_false_positives=False)
    if has_lesion.all() or not has_lesion.any():
        return float("nan")
    return float(_won(scores[has_lesion], scores[~has_lesion]).mean())


def afroc_estimate(
    matched: Matched, alarms: Alarms, level: float = 0.95, seed: int = 0, *, is_weighted: bool = False
) -> Estimate:
    """Estimate an area with its interval by bootstrap over patients, those with and without lesions drawn apart."""
    name = ("weighted AFROC" if is_weighted else "AFROC") + ("1" if alarms == "all" else "") + " area"
    has_lesion = matched.lesions_per_image > 0
    n_patients = int(np.unique(matched.patients).size)
    blank = Estimate(name, None, None, None, matched.n_images, "image", METHOD, level, n_clusters=n_patients)
    if not has_lesion.any():
        return replace(blank, note="There is no lesion in this part.")
    if alarms == "lesion-free" and has_lesion.all():
        return replace(blank, note="Every image has a lesion; false alarms of healthy images cannot be counted.")
    value = afroc_area(matched, alarms, is_weighted=is_weighted)
    chunks = resampled_weights(has_lesion, matched.patients, "bootstrap of the AFROC area", seed)
    resampled = np.concatenate([_areas(matched, alarms, is_weighted, weights.astype(float)) for weights in chunks])
    low, high = np.quantile(resampled, [(1 - level) / 2, (1 + level) / 2])
    if np.ptp(resampled) > 1e-12:
        return replace(blank, value=value, low=min(float(low), value), high=max(float(high), value))
    n_ill, n_others = (
        np.unique(matched.patients[chosen]).size for chosen in (has_lesion, ~has_lesion | (alarms == "all"))
    )
    low, high = newcombe(value, n_ill, n_others, level)
    method = "Newcombe 2006, method 5, each patient counted once"
    return replace(blank, value=value, low=low, high=high, method=method, note="All resamples agree.")


def afroc_curve(matched: Matched) -> AfrocCurve:
    """Trace the curve over all thresholds; NaN where there is no lesion, or no image without one."""
    lesions, alarms = matched.score_of_lesion, matched.highest_scores(of_false_positives=True)
    healthy = alarms[matched.lesions_per_image == 0]
    marked = np.concatenate([lesions, healthy])
    thresholds = np.concatenate([[np.inf], np.unique(marked[np.isfinite(marked)])[::-1], [-np.inf]])
    with np.errstate(invalid="ignore"):
        rate, sensitivity = (
            (values[None] >= thresholds[:, None]).sum(axis=1) / np.float64(values.size) for values in (healthy, lesions)
        )
    return AfrocCurve(rate, sensitivity)


def _areas(matched: Matched, alarms: Alarms, is_weighted: bool, weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the area with images that count so often, axis (resample); `weights` has axes (resample, image)."""
    per_image = matched.lesions_per_image
    counts = per_image == 0 if alarms == "lesion-free" else np.ones(matched.n_images, bool)
    won = _won(matched.score_of_lesion, matched.highest_scores(of_false_positives=True)[counts])
    of_lesion = weights[:, matched.image_of_lesion]
    if is_weighted:
        of_lesion = of_lesion / per_image[matched.image_of_lesion]
    of_alarm = weights[:, counts]
    with np.errstate(invalid="ignore"):
        total = ((of_lesion @ won) * of_alarm).sum(axis=1)
        return np.asarray(total / (of_lesion.sum(axis=1) * of_alarm.sum(axis=1)))


def _won(lesions: NDArray[np.float64], alarms: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return 1 where a lesion scores higher than an image's alarm, ½ where they are even, axes (lesion, image)."""
    return (lesions[:, None] > alarms) + 0.5 * (lesions[:, None] == alarms)
