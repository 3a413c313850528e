"""Take the structures out of the levels of a mask: foreground and background, label maps, shares."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from lucency.data.ground_truth.drawings.marks import Legend
from lucency.data.reading import RefusedImage
from lucency.domain.masks import Mask

MOST_LABELS = 50
"""Whole numbers up to here are labels even where no name was given to them; grey levels run up to 255."""


def structures_in(levels: NDArray, legend: Legend, white: float, notes: list[str]) -> list[Mask]:
    """Return one mask for each structure, axes (slice, row, column) as given; empty ones too, where they have a name.

    `white` is what full foreground is stored as: 1, 255 or 65,535.

    Raises:
        RefusedImage: a level stands for no structure.
    """
    named = {float(key): name for key, name in legend.names.items() if not key.startswith("#") and float(key)}
    if named:
        return labelled(levels, named)
    if legend.threshold is not None and not is_plain(levels):
        notes.append("N_MASK_THRESHOLD")
        return [Mask(legend.finding, levels >= legend.threshold * white)]
    present = np.unique(levels)
    drawn = present[present != 0]
    if drawn.size and (drawn.min() < 0 or not np.isfinite(drawn).all()):
        raise RefusedImage("E_MASK_VALUES")
    if levels.dtype.kind == "f" and drawn.size and drawn.max() <= 1 and (drawn < 1).any():
        notes.append("N_MASK_FRACTIONAL")
        return [Mask(legend.finding, levels.astype(np.float32))]
    if drawn.size <= 1:
        return [Mask(legend.finding, levels != 0)]
    if drawn.max() <= MOST_LABELS and (drawn == np.rint(drawn)).all():
        return labelled(levels, {float(level): f"label {level:g}" for level in drawn})
    raise RefusedImage("E_MASK_VALUES")


def labelled(levels: NDArray, names: Mapping[float, str]) -> list[Mask]:
    """Return one mask for each name; several levels may share one.

    Raises:
        RefusedImage: a level other than 0 has no name.
    """
    unknown = set(np.unique(levels).tolist()) - {0, *names}
    if unknown:
        raise RefusedImage("E_MASK_VALUES")
    by_name = {name: [level for level, other in names.items() if other == name] for name in names.values()}
    return [Mask(name, np.isin(levels, of_name)) for name, of_name in by_name.items()]


def is_plain(levels: NDArray) -> bool:
    """Tell whether a mask holds no more than background and one level of foreground."""
    return np.unique(levels).size <= 2 and bool((levels == 0).any() or levels.min() == levels.max())
