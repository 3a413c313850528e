"""Where every file came from: atomic writes, hashes, and the hash-chained record of a study."""

import contextlib
import errno
import hashlib
import json
import os
import platform
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any, BinaryIO

from lucency.errors import RecordError, StorageError

GENESIS = "0" * 64
"""What the first entry of a record names as its predecessor."""


def sha256_of_bytes(content: bytes) -> str:
    """Return the SHA-256 of bytes as hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()


def sha256_of_file(path: Path) -> str:
    """Return the SHA-256 of a file as hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sha256_of(value: Any) -> str:
    """Return the SHA-256 of anything JSON can hold, independent of the order of its keys."""
    return sha256_of_bytes(canonical_json(value).encode())


def canonical_json(value: Any) -> str:
    """Write a value as JSON in the one form that is hashed."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


@contextlib.contextmanager
def atomic_file(path: Path) -> Iterator[BinaryIO]:
    """Give a binary file that takes the place of `path` only when the block ends well; a crash leaves the old one.

    Raises:
        StorageError: the disk is full, or the folder cannot be written.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with storage_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with temporary.open("wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
            _fsync_folder(path.parent)
        finally:
            temporary.unlink(missing_ok=True)


def write_atomically(path: Path, content: bytes | str) -> None:
    """Write a whole file so that at any moment either the old or the new content is there.

    Raises:
        StorageError: the disk is full, or the folder cannot be written.
    """
    with atomic_file(path) as file:
        file.write(content.encode() if isinstance(content, str) else content)


@contextlib.contextmanager
def storage_errors(path: Path) -> Iterator[None]:
    """Turn the system's words for a full disk or a read-only folder into ours."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise StorageError(
                f"The disk is full: {path.name} could not be written. Free some space and run the same command again; "
                "what was finished is kept."
            ) from error
        if error.errno in (errno.EIO, errno.ESTALE, errno.ENOTDIR, errno.EEXIST, errno.ENAMETOOLONG):
            raise StorageError(
                f"{path.name} cannot be written below {path.parent} ({os.strerror(error.errno)}). Check the path and the "
                "drive, or choose another folder with --out; what was finished is kept."
            ) from error
        if error.errno in (errno.EACCES, errno.EROFS, errno.EPERM):
            raise StorageError(
                f"{path.parent} cannot be written. Choose another folder with --out, or ask for write permission."
            ) from error
        raise


def _fsync_folder(folder: Path) -> None:
    """Make a rename survive a power cut (on systems that let a folder be opened)."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


@dataclass(frozen=True)
class Entry:
    """One line of the record."""

    n: int
    time: str
    event: str
    payload: dict[str, Any]
    previous: str
    sha256: str


class Record:
    """The append-only log of a study; each line carries the hash of the line before it, so that no edit goes unseen."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.entries: list[Entry] = _read_chain(path)

    @property
    def head(self) -> str:
        """The hash of the last entry: it vouches for every entry before it."""
        return self.entries[-1].sha256 if self.entries else GENESIS

    def append(self, event: str, **payload: Any) -> Entry:
        """Add an entry and make it durable before returning.

        Raises:
            StorageError: the record cannot be written.
        """
        body = {
            "n": len(self.entries),
            "time": datetime.now(UTC).isoformat(timespec="seconds"),
            "event": event,
            "payload": json.loads(canonical_json(payload)),
            "previous": self.head,
        }
        entry = Entry(**body, sha256=sha256_of(body))
        line = canonical_json({**body, "sha256": entry.sha256}) + "\n"
        with storage_errors(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            _drop_torn_tail(self.path)
            with self.path.open("ab") as file:
                file.write(line.encode())
                file.flush()
                os.fsync(file.fileno())
        self.entries.append(entry)
        return entry

    def last(self, event: str, **payload: Any) -> Entry | None:
        """Return the newest entry of an event whose payload has the given values, or None."""
        for entry in reversed(self.entries):
            if entry.event == event and all(entry.payload.get(key) == value for key, value in payload.items()):
                return entry
        return None

    def count(self, event: str) -> int:
        """Return how often an event was recorded."""
        return sum(entry.event == event for entry in self.entries)


def head_code(head: str) -> str:
    """Return the 16 characters of a head that fit into a report's footer."""
    return "-".join(head[i : i + 4] for i in range(0, 16, 4))


def _read_chain(path: Path) -> list[Entry]:
    """Read and verify a record; a last line without its line break is the trace of a crash and does not count."""
    if not path.exists():
        return []
    lines = path.read_bytes().split(b"\n")[:-1]
    entries: list[Entry] = []
    for number, line in enumerate(lines, start=1):
        previous = entries[-1].sha256 if entries else GENESIS
        try:
            fields = json.loads(line)
            claimed = fields.pop("sha256")
            entry = Entry(**fields, sha256=claimed)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise _changed(path, number) from error
        if sha256_of(fields) != claimed or entry.previous != previous or entry.n != len(entries):
            raise _changed(path, number)
        entries.append(entry)
    return entries


def _changed(path: Path, line: int) -> RecordError:
    return RecordError(
        f"{path.name} was changed at line {line}: the chain of hashes is broken, so nothing after it can be trusted. "
        "Restore the file from a backup, or start again in a new folder with --out."
    )


def _drop_torn_tail(path: Path) -> None:
    """Cut a half-written last line, which a crash can leave behind."""
    if not path.exists():
        return
    content = path.read_bytes()
    whole = content.rfind(b"\n") + 1
    if whole < len(content):
        os.truncate(path, whole)


def environment() -> dict[str, str]:
    """Describe the software and hardware that a stage ran on."""
    packages = ("lucency", "torch", "torchvision", "lightning-fabric", "numpy", "scipy", "pydicom", "pillow")
    versions = {}
    for package in packages:
        with contextlib.suppress(metadata.PackageNotFoundError):
            versions[package] = metadata.version(package)
    return {
        "python": sys.version.split()[0],
        "system": f"{platform.system()} {platform.release()}",
        "processor": _processor(),
        "n_cores": str(os.cpu_count() or 1),
        **versions,
    }


def _processor() -> str:
    """Return the processor's name where the system tells it."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()
