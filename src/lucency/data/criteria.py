"""Inclusion and exclusion criteria: who belongs to the study, by what is known of an image."""

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lucency.domain.data_plan import Criterion
from lucency.errors import PlanError


@dataclass(frozen=True)
class Verdict:
    """What the criteria say of an image."""

    code: str = ""
    """E_NOT_INCLUDED or E_EXCLUDED; empty for an image that belongs to the study."""
    criterion: str = ""
    """The criterion that decided, in words."""


def judge(facts: Mapping[str, str], include: Sequence[Criterion], exclude: Sequence[Criterion]) -> Verdict:
    """Apply the criteria in the order of the plan; the first that speaks against an image decides."""
    for criterion in include:
        if not is_met(criterion, facts):
            return Verdict("E_NOT_INCLUDED", in_words(criterion))
    for criterion in exclude:
        if is_met(criterion, facts):
            return Verdict("E_EXCLUDED", in_words(criterion))
    return Verdict()


def is_met(criterion: Criterion, facts: Mapping[str, str]) -> bool:
    """Tell whether an image meets one criterion; what is not known meets it only where the criterion says so."""
    text = facts[criterion.column].strip()
    if not text:
        return criterion.or_unknown
    if criterion.one_of is not None and text.lower() not in {choice.lower() for choice in criterion.one_of}:
        return False
    if criterion.at_least is None and criterion.at_most is None:
        return True
    try:
        number = float(text)
    except ValueError:
        return criterion.or_unknown
    return (criterion.at_least is None or number >= criterion.at_least) and (
        criterion.at_most is None or number <= criterion.at_most
    )


def in_words(criterion: Criterion) -> str:
    """Say a criterion as a flow diagram does: the reason that the plan gives, else the condition itself."""
    if criterion.because:
        return criterion.because
    conditions = []
    if criterion.one_of is not None:
        conditions.append(f"is {' or '.join(criterion.one_of)}")
    if criterion.at_least is not None:
        conditions.append(f"is at least {criterion.at_least:g}")
    if criterion.at_most is not None:
        conditions.append(f"is at most {criterion.at_most:g}")
    return f"{criterion.column} {' and '.join(conditions)}{' or not known' if criterion.or_unknown else ''}"


def refuse_unknown_columns(criteria: Sequence[Criterion], columns: Sequence[str]) -> None:
    """Stop before the work when a criterion speaks of something that nobody knows.

    Raises:
        PlanError: with the nearest name that there is.
    """
    for criterion in criteria:
        if criterion.column not in columns:
            close = difflib.get_close_matches(criterion.column, columns, n=1)
            hint = f"Did you mean “{close[0]}”?" if close else f"There are: {', '.join(columns)}."
            raise PlanError(f"A criterion of the plan speaks of “{criterion.column}”, which no table holds. {hint}")
