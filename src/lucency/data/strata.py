"""Groups of like numbers, so that each part of a split gets small and large ones alike."""

from collections import defaultdict
from collections.abc import Mapping
from statistics import fmean

from lucency.errors import StudyError

NAMES = ("lowest fifth", "second fifth", "middle fifth", "fourth fifth", "highest fifth")
FEWEST = 3
"""Components in a stratum at least: one for each part of a split."""


def strata_of_numbers(component_of: Mapping[str, str], number_of: Mapping[str, float]) -> dict[str, str]:
    """Name the fifth of each image, by the mean number of its component; of few components, fewer groups.

    Raises:
        StudyError: there are fewer components than parts of a split.
    """
    numbers: defaultdict[str, list[float]] = defaultdict(list)
    for image_id, component in component_of.items():
        numbers[component].append(number_of[image_id])
    if len(numbers) < FEWEST:
        raise StudyError(
            f"The numbers are of {len(numbers)} patients, fewer than the {FEWEST} parts of the split. Add patients."
        )
    order = sorted(numbers, key=lambda component: (fmean(numbers[component]), component))
    n_strata = min(len(NAMES), len(order) // FEWEST)
    names = (
        NAMES
        if n_strata == len(NAMES)
        else [f"group {place} of {n_strata} by size" for place in range(1, n_strata + 1)]
    )
    stratum = {component: names[place * n_strata // len(order)] for place, component in enumerate(order)}
    return {image_id: stratum[component] for image_id, component in component_of.items()}
