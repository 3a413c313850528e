"""Made-up chest radiographs, and what happens to a copy on its way."""

import io
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage

from lucency import randomness
from lucency.data.phantoms.anatomy import draw_radiograph
from lucency.data.phantoms.cases import invent_cases, invent_pose
from lucency.data.phantoms.cohort import DETECTORS
from lucency.data.phantoms.people import invent_people
from lucency.data.phantoms.texture import draw_textures

Film = NDArray[np.uint8]
"""Axes (row, column)."""


def draw_films(n_patients: int, seed: int, size: int = 128) -> list[Film]:
    """Draw one chest radiograph of each patient."""
    textures = draw_textures(seed, size / 40)
    films = []
    for case in invent_cases(invent_people(seed, n_patients), seed):
        draw = randomness.generator(seed, f"film {case.person.key}")
        detector = DETECTORS[case.person.site]
        shape = (size, round(size * detector.field_cm[1] / detector.field_cm[0]))
        exam = case.exams[0]
        pose = invent_pose(exam.views[0], draw)
        film = draw_radiograph(case.body, pose, exam.findings, detector, shape, textures, draw)
        films.append(np.rint(film.brightness * 255).astype(np.uint8))
    return films


def as_jpeg(film: Film, quality: int = 50) -> Film:
    buffer = io.BytesIO()
    PillowImage.fromarray(film).save(buffer, "JPEG", quality=quality)
    return np.asarray(PillowImage.open(buffer))


def resized(film: Film, factor: float) -> Film:
    rows, columns = (round(side * factor) for side in film.shape)
    return np.asarray(PillowImage.fromarray(film).resize((columns, rows), PillowImage.Resampling.BICUBIC))


def shaded(film: Film, shade: Callable[[NDArray[np.float64]], NDArray[np.float64]]) -> Film:
    """Give each grey level another brightness, both from 0 to 1."""
    levels = np.clip(shade(np.arange(256) / 255), 0, 1)
    return np.rint(255 * levels).astype(np.uint8)[film]


def cropped(film: Film, top: float, bottom: float, left: float, right: float) -> Film:
    """Cut off shares of the height and width."""
    rows, columns = film.shape
    return film[
        round(top * rows) : rows - round(bottom * rows), round(left * columns) : columns - round(right * columns)
    ]


CHANGES: dict[str, Callable[[Film], NDArray]] = {
    "compressed": lambda film: as_jpeg(film, 30),
    "half the size": lambda film: resized(film, 0.5),
    "twice the size": lambda film: resized(film, 2.0),
    "stretched": lambda film: np.asarray(PillowImage.fromarray(film).resize((96, 140))),
    "16 bits": lambda film: film.astype(np.uint16) * 257,
    "in colour": lambda film: np.repeat(film[..., None], 3, axis=-1),
    "brighter": lambda film: shaded(film, lambda level: level * 0.8 + 0.15),
    "gamma": lambda film: shaded(film, lambda level: level**0.8),
    "inverted": lambda film: 255 - film,
    "mirrored": lambda film: film[:, ::-1],
    "mirrored and compressed": lambda film: as_jpeg(film[:, ::-1], 50),
    "padded to a square": lambda film: np.pad(film, ((0, 0), (25, 25))),
    "cropped": lambda film: cropped(film, 0.02, 0.02, 0.01, 0.02),
    "cropped, smaller and compressed": lambda film: as_jpeg(resized(cropped(film, 0.01, 0.02, 0.02, 0.01), 0.75), 60),
}
"""What keeps an image the same image."""
