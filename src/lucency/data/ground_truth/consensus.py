"""Make one label of what several readers said."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lucency.data.ground_truth.dawid_skene import dawid_skene
from lucency.data.ground_truth.verdicts import Verdict
from lucency.domain.labels_plan import Consensus
from lucency.domain.readings import Readings, Scale
from lucency.errors import PlanError

NOT_READ, FEW_READERS, TIE = "E_NOT_READ", "E_FEW_READERS", "E_TIE"
ADJUDICATED = "N_ADJUDICATED"
EVEN = 1e-6
"""Shares of votes that differ by less are even: sums of weights are rounded, and estimates end somewhere."""


@dataclass(frozen=True)
class Fused:
    """One label for each image, in the order of the readings."""

    verdicts: tuple[Verdict, ...]
    notes: tuple[str, ...] = ()
    """Why the rule may not be trusted, in words."""


@dataclass(frozen=True)
class _Outcome:
    """What a rule says of each image before anybody decides."""

    levels: NDArray[np.float64]
    """Axis (image); number of the level, NaN where there is none."""
    codes: NDArray[np.str_]
    """Axis (image); why there is none (E_…), empty where there is one."""
    shares: NDArray[np.float64]
    """Axes (image, level), of the votes or by Dawid and Skene; rows add up to 1, or are NaN where nobody counts."""
    notes: tuple[str, ...]


def fuse(readings: Readings, settings: Consensus, decisions: Mapping[str, str] | None = None) -> Fused:
    """Make one label of the answers about each image; `decisions` (image → level) overrule every vote.

    Raises:
        PlanError: the rule does not suit the answers, or names a reader who is none.
    """
    outcome = _apply(readings, settings)
    decided = np.array([(decisions or {}).get(image, "") for image in readings.image_ids])
    number = {level: place for place, level in enumerate(readings.levels)}
    levels = [number[said] if said else level for said, level in zip(decided, outcome.levels.tolist(), strict=True)]
    agreed = _agreement(readings, np.array(levels, float))
    is_soft = settings.soft and settings.rule in ("majority", "weighted", "dawid_skene", "mean")
    verdicts = []
    for place, votes in enumerate(_votes(readings)):
        code = str(outcome.codes[place])
        if decided[place]:
            verdicts.append(Verdict(str(decided[place]), votes=votes, agreement=agreed[place], notes=(ADJUDICATED,)))
        elif code:
            verdicts.append(Verdict(code=code, votes=votes))
        else:
            doubt = dict(zip(readings.levels, outcome.shares[place].tolist(), strict=True)) if is_soft else None
            level = readings.levels[int(levels[place])]
            verdicts.append(Verdict(level, probabilities=doubt, votes=votes, agreement=agreed[place]))
    return Fused(tuple(verdicts), outcome.notes)


def labels_by_rule(readings: Readings) -> dict[str, dict[str, str]]:
    """Return the labels of every rule that suits the answers, and those of each reader: rule in words → image → level."""
    rules = {"majority vote": Consensus(rule="majority")}
    if len(readings.levels) == 2:
        rules["positive by any reader"] = Consensus(rule="any")
        rules["positive by all readers"] = Consensus(rule="all")
    if readings.scale == Scale.ORDINAL:
        rules["median"] = Consensus(rule="median")
    if len(readings.readers) > 2:
        rules["Dawid and Skene"] = Consensus(rule="dawid_skene")
    rules |= {f"reader {reader}": Consensus(rule="one_reader", reader=reader) for reader in readings.readers}
    found = {}
    for name, rule in rules.items():
        levels = _apply(readings, rule).levels
        is_labelled = np.flatnonzero(~np.isnan(levels))
        found[name] = {readings.image_ids[place]: readings.levels[int(levels[place])] for place in is_labelled}
    return found


def is_disputed(readings: Readings) -> NDArray[np.bool_]:
    """Tell the images on which any two readers disagree, axis (image)."""
    read = ~np.isnan(readings.values)
    lowest = np.where(read, readings.values, np.inf).min(axis=1, initial=np.inf)
    highest = np.where(read, readings.values, -np.inf).max(axis=1, initial=-np.inf)
    return highest > lowest


def _apply(readings: Readings, settings: Consensus) -> _Outcome:
    """Apply a rule to all images at once."""
    _refuse_unsuited(readings, settings)
    shares, notes = _shares(readings, settings)
    levels = _levels(readings, shares, settings)
    n_read = (~np.isnan(readings.values)).sum(axis=1)
    reasons = [np.isnan(shares).any(axis=1), n_read < settings.least_readers, np.isnan(levels)]
    codes = np.select(reasons, [NOT_READ, FEW_READERS, TIE], default="")
    return _Outcome(np.where(codes == "", levels, np.nan), codes, shares, notes)


def _refuse_unsuited(readings: Readings, settings: Consensus) -> None:
    rule, n_levels = settings.rule, len(readings.levels)
    if not readings.is_categorical:
        raise PlanError(
            "The readers' answers are measurements, and a classification needs classes. Set `data.labels.readers.scale` to "
            "nominal or ordinal, or give the measurements names of classes."
        )
    if rule in ("any", "all") and n_levels != 2:
        raise PlanError(
            f"`consensus.rule: {rule}` is for two classes, and the readers gave {n_levels} ({', '.join(readings.levels[:6])}). "
            "Unite answers by `data.labels.names`, or take `majority`, or `median` for grades."
        )
    if rule in ("mean", "median") and readings.scale == Scale.NOMINAL:
        raise PlanError(
            f"`consensus.rule: {rule}` needs grades in an order. Set `readers.scale: ordinal`, or take `majority`."
        )
    if settings.ties != "refuse" and n_levels > 2 and readings.scale == Scale.NOMINAL:
        raise PlanError(
            f"`consensus.ties: {settings.ties}` is for two classes or for grades; of {n_levels} classes without an order nothing "
            "tells which is meant. Take `refuse`."
        )
    unknown = {settings.reader, *settings.weights} - {None, *readings.readers}
    if unknown:
        raise PlanError(
            f"`data.labels.consensus` names the reader “{sorted(map(str, unknown))[0]}”, who is not in the tables. Readers: "
            f"{', '.join(readings.readers[:8])}."
        )


def _shares(readings: Readings, settings: Consensus) -> tuple[NDArray[np.float64], tuple[str, ...]]:
    """Return the weight of each level, axes (image, level), rows adding up to 1 (NaN where nobody answered)."""
    given = readings.values[:, :, None] == np.arange(len(readings.levels))
    if settings.rule == "dawid_skene":
        fitted = dawid_skene(given.astype(np.uint8))
        return fitted.probability, fitted.notes
    weights = np.array([settings.weights.get(reader, 1.0) for reader in readings.readers])
    if settings.rule == "one_reader":
        weights = np.array([float(reader == settings.reader) for reader in readings.readers])
    votes = np.einsum("irl,r->il", given, weights)
    total = votes.sum(axis=1, keepdims=True)
    return np.divide(votes, total, out=np.full(votes.shape, np.nan), where=total > 0), ()


def _levels(readings: Readings, shares: NDArray[np.float64], settings: Consensus) -> NDArray[np.float64]:
    """Return the number of the level that each image is given; NaN where the votes are even and the plan refuses that."""
    if settings.rule in ("any", "all"):
        return np.asarray(shares[:, 1] > 0 if settings.rule == "any" else shares[:, 0] == 0, float)
    if settings.rule in ("mean", "median"):
        middle = _middle(readings.values, settings.rule)
        return _settle(np.ceil(middle - 0.5 - EVEN), np.floor(middle + 0.5 + EVEN), settings)
    is_best = shares >= shares.max(axis=1, keepdims=True) - EVEN
    lowest = is_best.argmax(axis=1).astype(float)
    highest = shares.shape[1] - 1.0 - is_best[:, ::-1].argmax(axis=1)
    return _settle(lowest, highest, settings)


def _middle(values: NDArray[np.float64], rule: str) -> NDArray[np.float64]:
    """Return the mean or median grade of each image; NaN where nobody answered."""
    middle = np.full(len(values), np.nan)
    is_read = ~np.isnan(values).all(axis=1)
    middle[is_read] = (np.nanmean if rule == "mean" else np.nanmedian)(values[is_read], axis=1)
    return middle


def _settle(lowest: NDArray[np.float64], highest: NDArray[np.float64], settings: Consensus) -> NDArray[np.float64]:
    """Return the one best level; of several, what the plan says of even votes."""
    if settings.ties == "refuse":
        return np.where(lowest == highest, lowest, np.nan)
    return highest if settings.ties == "positive" else lowest


def _votes(readings: Readings) -> list[str]:
    """Write down what each reader said about each image."""
    by_reader = [
        ["" if np.isnan(value) else f"{reader}={readings.levels[int(value)]}" for value in said]
        for reader, said in zip(readings.readers, readings.values.T.tolist(), strict=True)
    ]
    return ["; ".join(filter(None, said)) for said in zip(*by_reader, strict=True)]


def _agreement(readings: Readings, levels: NDArray[np.float64]) -> list[float | None]:
    """Return the share of the readers of each image who said what counts; None where nobody read it."""
    n_read = (~np.isnan(readings.values)).sum(axis=1)
    n_alike = (readings.values == levels[:, None]).sum(axis=1)
    return [alike / read if read else None for alike, read in zip(n_alike.tolist(), n_read.tolist(), strict=True)]
