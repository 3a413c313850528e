"""How numbers and tables look on a terminal without colours."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike


def number(value: float) -> str:
    """Return a number in at most five significant figures, whole numbers in full: 14, 0.25, 4,294,967,296."""
    if np.isfinite(value) and value == int(value) and abs(value) < 1e15:
        return f"{int(value):,}".replace("-", "−")
    return f"{value:.5g}".replace("-", "−")


def matrix(values: ArrayLike) -> str:
    """Return numbers in rows and aligned columns, indented by two spaces."""
    cells = [[number(value) for value in row] for row in np.asarray(values, np.float64)]
    width = max(len(cell) for row in cells for cell in row)
    return "\n".join("  " + "  ".join(cell.rjust(width) for cell in row) for row in cells)


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table with aligned columns and a rule below the heads, indented by two spaces."""
    widths = [max(len(cell) for cell in column) for column in zip(heads, *rows, strict=True)]
    rule = ["─" * width for width in widths]
    lines = ["  " + "  ".join(c.rjust(w) for c, w in zip(row, widths, strict=True)) for row in (heads, rule, *rows)]
    return "\n".join(lines)
