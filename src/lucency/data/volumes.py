"""Find the volumes below a folder, and read them one at a time: DICOM series, NIfTI, NRRD, MetaImage, pages and pictures.

Finding reads headers only. Every candidate file ends in one stack, or in one for each volume that it holds, and every
stack in one outcome: a volume, a volume with notes, or a refusal with a code.
"""

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from lucency.data.facts import NO_FACTS, ImageFacts
from lucency.data.reading import N_HEAD, RefusedImage, VolumeFile, is_candidate, is_dicom, ordinary_format
from lucency.domain.progress import Desk
from lucency.domain.volume import Volume
from lucency.provenance import sha256_of, sha256_of_bytes

VOLUME_SUFFIXES = (".nii", ".nii.gz", ".nrrd", ".mha", ".mhd")
"""Files that are volumes by their name; pictures and DICOM files are known as everywhere."""


@dataclass(frozen=True)
class Stack:
    """One volume that can be read, or the reason why it cannot."""

    source: str
    """Path of the first file below the folder; with "#2" for the second of several volumes in one file."""
    files: tuple[str, ...]
    """Paths below the folder, in the order of the slices."""
    read: Callable[[], VolumeFile] | None
    """Reads the volume; None where it is refused already."""
    facts: ImageFacts = NO_FACTS
    """What the header says, as far as it was looked at."""
    code: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Outcome:
    """What became of one stack."""

    source: str
    """Path of the first file below the folder; with "#2" for the second of several volumes in one file."""
    files: tuple[str, ...]
    """Paths below the folder, in the order of the slices."""
    volume: Volume | None
    """None when refused."""
    facts: ImageFacts = NO_FACTS
    code: str = ""
    """Why it was refused (E_…)."""
    notes: tuple[str, ...] = ()
    """What was repaired or should be known (N_…)."""


def find_volumes(folder: Path, journal: Path | None = None, desk: Desk | None = None) -> tuple[Stack, ...]:
    """List the volumes below a folder and the files that are refused, in the order of their sources.

    With a `journal`, the reading of DICOM headers goes on where it was stopped; it is gone when all are read.
    """
    return stacks_among(folder, _files_below(folder), journal, desk)


def stacks_among(
    folder: Path, paths: Iterable[Path], journal: Path | None = None, desk: Desk | None = None
) -> tuple[Stack, ...]:
    """List the volumes among some files below a folder, as `find_volumes` does."""
    kinds = {path: kind for path in paths if (kind := _kind_of(path))}
    stacks = list(_dicom_stacks(folder, [path for path, kind in kinds.items() if kind == "dicom"], journal, desk))
    for path, kind in kinds.items():
        if kind != "dicom":
            stacks += _stacks_in_file(folder, path, kind)
    return tuple(sorted(stacks, key=lambda stack: stack.source))


def read_stack(stack: Stack) -> Outcome:
    """Read one volume; whatever is wrong with its files becomes its code."""
    refused = Outcome(stack.source, stack.files, None, stack.facts, stack.code, stack.notes)
    if stack.read is None:
        return refused
    try:
        reading = stack.read()
    except RefusedImage as reason:
        return replace(refused, code=reason.code)
    except MemoryError:
        return replace(refused, code="E_SIZEBOMB")
    except Exception:  # decoders raise anything on damaged files; the volume is refused, and the study goes on
        return replace(refused, code="E_UNREADABLE")
    return Outcome(stack.source, stack.files, reading.volume, reading.facts, notes=reading.notes)


def read_folder(folder: Path) -> Iterator[Outcome]:
    """Read every volume below a folder, one at a time."""
    yield from map(read_stack, find_volumes(folder))


def hash_of(volume: Volume) -> str:
    """Return the SHA-256 of values and place, whatever the files were called and however they were encoded."""
    values = np.ascontiguousarray(volume.values)
    values = values.astype(values.dtype.newbyteorder("<"), copy=False)
    affine = None if volume.affine is None else (np.round(volume.affine, 4) + 0.0).tolist()
    return sha256_of([sha256_of_bytes(values.tobytes()), values.dtype.str, values.shape, affine, volume.unit])


