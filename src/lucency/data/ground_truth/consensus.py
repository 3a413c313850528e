"""Make one label of what several readers said."""

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from lucency.data.ground_truth.dawid_skene import dawid_skene
from lucency.domain.consensus import Fused, RuleOutcome
from lucency.domain.labels_plan import Consensus
from lucency.domain.readings import Readings, Scale
from lucency.errors import PlanError

RULE = "`data.labels.consensus.rule: {}`"
_EVEN = 1e-6
"""Shares of votes that differ by less are even: sums of weights are rounded."""
_OF_MEASUREMENTS = ("mean", "median", "weighted", "one_reader")


@dataclass(frozen=True)
class _Outcome:
    """What a rule says before anybody decides."""

    values: NDArray[np.float64]
    """Axis (image); NaN where the readers are even or nobody counts."""
    probabilities: NDArray[np.float64]
    """Axes (image, level)."""
    notes: tuple[str, ...] = ()


def fuse(readings: Readings, settings: Consensus, decisions: Mapping[str, str] | None = None) -> Fused:
    """Give each image one label by the rule of the plan; `decisions`, image → answer, overrule every vote.

    Raises:
        PlanError: the rule does not fit the scale of the readings, or names a reader who is not there.
    """
    _refuse_what_does_not_fit(readings, settings)
    weights = _weights(readings, settings)
    outcome = _of_levels(readings, settings, weights) if readings.is_categorical else _of_numbers(readings, settings)
    is_seen = ~np.isnan(readings.values)
    fused = Fused(
        settings.rule,
        readings.image_ids,
        readings.levels,
        outcome.values,
        _reasons(outcome.values, is_seen, weights, settings),
        outcome.probabilities,
        _votes(readings),
        is_seen.sum(axis=1),
        np.array([]),
        notes=outcome.notes,
    )
    values = np.where([bool(reason) for reason in fused.reasons], np.nan, fused.values)
    fused = _decide(replace(fused, values=values), decisions or {})
    return replace(fused, agreement=_agreement(readings, fused.values))


def all_rules(readings: Readings, settings: Consensus, decisions: Mapping[str, str] | None = None) -> dict[str, Fused]:
    """Return the labels under each rule that fits the scale, with the plan's other settings; the plan's own rule first."""
    return {name: fuse(readings, rule, decisions) for name, rule in _rules_that_fit(readings, settings).items()}


def compare_rules(
    readings: Readings, settings: Consensus, decisions: Mapping[str, str] | None = None
) -> tuple[RuleOutcome, ...]:
    """Tell how the labels change with the rule; the plan's own rule comes first."""
    by_rule = all_rules(readings, settings, decisions)
    chosen = next(iter(by_rule.values()))
    return tuple(_compared(name, fused, chosen) for name, fused in by_rule.items())


def counts_of(readings: Readings) -> NDArray[np.uint8]:
    """Count the answers, axes (image, reader, level), as Dawid and Skene take them."""
    return (readings.values[:, :, None] == np.arange(len(readings.levels))).astype(np.uint8)


def _refuse_what_does_not_fit(readings: Readings, settings: Consensus) -> None:
    """Stop before a rule makes nonsense.

    Raises:
        PlanError: with what to change.
    """
    rule, n_levels = RULE.format(settings.rule), len(readings.levels)
    for name in [*settings.weights, *([settings.reader] if settings.reader else [])]:
        if name not in readings.readers:
            close = difflib.get_close_matches(name, readings.readers, n=1)
            hint = f"Did you mean “{close[0]}”?" if close else f"The readers are: {', '.join(readings.readers[:8])}."
            raise PlanError(f"{rule} names a reader “{name}” who is in no table. {hint}")
    if not readings.is_categorical:
        if settings.rule not in _OF_MEASUREMENTS:
            raise PlanError(
                f"{rule} is for classes and grades. For measurements write mean, median, weighted or one_reader."
            )
        return
    if settings.rule in ("mean", "median") and readings.scale is Scale.NOMINAL:
        raise PlanError(f"{rule} needs grades or measurements (`data.labels.readers.scale`). Classes have no middle.")
    if settings.rule in ("any", "all") and n_levels != 2:
        raise PlanError(
            f"{rule} needs two classes, and the readers gave {n_levels}: {', '.join(readings.levels[:8])}. Choose another rule, "
            "or unite answers by `data.labels.names` (an empty name takes an answer out)."
        )
    if settings.ties != "refuse" and n_levels > 2 and readings.scale is Scale.NOMINAL:
        raise PlanError(
            f"`data.labels.consensus.ties: {settings.ties}` needs two classes, or grades; with {n_levels} classes nothing "
            "tells which is meant. Write `refuse`."
        )


