"""Sheets of many images in one picture."""

import io
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

SHEET_WIDTH = 840
"""Pixels that small images are magnified to, so that one sees them as they are."""


def mosaic(images: NDArray, n_columns: int, gap: int = 0) -> NDArray[np.uint8]:
    """Lay images, axes (image, channel, row, column) of 8 or 16 bits, side by side; axes (row, column[, colour]), 8 bits."""
    levels = (images // 257 if images.dtype == np.uint16 else images).astype(np.uint8)
    n, channels, rows, columns = levels.shape
    n_rows = -(-n // n_columns)
    sheet = np.full((n_rows * n_columns, channels, rows + gap, columns + gap), 255, np.uint8)
    sheet[:n, :, :rows, :columns] = levels
    laid = sheet.reshape(n_rows, n_columns, channels, rows + gap, columns + gap).transpose(0, 3, 1, 4, 2)
    laid = laid.reshape(n_rows * (rows + gap), n_columns * (columns + gap), channels)
    laid = laid[: laid.shape[0] - gap or None, : laid.shape[1] - gap or None]
    return laid[:, :, 0] if channels == 1 else laid


def sheet_png(sheet: NDArray[np.uint8], width: int = SHEET_WIDTH) -> bytes:
    """Encode a sheet, magnified by a whole number so that every pixel stays a square."""
    factor = max(1, width // sheet.shape[1])
    large = np.repeat(np.repeat(sheet, factor, axis=0), factor, axis=1)
    buffer = io.BytesIO()
    Image.fromarray(large).save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def rows_of_classes(classes: Sequence[str], n_rows: int) -> str:
    """Say which rows of a sheet show which class."""
    if n_rows == 1:
        return "; ".join(f"row {number}: {name}" for number, name in enumerate(classes, 1))
    return "; ".join(f"rows {n_rows * k + 1} to {n_rows * (k + 1)}: {name}" for k, name in enumerate(classes))
