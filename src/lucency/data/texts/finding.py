"""Find the radiology reports that a plan names: files in a folder, or the rows of a table."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lucency.data.ground_truth.tables import Table, read_table
from lucency.domain.data_plan import Data
from lucency.errors import SourceError
from lucency.provenance import sha256_of, sha256_of_file

SETTING = "data.images"
SUFFIXES = {".txt", ".text", ".htm", ".html", ".rtf", ".xml"}
"""Files that may be reports."""
TABLES = {".csv", ".tsv", ".xlsx", ".xlsm"}
_MOST_BYTES = 50_000_000
"""A larger file is no report."""


@dataclass(frozen=True)
class Found:
    """One report, not yet read."""

    source: str
    """Path below the folder, or the name that the table gives it; "row 17" where it gives none."""
    row: int
    """Row of the table, counted from 2 as a spreadsheet does; 0 for a file."""
    content: bytes
    cells: dict[str, str]
    """The rest of the table's row; empty for a file."""
    n_same_name: int = 1
    """Which one of several rows of this name it is, from 1."""


def find_reports(data: Data) -> Iterator[Found]:
    """Return all reports of the plan, in the order of their files or rows.

    Raises:
        SourceError: there are none, or the table lacks a column.
    """
    path = Path(data.images)
    if path.is_dir():
        return _files_below(path)
    return _rows_of(read_table(path, [data.text.text_column, data.text.id_column], SETTING), data)


def fingerprint_of_reports(data: Data) -> str:
    """Return a hash that changes when any report does.

    Raises:
        SourceError: the folder or table is missing.
    """
    path = Path(data.images)
    if path.is_dir():
        return sha256_of([[file.relative_to(path).as_posix(), sha256_of_file(file)] for file in _candidates(path)])
    if not path.is_file():
        raise SourceError(f"There is no {path}. Let `data.reports` name the folder or table of the reports.")
    if path.suffix.lower() not in TABLES:
        raise SourceError(
            f"{path.name} is neither a folder nor a table (CSV or XLSX). Correct `data.reports` in the plan."
        )
    return sha256_of_file(path)


def _files_below(folder: Path) -> Iterator[Found]:
    for file in _candidates(folder):
        content = file.read_bytes() if file.stat().st_size <= _MOST_BYTES else b"\0"
        yield Found(file.relative_to(folder).as_posix(), 0, content, {})


def _candidates(folder: Path) -> list[Path]:
    found = sorted(
        file
        for file in folder.rglob("*")
        if file.suffix.lower() in SUFFIXES and file.is_file() and not file.name.startswith(".")
    )
    if not found:
        raise SourceError(
            f"{folder} holds no report ({', '.join(sorted(SUFFIXES))}). Correct `data.reports` in the plan."
        )
    return found


def _rows_of(table: Table, data: Data) -> Iterator[Found]:
    n_seen: Counter[str] = Counter()
    for row, cells in enumerate(table, start=2):
        text, name = cells[data.text.text_column], cells[data.text.id_column] or f"row {row}"
        n_seen[name] += 1
        rest = {column: cell for column, cell in cells.items() if column != data.text.text_column}
        yield Found(name, row, text.encode(), rest, n_seen[name])
