"""The lesions of a study, one by one on the grid of the plan: read from the drawings once, and kept in the store."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lucency.domain.cohort import KEPT, CohortRow, LabelRow
from lucency.domain.detections import Lesion
from lucency.domain.labels_plan import Drawings
from lucency.errors import SourceError
from lucency.study.cohort import COHORT, LABELS, settings_of_labels, write_labels
from lucency.study.folder import StudyFolder
from lucency.study.plan import as_settings
from lucency.study.stage import Stage, Study

if TYPE_CHECKING:  # Pillow is only needed where something is placed
    from lucency.data.geometry.placement import Placement
    from lucency.data.ground_truth.drawings.lesions import Laid

LESIONS = "store/lesions.json"


@dataclass(frozen=True)
class Lesions:
    """What lies in the images of a study."""

    kinds: tuple[str, ...]
    has_masks: bool
    """False where only boxes are known."""
    of_image: Mapping[str, tuple[Lesion, ...]]


def read_lesions(folder: StudyFolder) -> Lesions:
    """Return the lesions of every labelled image."""
    facts = folder.read_json(LESIONS)
    of_image = {
        image_id: tuple(
            Lesion(kind, tuple(edges), None if runs is None else tuple(runs)) for kind, edges, runs in lesions
        )
        for image_id, lesions in facts["images"].items()
    }
    return Lesions(tuple(facts["kinds"]), facts["has_masks"], of_image)


def placement_of(study: Study, image: CohortRow) -> "Placement":
    """Say where an image lies on the grid of the plan."""
    from lucency.data.geometry.placement import place
    from lucency.data.reading import aspect_of

    spacing = [float(number) for number in image.spacing_mm.split("×")[-2:]] if image.spacing_mm else [1.0, 1.0]
    return place((image.rows, image.columns), study.plan.data.image, aspect_of(spacing[0], spacing[1]))


def _label_and_place(study: Study, key: str) -> Iterable[str]:
    """Label the images as every study does, and keep their lesions."""
    written = [*write_labels(study, key)]
    return [*written, _place_lesions(study)]


def _place_lesions(study: Study) -> str:
    """Lay the lesions of every labelled image on the grid, and keep them.

    Raises:
        SourceError: there is no lesion at all, or some have an outline and others do not where masks are asked for.
    """
    laid = _read(study)
    lesions = [lesion for one in laid.values() for lesion in one.lesions]
    if not lesions:
        raise SourceError("No image has a lesion drawn on it. Look at labels.csv, and check `data.labels.drawings`.")
    kinds, has_masks = _kinds_of(lesions, _drawings_of(study)), _has_masks(study, lesions)
    for sentence in _sentences_on(laid, kinds):
        study.desk.say(sentence)
    images = {
        image_id: [[lesion.kind, lesion.edges, lesion.runs if has_masks else None] for lesion in one.lesions]
        for image_id, one in sorted(laid.items())
    }
    facts = {"shape": study.plan.data.image.shape, "kinds": kinds, "has_masks": has_masks, "images": images}
    return study.folder.write_json(LESIONS, facts)


def _read(study: Study) -> "dict[str, Laid]":
    """Read what was drawn on each labelled image."""
    from lucency.data.ground_truth.drawings.finding import find_drawings
    from lucency.data.ground_truth.drawings.labels import marks_that_count
    from lucency.data.ground_truth.drawings.lesions import lesions_on_grid
    from lucency.data.ground_truth.drawings.reading import read_drawings
    from lucency.study.ground_truth.drawings import images_of_cohort

    folder, settings, images = study.folder, _drawings_of(study), images_of_cohort(study)
    labelled = {row.image_id for row in folder.read_rows(LABELS, LabelRow) if row.status == KEPT}
    rows = {row.image_id: row for row in folder.read_rows(COHORT, CohortRow) if row.image_id in labelled}
    found = find_drawings(images, settings)
    return {
        drawn.image.image_id: lesions_on_grid(
            marks_that_count(drawn), placement_of(study, rows[drawn.image.image_id]), settings
        )
        for drawn in read_drawings(images, found, settings, study.desk)
        if drawn.image.image_id in labelled
    }


def _drawings_of(study: Study) -> Drawings:
    settings = study.plan.data.labels.drawings
    assert settings is not None  # the plan asks for it
    return settings


def _sentences_on(laid: "Mapping[str, Laid]", kinds: Sequence[str]) -> Iterator[str]:
    """Say what there is to find, and what was left out."""
    n_lesions, n_free = sum(len(one.lesions) for one in laid.values()), sum(not one.lesions for one in laid.values())
    yield f"Lesions: {n_lesions} ({', '.join(kinds)}) in {len(laid) - n_free} images, and {n_free} images without any."
    n_cut, n_small = sum(one.n_cut for one in laid.values()), sum(one.n_small for one in laid.values())
    if n_cut:
        yield f"{n_cut} lesions lie in what `data.image.fit: crop` cuts off, and are not looked for."
    if n_small:
        yield f"{n_small} lesions have fewer pixels than `data.labels.drawings.at_least_pixels`, and are not looked for."


def _kinds_of(lesions: Iterable[Lesion], settings: Drawings) -> list[str]:
    """List the kinds of lesions that there are, in the order of the plan or by name."""
    found = {lesion.kind for lesion in lesions}
    return [name for name in settings.structures if name in found] or sorted(found)


def _has_masks(study: Study, lesions: Iterable[Lesion]) -> bool:
    """Tell whether the network shall learn masks, and whether there are any to learn from."""
    asked = study.plan.detection.network
    if asked == "faster_rcnn" or (asked == "auto" and study.plan.data.labels.from_ == "boxes"):
        return False
    n_without = sum(lesion.runs is None for lesion in lesions)
    if n_without:
        raise SourceError(
            f"{n_without} lesions have a box and no outline, and Mask R-CNN learns from outlines. Set `detection.network: "
            "faster_rcnn`, which finds boxes."
        )
    return True


LABEL_LESIONS = Stage(
    "label",
    "The labels and lesions are read.",
    lambda study: {
        **settings_of_labels(study),
        "image": as_settings(study.plan.data.image),
        "network": study.plan.detection.network,
    },
    lambda _: [COHORT],
    _label_and_place,
)
