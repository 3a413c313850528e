"""What was called what: the confusion matrix and the proportions that are read off it."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from lucency.domain.estimate import Estimate
from lucency.evaluation.intervals import (
    Interval,
    effective_count,
    is_clustered,
    mean_of_proportions,
    normal_quantile,
    proportion,
    stratum_correlation,
)


def confusion_matrix(targets: NDArray[np.int64], called: NDArray[np.int64], n_classes: int) -> NDArray[np.int64]:
    """Count images, axes (true class, called class)."""
    return np.bincount(targets * n_classes + called, minlength=n_classes**2).reshape(n_classes, n_classes)


def finding_estimates(
    positive: NDArray[np.bool_], called: NDArray[np.bool_], patients: NDArray[np.int64], level: float = 0.95
) -> list[Estimate]:
    """Estimate how well one finding is called, axes (image): sensitivity, specificity, predictive values, errors, F1."""
    return [
        proportion("sensitivity", called[positive], patients[positive], level),
        proportion("specificity", ~called[~positive], patients[~positive], level),
        proportion("positive predictive value", positive[called], patients[called], level),
        proportion("negative predictive value", ~positive[~called], patients[~called], level),
        proportion("false-positive rate", called[~positive], patients[~positive], level),
        proportion("false-negative rate", ~called[positive], patients[positive], level),
        f1_score(positive, called, patients, level),
    ]


def agreement_estimates(
    targets: NDArray[np.int64], called: NDArray[np.int64], patients: NDArray[np.int64], level: float = 0.95
) -> list[Estimate]:
    """Estimate how often the call is right over all classes, axes (image), beside what guessing the commonest gives."""
    return [
        proportion("accuracy", targets == called, patients, level),
        no_information_rate(targets, patients, level),
        balanced_accuracy(targets, called, patients, level),
    ]


def no_information_rate(targets: NDArray[np.int64], patients: NDArray[np.int64], level: float = 0.95) -> Estimate:
    """Estimate the accuracy of always naming the commonest class: the accuracy that has to be beaten."""
    commonest = np.bincount(targets).argmax() if targets.size else 0
    return proportion("no-information rate", targets == commonest, patients, level)


def balanced_accuracy(
    targets: NDArray[np.int64], called: NDArray[np.int64], patients: NDArray[np.int64], level: float = 0.95
) -> Estimate:
    """Estimate the mean of the classes' sensitivities (for two classes: of sensitivity and specificity)."""
    name = "balanced accuracy"
    if targets.size == 0:
        return proportion(name, targets == called, patients, level)
    present, strata = np.unique(targets, return_inverse=True)
    estimate = mean_of_proportions(name, targets == called, strata, patients, level)
    if present.size > 1:
        return estimate
    return replace(estimate, value=None, low=None, high=None, note="All images are of one class.")


def f1_score(
    positive: NDArray[np.bool_], called: NDArray[np.bool_], patients: NDArray[np.int64], level: float = 0.95
) -> Estimate:
    """Estimate F1 = 2 TP / (2 TP + FP + FN), the harmonic mean of sensitivity and positive predictive value.

    F1 = 2 J / (1 + J) rises with the proportion J = TP / (TP + FP + FN), so the limits of J become those of F1.
    """
    relevant = positive | called
    share = proportion("F1 score", (positive & called)[relevant], patients[relevant], level)
    if share.value is None or share.numerator is None or share.denominator is None:
        return replace(share, note="No image has the finding or is called positive.")
    return replace(
        share,
        value=_f1(share.value),
        low=None if share.low is None else _f1(share.low),
        high=None if share.high is None else _f1(share.high),
        method=f"{share.method}, of TP / (TP + FP + FN)",
        numerator=2 * share.numerator,
        denominator=share.numerator + share.denominator,
    )


