"""The heart of every study, whatever its networks look at: train, predict, evaluate."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lucency.domain.cohort import CohortRow
from lucency.domain.parts import Part
from lucency.domain.plan import Plan
from lucency.domain.predictions import Predictions
from lucency.domain.questions import ABSENT, PRESENT, Question
from lucency.errors import StudyError
from lucency.randomness import key as counted_key
from lucency.study.cohort import (
    BY_RULE,
    CLASSES,
    COHORT,
    SPLIT,
    classes_of,
    files_of_labels,
    labels_by_image,
    questions_of,
    split_rows_of,
    targets_of,
)
from lucency.study.folder import Opening, StudyFolder, refuse_sealed
from lucency.study.ground_truth import FINDINGS
from lucency.study.plan import as_settings, without_files
from lucency.study.stage import Stage, Study
from lucency.study.tables import read_predictions, write_predictions

if TYPE_CHECKING:  # torch takes seconds to import; only stages that need it do
    from torch import Tensor, nn

    from lucency.domain.estimate import Estimate
    from lucency.domain.ground_truth import RuleOutcome
    from lucency.evaluation.operating_point import OperatingPoint
    from lucency.network.layer_table import LayerRow
    from lucency.training.course import Course
    from lucency.training.examples import Augment, Examples

ENSEMBLE = "ensemble"
LAYERS = "tables/layers.json"
TUNING_PREDICTIONS, OPERATING_POINT = "tuning_predictions.csv", "operating_point.json"
PREDICTIONS, METRICS = "predictions.csv", "metrics.json"
RESULTS_BY_RULE = "results_by_rule.json"


@dataclass(frozen=True)
class Medium:
    """What the networks of a task look at, images or reports, and all that depends on it."""

    store: tuple[str, ...]
    """Files of the folder that hold the examples."""
    learnt: tuple[str, ...]
    """Files that were learnt from the training part and belong to the weights."""
    settings: Callable[[Study], dict[str, Any]]
    """What the networks of this medium depend on, beyond what all networks do."""
    prepare: Callable[[Study], Iterable[str]]
    """Learn from the training part what has to be known before it can be read; return the files written."""
    examples: Callable[[Study, Sequence[CohortRow], "Tensor", "Tensor | None"], "Examples"]
    """Put together images or reports, their targets, and the probabilities that teach in their place where there are any."""
    untrained: Callable[[Study, int], "nn.Module"]
    """Build the network of the plan with initial weights that depend on the seed alone."""
    fit: Callable[[Study, "nn.Module", "Examples"], None]
    """Give the network what is measured and not learnt."""
    augment: Callable[[Plan, int], "Augment | None"]
    show_samples: Callable[[Study, "Examples"], Iterable[str]]
    """Write what the report shows of the training part; return the files written."""
    layers: Callable[[Study], Sequence["LayerRow"]]


def learning_stages(medium: Medium) -> tuple[Stage, Stage, Stage]:
    """Return the stages train, predict and evaluate for one medium."""

    def reads(plan: Plan) -> list[str]:
        return [COHORT, *files_of_labels(plan), CLASSES, SPLIT, *medium.store]

    train = Stage(
        "train", "The networks are trained.", partial(settings_of_training, medium), reads, partial(_train, medium)
    )
    predict = Stage(
        "predict",
        "The threshold is chosen.",
        lambda study: as_settings(study.plan.evaluation.threshold),
        lambda plan: [*reads(plan), *files_of_networks(medium, plan)],
        partial(_predict, medium),
    )
    evaluate = Stage(
        "evaluate",
        "The test set has been evaluated; it stays as it was.",
        lambda study: as_settings(study.plan.evaluation),
        lambda plan: [*reads(plan), BY_RULE, *files_of_networks(medium, plan), TUNING_PREDICTIONS, OPERATING_POINT],
        partial(_evaluate, medium),
    )
    return train, predict, evaluate


def settings_of_training(medium: Medium, study: Study) -> dict[str, object]:
    """Return all of the plan that the weights of a network depend on."""
    plan = study.plan
    training = as_settings(plan.training)
    del training["checkpoint_minutes"]  # how often to save changes nothing that is saved
    return {
        "network": as_settings(without_files(plan.network)),
        "training": training,
        **medium.settings(study),
        "seed": plan.seed,
    }


def files_of_networks(medium: Medium, plan: Plan) -> list[str]:
    """Name the files that make up the trained networks."""
    return [*map(weights_file, members(plan)), *medium.learnt]


def members(plan: Plan) -> list[str]:
    """Name the members of the ensemble."""
    return [f"member-{number}" for number in range(plan.training.n_members)]


def weights_file(member: str) -> str:
    """Say where the weights of a member's best epoch lie."""
    return f"training/{member}/weights.safetensors"


def history_file(member: str) -> str:
    """Say where the history of a member lies."""
    return f"training/{member}/history.csv"


def outcome_file(member: str) -> str:
    """Say where it stands which epoch of a member was best, and why it stopped."""
    return f"training/{member}/outcome.json"


