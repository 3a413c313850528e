"""Small images in two classes, one of them with a bright square."""

from pathlib import Path

import numpy as np
from PIL import Image


def write_bright_and_dark(folder: Path, n_patients: int = 24, n_each: int = 2, size: int = 28, seed: int = 1) -> Path:
    """Write PNG images folder/{healthy,ill}/p<patient>-<number>.png; the ill ones have a bright square."""
    draw = np.random.default_rng(seed)
    for patient in range(n_patients):
        ill = patient % 2
        for number in range(n_each):
            pixels = draw.integers(0, 120, (size, size))
            if ill:
                row, column = draw.integers(4, size - 12, 2)
                pixels[row : row + 8, column : column + 8] += 100
            path = folder / ("ill" if ill else "healthy") / f"p{patient:03d}-{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels.astype(np.uint8)).save(path)
    return folder
