"""The search for wrong labels: cross-validation on the training and tuning parts; the test part stays sealed.

Each fold is a stage of its own, with its checkpoint and its entry in the record, so that a search that was stopped goes on
where it was. The network that judges a fold never learned from its patients, and they had no say in its best epoch.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from lucency.domain.cohort import CohortRow, LabelRow, SplitRow
from lucency.domain.label_audit import Doubt, DoubtedLabel, LabelAudit
from lucency.domain.parts import Part
from lucency.domain.plan import Plan
from lucency.domain.predictions import Predictions
from lucency.domain.progress import Desk
from lucency.domain.tasks import REPORT_LABELLING
from lucency.errors import PlanError, StudyError
from lucency.randomness import key as counted_key
from lucency.study.beside.judging import Trial, answers_file, train_and_ask
from lucency.study.cohort import CLASSES, COHORT, LABELS, SPLIT, STORE, classes_of, split_rows_of, targets_of
from lucency.study.folder import StudyFolder
from lucency.study.medium import labelled_images
from lucency.study.naming.classification import NAMING
from lucency.study.pictures import pictures_of
from lucency.study.plan import as_settings
from lucency.study.run import carry_out, run
from lucency.study.stage import Stage, Study
from lucency.study.tables import read_predictions
from lucency.study.training import settings_of_training

if TYPE_CHECKING:  # SciPy and torch take time to import; only stages that need them do
    from lucency.domain.description import Source
    from lucency.domain.estimate import Estimate

SUSPECTS, SHEET, NOISE, BY_SOURCE = (
    "suspects/suspects.csv",
    "suspects/suspects.html",
    "suspects/noise.json",
    "suspects/classes_by_source.csv",
)
N_INNER = 8
"""One of so many portions of the other folds chooses the best epoch; the rest teaches."""


def find_suspect_labels(plan: Plan, folder: StudyFolder, desk: Desk) -> None:
    """Find labels that are probably wrong; what is done already is not done again.

    Raises:
        PlanError: the study is of reports, whose labels are checked by reading a sample again, or asks no single question.
        LucencyError: with a sentence for the user; nothing that was finished is lost.
    """
    if plan.task == REPORT_LABELLING:
        raise PlanError(
            "`lucency suspects` looks at the labels of images, and this study is of reports. Have a sample of them read again: "
            "`lucency reports` writes the sheet."
        )
    if plan.task != "classification":
        raise PlanError(
            f"`lucency suspects` looks for wrong classes, and this study has `task: {plan.task}`. Look at the worst cases of its "
            "report instead."
        )
    if plan.data.labels.findings:
        raise PlanError(
            "`lucency suspects` looks at one question. Name one finding as `data.labels.label_column` and leave `findings` out, "
            "and ask for each in a study folder of its own (`--out`)."
        )
    run(plan, folder, desk, until="split")
    with folder.in_use():
        carry_out(Study(plan, folder, desk), [*(_fold_stage(n) for n in range(plan.label_audit.folds)), SEARCH])


def fold_folder(number: int) -> str:
    """Say where the work on a fold lies; people count from 1."""
    return f"suspects/fold-{number + 1}"


def _fold_stage(number: int) -> Stage:
    return Stage(
        fold_folder(number),
        f"Fold {number + 1} is judged.",
        partial(_fold_settings, number),
        lambda _: [COHORT, LABELS, CLASSES, SPLIT, *STORE],
        partial(_judge_fold, number),
    )


def _fold_settings(number: int, study: Study) -> dict[str, Any]:
    settings = settings_of_training(NAMING, _with_epochs_of_audit(study))
    return {**settings, "fold": number, "folds": study.plan.label_audit.folds}


def _with_epochs_of_audit(study: Study) -> Study:
    epochs = study.plan.label_audit.epochs or study.plan.training.epochs
    training = study.plan.training.model_copy(update={"epochs": epochs, "n_members": 1})
    return replace(study, plan=study.plan.model_copy(update={"training": training}))


def _judge_fold(number: int, study: Study, key: str) -> Iterable[str]:
    """Train one network on the other folds, and let it judge the images of this one."""
    study = _with_epochs_of_audit(study)
    fold = _fold(study, number)
    trial = Trial(
        title=f"Fold {number + 1} of {study.plan.label_audit.folds}",
        folder=fold_folder(number),
        member=f"fold-{number + 1}",
        training=fold.training,
        tuning=fold.tuning,
        asked=fold.held_out,
        part="held out",
        seed=counted_key(study.plan.seed, "label audit", number) >> 1,
    )
    return train_and_ask(study, trial, key)


@dataclass(frozen=True)
class Fold:
    """The images of one fold, and what its network learns from."""

    training: list[CohortRow]
    tuning: list[CohortRow]
    """Of the other folds too; they choose the best epoch."""
    held_out: list[CohortRow]


def _fold(study: Study, number: int) -> Fold:
    """Deal the images of the training and tuning parts; linked patients stay together.

    Raises:
        StudyError: a class has too few patients for so many folds.
    """
    from lucency.data.split import fold_by_component

    images = _open_images(study)
    target = targets_of(study.folder)
    rows = [row for row in split_rows_of(study.folder) if row.image_id in images]
    fold_of = fold_by_component(rows, target, study.plan.label_audit.folds, study.plan.seed, "label audit")
    others = [row for row in rows if fold_of[row.image_id] != number]
    n_inner = min(N_INNER, *_n_components(others, target).values())
    inner = fold_by_component(others, target, n_inner, study.plan.seed, f"label audit, inside fold {number}")
    fold = Fold(
        training=[images[row.image_id] for row in others if inner[row.image_id] != 0],
        tuning=[images[row.image_id] for row in others if inner[row.image_id] == 0],
        held_out=[images[row.image_id] for row in rows if fold_of[row.image_id] == number],
    )
    for learnt in (fold.training, fold.tuning):
        missing = {target[row.image_id] for row in rows} - {target[image.image_id] for image in learnt}
        if missing:
            raise StudyError(
                f"Without fold {number + 1}, no image of “{min(missing)}” is left to learn from or to choose the epoch by. "
                "Take more folds (`label_audit.folds`), or merge the class with another."
            )
    return fold


def _open_images(study: Study) -> dict[str, CohortRow]:
    """Return the labelled images of the training and tuning parts."""
    return {image.image_id: image for part in (Part.TRAINING, Part.TUNING) for image in labelled_images(study, part)}


def _n_components(rows: Sequence[SplitRow], target: dict[str, str]) -> dict[str, int]:
    """Count the components of each class."""
    return Counter(name for name, _ in {(target[row.image_id], row.component) for row in rows})


def _search(study: Study, key: str) -> Iterable[str]:  # noqa: ARG001 - every stage is given its key
    """Put the judgements together: suspects, noise rates, contradictions, classes by site; and the sheet of images."""
    from lucency.report.label_audit import sheet_of
    from lucency.report.sheet import render_sheet
    from lucency.training.checkpoint import remove_checkpoints

    folder, settings = study.folder, study.plan.label_audit
    audit = _audit(study)
    pictures = pictures_of(study, [one.image_id for one in audit.doubted])
    for number in range(settings.folds):
        remove_checkpoints(folder.path / fold_folder(number))
    _tell(study, audit)
    return [
        _write_doubted(folder, audit),
        folder.write(SHEET, render_sheet(sheet_of(audit, pictures, SUSPECTS.rpartition("/")[2]))),
        folder.write_json(NOISE, {"auc": asdict(audit.auc), "noise": [asdict(one) for one in audit.noise]}),
        _write_sources(folder, audit),
    ]


def _audit(study: Study) -> LabelAudit:
    from lucency.evaluation.confident_learning import estimate_noise

    judged = _all_judged(study)
    level = study.plan.evaluation.level
    return LabelAudit(
        classes=judged.classes,
        n_images=len(judged),
        n_patients=len(set(judged.patient_ids)),
        n_folds=study.plan.label_audit.folds,
        auc=_auc(judged, level),
        noise=estimate_noise(judged, level, study.plan.seed),
        doubted=(*_suspects(study, judged), *_contradictions(study)),
        sources=_sources(study),
    )


def _all_judged(study: Study) -> Predictions:
    """Put the judgements of all folds together, in the order of the image identifiers."""
    folds = [
        read_predictions(study.folder, answers_file(fold_folder(n)))[0] for n in range(study.plan.label_audit.folds)
    ]
    image_ids = np.concatenate([fold.image_ids for fold in folds])
    order = np.argsort(image_ids)
    patients = np.concatenate([fold.patient_ids for fold in folds])
    return Predictions(
        part="training and tuning",
        member="label audit",
        classes=folds[0].classes,
        image_ids=tuple(image_ids[order].tolist()),
        patient_ids=tuple(patients[order].tolist()),
        targets=np.concatenate([fold.targets for fold in folds])[order],
        probabilities=np.concatenate([fold.probabilities for fold in folds])[order],
    )


def _auc(judged: Predictions, level: float) -> "Estimate":
    from lucency.evaluation.discrimination import auc_estimate, macro_auc
    from lucency.evaluation.intervals import patient_codes

    patients = patient_codes(judged.patient_ids)
    if len(judged.classes) == 2:
        estimate = auc_estimate(judged.targets, judged.probabilities[:, 1], patients, level)
    else:
        estimate = macro_auc(judged.targets, judged.probabilities, patients, level)
    return replace(estimate, part=judged.part)


def _suspects(study: Study, judged: Predictions) -> Iterator[DoubtedLabel]:
    from lucency.evaluation.confident_learning import find_suspects

    images = _open_images(study)
    parts = {row.image_id: row.part for row in split_rows_of(study.folder)}
    order = study.plan.label_audit.order
    for suspect in find_suspects(judged, order):
        image = images[judged.image_ids[suspect.number]]
        yield DoubtedLabel(
            image=image.source,
            image_id=image.image_id,
            patient_id=image.patient_id,
            part=parts[image.image_id],
            doubt=Doubt.NETWORK,
            group="",
            label=judged.classes[judged.targets[suspect.number]],
            suggested=judged.classes[suspect.suggested],
            probabilities=tuple(judged.probabilities[suspect.number].tolist()),
            score=getattr(suspect, order),
        )


def _contradictions(study: Study) -> Iterator[DoubtedLabel]:
    from lucency.data.ground_truth.conflicts import find_conflicts

    folder = study.folder
    parts = {row.image_id: row.part for row in split_rows_of(folder) if row.part != Part.TEST}
    cohort, labels = folder.read_rows(COHORT, CohortRow), folder.read_rows(LABELS, LabelRow)
    target = targets_of(folder)
    open_labels = {image_id: target[image_id] for image_id in parts}
    for conflict in find_conflicts(cohort, labels, open_labels):
        for image, label in zip(conflict.images, conflict.labels, strict=True):
            part = parts.get(image.image_id, "")
            yield DoubtedLabel(
                image.source, image.image_id, image.patient_id, part, conflict.doubt, conflict.name, label
            )


def _sources(study: Study) -> "tuple[Source, ...]":
    from lucency.evaluation.representativeness import Cohort, describe_sources

    cohort = Cohort({"open": list(_open_images(study).values())}, targets_of(study.folder), classes_of(study))
    sources = describe_sources(cohort, study.plan.evaluation.level)
    return tuple(source for source in sources if source.kind in ("site", "scanner"))


def _write_doubted(folder: StudyFolder, audit: LabelAudit) -> str:
    """Write the table that people fill in: one row for each doubt, with empty cells for the decision."""
    header = ["image", "image_id", "patient_id", "part", "doubt", "group", "label", "suggested"]
    header += [*(f"p_{name}" for name in audit.classes), "score"]
    rows: list[list[object]] = [
        [
            *(one.image, one.image_id, one.patient_id, one.part, str(one.doubt), one.group, one.label, one.suggested),
            *(round(p, 4) for p in one.probabilities),
            *[""] * (len(audit.classes) - len(one.probabilities)),
            "" if one.score is None else round(one.score, 4),
            *[""] * len(DECISION),
        ]
        for one in audit.doubted
    ]
    return folder.write_table(SUSPECTS, [*header, *DECISION], rows)


DECISION = ("correct_label", "decided_by", "decided_on", "remark")
"""Columns for whoever looks at the images."""


def _write_sources(folder: StudyFolder, audit: LabelAudit) -> str:
    header = ["kind", "name", "patients", "images"]
    header += [f"{name} {what}" for name in audit.classes for what in ("images", "share", "low", "high")]
    rows = [
        [
            *(source.kind, source.name, source.n_patients, source.n_images),
            *(x for share in source.shares for x in (share.numerator, share.value, share.low, share.high)),
        ]
        for source in audit.sources
    ]
    return folder.write_table(BY_SOURCE, header, rows)


def _tell(study: Study, audit: LabelAudit) -> None:
    from lucency.report import words
    from lucency.report.label_audit import one_class_warnings, warnings_of_networks

    n_suspects = sum(one.doubt == Doubt.NETWORK for one in audit.doubted)
    groups = defaultdict(set)
    for one in audit.doubted:
        groups[one.doubt].add(one.group)
    study.desk.say(
        f"Label audit: {n_suspects} of {audit.n_images} labels are suspect. If every confident mistake of the "
        f"networks is a wrong label, {words.quote(audit.noise[0])} of the labels are wrong; the networks' {audit.auc.name} is "
        f"{words.quote(audit.auc)}."
    )
    for doubt in (Doubt.EQUAL_IMAGES, Doubt.NEAR_DUPLICATES):
        if groups[doubt]:
            study.desk.say(f"Groups of {doubt} under different labels: {len(groups[doubt])}.")
    for warning in (*warnings_of_networks(audit), *one_class_warnings(audit.sources)):
        study.desk.say(warning)


SEARCH = Stage(
    "suspects",
    "The suspects are listed.",
    lambda study: {
        "label_audit": as_settings(study.plan.label_audit),
        "level": study.plan.evaluation.level,
        "seed": study.plan.seed,
    },
    lambda plan: [
        *(COHORT, LABELS, CLASSES, SPLIT, *STORE),
        *(answers_file(fold_folder(number)) for number in range(plan.label_audit.folds)),
    ],
    _search,
)