def _weights(readings: Readings, settings: Consensus) -> NDArray[np.float64]:
    """Return the weight of each reader's vote."""
    if settings.rule == "one_reader":
        return np.array([float(reader == settings.reader) for reader in readings.readers])
    return np.array([settings.weights.get(reader, 1.0) for reader in readings.readers])


def _of_levels(readings: Readings, settings: Consensus, weights: NDArray[np.float64]) -> _Outcome:
    """Apply a rule to classes or grades."""
    votes = np.zeros((len(readings.image_ids), len(readings.levels)))
    for column, weight in enumerate(weights):
        seen = np.flatnonzero(~np.isnan(readings.values[:, column]))
        votes[seen, readings.values[seen, column].astype(int)] += weight
    in_all = votes.sum(axis=1, keepdims=True)
    shares = np.divide(votes, in_all, out=np.full_like(votes, np.nan), where=in_all > 0)
    if settings.rule == "dawid_skene":
        fit = dawid_skene(counts_of(readings))
        return _Outcome(_most(fit.probability, settings), fit.probability, fit.notes)
    if settings.rule in ("any", "all"):
        is_positive = shares[:, 1] > 0 if settings.rule == "any" else shares[:, 0] == 0
        return _Outcome(np.where(in_all[:, 0] > 0, is_positive, np.nan), shares)
    if settings.rule in ("mean", "median"):
        return _Outcome(_nearest_grade(_centre(readings.values, settings.rule), settings), shares)
    return _Outcome(_most(shares, settings), shares)


def _of_numbers(readings: Readings, settings: Consensus) -> _Outcome:
    """Apply a rule to measurements; votes on numbers have no shares."""
    without = np.empty((len(readings.image_ids), 0))
    if settings.rule in ("mean", "median"):
        return _Outcome(_centre(readings.values, settings.rule), without)
    weight = np.where(np.isnan(readings.values), 0, _weights(readings, settings))
    in_all = weight.sum(axis=1)
    total = (np.nan_to_num(readings.values) * weight).sum(axis=1)
    return _Outcome(np.divide(total, in_all, out=np.full(len(total), np.nan), where=in_all > 0), without)


def _most(shares: NDArray[np.float64], settings: Consensus) -> NDArray[np.float64]:
    """Return the level with the largest share; where several are even, what the plan says of ties."""
    is_highest = shares >= shares.max(axis=1, keepdims=True) - _EVEN
    lowest = is_highest.argmax(axis=1).astype(float)
    highest = shares.shape[1] - 1.0 - is_highest[:, ::-1].argmax(axis=1)
    return np.where(np.isnan(shares[:, 0]), np.nan, _break_ties(lowest, highest, settings))


def _nearest_grade(centre: NDArray[np.float64], settings: Consensus) -> NDArray[np.float64]:
    """Return the grade that is nearest to a mean or median; one halfway between two grades is a tie."""
    return _break_ties(np.ceil(centre - 0.5 - _EVEN), np.floor(centre + 0.5 + _EVEN), settings)


def _break_ties(lowest: NDArray[np.float64], highest: NDArray[np.float64], settings: Consensus) -> NDArray[np.float64]:
    if settings.ties == "positive":
        return highest
    if settings.ties == "negative":
        return lowest
    return np.where(lowest == highest, lowest, np.nan)


def _centre(values: NDArray[np.float64], rule: str) -> NDArray[np.float64]:
    """Return mean or median over the readers; NaN where nobody read."""
    centre = np.full(len(values), np.nan)
    is_read = ~np.isnan(values).all(axis=1)
    centre[is_read] = (np.nanmean if rule == "mean" else np.nanmedian)(values[is_read], axis=1)
    return centre


