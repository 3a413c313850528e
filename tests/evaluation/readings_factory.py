"""Small readings for tests of agreement."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from lucency.domain.readings import Readings, Scale


def readings(
    values: ArrayLike,
    scale: Scale = Scale.NOMINAL,
    n_levels: int | None = None,
    patients: Sequence[object] | None = None,
) -> Readings:
    """Make readings of values, axes (image, reader); one image a patient unless told otherwise."""
    table = np.array(values, np.float64)
    names = [f"i{place}" for place in range(len(table))]
    is_categorical = scale in (Scale.NOMINAL, Scale.ORDINAL)
    n_levels = n_levels or (int(np.nanmax(table)) + 1 if is_categorical else 0)
    return Readings(
        "label",
        tuple(names),
        tuple(names if patients is None else map(str, patients)),
        tuple("ABCDEFGH"[: table.shape[1]]),
        scale,
        table,
        tuple(f"level {place}" for place in range(n_levels)) if is_categorical else (),
    )


def from_counts(counts: ArrayLike) -> Readings:
    """Make readings of how many readers chose each level, axes (image, level); who chose what is arbitrary."""
    counts = np.array(counts)
    width = int(counts.sum(axis=1).max())
    rows = [np.repeat(np.arange(counts.shape[1], dtype=float), row) for row in counts]
    return readings([np.append(row, np.full(width - row.size, np.nan)) for row in rows], n_levels=counts.shape[1])


def from_table(table: ArrayLike, scale: Scale = Scale.NOMINAL) -> Readings:
    """Make readings of two readers from counts, axes (level by the first, level by the second)."""
    table = np.array(table)
    cells = np.argwhere(table >= 0)
    return readings(np.repeat(cells, table.ravel(), axis=0), scale, len(table))