def predictive_values_at(
    prevalence: float,
    positive: NDArray[np.bool_],
    called: NDArray[np.bool_],
    patients: NDArray[np.int64],
    level: float = 0.95,
) -> list[Estimate]:
    """Estimate the predictive values where the finding has the given prevalence, by Bayes' rule.

    Logit intervals of Mercaldo, Lau and Zhou (2007); their adjusted counts (z²/2 more of each outcome) are taken when
    sensitivity or specificity is 0 or 1, and the limit is then drawn out to the value where it would miss it. Where a
    patient has several images, the counts are effective counts (Rao & Scott 1992) and sensitivity and specificity
    covary through shared patients.
    """
    clustered = is_clustered(patients)
    blank = Estimate(
        "positive predictive value at declared prevalence",
        None,
        None,
        None,
        int(positive.size),
        "image",
        "Mercaldo 2007, logit" + (", clustered by patient (Rao & Scott 1992)" if clustered else ""),
        level,
        n_clusters=int(np.unique(patients).size) if clustered else None,
        note=f"At a prevalence of {prevalence:g}.",
    )
    blanks = (blank, replace(blank, name="negative predictive value at declared prevalence"))
    if positive.all() or not positive.any():
        return [replace(blank, note=f"{blank.note} It needs images with and without the finding.") for blank in blanks]
    sensitivity, specificity = called[positive].mean(), (~called[~positive]).mean()
    values = (
        _share(sensitivity * prevalence, (1 - specificity) * (1 - prevalence)),
        _share(specificity * (1 - prevalence), (1 - sensitivity) * prevalence),
    )
    limits = _mercaldo_limits(prevalence, positive, called, patients, level)
    return [_with_limits(*each) for each in zip(blanks, values, limits, strict=True)]


def _mercaldo_limits(
    prevalence: float,
    positive: NDArray[np.bool_],
    called: NDArray[np.bool_],
    patients: NDArray[np.int64],
    level: float,
) -> tuple[Interval | None, Interval | None]:
    """Return the limits of both predictive values; None where a class has several images, but of one patient only."""
    with_finding = effective_count(called[positive], patients[positive], level)
    without = effective_count(~called[~positive], patients[~positive], level)
    if min(with_finding.n, without.n) == 0:
        return None, None
    z = normal_quantile(level)
    s, c = called[positive].mean(), (~called[~positive]).mean()
    more = z**2 / 2 if {s, c} & {0.0, 1.0} else 0.0
    n1, n0 = with_finding.n + 2 * more, without.n + 2 * more
    s, c = (s * with_finding.n + more) / n1, (c * without.n + more) / n0
    # standard errors of log s, log (1 − s), log c and log (1 − c) by the delta method
    log_s, log_not_s = np.sqrt((1 - s) / (s * n1)), np.sqrt(s / ((1 - s) * n1))
    log_c, log_not_c = np.sqrt((1 - c) / (c * n0)), np.sqrt(c / ((1 - c) * n0))
    correlation = stratum_correlation(called == positive, positive.astype(np.int64), patients)[0, 1]
    ppv_error = np.sqrt(log_s**2 + log_not_c**2 + 2 * correlation * log_s * log_not_c)
    npv_error = np.sqrt(log_c**2 + log_not_s**2 + 2 * correlation * log_c * log_not_s)
    ppv, npv = logit(prevalence) + np.log(s / (1 - c)), logit(1 - prevalence) + np.log(c / (1 - s))
    return (
        Interval(float(expit(ppv - z * ppv_error)), float(expit(ppv + z * ppv_error))),
        Interval(float(expit(npv - z * npv_error)), float(expit(npv + z * npv_error))),
    )


def _with_limits(blank: Estimate, value: float | None, limits: Interval | None) -> Estimate:
    if value is None:
        return replace(blank, note=f"{blank.note} No image was called so.")
    if limits is None:
        note = f"{blank.note} A class has images of one patient only: no interval can be given."
        return replace(blank, value=value, note=note)
    return replace(blank, value=value, low=min(limits.low, value), high=max(limits.high, value))


def _share(part: float, rest: float) -> float | None:
    return float(part / (part + rest)) if part + rest > 0 else None


def _f1(jaccard: float) -> float:
    return 2 * jaccard / (1 + jaccard)
