"""Masks outside of a study: bring them into another format, and compare what several people drew."""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lucency.data.codes import EXPLANATIONS
from lucency.data.ground_truth.drawings.coco import DrawnImage, write_coco
from lucency.data.ground_truth.drawings.consensus import drawn_voxels
from lucency.data.ground_truth.drawings.finding import Drawing, find_drawings
from lucency.data.ground_truth.drawings.images import ImageOnDisk, grid_of
from lucency.data.ground_truth.drawings.labels import count_drawn
from lucency.data.ground_truth.drawings.marks import Marks
from lucency.data.ground_truth.drawings.names import stem_of
from lucency.data.ground_truth.drawings.pictures import write_picture
from lucency.data.ground_truth.drawings.reading import join_marks, read_drawing
from lucency.data.ground_truth.drawings.volumes import write_nifti
from lucency.data.reading import RefusedImage
from lucency.data.volumes import find_volumes
from lucency.domain.labels_plan import Drawings
from lucency.domain.masks import ImageGrid, Mask
from lucency.domain.progress import Desk
from lucency.errors import PlanError, SourceError
from lucency.provenance import write_atomically

TABLE = "masks.csv"
LEGEND = "structures.csv"
"""Which structure each level of the written label maps stands for."""
FORMATS = ("nifti", "seg", "coco", "png")
WRITTEN, REFUSED = "written", "refused"


@dataclass(frozen=True)
class Fate:
    """What became of one drawing (`masks.csv`)."""

    drawing: str
    """Path below the folder of drawings."""
    image: str
    """Path below the folder of images; empty where none belongs to the drawing."""
    fate: str
    """written or refused."""
    code: str = ""
    reason: str = ""
    """The code in words."""
    notes: str = ""
    structures: str = ""
    n_voxels: int = 0
    output: str = ""
    """What was written, below the folder of results."""


@dataclass(frozen=True)
class Level:
    """A level of the label maps that were written (`structures.csv`)."""

    level: int
    structure: str


def convert_masks(settings: Drawings, images: Path, to: str, out: Path, desk: Desk) -> list[Fate]:
    """Write every drawing that fits its image in another format, and account for all; `to` is one of `FORMATS`.

    Raises:
        SourceError: images or drawings are not there.
        PlanError: the folder of results holds something else.
        StorageError: it cannot be written.
        Interrupted: the user asked to stop.
    """
    on_disk = images_below(images, desk)
    found = find_drawings(on_disk, settings)
    take_folder(out)
    export = _Export(to, out, settings)
    fates = [_refused(one.file, "", one.code) for one in found.unmatched]
    drawn = [image for image in on_disk if image.source in found.of_source]
    with desk.progress("Converting masks", len(drawn)) as progress:
        for image in drawn:
            fates += _convert(image, found.of_source[image.source], settings, export)
            progress.advance()
    export.finish()
    fates.sort(key=lambda fate: (fate.drawing, fate.image))
    write_rows(out / TABLE, Fate, fates)
    return fates


def images_below(folder: Path, desk: Desk) -> list[ImageOnDisk]:
    """List the images below a folder, volumes of several files as one; those that cannot be read keep their names.

    Raises:
        SourceError: there is no image.
    """
    stacks = find_volumes(folder, desk=desk) if folder.is_dir() else ()
    if not stacks:
        raise SourceError(f"There is no image in {folder}. Name the folder of the images that were drawn on.")
    return [
        ImageOnDisk(
            stack.source,
            stack.source,
            tuple(folder / file for file in stack.files),
            patient_id=stack.facts.patient,
            is_kept=not stack.code,
        )
        for stack in stacks
    ]


def take_folder(out: Path) -> None:
    """Make the folder of results, or take it again if it was begun before.

    Raises:
        PlanError: it holds something else.
        StorageError: it cannot be written.
    """
    if out.exists() and (not out.is_dir() or (any(out.iterdir()) and not (out / TABLE).exists())):
        raise PlanError(f"{out} holds something else. Choose an empty or a new folder with --out.")
    write_atomically(out / TABLE, "")


def write_rows(path: Path, kind: type, rows: Iterable[Any]) -> None:
    """Write frozen dataclasses of one kind as CSV."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([field.name for field in fields(kind)])
    writer.writerows([_disarmed(value) for value in asdict(row).values()] for row in rows)
    write_atomically(path, text.getvalue())


def name_of(image: ImageOnDisk) -> str:
    """Return what the mask of an image is to be called: as the image or, for a series of files, as its folder."""
    folder = image.source.rpartition("/")[0]
    name = folder if len(image.files) > 1 and folder else stem_of(image.source.split("#")[0])
    number = image.source.rpartition("#")[2] if "#" in image.source else ""
    return f"{name}-{number}" if number else name


def as_file_name(structure: str) -> str:
    """Write the name of a structure so that every system takes it as part of a file's name."""
    return re.sub(r"[^\w-]+", "-", structure).strip("-") or "structure"


