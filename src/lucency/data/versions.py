"""Versions of a cohort, and what changed between two of them."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields

from lucency.domain.cohort import KEPT, CohortRow

NUMBERED = {"patient_id", "exam_id", "series_id", "lookalike", "store_row"}
"""Numbers that are dealt out anew in each version, so that a difference in them says nothing."""

N_NAMED = 10
"""Images of one kind of change that are named; the rest are counted."""


@dataclass(frozen=True)
class CohortChange:
    """One image that is not as it was."""

    kind: str
    """added, removed, now kept, now refused, other reason, other content, other facts."""
    source: str
    frame: int
    detail: str
    """The code of a refusal, or the facts that differ."""


def compare_cohorts(before: Sequence[CohortRow], after: Sequence[CohortRow]) -> list[CohortChange]:
    """List every image that came, went or changed, in the order of the paths."""
    old, new = ({row.image_id: row for row in rows} for rows in (before, after))
    changes = [change for key in old | new if (change := _change(old.get(key), new.get(key)))]
    return sorted(changes, key=lambda change: (change.source, change.frame))


def _change(old: CohortRow | None, new: CohortRow | None) -> CohortChange | None:
    """Say what happened to one image; what weighs most comes first."""
    if old is None or new is None:
        row = new or old
        assert row is not None  # the key came from one of the two
        return CohortChange("added" if new else "removed", row.source, row.frame, row.reason)
    if old.status != new.status:
        kind = "now kept" if new.status == KEPT else "now refused"
        return CohortChange(kind, new.source, new.frame, new.reason or old.reason)
    if old.reason != new.reason:
        return CohortChange("other reason", new.source, new.frame, f"{old.reason} → {new.reason}")
    if old.sha256 != new.sha256:
        return CohortChange("other content", new.source, new.frame, "")
    names = [field.name for field in fields(CohortRow) if field.name not in NUMBERED]
    differing = [name for name in names if getattr(old, name) != getattr(new, name)]
    return CohortChange("other facts", new.source, new.frame, ", ".join(differing)) if differing else None


def describe_changes(before: Sequence[CohortRow], after: Sequence[CohortRow]) -> Iterator[str]:
    """Say in sentences what changed from one version to the other."""
    changes = compare_cohorts(before, after)
    yield f"Before: {_size(before)}. After: {_size(after)}."
    if not changes:
        yield "Nothing changed."
    for kind, n in Counter(change.kind for change in changes).most_common():
        yield f"{kind}: {n}"
        of_kind = [change for change in changes if change.kind == kind]
        for change in of_kind[:N_NAMED]:
            place = f"{change.source}#{change.frame}" if change.frame else change.source
            yield f"  {place}{f' ({change.detail})' if change.detail else ''}"
        if n > N_NAMED:
            yield f"  … and {n - N_NAMED} more"


def _size(rows: Sequence[CohortRow]) -> str:
    kept = [row for row in rows if row.status == KEPT]
    return f"{len(kept)} of {len(rows)} images kept, {len({row.patient_id for row in kept})} patients"
