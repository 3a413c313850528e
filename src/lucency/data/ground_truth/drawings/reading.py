"""Read what was drawn on each image of a study: the one door to masks and boxes."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import TypeVar

import numpy as np
from scipy import ndimage

from lucency.data.ground_truth.drawings.finding import Drawing, Found
from lucency.data.ground_truth.drawings.images import ImageOnDisk, grid_of, plain_grid
from lucency.data.ground_truth.drawings.marks import Marks
from lucency.data.reading import RefusedImage
from lucency.domain.labels_plan import Drawings
from lucency.domain.masks import Box, ImageGrid, Mask
from lucency.domain.progress import Desk

Mark = TypeVar("Mark", Mask, Box)

MOST_OF_AN_IMAGE = 0.5
"""Share from which on a mask that fills the border too is probably inverted."""


@dataclass(frozen=True)
class DrawnOn:
    """What all readers drew on one image, or why that cannot be told."""

    image: ImageOnDisk
    files: tuple[str, ...] = ()
    """The drawings, below their folders; empty where nobody drew."""
    by_reader: Mapping[str, Marks] | None = None
    """Reader → marks; a reader without an entry did not look. The reader is "" where one folder holds all drawings."""
    spacing_mm: tuple[float, float, float] | None = None
    """Distances between slices, rows and columns; that between slices is 0 for a picture. None where it is not known."""
    grid: ImageGrid | None = None
    code: str = ""
    """Why the drawings were refused (E_…)."""
    notes: tuple[str, ...] = ()

    @property
    def marks(self) -> Mapping[str, Marks]:
        """What was drawn; nothing where it was refused or nobody drew."""
        return self.by_reader or {}


def read_drawings(images: Sequence[ImageOnDisk], found: Found, settings: Drawings, desk: Desk) -> Iterator[DrawnOn]:
    """Read the drawings of all images that were kept, in their order, one image in memory at a time.

    Whatever is wrong with a drawing becomes the code of its image; an image one of whose drawings is refused has none.
    """
    kept = [image for image in images if image.is_kept]
    with desk.progress("Reading drawings", len(kept)) as progress:
        for source, frames in groupby(kept, key=lambda image: image.source):
            for drawn in _on_file(list(frames), found.of_source.get(source, ()), settings):
                yield drawn
                progress.advance()


def _on_file(frames: list[ImageOnDisk], drawings: Sequence[Drawing], settings: Drawings) -> Iterator[DrawnOn]:
    """Read the drawings of one file, and cut them into its frames."""
    files = tuple(drawing.file for drawing in drawings)
    if not drawings:
        yield from (DrawnOn(image) for image in frames)
        return
    try:
        grid = None if any(drawing.needs_place for drawing in drawings) else plain_grid(frames[0])
        grid = grid or grid_of(frames[0])
        by_reader = _by_reader(drawings, grid, settings)
    except RefusedImage as reason:
        yield from (DrawnOn(image, files, code=reason.code) for image in frames)
        return
    for image in frames:
        yield _of_frame(image, files, by_reader, grid)


def _by_reader(drawings: Sequence[Drawing], grid: ImageGrid, settings: Drawings) -> dict[str, Marks]:
    read: dict[str, list[Marks]] = {}
    for drawing in drawings:
        read.setdefault(drawing.reader, []).append(read_drawing(drawing, grid))
    if settings.missing == "empty":
        read = {reader: [] for reader in settings.readers} | read
    return {reader: join_marks(marks, reader, settings) for reader, marks in sorted(read.items())}


def read_drawing(drawing: Drawing, grid: ImageGrid) -> Marks:
    """Lay one drawing on the grid of its image.

    Raises:
        RefusedImage: and nothing else, whatever the file holds.
    """
    try:
        return drawing.read(grid)
    except RefusedImage:
        raise
    except MemoryError:
        raise RefusedImage("E_SIZEBOMB") from None
    except Exception:  # parsers and decoders raise anything on damaged files
        raise RefusedImage("E_UNREADABLE") from None


def join_marks(several: Sequence[Marks], reader: str, settings: Drawings) -> Marks:
    """Put the files of one reader together, keep the structures that count, and number the lesions of each.

    Raises:
        RefusedImage: a mask has no name where several names count.
    """
    if not all(name for marks in several for name in marks.names):
        raise RefusedImage("E_UNKNOWN_NAME")
    masks = [mask for marks in several for mask in marks.masks]
    boxes = [box for marks in several for box in marks.boxes]
    notes = [note for marks in several for note in marks.notes]
    masks = [named for mask in masks if (named := _if_it_counts(mask, settings))]
    notes += ["N_MASK_MOST"] if any(map(_is_most, masks)) else []
    if settings.split_lesions:
        masks = [part for mask in masks for part in _parts(mask)]
    return Marks(
        tuple(_numbered([replace(mask, reader=reader) for mask in masks])),
        tuple(replace(box, reader=reader) for box in boxes if _if_it_counts(box, settings)),
        tuple(dict.fromkeys(notes)),
    )


def _if_it_counts(mark: Mark, settings: Drawings) -> Mark | None:
    """Return a mark by the name that the plan gives its structure, whatever capitals and hyphens its file uses."""
    if not settings.structures:
        return mark
    name = next((name for name in settings.structures if _plain(name) == _plain(mark.name)), None)
    return replace(mark, name=name) if name else None


def _plain(name: str) -> str:
    return re.sub(r"[\W_]+", " ", name).strip().casefold()


def _is_most(mask: Mask) -> bool:
    drawn = mask.voxels >= 0.5
    border = np.ones(drawn.shape[1:], bool)
    border[1:-1, 1:-1] = False
    return bool(drawn.mean() > MOST_OF_AN_IMAGE and drawn[:, border].all())


def _parts(mask: Mask) -> list[Mask]:
    """Return the connected parts of a mask, voxels that touch at a corner included; an empty mask stays one."""
    numbers, n_parts = ndimage.label(mask.voxels >= 0.5, np.ones((3, 3, 3)))
    if n_parts < 2:
        return [mask]
    return [replace(mask, voxels=numbers == number) for number in range(1, n_parts + 1)]


def _numbered(masks: Sequence[Mask]) -> Iterator[Mask]:
    counts: Counter[str] = Counter()
    for mask in masks:
        counts[mask.name] += 1
        yield replace(mask, number=counts[mask.name])


def _of_frame(image: ImageOnDisk, files: tuple[str, ...], by_reader: dict[str, Marks], grid: ImageGrid) -> DrawnOn:
    """Take the part of the marks that lies on one frame; on a picture or volume of its own, all of them."""
    if image.frame:
        if image.frame > grid.shape[0]:
            return DrawnOn(image, files, code="E_MASK_SIZE")
        by_reader = {reader: _cut(marks, image.frame - 1) for reader, marks in by_reader.items()}
        grid = replace(grid, shape=(1, *grid.shape[1:]), affine=None)
    notes = dict.fromkeys(note for marks in by_reader.values() for note in marks.notes)
    return DrawnOn(image, files, by_reader, _spacing(image, grid), grid, notes=tuple(notes))


def _cut(marks: Marks, slice_: int) -> Marks:
    return replace(marks, masks=tuple(replace(mask, voxels=mask.voxels[slice_ : slice_ + 1]) for mask in marks.masks))


def _spacing(image: ImageOnDisk, grid: ImageGrid) -> tuple[float, float, float] | None:
    if grid.affine is not None and grid.shape[0] > 1:
        slice_mm, row_mm, column_mm = (float(mm) for mm in np.linalg.norm(grid.affine[:3, :3], axis=0))
        return slice_mm, row_mm, column_mm
    if image.spacing_mm is not None:
        return (0.0, *image.spacing_mm)
    if grid.affine is not None:
        row_mm, column_mm = (float(mm) for mm in np.linalg.norm(grid.affine[:3, 1:3], axis=0))
        return 0.0, row_mm, column_mm
    return None
