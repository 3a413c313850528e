"""The decoded-once store of whole volumes: each with its own shape, its own values and its own place in the patient."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lucency.data.ragged_store import RaggedStore, RaggedWriter, files_of, open_ragged
from lucency.domain.volume import Volume

NAME = "volumes"
FILES = files_of(NAME)


@dataclass(frozen=True)
class VolumeStore(Sequence[Volume]):
    """The volumes of a cohort, by the row of the store."""

    arrays: RaggedStore

    def __len__(self) -> int:
        return len(self.arrays)

    def __getitem__(self, row: int) -> Volume:  # type: ignore[override]  # one at a time
        """Look at one volume without copying it."""
        facts = self.arrays.facts(row)
        affine = None if facts["affine"] is None else np.array(facts["affine"])
        return Volume(self.arrays[row], affine, facts["unit"])


def open_volumes(folder: Path) -> VolumeStore:
    """Map a finished store into memory."""
    return VolumeStore(open_ragged(folder, NAME))


class VolumeWriter:
    """Appends volumes to a store, and can go on where a crash stopped it."""

    dtype = "int16"
    """What the journal is told; each volume has a type of its own."""

    def __init__(self, folder: Path, n_done: int) -> None:
        self._writer = RaggedWriter(folder, NAME, n_done)

    @property
    def n_images(self) -> int:
        """How many volumes are in the store."""
        return self._writer.n_arrays

    def append(self, volume: Volume) -> int:
        """Add one volume; return its row in the store."""
        affine = None if volume.affine is None else volume.affine.tolist()
        return self._writer.append(volume.values, {"affine": affine, "unit": volume.unit})

    def flush(self) -> None:
        """Hand everything to the operating system."""
        self._writer.flush()

    def finish(self) -> None:
        """Close the store."""
        self._writer.finish()
