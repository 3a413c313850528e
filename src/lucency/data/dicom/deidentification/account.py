"""The account of a folder: what became of each file, and the private list of which original is which."""

import json
import os
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from lucency.provenance import storage_errors


class Fate(StrEnum):
    """What became of a file."""

    WRITTEN = "written"
    REFUSED = "refused"
    QUARANTINED = "quarantined"
    LEFT_OUT = "left out"


@dataclass(frozen=True)
class FileRow:
    """What became of one file, without anything that could name a patient."""

    file: str
    """Keyed hash of the path of the original; the private list says which it is."""
    fate: Fate
    code: str = ""
    """Why it was not written, by the list of codes."""
    output: str = ""
    """Path below the folder of results."""
    output_sha256: str = ""
    patient: str = ""
    """Pseudonym."""
    exam: str = ""
    series: str = ""
    counts: dict[str, int] = field(default_factory=dict)
    """Number of elements by what was done to them."""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Summary:
    """The account of a folder."""

    edition: str
    """Edition of PS3.15."""
    settings: dict[str, str]
    methods: tuple[tuple[str, str], ...]
    """Code and meaning of the profile and the options that were applied (PS3.16, CID 7050)."""
    key_fingerprint: str
    files: tuple[FileRow, ...]
    private_list: Path
    """Which original is which, for the owner's eyes only."""
    review_sheet: Path | None = None
    """Pictures that were held back, to be looked at; for the owner's eyes only."""

    def n_files(self, fate: Fate) -> int:
        """Return how many files ended in one way."""
        return sum(row.fate == fate for row in self.files)

    @property
    def n_patients(self) -> int:
        """The number of patients of whom something was written."""
        return len({row.patient for row in self.files if row.fate == Fate.WRITTEN and row.patient})


@dataclass(frozen=True)
class Original:
    """A file of the source, as it was when it was worked on."""

    path: str
    """Relative to the source."""
    n_bytes: int
    modified_ns: int


@dataclass(frozen=True)
class Entry:
    """One line of the private list."""

    original: Original
    row: FileRow
    preview: str = ""
    """The small picture of the review sheet, as base64."""


class PrivateList:
    """Originals and what became of them, one JSON line each, readable by the owner alone; also the journal of the work."""

    def __init__(self, path: Path, work: str) -> None:
        """Open the list; `work` names settings and key, and entries of other work do not count."""
        self.path = path
        self._work = work
        self._entries = {entry.original.path: entry for entry in self._read()}

    def finished(self, original: Original) -> Entry | None:
        """Return what became of an original that has not changed since."""
        entry = self._entries.get(original.path)
        return entry if entry is not None and entry.original == original else None

    def others(self, paths: set[str]) -> list[Entry]:
        """Return the entries of originals that are no longer there."""
        return [entry for path, entry in self._entries.items() if path not in paths]

    def before(self, path: str) -> Entry | None:
        """Return what became of an earlier state of an original."""
        return self._entries.get(path)

    def append(self, entry: Entry) -> None:
        """Add a line."""
        self._entries[entry.original.path] = entry
        line = json.dumps({"work": self._work, **asdict(entry)}, ensure_ascii=True) + "\n"
        with storage_errors(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            with os.fdopen(descriptor, "a") as file:
                file.write(line)

    def _read(self) -> list[Entry]:
        if not self.path.exists():
            return []
        lines = self.path.read_text("ascii").split("\n")
        if lines[-1]:  # what follows the last line break was cut by a crash
            os.truncate(self.path, sum(len(line) + 1 for line in lines[:-1]))
        entries = (json.loads(line) for line in lines[:-1])
        return [_entry(fields) for fields in entries if fields["work"] == self._work]


def read_originals(path: Path) -> dict[str, str]:
    """Return the path of the original for each result that a private list names."""
    if not path.exists():
        return {}
    entries = [json.loads(line) for line in path.read_text("ascii").split("\n")[:-1]]
    return {entry["row"]["output"]: entry["original"]["path"] for entry in entries if entry["row"]["output"]}


def _entry(fields: dict[str, Any]) -> Entry:
    row = fields["row"]
    row = FileRow(**{**row, "fate": Fate(row["fate"]), "notes": tuple(row["notes"])})
    return Entry(Original(**fields["original"]), row, fields["preview"])
