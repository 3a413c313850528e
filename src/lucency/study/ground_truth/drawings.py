"""What was drawn on the images of a study: where they lie on this disk, and pictures with outlines for the report."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, fields
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lucency.data.ground_truth.drawings.consensus import CONSENSUS, PairCounts, drawn_voxels
from lucency.data.ground_truth.drawings.finding import Unmatched
from lucency.data.ground_truth.drawings.images import ImageOnDisk
from lucency.data.ground_truth.drawings.labels import DrawnLabel, DrawnLabels, Take, labels_from_drawings
from lucency.data.ground_truth.drawings.measuring import DrawingRow
from lucency.data.ground_truth.drawings.outlines import COLOURS, largest_slice, outlined, picture_of, window_around
from lucency.data.ground_truth.drawings.reading import DrawnOn, read_drawings
from lucency.data.ground_truth.verdicts import Verdict, Verdicts
from lucency.data.naming import Naming
from lucency.data.reading import RefusedImage
from lucency.domain.cohort import KEPT, CohortRow
from lucency.domain.labels_plan import Drawings
from lucency.domain.progress import Silence
from lucency.errors import SourceError
from lucency.study.images import FILES, image_path, naming_of
from lucency.study.pictures import DRAWN, LARGEST_SIDE, write_pictures
from lucency.study.stage import Study

ROWS, PAIRS, UNMATCHED = "drawings.csv", "drawings-agreement.csv", "drawings-unmatched.csv"
N_CASES = 8
"""Images that the report shows with their outlines."""


def read_drawn_ground_truth(
    study: Study, kept: Sequence[CohortRow], settings: Drawings, take: Take = lambda *_: ""
) -> Verdicts:
    """Label the kept images by what was drawn on them; write what was drawn, how far readers agree, and a few pictures.

    `take` is given what was drawn on each image, for whoever wants more than labels.

    Raises:
        SourceError: the drawings, or the images themselves, cannot be used.
        Interrupted: the user asked to stop.
    """
    images = images_of_cohort(study)
    drawn = labels_from_drawings(images, settings, study.desk, take)
    for sentence in _sentences_on(drawn):
        study.desk.say(sentence)
    by_id = {label.image_id: label for label in drawn.labels}
    return Verdicts(
        [_verdict(by_id[row.image_id]) for row in kept],
        files=(
            _write_rows(study, ROWS, DrawingRow, drawn.rows),
            _write_rows(study, PAIRS, PairCounts, drawn.pairs),
            _write_rows(study, UNMATCHED, Unmatched, drawn.found.unmatched),
            *show_drawings(study, drawn, images, settings),
        ),
    )


def images_of_cohort(study: Study) -> list[ImageOnDisk]:
    """Return all images of a curated cohort as drawings know them, refused ones among them.

    Raises:
        SourceError: the images lie in an archive, so that no drawing can name one.
    """
    folder, naming = image_path(study.plan.data, study.folder.path), naming_of(study)
    if not folder.is_dir():
        raise SourceError(
            f"{folder.name} is no folder here, and drawings are matched with images by the names and sizes of their files. "
            "Let `data.images` name a folder of images."
        )
    files_of: dict[str, list[str]] = {}
    for line in study.folder.read_table(FILES) if (study.folder.path / FILES).exists() else []:
        files_of.setdefault(line["image_id"], []).append(line["file"])
    cohort = study.folder.read_rows("cohort.csv", CohortRow)
    return on_disk(cohort, folder, files_of, naming)


def on_disk(
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
        caption = f"{label.image_id}: {_in_words(study, label.target)}" + (f" ({legend})" if legend else "")
        facts = {"caption": caption, "image_id": label.image_id, "target": label.target, "readers": readers}
        pictures.append((picture, facts))
    return write_pictures(study, DRAWN, "drawing", pictures)


def _in_words(study: Study, target: str) -> str:
    """Write a class as it is, and a number with its unit."""
    regression = study.plan.regression
    return f"{float(target):.6g} {regression.unit}" if regression else target


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


def _verdict(label: DrawnLabel) -> Verdict:
    votes = "; ".join(f"{reader}: {'drawn' if vote else 'nothing drawn'}" for reader, vote in label.votes.items())
    return Verdict(label.target, label.code, None, votes, label.agreement, label.notes)


def _write_rows(study: Study, file: str, kind: type, rows: Sequence[Any]) -> str:
    """Write a table that may be empty."""
    return study.folder.write_table(file, [one.name for one in fields(kind)], [asdict(row).values() for row in rows])


def _sentences_on(drawn: DrawnLabels) -> Iterator[str]:
    """Say what was found beyond the labels."""
    lesions = [row for row in drawn.rows if row.n_voxels and row.reader in ("", CONSENSUS)]
    yield f"Drawings: {len(lesions)} lesions or structures on {len({row.image_id for row in lesions})} images."
    unmatched = drawn.found.unmatched
    if unmatched:
        names = ", ".join(one.file for one in unmatched[:3])
        more = f" and {len(unmatched) - 3} more" if len(unmatched) > 3 else ""
        yield f"{sum(one.n for one in unmatched)} drawings belong to no image ({names}{more}); {UNMATCHED} lists them."
    n_missing = sum(label.code == "E_NO_LABEL" for label in drawn.labels)
    if n_missing:
        yield (
            f"Nobody drew on {n_missing} images, so that they have no label. If nothing was there to draw, set "
            "`data.labels.drawings.missing: empty`."
        )


def _spacing(written: str) -> tuple[float, float] | None:
    """Read the distances between rows and between columns from a row of the cohort."""
    numbers = [float(number) for number in written.split("×")] if written else []
    return (numbers[-2], numbers[-1]) if len(numbers) > 1 else None