def _reasons(
    values: NDArray[np.float64], is_seen: NDArray[np.bool_], weights: NDArray[np.float64], settings: Consensus
) -> tuple[str, ...]:
    """Say why an image has no label; empty where it has one."""
    does_count = (is_seen & (weights > 0)).any(axis=1)
    is_short = is_seen.sum(axis=1) < settings.least_readers
    reasons = np.select([~does_count, is_short, np.isnan(values)], ["E_NOT_READ", "E_FEW_READERS", "E_TIE"], default="")
    return tuple(map(str, reasons))


def _votes(readings: Readings) -> tuple[str, ...]:
    """Write down what each reader said, image by image."""
    texts = [
        [f"{reader}={_as_text(value, readings.levels)}" if value == value else "" for value in column]  # NaN ≠ NaN
        for reader, column in zip(readings.readers, readings.values.T.tolist(), strict=True)
    ]
    return tuple("; ".join(filter(None, said)) for said in zip(*texts, strict=True))


def _as_text(value: float, levels: Sequence[str]) -> str:
    return levels[int(value)] if levels else f"{value:.10g}"


def _decide(fused: Fused, decisions: Mapping[str, str]) -> Fused:
    """Let decisions overrule what the rule said, and note where they were not asked for."""
    number = {image: place for place, image in enumerate(fused.image_ids)}
    places = {number[image]: answer for image, answer in decisions.items() if image in number}
    values, probabilities, reasons = fused.values.copy(), fused.probabilities.copy(), list(fused.reasons)
    for place, answer in places.items():
        values[place] = fused.levels.index(answer) if fused.levels else float(answer)
        probabilities[place] = np.arange(len(fused.levels)) == values[place]
        reasons[place] = ""
    undisputed = [place for place in places if not np.isnan(fused.values[place])]
    return replace(
        fused,
        values=values,
        probabilities=probabilities,
        reasons=tuple(reasons),
        decided=tuple(fused.image_ids[place] for place in places),
        decided_undisputed=tuple(fused.image_ids[place] for place in undisputed),
        overruled=tuple(fused.image_ids[place] for place in undisputed if fused.values[place] != values[place]),
    )


def _agreement(readings: Readings, values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the share of the readers who said what the label says, or the largest share where there is no label."""
    n_readers = (~np.isnan(readings.values)).sum(axis=1)
    if not readings.is_categorical:
        return np.full(len(values), np.nan)
    most = np.max([(readings.values == level).sum(axis=1) for level in range(len(readings.levels))], axis=0)
    alike = np.where(np.isnan(values), most, (readings.values == values[:, None]).sum(axis=1))
    return np.divide(alike, n_readers, out=np.full(len(values), np.nan), where=n_readers > 0)


def _rules_that_fit(readings: Readings, settings: Consensus) -> dict[str, Consensus]:
    """Name the rules that the scale allows, the plan's own first."""
    if readings.is_categorical:
        rules = ["majority", *(("any", "all") if len(readings.levels) == 2 else ()), "dawid_skene"]
        rules += ["mean", "median"] if readings.scale is Scale.ORDINAL else []
    else:
        rules = ["mean", "median"]
    plain = {"weights": {}, "reader": None}
    others = {rule: settings.model_copy(update={"rule": rule, **plain}) for rule in rules}
    for reader in readings.readers:
        others[f"one_reader: {reader}"] = settings.model_copy(
            update={"rule": "one_reader", "weights": {}, "reader": reader}
        )
    own = f"one_reader: {settings.reader}" if settings.reader else settings.rule
    return {own: settings} | {name: rule for name, rule in others.items() if name != own}


def _compared(name: str, fused: Fused, chosen: Fused) -> RuleOutcome:
    is_labelled = ~np.isnan(fused.values)
    in_both = is_labelled & ~np.isnan(chosen.values)
    mean = float(fused.values[is_labelled].mean()) if not fused.levels and is_labelled.any() else None
    return RuleOutcome(
        name,
        fused is chosen,
        int(is_labelled.sum()),
        sum(reason == "E_TIE" for reason in fused.reasons),
        tuple(int((fused.values == level).sum()) for level in range(len(fused.levels))),
        int((~np.isclose(fused.values[in_both], chosen.values[in_both])).sum()),
        mean,
    )
