"""The task of classification, assembled from the rooms: train, predict, evaluate, explain."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lucency.domain.cohort import CohortRow
from lucency.domain.parts import Part
from lucency.domain.plan import Plan
from lucency.domain.predictions import Predictions
from lucency.errors import StudyError
from lucency.randomness import key as counted_key
from lucency.randomness import sample_keys
from lucency.study.cohort import (
    CLASSES,
    COHORT,
    LABELS,
    SPLIT,
    STORE,
    classes_of,
    labels_by_image,
    split_rows_of,
    targets_of,
)
from lucency.study.folder import Opening, StudyFolder, refuse_sealed
from lucency.study.plan import as_settings
from lucency.study.stage import Stage, Study
from lucency.study.tables import read_predictions, write_predictions

if TYPE_CHECKING:  # torch takes seconds to import; only stages that need it do
    from torch import Tensor

    from lucency.domain.estimate import Estimate
    from lucency.evaluation.operating_point import OperatingPoint
    from lucency.training.course import Course
    from lucency.training.examples import Augment, ImageExamples
    from lucency.training.standardised import Standardised

ENSEMBLE = "ensemble"
LAYERS = "tables/layers.json"
TUNING_PREDICTIONS, OPERATING_POINT = "tuning_predictions.csv", "operating_point.json"
PREDICTIONS, METRICS = "predictions.csv", "metrics.json"


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


def _train(study: Study, key: str) -> Iterable[str]:
    """Train every member on the training part; each keeps the weights of its best epoch on the tuning part."""
    from lucency.study.pictures import show_samples

    classes = classes_of(study)
    training, tuning = (examples_of(study, part) for part in (Part.TRAINING, Part.TUNING))
    for part, examples in ((Part.TRAINING, training), (Part.TUNING, tuning)):
        _require_all_classes(part, examples, classes)
    written = [*show_samples(study, training, classes), _write_layers(study, len(classes))]
    for number, member in enumerate(members(study.plan)):
        written += _train_member(
            study, key, member, counted_key(study.plan.seed, "member", number) >> 1, training, tuning
        )
    return written


def _train_member(
    study: Study, key: str, member: str, seed: int, training: "ImageExamples", tuning: "ImageExamples"
) -> Iterable[str]:
    """Train one network and write its weights, its history and how it ended."""
    from safetensors.torch import save

    from lucency.training.loop import train_member

    plan, folder = study.plan, study.folder
    title = f"Training {member}" if plan.training.n_members > 1 else "Training"
    course = course_of(study, title, training, tuning, seed, key)
    network = untrained(plan, course.n_classes, seed)
    network.fit(training)
    outcome = train_member(network, course, (folder.path / weights_file(member)).parent, study.desk)
    best = outcome.history[outcome.best_epoch - 1]
    study.desk.say(
        f"{course.title}: {len(outcome.history)} epochs, {outcome.stopped_because}; the best is epoch "
        f"{outcome.best_epoch} (AUC {best.tuning_auc:.3f} on the tuning part, which chose it)."
    )
    facts = {"best_epoch": outcome.best_epoch, "stopped_because": outcome.stopped_because, "seed": seed}
    return [
        folder.write(weights_file(member), save(outcome.weights)),
        folder.write_rows(history_file(member), outcome.history),
        folder.write_json(outcome_file(member), facts),
    ]


def course_of(
    study: Study, title: str, training: "ImageExamples", tuning: "ImageExamples", seed: int, key: str
) -> "Course":
    """Put together what a network of this study learns from; the tuning examples choose its best epoch."""
    from lucency.training.course import Course

    return Course(
        title=title,
        settings=study.plan.training,
        training=training,
        tuning=tuning,
        n_classes=len(classes_of(study)),
        augment=_augment(study.plan, seed),
        score=tuning_auc,
        seed=seed,
        key=key,
    )


def _augment(plan: Plan, seed: int) -> "Augment | None":
    from lucency.data.augmentation import Batch, make_augmenter

    if not plan.augmentation:
        return None
    augmenter = make_augmenter(plan.augmentation, seed)
    return lambda images, keys, epoch: augmenter(Batch(images), keys, epoch).images


def _write_layers(study: Study, n_classes: int) -> str:
    from lucency.network.layer_table import layer_table

    image = study.plan.data.image
    network = untrained(study.plan, n_classes, seed=0).network
    return study.folder.write_json(LAYERS, [asdict(row) for row in layer_table(network, image.n_channels, image.shape)])


def _predict(study: Study, key: str) -> Iterable[str]:  # noqa: ARG001 - every stage is given its key
    """Let every member predict the tuning part, and freeze the operating point there."""
    from lucency.evaluation.operating_point import choose_operating_point

    predictions = _predict_part(study, Part.TUNING)
    point = choose_operating_point(predictions[-1], study.plan.evaluation.threshold)
    if point:
        study.desk.say(f"Threshold {point.threshold:.3f} ({point.rule}), chosen on the tuning part and frozen.")
    return [
        write_predictions(study.folder, TUNING_PREDICTIONS, predictions),
        study.folder.write_json(OPERATING_POINT, asdict(point) if point else None),
    ]


def _evaluate(study: Study, key: str) -> Iterable[str]:
    """Open the sealed test set, once, and measure."""
    from lucency.evaluation.classification import evaluate_classification

    folder, settings = study.folder, study.plan.evaluation
    operating_point = read_operating_point(folder)
    tuning = read_predictions(folder, TUNING_PREDICTIONS)
    weights = {file: folder.hash(file) for file in _all_weights(study.plan)}
    opening = folder.open_test_set(key, operating_point=folder.hash(OPERATING_POINT), weights=weights)
    test = _predict_part(study, Part.TEST, opening)
    estimates = [
        estimate for part in (test, tuning) for estimate in evaluate_classification(part[-1], operating_point, settings)
    ]
    study.desk.say(_headline(estimates[0], opening))
    table = [asdict(estimate) for estimate in estimates]
    return [
        write_predictions(folder, PREDICTIONS, [*tuning, *test]),
        folder.write_json(METRICS, table),
        folder.write_table("tables/metrics.csv", list(table[0]), [row.values() for row in table]),
    ]


def _predict_part(study: Study, part: Part, opening: Opening | None = None) -> list[Predictions]:
    """Return the predictions of each member and, last, of the ensemble: the mean of their probabilities."""
    from torch import softmax

    from lucency.training.device import fix_arithmetic, make_device
    from lucency.training.loop import predict

    fix_arithmetic(study.plan.training)
    device = make_device(study.plan.training)
    images = labelled_images(study, part, opening)
    examples = examples_of(study, part, opening)

    def predictions(member: str, probabilities: NDArray[np.float64]) -> Predictions:
        return Predictions(
            part=part,
            member=member,
            classes=classes_of(study),
            image_ids=tuple(image.image_id for image in images),
            patient_ids=tuple(image.patient_id for image in images),
            targets=examples.targets.numpy(),
            probabilities=probabilities,
        )

    answers = []
    for member in members(study.plan):
        logits = predict(device.setup(load_member(study, member)), examples, device)
        answers.append(predictions(member, softmax(logits.double(), 1).numpy()))
    return [*answers, predictions(ENSEMBLE, np.mean([answer.probabilities for answer in answers], axis=0))]


def _explain(study: Study, key: str) -> Iterable[str]:  # noqa: ARG001 - every stage is given its key
    """Show the most confident errors, and what the network looked at."""
    from lucency.evaluation.classification import called_classes
    from lucency.study.pictures import show_errors, show_saliency

    test = read_predictions(study.folder, PREDICTIONS)[-1]
    examples = examples_of(study, Part.TEST, study.folder.last_opening())
    called = called_classes(test, read_operating_point(study.folder))
    network = load_member(study, members(study.plan)[0])
    return [*show_errors(study, test, called, examples), *show_saliency(study, test, called, examples, network)]


def read_operating_point(folder: StudyFolder) -> "OperatingPoint | None":
    """Return the frozen operating point; None for more than two classes."""
    from lucency.evaluation.operating_point import OperatingPoint

    point = folder.read_json(OPERATING_POINT)
    return OperatingPoint(**point) if point else None


def load_member(study: Study, member: str) -> "Standardised":
    """Build a member's network with the weights of its best epoch."""
    from safetensors.torch import load_file

    network = untrained(study.plan, len(classes_of(study)), seed=0)
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


