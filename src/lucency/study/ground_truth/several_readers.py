"""Labels from several readers: what they said, how far they agree, and the one label that is made of it."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from lucency.domain.cohort import CohortRow
from lucency.domain.ground_truth import Consensus, PairOfReaders, SeveralReaders
from lucency.domain.labels_plan import Labels, Readers
from lucency.errors import PlanError, SourceError
from lucency.study.ground_truth.disputes import ADJUDICATION
from lucency.study.ground_truth.truth import Truth
from lucency.study.images import naming_of
from lucency.study.stage import Study

if TYPE_CHECKING:  # pandas takes time to import; only stages that need it do
    from lucency.data.ground_truth.adjudication import Decisions
    from lucency.data.ground_truth.verdicts import Verdict
    from lucency.domain.readings import ReaderTables, Readings

N_PAIRS = 3
"""Pairs of readers whose answers are shown against each other; the agreement of all pairs is told."""


def from_readers(study: Study, kept: Sequence[CohortRow], labels: Labels, settings: Readers, setting: str) -> Truth:
    """Read what the readers said, make one label of it, and tell how far they agree.

    Raises:
        SourceError, PlanError: a table cannot be used, or a rule does not suit the answers.
    """
    from lucency.data.ground_truth.adjudication import NO_DECISIONS, disputed_images, read_decisions
    from lucency.data.ground_truth.consensus import fuse, labels_by_rule
    from lucency.data.ground_truth.consensus_of_numbers import fuse_numbers
    from lucency.data.ground_truth.readings import read_readings
    from lucency.data.ground_truth.verdicts import Verdicts

    naming = naming_of(study)
    tables = read_readings(settings, labels.names, kept, naming, labels.positive)
    readings = tables.of(settings.studied)
    decisions = NO_DECISIONS
    if labels.consensus.adjudicated:
        path = Path(labels.consensus.adjudicated)
        _refuse_own_sheet(study, path)
        decisions = read_decisions(path, readings.levels, kept, naming, labels.names)
        study.desk.say(_sentence_on_decisions(decisions, readings))
    if study.plan.regression:
        _refuse_other_unit(tables.facts.units, study.plan.regression.unit)
        fused = fuse_numbers(readings, labels.consensus)
    else:
        fused = fuse(readings, labels.consensus, decisions.levels)
    for note in fused.notes:
        study.desk.say(note)
    unknown = decisions.unknown_rows
    unknown += tuple(number for numbers in tables.facts.unknown_rows.values() for number in numbers)
    told = _tell_readers(study, labels, setting, tables, readings, fused.verdicts)
    study.desk.say(_sentence_on(told))
    if study.plan.regression:
        return Truth(Verdicts(fused.verdicts, unknown), (told,))
    return Truth(
        Verdicts(fused.verdicts, unknown),
        (told,),
        labels_by_rule(readings),
        disputed_images(kept, readings, fused.verdicts, labels.consensus),
    )


def _refuse_other_unit(units: Sequence[str], unit: str) -> None:
    """Stop where the readers measured in another unit than the plan speaks of."""
    if unit and any(written != unit for written in units):
        raise SourceError(
            f"The readers measured in {' and '.join(units)}, and `regression.unit` is {unit}. Write their measurements in "
            "the unit of the plan, or change it."
        )


def _refuse_own_sheet(study: Study, path: Path) -> None:
    """Stop before the sheet that somebody filled in is written anew."""
    if path.resolve() == (study.folder.path / ADJUDICATION).resolve():
        raise PlanError(
            f"`consensus.adjudicated` names the {ADJUDICATION} that this study writes, and would lose your decisions. Save it "
            "under another name outside the study's folder, and name the copy."
        )


def _tell_readers(
    study: Study,
    labels: Labels,
    setting: str,
    tables: "ReaderTables",
    readings: "Readings",
    verdicts: "Sequence[Verdict]",
) -> SeveralReaders:
    from lucency.data.ground_truth.consensus import ADJUDICATED, is_disputed
    from lucency.evaluation.agreement.description import confusion_between, describe_agreement

    level, seed = study.plan.evaluation.level, study.plan.seed
    others = (describe_agreement(other, level, seed) for other in tables.readings if other is not readings)
    questions = [other.question for other in tables.readings if other is not readings]
    disputed, n_read = is_disputed(readings), (~np.isnan(readings.values)).sum(axis=1)
    consensus = Consensus(
        rule=labels.consensus.rule,
        n_unanimous=int((~disputed & (n_read > 1)).sum()),
        n_disputed=int(disputed.sum()),
        n_decided=sum(ADJUDICATED in verdict.notes for verdict in verdicts),
        n_open=sum(bool(verdict.code and n) for verdict, n in zip(verdicts, n_read, strict=True)),
        n_single=int((n_read == 1).sum()),
    )
    return SeveralReaders(
        setting=setting,
        facts=tables.facts,
        question=readings.question,
        levels=readings.levels,
        agreement=describe_agreement(readings, level, seed),
        other_questions=tuple(
            replace(found[0], group=question) for question, found in zip(questions, others, strict=True) if found
        ),
        pairs=tuple(
            PairOfReaders(first, second, tuple(map(tuple, confusion_between(readings, first, second).tolist())))
            for first, second in (list(combinations(readings.readers, 2))[:N_PAIRS] if readings.is_categorical else ())
        ),
        consensus=consensus,
    )


def _sentence_on_decisions(decisions: "Decisions", readings: "Readings") -> str:
    """Tell who decided, what is open, and what was decided though nobody disagreed."""
    from lucency.data.ground_truth.consensus import is_disputed

    disputed = {image for image, differ in zip(readings.image_ids, is_disputed(readings), strict=True) if differ}
    n_agreed = len(decisions.by_image.keys() - disputed)
    deciders = sorted({decision.decided_by for decision in decisions.by_image.values()} - {""})
    words = f"Adjudication: {len(decisions.by_image)} images decided"
    words += f" by {', '.join(deciders)}" if deciders else ""
    words += f", {decisions.n_open} still open"
    return (
        f"{words}; {n_agreed} of the decisions are about images on which no two readers disagree."
        if n_agreed
        else f"{words}."
    )


def _sentence_on(told: SeveralReaders) -> str:
    consensus = told.consensus
    agreement = next((estimate for estimate in told.agreement if estimate.value is not None), None)
    words = (
        f"Readers: {', '.join(reader.reader for reader in told.facts.readers)}; they disagree on {consensus.n_disputed} of "
        f"{consensus.n_disputed + consensus.n_unanimous} images, {consensus.n_decided} decided by hand, "
        f"{consensus.n_open} open, {len(told.facts.unread)} read by nobody."
    )
    if agreement is None or agreement.low is None or agreement.high is None:
        return words
    return f"{words} {agreement.name} {agreement.value:.2f} ({agreement.level:.0%} CI {agreement.low:.2f}–{agreement.high:.2f})."
