"""Near-duplicates, counted: planted copies that are found, and different images that are left alone."""

from collections.abc import Callable

import numpy as np

from films import CHANGES, draw_films
from lucency.data.looks.duplicates import near_duplicates
from lucency.data.looks.fingerprint import fingerprint


def test_planted_copies_are_found_and_other_patients_are_not_linked(tally: Callable[[str, int, int], None]) -> None:
    """Each of 14 changes is planted on ten films of a cohort of 200 patients."""
    films = draw_films(200, seed=31)
    planted = [(n * 14 + m, change) for n in range(10) for m, change in enumerate(CHANGES)]
    images: list[np.ndarray] = [*films, *(CHANGES[change](films[original]) for original, change in planted)]
    pairs = {(pair.first, pair.second) for pair in near_duplicates([fingerprint(image) for image in images])}
    wanted = {(original, 200 + place) for place, (original, _) in enumerate(planted)}
    n_different = len(images) * (len(images) - 1) // 2 - len(wanted)
    tally("planted near-duplicates found", len(wanted & pairs), len(wanted))
    tally("pairs of different images not linked", n_different - len(pairs - wanted), n_different)
