"""Tasks whose networks name classes, or findings that are there or not: how they learn, answer and are judged."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lucency.domain.cohort import CohortRow
from lucency.domain.parts import Part
from lucency.domain.predictions import Predictions
from lucency.domain.questions import ABSENT, PRESENT, Question
from lucency.errors import StudyError
from lucency.study.cohort import (
    BY_RULE,
    CLASSES,
    COHORT,
    SPLIT,
    classes_of,
    files_of_labels,
    labels_by_image,
    questions_of,
    targets_of,
)
from lucency.study.folder import Opening, StudyFolder
from lucency.study.ground_truth.truth import FINDINGS
from lucency.study.medium import Medium, labelled_images
from lucency.study.plan import as_settings
from lucency.study.stage import Stage, Study
from lucency.study.tables import read_predictions, write_predictions
from lucency.study.training import Task, files_of_networks, load_member, members, train_stage

if TYPE_CHECKING:  # torch takes seconds to import; only stages that need it do
    from torch import Tensor

    from lucency.domain.estimate import Estimate
    from lucency.domain.ground_truth import RuleOutcome
    from lucency.evaluation.operating_point import OperatingPoint
    from lucency.training.course import Course
    from lucency.training.examples import Examples

ENSEMBLE = "ensemble"
TUNING_PREDICTIONS, OPERATING_POINT = "tuning_predictions.csv", "operating_point.json"
PREDICTIONS, METRICS = "predictions.csv", "metrics.json"
RESULTS_BY_RULE = "results_by_rule.json"


def naming_classes(medium: Medium) -> Task:
    """Return the task of naming the class, or the findings, of images or reports."""
    return Task(
        reads=lambda plan: [COHORT, *files_of_labels(plan), CLASSES, SPLIT, *medium.store],
        learnt=medium.learnt,
        settings=medium.settings,
        prepare=medium.prepare,
        parts=partial(_parts, medium),
        untrained=lambda study, seed: medium.untrained(study, seed, n_outputs(study)),
        fit=medium.fit,
        course=partial(_course, medium),
        show_samples=medium.show_samples,
        layers=lambda study: medium.layers(study, n_outputs(study)),
    )


def stages_of_classes(medium: Medium, task: Task) -> tuple[Stage, Stage, Stage]:
    """Return the stages train, predict and evaluate."""
    predict = Stage(
        "predict",
        "The threshold is chosen.",
        lambda study: as_settings(study.plan.evaluation.threshold),
        lambda plan: [*task.reads(plan), *files_of_networks(task, plan)],
        partial(_predict, medium, task),
    )
    evaluate = Stage(
        "evaluate",
        "The test set has been evaluated; it stays as it was.",
        lambda study: as_settings(study.plan.evaluation),
        lambda plan: [
            *task.reads(plan),
            *(BY_RULE, *files_of_networks(task, plan), TUNING_PREDICTIONS, OPERATING_POINT),
        ],
        partial(_evaluate, medium, task),
    )
    return train_stage(task), predict, evaluate


def _parts(medium: Medium, study: Study) -> "tuple[Examples, Examples]":
    training, tuning = (examples_of(medium, study, part) for part in (Part.TRAINING, Part.TUNING))
    for part, examples in ((Part.TRAINING, training), (Part.TUNING, tuning)):
        _require_all_classes(study, part, examples)
    return training, tuning


def _course(
    medium: Medium, study: Study, title: str, parts: "tuple[Examples, Examples]", seed: int, key: str
) -> "Course":
    """Put together what a network of this study learns from; of its parts, the second chooses the best epoch."""
    from lucency.training.class_course import class_course

    training, tuning = parts
    return class_course(
        title=title,
        settings=study.plan.training,
        training=training,
        tuning=tuning,
        n_classes=n_outputs(study),
        augment=medium.augment(study.plan, seed),
        score=tuning_auc,
        seed=seed,
        key=key,
    )


def n_outputs(study: Study) -> int:
    """Count the numbers that a network gives for one example: its classes, or its findings where there are several."""
    questions = questions_of(study)
    return len(questions) if questions[0].finding else len(questions[0].classes)


def _predict(medium: Medium, task: Task, study: Study, key: str) -> Iterable[str]:  # noqa: ARG001 - every stage is given its key
    """Let every member predict the tuning part, and freeze the operating points there."""
    from lucency.evaluation.operating_point import choose_operating_point

    predictions = _predict_part(medium, task, study, Part.TUNING)
    points = {p.finding: choose_operating_point(p, study.plan.evaluation.threshold) for p in _of_ensemble(predictions)}
    for finding, point in points.items():
        if point:
            of = f" of {finding}" if finding else ""
            study.desk.say(f"Threshold{of} {point.threshold:.3f} ({point.rule}), chosen on the tuning part and frozen.")
    return [
        write_predictions(study.folder, TUNING_PREDICTIONS, predictions),
        study.folder.write_json(OPERATING_POINT, _as_json(points)),
    ]


def _evaluate(medium: Medium, task: Task, study: Study, key: str) -> Iterable[str]:
    """Open the sealed test set, once, and measure."""
    folder = study.folder
    tuning = read_predictions(folder, TUNING_PREDICTIONS)
    weights = {file: folder.hash(file) for file in files_of_networks(task, study.plan)}
    opening = folder.open_test_set(key, operating_point=folder.hash(OPERATING_POINT), weights=weights)
    test = _predict_part(medium, task, study, Part.TEST, opening)
    estimates = [estimate for part in (test, tuning) for estimate in _estimates(study, _of_ensemble(part))]
    study.desk.say(_headline(estimates[0], opening))
    by_rule = _by_rule(study, _of_ensemble(test))
    table = [asdict(estimate) for estimate in estimates]
    return [
        write_predictions(folder, PREDICTIONS, [*tuning, *test]),
        folder.write_json(METRICS, table),
        folder.write_json(RESULTS_BY_RULE, [asdict(outcome) for outcome in by_rule]),
        folder.write_table("tables/metrics.csv", list(table[0]), [row.values() for row in table]),
    ]


def _estimates(study: Study, predictions: Sequence[Predictions]) -> Iterator["Estimate"]:
    """Measure one part: each finding by itself where there are several, after the means over all of them."""
    from lucency.evaluation.classification import evaluate_classification
    from lucency.evaluation.several_findings import evaluate_together

    settings, points = study.plan.evaluation, read_operating_points(study.folder)
    found = [] if len(predictions) == 1 else evaluate_together(predictions, points, settings, study.plan.seed)
    for one in predictions:
        estimates = evaluate_classification(one, points[one.finding], settings)
        found += [replace(e, group=one.finding or e.group) for e in estimates]
    # the statistics count images; here an image may be a report
    unit = study.plan.unit
    yield from (replace(e, unit=unit, note=e.note.replace("image", unit)) if e.unit == "image" else e for e in found)


def _by_rule(study: Study, test: Sequence[Predictions]) -> "Sequence[RuleOutcome]":
    """Judge the answers on the test part by the labels of each consensus rule, where several readers made them."""
    from lucency.evaluation.by_rule import results_by_rule

    labels: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for row in study.folder.read_table(BY_RULE):
        labels[row["rule"]][row["image_id"]] = row["target"]
    if not labels or len(test) != 1:
        return ()
    return results_by_rule(test[0], labels, read_operating_points(study.folder)[""], study.plan.evaluation)


def _predict_part(
    medium: Medium, task: Task, study: Study, part: Part, opening: Opening | None = None
) -> list[Predictions]:
    """Return the predictions of each member and, last, of the ensemble: the mean of their probabilities."""
    from lucency.training.cost import probabilities_of
    from lucency.training.device import fix_arithmetic, make_device
    from lucency.training.prediction import predict

    fix_arithmetic(study.plan.training)
    device = make_device(study.plan.training)
    images = labelled_images(study, part, opening)
    examples = examples_of(medium, study, part, opening)
    targets, questions = examples.targets.numpy(), questions_of(study)
    answers = {}
    for member in members(study.plan):
        network = device.setup(load_member(task, study, member))
        answers[member] = probabilities_of(predict(network, examples, device), examples.targets)
    answers[ENSEMBLE] = np.mean(list(answers.values()), axis=0)
    ids, patients = np.array([i.image_id for i in images]), np.array([i.patient_id for i in images])
    found = []
    for member, said in answers.items():
        for number, question in enumerate(questions):
            known, truth, probabilities = _answers_to(question, number, targets, said)
            whose = tuple(ids[known].tolist()), tuple(patients[known].tolist())
            found.append(
                Predictions(part, member, question.classes, *whose, truth, probabilities, finding=question.finding)
            )
    return found


def _answers_to(
    question: Question, number: int, targets: NDArray, said: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Pick the images whose truth is known, that truth, and what a network said of it; axes (image) and (image, class)."""
    if not question.finding:
        return np.arange(len(targets)), targets, said
    known = np.flatnonzero(~np.isnan(targets[:, number]))
    there = said[known, number]
    return known, targets[known, number].astype(np.int64), np.stack([1 - there, there], axis=1)


