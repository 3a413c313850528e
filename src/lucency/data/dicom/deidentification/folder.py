"""De-identify a folder: every file in it ends as written, refused, held back, or left out, and is accounted for.

Files are worked on in several processes. What was done is journalled in a private list beside the key; the folder of
results holds nothing from which a patient could be learnt.
"""

import json
import os
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TypeVar

from lucency import __version__
from lucency.data.dicom.deidentification.account import Entry, Fate, FileRow, Original, PrivateList, Summary
from lucency.data.dicom.deidentification.actions import EDITION
from lucency.data.dicom.deidentification.engine import methods_of
from lucency.data.dicom.deidentification.one_file import Work, deidentify_file, read_patient
from lucency.data.dicom.deidentification.pseudonyms import Pseudonyms, read_or_make_key
from lucency.data.dicom.deidentification.radiology_reports import SUFFIX, KnownPeople, scrub_report
from lucency.data.dicom.deidentification.report import write_report, write_review_sheet
from lucency.data.in_order import map_in_order
from lucency.domain.data_plan import Deidentification
from lucency.domain.progress import Desk
from lucency.errors import PlanError, SourceError
from lucency.provenance import sha256_of, sha256_of_file, write_atomically

FEW_FILES = 16
"""Up to so many files are done in this process: starting others would take longer."""

ACCOUNT = "deidentification.json"

Result = TypeVar("Result")


def deidentify_folder(source: Path, out: Path, settings: Deidentification, key_file: Path, desk: Desk) -> Summary:
    """De-identify every file below a folder, going on where an earlier call with the same settings and key stopped.

    Raises:
        PlanError: the folders lie in each other, the key lies among the results, or `out` holds something else.
        SourceError: there is nothing to de-identify.
        StorageError: the results cannot be written.
        Interrupted: stopped by the user; the next call goes on.
    """
    source, out, key_file = source.resolve(), out.resolve(), key_file.resolve()
    _refuse_entangled_folders(source, out, key_file)
    originals = _originals(source)
    work = Work(source, out, settings, Pseudonyms(read_or_make_key(key_file)))
    account = _begin(work)
    private = PrivateList(private_list_of(out, key_file), account["work"])
    _remove_outdated(work, private, originals)
    images = [original for original in originals if not _is_report(original)]
    reports = [original for original in originals if _is_report(original)]
    with desk.progress("De-identifying", len(originals)) as progress:
        entries = []
        for entry in _without_copies(_finish(work, private, images)):
            entries.append(entry)
            progress.advance()
        for entry in _finish_reports(work, private, images, reports, entries):
            entries.append(entry)
            progress.advance()
    summary = _summary(work, private, entries)
    review_sheet = write_review_sheet(key_file.with_name(f"{key_file.name}.{out.name}.review.html"), entries)
    summary = replace(summary, review_sheet=review_sheet)
    write_report(summary, out)
    if hasattr(os, "sync"):
        os.sync()  # the account below vouches for all files, so they go to the disk first
    write_atomically(out / ACCOUNT, _as_json(summary, account))
    return summary


def private_list_of(out: Path, key_file: Path) -> Path:
    """Return where the list of originals for a folder of results lies: beside the key."""
    return key_file.with_name(f"{key_file.name}.{out.name}.files.jsonl")


def _refuse_entangled_folders(source: Path, out: Path, key_file: Path) -> None:
    if not source.is_dir():
        raise SourceError(f"{source.name} is not a folder. Name the folder that holds the DICOM files.")
    if out == source or out.is_relative_to(source) or source.is_relative_to(out):
        raise PlanError(
            "The folder of results and the folder of originals must not lie in each other. Choose another OUT."
        )
    if key_file.is_relative_to(out):
        raise PlanError(
            "The key must not lie among the results: whoever gets them could undo the pseudonyms. Move it away."
        )
    if key_file.is_dir():
        raise PlanError(f"{key_file.name} is a folder. Name a file for the key, for example {key_file.name}/key.")


def _originals(source: Path) -> list[Original]:
    """List every file below a folder, by path; a link to a folder counts as a file, so that it is accounted for."""
    found = []
    for folder, folders, files in os.walk(source):
        links = [name for name in folders if (Path(folder) / name).is_symlink()]
        for name in (*files, *links):
            path = Path(folder) / name
            try:
                status = path.stat()
                n_bytes, modified_ns = status.st_size, status.st_mtime_ns
            except OSError:
                n_bytes, modified_ns = 0, 0
            found.append(Original(path.relative_to(source).as_posix(), n_bytes, modified_ns))
    if not found:
        raise SourceError(f"{source.name} holds no files. Name the folder that holds the DICOM files.")
    return sorted(found, key=lambda original: original.path)


def _is_report(original: Original) -> bool:
    return original.path.lower().endswith(SUFFIX)


