"""Find what was drawn, and the images that it belongs to."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from lucency.data.ground_truth.drawings import coco, pictures, volumes
from lucency.data.ground_truth.drawings.images import ImageOnDisk
from lucency.data.ground_truth.drawings.marks import Marks, legend_of
from lucency.data.ground_truth.drawings.names import ImageNames, Match
from lucency.data.reading import N_HEAD, RefusedImage, is_dicom
from lucency.domain.labels_plan import Drawings
from lucency.domain.masks import ImageGrid
from lucency.errors import SourceError

if TYPE_CHECKING:  # pydicom takes a second to import, which a folder of PNG files should not pay for
    from lucency.data.dicom.drawings.drawn import Drawn


@dataclass(frozen=True)
class Drawing:
    """What one file draws on one image."""

    file: str
    """Path below the folder of drawings."""
    read: Callable[[ImageGrid], Marks]
    """Lays it on the grid of the image; raises RefusedImage."""
    reader: str = ""
    needs_place: bool = False
    """True where rows and columns alone cannot tell where it lies."""


@dataclass(frozen=True)
class Unmatched:
    """A file, or a line of a COCO file, that belongs to no image."""

    file: str
    code: str
    reader: str = ""
    n: int = 1
    """How many lines of the file it stands for."""


@dataclass(frozen=True)
class Found:
    """All drawings of a plan."""

    of_source: Mapping[str, tuple[Drawing, ...]]
    """Source of an image → what was drawn on it."""
    unmatched: tuple[Unmatched, ...]


def find_drawings(images: Sequence[ImageOnDisk], settings: Drawings) -> Found:
    """Find the drawings of all readers, and match them with the images, refused ones among them.

    Raises:
        SourceError: a folder is not there, or holds no drawing.
    """
    folders = {"": settings.path} if settings.path else settings.readers
    of_source: defaultdict[str, list[Drawing]] = defaultdict(list)
    unmatched: list[Unmatched] = []
    names = _names_of(images, settings)
    source_of = cache(partial(_source_of_uids, images))
    own = {file.resolve(): image.is_kept for image in images for file in image.files}
    for reader, place in folders.items():
        for file, name in _drawings_below(Path(str(place)), own):
            for found in _in_file(file, name, names, source_of, settings):
                if isinstance(found, Unmatched):
                    unmatched.append(replace(found, reader=reader))
                else:
                    of_source[found[0]].append(replace(found[1], reader=reader))
    return Found({source: tuple(drawn) for source, drawn in of_source.items()}, tuple(unmatched))


def _names_of(images: Sequence[ImageOnDisk], settings: Drawings) -> ImageNames:
    series = [image.source for image in images if len(image.files) > 1]
    return ImageNames([image.source for image in images], series, (*settings.structures, *settings.names.values()))


def _source_of_uids(images: Sequence[ImageOnDisk]) -> dict[str, str]:
    """Map the UID of every DICOM image to its source."""
    from lucency.data.dicom.drawings.references import instance_uids

    return instance_uids({image.source: image.files for image in images if image.is_dicom})


def _drawings_below(path: Path, own: Mapping[Path, bool]) -> list[tuple[Path, str]]:
    """List the files that may be drawings, and their names below the folder; never the images themselves.

    `own` holds the files of the images, and whether each is kept: scanners and planning systems put segmentations and
    structure sets beside the slices, where they are refused as images.
    """
    if not path.exists():
        raise SourceError(f"There is no {path}. Check `data.labels.drawings` in the plan.")
    if path.is_file():
        return [(path, path.name)]
    files = sorted(file for file in path.rglob("*") if file.is_file() and not file.name.startswith("."))
    drawn = [file for file in files if _reader_of(file) is not None and _is_free(file, own)]
    if not drawn:
        if not files:
            raise SourceError(f"{path} holds no file. Name the folder in which the masks, or files of boxes, lie.")
        raise SourceError(
            f"None of the {len(files)} files in {path} is a drawing that can be read, or all are images of the study. "
            "Masks (PNG, TIFF, NIfTI, NRRD, DICOM SEG, RTSTRUCT) and COCO files (.json) are; keep them apart from images."
        )
    return [(file, file.relative_to(path).as_posix()) for file in drawn]


def _is_free(file: Path, own: Mapping[Path, bool]) -> bool:
    """Tell whether a file is none of the images; of those that were refused, DICOM drawings are."""
    is_kept = own.get(file.resolve())
    if is_kept is None:
        return True
    if is_kept or _reader_of(file) != "dicom":
        return False
    from lucency.data.dicom.drawings.references import references

    try:
        references(file)
    except RefusedImage:
        return False
    return True


def _reader_of(file: Path) -> str | None:
    """Tell how a file is to be read: by how it begins, else by its name; None where it is no drawing."""
    name = file.name.lower()
    kinds = {"volume": volumes.SUFFIXES, "coco": coco.SUFFIXES, "picture": pictures.SUFFIXES}
    kind = next((kind for kind, suffixes in kinds.items() if name.endswith(suffixes)), None)
    if kind:
        return kind
    try:
        with file.open("rb") as stream:
            return "dicom" if is_dicom(stream.read(N_HEAD)) or name.endswith((".dcm", ".dicom")) else None
    except OSError:
        return None


def _in_file(
    file: Path, name: str, names: ImageNames, source_of: Callable[[], Mapping[str, str]], settings: Drawings
) -> Iterator[tuple[str, Drawing] | Unmatched]:
    kind = _reader_of(file)
    if kind == "coco":
        yield from _in_coco(file, name, names)
    elif kind == "dicom":
        yield from _in_dicom(file, name, source_of)
    else:
        match = names.match(name)
        legend = legend_of(settings, match.structure)
        read = volumes.read_volume_mask if kind == "volume" else pictures.read_picture
        drawing = Drawing(name, lambda grid: read(file, grid, legend), needs_place=kind == "volume")
        yield from _given_to(match, drawing)


def _given_to(match: Match, drawing: Drawing) -> Iterator[tuple[str, Drawing] | Unmatched]:
    if not match.sources:
        yield Unmatched(drawing.file, "E_NO_IMAGE")
    yield from ((source, drawing) for source in match.sources)


def _in_coco(file: Path, name: str, names: ImageNames) -> Iterator[tuple[str, Drawing] | Unmatched]:
    try:
        content = coco.open_coco(file)
    except RefusedImage as reason:
        yield Unmatched(name, reason.code)
        return
    for image in content.images:
        drawing = Drawing(name, partial(coco.read_coco, image, content.categories))
        found = list(_given_to(names.match_file_name(image.name), drawing))
        yield from (Unmatched(f"{name}: {image.name}", "E_NO_IMAGE") if isinstance(f, Unmatched) else f for f in found)
    if content.n_without_image:
        yield Unmatched(f"{name}: annotations without an image", "E_NO_IMAGE", n=content.n_without_image)


def _in_dicom(
    file: Path, name: str, source_of: Callable[[], Mapping[str, str]]
) -> Iterator[tuple[str, Drawing] | Unmatched]:
    """Match by the images that the object refers to, never by its name."""
    from lucency.data.dicom.drawings.references import references

    try:
        modality, uids = references(file)
    except RefusedImage as reason:
        yield Unmatched(name, reason.code)
        return
    sources = {source_of()[uid] for uid in uids if uid in source_of()}
    # of several images, each is one slice of what was drawn on; a single one has to hold all of it
    beside = frozenset(source_of()) if len(sources) > 1 else frozenset()
    if modality == "SEG":
        from lucency.data.dicom.drawings.segmentation import read_segmentation

        read = partial(read_segmentation, file, beside=beside)
    else:
        from lucency.data.dicom.drawings.structure_set import read_structure_set

        read = partial(read_structure_set, file, beside=beside)
    drawing = Drawing(name, lambda grid: _marks_of(read(grid)), needs_place=True)
    yield from _given_to(Match(tuple(sorted(sources))), drawing)


def _marks_of(drawn: "Drawn") -> Marks:
    if drawn.code:
        raise RefusedImage(drawn.code)
    return Marks(drawn.masks, notes=drawn.notes)