def _convert(image: ImageOnDisk, drawings: Sequence[Drawing], settings: Drawings, export: "_Export") -> Iterator[Fate]:
    """Read all drawings of one image; write those that fit, together, and refuse the others one by one."""
    try:
        grid = grid_of(image)
    except RefusedImage as reason:
        yield from (_refused(drawing.file, image.source, reason.code) for drawing in drawings)
        return
    fitting: dict[str, Marks] = {}
    for drawing in drawings:
        try:
            fitting[drawing.file] = join_marks([read_drawing(drawing, grid)], "", settings)
        except RefusedImage as reason:
            yield _refused(drawing.file, image.source, reason.code)
    if not fitting:
        return
    try:
        output = export.write(image, grid, join_marks(list(fitting.values()), "", settings))
    except RefusedImage as reason:
        yield from (_refused(file, image.source, reason.code) for file in fitting)
        return
    yield from (_written(file, image.source, marks, output) for file, marks in fitting.items())


def _refused(file: str, image: str, code: str) -> Fate:
    return Fate(file, image, REFUSED, code, EXPLANATIONS[code])


def _written(file: str, image: str, marks: Marks, output: str) -> Fate:
    n_voxels = count_drawn(marks)
    structures = "; ".join(sorted(set(marks.names)))
    return Fate(file, image, WRITTEN, "", "", " ".join(marks.notes), structures, n_voxels, output)


class _Export:
    """Writes the marks of one image after another in one format, and at the end what stands for all."""

    def __init__(self, to: str, out: Path, settings: Drawings) -> None:
        self._out, self._write_one = (
            out,
            {"nifti": self._nifti, "seg": self._seg, "coco": self._coco, "png": self._png}[to],
        )
        self._levels = {name: int(level) for level, name in settings.names.items() if level.isdigit() and int(level)}
        self._coco_images: list[DrawnImage] = []
        self._is_coco = to == "coco"

    def write(self, image: ImageOnDisk, grid: ImageGrid, marks: Marks) -> str:
        """Write one image's marks; return the file, below the folder of results.

        Raises:
            RefusedImage: the format cannot hold them.
        """
        return self._write_one(image, grid, marks)

    def finish(self) -> None:
        """Write the file of all images, or what the levels of the masks stand for."""
        if self._is_coco:
            write_coco(self._out / "annotations.json", self._coco_images)
        elif self._levels:
            levels = [Level(level, name) for name, level in self._levels.items()]
            write_rows(self._out / LEGEND, Level, levels)

    def _nifti(self, image: ImageOnDisk, grid: ImageGrid, marks: Marks) -> str:
        """Write a label map, or a file for each structure where they overlap."""
        structures = _structures(marks, grid)
        like = image.files[0] if len(image.files) == 1 else None
        if sum(voxels.astype(np.uint8) for voxels in structures.values()).max(initial=0) > 1:  # type: ignore[union-attr]
            files = {name: f"{name_of(image)}_{as_file_name(name)}.nii.gz" for name in structures}
            for name, file in files.items():
                write_nifti(self._out / file, structures[name], grid, like)
            return "; ".join(files.values())
        labels = np.zeros(grid.shape, np.uint8)
        for name, voxels in structures.items():
            labels[voxels] = self._level(name)
        write_nifti(self._out / f"{name_of(image)}.nii.gz", labels, grid, like)
        return f"{name_of(image)}.nii.gz"

    def _png(self, image: ImageOnDisk, grid: ImageGrid, marks: Marks) -> str:
        """Write a picture of 0 and 255 for each structure."""
        _refuse_volume(grid)
        files = {name: f"{name_of(image)}_{as_file_name(name)}.png" for name in set(marks.names)}
        for name, file in sorted(files.items()):
            write_picture(self._out / file, drawn_voxels(marks, name, grid.shape)[0])
        return "; ".join(sorted(files.values()))

    def _coco(self, image: ImageOnDisk, grid: ImageGrid, marks: Marks) -> str:
        _refuse_volume(grid)
        self._coco_images.append(DrawnImage(image.source, grid.shape[1:], marks.masks, marks.boxes))
        return "annotations.json"

    def _seg(self, image: ImageOnDisk, grid: ImageGrid, marks: Marks) -> str:
        """Write one segment for each lesion; boxes become the pixels in them."""
        if not image.is_dicom:
            raise RefusedImage("E_NOT_DICOM")
        from lucency.data.dicom.drawings.writing import write_segmentation

        boxed = {box.name for box in marks.boxes}
        masks = [mask for mask in marks.masks if mask.name not in boxed]
        masks += [Mask(name, voxels) for name, voxels in _structures(marks, grid).items() if name in boxed]
        write_segmentation(masks, image.files, self._out / f"{name_of(image)}.dcm")
        return f"{name_of(image)}.dcm"

    def _level(self, name: str) -> int:
        """Return the level of a structure: the one of the plan, else the next that is free."""
        if name not in self._levels:
            self._levels[name] = max(self._levels.values(), default=0) + 1
        return self._levels[name]


def _structures(marks: Marks, grid: ImageGrid) -> dict[str, NDArray[np.bool_]]:
    return {name: drawn_voxels(marks, name, grid.shape) for name in sorted(set(marks.names))}


def _refuse_volume(grid: ImageGrid) -> None:
    if grid.shape[0] > 1:
        raise RefusedImage("E_MULTIFRAME")


def _disarmed(value: object) -> object:
    """Keep a spreadsheet from running a file's name as a formula."""
    return f"'{value}" if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")) else value
