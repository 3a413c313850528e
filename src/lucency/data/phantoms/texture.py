"""Random fields drawn once per cohort and cut anew for every image: lung tissue, lesions, and vessels."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from lucency import randomness

FIELD_SIZE = 512
N_FIELDS = 6
N_TREES = 16
N_RADII, N_ANGLES = 64, 256
TREE_RADIUS_CM = 16.0
"""Vessels end this far from the hilum."""


@dataclass(frozen=True)
class Textures:
    """Fields of mean 0 and variance 1, axes (field, row, column), and vessel trees, axes (tree, radius, angle)."""

    cloudy: NDArray[np.float32]
    streaky: NDArray[np.float32]
    vessels: NDArray[np.float32]

    def cut(
        self, fields: NDArray[np.float32], shape: tuple[int, int], draw: np.random.Generator
    ) -> NDArray[np.float32]:
        """Cut a random window out of a random field, mirrored at random; the fields wrap, so every window fits."""
        field, row, column, mirror = draw.integers((len(fields), FIELD_SIZE, FIELD_SIZE, 4))
        rows = (row + np.arange(shape[0])) % FIELD_SIZE
        columns = (column + np.arange(shape[1])) % FIELD_SIZE
        window = fields[field].take(rows, axis=0).take(columns, axis=1)
        return window[:: (1, -1)[mirror % 2], :: (1, -1)[mirror // 2]]


def draw_textures(seed: int, pixels_per_cm: float) -> Textures:
    """Draw the random fields of a cohort at the given resolution."""
    draw = randomness.generator(seed, "phantom textures")
    return Textures(
        cloudy=_random_fields(draw, correlation_pixels=1.3 * pixels_per_cm),
        streaky=_random_fields(draw, correlation_pixels=0.35 * pixels_per_cm),
        vessels=np.stack([_vessel_tree(draw) for _ in range(N_TREES)]),
    )


def _random_fields(draw: np.random.Generator, correlation_pixels: float) -> NDArray[np.float32]:
    """Draw periodic Gaussian random fields with a Gaussian correlation, axes (field, row, column)."""
    white = draw.standard_normal((N_FIELDS, FIELD_SIZE, FIELD_SIZE), dtype=np.float32)
    rows = np.fft.fftfreq(FIELD_SIZE)[:, None]
    columns = np.fft.rfftfreq(FIELD_SIZE)[None, :]
    low_pass = np.exp(-2 * (np.pi * correlation_pixels) ** 2 * (rows**2 + columns**2)).astype(np.float32)
    fields = fft.irfft2(fft.rfft2(white) * low_pass, s=white.shape[1:])
    return ((fields - fields.mean()) / fields.std()).astype(np.float32)


def _vessel_tree(draw: np.random.Generator) -> NDArray[np.float32]:
    """Draw branches that leave the hilum, wander and thin out, in polar coordinates, axes (radius, angle).

    Angle 0 points away from the spine and the table spans the whole turn.
    """
    radius = np.linspace(0.3, TREE_RADIUS_CM, N_RADII, dtype=np.float32)
    angle = np.linspace(-np.pi, np.pi, N_ANGLES, endpoint=False, dtype=np.float32)
    tree = np.zeros((N_RADII, N_ANGLES), np.float32)
    for start_cm, n_branches in ((0.3, 9), (3.0, 9), (6.0, 10)):
        direction = np.linspace(-1.9, 1.9, n_branches) + draw.normal(0, 0.12, n_branches)
        wander = np.cumsum(draw.normal(0, 0.035, (n_branches, N_RADII)), axis=1)
        reach = draw.uniform(9, TREE_RADIUS_CM, n_branches)[:, None]
        width = 0.1 + 0.32 * np.clip(1 - radius / reach, 0, None)
        centre = (direction[:, None] + wander).astype(np.float32)
        turned = angle[None, None, :] - centre[:, :, None]
        distance = ((turned + np.pi) % (2 * np.pi) - np.pi) * radius[:, None]
        branch = np.exp(-((distance / width[:, :, None]) ** 2)) * width[:, :, None] * 2.2
        tree += (branch * (radius >= start_cm)[:, None]).max(axis=0)
    return tree
