"""From scratch against transfer: a learning curve over numbers of training patients; the test part stays sealed.

Each network is a stage of its own, with its checkpoint and its entry in the record, so that a curve that was stopped goes on
where it was. All networks are judged on the study's tuning part, which has no say in any of them: a fifth of each network's own
patients chooses its best epoch.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Any

from lucency.domain.cohort import CohortRow, SplitRow
from lucency.domain.parts import Part
from lucency.domain.plan import Plan
from lucency.domain.progress import Desk
from lucency.domain.transfer_curve import Answers, Curve, CurvePoint, Way
from lucency.errors import PlanError, StudyError
from lucency.randomness import key as counted_key
from lucency.study.beside.judging import Trial, answers_file, train_and_ask
from lucency.study.cohort import CLASSES, COHORT, LABELS, SPLIT, STORE, split_rows_of, targets_of
from lucency.study.folder import StudyFolder
from lucency.study.medium import labelled_images
from lucency.study.naming.classification import NAMING
from lucency.study.plan import as_settings
from lucency.study.run import carry_out, run
from lucency.study.stage import Stage, Study
from lucency.study.tables import read_predictions
from lucency.study.training import settings_of_training
from lucency.study.transfer import paces_of_plan, weights_in_words

CURVE_PAGE, CURVE_FIGURE, CURVE_TABLE, CURVE_ESTIMATES = (
    "transfer-curve/curve.html",
    "transfer-curve/curve.svg",
    "transfer-curve/curve.csv",
    "transfer-curve/curve.json",
)
N_INNER = 5
"""One of so many portions of a network's patients chooses its best epoch; the rest teaches."""
FEWEST_PATIENTS = 4
"""Of each class in the smallest group: two to teach and two to choose the epoch by would be few enough."""


@dataclass(frozen=True)
class Place:
    """One network of the curve."""

    n_patients: int
    repeat: int
    """From 0."""
    way: Way

    @property
    def folder(self) -> str:
        """Where its files lie; people count repeats from 1."""
        return f"transfer-curve/{self.n_patients}-patients/repeat-{self.repeat + 1}-{self.way}"


def draw_transfer_curve(plan: Plan, folder: StudyFolder, desk: Desk) -> None:
    """Train from scratch and by transfer on ever more patients, and compare; what is done already is not done again.

    Raises:
        PlanError: the plan names no weights to begin with, or has another task.
        LucencyError: with a sentence for the user; nothing that was finished is lost.
    """
    if plan.task != "classification" or plan.data.labels.findings:
        raise PlanError("`lucency transfer-curve` is for `task: classification` with one question.")
    if plan.transfer is None:
        raise PlanError(
            "The plan names no weights to begin with. Add `transfer: {weights: imagenet}`, or --set transfer.weights=imagenet."
        )
    run(plan, folder, desk, until="split")
    with folder.in_use():
        study = Study(plan, folder, desk)
        places = _places(study)
        carry_out(study, [*map(_stage, places), _curve_stage(places)])


def _places(study: Study) -> list[Place]:
    """List all networks: small numbers of patients first, so that there is soon something to see."""
    settings = study.plan.transfer_curve
    n_all = len({row.patient_id for row in _training_rows(study)})
    sizes = [size for size in settings.patients if size < n_all]
    if len(sizes) < len(settings.patients):
        study.desk.say(f"The training part has {n_all} patients; the curve ends there.")
        sizes.append(n_all)
    return [Place(size, repeat, way) for size in sizes for repeat in range(settings.repeats) for way in Way]


def _stage(place: Place) -> Stage:
    return Stage(
        place.folder,
        f"{_title(place)} is done.",
        partial(_settings, place),
        lambda _: [COHORT, LABELS, CLASSES, SPLIT, *STORE],
        partial(_train_and_ask, place),
    )


def _title(place: Place) -> str:
    return f"{place.n_patients} patients, repeat {place.repeat + 1}, {place.way}"


def _settings(place: Place, study: Study) -> dict[str, Any]:
    return {**settings_of_training(NAMING, _begun(study, place.way)), **asdict(place)}


def _begun(study: Study, way: Way) -> Study:
    """Return the study with one network that begins in one way, and the epochs of the curve."""
    plan = study.plan
    epochs = plan.transfer_curve.epochs or plan.training.epochs
    training = plan.training.model_copy(update={"epochs": epochs, "n_members": 1})
    transfer = plan.transfer if way == Way.TRANSFER else None
    return replace(study, plan=plan.model_copy(update={"training": training, "transfer": transfer}))


def _train_and_ask(place: Place, study: Study, key: str) -> Iterable[str]:
    """Train one network, and let it answer the tuning part."""
    study = _begun(study, place.way)
    rows = _group(study, place)
    images = {image.image_id: image for image in labelled_images(study, Part.TRAINING)}
    chooses = _inner_folds(study, rows, place)
    trial = Trial(
        title=_title(place),
        folder=place.folder,
        member=f"{place.way}, {place.n_patients} patients, repeat {place.repeat + 1}",
        training=_images(images, [row for row in rows if chooses[row.image_id] != 0]),
        tuning=_images(images, [row for row in rows if chooses[row.image_id] == 0]),
        asked=labelled_images(study, Part.TUNING),
        part=Part.TUNING,
        # the same for both ways, so that they differ in nothing but their beginning
        seed=counted_key(study.plan.seed, f"transfer curve, {place.n_patients}", place.repeat) >> 1,
    )
    return train_and_ask(study, trial, key)


