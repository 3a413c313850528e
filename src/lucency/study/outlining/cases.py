"""The table of cases: what was measured of each structure in each image."""

from collections.abc import Sequence
from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter

from lucency.study.folder import StudyFolder

if TYPE_CHECKING:
    from lucency.evaluation.overlap.case import CaseResult


def write_cases(folder: StudyFolder, file: str, results: "Sequence[CaseResult]") -> str:
    """Write one row a case; what cannot be measured is an empty cell."""
    rows = [asdict(result) | {"emptiness": str(result.emptiness)} for result in results]
    return folder.write_table(file, list(rows[0]), [row.values() for row in rows])


def read_cases(folder: StudyFolder, file: str) -> "tuple[CaseResult, ...]":
    """Read the measurements of every case."""
    from lucency.evaluation.overlap.case import CaseResult

    names = {field.name for field in fields(CaseResult)}
    rows: list[dict[str, Any]] = [
        {name: text if text or name == "group" else None for name, text in row.items() if name in names}
        for row in folder.read_table(file)
    ]
    return tuple(TypeAdapter(list[CaseResult]).validate_python(rows))
