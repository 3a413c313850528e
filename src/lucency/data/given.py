"""Images as a person names them on the command line: files, and folders of files."""

import os
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from lucency.data.frames import read_volume
from lucency.data.reading import ImageFile, is_candidate
from lucency.data.sources import Candidate, hash_of_files, images_in
from lucency.data.volumes import Stack, is_volume_file, stacks_among
from lucency.domain.data_plan import Image
from lucency.domain.progress import Desk
from lucency.errors import PlanError
from lucency.provenance import sha256_of_file


@dataclass(frozen=True)
class Given:
    """One image, or one file with several, that somebody wants an answer for."""

    candidate: Candidate
    """Its `source` is the path as it was given."""
    files: tuple[Path, ...]
    """The file, or all files of a volume in the order of its slices."""


def given_images(paths: Sequence[Path], image: Image, desk: Desk | None = None) -> list[Given]:
    """List the images among files and below folders, in the order of their paths, each once.

    A file that is named is listed whatever it holds; in folders, tables and texts are passed over.

    Raises:
        PlanError: a path is not there, or no image is.
    """
    files = list(dict.fromkeys(file for path in paths for file in _files_at(path)))
    if not files:
        raise PlanError(
            f"There is no image in {', '.join(map(str, paths))}. DICOM, NIfTI, PNG, JPEG and TIFF are read."
        )
    return (
        list(_volumes(files, image, desk)) if image.puts_slices_together else [_of_file(file, image) for file in files]
    )


def _files_at(path: Path) -> list[Path]:
    if not path.exists():
        raise PlanError(f"There is no {path}. Name files or folders of images.")
    if path.is_file():
        return [path]
    files = sorted(file for file in path.rglob("*") if file.is_file() and not file.name.startswith("."))
    return [file for file in files if is_candidate(file) or is_volume_file(file)]


def _of_file(file: Path, image: Image) -> Given:
    candidate = Candidate(_written(file), partial(images_in, file, image), partial(sha256_of_file, file))
    return Given(candidate, (file,))


def _volumes(files: Iterable[Path], image: Image, desk: Desk | None) -> Iterator[Given]:
    """Put slices together as volumes, folder by folder; what is no volume is refused when it is read."""
    folders: defaultdict[Path, list[Path]] = defaultdict(list)
    for file in files:
        folders[file.parent].append(file)
    for folder, beside in folders.items():
        stacks = stacks_among(folder, beside, desk=desk)
        yield from (_of_stack(folder, stack, image) for stack in stacks)
        found = {name for stack in stacks for name in stack.files}
        yield from (_of_file(file, image) for file in beside if _written(file.relative_to(folder)) not in found)


def _of_stack(folder: Path, stack: Stack, image: Image) -> Given:
    files = tuple(folder / name for name in stack.files)

    def read() -> list[ImageFile]:
        return [read_volume(stack, image.window)]

    source = _written(folder / stack.source)
    return Given(Candidate(source, read, partial(hash_of_files, files), tuple(map(_written, files))), files)


def _written(path: Path) -> str:
    """Write a path as text that a table can hold."""
    return os.fsencode(path.as_posix()).decode("utf-8", "backslashreplace")
