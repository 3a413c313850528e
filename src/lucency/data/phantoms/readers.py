"""Two invented readers who look at the same radiographs and do not always agree, and a third who decides."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

import numpy as np

from lucency import randomness


@dataclass(frozen=True)
class Reading:
    """One reader's verdict on one image."""

    image: str
    reader: Literal["A", "B"]
    has_pneumonia: bool
    confidence: int
    """1 (a guess) to 5 (certain)."""
    read_on: date


@dataclass(frozen=True)
class Decision:
    """What the senior reader decided on a disputed image."""

    image: str
    has_pneumonia: bool
    decided_by: Literal["C"]
    decided_on: date


_THRESHOLDS: dict[Literal["A", "B"], float] = {"A": 1.2, "B": 1.45}
"""Reader A calls more images positive; B misses more subtle ones."""
_SHARED_NOISE, _OWN_NOISE = 0.45, 0.62
_SEEN_BY_ONE = 0.06
"""Share of images that only one of the two saw."""

_SENIOR_ERRS = 0.06
"""Share of disputed images on which the senior reader is wrong too."""


def read_images(images: list[str], conspicuity: list[float], mimicry: list[float], seed: int) -> list[Reading]:
    """Let both readers judge every image by the binormal model of signal detection.

    What a reader perceives is the conspicuity of the pneumonia (0 without one), plus what mimics it, plus noise that
    both share (the image's own) and noise of each; a verdict is positive above the reader's threshold.
    """
    draw = randomness.generator(seed, "phantom readers")
    signal = 2.9 * (1 - np.exp(-np.asarray(conspicuity) / 2.6)) + np.asarray(mimicry)
    signal += _SHARED_NOISE * draw.standard_normal(len(images))
    readings = []
    for i, image in enumerate(images):
        alone = draw.random()
        for reader, threshold in _THRESHOLDS.items():
            evidence = signal[i] + _OWN_NOISE * draw.standard_normal() - threshold
            day = date(2024, 3, 4) + timedelta(days=int(draw.integers(60)))
            if alone < _SEEN_BY_ONE and (alone < _SEEN_BY_ONE / 2) == (reader == "A"):
                continue
            confidence = int(np.clip(1 + 3.2 * abs(evidence), 1, 5))
            readings.append(Reading(image, reader, bool(evidence > 0), confidence, day))
    return readings


def decide_disputes(readings: list[Reading], has_pneumonia: dict[str, bool], seed: int) -> list[Decision]:
    """Let a senior reader, C, decide on every image on which A and B disagree, a month after they are done."""
    draw = randomness.generator(seed, "phantom adjudication")
    verdicts: dict[str, set[bool]] = {}
    for reading in readings:
        verdicts.setdefault(reading.image, set()).add(reading.has_pneumonia)
    decisions = []
    for image, said in verdicts.items():
        if len(said) == 2:
            is_right = draw.random() >= _SENIOR_ERRS
            day = date(2024, 6, 3) + timedelta(days=int(draw.integers(10)))
            decisions.append(Decision(image, has_pneumonia[image] == is_right, "C", day))
    return decisions
