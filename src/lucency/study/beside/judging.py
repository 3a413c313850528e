"""Networks beside those of the study itself, that learn from some images and are asked about others."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lucency.domain.cohort import CohortRow
from lucency.domain.predictions import Predictions
from lucency.study.cohort import classes_of
from lucency.study.image_medium import IMAGES
from lucency.study.naming.classes import examples_from
from lucency.study.naming.classification import NAMING
from lucency.study.stage import Study
from lucency.study.tables import write_predictions
from lucency.study.training import course_of


@dataclass(frozen=True)
class Trial:
    """One network, what it learns from, and what it is asked about."""

    title: str
    folder: str
    """Where its checkpoints and its answers lie, below that of the study."""
    member: str
    """What it is called in its answers."""
    training: Sequence[CohortRow]
    tuning: Sequence[CohortRow]
    """Chooses its best epoch."""
    asked: Sequence[CohortRow]
    part: str
    """What the images that it is asked about are called."""
    seed: int


def answers_file(folder: str) -> str:
    """Say where the answers of a network lie."""
    return f"{folder}/predictions.csv"


def train_and_ask(study: Study, trial: Trial, key: str) -> Iterable[str]:
    """Train a network, let it answer, and write its answers and its history; return the files written."""
    from torch import softmax

    from lucency.training.device import fix_arithmetic, make_device
    from lucency.training.loop import train_member
    from lucency.training.prediction import predict

    folder, settings = study.folder, study.plan.training
    training, tuning, asked = (
        examples_from(IMAGES, study, some) for some in (trial.training, trial.tuning, trial.asked)
    )
    course = course_of(NAMING, study, trial.title, (training, tuning), trial.seed, key)
    network = NAMING.untrained(study, trial.seed)
    NAMING.fit(study, network, training)
    outcome = train_member(network, course, folder.path / trial.folder, study.desk)

    fix_arithmetic(settings)
    device = make_device(settings)
    judge = NAMING.untrained(study, trial.seed)
    judge.load_state_dict(outcome.weights)
    logits = predict(device.setup(judge), asked, device)
    answers = Predictions(
        part=trial.part,
        member=trial.member,
        classes=classes_of(study),
        image_ids=tuple(image.image_id for image in trial.asked),
        patient_ids=tuple(image.patient_id for image in trial.asked),
        targets=asked.targets.numpy(),
        probabilities=softmax(logits.double(), 1).numpy(),
    )
    return [
        write_predictions(folder, answers_file(trial.folder), [answers]),
        folder.write_rows(f"{trial.folder}/history.csv", outcome.history),
    ]
