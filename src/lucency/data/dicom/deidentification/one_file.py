"""One file from the source to the folder of results."""

import base64
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

from lucency.data.dicom.deidentification.account import Entry, Fate, FileRow, Original
from lucency.data.dicom.deidentification.burned_in import look_at_pixels
from lucency.data.dicom.deidentification.engine import deidentify, refuse_other_kinds
from lucency.data.dicom.deidentification.identifiers import find_identifiers, patient_identity
from lucency.data.dicom.deidentification.parsing import parse
from lucency.data.dicom.deidentification.pseudonyms import Pseudonyms
from lucency.data.dicom.deidentification.text import Identifiers
from lucency.data.reading import MOST_BYTES, RefusedImage, is_dicom
from lucency.domain.data_plan import Deidentification
from lucency.provenance import storage_errors

_LEFT_OUT = {"E_DICOMDIR", "E_DEID_OTHER", "E_DUPLICATE"}

_MEMORY_CODE = "E_SIZEBOMB"


@dataclass(frozen=True)
class Work:
    """What all files of a run have in common."""

    source: Path
    out: Path
    settings: Deidentification
    pseudonyms: Pseudonyms


def deidentify_file(work: Work, original: Original) -> Entry:
    """De-identify one file and write the new one.

    Raises:
        StorageError: the folder of results cannot be written.
    """
    row = FileRow(file=work.pseudonyms.name("path", original.path), fate=Fate.REFUSED)
    try:
        with _whatever_damage_does():
            return _deidentify(work, original, row)
    except RefusedImage as refusal:
        fate = Fate.LEFT_OUT if refusal.code in _LEFT_OUT else Fate.REFUSED
        return Entry(original, replace(row, fate=fate, code=refusal.code))


def read_patient(work: Work, original: Original) -> tuple[str, Identifiers] | None:
    """Return a file's patient (the pseudonym) and identifiers, or None where it is no DICOM file."""
    try:
        with _whatever_damage_does():
            header = parse(_content_of(work, original), with_pixels=False).header
            return work.pseudonyms.patient(patient_identity(header)), find_identifiers(header)
    except RefusedImage:
        return None


def write_result(path: Path, content: bytes) -> None:
    """Write a whole file, or none; that it has reached the disk is seen to once, at the end of the run.

    Raises:
        StorageError: the disk is full, or the folder cannot be written.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with storage_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            temporary.write_bytes(content)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)


def _deidentify(work: Work, original: Original, row: FileRow) -> Entry:
    content = _content_of(work, original)
    parsed = parse(content)
    refuse_other_kinds(parsed.header, work.settings)
    identifiers = find_identifiers(parsed.header)
    look = look_at_pixels(parsed, work.settings, identifiers)
    if look.is_held_back:
        held_back = replace(row, fate=Fate.QUARANTINED, code="E_QUARANTINE")
        return Entry(original, held_back, base64.b64encode(look.preview).decode())
    cleaned = deidentify(parsed, look.pixels, identifiers, work.settings, work.pseudonyms)
    name = work.pseudonyms.name("file", sha256(content).hexdigest())
    output = f"{cleaned.patient}/{cleaned.exam}/{cleaned.series}/{name}.dcm"
    write_result(work.out / output, cleaned.content)
    counts = cleaned.counts | ({"texts in the picture covered": look.n_masks} if look.n_masks else {})
    written = replace(
        row,
        fate=Fate.WRITTEN,
        output=output,
        output_sha256=sha256(cleaned.content).hexdigest(),
        patient=cleaned.patient,
        exam=cleaned.exam,
        series=cleaned.series,
        counts=counts,
        notes=cleaned.notes,
    )
    return Entry(original, written)


def _content_of(work: Work, original: Original) -> bytes:
    path = work.source / original.path
    if path.is_symlink() and path.is_dir():
        raise RefusedImage("E_DEID_OTHER")
    if original.n_bytes > MOST_BYTES:
        raise RefusedImage("E_SIZEBOMB")
    try:
        content = path.read_bytes()
    except OSError:
        raise RefusedImage("E_UNREADABLE") from None
    if not content:
        raise RefusedImage("E_EMPTY_FILE")
    if not is_dicom(content[:132]):
        raise RefusedImage("E_DEID_OTHER")
    return content


@contextmanager
def _whatever_damage_does() -> Iterator[None]:
    """Turn what a parser raises on a damaged file into a refusal; our own errors pass."""
    from lucency.errors import LucencyError

    try:
        yield
    except (RefusedImage, LucencyError, KeyboardInterrupt):
        raise
    except MemoryError:
        raise RefusedImage(_MEMORY_CODE) from None
    except Exception:  # a damaged file can make pydicom and the decoders raise anything; its text could name a patient
        raise RefusedImage("E_UNREADABLE") from None
