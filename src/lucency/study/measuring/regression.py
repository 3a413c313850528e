"""The task of regression: to measure a number on an image."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, cast

import numpy as np
from numpy.typing import NDArray

from lucency.domain.cohort import CohortRow
from lucency.domain.measurements import LearntRange, Measurements
from lucency.domain.parts import Part
from lucency.domain.plan import Plan
from lucency.domain.regression_plan import Regression
from lucency.errors import StudyError
from lucency.study.cohort import COHORT, LABELS, SPLIT, STORE, numbers_of
from lucency.study.folder import Opening
from lucency.study.image_medium import IMAGES
from lucency.study.medium import labelled_images
from lucency.study.naming.classes import ENSEMBLE, METRICS, PREDICTIONS, TUNING_PREDICTIONS
from lucency.study.plan import as_settings
from lucency.study.stage import Stage, Study
from lucency.study.tables import read_measurements, write_measurements
from lucency.study.training import Task, files_of_networks, load_member, members, train_stage

if TYPE_CHECKING:  # torch takes seconds to import; only stages that need it do
    from torch import nn

    from lucency.domain.estimate import Estimate
    from lucency.training.course import Course
    from lucency.training.examples import Examples, ImageExamples
    from lucency.training.in_unit import InUnit

LEARNT_RANGE = "learnt_range.json"
"""The numbers of the training part, beyond which every prediction is a guess."""


def _parts(study: Study) -> "tuple[Examples, Examples]":
    training, tuning = (_examples(study, part) for part in (Part.TRAINING, Part.TUNING))
    for part, examples in ((Part.TRAINING, training), (Part.TUNING, tuning)):
        if len(examples) < 2 or not bool((examples.targets != examples.targets[0]).any()):
            raise StudyError(
                f"The {part} part has no two different numbers. Make the part larger (`split.{part}`), or choose another `seed`."
            )
    return training, tuning


def _examples(study: Study, part: Part, opening: Opening | None = None) -> "ImageExamples":
    """Return the images of one part with their numbers, in the order of `labelled_images`."""
    import torch

    images, number = labelled_images(study, part, opening), numbers_of(study.folder)
    targets = torch.tensor([number[image.image_id] for image in images], dtype=torch.float32)
    return cast("ImageExamples", IMAGES.examples(study, images, targets, None))


def _untrained(study: Study, seed: int) -> "InUnit":
    from lucency.training.in_unit import InUnit

    return InUnit(IMAGES.untrained(study, seed, 1))


def _fit(study: Study, network: "nn.Module", training: "Examples") -> None:
    """Measure the grey levels and the numbers of the training part."""
    in_unit = cast("InUnit", network)
    IMAGES.fit(study, in_unit.network, training)
    in_unit.fit_targets(training.targets)


def _course(study: Study, title: str, parts: "tuple[Examples, Examples]", seed: int, key: str) -> "Course":
    from lucency.training.number_course import number_course

    training, tuning = parts
    augment = IMAGES.augment(study.plan, seed)
    return number_course(title, study.plan.training, training, tuning, augment, seed, key)


def _show_samples(study: Study, training: "ImageExamples") -> list[str]:
    from lucency.study.measuring.pictures import show_samples_of_numbers

    return show_samples_of_numbers(study, training)


MEASURING = Task(
    reads=lambda _: [COHORT, LABELS, SPLIT, *IMAGES.store],
    learnt=IMAGES.learnt,
    settings=IMAGES.settings,
    prepare=IMAGES.prepare,
    parts=_parts,
    untrained=_untrained,
    fit=_fit,
    course=_course,
    show_samples=_show_samples,
    layers=lambda study: IMAGES.layers(study, 1),
)


def _predict(study: Study, key: str) -> Iterable[str]:  # noqa: ARG001 - every stage is given its key
    """Let every member measure the tuning part, and write down what range was learnt."""
    number = numbers_of(study.folder)
    learnt = _range_of(np.array([number[image.image_id] for image in labelled_images(study, Part.TRAINING)]))
    return [
        write_measurements(study.folder, TUNING_PREDICTIONS, _measure_part(study, Part.TUNING)),
        study.folder.write_json(LEARNT_RANGE, asdict(learnt)),
    ]


def _range_of(numbers: NDArray[np.float64]) -> LearntRange:
    lowest, lower, middle, upper, highest = (float(q) for q in np.quantile(numbers, [0, 0.25, 0.5, 0.75, 1]))
    return LearntRange(len(numbers), float(numbers.mean()), float(numbers.std()), lowest, lower, middle, upper, highest)


def _evaluate(study: Study, key: str) -> Iterable[str]:
    """Open the sealed test set, once, and measure."""
    folder = study.folder
    tuning = read_measurements(folder, TUNING_PREDICTIONS)
    weights = {file: folder.hash(file) for file in files_of_networks(MEASURING, study.plan)}
    opening = folder.open_test_set(key, weights=weights)
    test = _measure_part(study, Part.TEST, opening)
    estimates = [
        *_estimates(study, test[-1], labelled_images(study, Part.TEST, opening)),
        *_estimates(study, tuning[-1], labelled_images(study, Part.TUNING)),
    ]
    for sentence in _headlines(study, estimates, opening):
        study.desk.say(sentence)
    table = [asdict(estimate) for estimate in estimates]
    return [
        write_measurements(folder, PREDICTIONS, [*tuning, *test]),
        folder.write_json(METRICS, table),
        folder.write_table("tables/metrics.csv", list(table[0]), [row.values() for row in table]),
    ]


def _estimates(study: Study, measured: Measurements, images: Sequence[CohortRow]) -> "list[Estimate]":
    from lucency.evaluation.regression import evaluate_regression
    from lucency.evaluation.simple_answers import simple_answers

    plan, number = study.plan, numbers_of(study.folder)
    training = labelled_images(study, Part.TRAINING)
    learnt = np.array([number[image.image_id] for image in training])
    baselines = simple_answers(training, learnt, images)
    regression = plan.regression or Regression()
    return evaluate_regression(measured, baselines, regression, plan.evaluation.level, plan.seed)


def _measure_part(study: Study, part: Part, opening: Opening | None = None) -> list[Measurements]:
    """Return what each member measures and, last, the ensemble: the mean of their numbers."""
    from lucency.training.device import fix_arithmetic, make_device
    from lucency.training.prediction import predict

    fix_arithmetic(study.plan.training)
    device = make_device(study.plan.training)
    images, number = labelled_images(study, part, opening), numbers_of(study.folder)
    examples = _examples(study, part, opening)
    answers = {}
    for member in members(study.plan):
        network = device.setup(load_member(MEASURING, study, member))
        answers[member] = within_limits(study.plan, predict(network, examples, device)[:, 0].double().numpy())
    answers[ENSEMBLE] = np.mean(list(answers.values()), axis=0)
    ids, patients = tuple(image.image_id for image in images), tuple(image.patient_id for image in images)
    truth = np.array([number[image_id] for image_id in ids])
    return [Measurements(part, member, ids, patients, truth, predicted) for member, predicted in answers.items()]


def within_limits(plan: Plan, numbers: NDArray[np.float64]) -> NDArray[np.float64]:
    """Raise answers to the lowest number that the plan allows."""
    lowest = plan.regression.lowest if plan.regression else None
    return numbers if lowest is None else np.maximum(numbers, lowest)


def _headlines(study: Study, estimates: "Sequence[Estimate]", opening: Opening) -> Iterator[str]:
    """Say how far the network is off, and whether it beats the mean."""
    unit = f" {study.plan.regression.unit}" if study.plan.regression and study.plan.regression.unit else ""
    times = f" (evaluation no. {opening.n_openings})" if opening.n_openings > 1 else ""
    error = estimates[0]
    between = "" if error.low is None else f" ({error.level:.0%} CI {error.low:.4g}–{error.high:.4g}; {error.n} images)"
    yield f"Test set opened{times}. Mean absolute error {error.value:.4g}{unit}{between}."
    reductions = [e for e in estimates if e.part == Part.TEST and e.name == "reduction of the mean absolute error"]
    for one in reductions:
        if one.value is not None and one.low is not None and one.high is not None:
            between = f"{100 * one.low:.0f} to {100 * one.high:.0f} %"
            yield f"That is {100 * one.value:.0f} % ({between}) less, {one.group}."


def _explain(study: Study, key: str) -> Iterable[str]:  # noqa: ARG001 - every stage is given its key
    """Show the worst predictions, and what the network looked at."""
    from lucency.study.measuring.pictures import show_saliency_of_numbers, show_worst

    test = read_measurements(study.folder, PREDICTIONS)[-1]
    examples = _examples(study, Part.TEST, study.folder.last_opening())
    network = load_member(MEASURING, study, members(study.plan)[0])
    return [*show_worst(study, test, examples), *show_saliency_of_numbers(study, test, examples, network)]


def _reads_networks(plan: Plan) -> list[str]:
    return [*MEASURING.reads(plan), *files_of_networks(MEASURING, plan)]


TRAIN = train_stage(MEASURING)
PREDICT = Stage(
    "predict",
    "The tuning part is measured.",
    lambda study: as_settings(study.plan.regression) if study.plan.regression else {},
    _reads_networks,
    _predict,
)
EVALUATE = Stage(
    "evaluate",
    "The test set has been evaluated; it stays as it was.",
    lambda study: {
        "evaluation": as_settings(study.plan.evaluation),
        "regression": as_settings(study.plan.regression) if study.plan.regression else None,
        "seed": study.plan.seed,
    },
    lambda plan: [*_reads_networks(plan), TUNING_PREDICTIONS],
    _evaluate,
)
EXPLAIN = Stage(
    "explain",
    "The explanations are drawn.",
    lambda study: {
        "explanation": as_settings(study.plan.explanation),
        "regression": as_settings(study.plan.regression) if study.plan.regression else None,
        "n_worst": study.plan.report.n_worst,
        "level": study.plan.evaluation.level,
        "seed": study.plan.seed,
    },
    lambda plan: [COHORT, *STORE, *files_of_networks(MEASURING, plan), PREDICTIONS],
    _explain,
)
