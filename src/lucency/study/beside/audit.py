"""Verify a finished study: nothing that the record vouches for was changed since."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lucency.domain.cohort import CohortRow
from lucency.errors import LucencyError, PlanError
from lucency.provenance import head_code
from lucency.study.applying.application import APPLY, EXPORT
from lucency.study.cohort import COHORT, SPLIT, split_rows_of
from lucency.study.folder import STAGE_DONE, TEST_OPENED, StudyFolder
from lucency.study.images import FILES, image_path
from lucency.study.plan import read_plan

BESIDE = ("suspects", "transfer-curve", "features")
"""What stages begin with that stand beside the line of the study; what they show may change what they looked at."""


@dataclass(frozen=True)
class Finding:
    """One thing that was verified."""

    is_well: bool
    what: str


def audit_study(path: Path) -> list[Finding]:
    """Verify the chain, every recorded file, the images, the split and the openings.

    Raises:
        PlanError: the folder holds no study.
        RecordError: the chain of the record is broken.
    """
    if not (path / "record.jsonl").exists():
        raise PlanError(f"{path} holds no study (there is no record.jsonl). Give the folder that `lucency run` wrote.")
    folder = StudyFolder(path)
    record = folder.record
    return [
        Finding(True, f"record: {len(record.entries)} entries, the chain is whole, head code {head_code(record.head)}"),
        *_files(folder),
        *_told(_images(folder)),
        *_told(_split(folder)),
        Finding(True, _openings(folder)),
    ]


def _told(findings: Iterator[Finding]) -> Iterator[Finding]:
    """Turn what stops a check into a finding, so that the others are made all the same."""
    try:
        yield from findings
    except LucencyError as fault:
        yield Finding(False, str(fault))


def _files(folder: StudyFolder) -> Iterator[Finding]:
    """Compare every file with the newest entry of the stage that wrote it."""
    newest = {e.payload["stage"]: e.payload for e in folder.record.entries if e.event == STAGE_DONE}
    expected = {file: sha256 for stage in newest.values() for file, sha256 in stage["writes"].items()}
    changed = [f for f, sha256 in expected.items() if not (folder.path / f).exists() or folder.hash(f) != sha256]
    yield Finding(not changed, f"files: {len(expected) - len(changed)} of {len(expected)} are as recorded")
    yield from (Finding(False, f"{file} was changed or removed after it was written") for file in sorted(changed))
    for name, stage in newest.items():
        outdated = [file for file, sha256 in stage["reads"].items() if expected.get(file, sha256) != sha256]
        if outdated and name.startswith(BESIDE):
            yield Finding(True, f"{name}: looked at an earlier {outdated[0]}, as after a correction of labels")
        elif outdated and name.startswith((APPLY, EXPORT)):
            yield Finding(True, f"{name}: knows an earlier {outdated[0]}; made anew when it is asked for again")
        elif outdated:
            yield Finding(False, f"{name}: made from an earlier {outdated[0]}; `lucency run` brings it up to date")


def _images(folder: StudyFolder) -> Iterator[Finding]:
    """Compare the images with their hashes in the cohort, where they still lie."""
    if not (folder.path / COHORT).exists():
        return
    images = image_path(read_plan(folder.path / "study.yaml").data, folder.path)
    if not images.is_dir():
        kind = "they lie in an archive" if images.is_file() else "they are not here"
        yield Finding(True, f"images: not compared one by one, because {kind}")
        return
    files = _files_of_volumes(folder)
    rows = [row for row in folder.read_rows(COHORT, CohortRow) if row.sha256]  # what was held back has no file here
    changed = [
        row
        for row in rows
        if not _is_as_read([images / file for file in files.get(row.image_id, [row.source])], row.sha256)
    ]
    yield Finding(not changed, f"images: {len(rows) - len(changed)} of {len(rows)} are as recorded")
    yield from (
        Finding(False, f"image {row.image_id} was changed or removed after it was read") for row in changed[:20]
    )


def _files_of_volumes(folder: StudyFolder) -> dict[str, list[str]]:
    """Return the files of each volume in their order; empty where every image is a file."""
    files: dict[str, list[str]] = {}
    for row in folder.read_table(FILES) if (folder.path / FILES).exists() else []:
        files.setdefault(row["image_id"], []).append(row["file"])
    return files


def _is_as_read(files: list[Path], sha256: str) -> bool:
    from lucency.data.sources import hash_of_files

    return all(file.is_file() for file in files) and hash_of_files(files) == sha256


def _split(folder: StudyFolder) -> Iterator[Finding]:
    if not (folder.path / SPLIT).exists():
        return
    rows = split_rows_of(folder)
    yield Finding(True, f"split: {len(rows)} images; no patient and no image stands in two parts")


def _openings(folder: StudyFolder) -> str:
    times = [entry.time for entry in folder.record.entries if entry.event == TEST_OPENED]
    if not times:
        return "test set: sealed, never opened"
    n = folder.n_openings()
    return f"test set: opened for {n} evaluation{'s' if n > 1 else ''} ({', '.join(times)})"
