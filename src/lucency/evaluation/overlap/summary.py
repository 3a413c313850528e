"""From the measurements of all cases to estimates with intervals over patients."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from lucency.domain.estimate import Estimate
from lucency.domain.readings import Readings, Scale
from lucency.evaluation.agreement.bland_altman import bland_altman
from lucency.evaluation.intervals import patient_codes, proportion
from lucency.evaluation.overlap.averages import MEAN, MEDIAN, QUARTILES, Column, estimate_averages
from lucency.evaluation.overlap.case import CaseResult, Emptiness

ALL_STRUCTURES = "all structures"
MISSED, FALSE_ALARMS = "missed altogether", "false alarms where nothing was"
PREDICTED, TRUTH = "predicted", "truth"


@dataclass(frozen=True)
class Measure:
    """One measurement of a case, and how it is called."""

    name: str
    take: Callable[[CaseResult], float | None]
    if_missed: str = "have no value"
    """What becomes of structures that were missed altogether."""
    is_main: bool = False
    """True where quartiles are given too; those of every measure would fill pages."""


@dataclass(frozen=True)
class _Sample:
    """Cases of one structure, or of several, and how they are summed up."""

    results: tuple[CaseResult, ...]
    """All of one unit."""
    title: str
    n_other_units: int
    """Cases that were left out because they are measured in another unit than most."""
    level: float
    seed: int

    @property
    def to_find(self) -> tuple[CaseResult, ...]:
        return tuple(result for result in self.results if result.n_truth)


def summarise(results: Sequence[CaseResult], level: float = 0.95, seed: int = 0) -> list[Estimate]:
    """Estimate mean and median of every measure, by structure and by group, with intervals over patients.

    Dice, surface Dice and HD95 have their quartiles too. Only cases with something to find enter. A structure that was
    missed altogether counts as overlap 0 and has no distance; how many were missed, and how often something was marked
    where nothing was, are proportions of their own.

    With several structures the mean over them comes first: of each structure's mean, so that each counts alike.
    Millimetres and pixels do not mix: cases in another unit than most are left out and counted.
    """
    ordered = sorted(results, key=lambda result: (result.patient_id, result.image_id, result.structure))
    groups = sorted({result.group for result in ordered})
    found: list[Estimate] = []
    for group in ("", *groups) if len(groups) > 1 else ("",):
        among = [result for result in ordered if not group or result.group == group]
        structures = sorted({result.structure for result in among})
        if len(structures) > 1:
            found += _over_structures(_sample(among, ALL_STRUCTURES, group, level, seed), structures)
        for structure in structures:
            of_structure = [result for result in among if result.structure == structure]
            sample = _sample(of_structure, structure, group, level, seed)
            found += _empties(sample) if group and not sample.to_find else _of_structure(sample)
    return found


def measures_of(result: CaseResult) -> tuple[Measure, ...]:
    """Return every measure under the name that it has for such a case: area or volume, with unit and tolerance."""
    size, size_unit, distance_unit, tolerance = (
        size_of(result),
        result.size_unit,
        result.distance_unit,
        result.tolerance,
    )
    near = f"{tolerance:g} {'pixel' if (tolerance, distance_unit) == (1, 'pixels') else distance_unit}"
    as_nothing, as_it_is = "count as 0", ""
    return (
        Measure("Dice", lambda case: case.dice, as_nothing, is_main=True),
        Measure("Jaccard", lambda case: case.jaccard, as_nothing),
        Measure("sensitivity of voxels", lambda case: case.sensitivity, as_nothing),
        Measure("precision of voxels", lambda case: case.precision),
        Measure(f"surface Dice at {near}", lambda case: case.surface_dice, as_nothing, is_main=True),
        Measure(f"HD95 ({distance_unit})", lambda case: case.hausdorff_95, is_main=True),
        Measure(f"Hausdorff distance ({distance_unit})", lambda case: case.hausdorff),
        Measure(f"ASSD ({distance_unit})", lambda case: case.average_surface_distance),
        Measure(f"{size} difference ({size_unit})", lambda case: case.size_difference, as_it_is),
        Measure(f"absolute {size} difference ({size_unit})", lambda case: abs(case.size_difference), as_it_is),
        Measure(f"relative {size} difference (%)", _percent_of_truth, as_it_is),
    )


def _percent_of_truth(case: CaseResult) -> float | None:
    share = case.relative_size_difference
    return None if share is None else 100 * share


def size_of(result: CaseResult) -> str:
    """Say whether a case has a volume or an area."""
    return "volume" if result.size_unit in ("mm³", "voxels") else "area"


def _sample(results: Sequence[CaseResult], structure: str, group: str, level: float, seed: int) -> _Sample:
    """Keep the cases of the unit that most have."""
    unit = Counter(result.size_unit for result in results).most_common(1)[0][0]
    alike = tuple(result for result in results if result.size_unit == unit)
    title = f"{structure}: {group}" if group else structure
    return _Sample(alike, title, len(results) - len(alike), level, seed)


def _over_structures(sample: _Sample, structures: Sequence[str]) -> list[Estimate]:
    """Average each measure over the structures' means."""
    images = {key: row for row, key in enumerate(dict.fromkeys(map(_image, sample.to_find)))}
    wanted = []
    for measure in measures_of(sample.results[0]):
        values = np.full((len(images), len(structures)), np.nan)
        for result in sample.to_find:
            values[images[_image(result)], structures.index(result.structure)] = _value(measure, result)
        note = f"Mean over {len(structures)} structures. {_note(measure, sample)}".strip()
        wanted.append((Column(measure.name, values, note), MEAN))
    patients = patient_codes([patient for patient, _ in images])
    return estimate_averages(wanted, patients, sample.title, sample.level, sample.seed)


