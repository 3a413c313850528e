"""Fetch the images that a plan asks of a PACS, each once, whole, and none in silence left out."""

import json
import stat
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path

from pydicom import dcmread

from lucency.data.dicom.pacs.address import Address, parse_address
from lucency.data.dicom.pacs.archive import (
    NOT_DICOM,
    NOT_SENT,
    OTHER_INSTANCE,
    REASONS,
    Answer,
    Archive,
    Instance,
    Level,
    PassingFault,
    RefusedInstance,
)
from lucency.data.dicom.pacs.finding import Found, Search, asked, find, read_exam_list, refuse_everything
from lucency.data.dicom.pacs.patience import patiently, wait_or_give_up
from lucency.data.reading import ignore_warnings_of
from lucency.domain.data_plan import Pacs
from lucency.domain.progress import Desk
from lucency.errors import PlanError, SourceError
from lucency.provenance import atomic_file, sha256_of, sha256_of_bytes, storage_errors, write_atomically

NOTE = ".fetched.json"
"""Says that the folder is complete, and for which question."""
MISSING = "missing.csv"
"""Names what could not be fetched, for the PACS administrator; it holds UIDs, as the files beside it do."""


@dataclass(frozen=True)
class Fetched:
    """What lies in a folder, complete."""

    address: str
    question: str
    """Hash of the address and of the filters."""
    listed: str
    """Hash of the values in the table of exams."""
    n_exams: int
    n_series: int
    n_instances: int
    files: str
    """Hash of the names of all files."""


def fetch(address: str, query: Pacs, into: Path, desk: Desk) -> Fetched:
    """Bring all that the filters ask for into a folder; what is there already is not fetched again.

    A folder that was completed for the same address and filters is left as it is, and nothing is asked of the PACS: the
    images of a study do not change behind its back. Files lie at exam/series/instance.dcm, named by hashes.

    Raises:
        PlanError: the address is wrong, no filter is set, or the extra `pacs` is not installed.
        SourceError: the PACS cannot be reached, refuses, has nothing that fits, or does not hand out all of it.
        StorageError: the disk is full.
        Interrupted: stopped by the user; the next call goes on.
    """
    where = parse_address(address)
    refuse_everything(query)
    done = _completed(where, query, into)
    if done:
        return done
    listed = read_exam_list(query)
    with closing(open_archive(where, query)) as archive:
        found = find(_patient_search(archive, query, desk), query, listed, desk)
        desk.say(_told(found))
        with storage_errors(into / NOTE):
            into.mkdir(mode=stat.S_IRWXU, parents=True, exist_ok=True)
        refused = _retrieve(archive, found.instances, query, into, desk)
    _refuse_gaps(refused, len(found.instances), into)
    return _complete(where, query, listed, found, into)


def open_archive(address: Address, settings: Pacs) -> Archive:
    """Return the PACS at an address.

    Raises:
        PlanError: the extra `pacs` is not installed.
    """
    ignore_warnings_of("pydicom")  # they quote values
    try:
        from lucency.data.dicom.pacs.dicomweb import DicomWeb
        from lucency.data.dicom.pacs.dimse import Dimse
    except ImportError:
        raise PlanError(
            "Images from a PACS need more packages. Install them with: pip install 'lucency[pacs]'"
        ) from None
    return Dimse(address, settings) if address.scheme == "pacs" else DicomWeb(address, settings)


def _completed(address: Address, query: Pacs, into: Path) -> Fetched | None:
    """Return the note of a folder that is complete for this question.

    Where the table of exams is here no more, as on another machine, the question without it decides.
    """
    note = into / NOTE
    if not note.is_file():
        return None
    fetched = Fetched(**json.loads(note.read_text(encoding="utf-8")))
    has_list = query.exams is not None and Path(query.exams.table).is_file()
    if fetched.question != _question(address, query) or fetched.files != _names(_files(into), into):
        return None
    if has_list and fetched.listed != sha256_of(list(read_exam_list(query))):
        return None
    return fetched


def _question(address: Address, query: Pacs) -> str:
    return sha256_of({"address": address.text} | asked(query))


def _patient_search(archive: Archive, query: Pacs, desk: Desk) -> Search:
    def search(level: Level, match: dict[str, str], tell: Sequence[str]) -> list[Answer]:
        return patiently(lambda: archive.search(level, match, tell), query.n_retries, desk)

    return search


def _told(found: Found) -> str:
    told = f"Found {found.n_exams} exams with {found.n_series} series and {len(found.instances)} images on the PACS."
    rows = found.rows_without_exam
    if rows:
        first = ", ".join(map(str, rows[:5])) + (" …" if len(rows) > 5 else "")
        told += f" {len(rows)} rows of the table name none that fits (rows {first})."
    return told


