"""How well networks do that learnt from fewer or more patients, from scratch or by transfer.

A mean over repeats, each with training patients and initial weights of its own. The interval draws the patients who judge and
the repeats with replacement, both ways together, so that it tells what another cohort and other repeats might have given
(percentile bootstrap, Efron and Tibshirani 1993).
"""

import numpy as np
from numpy.typing import NDArray

from lucency.domain.estimate import Estimate
from lucency.domain.predictions import Predictions
from lucency.domain.transfer_curve import Answers, CurvePoint
from lucency.evaluation.bootstrap import N_RESAMPLES, resampled_weights
from lucency.evaluation.intervals import patient_codes
from lucency.randomness import generator

METHOD = f"percentile bootstrap over patients and repeats, {N_RESAMPLES} resamples (Efron & Tibshirani 1993)"


def point_of_curve(
    scratch: Answers, transfer: Answers, n_images: tuple[int, ...], level: float, seed: int
) -> CurvePoint:
    """Estimate the AUC of both ways at one number of patients, and their difference.

    The AUC of several classes is the mean over each class against the rest.
    """
    first = scratch.repeats[0]
    one, other = (_aucs_of_repeats(answers, seed) for answers in (scratch, transfer))
    drawn = _drawn_repeats(len(scratch.repeats), seed)
    means = [np.nanmean(np.take_along_axis(aucs[1:], drawn, axis=1), axis=1) for aucs in (one, other)]

    def estimate(name: str, value: float, resampled: NDArray[np.float64], group: str) -> Estimate:
        low, high = np.nanquantile(resampled, [(1 - level) / 2, (1 + level) / 2])
        return Estimate(
            name=name,
            value=value,
            low=float(low),
            high=float(high),
            n=len(first),
            unit="image",
            method=METHOD,
            level=level,
            part=first.part,
            group=f"{group}, {scratch.n_patients} patients",
            n_clusters=len(set(first.patient_ids)),
        )

    name = "AUC" if len(first.classes) == 2 else "macro-average AUC"
    values = [float(aucs[0].mean()) for aucs in (one, other)]
    return CurvePoint(
        n_patients=scratch.n_patients,
        n_images=n_images,
        scratch=estimate(name, values[0], means[0], scratch.way),
        transfer=estimate(name, values[1], means[1], transfer.way),
        difference=estimate(f"difference in {name}", values[1] - values[0], means[1] - means[0], "transfer − scratch"),
        scratch_repeats=tuple(one[0].tolist()),
        transfer_repeats=tuple(other[0].tolist()),
    )


def _aucs_of_repeats(answers: Answers, seed: int) -> NDArray[np.float64]:
    """Return the AUC of each repeat, axes (resample, repeat); the first row counts every image once."""
    first = answers.repeats[0]
    codes = patient_codes(first.patient_ids)
    once = [np.ones((1, len(first)), np.int32)]
    # the same draws of patients for both ways, so that their difference is a paired one
    draws = [*once, *resampled_weights(first.targets > 0, codes, f"transfer curve, {answers.n_patients}", seed)]
    return np.stack(
        [np.concatenate([_auc(weights, repeat) for weights in draws]) for repeat in answers.repeats], axis=1
    )


def _drawn_repeats(n_repeats: int, seed: int) -> NDArray[np.int64]:
    """Draw repeats with replacement, axes (resample, drawn repeat)."""
    return generator(seed, "transfer curve, repeats").integers(0, n_repeats, (N_RESAMPLES, n_repeats))


def _auc(weights: NDArray[np.int32], answers: Predictions) -> NDArray[np.float64]:
    """Return the AUC of each resample, axes (resample, image) in; not a number where a class is absent from it."""
    classes = [1] if len(answers.classes) == 2 else range(len(answers.classes))
    return np.mean([_weighted_auc(weights, answers.targets == k, answers.probabilities[:, k]) for k in classes], axis=0)


def _weighted_auc(
    weights: NDArray[np.int32], positive: NDArray[np.bool_], scores: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Count pairs of which the positive image scores higher, ties one half; each image as often as it was drawn."""
    order = np.argsort(scores, kind="stable")
    starts = np.flatnonzero(np.r_[True, np.diff(scores[order]) > 0])
    drawn, positive = weights[:, order].astype(np.float64), positive[order]
    with_finding, without = (np.add.reduceat(drawn * some, starts, axis=1) for some in (positive, ~positive))
    below = np.cumsum(without, axis=1) - without / 2
    with np.errstate(invalid="ignore"):
        return (with_finding * below).sum(1) / (with_finding.sum(1) * without.sum(1))
