"""Keep every version of a study's cohort."""

from collections.abc import Iterator
from pathlib import Path

from lucency.data.versions import describe_changes
from lucency.domain.cohort import CohortRow
from lucency.errors import PlanError
from lucency.study.folder import StudyFolder

VERSIONS = "cohorts"


def keep_version(folder: StudyFolder, cohort: str) -> str:
    """Keep a copy of the cohort as the next version, unless it is as the last one; return the name of its file."""
    last = n_versions(folder)
    if last and folder.hash(_file(last)) == folder.hash(cohort):
        return _file(last)
    return folder.write(_file(last + 1), (folder.path / cohort).read_bytes())


def n_versions(folder: StudyFolder) -> int:
    """Return the number of the newest version, 0 where there is none."""
    return max((int(path.stem) for path in (folder.path / VERSIONS).glob("*.csv") if path.stem.isdigit()), default=0)


def describe_difference(folder: StudyFolder, other: str) -> Iterator[str]:
    """Say what changed in the cohort since another version: its number, `previous`, or the folder of another study.

    Raises:
        PlanError: there is no such version.
    """
    newest = n_versions(folder)
    if Path(other).is_dir():
        elsewhere = StudyFolder(Path(other))
        before = elsewhere.read_rows(_file(n_versions(elsewhere) or 1), CohortRow)
    else:
        number = newest - 1 if other == "previous" else int(other) if other.isdigit() else 0
        if not (folder.path / _file(number)).exists():
            known = ", ".join(str(n) for n in range(1, newest + 1))
            raise PlanError(
                f"There is no version {other} of the cohort (there are: {known}). Give one of these numbers, `previous`, or "
                "the folder of another study."
            )
        before = folder.read_rows(_file(number), CohortRow)
    yield from describe_changes(before, folder.read_rows(_file(newest), CohortRow))


def _file(number: int) -> str:
    return f"{VERSIONS}/{number:04d}.csv"
