"""Groups of patients side by side, with standardised differences: the first table of every medical article.

The patient is the unit. A number of a patient is the median over his or her images of the group, a category the one
that most of them have (of equally frequent ones, the first by name).
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from statistics import median

import numpy as np

from lucency.domain.cohort import CohortRow
from lucency.domain.description import Cell, Group, Line, Missing, TableOne
from lucency.domain.estimate import Estimate
from lucency.evaluation.differences import Moments, Shares, difference_of_means, difference_of_shares

NOT_RECORDED = "not recorded"
MOST_LEVELS = 8
"""Beyond as many levels of a category the rarest are pooled."""

Images = Sequence[CohortRow]
Groups = Mapping[str, Images]
"""Name of a group → its images."""


@dataclass(frozen=True)
class Variable:
    """Something that is known of an image or of its patient."""

    name: str
    text: Callable[[CohortRow], str]
    """Empty where it is not recorded."""
    is_number: bool = False
    is_about_image: bool = False
    """True for how the image was made, False for who the patient is."""


def table_one(groups: Groups, compared: Sequence[str], variables: Iterable[Variable], level: float = 0.95) -> TableOne:
    """Describe each group, and all of them together; what no image tells is left out.

    Each variable has the standardised difference between those two of the `compared` groups that differ most.
    """
    columns = _with_all(groups)
    lines = [line for variable in variables for line in _lines(variable, columns, compared, level)]
    return TableOne(tuple(_group(name, images) for name, images in columns.items()), tuple(lines))


def missing_values(groups: Groups, variables: Iterable[Variable]) -> tuple[Missing, ...]:
    """Count for each variable the patients of whom it is not known, in each group and in all."""
    counted = []
    for variable in variables:
        values = [one_value_a_patient(images, variable).values() for images in _with_all(groups).values()]
        cells = tuple(Cell(sum(not value for value in column), len(column)) for column in values)
        counted.append(Missing(variable.name, cells))
    return tuple(counted)


def one_value_a_patient(images: Images, variable: Variable) -> dict[str, str]:
    """Return what is known of each patient, by patient; empty where nothing is."""
    told: dict[str, list[str]] = {}
    for row in images:
        told.setdefault(row.patient_id, []).append(variable.text(row))
    return {patient: _typical([text for text in texts if text], variable.is_number) for patient, texts in told.items()}


def _typical(texts: list[str], is_number: bool) -> str:
    if not texts:
        return ""
    if is_number:
        return f"{median(float(text) for text in texts):g}"
    return min(Counter(texts).items(), key=lambda item: (-item[1], item[0]))[0]


def _with_all(groups: Groups) -> dict[str, Images]:
    return {**groups, "all": [row for images in groups.values() for row in images]}


def _group(name: str, images: Images) -> Group:
    return Group(name, len({row.patient_id for row in images}), len(images))


def _lines(variable: Variable, columns: Groups, compared: Sequence[str], level: float) -> list[Line]:
    values = {name: list(one_value_a_patient(images, variable).values()) for name, images in columns.items()}
    if not any(values["all"]):
        return []
    if not variable.is_number:
        title_of = _titles(values["all"])
        values = {name: [title_of[value] for value in column] for name, column in values.items()}
    known = {name: [value for value in values[name] if value] for name in compared}
    difference = _largest_difference(known, variable.is_number, level)
    if variable.is_number:
        lines = [Line(variable.name, "", tuple(map(_number_cell, values.values())), difference)]
    else:
        levels = [title for title in dict.fromkeys(title_of.values()) if title]
        lines = [Line(variable.name, "", (), difference)]
        lines += [Line(variable.name, title, _count_cells(title, values)) for title in levels]
    if "" in values["all"]:
        lines.append(Line(variable.name, NOT_RECORDED, _count_cells("", values)))
    return lines


def _count_cells(title: str, values: Mapping[str, list[str]]) -> tuple[Cell, ...]:
    return tuple(Cell(column.count(title), len(column)) for column in values.values())


def _number_cell(values: list[str]) -> Cell:
    known = [float(value) for value in values if value]
    if not known:
        return Cell(0, len(values))
    low, middle, high = (float(quartile) for quartile in np.quantile(known, [0.25, 0.5, 0.75]))
    return Cell(len(known), len(values), middle, low, high)


def _titles(values: list[str]) -> dict[str, str]:
    """Map each level to the title of its line, the most frequent first; of too many, the rarest share one."""
    counts = Counter(value for value in values if value)
    ordered = sorted(counts, key=lambda key: (-counts[key], key))
    n_shown = len(ordered) if len(ordered) <= MOST_LEVELS else MOST_LEVELS - 1
    pooled = f"{len(ordered) - n_shown} others"
    return {key: key if place < n_shown else pooled for place, key in enumerate(ordered)} | {"": ""}


def _largest_difference(known: Mapping[str, list[str]], is_number: bool, level: float) -> Estimate | None:
    """Return the difference of the two groups that differ most, and name them; None where none can be given."""
    found = []
    for first, second in combinations(known, 2):
        difference = _difference(known[first], known[second], is_number, level)
        if difference:
            found.append(replace(difference, group=f"{first} and {second}"))
    return max(found, key=_size, default=None)


def _size(difference: Estimate) -> float:
    """Order differences; one without a bound is larger than any."""
    return float("inf") if difference.value is None else abs(difference.value)


def _difference(first: list[str], second: list[str], is_number: bool, level: float) -> Estimate | None:
    if min(len(first), len(second)) < (2 if is_number else 1):
        return None
    if is_number:
        ours, theirs = (Moments.of([float(text) for text in group]) for group in (first, second))
        return difference_of_means(ours, theirs, level)
    return difference_of_shares(Shares.of(first), Shares.of(second), level)
