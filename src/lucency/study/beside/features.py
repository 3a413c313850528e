"""Features of all images of a study as one of its networks sees them, and what can be read from them by a straight line."""

import io
from collections.abc import Iterable
from dataclasses import asdict, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lucency.domain.cohort import CohortRow
from lucency.domain.parts import Part
from lucency.domain.plan import Plan
from lucency.domain.progress import Desk
from lucency.errors import PlanError
from lucency.randomness import key as counted_key
from lucency.study.cohort import CLASSES, COHORT, SPLIT, STORE, classes_of, files_of_labels
from lucency.study.folder import StudyFolder
from lucency.study.image_medium import IMAGES
from lucency.study.medium import labelled_images
from lucency.study.naming.classes import examples_of
from lucency.study.naming.classification import NAMING
from lucency.study.run import carry_out, run
from lucency.study.stage import Stage, Study
from lucency.study.training import load_member, members, settings_of_training, weights_file

if TYPE_CHECKING:  # torch takes seconds to import; only stages that need it do
    from torch import nn


def export_features(plan: Plan, folder: StudyFolder, desk: Desk, before_training: bool = False) -> None:
    """Write the features of every image that is not sealed, and the result of a linear probe.

    They are those of the study's first network; with `before_training`, those of the network that it begins with.

    Raises:
        PlanError: the study has another task.
        LucencyError: with a sentence for the user; nothing that was finished is lost.
    """
    if plan.task != "classification" or plan.data.labels.findings:
        raise PlanError("`lucency features` is for `task: classification` with one question.")
    run(plan, folder, desk, until="split" if before_training else "train")
    with folder.in_use():
        carry_out(Study(plan, folder, desk), [_stage(before_training)])


def files_of_features(before_training: bool) -> tuple[str, str, str]:
    """Say where features, their table and the probe lie."""
    name = "features/before-training" if before_training else "features/trained"
    return f"{name}.npz", f"{name}.csv", f"{name}-probe.json"


def _stage(before_training: bool) -> Stage:
    weights = [] if before_training else [weights_file("member-0")]
    return Stage(
        f"features {'before training' if before_training else 'trained'}",
        "The features are written.",
        _settings,
        lambda plan: [COHORT, *files_of_labels(plan), CLASSES, SPLIT, *STORE, *weights],
        partial(_export, before_training),
    )


def _settings(study: Study) -> dict[str, Any]:
    n_openings = study.folder.n_openings()
    return {**settings_of_training(NAMING, study), "level": study.plan.evaluation.level, "is_test_open": n_openings > 0}


def _export(before_training: bool, study: Study, key: str) -> Iterable[str]:  # noqa: ARG001 - every stage is given its key
    network = _network(study, before_training)
    shown = [_of_part(study, part, network) for part in _open_parts(study.folder)]
    images = [image for some, _, _ in shown for image in some]
    parts = [part for part, (some, _, _) in zip(_open_parts(study.folder), shown, strict=True) for _ in some]
    features = np.concatenate([values for _, values, _ in shown])
    targets = np.concatenate([numbers for _, _, numbers in shown])
    arrays, table, facts = files_of_features(before_training)
    names = np.array(classes_of(study))[targets]
    study.desk.say(f"{features.shape[1]:,} features of {len(features):,} images.")
    return [
        study.folder.write(arrays, _as_npz(images, parts, names, features)),
        study.folder.write_table(table, *_as_table(images, parts, names, features)),
        study.folder.write_json(facts, _probe(study, shown)),
    ]


def _network(study: Study, before_training: bool) -> "nn.Module":
    if not before_training:
        return load_member(NAMING, study, members(study.plan)[0])
    network = NAMING.untrained(study, counted_key(study.plan.seed, "member", 0) >> 1)
    NAMING.fit(study, network, examples_of(IMAGES, study, Part.TRAINING))
    return network


def _open_parts(folder: StudyFolder) -> tuple[Part, ...]:
    """Return the parts that may be looked at: the test part only after its evaluation."""
    return (Part.TRAINING, Part.TUNING, Part.TEST) if folder.n_openings() else (Part.TRAINING, Part.TUNING)


def _of_part(
    study: Study, part: Part, network: "nn.Module"
) -> tuple[list[CohortRow], NDArray[np.float32], NDArray[np.int64]]:
    """Return the images of one part, their features, axes (image, feature), and the numbers of their classes."""
    from lucency.training.device import fix_arithmetic, make_device
    from lucency.training.features import features_of

    opening = study.folder.last_opening() if part == Part.TEST else None
    examples = examples_of(IMAGES, study, part, opening)
    fix_arithmetic(study.plan.training)
    device = make_device(study.plan.training)
    features = features_of(device.setup(network), examples, device).astype(np.float32)
    return labelled_images(study, part, opening), features, examples.targets.numpy()


def _probe(study: Study, shown: list[tuple[list[CohortRow], NDArray[np.float32], NDArray[np.int64]]]) -> dict[str, Any]:
    """Fit a straight line to the training part, and measure it on the tuning part."""
    from lucency.evaluation.linear_probe import Features, probe
    from lucency.report import words

    training, tuning = (
        Features(values, targets, tuple(image.patient_id for image in images)) for images, values, targets in shown[:2]
    )
    probed = probe(training, tuning, study.plan.evaluation.level, study.plan.seed)
    auc = replace(probed.auc, part=Part.TUNING)
    study.desk.say(f"Linear probe: {auc.name} {words.quote(auc)} on the tuning part.")
    return {"auc": asdict(auc), "strength": probed.strength, "n_features": int(training.values.shape[1])}


def _as_npz(images: list[CohortRow], parts: list[Part], names: NDArray, features: NDArray[np.float32]) -> bytes:
    """Write arrays of numbers and texts, which NumPy reads without any pickle."""
    file = io.BytesIO()
    np.savez(
        file,
        features=features,
        image_id=np.array([image.image_id for image in images]),
        patient_id=np.array([image.patient_id for image in images]),
        part=np.array([str(part) for part in parts]),
        target=names,
    )
    return file.getvalue()


def _as_table(
    images: list[CohortRow], parts: list[Part], names: NDArray, features: NDArray[np.float32]
) -> tuple[list[str], Iterable[list[object]]]:
    header = ["image_id", "patient_id", "part", "target", *(f"f{n}" for n in range(1, features.shape[1] + 1))]
    rows = (
        [image.image_id, image.patient_id, str(part), name, *(f"{value:.6g}" for value in values)]
        for image, part, name, values in zip(images, parts, names.tolist(), features.tolist(), strict=True)
    )
    return header, rows
