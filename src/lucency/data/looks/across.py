"""Look at a cohort as a whole: images of another kind than the rest, and images that are one."""

from collections.abc import Sequence
from dataclasses import replace

from lucency.data.looks.duplicates import grouped, near_duplicates
from lucency.data.looks.fingerprint import Fingerprint
from lucency.data.looks.odd_kinds import odd_kinds
from lucency.domain.cohort import REFUSED, CohortRow
from lucency.domain.data_plan import Data, NearDuplicates


def compare_images(rows: Sequence[CohortRow], fingerprints: Sequence[Fingerprint], data: Data) -> list[CohortRow]:
    """Note, link or refuse what stands out among the kept images of a cohort, given the fingerprint of each."""
    compared = list(rows)
    sizes = [(row.rows, row.columns) for row in rows]
    for place in odd_kinds([row.modality for row in rows], sizes, fingerprints):
        compared[place] = _odd(compared[place], "odd_modality" in data.quality.refuse)
    if data.near_duplicates.action != "ignore":
        _mark_lookalikes(compared, fingerprints, data.near_duplicates)
    return compared


def _odd(row: CohortRow, is_refused: bool) -> CohortRow:
    return _refused(row, "E_ODD_MODALITY") if is_refused else _noted(row, "N_ODD_MODALITY")


def _mark_lookalikes(rows: list[CohortRow], fingerprints: Sequence[Fingerprint], settings: NearDuplicates) -> None:
    """Give images that are one a common number, in place.

    Slices of one exam and frames of one film resemble each other by nature and stay together anyway; exact copies are
    the business of the labels, which know whether they contradict each other.
    """
    groups = grouped(near_duplicates(fingerprints, settings.similarity), len(rows))
    groups = [group for group in groups if _is_worth_a_note([rows[place] for place in group])]
    for number, group in enumerate(groups, start=1):
        first = rows[group[0]].pixel_sha256
        for place in group:
            row = replace(rows[place], lookalike=f"L{number:04d}")
            is_copy = settings.action == "refuse" and row.pixel_sha256 != first
            rows[place] = _refused(row, "E_NEAR_DUPLICATE") if is_copy else _noted(row, "N_NEAR_DUPLICATE")


def _is_worth_a_note(group: Sequence[CohortRow]) -> bool:
    from_many_exams = len({row.exam_id or row.source for row in group}) > 1
    return from_many_exams and len({row.pixel_sha256 for row in group}) > 1


def _refused(row: CohortRow, code: str) -> CohortRow:
    return replace(row, status=REFUSED, reason=row.reason or code, store_row=-1)


def _noted(row: CohortRow, code: str) -> CohortRow:
    return replace(row, notes=f"{row.notes} {code}".strip())