def examples_of(study: Study, part: Part, opening: Opening | None = None) -> "ImageExamples":
    """Return the images and targets of one part as tensors, in the order of `labelled_images`.

    Only training learns from labels that are in doubt.
    """
    images = labelled_images(study, part, opening)
    examples = examples_from(study, images)
    return replace(examples, soft=_soft_labels(study, images)) if part == Part.TRAINING else examples


def examples_from(study: Study, images: Sequence[CohortRow]) -> "ImageExamples":
    """Return labelled images with their targets as tensors."""
    import torch

    from lucency.data.store import open_store
    from lucency.training.examples import ImageExamples

    target, classes = targets_of(study.folder), classes_of(study)
    return ImageExamples(
        store=open_store(study.folder.path / "store").images,
        rows=np.array([image.store_row for image in images]),
        targets=torch.tensor([classes.index(target[image.image_id]) for image in images]),
        sample_keys=sample_keys([image.image_id for image in images]),
    )


def _soft_labels(study: Study, images: Sequence[CohortRow]) -> "Tensor | None":
    """Return the probability of each class, axes (image, class); None where no label is in doubt."""
    import torch

    label_of, classes = labels_by_image(study.folder), classes_of(study)
    if not any(label_of[image.image_id].soft for image in images):
        return None
    sure = {name: [float(name == other) for other in classes] for name in classes}
    rows = [label_of[image.image_id] for image in images]
    return torch.tensor([[float(p) for p in row.soft.split()] if row.soft else sure[row.target] for row in rows])


