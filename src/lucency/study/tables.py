"""Predictions as a table."""

from collections.abc import Sequence
from itertools import groupby

import numpy as np

from lucency.domain.predictions import Predictions
from lucency.study.folder import StudyFolder


def write_predictions(folder: StudyFolder, file: str, predictions: Sequence[Predictions]) -> str:
    """Write one row for each image and member; return the file's name."""
    classes = predictions[0].classes
    header = ["image_id", "patient_id", "part", "member", "target", *(f"p_{name}" for name in classes)]
    # repr gives the shortest text that reads back as the same number
    rows = (
        [image, patient, answer.part, answer.member, classes[target], *map(repr, probabilities)]
        for answer in predictions
        for image, patient, target, probabilities in zip(
            answer.image_ids, answer.patient_ids, answer.targets, answer.probabilities.tolist(), strict=True
        )
    )
    return folder.write_table(file, header, rows)


def read_predictions(folder: StudyFolder, file: str) -> list[Predictions]:
    """Read what `write_predictions` wrote: one entry for each part and member, in the order of the file."""
    rows = folder.read_table(file)
    classes = tuple(name.removeprefix("p_") for name in rows[0] if name.startswith("p_"))
    found = []
    for (part, member), group in groupby(rows, key=lambda row: (row["part"], row["member"])):
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
            )
        )
    return found
