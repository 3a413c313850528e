"""Read the headers of many DICOM files: on all cores, in their order, going on where an earlier scan was stopped.

Only headers are read, never pixels. A file that takes its reader down with it costs that file and no other.
"""

import json
import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

from lucency import __version__
from lucency.data.dicom.children import Child, ChildLost, Fields, ask, end_child, start_child
from lucency.data.dicom.header_texts import HeaderTexts
from lucency.data.dicom.scanned_file import SCANNED, ScannedFile, line_of, scan_file, stamp_of, wanted_elements
from lucency.data.in_order import map_in_order
from lucency.domain.progress import Desk, Silence
from lucency.provenance import storage_errors

__all__ = ["SCANNED", "ScannedFile", "scan"]

FEWEST_FOR_CHILDREN = 1000
"""Fewer files are read sooner than children have started."""

N_FILES_A_BATCH = 64
MOST_SECONDS_A_BATCH = 60.0
"""A child that takes longer hangs on a file."""

_SERVING = "from lucency.data.dicom.scanned_file import serve_lines; serve_lines({wanted!r})"
"""What a child runs; it is told the elements, because the dictionary of pydicom would take it most of a second."""

Record = list[Any]
"""What JSON can hold of a scanned file: path, size and time of change, elements, code, notes."""


def scan(paths: Iterable[Path], journal: Path | None = None, desk: Desk | None = None) -> Iterator[ScannedFile]:
    """Read headers in the given order; a file that cannot be read becomes one with a code.

    With a `journal`, a scan that is stopped at any moment and started again with the same paths takes over what it
    had read of files that are as they were. The journal holds what the headers say, patients' names included; it is
    readable by its owner only, and is the caller's to remove.

    Raises:
        StorageError: the journal cannot be written.
        Interrupted: the user asked to stop.
    """
    files = tuple(paths)
    with (desk or Silence()).progress("Reading headers", len(files)) as progress:
        records = _read(files) if journal is None else _read_with_journal(files, journal)
        elements = HeaderTexts({})
        for n_read, (path, (_, _, texts, code, notes)) in enumerate(zip(files, records, strict=True), start=1):
            if n_read % N_FILES_A_BATCH == 0:
                progress.advance(N_FILES_A_BATCH)
            elements = HeaderTexts(texts, before=elements)
            yield ScannedFile(path, elements, code, tuple(notes))


# The journal ---------------------------------------------------------------------------------------------------------


def _read_with_journal(paths: Sequence[Path], journal: Path) -> Iterator[Record]:
    with storage_errors(journal), _open_for_owner(journal) as file:
        n_kept = 0
        for record in _kept(file, paths):
            n_kept += 1
            yield record
        for batch in _read_batches(paths[n_kept:]):
            file.write(batch)
            file.flush()
            yield from _records(batch)


def _open_for_owner(journal: Path) -> BinaryIO:
    journal.parent.mkdir(parents=True, exist_ok=True)
    return os.fdopen(os.open(journal, os.O_RDWR | os.O_CREAT, 0o600), "r+b")


def _kept(file: BinaryIO, paths: Sequence[Path]) -> Iterator[Record]:
    """Yield what the journal holds of the first paths, as far as they are as they were; drop the rest of it."""
    heading = json.dumps([__version__, *SCANNED]).encode() + b"\n"
    if file.readline() != heading:
        file.seek(0)
        file.truncate()
        file.write(heading)
        return
    for path in paths:
        at = file.tell()
        record = _record(file.readline())
        if record[:2] != [str(path), stamp_of(path)]:
            file.seek(at)
            file.truncate()
            return
        yield record


def _record(line: bytes) -> Record:
    """Parse a line; empty where it was cut short or damaged."""
    try:
        return list(json.loads(line))
    except ValueError:
        return []


# Reading -------------------------------------------------------------------------------------------------------------


def _read(paths: Sequence[Path]) -> Iterator[Record]:
    for batch in _read_batches(paths):
        yield from _records(batch)


def _records(batch: bytes) -> Iterator[Record]:
    return map(json.loads, batch.splitlines())


def _read_batches(paths: Sequence[Path]) -> Iterator[bytes]:
    """Yield one line of JSON a file, batch by batch."""
    batches = (paths[at : at + N_FILES_A_BATCH] for at in range(0, len(paths), N_FILES_A_BATCH))
    n_cores = os.cpu_count() or 1
    wanted = wanted_elements()
    if n_cores == 1 or len(paths) < FEWEST_FOR_CHILDREN:
        return (b"".join(line_of(scan_file(path, wanted)) for path in batch) for batch in batches)
    return _read_in_children(batches, _SERVING.format(wanted=wanted), n_cores)


def _read_in_children(batches: Iterator[Sequence[Path]], serving: str, n_children: int) -> Iterator[bytes]:
    """Read batches in child processes in their order, with a bounded number in flight."""
    children: list[Child] = []
    read = partial(_read_in_child, serving=serving, children=children)
    with ThreadPoolExecutor(n_children) as pool:
        try:
            yield from map_in_order(pool, read, batches, 4 * n_children)
        finally:
            for child in children:
                end_child(child)


def _read_in_child(paths: Sequence[Path], serving: str, children: list[Child]) -> bytes:
    """Let an idle child read a batch; if it is lost, the files are read one by one, and one that is lost again refused."""
    try:
        child = children.pop()  # atomic, as is append
    except IndexError:
        child = start_child(serving)
    question: Fields = {"paths": [str(path) for path in paths]}
    try:
        _, lines = ask(child, question, b"", MOST_SECONDS_A_BATCH)
    except ChildLost:
        if len(paths) == 1:
            return line_of(ScannedFile(paths[0], {}, "E_UNREADABLE"))
        return b"".join(_read_in_child([path], serving, children) for path in paths)
    children.append(child)
    return lines
