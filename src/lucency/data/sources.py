"""Find the images that a plan names: files in a folder, or the arrays of a MedMNIST archive."""

import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lucency.data.frames import read_frames, read_volume
from lucency.data.reading import ImageFile, RefusedImage, is_candidate, read_image
from lucency.data.volumes import find_volumes, is_volume_file
from lucency.domain.data_plan import Data, Image
from lucency.domain.parts import Part
from lucency.domain.progress import Desk
from lucency.errors import SourceError
from lucency.provenance import sha256_of, sha256_of_bytes, sha256_of_file, storage_errors

OFFICIAL_PARTS = {"train": Part.TRAINING, "val": Part.TUNING, "test": Part.TEST}
"""What MedMNIST calls the three parts."""


@dataclass(frozen=True)
class Candidate:
    """Something that may turn out to be an image."""

    source: str
    """Path below the image folder, or place in the archive."""
    read: Callable[[], Sequence[ImageFile]]
    """Returns one image, or one for each frame of a file that holds several; raises RefusedImage."""
    hash: Callable[[], str]
    files: tuple[str, ...] = ()
    """Paths below the image folder of all files of a volume; empty where `source` is the file."""
    official_part: str = ""
    archive_label: str = ""


@dataclass(frozen=True)
class Source:
    """All candidates of a plan."""

    candidates: tuple[Candidate, ...]
    n_others: int
    """Files in the folder that are no images at all (tables, texts)."""


def find_images(data: Data, journal: Path | None = None, desk: Desk | None = None) -> Source:
    """List the images that the plan names, in the order of their paths.

    Volumes are found by their headers: with a `journal`, reading those goes on where it was stopped.

    Raises:
        SourceError: nothing is there, or nothing that is there is an image.
    """
    path = _existing(data)
    if path.is_dir():
        return (
            _volumes_below(path, data, journal, desk) if data.image.puts_slices_together else _files_below(path, data)
        )
    if path.suffix == ".npz":
        return _arrays_of(path)
    raise _neither(path)


def fingerprint(data: Data) -> str:
    """Return a hash that changes when any image that the plan names does, without opening one.

    Raises:
        SourceError: nothing is there.
    """
    path = _existing(data)
    if path.is_dir():
        stamps = [(file.relative_to(path).as_posix(), file.stat()) for file in _all_files(path)]
        return sha256_of([(name, status.st_size, status.st_mtime_ns) for name, status in stamps])
    if path.suffix == ".npz":
        return sha256_of_file(path)
    raise _neither(path)


def hash_of_files(files: Sequence[Path]) -> str:
    """Return the hash of a file, or one for all files of a volume in their order."""
    hashes = [sha256_of_file(file) for file in files]
    return hashes[0] if len(hashes) == 1 else sha256_of(hashes)


def _existing(data: Data) -> Path:
    path = Path(data.images)
    if not path.exists():
        raise SourceError(
            f"There is no {path}. Check `data.images` in the plan; it is read relative to the plan's folder."
        )
    return path


def _neither(path: Path) -> SourceError:
    return SourceError(
        f"{path.name} is neither a folder nor a .npz file. Let `data.images` name the folder that holds it."
    )


def archive_labels(data: Data) -> dict[str, str]:
    """Return the label of each image of an archive, by its source.

    Raises:
        SourceError: the images are no archive.
    """
    labels = {candidate.source: candidate.archive_label for candidate in find_images(data).candidates}
    if not any(labels.values()):
        raise SourceError(
            f"`data.labels.from: archive` needs a .npz archive; {Path(data.images).name} is a folder. Use `folder` or `table`."
        )
    return labels


def _files_below(folder: Path, data: Data) -> Source:
    """Make each image file below a folder a candidate."""
    files = _all_files(folder)
    images = [file for file in files if is_candidate(file) or is_volume_file(file)]
    if not images:
        raise _no_images(folder, files)
    image = data.image
    candidates = tuple(
        Candidate(
            source=file.relative_to(folder).as_posix(),
            read=lambda file=file: images_in(file, image),  # type: ignore[misc]
            hash=lambda file=file: sha256_of_file(file),  # type: ignore[misc]
        )
        for file in images
    )
    return Source(candidates, n_others=len(files) - len(images))


