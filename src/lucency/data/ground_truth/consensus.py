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
EVEN = 1e-9
"""Shares of votes that differ by less are even."""


@dataclass(frozen=True)
class Fused:
    """One label for each image, in the order of the readings."""

    verdicts: tuple[Verdict, ...]
    notes: tuple[str, ...] = ()
    """Why the rule may not be trusted, in words."""


def fuse(readings: Readings, settings: Consensus, decisions: Mapping[str, str] | None = None) -> Fused:
    """Make one label of the answers about each image; `decisions` (image → level) overrule every vote.

    Raises:
        PlanError: the rule does not suit the answers, or names a reader who is none.
    """
    _refuse_unsuited(readings, settings)
    n_read = (~np.isnan(readings.values)).sum(axis=1)
    shares, notes = _shares(readings, settings)
    is_soft = settings.soft and settings.rule in ("majority", "weighted", "dawid_skene", "mean")
    verdicts = []
    for number, image in enumerate(readings.image_ids):
        votes = _votes(readings, number)
        decided = (decisions or {}).get(image, "")
        if decided:
            agreed = _agreed(readings, number, decided)
            verdicts.append(Verdict(decided, votes=votes, agreement=agreed, notes=(ADJUDICATED,)))
            continue
        level, code = _level(readings, number, shares[number], int(n_read[number]), settings)
        if code:
            verdicts.append(Verdict(code=code, votes=votes))
            continue
        doubt = dict(zip(readings.levels, shares[number].tolist(), strict=True)) if is_soft else None
        verdicts.append(Verdict(level, probabilities=doubt, votes=votes, agreement=_agreed(readings, number, level)))
    return Fused(tuple(verdicts), notes)


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
        verdicts = zip(readings.image_ids, fuse(readings, rule).verdicts, strict=True)
        found[name] = {image: verdict.target for image, verdict in verdicts if verdict.target}
    return found


def is_disputed(readings: Readings) -> NDArray[np.bool_]:
    """Tell the images on which any two readers disagree, axis (image)."""
    read = ~np.isnan(readings.values)
    lowest = np.where(read, readings.values, np.inf).min(axis=1, initial=np.inf)
    highest = np.where(read, readings.values, -np.inf).max(axis=1, initial=-np.inf)
    return highest > lowest


def _refuse_unsuited(readings: Readings, settings: Consensus) -> None:
    rule = settings.rule
    if not readings.is_categorical:
        raise PlanError(
            "The readers' answers are measurements, and a classification needs classes. Set `data.labels.readers.scale` to "
            "nominal or ordinal, or give the measurements names of classes."
        )
    if rule in ("any", "all") and len(readings.levels) != 2:
        raise PlanError(
            f"`consensus.rule: {rule}` is for two classes, and the readers gave {len(readings.levels)} "
            f"({', '.join(readings.levels[:6])}). Take `majority`, or `median` for grades."
        )
    if rule in ("mean", "median") and readings.scale == Scale.NOMINAL:
        raise PlanError(
            f"`consensus.rule: {rule}` needs grades in an order. Set `readers.scale: ordinal`, or take `majority`."
        )
    if settings.ties != "refuse" and len(readings.levels) > 2 and readings.scale == Scale.NOMINAL:
        raise PlanError(
            f"`consensus.ties: {settings.ties}` needs two classes, or grades; with {len(readings.levels)} classes nothing tells "
            "which is meant. Write `refuse`."
        )
    unknown = {settings.reader, *settings.weights} - {None, *readings.readers}
    if unknown:
        raise PlanError(
            f"`data.labels.consensus` names the reader “{sorted(map(str, unknown))[0]}”, who is not in the tables. Readers: "
            f"{', '.join(readings.readers[:8])}."
        )


def _shares(readings: Readings, settings: Consensus) -> tuple[NDArray[np.float64], tuple[str, ...]]:
    """Return the weight of each level, axes (image, level), rows adding up to 1 (NaN where nobody answered)."""
    levels = np.arange(len(readings.levels))
    given = readings.values[:, :, None] == levels
    if settings.rule == "dawid_skene":
        fitted = dawid_skene(given.astype(np.int64))
        return fitted.probability, fitted.notes
    weights = np.array([settings.weights.get(reader, 1.0) for reader in readings.readers])
    if settings.rule == "one_reader":
        weights = np.array([float(reader == settings.reader) for reader in readings.readers])
    votes = (given * weights[None, :, None]).sum(axis=1)
    total = votes.sum(axis=1, keepdims=True)
    return np.divide(votes, total, out=np.full(votes.shape, np.nan), where=total > 0), ()


def _level(
    readings: Readings, number: int, shares: NDArray[np.float64], n_read: int, settings: Consensus
) -> tuple[str, str]:
    """Return the level that one image is given, or the code why it is given none."""
    levels = readings.levels
    if n_read == 0 or np.isnan(shares).any():
        return "", NOT_READ
    if n_read < settings.least_readers:
        return "", FEW_READERS
    if settings.rule in ("any", "all"):
        is_positive = shares[1] > EVEN if settings.rule == "any" else shares[0] < EVEN
        return levels[int(is_positive)], ""
    if settings.rule in ("mean", "median"):
        said = readings.values[number][~np.isnan(readings.values[number])]
        middle = float(np.mean(said) if settings.rule == "mean" else np.median(said))
        is_between = abs(middle - np.floor(middle) - 0.5) < EVEN
        return _settle(
            (int(np.floor(middle)), int(np.ceil(middle))) if is_between else (round(middle),), levels, settings
        )
    return _settle(tuple(np.flatnonzero(shares > shares.max() - EVEN).tolist()), levels, settings)


def _settle(best: tuple[int, ...], levels: tuple[str, ...], settings: Consensus) -> tuple[str, str]:
    """Return the one best level; of several, what the plan says of even votes."""
    if len(best) == 1:
        return levels[best[0]], ""
    if settings.ties == "refuse":
        return "", TIE
    return levels[max(best) if settings.ties == "positive" else min(best)], ""


def _votes(readings: Readings, number: int) -> str:
    return "; ".join(
        f"{reader}={readings.levels[int(value)]}"
        for reader, value in zip(readings.readers, readings.values[number], strict=True)
        if not np.isnan(value)
    )


def _agreed(readings: Readings, number: int, level: str) -> float | None:
    """Return the share of the readers of an image who said what counts."""
    said = readings.values[number][~np.isnan(readings.values[number])]
    return float((said == readings.levels.index(level)).mean()) if said.size else None
