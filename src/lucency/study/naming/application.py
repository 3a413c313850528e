"""Name the classes or findings of new images: calibrated probability, frozen threshold, and the answer in words."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lucency.domain.questions import Question
from lucency.study.applying.application import APPLY, Answer, Answering, Application, Measured, NewImage, stacked
from lucency.study.applying.likeness import learn_likeness
from lucency.study.cohort import questions_of
from lucency.study.folder import StudyFolder
from lucency.study.naming.classes import ENSEMBLE, OPERATING_POINT, TUNING_PREDICTIONS, read_operating_points
from lucency.study.naming.classification import NAMING
from lucency.study.stage import Stage, Study
from lucency.study.tables import read_predictions
from lucency.study.training import files_of_networks, load_member, members

if TYPE_CHECKING:  # SciPy and torch take time to import; only stages that need them do
    from torch import nn

    from lucency.evaluation.calibrated import Correction
    from lucency.evaluation.operating_point import OperatingPoint

CALIBRATION = "application/calibration.json"


def _prepare(study: Study, key: str) -> Iterable[str]:  # noqa: ARG001 - every stage is given its key
    """Learn to calibrate from the tuning part, and what the training images look like."""
    from lucency.evaluation.calibrated import learn_correction

    tuning = [p for p in read_predictions(study.folder, TUNING_PREDICTIONS) if p.member == ENSEMBLE]
    corrections = [{"finding": p.finding, **asdict(learn_correction(p))} for p in tuning]
    return [study.folder.write_json(CALIBRATION, corrections), *learn_likeness(study, NAMING)]


def read_corrections(folder: StudyFolder) -> "dict[str, Correction]":
    """Return the correction of each finding, under "" where there is one question."""
    from lucency.evaluation.calibrated import Correction

    return {facts.pop("finding"): Correction(**facts) for facts in folder.read_json(CALIBRATION)}


def _answering(study: Study) -> Answering:
    from lucency.training.device import fix_arithmetic, make_device

    fix_arithmetic(study.plan.training)
    device = make_device(study.plan.training)
    networks = [device.setup(load_member(NAMING, study, member)) for member in members(study.plan)]
    questions = questions_of(study)
    corrections, points = read_corrections(study.folder), read_operating_points(study.folder)

    def answer(images: Sequence[NewImage], out: Path) -> list[list[Answer]]:  # noqa: ARG001 - masks need the folder
        said = _said(study, networks, images, len(questions) if questions[0].finding else 0)
        raw = [(q, _of_question(q, n, said)) for n, q in enumerate(questions)]
        told = [_answers(q, p, corrections[q.finding], points[q.finding]) for q, p in raw]
        return [list(of_image) for of_image in zip(*told, strict=True)]

    return answer


def _said(
    study: Study, networks: "Sequence[nn.Module]", images: Sequence[NewImage], n_findings: int
) -> NDArray[np.float64]:
    """Return the mean of what all members say, axes (image, class or finding)."""
    import torch

    from lucency.training.cost import probabilities_of
    from lucency.training.device import make_device
    from lucency.training.examples import ImageExamples
    from lucency.training.prediction import predict

    n = len(images)
    # no truth is known; the axes of the targets decide how logits become probabilities
    targets = torch.full((n, n_findings), torch.nan) if n_findings else torch.zeros(n, dtype=torch.int64)
    examples = ImageExamples(stacked(images), np.arange(n), targets, np.zeros(n, np.uint64))
    device = make_device(study.plan.training)
    return np.mean([probabilities_of(predict(network, examples, device), targets) for network in networks], axis=0)


def _of_question(question: Question, number: int, said: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.stack([1 - said[:, number], said[:, number]], axis=1) if question.finding else said


def _answers(
    question: Question, raw: NDArray[np.float64], correction: "Correction", point: "OperatingPoint | None"
) -> Iterator[Answer]:
    calibrated = correction(raw)
    for ours, theirs in zip(calibrated.tolist(), raw.tolist(), strict=True):
        if point is None:
            yield _likeliest(question, ours, theirs)
        else:
            at = float(correction.of_positive(np.array([point.threshold]))[0])
            yield _yes_or_no(question, ours[1], theirs[1], point.threshold, at)


def _yes_or_no(
    question: Question, calibrated: float, raw: float, threshold: float, calibrated_threshold: float
) -> Answer:
    """Answer by the frozen threshold; a correction that keeps the order moves probability and threshold alike."""
    name = question.finding or question.classes[1]
    is_positive = raw >= threshold
    negative = f"no {question.finding}" if question.finding else question.classes[0]
    column = "" if question.finding else f"_{name}"
    numbers = (
        Measured(f"Probability of {name}, calibrated", calibrated, f"p{column}"),
        Measured(f"Threshold for {name}, calibrated", calibrated_threshold, "threshold"),
        Measured(f"Probability of {name}, as the networks give it", raw, f"raw{column}"),
        Measured(f"Threshold for {name}, as it was frozen", threshold, "raw_threshold"),
    )
    basis = f"calibrated probability {calibrated:.3f}, threshold {calibrated_threshold:.3f}"
    return Answer(name if is_positive else negative, numbers, question.finding, basis)


def _likeliest(question: Question, calibrated: list[float], raw: list[float]) -> Answer:
    named = int(np.argmax(raw))
    numbers = [
        *(
            Measured(f"Probability of {c}, calibrated", p, f"p_{c}")
            for c, p in zip(question.classes, calibrated, strict=True)
        ),
        *(
            Measured(f"Probability of {c}, as the networks give it", p, f"raw_{c}")
            for c, p in zip(question.classes, raw, strict=True)
        ),
    ]
    return Answer(
        question.classes[named],
        tuple(numbers),
        basis=f"likeliest class, calibrated probability {calibrated[named]:.3f}",
    )


CLASSES = Application(
    NAMING,
    Stage(
        APPLY,
        "What new images are compared with is known.",
        lambda study: {"seed": study.plan.seed},
        lambda plan: [*NAMING.reads(plan), *files_of_networks(NAMING, plan), TUNING_PREDICTIONS, OPERATING_POINT],
        _prepare,
    ),
    _answering,
)
