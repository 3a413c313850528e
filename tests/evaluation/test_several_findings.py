"""Means over several findings, against the measures of each and against a plain bootstrap."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from lucency.domain.plan import Evaluation
from lucency.domain.predictions import Predictions
from lucency.evaluation.operating_point import OperatingPoint
from lucency.evaluation.several_findings import evaluate_together

DRAW = np.random.default_rng(7)
N = 120
PATIENTS = [f"P{n // 2:03d}" for n in range(N)]


def finding(name: str, strength: float, n: int = N) -> Predictions:
    targets = DRAW.integers(0, 2, n)
    scores = np.round(1 / (1 + np.exp(-(DRAW.normal(size=n) + strength * (targets - 0.5)))), 2)
    ids = tuple(f"{name}{i}" if n < N else f"R{i}" for i in range(n))
    return Predictions(
        "test",
        "ensemble",
        ("negative", "positive"),
        ids,
        tuple(PATIENTS[:n]),
        targets,
        np.stack([1 - scores, scores], 1),
        name,
    )


def point(threshold: float) -> OperatingPoint:
    return OperatingPoint(threshold, "fixed", "tuning", None, None)


FINDINGS = [finding("A", 3.0), finding("B", 1.0), finding("C", 2.0, n=80)]
POINTS = {"A": point(0.5), "B": point(0.4), "C": point(0.6)}


def test_the_means_are_those_of_the_findings() -> None:
    """Each finding weighs the same, however often it is known."""
    auc, sensitivity, specificity = evaluate_together(FINDINGS, POINTS, Evaluation(), 1)
    assert auc.value == pytest.approx(np.mean([roc_auc_score(f.targets, f.probabilities[:, 1]) for f in FINDINGS]))
    called = {f.finding: f.probabilities[:, 1] >= POINTS[f.finding].threshold for f in FINDINGS}
    assert sensitivity.value == pytest.approx(np.mean([called[f.finding][f.targets == 1].mean() for f in FINDINGS]))
    assert specificity.value == pytest.approx(np.mean([(~called[f.finding])[f.targets == 0].mean() for f in FINDINGS]))
    assert auc.n == N + 80  # the third finding speaks of other reports here
    assert auc.n_clusters == len(set(PATIENTS))


def test_the_interval_is_that_of_a_bootstrap_over_patients() -> None:
    """Written out with scikit-learn, patient by patient, the bounds agree within the noise of two bootstraps."""
    auc, *_ = evaluate_together(FINDINGS, POINTS, Evaluation(), 1)
    rows = [{p: np.flatnonzero(np.array(f.patient_ids) == p) for p in set(PATIENTS)} for f in FINDINGS]
    names, draw, means = sorted(set(PATIENTS)), np.random.default_rng(3), []
    for _ in range(400):
        drawn = draw.choice(names, len(names))
        chosen = [np.concatenate([of[patient] for patient in drawn]) for of in rows]
        means.append(
            np.mean([roc_auc_score(f.targets[c], f.probabilities[c, 1]) for f, c in zip(FINDINGS, chosen, strict=True)])
        )
    assert (auc.low, auc.high) == pytest.approx(tuple(np.quantile(means, [0.025, 0.975])), abs=0.012)


def test_a_finding_that_is_never_there_is_left_out_and_named() -> None:
    """Its AUC is not defined; the mean of the others is."""
    never = finding("N", 0.0)
    never = Predictions(**{**vars(never), "targets": np.zeros(N, np.int64)})
    auc, *_ = evaluate_together([FINDINGS[0], never], POINTS | {"N": point(0.5)}, Evaluation(), 1)
    assert auc.value == pytest.approx(roc_auc_score(FINDINGS[0].targets, FINDINGS[0].probabilities[:, 1]))
    assert auc.note.startswith("Mean of 1 of 2 findings")
    nothing, *_ = evaluate_together([never], {"N": point(0.5)}, Evaluation(), 1)
    assert nothing.value is None
    assert nothing.low is None
