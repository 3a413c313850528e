"""The tables of the report: groups of patients side by side, the estimates, the training of each member."""

from dataclasses import dataclass

from lucency.domain.description import Cell, Line, TableOne
from lucency.domain.estimate import Estimate
from lucency.domain.parts import Part
from lucency.report import words
from lucency.report.material import Material

NOTABLE_DIFFERENCE = 0.1
"""A standardised difference from here on is marked (Austin 2009)."""


@dataclass(frozen=True)
class CohortLine:
    """One line of a table of patients; a heading has no cells."""

    name: str
    cells: tuple[str, ...] = ()
    """One for each group, and one for all."""
    difference: Estimate | None = None
    """Standardised difference of the variable between two groups."""
    is_heading: bool = False
    is_detail: bool = False

    @property
    def is_notable(self) -> bool:
        """True where the groups differ by 0.1 standard deviations or more, or have nothing in common."""
        if self.difference is None:
            return False
        return self.difference.value is None or abs(self.difference.value) >= NOTABLE_DIFFERENCE


@dataclass(frozen=True)
class EstimateLine:
    """One measure of one group, the test part first and the tuning part beside it."""

    test: Estimate | None
    tuning: Estimate | None

    @property
    def any(self) -> Estimate:
        """The estimate that names the line."""
        found = self.test or self.tuning
        assert found is not None  # a line is made of at least one estimate
        return found


def cohort_table(material: Material) -> list[CohortLine]:
    """Describe the patients by part; what no image tells is left out."""
    return table_lines(material.description.by_part, material.plan.unit)


def table_lines(table: TableOne, unit: str) -> list[CohortLine]:
    """Write a table of patients in words."""
    return [
        CohortLine("Patients", tuple(words.count(group.n_patients) for group in table.groups)),
        CohortLine(f"{unit.capitalize()}s", tuple(words.count(group.n_images) for group in table.groups)),
        *map(_line, table.lines),
    ]


def not_recorded(material: Material) -> list[str]:
    """Name what a reviewer would ask for and no image tells."""
    asked = {"age": "age_years", "sex": "sex", "site": "site", "modality": "modality", "pixel spacing": "spacing_mm"}
    return [name for name, field in asked.items() if not any(getattr(row, field) for row in material.cohort)]


def estimate_groups(material: Material) -> list[tuple[str, list[EstimateLine]]]:
    """Pair the estimates of test and tuning, group by group, in the order they were made."""
    lines: dict[str, dict[str, dict[str, Estimate]]] = {}
    for estimate in material.estimates:
        if estimate.part in (Part.TEST, Part.TUNING):
            lines.setdefault(estimate.group, {}).setdefault(estimate.name, {})[estimate.part] = estimate
    return [
        (group, [EstimateLine(pair.get(Part.TEST), pair.get(Part.TUNING)) for pair in named.values()])
        for group, named in lines.items()
    ]


def _line(line: Line) -> CohortLine:
    if not line.cells:
        return CohortLine(line.variable, difference=line.difference, is_heading=True)
    if line.level:
        return CohortLine(line.level, tuple(map(count_and_share, line.cells)), is_detail=True)
    name = f"{line.variable}, median (quartiles)"
    return CohortLine(name, tuple(map(_median_and_quartiles, line.cells)), line.difference)


def count_and_share(cell: Cell) -> str:
    """Write a count with its share of the group."""
    return f"{words.count(cell.n)} ({words.proportion(cell.n / cell.n_group, 0)})" if cell.n_group else "–"


def _median_and_quartiles(cell: Cell) -> str:
    if cell.median is None or cell.lower_quartile is None or cell.upper_quartile is None:
        return "–"
    return f"{_plain(cell.median)} ({_plain(cell.lower_quartile)}–{_plain(cell.upper_quartile)})"


def _plain(number: float) -> str:
    """Write a measured number with about three digits, and a year with all of its own."""
    return f"{number:.0f}" if abs(number) >= 1000 else f"{number:.3g}"