def tuning_auc(targets: NDArray[np.int64], probabilities: NDArray[np.float64]) -> float:
    """Return the AUC of the positive class, or the mean over all classes against the rest where there are more."""
    from lucency.evaluation.discrimination import auc

    n_classes = probabilities.shape[1]
    positives = [1] if n_classes == 2 else range(n_classes)
    return float(np.mean([auc(targets == positive, probabilities[:, positive]) for positive in positives]))


def untrained(plan: Plan, n_classes: int, seed: int) -> "Standardised":
    """Build the plan's network with random weights that depend on the seed alone."""
    import torch

    from lucency.network.catalogue import build
    from lucency.training.standardised import Standardised

    image = plan.data.image
    torch.manual_seed(counted_key(seed, "initial weights") >> 1)
    return Standardised(build(plan.network, image.n_channels, image.shape, n_classes), image.n_channels)


def _require_all_classes(part: Part, examples: "ImageExamples", classes: Sequence[str]) -> None:
    missing = [name for number, name in enumerate(classes) if not (examples.targets == number).any()]
    if missing:
        raise StudyError(
            f"The {part} part has no image of “{missing[0]}”. Make the part larger (`split.{part}`), or choose another `seed`."
        )


def _headline(auc: "Estimate", opening: Opening) -> str:
    words = (
        f"Test set opened (evaluation no. {opening.n_openings}). " if opening.n_openings > 1 else "Test set opened. "
    )
    if auc.value is None or auc.low is None or auc.high is None:
        return f"{words}{auc.name} cannot be given: {auc.note}"
    return f"{words}{auc.name} {auc.value:.3f} ({auc.level:.0%} CI {auc.low:.3f}–{auc.high:.3f}; {auc.n} {auc.unit}s)."


def settings_of_training(study: Study) -> dict[str, object]:
    """Return all of the plan that the weights of a network depend on."""
    plan = study.plan
    training = as_settings(plan.training)
    del training["checkpoint_minutes"]  # how often to save changes nothing that is saved
    return {
        "network": as_settings(plan.network),
        "augmentation": as_settings(plan.augmentation) if plan.augmentation else None,
        "training": training,
        "image": as_settings(plan.data.image),
        "seed": plan.seed,
    }


def _all_weights(plan: Plan) -> list[str]:
    return [weights_file(member) for member in members(plan)]


TRAIN = Stage(
    "train",
    "The networks are trained.",
    settings_of_training,
    lambda _: [COHORT, LABELS, CLASSES, SPLIT, *STORE],
    _train,
)
PREDICT = Stage(
    "predict",
    "The threshold is chosen.",
    lambda study: as_settings(study.plan.evaluation.threshold),
    lambda plan: [COHORT, LABELS, CLASSES, SPLIT, *STORE, *_all_weights(plan)],
    _predict,
)
EVALUATE = Stage(
    "evaluate",
    "The test set has been evaluated; it stays as it was.",
    lambda study: as_settings(study.plan.evaluation),
    lambda plan: [COHORT, LABELS, CLASSES, SPLIT, *STORE, *_all_weights(plan), TUNING_PREDICTIONS, OPERATING_POINT],
    _evaluate,
)
EXPLAIN = Stage(
    "explain",
    "The explanations are drawn.",
    lambda study: {
        "explanation": as_settings(study.plan.explanation),
        "n_worst": study.plan.report.n_worst,
        "level": study.plan.evaluation.level,
        "seed": study.plan.seed,
    },
    lambda plan: [COHORT, *STORE, *_all_weights(plan), PREDICTIONS, OPERATING_POINT],
    _explain,
)
