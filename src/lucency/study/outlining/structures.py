"""The ground truth of a segmentation: label maps of what was drawn, beside the table of labels."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

from lucency.domain.cohort import KEPT, REFUSED, CohortRow, LabelRow
from lucency.domain.ground_truth import GroundTruth
from lucency.errors import PlanError
from lucency.study.cohort import BY_RULE, CLASSES, COHORT, GROUND_TRUTH, LABEL, LABELS
from lucency.study.stage import Stage, Study

if TYPE_CHECKING:
    from lucency.data.geometry.placement import Placement

MASKS = ["store/masks.bin", "store/masks.jsonl"]
NOTHING = "nothing drawn"
"""What an image is called on which no structure is drawn."""


def structures_of(study: Study) -> tuple[str, ...]:
    """Return the structures, in the order of their labels from 1."""
    return tuple(study.folder.read_json(CLASSES)["structures"])


def spacing_of(image: CohortRow) -> tuple[float, ...] | None:
    """Return the distances between slices, rows and columns of an image in millimetres, as far as they are known."""
    return tuple(float(number) for number in image.spacing_mm.split("×")) if image.spacing_mm else None


def placement_of(study: Study, image: CohortRow) -> "Placement":
    """Say where a picture lies on the plan's grid."""
    from lucency.data.geometry.placement import place
    from lucency.data.reading import aspect_of

    spacing = spacing_of(image)
    aspect = aspect_of(spacing[-2], spacing[-1]) if spacing else 1.0
    return place((image.rows, image.columns), study.plan.data.image, aspect)


def _label(study: Study, key: str) -> Iterable[str]:  # noqa: ARG001 - every stage is given its key
    """Read what was drawn, store it as label maps, and say of each image which structures are on it."""
    from lucency.data.ground_truth.drawings.label_maps import LabelMapWriter
    from lucency.data.ground_truth.labelling import label_structures
    from lucency.study.ground_truth.drawings import read_drawn_ground_truth

    folder, labels = study.folder, study.plan.data.labels
    if labels.drawings is None:
        raise PlanError("`data.labels.from: masks` needs `drawings`, for example {path: masks}.")
    kept = [row for row in folder.read_rows(COHORT, CohortRow) if row.status == KEPT]
    writer = LabelMapWriter(folder.path / "store", labels.drawings)
    verdicts = read_drawn_ground_truth(study, kept, labels.drawings, writer.take)
    structures = writer.finish()
    named = [
        replace(verdict, target=_together(writer.present[image.image_id])) if verdict.target else verdict
        for image, verdict in zip(kept, verdicts.verdicts, strict=True)
    ]
    rows = [_placeable(image, row) for image, row in zip(kept, label_structures(kept, labels, named), strict=True)]
    study.desk.say(_sentence_on(rows, structures))
    classes = sorted({row.target for row in rows if row.status == KEPT})
    return [
        folder.write_rows(LABELS, rows),
        folder.write_json(CLASSES, {"classes": classes, "structures": structures, "unknown_table_rows": []}),
        folder.write_json(GROUND_TRUTH, asdict(GroundTruth())),
        folder.write_table(BY_RULE, ["image_id", "rule", "target"], []),
        *verdicts.files,
        *MASKS,
    ]


def _together(structures: Sequence[str]) -> str:
    return " + ".join(structures) or NOTHING


def _placeable(image: CohortRow, row: LabelRow) -> LabelRow:
    """Refuse a picture whose pixels are not square in a proportion that is not written down."""
    if row.status == KEPT and "N_NOT_SQUARE" in image.notes.split() and not image.spacing_mm:
        return replace(row, target="", status=REFUSED, reason="E_MASK_PLACE")
    return row


def _sentence_on(rows: Sequence[LabelRow], structures: Sequence[str]) -> str:
    n_kept = sum(row.status == KEPT for row in rows)
    n_empty = sum(row.status == KEPT and row.target == NOTHING for row in rows)
    refused = Counter(row.reason for row in rows if row.status == REFUSED)
    words = f"Masks: {n_kept} images with {', '.join(structures)}"
    words += f"; on {n_empty} of them nothing is drawn" if n_empty else ""
    return words + "".join(f", {n} set aside ({code})" for code, n in sorted(refused.items())) + "."


LABEL_STRUCTURES = Stage(
    "label",
    "The masks are read.",
    lambda study: LABEL.settings(study) | {"label_maps": True},
    lambda _: [COHORT],
    _label,
)