def images_in(file: Path, image: Image) -> list[ImageFile]:
    """Read the one image of a file, or each frame, page or slice of one that holds several."""
    is_colour = image.channels == "colour"
    if is_volume_file(file):
        return read_frames(file, image.window, is_colour)
    try:
        return [read_image(file, image.window, is_colour)]
    except RefusedImage as refusal:
        if refusal.code != "E_MULTIFRAME":
            raise
    return read_frames(file, image.window, is_colour)


def _volumes_below(folder: Path, data: Data, journal: Path | None, desk: Desk | None) -> Source:
    """Make each volume below a folder a candidate: a series of slices, or a volume in a file of its own."""
    files = _all_files(folder)
    stacks = find_volumes(folder, journal, desk)
    if not stacks:
        raise _no_images(folder, files)
    candidates = tuple(
        Candidate(
            source=stack.source,
            read=lambda stack=stack: [read_volume(stack, data.image.window)],  # type: ignore[misc]
            hash=lambda stack=stack: hash_of_files([folder / file for file in stack.files]),  # type: ignore[misc]
            files=stack.files,
        )
        for stack in stacks
    )
    return Source(candidates, n_others=len(files) - len({file for stack in stacks for file in stack.files}))


def _all_files(folder: Path) -> list[Path]:
    """Walk a folder; links that lead out of it or in circles are not followed.

    Raises:
        SourceError: the folder is empty, or a name could not be written into a table.
    """
    with storage_errors(folder):
        files = sorted(file for file in folder.rglob("*") if file.is_file() and not file.name.startswith("."))
    if not files:
        raise SourceError(f"{folder} is empty. Put the images there, or correct `data.images` in the plan.")
    for file in files:
        if not _is_text(file.name):
            raise SourceError(
                f"A file name in {file.parent.name} is not UTF-8 ({file.name!a}). Rename it, so that tables can name it."
            )
    return files


def _no_images(folder: Path, files: Sequence[Path]) -> SourceError:
    kinds = ", ".join(sorted({file.suffix or "no suffix" for file in files})[:5])
    return SourceError(
        f"None of the {len(files)} files in {folder} is an image that can be read (found: {kinds}). "
        "DICOM, NIfTI, NRRD, MetaImage, PNG, JPEG and TIFF are."
    )


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _arrays_of(path: Path) -> Source:
    """Read a MedMNIST archive: {train,val,test}_{images,labels}."""
    try:
        with np.load(path, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
    except (ValueError, OSError, zipfile.BadZipFile, EOFError, KeyError):
        raise SourceError(
            f"{path.name} cannot be read as a .npz archive. Download it again, or check the path."
        ) from None
    parts = [part for part in OFFICIAL_PARTS if f"{part}_images" in arrays and f"{part}_labels" in arrays]
    if not parts:
        raise SourceError(
            f"{path.name} has no train_images and train_labels as MedMNIST archives do (it has: "
            f"{', '.join(sorted(arrays)[:6])}). Save the images as files in folders instead."
        )
    candidates = []
    for part in parts:
        images, labels = arrays[f"{part}_images"], arrays[f"{part}_labels"].reshape(-1)
        if images.dtype not in (np.uint8, np.uint16) or images.ndim not in (3, 4) or len(images) != len(labels):
            raise SourceError(
                f"{path.name}: {part}_images has axes {images.shape} of {images.dtype}; 8- or 16-bit images with axes "
                "(image, row, column) or (image, row, column, colour) and one label each are needed."
            )
        candidates += [
            Candidate(
                source=f"{part}/{index:06d}",
                read=lambda pixels=pixels: [_image_of(pixels)],  # type: ignore[misc]
                hash=lambda pixels=pixels: sha256_of_bytes(pixels.tobytes()),  # type: ignore[misc]
                official_part=OFFICIAL_PARTS[part],
                archive_label=str(label),
            )
            for index, (pixels, label) in enumerate(zip(images, labels, strict=True))
        ]
    return Source(tuple(candidates), n_others=0)


def _image_of(pixels: NDArray) -> ImageFile:
    if pixels.ndim == 3 and pixels.shape[-1] != 3:
        raise RefusedImage("E_UNREADABLE")
    return ImageFile(pixels=np.ascontiguousarray(pixels))
