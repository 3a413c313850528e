"""Letters as masks, and pictures that hold none."""

import numpy as np
from PIL import Image, ImageDraw, ImageFont


def draw_word(word: str, height_px: int, degrees: int = 0) -> np.ndarray:
    """Return the mask of a word; bool, axes (row, column), cut to the letters."""
    font = ImageFont.load_default(height_px)
    left, top, right, bottom = font.getbbox(word)
    canvas = Image.new("L", (int(right - left) + 4, int(bottom - top) + 4))
    ImageDraw.Draw(canvas).text((2 - left, 2 - top), word, font=font, fill=255)
    if degrees:
        canvas = canvas.rotate(degrees, expand=True, resample=Image.Resampling.BILINEAR)
    letters = np.asarray(canvas) > 127
    rows, columns = np.flatnonzero(letters.any(1)), np.flatnonzero(letters.any(0))
    return letters[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def place_word(letters: np.ndarray, n_rows: int, n_columns: int, row: int, column: int) -> np.ndarray:
    """Return a mask of the whole picture with the letters at a position."""
    mask = np.zeros((n_rows, n_columns), bool)
    mask[row : row + letters.shape[0], column : column + letters.shape[1]] = letters
    return mask


def soft_tissue(n_rows: int, n_columns: int, seed: int) -> np.ndarray:
    """Return a picture of smooth blobs with grain; float, 0 to 1, axes (row, column)."""
    generator = np.random.default_rng(seed)
    y, x = np.mgrid[0:n_rows, 0:n_columns] / max(n_rows, n_columns)
    picture = 0.1 + 0.1 * x
    for _ in range(5):
        centre_y, centre_x, width = (
            generator.uniform(0.1, 0.9),
            generator.uniform(0.1, 0.9),
            generator.uniform(0.1, 0.3),
        )
        picture += 0.12 * np.exp(-((y - centre_y) ** 2 + (x - centre_x) ** 2) / width**2)
    return np.clip(picture + generator.normal(0, 0.01, picture.shape), 0, 1)