def _of_ensemble(predictions: Sequence[Predictions]) -> list[Predictions]:
    return [answer for answer in predictions if answer.member == ENSEMBLE]


def read_operating_points(folder: StudyFolder) -> "dict[str, OperatingPoint | None]":
    """Return the frozen operating point of each finding, under "" where there is one question; None for several classes."""
    from lucency.evaluation.operating_point import OperatingPoint

    facts = folder.read_json(OPERATING_POINT)
    points = facts["findings"] if facts and "findings" in facts else {"": facts}
    return {finding: OperatingPoint(**point) if point else None for finding, point in points.items()}


def _as_json(points: "dict[str, OperatingPoint | None]") -> Any:
    """Write one operating point as it is, and those of several findings by their names."""
    written = {finding: asdict(point) if point else None for finding, point in points.items()}
    return written.get("", {"findings": written})


def examples_of(medium: Medium, study: Study, part: Part, opening: Opening | None = None) -> "Examples":
    """Return the examples and targets of one part as tensors, in the order of `labelled_images`.

    Only training learns from labels that are in doubt.
    """
    images = labelled_images(study, part, opening)
    soft = _soft_labels(study, images) if part == Part.TRAINING else None
    return medium.examples(study, images, _targets(study, images), soft)


def examples_from(medium: Medium, study: Study, images: Sequence[CohortRow]) -> "Examples":
    """Return labelled images or reports with their targets as tensors."""
    return medium.examples(study, images, _targets(study, images), None)


