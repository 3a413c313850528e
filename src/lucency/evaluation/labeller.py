"""How often a labeller errs: rules, a network or a report, held against reports that somebody read again."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from lucency.domain.estimate import Estimate
from lucency.domain.readings import Readings, Scale
from lucency.errors import SourceError
from lucency.evaluation.agreement.cohen import cohen_kappa
from lucency.evaluation.by_answer import SampleByAnswer, finding_by_answer, overall_by_answer
from lucency.evaluation.confusion import finding_estimates
from lucency.evaluation.intervals import patient_codes, proportion


@dataclass(frozen=True)
class Reread:
    """Reports that a labeller answered and that were read again, axis (report)."""

    classes: tuple[str, ...]
    """Of two classes, the second is the positive one."""
    labelled: tuple[str, ...]
    """The class that the labeller gave."""
    truth: tuple[str, ...]
    """The class that the second reading gave."""
    patient_ids: tuple[str, ...]
    sampled_of: Mapping[str, int] | None = None
    """How many reports the labeller gave each class to, where the sample was drawn by its answer; None where it is a simple
    random sample, or all there is."""


def measure_labeller(reread: Reread, level: float = 0.95, seed: int = 0) -> tuple[Estimate, ...]:
    """Estimate sensitivity, specificity, predictive values and kappa of each finding, then accuracy over all classes.

    Of two classes the positive one is the finding; of more, each against the rest, named in `group`. A sample drawn by the
    labeller's answer is brought back to all reports (`evaluation.by_answer`). Raises SourceError for classes that are
    unknown, and where more reports were read again than there are.
    """
    labelled, truth = _encode(reread, reread.labelled), _encode(reread, reread.truth)
    patients = patient_codes(reread.patient_ids)
    found: list[Estimate] = []
    findings = (1,) if len(reread.classes) == 2 else range(len(reread.classes))
    if reread.sampled_of is None:
        for finding in findings:
            errors = finding_estimates(truth == finding, labelled == finding, patients, level)[:4]
            kappa = _kappa(labelled == finding, truth == finding, reread.patient_ids, level, seed)
            found.extend(replace(each, group=_group(reread, finding)) for each in (*errors, kappa))
        found.append(proportion("accuracy", labelled == truth, patients, level))
    else:
        sample = SampleByAnswer(labelled, truth, patients, _count_all(reread, labelled, reread.sampled_of))
        for finding in findings:
            group = _group(reread, finding)
            found.extend(replace(each, group=group) for each in finding_by_answer(sample, finding, level))
        found.append(overall_by_answer(sample, level))
    return tuple(replace(estimate, unit="report", part="all") for estimate in found)


def _encode(reread: Reread, names: tuple[str, ...]) -> NDArray[np.int64]:
    places = {name: place for place, name in enumerate(reread.classes)}
    n_unknown = len(set(names) - places.keys())
    if n_unknown:
        raise SourceError(
            f"The reports that were read again hold {n_unknown} classes that the labels do not have; "
            f"use {', '.join(reread.classes)}."
        )
    return np.array([places[name] for name in names], np.int64)


def _count_all(reread: Reread, labelled: NDArray[np.int64], sampled_of: Mapping[str, int]) -> NDArray[np.int64]:
    """Return how many reports the labeller gave each class to, axis (class)."""
    n_all = np.array([sampled_of.get(name, 0) for name in reread.classes], np.int64)
    if (n_all < np.bincount(labelled, minlength=n_all.size)).any():
        raise SourceError(
            "More reports of an answer were read again than the labeller gave; `sampled_of` has to count all its answers."
        )
    return n_all


def _kappa(
    labelled: NDArray[np.bool_], truth: NDArray[np.bool_], patient_ids: tuple[str, ...], level: float, seed: int
) -> Estimate:
    values = np.column_stack([labelled, truth]).astype(np.float64)
    names = tuple(str(place) for place in range(len(values)))
    readers = ("labeller", "second reading")
    readings = Readings("label", names, patient_ids, readers, Scale.NOMINAL, values, ("absent", "present"))
    return cohen_kappa(readings, *readers, level=level, seed=seed)


def _group(reread: Reread, finding: int) -> str:
    return "all" if len(reread.classes) == 2 else f"{reread.classes[finding]} against the rest"