def _begin(work: Work) -> dict[str, str]:
    """Mark the folder of results as ours before anything is written, and refuse one that holds something else."""
    settings = work.settings.model_dump(mode="json", exclude={"key"})
    fingerprint = work.pseudonyms.fingerprint
    name_of_work = sha256_of([__version__, EDITION, settings, fingerprint])
    account = {"lucency": __version__, "edition": EDITION, "work": name_of_work, "key_fingerprint": fingerprint}
    existing = work.out / ACCOUNT
    if existing.exists():
        if json.loads(existing.read_text("utf-8")).get("work") == name_of_work:
            return account
        raise PlanError(
            f"{work.out.name} holds results that were made with other settings, another key or another version. Choose "
            "an empty folder, so that both cannot be mixed up."
        )
    if work.out.exists() and any(work.out.iterdir()):
        raise PlanError(f"{work.out.name} is not empty. Choose a folder that holds nothing else than the results.")
    write_atomically(existing, json.dumps({**account, "finished": False}, indent=1) + "\n")
    return account


def _remove_outdated(work: Work, private: PrivateList, originals: list[Original]) -> None:
    """Remove what was written for originals that have changed or are gone, so that nothing stays unaccounted for."""
    gone = private.others({original.path for original in originals})
    changed = [
        before for original in originals if not private.finished(original) and (before := private.before(original.path))
    ]
    for entry in (*gone, *changed):
        if entry.row.output:
            (work.out / entry.row.output).unlink(missing_ok=True)


def _finish(work: Work, private: PrivateList, originals: list[Original]) -> Iterator[Entry]:
    """Return what became of each original, in their order, doing what is not done."""
    done = {original: entry for original in originals if (entry := _still_there(work, private, original))}
    waiting = [original for original in originals if original not in done]
    new = _in_parallel(partial(deidentify_file, work), waiting)
    for original in originals:
        entry = done.get(original)
        if entry is None:
            entry = next(new)
            private.append(entry)
        yield entry


def _still_there(work: Work, private: PrivateList, original: Original) -> Entry | None:
    """Return the entry of an original that is done, unless its result has gone or was damaged since."""
    entry = private.finished(original)
    if entry is None or not entry.row.output:
        return entry
    result = work.out / entry.row.output
    return entry if result.is_file() and sha256_of_file(result) == entry.row.output_sha256 else None


def _in_parallel(task: Callable[[Original], Result], originals: list[Original]) -> Iterator[Result]:
    """Do a task for each original, in their order, in several processes, with a bounded number in flight."""
    n_workers = os.cpu_count() or 1
    if len(originals) <= FEW_FILES or n_workers == 1:
        yield from map(task, originals)
        return
    with ProcessPoolExecutor(n_workers, initializer=_leave_stopping_to_the_parent) as pool:
        yield from map_in_order(pool, task, originals, 8 * n_workers)


def _leave_stopping_to_the_parent() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _without_copies(entries: Iterator[Entry]) -> Iterator[Entry]:
    """Count exact copies of a file as left out: they have one result."""
    written: set[str] = set()
    for entry in entries:
        row = entry.row
        if row.output and row.output in written:
            row = FileRow(row.file, Fate.LEFT_OUT, "E_DUPLICATE")
        written.add(row.output)
        yield replace(entry, row=row)


def _finish_reports(
    work: Work, private: PrivateList, images: list[Original], reports: list[Original], entries: list[Entry]
) -> Iterator[Entry]:
    """Scrub the reports that are not done, with the identifiers of all headers."""
    done = {original: entry for original in reports if (entry := _still_there(work, private, original))}
    people = KnownPeople()
    if len(done) < len(reports):
        for original, found in zip(images, _in_parallel(partial(read_patient, work), images), strict=True):
            if found is not None:
                people.add(original, *found)
    outputs = {_stem(entry.original): entry.row.output for entry in entries}
    for original in reports:
        entry = done.get(original)
        if entry is None:
            entry = scrub_report(work, original, people, outputs.get(_stem(original), ""))
            private.append(entry)
        yield entry


def _stem(original: Original) -> str:
    """Return a path without its last ending."""
    folder, _, name = original.path.rpartition("/")
    return f"{folder}/{name.rpartition('.')[0] or name}"


def _summary(work: Work, private: PrivateList, entries: list[Entry]) -> Summary:
    return Summary(
        edition=EDITION,
        settings=work.settings.model_dump(mode="json", exclude={"key"}),
        methods=tuple(methods_of(work.settings)),
        key_fingerprint=work.pseudonyms.fingerprint,
        files=tuple(sorted((entry.row for entry in entries), key=lambda row: row.file)),
        private_list=private.path,
    )


def _as_json(summary: Summary, account: dict[str, str]) -> str:
    """Write the account for programs; it holds no time, so that the same work gives the same bytes."""
    files = [
        {
            "file": row.file,
            "fate": row.fate,
            "code": row.code,
            "output": row.output,
            "sha256": row.output_sha256,
            "counts": row.counts,
            "notes": row.notes,
        }
        for row in summary.files
    ]
    content = {
        **account,
        "finished": True,
        "settings": summary.settings,
        "methods": summary.methods,
        "n_files": {fate.value: summary.n_files(fate) for fate in Fate},
        "n_patients": summary.n_patients,
        "files": files,
    }
    return json.dumps(content, indent=1, sort_keys=True) + "\n"