def _targets(study: Study, images: Sequence[CohortRow]) -> "Tensor":
    """Return the class of each image or report, or of each finding 1, 0 or not a number where it is not known."""
    import torch

    questions = questions_of(study)
    if questions[0].finding:
        told = {row["image_id"]: row for row in study.folder.read_table(FINDINGS)}
        value = {ABSENT: 0.0, PRESENT: 1.0, "": float("nan")}
        cells = ([told[image.image_id][question.finding] for question in questions] for image in images)
        return torch.tensor([[value[cell] for cell in row] for row in cells])
    target = targets_of(study.folder)
    return torch.tensor([questions[0].classes.index(target[image.image_id]) for image in images])


def _soft_labels(study: Study, images: Sequence[CohortRow]) -> "Tensor | None":
    """Return the probability of each class, axes (image, class); None where no label is in doubt."""
    import torch

    label_of, classes = labels_by_image(study.folder), classes_of(study)
    if not any(label_of[image.image_id].soft for image in images):
        return None
    sure = {name: [float(name == other) for other in classes] for name in classes}
    rows = [label_of[image.image_id] for image in images]
    return torch.tensor([[float(p) for p in row.soft.split()] if row.soft else sure[row.target] for row in rows])


def tuning_auc(targets: NDArray, probabilities: NDArray[np.float64]) -> float:
    """Return the AUC of the positive class, or the mean over all classes against the rest, or over all findings."""
    from lucency.evaluation.discrimination import auc

    if targets.ndim == 2:
        known = ~np.isnan(targets)
        return float(
            np.mean([auc(t[k] == 1, p[k]) for t, p, k in zip(targets.T, probabilities.T, known.T, strict=True)])
        )
    n_classes = probabilities.shape[1]
    positives = [1] if n_classes == 2 else range(n_classes)
    return float(np.mean([auc(targets == positive, probabilities[:, positive]) for positive in positives]))


def _require_all_classes(study: Study, part: Part, examples: "Examples") -> None:
    targets = examples.targets
    for number, question in enumerate(questions_of(study)):
        of_question = targets[:, number] if question.finding else targets
        missing = [name for value, name in enumerate(question.classes) if not (of_question == value).any()]
        if missing:
            of = f", of the finding “{question.finding}”" if question.finding else ""
            raise StudyError(
                f"The {part} part has no {study.plan.unit} of “{missing[0]}”{of}. Make the part larger (`split.{part}`), or "
                "choose another `seed`."
            )


def _headline(auc: "Estimate", opening: Opening) -> str:
    words = (
        f"Test set opened (evaluation no. {opening.n_openings}). " if opening.n_openings > 1 else "Test set opened. "
    )
    if auc.value is None or auc.low is None or auc.high is None:
        return f"{words}{auc.name} cannot be given: {auc.note}"
    return f"{words}{auc.name} {auc.value:.3f} ({auc.level:.0%} CI {auc.low:.3f}–{auc.high:.3f}; {auc.n} {auc.unit}s)."
