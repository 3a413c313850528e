"""The study folder: stages that know when they are done, tables, the record, and the seal on the test set.

A stage is done when the record says so for the same key, and every file it left behind still has its recorded hash.
The key is the hash of the settings the stage depends on and of the files it reads; so a second run does nothing, and a
changed setting redoes only what depends on it.
"""

import contextlib
import csv
import fcntl
import io
import json
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, TypeVar

from lucency import __version__
from lucency.errors import PlanError, RecordError, SealError
from lucency.provenance import Record, environment, sha256_of, sha256_of_file, storage_errors, write_atomically

Row = TypeVar("Row")

STAGE_DONE = "stage done"
TEST_OPENED = "test set opened"


@dataclass(frozen=True)
class Opening:
    """The right to look at the test part, given once per evaluation and recorded."""

    key: str
    """What the opening was for: the key of the evaluation."""
    n_openings: int
    """How many different evaluations have opened the test set so far, this one included."""


class StudyFolder:
    """A folder that holds one study."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.record = Record(path / "record.jsonl")
        self._hashes: dict[tuple[str, int, int, int], str] = {}

    @contextlib.contextmanager
    def in_use(self) -> Iterator[None]:
        """Create the folder if need be and keep a second lucency out while working in it.

        Raises:
            PlanError: the folder holds something else, or another lucency works in it.
            StorageError: the folder cannot be written.
        """
        if self.path.exists() and not self._is_ours():
            raise PlanError(f"{self.path} is not a study folder and not empty. Choose another folder with --out.")
        if any(above.is_file() for above in self.path.parents):
            raise PlanError(f"{self.path} would lie below a file. Choose another folder with --out.")
        with storage_errors(self.path / "record.jsonl"):
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = (self.path / ".lock").open("w")
        with lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise PlanError(f"Another lucency is working in {self.path}. Wait for it, or choose --out.") from None
            self.record = Record(self.record.path)  # another lucency may have written until a moment ago
            for stray in self.path.rglob(".*.tmp"):
                stray.unlink(missing_ok=True)
            yield

    def _is_ours(self) -> bool:
        """Tell a study, even one that was stopped before its first entry, from a folder of somebody else's."""
        marks = (self.record.path, self.path / ".lock")
        return self.path.is_dir() and (any(mark.exists() for mark in marks) or not any(self.path.iterdir()))

    def stage(
        self, name: str, settings: Any, reads: Sequence[str], work: Callable[[str], Iterable[str]], again: bool = False
    ) -> bool:
        """Do one stage unless it is done already; tell whether it had to be done.

        `work` gets the stage's key and returns the names of the files it wrote; `reads` names the files of earlier
        stages. With `again`, the stage is done in any case.
        """
        key = self.key(name, settings, reads)
        if not again and self.is_done(name, key):
            return False
        started = time.monotonic()
        written = sorted(work(key))
        self.record.append(
            STAGE_DONE,
            stage=name,
            key=key,
            settings=settings,
            reads={file: self.hash(file) for file in reads},
            writes={file: self.hash(file) for file in written},
            seconds=round(time.monotonic() - started, 1),
            environment=environment(),
        )
        return True

    def key(self, name: str, settings: Any, reads: Sequence[str]) -> str:
        """Return the hash of all that a stage depends on."""
        return sha256_of(
            {"stage": name, "lucency": __version__, "settings": settings, "reads": {f: self.hash(f) for f in reads}}
        )

    def is_done(self, name: str, key: str) -> bool:
        """Tell whether the newest entry of a stage has this key and all its files are as it left them."""
        entry = self.record.last(STAGE_DONE, stage=name)
        if entry is None or entry.payload["key"] != key:
            return False
        return all(
            (self.path / file).exists() and self.hash(file) == sha256
            for file, sha256 in entry.payload["writes"].items()
        )

    def open_test_set(self, key: str, **facts: Any) -> Opening:
        """Break the seal for one evaluation, and write that down first.

        An evaluation that was interrupted and goes on has the same key and counts once.
        """
        self.record.append(TEST_OPENED, key=key, **facts)
        return Opening(key, self.n_openings())

    def n_openings(self) -> int:
        """Count the different evaluations that have opened the test set."""
        return len({entry.payload["key"] for entry in self.record.entries if entry.event == TEST_OPENED})

    def last_opening(self) -> Opening:
        """Return the opening of the newest evaluation, for showing what it has already seen.

        Raises:
            SealError: the test set is still sealed.
        """
        entry = self.record.last(TEST_OPENED)
        if entry is None:
            raise SealError("The test set is still sealed. Run `lucency evaluate` first.")
        return Opening(entry.payload["key"], self.n_openings())

    def hash(self, file: str) -> str:
        """Return the SHA-256 of a file in the folder; within one run, a file is read again only when it has changed."""
        status = (self.path / file).stat()
        stamp = (file, status.st_ino, status.st_size, status.st_mtime_ns)
        if stamp not in self._hashes:
            self._hashes[stamp] = sha256_of_file(self.path / file)
        return self._hashes[stamp]

    def write(self, file: str, content: str | bytes) -> str:
        """Write a file atomically and return its name."""
        write_atomically(self.path / file, content)
        # two writes within one tick of the clock would leave the same stamp
        self._hashes = {stamp: sha256 for stamp, sha256 in self._hashes.items() if stamp[0] != file}
        return file

    def write_if_changed(self, file: str, content: str) -> None:
        """Write a text file unless it says the same already, so that a second run touches nothing."""
        if not (self.path / file).exists() or (self.path / file).read_bytes() != content.encode():
            self.write(file, content)

    def write_json(self, file: str, value: Any) -> str:
        """Write a value as JSON and return the file's name."""
        return self.write(file, json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False) + "\n")

    def read_json(self, file: str) -> Any:
        """Read a JSON file of the folder."""
        return json.loads((self.path / file).read_text(encoding="utf-8"))

    def write_rows(self, file: str, rows: Sequence[Any]) -> str:
        """Write frozen dataclasses of one kind as a CSV table and return the file's name."""
        return self.write_table(file, [field.name for field in fields(rows[0])], [asdict(row).values() for row in rows])

    def write_table(self, file: str, header: Sequence[str], rows: Iterable[Iterable[object]]) -> str:
        """Write a CSV table and return the file's name."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(header)
        writer.writerows([disarmed(value) for value in row] for row in rows)
        return self.write(file, text.getvalue())

    def read_rows(self, file: str, kind: type[Row]) -> list[Row]:
        """Read a CSV table back into its frozen dataclass.

        Raises:
            RecordError: the table is missing, or was changed so that it is none any more.
        """
        types = {field.name: field.type for field in fields(kind)}  # type: ignore[arg-type]  # a dataclass by contract
        try:
            return [
                kind(**{name: int(text) if types[name] is int else text for name, text in row.items()})
                for row in self.read_table(file)
            ]
        except (TypeError, KeyError, ValueError):
            raise _unreadable(file) from None

    def read_table(self, file: str) -> list[dict[str, str]]:
        """Read a CSV table as one dictionary of texts a row.

        Raises:
            RecordError: an earlier stage's table is missing, or was changed so that it is none any more.
        """
        try:
            with (self.path / file).open(encoding="utf-8", newline="") as stream:
                return [{name: _text(cell) for name, cell in row.items()} for row in csv.DictReader(stream)]
        except FileNotFoundError:
            raise RecordError(
                f"{file} is missing from {self.path.name}. Run `lucency run` on the plan to make it again."
            ) from None
        except (UnicodeDecodeError, csv.Error, AttributeError):
            raise _unreadable(file) from None


def _unreadable(file: str) -> RecordError:
    return RecordError(f"{file} is not as it was written: it cannot be read. Run `lucency run` to make it again.")


def refuse_sealed(part: str, opening: Opening | None) -> None:
    """Keep the test part shut for whoever does not hold an opening.

    Raises:
        SealError: the test part was asked for without an opening.
    """
    if part == "test" and opening is None:
        raise SealError("The test set is sealed until the evaluation. Finish training, then run `lucency evaluate`.")


def disarmed(value: object) -> object:
    """Disarm a text that a spreadsheet would run as a formula."""
    return f"'{value}" if isinstance(value, str) and _begins_like_a_formula(value) else value


def _text(cell: str) -> str:
    """Undo what `disarmed` did."""
    return cell[1:] if cell.startswith("'") and _begins_like_a_formula(cell) else cell


def _begins_like_a_formula(text: str) -> bool:
    """Tell whether a text is a formula, or one that was disarmed before, so that any text reads back as it was."""
    return text.lstrip("'").startswith(("=", "+", "-", "@", "\t", "\r"))
