"""Predictions as a table."""

from collections.abc import Sequence
from itertools import groupby

import numpy as np

from lucency.domain.measurements import Measurements
from lucency.domain.predictions import Predictions
from lucency.study.folder import StudyFolder


def write_predictions(folder: StudyFolder, file: str, predictions: Sequence[Predictions]) -> str:
    """Write one row for each image and member, and for each finding where there are several; return the file's name."""
    classes, has_findings = predictions[0].classes, bool(predictions[0].finding)
    header = ["image_id", "patient_id", "part", "member", *(["finding"] if has_findings else []), "target"]
    # repr gives the shortest text that reads back as the same number
    rows = (
        [
            *(image, patient, answer.part, answer.member, *([answer.finding] if has_findings else [])),
            *(classes[target], *map(repr, probabilities)),
        ]
        for answer in predictions
        for image, patient, target, probabilities in zip(
            answer.image_ids, answer.patient_ids, answer.targets, answer.probabilities.tolist(), strict=True
        )
    )
    return folder.write_table(file, [*header, *(f"p_{name}" for name in classes)], rows)


def read_predictions(folder: StudyFolder, file: str) -> list[Predictions]:
    """Read what `write_predictions` wrote: one entry for each part, member and finding, in the order of the file."""
    rows = folder.read_table(file)
    classes = tuple(name.removeprefix("p_") for name in rows[0] if name.startswith("p_"))
    found = []
    for (part, member, finding), group in groupby(
        rows, key=lambda row: (row["part"], row["member"], row.get("finding", ""))
    ):
        images = list(group)
        found.append(
            Predictions(
                part=part,
                member=member,
                classes=classes,
                image_ids=tuple(row["image_id"] for row in images),
                patient_ids=tuple(row["patient_id"] for row in images),
                targets=np.array([classes.index(row["target"]) for row in images], np.int64),
                probabilities=np.array([[float(row[f"p_{name}"]) for name in classes] for row in images]),
                finding=finding,
            )
        )
    return found


def write_measurements(folder: StudyFolder, file: str, measurements: Sequence[Measurements]) -> str:
    """Write one row for each image and member, true and predicted number in the unit of the study; return the file's name."""
    rows = (
        [image, patient, one.part, one.member, repr(truth), repr(predicted)]
        for one in measurements
        for image, patient, truth, predicted in zip(
            one.image_ids, one.patient_ids, one.truth.tolist(), one.predicted.tolist(), strict=True
        )
    )
    return folder.write_table(file, ["image_id", "patient_id", "part", "member", "target", "predicted"], rows)


def read_measurements(folder: StudyFolder, file: str) -> list[Measurements]:
    """Read what `write_measurements` wrote: one entry for each part and member, in the order of the file."""
    found = []
    for (part, member), group in groupby(folder.read_table(file), key=lambda row: (row["part"], row["member"])):
        images = list(group)
        found.append(
            Measurements(
                part=part,
                member=member,
                image_ids=tuple(row["image_id"] for row in images),
                patient_ids=tuple(row["patient_id"] for row in images),
                truth=np.array([float(row["target"]) for row in images]),
                predicted=np.array([float(row["predicted"]) for row in images]),
            )
        )
    return found
