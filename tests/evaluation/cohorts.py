"""Made-up cohorts for the tests of the description: rows without a header, and pictures that are noise."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from lucency.domain.cohort import CohortRow
from lucency.evaluation.shortcuts import ProbedImages, border_features, thumbnail_features

WHITE = 255


def row(number: int, patient: int | None = None, **told: str | int) -> CohortRow:
    """Make an image of which nothing is known but what is told."""
    patient_id = f"P{number if patient is None else patient:04d}"
    return replace(CohortRow(image_id=f"i{number:05d}", patient_id=patient_id), **told)


def noise(n: int, random: np.random.Generator, side: int = 64) -> np.ndarray:
    """Draw pictures without content, axes (image, channel, row, column), each with its own brightness."""
    brightness = random.uniform(60, 120, (n, 1, 1, 1))
    return np.clip(random.normal(brightness, 25, (n, 1, side, side)), 0, WHITE).astype(np.uint8)


def probed(images: Sequence[CohortRow], targets: np.ndarray, pictures: np.ndarray) -> ProbedImages:
    """Take the features of pictures of the training part."""
    parts = ["training"] * len(images)
    return ProbedImages(images, parts, targets, border_features(pictures, WHITE), thumbnail_features(pictures, WHITE))
