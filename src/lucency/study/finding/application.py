"""Find lesions in new images: how many marks reach the frozen threshold, and where they are, in COCO's format."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lucency.domain.detections import Detections, Mark
from lucency.provenance import write_atomically
from lucency.study.applying.application import Answer, Answering, Application, Measured, NewImage, stacked
from lucency.study.finding.detection import ENSEMBLE, FINDING, read_mark_threshold
from lucency.study.finding.lesions import read_lesions
from lucency.study.finding.marks import on_original
from lucency.study.stage import Study
from lucency.study.training import load_member, members

FOLDER = "boxes"


def _answering(study: Study) -> Answering:
    from lucency.evaluation.detection.fusion import fused
    from lucency.training.detecting import set_marks
    from lucency.training.device import fix_arithmetic, make_device

    fix_arithmetic(study.plan.training)
    device = make_device(study.plan.training)
    networks = [device.setup(load_member(FINDING, study, member)) for member in members(study.plan)]
    lesions, threshold = read_lesions(study.folder), read_mark_threshold(study.folder).threshold

    def answer(images: Sequence[NewImage], out: Path) -> list[list[Answer]]:
        import torch

        from lucency.training.drawn_images import DrawnImages
        from lucency.training.examples import ImageExamples

        n = len(images)
        pictures = ImageExamples(
            stacked(images), np.arange(n), torch.zeros(n, dtype=torch.int64), np.zeros(n, np.uint64)
        )
        examples = DrawnImages(pictures, ((),) * n, lesions.kinds, lesions.has_masks)
        ids = tuple(image.row.image_id for image in images)
        said = [
            Detections(
                part="new",
                member=name,
                kinds=lesions.kinds,
                shape=study.plan.data.image.shape,
                image_ids=ids,
                patient_ids=ids,
                lesions=((),) * n,
                marks=tuple(set_marks(network, examples, device)),
            )
            for name, network in zip(members(study.plan), networks, strict=True)
        ]
        marks = fused(said, ENSEMBLE).marks
        return [
            [_answer(study, image, m, threshold, lesions.kinds, out)] for image, m in zip(images, marks, strict=True)
        ]

    return answer


def _answer(
    study: Study, image: NewImage, marks: Sequence[Mark], threshold: float, kinds: tuple[str, ...], out: Path
) -> Answer:
    reached = [mark for mark in marks if mark.score >= threshold]
    counts = {kind: sum(mark.kind == kind for mark in reached) for kind in kinds}
    words = ", ".join(f"{n} {kind}" for kind, n in counts.items() if n) or f"no {' and no '.join(kinds)}"
    numbers = [
        Measured("Marks that reach the threshold", float(len(reached)), "n_marks"),
        Measured("Highest score", max((mark.score for mark in marks), default=0.0), "highest_score"),
        Measured("Threshold of the score", threshold, "threshold"),
    ]
    file = _write(study, image, reached, kinds, out)
    return Answer(words, tuple(numbers), basis=f"marks with a score of {threshold:.3f} or more", files=(file,))


def _write(study: Study, image: NewImage, marks: Sequence[Mark], kinds: tuple[str, ...], out: Path) -> Path:
    """Write the marks of one image as COCO, in pixels of the original."""
    row = image.row
    placed = [(mark, on_original(study, row, mark)) for mark in marks]
    annotations: list[dict[str, Any]] = [
        {
            "id": number,
            "image_id": 1,
            "category_id": kinds.index(mark.kind) + 1,
            "score": mark.score,
            **place,
            "iscrowd": 0,
        }
        for number, (mark, place) in enumerate(((m, p) for m, p in placed if p["area"] > 0), start=1)
    ]
    content = {
        "images": [{"id": 1, "file_name": row.source, "height": row.rows, "width": row.columns}],
        "annotations": annotations,
        "categories": [{"id": number, "name": kind} for number, kind in enumerate(kinds, start=1)],
    }
    path = out / FOLDER / f"{image.given.files[0].name.split('.')[0]}-{row.image_id}.json"
    write_atomically(path, json.dumps(content) + "\n")
    return path


BOXES = Application(FINDING, None, _answering)
