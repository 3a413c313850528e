"""Thirds of the measured numbers, for tables that compare patients in groups."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

NAMES = ("lowest third", "middle third", "highest third")


@dataclass(frozen=True)
class Thirds:
    """The groups, and the group of each image."""

    names: tuple[str, ...]
    """With their ranges, for example "lowest third (up to 12.5 mm)"; fewer where many numbers are equal."""
    of_image: Mapping[str, str]


def thirds_of(numbers: Mapping[str, float], asked: Sequence[str], unit: str) -> Thirds:
    """Cut numbers, image → number, at the thirds of the images `asked`; all others are sorted into the same groups.

    Equal numbers stay in one group, so that groups may be of unequal size, and there may be fewer than three.
    """
    among = np.array([numbers[image_id] for image_id in asked])
    edges = np.unique(np.quantile(among, [1 / 3, 2 / 3], method="inverted_cdf")) if among.size else np.array([])
    edges = edges[edges < among.max(initial=-np.inf)]
    chosen = {0: ("all",), 1: (NAMES[0], NAMES[2]), 2: NAMES}[edges.size]
    names = tuple(f"{name} ({_range(place, edges.tolist(), unit)})" for place, name in enumerate(chosen))
    names = names if edges.size else ("all",)
    return Thirds(names, {image_id: names[int(np.searchsorted(edges, n))] for image_id, n in numbers.items()})


def _range(place: int, edges: list[float], unit: str) -> str:
    unit = f" {unit}" if unit else ""
    if place == 0:
        return f"up to {edges[0]:.4g}{unit}" if edges else ""
    if place == len(edges):
        return f"over {edges[-1]:.4g}{unit}"
    return f"over {edges[place - 1]:.4g} to {edges[place]:.4g}{unit}"