def _images(images: dict[str, CohortRow], rows: Sequence[SplitRow]) -> list[CohortRow]:
    return [images[row.image_id] for row in rows]


def _training_rows(study: Study) -> list[SplitRow]:
    return [row for row in split_rows_of(study.folder) if row.part == Part.TRAINING]


def _group(study: Study, place: Place) -> list[SplitRow]:
    """Return the images of the patients of one network; within a repeat, smaller groups are part of larger ones."""
    from lucency.data.split import growing_cohort

    purpose = f"transfer curve, repeat {place.repeat}"
    targets = targets_of(study.folder)
    return growing_cohort(_training_rows(study), targets, [place.n_patients], study.plan.seed, purpose)[0]


def _inner_folds(study: Study, rows: Sequence[SplitRow], place: Place) -> dict[str, int]:
    """Deal the images of a network to portions, by patient.

    Raises:
        StudyError: a class has too few patients to teach and to choose by.
    """
    from lucency.data.split import fold_by_component

    targets = targets_of(study.folder)
    n_of = Counter(name for name, _ in {(targets[row.image_id], row.component) for row in rows})
    missing = {targets[row.image_id] for row in _training_rows(study)} - set(n_of)
    rarest = 0 if missing else min(n_of.values())
    if rarest < FEWEST_PATIENTS:
        raise StudyError(
            f"Among {place.n_patients} training patients, a class has {rarest}, too few to learn from. Begin the curve with more "
            "patients (`transfer_curve.patients`)."
        )
    return fold_by_component(rows, targets, min(N_INNER, rarest), study.plan.seed, "transfer curve, inside")


def _curve_stage(places: Sequence[Place]) -> Stage:
    return Stage(
        "transfer-curve",
        "The curve is drawn.",
        lambda study: {
            "title": study.plan.title,
            "transfer": as_settings(study.plan.transfer) if study.plan.transfer else None,
            "network": as_settings(study.plan.network),
            "level": study.plan.evaluation.level,
            "seed": study.plan.seed,
        },
        lambda _: [COHORT, LABELS, CLASSES, SPLIT, *(answers_file(place.folder) for place in places)],
        partial(_draw, places),
    )


def _draw(places: Sequence[Place], study: Study, key: str) -> Iterable[str]:  # noqa: ARG001 - every stage is given its key
    """Put the answers of all networks together."""
    from lucency.report.drawing import standalone
    from lucency.report.sheet import render_sheet
    from lucency.report.transfer_curve import curve_figure, sheet_of, verdict
    from lucency.training.checkpoint import remove_checkpoints

    folder = study.folder
    curve = _curve(study, places)
    for place in places:
        remove_checkpoints(folder.path / place.folder)
    study.desk.say(verdict(curve))
    return [
        folder.write(CURVE_PAGE, render_sheet(sheet_of(curve))),
        folder.write(CURVE_FIGURE, standalone(curve_figure(curve))),
        folder.write_json(CURVE_ESTIMATES, [asdict(point) for point in curve.points]),
        _write_table(folder, curve),
    ]


def _curve(study: Study, places: Sequence[Place]) -> Curve:
    sizes = dict.fromkeys(place.n_patients for place in places)
    points = tuple(_point(study, [place for place in places if place.n_patients == size]) for size in sizes)
    settings = study.plan.transfer_curve
    trainable, n_parameters = _count_parameters(study)
    return Curve(
        title=study.plan.title,
        architecture=study.plan.network.architecture,
        weights=weights_in_words(study.plan),
        n_trainable=trainable,
        n_parameters=n_parameters,
        n_judged=points[0].scratch.n_clusters or 0,
        epochs=settings.epochs or study.plan.training.epochs,
        points=points,
    )


def _point(study: Study, places: Sequence[Place]) -> CurvePoint:
    from lucency.evaluation.learning_curve import point_of_curve

    def answers(way: Way) -> Answers:
        own = [place for place in places if place.way == way]
        repeats = tuple(read_predictions(study.folder, answers_file(place.folder))[0] for place in own)
        return Answers(places[0].n_patients, way, repeats)

    n_images = tuple(len(_group(study, place)) for place in places if place.way == Way.SCRATCH)
    plan = study.plan
    return point_of_curve(answers(Way.SCRATCH), answers(Way.TRANSFER), n_images, plan.evaluation.level, plan.seed)


def _count_parameters(study: Study) -> tuple[dict[Way, int], int]:
    """Count the parameters that learn in each way, and all of them."""
    network = NAMING.untrained(study, 0)
    n_all = sum(parameter.numel() for parameter in network.parameters())
    paces = paces_of_plan(study.plan)(network)
    n_learning = sum(p.numel() for pace in paces if pace.from_epoch is not None for p in pace.parameters)
    return {Way.SCRATCH: n_all, Way.TRANSFER: n_learning}, n_all


def _write_table(folder: StudyFolder, curve: Curve) -> str:
    header = ["patients", "images", "way", "repeat", "auc", "mean", "low", "high"]
    rows = [
        [point.n_patients, point.n_images[repeat], way, repeat + 1, auc, mean.value, mean.low, mean.high]
        for point in curve.points
        for way, mean, aucs in (
            (Way.SCRATCH, point.scratch, point.scratch_repeats),
            (Way.TRANSFER, point.transfer, point.transfer_repeats),
        )
        for repeat, auc in enumerate(aucs)
    ]
    return folder.write_table(CURVE_TABLE, header, rows)