def _train(medium: Medium, study: Study, key: str) -> Iterable[str]:
    """Train every member on the training part; each keeps the weights of its best epoch on the tuning part."""
    written = [*medium.prepare(study)]
    training, tuning = (examples_of(medium, study, part) for part in (Part.TRAINING, Part.TUNING))
    for part, examples in ((Part.TRAINING, training), (Part.TUNING, tuning)):
        _require_all_classes(study, part, examples)
    written += [*medium.show_samples(study, training)]
    written.append(study.folder.write_json(LAYERS, [asdict(row) for row in medium.layers(study)]))
    for number, member in enumerate(members(study.plan)):
        seed = counted_key(study.plan.seed, "member", number) >> 1
        title = f"Training {member}" if study.plan.training.n_members > 1 else "Training"
        written += _train_member(medium, study, member, course_of(medium, study, title, (training, tuning), seed, key))
    return written


def _train_member(medium: Medium, study: Study, member: str, course: "Course") -> Iterable[str]:
    """Train one network and write its weights, its history and how it ended."""
    from safetensors.torch import save

    from lucency.training.loop import train_member

    folder = study.folder
    network = medium.untrained(study, course.seed)
    medium.fit(study, network, course.training)
    outcome = train_member(network, course, (folder.path / weights_file(member)).parent, study.desk)
    best = outcome.history[outcome.best_epoch - 1]
    study.desk.say(
        f"{course.title}: {len(outcome.history)} epochs, {outcome.stopped_because}; the best is epoch "
        f"{outcome.best_epoch} (AUC {best.tuning_auc:.3f} on the tuning part, which chose it)."
    )
    facts = {"best_epoch": outcome.best_epoch, "stopped_because": outcome.stopped_because, "seed": course.seed}
    return [
        folder.write(weights_file(member), save(outcome.weights)),
        folder.write_rows(history_file(member), outcome.history),
        folder.write_json(outcome_file(member), facts),
    ]


def course_of(
    medium: Medium, study: Study, title: str, parts: "tuple[Examples, Examples]", seed: int, key: str
) -> "Course":
    """Put together what a network of this study learns from; of its parts, the second chooses the best epoch."""
    from lucency.training.course import Course

    training, tuning = parts
    return Course(
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


def _predict(medium: Medium, study: Study, key: str) -> Iterable[str]:  # noqa: ARG001 - every stage is given its key
    """Let every member predict the tuning part, and freeze the operating points there."""
    from lucency.evaluation.operating_point import choose_operating_point

    predictions = _predict_part(medium, study, Part.TUNING)
    points = {p.finding: choose_operating_point(p, study.plan.evaluation.threshold) for p in _of_ensemble(predictions)}
    for finding, point in points.items():
        if point:
            of = f" of {finding}" if finding else ""
            study.desk.say(f"Threshold{of} {point.threshold:.3f} ({point.rule}), chosen on the tuning part and frozen.")
    return [
        write_predictions(study.folder, TUNING_PREDICTIONS, predictions),
        study.folder.write_json(OPERATING_POINT, _as_json(points)),
    ]


def _evaluate(medium: Medium, study: Study, key: str) -> Iterable[str]:
    """Open the sealed test set, once, and measure."""
    folder = study.folder
    tuning = read_predictions(folder, TUNING_PREDICTIONS)
    weights = {file: folder.hash(file) for file in files_of_networks(medium, study.plan)}
    opening = folder.open_test_set(key, operating_point=folder.hash(OPERATING_POINT), weights=weights)
    test = _predict_part(medium, study, Part.TEST, opening)
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


def _predict_part(medium: Medium, study: Study, part: Part, opening: Opening | None = None) -> list[Predictions]:
    """Return the predictions of each member and, last, of the ensemble: the mean of their probabilities."""
    from lucency.training.cost import probabilities_of
    from lucency.training.device import fix_arithmetic, make_device
    from lucency.training.loop import predict

    fix_arithmetic(study.plan.training)
    device = make_device(study.plan.training)
    images = labelled_images(study, part, opening)
    examples = examples_of(medium, study, part, opening)
    targets, questions = examples.targets.numpy(), questions_of(study)
    answers = {}
    for member in members(study.plan):
        network = device.setup(load_member(medium, study, member))
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


def load_member(medium: Medium, study: Study, member: str) -> "nn.Module":
    """Build a member's network with the weights of its best epoch."""
    from safetensors.torch import load_file

    network = medium.untrained(study, 0)
    network.load_state_dict(load_file(study.folder.path / weights_file(member)))
    return network


def labelled_images(study: Study, part: Part, opening: Opening | None = None) -> list[CohortRow]:
    """Return the images of one part in the order of their identifiers; the test part only to who holds its opening.

    Raises:
        SealError: the test part was asked for without an opening.
        PatientLeakError: the split leaks.
    """
    refuse_sealed(part, opening)
    chosen = {row.image_id for row in split_rows_of(study.folder) if row.part == part}
    rows = study.folder.read_rows(COHORT, CohortRow)
    return sorted((row for row in rows if row.image_id in chosen), key=lambda row: row.image_id)


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
