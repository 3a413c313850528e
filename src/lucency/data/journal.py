"""The journal of a curation: what was finished, so that a stopped one goes on where it was."""

import json
from collections.abc import Sequence
from dataclasses import asdict, fields
from pathlib import Path

from lucency.data.looks.fingerprint import Fingerprint, from_text
from lucency.domain.cohort import CohortRow
from lucency.provenance import storage_errors


class Journal:
    """The rows finished so far, one JSON line for each candidate, valid for one key."""

    def __init__(self, path: Path, key: str) -> None:
        self._path = path
        self.rows: list[CohortRow] = []
        self.fingerprints: list[Fingerprint] = []
        """Of the kept images, in their order."""
        self.n_candidates = 0
        self.dtype = "uint8"
        if not self._read(key):
            with storage_errors(path):
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(json.dumps({"key": key}) + "\n")

    def append(self, rows: Sequence[CohortRow], fingerprints: Sequence[Fingerprint], dtype: str) -> None:
        """Note what one candidate gave, and the type that the store has by then."""
        line = [dtype, [list(asdict(row).values()) for row in rows], [one.text for one in fingerprints]]
        with storage_errors(self._path), self._path.open("a") as file:
            file.write(json.dumps(line) + "\n")
        self.rows += rows
        self.fingerprints += fingerprints
        self.n_candidates += 1

    def remove(self) -> None:
        """Forget everything: the curation is finished."""
        self._path.unlink()

    def _read(self, key: str) -> bool:
        """Take over the rows of an earlier, stopped curation with the same key."""
        if not self._path.exists():
            return False
        lines = self._path.read_text().split("\n")[:-1]  # what follows the last line break was cut by a crash
        if not lines or json.loads(lines[0])["key"] != key:
            return False
        names = [field.name for field in fields(CohortRow)]
        for line in lines[1:]:
            self.dtype, rows, fingerprints = json.loads(line)
            self.fingerprints += map(from_text, fingerprints)
            self.rows += [CohortRow(**dict(zip(names, values, strict=True))) for values in rows]
            self.n_candidates += 1
        return True
