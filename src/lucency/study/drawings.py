"""What was drawn on the images of a study: where they lie on this disk, and pictures with outlines for the report."""

from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lucency.data.ground_truth.drawings.consensus import PairCounts, drawn_voxels
from lucency.data.ground_truth.drawings.images import ImageOnDisk
from lucency.data.ground_truth.drawings.labels import DrawnLabel, DrawnLabels
from lucency.data.ground_truth.drawings.outlines import COLOURS, largest_slice, outlined, picture_of, window_around
from lucency.data.ground_truth.drawings.reading import DrawnOn, read_drawings
from lucency.data.naming import Naming
from lucency.data.reading import RefusedImage
from lucency.domain.cohort import KEPT, CohortRow
from lucency.domain.labels_plan import Drawings
from lucency.domain.progress import Silence
from lucency.study.pictures import LARGEST_SIDE, write_pictures
from lucency.study.stage import Study

DRAWN = "figures/drawings.json"
N_CASES = 8
"""Images that the report shows with their outlines."""


def images_of_cohort(
    cohort: Sequence[CohortRow], folder: Path, files_of: Mapping[str, Sequence[str]], naming: Naming
) -> list[ImageOnDisk]:
    """Return the images of a cohort as drawings know them; `files_of` lists the files of volumes below the folder."""
    return [
        ImageOnDisk(
            row.image_id,
            naming.path(row.source),
            tuple(folder / file for file in files_of.get(row.image_id) or [row.source.split("#")[0]]),
            (row.slices, row.rows, row.columns),
            row.frame,
            _spacing(row.spacing_mm),
            row.patient_id,
            row.status == KEPT,
        )
        for row in cohort
    ]


def show_drawings(study: Study, drawn: DrawnLabels, images: Sequence[ImageOnDisk], settings: Drawings) -> list[str]:
    """Write a few images with the outlines of what was drawn; of several readers, those who agree least come first."""
    wanted = list(islice(choose_cases(drawn.labels, drawn.pairs), N_CASES))
    image_of = {image.image_id: image for image in images}
    pictures: list[tuple[NDArray[np.float32], Mapping[str, object]]] = []
    for label in wanted:
        one = next(read_drawings([image_of[label.image_id]], drawn.found, settings, Silence()))
        try:
            picture, readers = show_outlines(one, LARGEST_SIDE)
        except RefusedImage:  # gone since: the report does without
            continue
        legend = ", ".join(f"{reader}: {colour}" for reader, colour in readers.items() if reader)
        caption = f"{label.image_id}: {label.target}" + (f" ({legend})" if legend else "")
        facts = {"caption": caption, "image_id": label.image_id, "target": label.target, "readers": readers}
        pictures.append((picture, facts))
    return write_pictures(study, DRAWN, "drawing", pictures)


def choose_cases(labels: Sequence[DrawnLabel], pairs: Sequence[PairCounts]) -> list[DrawnLabel]:
    """Order the images on which something was drawn: those whose readers agree least, then evenly over the cohort."""
    positive = [label for label in labels if label.n_voxels]
    least = {label.image_id: 1.0 for label in positive}
    for pair in pairs:
        if pair.image_id in least and pair.n_first + pair.n_second:
            dice = 2 * pair.n_both / (pair.n_first + pair.n_second)
            least[pair.image_id] = min(least[pair.image_id], dice)
    if pairs:
        return sorted(positive, key=lambda label: least[label.image_id])
    step = max(1, len(positive) // N_CASES)
    return positive[::step]


def show_outlines(drawn: DrawnOn, longest_side: int, close: bool = False) -> tuple[NDArray[np.float32], dict[str, str]]:
    """Return the slice that holds most with an outline for each reader, and the colour of each.

    Fractions of white, axes (colour, row, column).

    With `close`, only what lies around the outlines is shown.

    Raises:
        RefusedImage: the image cannot be read.
    """
    if drawn.grid is None:
        raise RefusedImage(drawn.code or "E_NO_LABEL")
    masks = {reader: _all_of(drawn, reader) for reader in drawn.marks}
    anything = np.logical_or.reduce(list(masks.values()))
    slice_ = largest_slice(anything)
    window = window_around(anything[slice_]) if close else (slice(None), slice(None))
    picture = picture_of(drawn.image, slice_)[window]
    shown = outlined(picture, [mask[slice_][window] for mask in masks.values()], longest_side)
    fractions = np.moveaxis(shown, -1, 0).astype(np.float32) / np.float32(255)
    return fractions, dict(zip(masks, list(COLOURS) * (len(masks) // len(COLOURS) + 1), strict=False))


def _all_of(drawn: DrawnOn, reader: str) -> NDArray[np.bool_]:
    """Join everything that one reader drew."""
    assert drawn.grid is not None
    marks = drawn.marks[reader]
    return np.logical_or.reduce(
        [drawn_voxels(marks, name, drawn.grid.shape) for name in set(marks.names)] or [np.zeros(drawn.grid.shape, bool)]
    )


def _spacing(written: str) -> tuple[float, float] | None:
    """Read the distances between rows and between columns from a row of the cohort."""
    numbers = [float(number) for number in written.split("×")] if written else []
    return (numbers[-2], numbers[-1]) if len(numbers) > 1 else None
