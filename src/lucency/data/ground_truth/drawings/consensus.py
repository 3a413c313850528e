"""Make one mask of several readers' masks by STAPLE (Warfield, Zou & Wells 2004), and count how far each pair agrees."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from lucency.data.ground_truth.drawings.marks import Marks
from lucency.data.ground_truth.staple import staple
from lucency.domain.masks import Mask

CONSENSUS = "consensus"
"""What stands for the reader of the mask that counts."""


@dataclass(frozen=True)
class PairCounts:
    """How much two readers drew of one structure in one image, and how much of it is the same."""

    image_id: str
    structure: str
    first: str
    second: str
    n_first: int
    """Pixels or voxels."""
    n_second: int
    n_both: int


def structures_of(by_reader: Mapping[str, Marks]) -> tuple[str, ...]:
    """List the structures that any reader drew a mask of, or a box."""
    return tuple(sorted({name for marks in by_reader.values() for name in marks.names}))


def drawn_voxels(marks: Marks, structure: str, shape: tuple[int, int, int]) -> NDArray[np.bool_]:
    """Join all lesions of one structure, axes (slice, row, column); a box counts as the pixels whose centres it holds."""
    voxels = np.zeros(shape, bool)
    for mask in marks.masks:
        if mask.name == structure:
            voxels |= mask.voxels >= 0.5
    for box in marks.boxes:
        if box.name == structure:
            rows, columns = _held(box.top, box.height), _held(box.left, box.width)
            voxels[:, rows, columns] = True
    return voxels


def compare_readers(image_id: str, by_reader: Mapping[str, Marks], shape: tuple[int, int, int]) -> list[PairCounts]:
    """Count, for each structure and each pair of readers who looked at an image."""
    counts = []
    for structure in structures_of(by_reader):
        voxels = {reader: drawn_voxels(marks, structure, shape) for reader, marks in by_reader.items()}
        counts += [
            PairCounts(
                *(image_id, structure, first, second),
                *(int(n.sum()) for n in (voxels[first], voxels[second], voxels[first] & voxels[second])),
            )
            for first, second in combinations(voxels, 2)
        ]
    return counts


def consensus_of(by_reader: Mapping[str, Marks], shape: tuple[int, int, int]) -> Marks:
    """Return one mask for each structure: what is more likely than not drawn, by STAPLE; of one reader, what that one drew."""
    masks = []
    notes = dict.fromkeys(note for marks in by_reader.values() for note in marks.notes)
    for structure in structures_of(by_reader):
        voxels = np.stack([drawn_voxels(marks, structure, shape) for marks in by_reader.values()])
        agreed = voxels[0]
        if len(voxels) > 1 and voxels.any():
            fused = staple(voxels)
            agreed = fused.probability >= 0.5
            notes |= {} if fused.is_converged else {"N_STAPLE": None}
        masks.append(Mask(structure, agreed, reader=CONSENSUS))
    return Marks(tuple(masks), notes=tuple(notes))


def _held(start: float, length: float) -> slice:
    return slice(int(np.ceil(start - 0.5)), max(int(np.ceil(start + length - 0.5)), 0))