def _retrieve(
    archive: Archive, instances: Sequence[Instance], query: Pacs, into: Path, desk: Desk
) -> dict[Instance, str]:
    """Fetch what is not there yet; return the reason of each instance that cannot be had.

    Raises:
        SourceError: the PACS stayed out of reach although nothing arrived for all retries.
    """
    refused: dict[Instance, str] = {}
    n_failed = 0
    while missing := [i for i in instances if i not in refused and not _place(i, into).exists()]:
        outcomes, fault = _attempt(archive, missing, len(instances) - len(refused), into, desk)
        refused |= {instance: reason for instance, reason in outcomes.items() if reason}
        if fault:
            n_failed = 1 if outcomes else n_failed + 1
            wait_or_give_up(fault, n_failed, query.n_retries, desk)
        elif not outcomes:  # asked for these alone, the PACS said that all is done
            return refused | dict.fromkeys(missing, NOT_SENT)
    return refused


def _attempt(
    archive: Archive, missing: Sequence[Instance], n_all: int, into: Path, desk: Desk
) -> tuple[dict[Instance, str], PassingFault | None]:
    """Fetch as much as goes without a fault; return what became of each instance, "" for kept, and the fault."""
    outcomes: dict[Instance, str] = {}
    try:
        with desk.progress("Fetching images", n_all, n_all - len(missing)) as progress:
            for instance, reason in archive.retrieve(missing, lambda instance, chunks: _keep(instance, chunks, into)):
                outcomes[instance] = reason
                progress.advance()
    except PassingFault as fault:
        return outcomes, fault
    return outcomes, None


def _place(instance: Instance, into: Path) -> Path:
    """Return where an instance lies. UIDs come from outside, so that only their hashes become names."""
    exam, series, name = (sha256_of_bytes(uid.encode())[:24] for uid in (instance.exam, instance.series, instance.uid))
    return into / exam / series / f"{name}.dcm"


def _keep(instance: Instance, chunks: Iterable[bytes], into: Path) -> None:
    """Write an instance, whole and verified or not at all.

    Raises:
        RefusedInstance: it is another one, or no DICOM file.
    """
    with atomic_file(_place(instance, into)) as file:
        for chunk in chunks:
            file.write(chunk)
        file.flush()
        try:
            header = dcmread(file.name, stop_before_pixels=True, specific_tags=["SOPInstanceUID"])
        except Exception:  # pydicom raises anything on what is no DICOM file
            raise RefusedInstance(NOT_DICOM) from None
        if str(header.get("SOPInstanceUID", "")) != instance.uid:
            raise RefusedInstance(OTHER_INSTANCE)


def _refuse_gaps(refused: dict[Instance, str], n_all: int, into: Path) -> None:
    """Stop rather than go on with fewer images than the filters ask for.

    Raises:
        SourceError: an instance could not be fetched.
    """
    if not refused:
        with storage_errors(into / MISSING):
            (into / MISSING).unlink(missing_ok=True)
        return
    rows = [f"{i.exam},{i.series},{i.uid},{reason}" for i, reason in refused.items()]
    write_atomically(into / MISSING, "\n".join(["study_uid,series_uid,instance_uid,reason", *rows, ""]))
    reasons = ", ".join(f"{n} {REASONS[reason]}" for reason, n in sorted(Counter(refused.values()).items()))
    raise SourceError(
        f"{len(refused)} of {n_all} images could not be fetched ({reasons}); {into.name}/{MISSING} lists them. Ask the PACS "
        "administrator, and run the same command again: it fetches only these."
    )


def _complete(address: Address, query: Pacs, listed: dict[str, int], found: Found, into: Path) -> Fetched:
    """Remove what an earlier question had brought and this one does not ask for, and note that all is there."""
    wanted = {_place(instance, into) for instance in found.instances}
    with storage_errors(into / NOTE):
        for file in _files(into) - wanted:
            file.unlink()
    fetched = Fetched(
        address=address.text,
        question=_question(address, query),
        listed=sha256_of(list(listed)),
        n_exams=found.n_exams,
        n_series=found.n_series,
        n_instances=len(wanted),
        files=_names(wanted, into),
    )
    write_atomically(into / NOTE, json.dumps(asdict(fetched), indent=1) + "\n")
    return fetched


def _files(into: Path) -> set[Path]:
    return set(into.glob("*/*/*.dcm"))


def _names(files: set[Path], into: Path) -> str:
    return sha256_of(sorted(file.relative_to(into).as_posix() for file in files))
