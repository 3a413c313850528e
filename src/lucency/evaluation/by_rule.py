"""How the results change when another rule makes the labels that a study is judged by."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from lucency.domain.ground_truth import RuleOutcome
from lucency.domain.plan import Evaluation
from lucency.domain.predictions import Predictions
from lucency.evaluation.classification import evaluate_classification
from lucency.evaluation.operating_point import OperatingPoint

N_TOLD = 3
"""AUC, and the two estimates that follow it."""
OF_TWO_CLASSES = ("AUC", "sensitivity", "specificity")


def results_by_rule(
    test: Predictions,
    labels_by_rule: Mapping[str, Mapping[str, str]],
    point: OperatingPoint | None,
    settings: Evaluation,
) -> tuple[RuleOutcome, ...]:
    """Judge the same predictions by the labels of each rule; the labels of the study come first.

    `labels_by_rule` gives, for each rule in words, the class of each image that has one. Images without are left out.
    """
    used = {image: test.classes[target] for image, target in zip(test.image_ids, test.targets, strict=True)}
    outcomes = [_outcome("as in this study", used, used, test, point, settings)]
    for rule, labels in labels_by_rule.items():
        outcomes.append(_outcome(rule, labels, used, test, point, settings))
    return tuple(outcomes)


def _outcome(
    rule: str,
    labels: Mapping[str, str],
    used: Mapping[str, str],
    test: Predictions,
    point: OperatingPoint | None,
    settings: Evaluation,
) -> RuleOutcome:
    rows = np.array([n for n, image in enumerate(test.image_ids) if labels.get(image) in test.classes], np.int64)
    judged = replace(
        test,
        image_ids=tuple(test.image_ids[n] for n in rows),
        patient_ids=tuple(test.patient_ids[n] for n in rows),
        targets=np.array([test.classes.index(labels[test.image_ids[n]]) for n in rows], np.int64),
        probabilities=test.probabilities[rows],
    )
    counts = Counter(test.classes[target] for target in judged.targets)
    estimates = evaluate_classification(judged, point, settings) if len(rows) else []
    told = [e for e in estimates if e.name in OF_TWO_CLASSES] if len(test.classes) == 2 else estimates[:N_TOLD]
    return RuleOutcome(
        rule=rule,
        is_used=labels is used,
        n_images=len(rows),
        n_changed=sum(labels[test.image_ids[n]] != used[test.image_ids[n]] for n in rows),
        counts=tuple((name, counts[name]) for name in test.classes),
        estimates=tuple(told),
    )
