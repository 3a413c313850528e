"""Make label maps of what was drawn: one number a pixel or voxel, on the grid of the image, for networks that outline."""

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lucency.data.ground_truth.drawings.consensus import drawn_voxels
from lucency.data.ground_truth.drawings.marks import Marks
from lucency.data.ground_truth.drawings.reading import DrawnOn
from lucency.data.ragged_store import RaggedStore, RaggedWriter, files_of, open_ragged
from lucency.domain.labels_plan import Drawings
from lucency.errors import SourceError

NAME = "masks"
FILES = files_of(NAME)
_MOST_STRUCTURES = 254


class LabelMapWriter:
    """Stores the label map of one image after another.

    Structures are numbered from 1 in the order in which the plan names them (`structures`, else `names`); without one, in
    the order of their names. Where two overlap, the one that the plan names later lies on top; without an order, the image
    is refused.
    """

    def __init__(self, folder: Path, settings: Drawings) -> None:
        self._folder = folder
        self._writer = RaggedWriter(folder, NAME)
        stated = settings.structures or tuple(dict.fromkeys(settings.names.values()))
        self._has_order = bool(stated)
        self._numbers = {name: number for number, name in enumerate(stated, start=1)}
        self.present: defaultdict[str, tuple[str, ...]] = defaultdict(tuple)
        """Image → structures that are drawn on it."""

    def take(self, drawn: DrawnOn, marks: Marks) -> str:
        """Store what was drawn on one image; return the code of the reason if it cannot be."""
        shape = drawn.grid.shape if drawn.grid else drawn.image.shape
        if any(of_reader.boxes for of_reader in drawn.marks.values()):
            return "E_ONLY_BOX"
        if shape is None:
            return "E_UNREADABLE"
        labels = np.zeros(shape, np.uint8)
        names = sorted({mask.name for mask in marks.masks}, key=lambda name: (self._numbers.get(name, 0), name))
        present = []
        for name in names:
            voxels = drawn_voxels(Marks(marks.masks), name, shape)
            if not self._has_order and labels[voxels].any():
                return "E_MASK_OVERLAP"
            labels[voxels] = self._number(name)
            if voxels.any():
                present.append(name)
        self.present[drawn.image.image_id] = tuple(present)
        self._writer.append(labels, {"image_id": drawn.image.image_id})
        return ""

    def finish(self) -> tuple[str, ...]:
        """Close the store and return the structures in the order of their numbers.

        Raises:
            SourceError: nothing is drawn on any image.
        """
        self._writer.finish()
        if not any(self.present.values()):
            raise SourceError("Nothing is drawn on any image. Check `data.labels.drawings` in the plan.")
        if self._has_order:
            return tuple(self._numbers)
        ordered = tuple(sorted(self._numbers))
        _renumber(self._folder, [0, *(ordered.index(name) + 1 for name in self._numbers)])
        return ordered

    def _number(self, name: str) -> int:
        if name not in self._numbers and len(self._numbers) == _MOST_STRUCTURES:
            raise SourceError(
                f"The drawings name more than {_MOST_STRUCTURES} structures. Choose some with `structures`."
            )
        return self._numbers.setdefault(name, len(self._numbers) + 1)


def open_label_maps(folder: Path) -> dict[str, NDArray[np.uint8]]:
    """Return the label map of each image, uint8, axes (slice, row, column), without reading any."""
    store: RaggedStore = open_ragged(folder, NAME)
    return {store.facts(number)["image_id"]: store[number] for number in range(len(store))}


def _renumber(folder: Path, numbers: Sequence[int]) -> None:
    """Give every label of the store another number, in place."""
    values = np.memmap(folder / FILES[0], np.uint8, mode="r+")
    table = np.arange(256, dtype=np.uint8)
    table[: len(numbers)] = numbers
    for begin in range(0, len(values), 2**24):
        values[begin : begin + 2**24] = table[values[begin : begin + 2**24]]
    values.flush()
