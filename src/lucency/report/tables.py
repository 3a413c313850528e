"""The tables of the report: the cohort by part, the estimates, the training of each member."""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean, median, quantiles, variance

from lucency.domain.cohort import CohortRow
from lucency.domain.estimate import Estimate
from lucency.domain.parts import Part
from lucency.report import words
from lucency.report.counts import rows_of
from lucency.report.material import Material

NOTABLE_DIFFERENCE = 0.1
"""A standardised difference from here on is marked (Austin 2009)."""


@dataclass(frozen=True)
class CohortLine:
    """One line of the cohort table; a heading has no cells."""

    name: str
    cells: tuple[str, ...] = ()
    """Training, tuning, test, all."""
    difference: float | None = None
    """Standardised difference between training and test."""
    is_heading: bool = False
    is_detail: bool = False

    @property
    def is_notable(self) -> bool:
        """True where training and test differ by 0.1 standard deviations or more."""
        return self.difference is not None and abs(self.difference) >= NOTABLE_DIFFERENCE


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
    """Describe patients and images by part; what no image tells is left out."""
    kept = {row.image_id: row for row in material.cohort}
    target = {row.image_id: row.target for row in material.labels}
    parts = [[kept[row.image_id] for row in rows_of(material.split, part) if row.image_id in kept] for part in Part]
    columns = [*parts, [row for part in parts for row in part]]
    people = [_one_row_a_patient(column) for column in columns]
    lines = [
        CohortLine("Patients", tuple(words.count(len(column)) for column in people)),
        CohortLine("Images", tuple(words.count(len(column)) for column in columns)),
        CohortLine("Images a patient, median (range)", tuple(_images_a_patient(column) for column in columns)),
    ]
    lines += _levels("Class, images", columns, lambda row: target.get(row.image_id, ""), material.classes)
    lines += _ages(people)
    lines += _levels("Sex, patients", people, lambda row: row.sex)
    lines += _levels("Site, images", columns, lambda row: row.site)
    lines += _levels("Modality, images", columns, lambda row: row.modality)
    lines += _levels("View, images", columns, lambda row: row.view)
    lines += _levels("Laterality, images", columns, lambda row: row.laterality)
    lines += _levels("Size before fitting, images", columns, _size)
    return lines


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


def _one_row_a_patient(rows: Iterable[CohortRow]) -> list[CohortRow]:
    return list({row.patient_id: row for row in reversed(list(rows))}.values())


def _images_a_patient(rows: list[CohortRow]) -> str:
    counts = Counter(row.patient_id for row in rows).values()
    return f"{median(counts):g} ({min(counts)}–{max(counts)})" if counts else "–"


def _ages(people: list[list[CohortRow]]) -> list[CohortLine]:
    ages = [[float(row.age_years) for row in column if row.age_years] for column in people]
    if not any(ages):
        return []
    name = "Age in years, median (quartiles)"
    line = CohortLine(name, tuple(_quartiles(column) for column in ages), _difference_of_means(ages[0], ages[2]))
    n_missing = [len(column) - len(known) for column, known in zip(people, ages, strict=True)]
    missing = CohortLine("not recorded", tuple(words.count(n) for n in n_missing), is_detail=True)
    return [line, missing] if n_missing[-1] else [line]


def _quartiles(values: list[float]) -> str:
    if len(values) < 2:
        return "–"
    low, middle, high = quantiles(values, n=4, method="inclusive")
    return f"{middle:.0f} ({low:.0f}–{high:.0f})"


def _levels(
    name: str, columns: list[list[CohortRow]], level: Callable[[CohortRow], str], order: Sequence[str] = ()
) -> list[CohortLine]:
    """Count the levels of a category; beyond eight, the rarest are pooled."""
    counts = [Counter(level(row) or "not recorded" for row in column) for column in columns]
    found = counts[-1]
    if not found or set(found) == {"not recorded"}:
        return []
    shown = list(order) or [key for key, _ in sorted(found.items(), key=lambda item: (-item[1], item[0]))]
    shown = [key for key in shown if key != "not recorded"]
    shown, pooled = (shown[:7], shown[7:]) if len(shown) > 8 and not order else (shown, [])
    lines = [CohortLine(name, is_heading=True)]
    lines += [_level(key, [c[key] for c in counts], columns) for key in shown]
    if pooled:
        title = f"{len(pooled)} others"
        lines.append(_level(title, [sum(c[key] for key in pooled) for c in counts], columns))
    if found["not recorded"]:
        lines.append(_level("not recorded", [c["not recorded"] for c in counts], columns))
    return lines


def _level(name: str, counts: list[int], columns: list[list[CohortRow]]) -> CohortLine:
    shares = [n / max(len(column), 1) for n, column in zip(counts, columns, strict=True)]
    cells = tuple(f"{words.count(n)} ({words.proportion(s, 0)})" for n, s in zip(counts, shares, strict=True))
    return CohortLine(name, cells, _difference_of_shares(shares[0], shares[2]), is_detail=True)


def _difference_of_shares(first: float, second: float) -> float | None:
    """Standardise the difference of two proportions (Austin 2009)."""
    spread = math.sqrt((first * (1 - first) + second * (1 - second)) / 2)
    return (first - second) / spread if spread else None


def _difference_of_means(first: list[float], second: list[float]) -> float | None:
    """Standardise the difference of two means (Austin 2009)."""
    if min(len(first), len(second)) < 2:
        return None
    spread = math.sqrt((variance(first) + variance(second)) / 2)
    return (fmean(first) - fmean(second)) / spread if spread else None


def _size(row: CohortRow) -> str:
    return f"{row.rows} × {row.columns}" if row.rows and row.columns else ""
