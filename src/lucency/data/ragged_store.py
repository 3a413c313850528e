"""Arrays of different shapes in one memory-mapped file: whole volumes, and label maps on the grids of their images.

`NAME.bin` holds the values one array after the other; `NAME.jsonl` has a line for each, with its place, type and shape, and
whatever else belongs to it.
"""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lucency.provenance import storage_errors

_ALIGNMENT = 64
"""Bytes at a multiple of which each array begins, so that it can be looked at as any type."""


@dataclass(frozen=True)
class RaggedStore:
    """The arrays of one store, as a sequence."""

    content: NDArray[np.uint8]
    """All bytes of the file."""
    entries: Sequence[Mapping[str, Any]]
    """Place, type, shape and facts of each array."""

    def __len__(self) -> int:
        return len(self.entries)

    def __getitem__(self, number: int) -> NDArray:
        """Look at one array without copying it."""
        entry = self.entries[number]
        dtype, shape = np.dtype(entry["dtype"]), tuple(entry["shape"])
        n_bytes = int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
        return self.content[entry["begin"] : entry["begin"] + n_bytes].view(dtype).reshape(shape)

    def facts(self, number: int) -> Mapping[str, Any]:
        """Return what was written beside one array."""
        return self.entries[number]["facts"]


def files_of(name: str) -> list[str]:
    """Name the two files of a store."""
    return [f"{name}.bin", f"{name}.jsonl"]


def open_ragged(folder: Path, name: str) -> RaggedStore:
    """Map a store into memory."""
    values, lines = (folder / file for file in files_of(name))
    entries = [json.loads(line) for line in lines.read_text().splitlines()]
    if not values.stat().st_size:
        return RaggedStore(np.zeros(0, np.uint8), entries)
    # copy-on-write, so that torch may wrap the array without a warning and nothing can reach the file
    return RaggedStore(np.memmap(values, np.uint8, mode="c"), entries)


class RaggedWriter:
    """Appends arrays to a store, and can go on where a crash stopped it."""

    def __init__(self, folder: Path, name: str, n_done: int = 0) -> None:
        self._values_path, self._lines_path = (folder / file for file in files_of(name))
        with storage_errors(self._values_path):
            folder.mkdir(parents=True, exist_ok=True)
            self._values_path.touch()
            self._lines_path.touch()
            kept = self._lines_path.read_text().splitlines(keepends=True)[:n_done]
            self._end = json.loads(kept[-1])["end"] if kept else 0
            os.truncate(self._lines_path, sum(len(line.encode()) for line in kept))
            os.truncate(self._values_path, self._end)
            self._values, self._lines = self._values_path.open("ab"), self._lines_path.open("a")
        self.n_arrays = n_done

    def append(self, values: NDArray, facts: Mapping[str, Any] | None = None) -> int:
        """Add one array and what belongs to it; return its number in the store."""
        content = np.ascontiguousarray(values)
        begin = self._end
        n_filling = -content.nbytes % _ALIGNMENT
        self._end += content.nbytes + n_filling
        entry = {"begin": begin, "end": self._end, "dtype": content.dtype.str, "shape": content.shape}
        with storage_errors(self._values_path):
            self._values.write(content.tobytes() + bytes(n_filling))
            self._lines.write(json.dumps(entry | {"facts": dict(facts or {})}) + "\n")
        self.n_arrays += 1
        return self.n_arrays - 1

    def flush(self) -> None:
        """Hand everything to the operating system, the values first."""
        with storage_errors(self._values_path):
            self._values.flush()
            self._lines.flush()

    def finish(self) -> None:
        """Close the store."""
        self.flush()
        with storage_errors(self._values_path):
            for file in (self._values, self._lines):
                os.fsync(file.fileno())
                file.close()
