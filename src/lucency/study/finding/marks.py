"""The marks that networks set, as tables and in COCO's format."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from lucency.data.ground_truth.drawings.runs import decode, encode, run_lengths
from lucency.domain.cohort import CohortRow
from lucency.domain.detections import Detections, Mark, pixels_of
from lucency.domain.parts import Part
from lucency.study.cohort import COHORT, split_rows_of
from lucency.study.finding.lesions import Lesions, placement_of
from lucency.study.folder import StudyFolder
from lucency.study.stage import Study

HEADER = ("image_id", "patient_id", "part", "member", "kind", "score", "left", "top", "width", "height", "mask")
"""A row for each mark; boxes are in pixels of the image as the network saw it, masks in COCO's compressed runs."""


def write_marks(folder: StudyFolder, file: str, predictions: Sequence[Detections]) -> str:
    """Write a row for each mark of each member."""
    return folder.write_table(file, HEADER, (row for one in predictions for row in _rows_of(one)))


def read_marks(study: Study, file: str, lesions: Lesions, part: Part, member: str) -> Detections:
    """Return what one member marked in one part; images without a mark are there as well."""
    marks: defaultdict[str, list[Mark]] = defaultdict(list)
    shape = study.plan.data.image.shape
    for row in study.folder.read_table(file):
        if (row["part"], row["member"]) == (part, member):
            marks[row["image_id"]].append(_mark_of(row, shape))
    images = sorted((row for row in split_rows_of(study.folder) if row.part == part), key=lambda row: row.image_id)
    return Detections(
        part=str(part),
        member=member,
        kinds=lesions.kinds,
        shape=shape,
        image_ids=tuple(image.image_id for image in images),
        patient_ids=tuple(image.patient_id for image in images),
        lesions=tuple(lesions.of_image[image.image_id] for image in images),
        marks=tuple(tuple(marks[image.image_id]) for image in images),
    )


def write_coco_marks(study: Study, file: str, detections: Detections) -> str:
    """Write marks in COCO's format, in pixels of the original images, each with its score."""
    rows = {row.image_id: row for row in study.folder.read_rows(COHORT, CohortRow)}
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for number, (image_id, marks) in enumerate(zip(detections.image_ids, detections.marks, strict=True), start=1):
        row = rows[image_id]
        name = f"{row.source}#{row.frame}" if row.frame else row.source
        images.append({"id": number, "file_name": name, "height": row.rows, "width": row.columns})
        for mark in marks:
            place = on_original(study, row, mark)
            if place["area"] > 0:  # a mark on the black border that `fit: pad` added lies on no original
                kind = {"image_id": number, "category_id": detections.kinds.index(mark.kind) + 1, "score": mark.score}
                annotations.append({"id": len(annotations) + 1, **kind, **place, "iscrowd": 0})
    categories = [{"id": number, "name": kind} for number, kind in enumerate(detections.kinds, start=1)]
    content = {"images": images, "annotations": annotations, "categories": categories}
    return study.folder.write(file, json.dumps(content) + "\n")


def _rows_of(detections: Detections) -> Iterable[Sequence[object]]:
    for image_id, patient_id, marks in zip(detections.image_ids, detections.patient_ids, detections.marks, strict=True):
        for mark in marks:
            left, top, right, bottom = mark.edges
            yield (
                *(image_id, patient_id, detections.part, detections.member, mark.kind, mark.score),
                *(left, top, right - left, bottom - top),
                "" if mark.runs is None else encode(pixels_of(mark.runs, detections.shape)),
            )


def _mark_of(row: Mapping[str, str], shape: tuple[int, int]) -> Mark:
    left, top, width, height = (float(row[side]) for side in ("left", "top", "width", "height"))
    runs = tuple(run_lengths(decode(row["mask"], shape))) if row["mask"] else None
    return Mark(row["kind"], float(row["score"]), (left, top, left + width, top + height), runs)


def on_original(study: Study, image: CohortRow, mark: Mark) -> dict[str, Any]:
    """Return box, area and mask of a mark in pixels of the original image."""
    placement = placement_of(study, image)
    left, top, right, bottom = map(float, placement.boxes_back(np.array([mark.edges]))[0])
    facts: dict[str, Any] = {"bbox": [left, top, right - left, bottom - top], "area": (right - left) * (bottom - top)}
    if mark.runs is None:
        return facts
    pixels = placement.probabilities_back(pixels_of(mark.runs, placement.grid).astype(np.float32)) >= 0.5
    return facts | {"area": int(pixels.sum()), "segmentation": {"size": list(pixels.shape), "counts": encode(pixels)}}