def _files_below(folder: Path) -> list[Path]:
    """Return all files in the order of their paths; folders behind links are not entered."""
    return sorted(path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("."))


def is_volume_file(path: Path) -> bool:
    """Tell whether a file is a volume by its name."""
    return bool(_volume_suffix(path))


def _volume_suffix(path: Path) -> str:
    name = path.name.lower()
    return next((suffix for suffix in VOLUME_SUFFIXES if name.endswith(suffix)), "")


def _kind_of(path: Path) -> str:
    """Tell how a file is to be read: by how it begins, else by its name; empty where it is no candidate."""
    if suffix := _volume_suffix(path):
        return suffix
    if not is_candidate(path):
        return ""
    try:
        with path.open("rb") as file:
            head = file.read(N_HEAD)
    except OSError:
        return "page"  # whose reader will say that it cannot be read
    if ordinary_format(head) and not is_dicom(head):
        return "page"
    return "dicom" if is_dicom(head) or path.suffix.lower() in (".dcm", ".dicom", ".ima", "") else "page"


def _dicom_stacks(folder: Path, paths: list[Path], journal: Path | None, desk: Desk | None) -> Iterator[Stack]:
    if not paths:
        return
    # pydicom takes a second to import, which a folder of other files should not pay for.
    from lucency.data.dicom.finding import facts_of_stack, find_dicom_stacks
    from lucency.data.dicom.volume import read_dicom_stack

    found = find_dicom_stacks(paths, journal, desk)
    if journal is not None:
        journal.unlink(missing_ok=True)  # it holds names
    for stack, source in zip(found, _sources(folder, [stack.paths[0] for stack in found]), strict=True):
        files = tuple(_below(folder, path) for path in stack.paths)
        reader = None if stack.code else partial(read_dicom_stack, stack)
        yield Stack(source, files, reader, facts_of_stack(stack), stack.code, stack.notes)


def _stacks_in_file(folder: Path, path: Path, kind: str) -> Iterator[Stack]:
    """Find the volumes in a file of another format."""
    files = (_below(folder, path),)
    try:
        if path.stat().st_size == 0:
            raise RefusedImage("E_EMPTY_FILE")
        n_volumes, read_one = _reader_of(kind)
        n_here = n_volumes(path)
    except RefusedImage as reason:
        yield Stack(files[0], files, None, code=reason.code)
        return
    except Exception:  # parsers raise anything on damaged files
        yield Stack(files[0], files, None, code="E_UNREADABLE")
        return

    def read(number: int) -> VolumeFile:
        notes = ["N_SPLIT_4D"] if n_here > 1 else []
        volume = read_one(path, number, notes)
        return VolumeFile(volume, NO_FACTS, tuple(dict.fromkeys(notes)))

    for number, source in enumerate(_sources(folder, [path] * n_here)):
        yield Stack(source, files, partial(read, number))


def _reader_of(kind: str) -> tuple[Callable[[Path], int], Callable[[Path, int, list[str]], Volume]]:
    """Return how to count and how to read the volumes of a file; its libraries are loaded when they are needed."""
    if kind.startswith(".nii"):
        from lucency.data.formats import nifti

        return nifti.n_volumes_in, nifti.read_nifti
    if kind == "page":
        from lucency.data.formats.pages import read_pages

        return lambda _: 1, read_pages
    from lucency.data.formats import grids

    return grids.n_volumes_in, grids.read_grid


def _sources(folder: Path, paths: Iterable[Path]) -> list[str]:
    """Name each volume by its first file, and by a number where there are several."""
    names = [_below(folder, path) for path in paths]
    totals, seen, sources = Counter(names), Counter[str](), []
    for name in names:
        seen[name] += 1
        sources.append(f"{name}#{seen[name]}" if totals[name] > 1 else name)
    return sources


def _below(folder: Path, path: Path) -> str:
    """Return the path below the folder as text that can be written down."""
    return os.fsencode(path.relative_to(folder).as_posix()).decode("utf-8", "backslashreplace")