def _image(result: CaseResult) -> tuple[str, str]:
    return result.patient_id, result.image_id


def _value(measure: Measure, result: CaseResult) -> float:
    value = measure.take(result)
    return np.nan if value is None else value


def _note(measure: Measure, sample: _Sample) -> str:
    """Say which cases do not enter, and what became of those that were missed."""
    n_missed = sum(result.emptiness is Emptiness.MISSED for result in sample.results)
    n_empty = len(sample.results) - len(sample.to_find)
    told = [f"{n_empty:,} without anything to find left out"] if n_empty else []
    told += [f"{n_missed:,} missed altogether {measure.if_missed}"] if n_missed and measure.if_missed else []
    told += [f"{sample.n_other_units:,} in another unit left out"] if sample.n_other_units else []
    return f"Cases: {', '.join(told)}." if told else ""


def _of_structure(sample: _Sample) -> Iterator[Estimate]:
    patients = patient_codes([result.patient_id for result in sample.to_find])
    wanted = []
    for measure in measures_of(sample.results[0]):
        values = np.array([_value(measure, result) for result in sample.to_find], float)
        column = Column(measure.name, values.reshape(-1, 1), _note(measure, sample))
        wanted += [(column, average) for average in ((MEAN, MEDIAN, *QUARTILES) if measure.is_main else (MEAN, MEDIAN))]
    yield from estimate_averages(wanted, patients, sample.title, sample.level, sample.seed)
    yield from _empties(sample)
    yield from _agreement_of_sizes(sample)


def _empties(sample: _Sample) -> Iterator[Estimate]:
    """Count what was missed altogether, and where something was marked though nothing was there."""
    without = [result for result in sample.results if not result.n_truth]
    for name, among, kind in (
        (MISSED, sample.to_find, Emptiness.MISSED),
        (FALSE_ALARMS, without, Emptiness.FALSE_ALARM),
    ):
        if among:
            hits = np.array([result.emptiness is kind for result in among])
            patients = patient_codes([result.patient_id for result in among])
            yield replace(proportion(name, hits, patients, sample.level), group=sample.title)


def _agreement_of_sizes(sample: _Sample) -> Iterator[Estimate]:
    """Estimate bias and limits of agreement of volumes or areas (Bland & Altman 1986), predicted minus truth."""
    if len(sample.to_find) < 2:
        return
    readings = Readings(
        sample.title,
        tuple(result.image_id for result in sample.to_find),
        tuple(result.patient_id for result in sample.to_find),
        (PREDICTED, TRUTH),
        Scale.RATIO,
        np.array([(result.predicted_size, result.truth_size) for result in sample.to_find], float),
    )
    size = f"{size_of(sample.results[0])} ({sample.results[0].size_unit})"
    for one in bland_altman(readings, PREDICTED, TRUTH, sample.level, sample.seed):
        yield replace(one, name=f"{one.name} of {size}", group=sample.title, part="test")
