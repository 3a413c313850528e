"""Gather the radiology reports of a folder or a table, each with what had to be repaired or why it cannot be read."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from lucency.data.ground_truth.reports.sections import is_heading
from lucency.data.ground_truth.reports.texts import clean_text, read_text_with_notes
from lucency.data.ground_truth.tables import Table, read_table
from lucency.errors import SourceError

TEXT_SUFFIXES = {"", ".txt", ".text", ".html", ".htm", ".xml", ".rtf", ".hl7", ".md", ".rpt", ".dat"}
TABLE_SUFFIXES = {".csv", ".tsv", ".xlsx", ".xlsm"}
_USUAL_TEXT_COLUMNS = ("text", "report_text", "report text", "report", "radiology_report", "findings", "impression")
_USUAL_NAME_COLUMNS = ("report_id", "report", "study_id", "uid", "id", "accession", "image", "filename", "path")


@dataclass(frozen=True)
class Report:
    """One radiology report."""

    name: str
    """Path below the folder, or name in the table."""
    text: str
    code: str = ""
    """Why it cannot be read (E_…)."""
    notes: tuple[str, ...] = ()
    """What was repaired (N_…)."""


def gather_reports(source: Path, text_columns: Sequence[str] = (), name_column: str = "") -> list[Report]:
    """Return all reports of a folder of texts, or of a table (CSV or XLSX); none is lost.

    Several text columns are joined in their order, each under its name as a heading.

    Raises:
        SourceError: there is no such source, it holds no reports, or the table lacks a column.
    """
    if source.is_dir():
        reports = [_read(file, source) for file in _text_files(source)]
    elif source.suffix.lower() in TABLE_SUFFIXES and source.is_file():
        reports = list(_rows(source, text_columns, name_column))
    elif source.is_file():
        reports = [_read(source, source.parent)]
    else:
        raise SourceError(f"There is no folder or table {source}. Check the path for a typing error.")
    if not reports:
        kinds = ", ".join(sorted(TEXT_SUFFIXES - {""}))
        raise SourceError(f"{source.name} holds no reports. Reports are files of the kinds {kinds}, or a table.")
    return reports


def _text_files(folder: Path) -> list[Path]:
    files = (file for file in folder.rglob("*") if file.is_file() and file.suffix.lower() in TEXT_SUFFIXES)
    return sorted(file for file in files if not any(part.startswith(".") for part in file.relative_to(folder).parts))


def _read(file: Path, folder: Path) -> Report:
    name = file.relative_to(folder).as_posix()
    try:
        text, notes = read_text_with_notes(file.read_bytes(), file.name)
    except SourceError:
        return Report(name, "", "E_NOT_TEXT")
    except OSError:
        raise SourceError(f"{name} cannot be opened. Check who may read the folder {folder.name}.") from None
    return Report(name, text, "" if text else "E_EMPTY_REPORT", notes)


def _rows(path: Path, text_columns: Sequence[str], name_column: str) -> Iterator[Report]:
    table = read_table(path, [*text_columns, *([name_column] if name_column else [])], "SOURCE")
    columns = list(text_columns) or _guess_text_columns(table, path)
    naming = name_column or next((name for name in _present(table, _USUAL_NAME_COLUMNS) if name not in columns), "")
    n_digits = len(str(len(table) + 1))
    seen: set[str] = set()
    for number, row in enumerate(table, start=2):
        name = row[naming] if naming else ""
        if not name or name in seen:
            name = f"{name} row {number:0{n_digits}}".strip()
        seen.add(name)
        text = clean_text(_joined(row, columns))
        yield Report(name, text, "" if text else "E_EMPTY_REPORT")


def _joined(row: dict[str, str], columns: Sequence[str]) -> str:
    """Return the text of a row; what several columns hold stands under their names."""
    if len(columns) == 1:
        return row[columns[0]]
    return "\n\n".join(f"{column.upper()}:\n{row[column]}" for column in columns if row[column])


def _guess_text_columns(table: Table, path: Path) -> list[str]:
    """Find the column of the text by its usual names; findings and impression go together."""
    found = _present(table, _USUAL_TEXT_COLUMNS)
    sections = [name for name in table[0] if is_heading(name)]
    if found and found[0].lower() not in ("findings", "impression"):
        return found[:1]
    if sections:
        return sections
    raise SourceError(f"{path.name} does not tell which column holds the text. Name it with --text-column.")


def _present(table: Table, names: Sequence[str]) -> list[str]:
    by_lower = {name.lower(): name for name in table[0]}
    return [by_lower[name] for name in names if name in by_lower]
