"""Whom a cohort stands for: its variables, its sources, how its images were made, and a declared target population.

What relates the classes to anything else is measured on the training and tuning parts alone; the test part stays sealed.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median

import numpy as np
from numpy.typing import NDArray

from lucency.domain.cohort import CohortRow
from lucency.domain.data_plan import Population, PopulationAge
from lucency.domain.description import (
    Association,
    ClinicalJoin,
    Comparison,
    Description,
    LevelComparison,
    Probe,
    Protocol,
    Source,
)
from lucency.domain.estimate import Estimate
from lucency.domain.parts import Part
from lucency.evaluation.differences import NOTABLE, Moments, Shares, difference_of_means, difference_of_shares
from lucency.evaluation.intervals import patient_codes, proportion
from lucency.evaluation.table_one import Images, Variable, missing_values, one_value_a_patient, table_one
from lucency.randomness import generator

OTHERS = "others"
N_PERMUTATIONS = 2000
MOST_CATEGORIES = 5
"""A clinical column of numbers with no more different values than this is read as a category."""

_PERMUTATION = f"Chi-squared of patients by class, {N_PERMUTATIONS} permutations of patients (Phipson & Smyth 2010)"
_CHUNK = 4_000_000
"""Numbers held at once while permuting."""


def scanner(row: CohortRow) -> str:
    """Name the kind of scanner: manufacturer and model."""
    return " ".join(filter(None, (row.manufacturer, row.model)))


def _spacing(row: CohortRow) -> str:
    """Return the distance between rows in millimetres; it is that between columns in nearly all images."""
    spacings = row.spacing_mm.split("×")
    return spacings[-2] if len(spacings) > 1 else ""


def _size(row: CohortRow) -> str:
    """Write the size in pixels, with the slices of a volume first."""
    sides = [row.rows, row.columns] if row.slices == 1 else [row.slices, row.rows, row.columns]
    return " × ".join(map(str, sides)) if all(sides) else ""


AGE = Variable("Age in years", lambda row: row.age_years, is_number=True)
SEX = Variable("Sex", lambda row: row.sex)
SITE = Variable("Site", lambda row: row.site, is_about_image=True)
SCANNER = Variable("Scanner", scanner, is_about_image=True)
YEAR = Variable("Year of the exam", lambda row: row.year, is_number=True, is_about_image=True)
VIEW = Variable("View", lambda row: row.view, is_about_image=True)

METADATA = (
    AGE,
    SEX,
    SITE,
    SCANNER,
    YEAR,
    Variable("Modality", lambda row: row.modality, is_about_image=True),
    VIEW,
    Variable("Laterality", lambda row: row.laterality, is_about_image=True),
    Variable("Tube voltage in kVp", lambda row: row.kvp, is_number=True, is_about_image=True),
    Variable("Field strength in tesla", lambda row: row.field_strength_tesla, is_about_image=True),
    Variable("Kernel or filter", lambda row: row.kernel, is_about_image=True),
    Variable("Slice thickness in mm", lambda row: row.slice_thickness_mm, is_number=True, is_about_image=True),
    Variable("Pixel spacing in mm", _spacing, is_number=True, is_about_image=True),
    Variable("Size in pixels", _size, is_about_image=True),
)
"""What the header of an image can tell, in the order of the tables."""

SOURCES = {"site": SITE, "scanner": SCANNER, "year": replace(YEAR, is_number=False)}
"""Where images come from."""


@dataclass(frozen=True)
class Cohort:
    """The labelled images of a study with all that is known of them."""

    parts: Mapping[str, Images]
    """Training, tuning and test."""
    targets: Mapping[str, str]
    """Image → class, or the third of its number."""
    classes: Sequence[str]
    """Names of the classes, or of the thirds."""
    clinical: Sequence[Variable] = ()
    unit: str = "image"
    """What a row of a part is: an image or a report."""
    measured: Variable | None = None
    """What the study measures, where its labels are numbers."""

    @property
    def images(self) -> Images:
        """All images."""
        return [row for images in self.parts.values() for row in images]

    @property
    def open_images(self) -> Images:
        """The images whose classes may be looked at before the evaluation: all but those of the test part."""
        return [row for part, images in self.parts.items() if part != Part.TEST for row in images]


def describe_cohort(
    cohort: Cohort, population: Population | None, probes: Sequence[Probe], clinical: ClinicalJoin | None, level: float
) -> Description:
    """Put the whole description together."""
    variables = [*METADATA, *cohort.clinical]
    by_class = {name: [r for r in cohort.open_images if cohort.targets[r.image_id] == name] for name in cohort.classes}
    asked = [v for v in METADATA if v in (AGE, SEX, SITE) or any(map(v.text, cohort.images))]
    compared = (Part.TRAINING, Part.TEST)
    return Description(
        by_part=table_one(cohort.parts, compared, [_images_a_patient(cohort), _label(cohort), *variables], level),
        by_label=table_one(by_class, cohort.classes, [_images_a_patient(cohort), *variables], level),
        missing=missing_values(cohort.parts, [*asked, *cohort.clinical]),
        sources=describe_sources(cohort, level),
        associations=associate_sources(cohort),
        protocols=describe_protocols(cohort.images),
        comparisons=compare_with_population(cohort, population, level) if population else (),
        probes=tuple(probes),
        clinical=clinical,
    )


def _images_a_patient(cohort: Cohort) -> Variable:
    counts = Counter(row.patient_id for row in cohort.images)
    return Variable(f"{cohort.unit.capitalize()}s a patient", lambda row: str(counts[row.patient_id]), is_number=True)


def _label(cohort: Cohort) -> Variable:
    """Return what is learnt: the number where the study measures one, else the class."""
    return cohort.measured or _class(cohort)


def _class(cohort: Cohort) -> Variable:
    name = "Class" if cohort.measured is None else f"{cohort.measured.name}, in thirds"
    return Variable(name, lambda row: cohort.targets[row.image_id])


def clinical_variables(columns: Sequence[str], table: Sequence[Mapping[str, str]]) -> list[Variable]:
    """Make variables of the columns of a joined clinical table, which has one row a patient."""
    rows = {row["patient_id"]: row for row in table}
    return [_clinical_variable(column, rows) for column in columns]


def _clinical_variable(column: str, rows: Mapping[str, Mapping[str, str]]) -> Variable:
    values = {row[column] for row in rows.values()} - {""}
    is_number = len(values) > MOST_CATEGORIES and all(is_a_number(value) for value in values)
    return Variable(column, lambda row: rows[row.patient_id][column] if row.patient_id in rows else "", is_number)


def is_a_number(text: str) -> bool:
    """Tell whether a text can be computed with."""
    try:
        return bool(np.isfinite(float(text)))
    except ValueError:
        return False


# Sources -------------------------------------------------------------------------------------------------------------


def describe_sources(cohort: Cohort, level: float = 0.95) -> tuple[Source, ...]:
    """Count patients and images of each site, scanner and year, with the share of each class among the open images."""
    found = []
    targets = np.array([cohort.targets[row.image_id] for row in cohort.open_images])
    patients = patient_codes([row.patient_id for row in cohort.open_images])
    for kind, variable in SOURCES.items():
        of_open = np.array([variable.text(row) for row in cohort.open_images])
        for name, images in _by_value(cohort.images, variable).items():
            among = of_open == name
            shares = tuple(
                replace(proportion("prevalence", targets[among] == one, patients[among], level), part="all", group=one)
                for one in cohort.classes
            )
            found.append(Source(kind, name, len({row.patient_id for row in images}), len(images), shares))
    return tuple(found)


def associate_sources(cohort: Cohort) -> tuple[Association, ...]:
    """Test for each kind of source whether the classes are spread unevenly over it; the patient is the unit."""
    label = one_value_a_patient(cohort.open_images, _class(cohort))
    found = []
    for kind, variable in SOURCES.items():
        value = {p: v for p, v in one_value_a_patient(cohort.open_images, variable).items() if v}
        if len(set(value.values())) > 1 and len({label[patient] for patient in value}) > 1:
            codes = [patient_codes(texts) for texts in (list(value.values()), [label[patient] for patient in value])]
            p_value = permutation_test(codes[0], codes[1])
            found.append(Association(kind, p_value, len(value), _PERMUTATION))
    return tuple(found)


def permutation_test(first: NDArray[np.int64], second: NDArray[np.int64], seed: int = 0) -> float:
    """Return the p value of the association of two categories, coded from 0, axis (patient).

    The statistic is Pearson's chi-squared; (1 + number of permutations that reach it) / (1 + all) can never be 0 and is
    exact for any number of patients (Phipson & Smyth 2010).
    """
    n_first, n_second, n = int(first.max()) + 1, int(second.max()) + 1, first.size
    expected = np.outer(np.bincount(first), np.bincount(second)) / n
    random = generator(seed, "association of source and class")

    def statistics(orders: NDArray[np.int64]) -> NDArray[np.float64]:
        cells = first * n_second + second[orders] + np.arange(len(orders))[:, None] * n_first * n_second
        counts = np.bincount(cells.ravel(), minlength=len(orders) * n_first * n_second)
        return ((counts.reshape(-1, n_first, n_second) - expected) ** 2 / expected).sum(axis=(1, 2))

    observed = statistics(np.arange(n)[None])[0]
    n_rows = max(1, _CHUNK // n)
    n_reached = 0
    for start in range(0, N_PERMUTATIONS, n_rows):
        rows = min(n_rows, N_PERMUTATIONS - start)
        orders = random.permuted(np.tile(np.arange(n), (rows, 1)), axis=1)
        n_reached += int((statistics(orders) >= observed * (1 - 1e-12)).sum())
    return (1 + n_reached) / (1 + N_PERMUTATIONS)


def _by_value(images: Images, variable: Variable) -> dict[str, list[CohortRow]]:
    """Group images by what a variable says of them, in the order of the values; nothing recorded is no group."""
    found: dict[str, list[CohortRow]] = {}
    for row in images:
        if text := variable.text(row):
            found.setdefault(text, []).append(row)
    return dict(sorted(found.items()))


# How images were made ------------------------------------------------------------------------------------------------


def describe_protocols(images: Images) -> tuple[Protocol, ...]:
    """Say for each scanner at each site how it made its images; what no image tells is left out."""
    places: dict[tuple[str, str, str], list[CohortRow]] = {}
    for row in images:
        places.setdefault((row.site, scanner(row), row.modality), []).append(row)
    shown = [v for v in METADATA if v.is_about_image and v.name not in ("Site", "Scanner", "Modality")]
    shown = [variable for variable in shown if any(variable.text(row) for row in images)]
    return tuple(
        Protocol(
            *place,
            n_patients=len({row.patient_id for row in rows}),
            n_images=len(rows),
            facts={variable.name: _usual(rows, variable) for variable in shown},
        )
        for place, rows in sorted(places.items())
    )


def _usual(rows: Images, variable: Variable) -> str:
    """Write the median and range of a number, or the most frequent levels with their counts of images."""
    texts = [text for text in map(variable.text, rows) if text]
    if not texts:
        return ""
    if variable.is_number:
        numbers = [float(text) for text in texts]
        spread = f" ({min(numbers):g}–{max(numbers):g})" if min(numbers) < max(numbers) else ""
        return f"{median(numbers):g}{spread}"
    ordered = sorted(Counter(texts).items(), key=lambda item: (-item[1], item[0]))
    if len(ordered) == 1:
        return ordered[0][0]
    more = f", {len(ordered) - 3} more" if len(ordered) > 3 else ""
    return ", ".join(f"{text} ({n})" for text, n in ordered[:3]) + more


# The target population -----------------------------------------------------------------------------------------------


def compare_with_population(cohort: Cohort, population: Population, level: float = 0.95) -> tuple[Comparison, ...]:
    """Compare the patients with what the plan declares of the target population, whose values count as exact."""
    found = _compare_age(cohort.images, population.age, level) if population.age else []
    known = {variable.name: variable for variable in cohort.clinical}
    declared: list[tuple[Variable, Mapping[str, float]]] = [
        (SEX, population.sex),
        (_class(cohort), population.prevalence),
        (SITE, population.site),
        (Variable("Manufacturer", lambda row: row.manufacturer), population.manufacturer),
        (VIEW, population.view),
        *((known.get(name, Variable(name, lambda _: "")), shares) for name, shares in population.clinical.items()),
    ]
    for variable, shares in declared:
        values = [value for value in one_value_a_patient(cohort.images, variable).values() if value]
        if shares:
            found.append(_compare_shares(variable.name, values, shares, level) if values else _unknown(variable.name))
    return tuple(found)


def _unknown(name: str) -> Comparison:
    """Say that the cohort does not tell what the target population declares."""
    nothing = Estimate("standardised difference", None, None, None, 0, "patient", "not compared", part="all")
    return Comparison(name, False, (), nothing, "unknown", "Not known of the cohort, so that nothing can be compared.")


def _compare_age(images: Images, age: PopulationAge, level: float) -> list[Comparison]:
    ages = [float(value) for value in one_value_a_patient(images, AGE).values() if value]
    if len(ages) < 2:
        return [_unknown(AGE.name)]
    found = []
    if age.mean is not None and age.sd is not None:
        sample, target = Moments.of(ages), Moments(age.mean, age.sd**2, np.inf)
        difference = difference_of_means(sample, target, level)
        levels = (
            LevelComparison("mean", sample.mean, age.mean),
            LevelComparison("standard deviation", sample.variance**0.5, age.sd),
        )
        word = "older" if sample.mean > age.mean else "younger"
        verdict = _verdict(difference.low, difference.high)
        how = f"the patients are {word} (mean {sample.mean:.0f} instead of {age.mean:.0f} years)"
        found.append(Comparison(AGE.name, False, levels, difference, verdict, _in_words(verdict, how)))
    if age.bands:
        bands = [next((band for band in age.bands if _is_within(years, band)), OTHERS) for years in ages]
        found.append(_compare_shares("Age band in years", bands, age.bands, level))
    return found


def _is_within(years: float, band: str) -> bool:
    """Tell whether an age lies in a band such as "18-64" or "65-", whose ends are completed years."""
    low, high = band.split("-")
    return int(low) <= int(years) <= (int(high) if high else np.inf)


def _compare_shares(name: str, values: Sequence[str], declared: Mapping[str, float], level: float) -> Comparison:
    """Compare the shares of a category; levels that are not declared are pooled, and share what the others leave."""
    named = [value if value in declared else OTHERS for value in values]
    rest = 1 - sum(declared.values())
    target = {**declared, OTHERS: rest} if rest > 1e-6 or OTHERS in named else dict(declared)
    target = {key: max(share, 0.0) for key, share in target.items()}
    sample = Shares.of(named)
    levels = tuple(LevelComparison(key, sample.shares.get(key, 0.0), share) for key, share in target.items())
    difference = difference_of_shares(sample, Shares(target, np.inf), level)
    verdict = "different" if difference.value is None else _verdict(difference.low, difference.high)
    worst = max(levels, key=lambda one: abs(one.cohort - one.target))
    how = (
        f"{'more' if worst.cohort > worst.target else 'fewer'} patients with “{worst.level}” "
        f"({100 * worst.cohort:.0f}\u202f% instead of {100 * worst.target:.0f}\u202f%)"
    )
    return Comparison(name, True, levels, difference, verdict, _in_words(verdict, how))


def _verdict(low: float | None, high: float | None) -> str:
    """Judge a difference by its interval: wholly beyond 0.1, wholly below, or neither."""
    if low is None or high is None:
        return "alike"
    if low > NOTABLE or high < -NOTABLE:
        return "different"
    return "alike" if max(-low, high) < NOTABLE else "unsure"


def _in_words(verdict: str, how: str) -> str:
    if verdict == "alike":
        return "Like the target population."
    if verdict == "different":
        return f"Differs from the target population: {how}."
    return f"May differ from the target population: {how}; there are too few patients to be sure."
