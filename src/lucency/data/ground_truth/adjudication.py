"""Have disputed images decided by a person: write the sheet, and read it back when it is filled in."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from lucency.data.ground_truth.answers import Cell, did_you_mean, is_written, read_measurements
from lucency.data.ground_truth.tables import Table, image_matcher, read_table, with_hashed_uids
from lucency.data.naming import SAME_NAMES, Naming
from lucency.domain.cohort import CohortRow
from lucency.domain.consensus import Decision, Decisions, Fused
from lucency.domain.readings import Readings
from lucency.errors import PlanError, SourceError

SHEET = "adjudication.csv"
HEADER = ("image", "image_id", "votes", "decision", "decided_by", "date", "remark")
SETTING = "data.labels.consensus.adjudicated"


def disputed(readings: Readings, fused: Fused, every_disagreement: bool = False) -> tuple[str, ...]:
    """Return the images on which the votes are even and nobody decided, or all on which two readers differ."""
    values = readings.values
    are_different = np.nan_to_num(values, nan=np.inf).min(axis=1) < np.nan_to_num(values, nan=-np.inf).max(axis=1)
    return tuple(
        image
        for image, reason, differ in zip(readings.image_ids, fused.reasons, are_different, strict=True)
        if reason == "E_TIE" or (every_disagreement and differ and image not in set(fused.decided))
    )


def sheet_rows(images: Sequence[str], fused: Fused, kept: Sequence[CohortRow]) -> list[tuple[str, ...]]:
    """Return the rows of the sheet, in the order of `HEADER`, with the last four cells left for a person to fill in."""
    source = {row.image_id: row.source for row in kept}
    votes = dict(zip(fused.image_ids, fused.votes, strict=True))
    return [(source[image], image, votes[image], "", "", "", "") for image in images]


def refuse_own_sheet(adjudicated: Path, study: Path) -> None:
    """Make sure that the sheet which a plan reads is not the one that the study writes.

    Raises:
        PlanError: it is, and the next run would write over what was decided.
    """
    if adjudicated.resolve() == (study / SHEET).resolve():
        raise PlanError(
            f"`{SETTING}` names the sheet in the study's own folder, which the next run writes anew. Copy it to a place of its "
            "own and name the copy."
        )


def refuse_to_overwrite(study: Path) -> None:
    """Make sure that nobody filled in the sheet in the study's folder, where a run would write over it.

    Raises:
        SourceError: it holds a decision.
    """
    path = study / SHEET
    if path.exists() and len(path.read_text("utf-8-sig").splitlines()) > 1 and _holds_decisions(path):
        raise SourceError(
            f"{SHEET} in the study's folder holds decisions, and this run would write it anew. Move it to a place of its own "
            f"and name that in the plan as `{SETTING}`."
        )


def read_decisions(
    path: Path,
    levels: Sequence[str],
    kept: Sequence[CohortRow],
    naming: Naming = SAME_NAMES,
    names: Mapping[str, str] | None = None,
) -> Decisions:
    """Read a sheet that was filled in, by lucency or by hand; only the columns image and decision must be there.

    `levels` are the answers there are, empty for measurements. A row without a decision is still open.

    Raises:
        SourceError: the sheet is missing or unreadable, a decision is no answer there is, or an image was decided twice
            in different ways.
    """
    table = read_table(path, ["image", "decision"], SETTING)
    images_of = _images_of(table, path, kept, naming)
    answers = [
        _answer(Cell(row["decision"], path.name, number, "decision"), levels, names or {})
        for number, row in enumerate(table, 2)
    ]
    rows_of: defaultdict[str, list[int]] = defaultdict(list)
    for place, images in enumerate(images_of):
        for image in images:
            rows_of[image].append(place)
    decided, still_open = [], []
    for image, places in rows_of.items():
        filled = [place for place in places if answers[place]]
        if not filled:
            still_open.append(image)
            continue
        _refuse_two_minds(path, answers, filled)
        row = table[filled[0]]
        by, date, remark = (row.get(column, "") for column in ("decided_by", "date", "remark"))
        decided.append(Decision(image, answers[filled[0]], by, _day(date), remark))
    unknown = tuple(place + 2 for place, images in enumerate(images_of) if not images)
    return Decisions(tuple(decided), tuple(still_open), unknown)


def _holds_decisions(path: Path) -> bool:
    return any(row.get("decision") for row in read_table(path, [], SETTING))


def _images_of(table: Table, path: Path, kept: Sequence[CohortRow], naming: Naming) -> list[list[str]]:
    """Find the images of each row, by the number that lucency wrote, else by name.

    A spreadsheet may take a number such as 1234e5678901 for a very large one, so it is not relied on alone.
    """
    match = image_matcher(with_hashed_uids(table, "image", naming), "image")
    by_name: list[list[str]] = [[] for _ in table]
    for image in kept:
        forms = dict.fromkeys((image.source, naming.path(image.source)))
        found = next(
            (places for form in forms if (places := match(form, image.instance_sha256, image.n_files > 1))), []
        )
        for place in found:
            by_name[place].append(image.image_id)
    known = {row.image_id for row in kept}
    images = []
    for place, (row, named) in enumerate(zip(table, by_name, strict=True)):
        number = row.get("image_id", "")
        if number not in known:
            images.append(named)
            continue
        if row["image"] and number not in named:
            raise SourceError(
                f"{path.name}, row {place + 2}: image and image_id do not belong together. Was one column sorted without the "
                "others? Take the sheet from the study's folder again."
            )
        images.append([number])
    return images


def _answer(cell: Cell, levels: Sequence[str], names: Mapping[str, str]) -> str:
    """Return the level that a cell means, or its number; empty for an empty cell."""
    if not cell.text:
        return ""
    if not levels:
        return f"{read_measurements([cell])[0][0]!r}"
    level = is_written(cell.text, levels, names)
    if level is None:
        raise SourceError(
            f"{cell.place}: the decision is none of the answers there are. {did_you_mean(cell.text, levels)}"
        )
    return level


def _refuse_two_minds(path: Path, answers: Sequence[str], places: Sequence[int]) -> None:
    for place in places:
        if answers[place] != answers[places[0]]:
            raise SourceError(
                f"{path.name}, rows {places[0] + 2} and {place + 2}: the same image is decided in two ways. Keep one of them."
            )


def _day(text: str) -> str:
    """Take the time off that spreadsheets add to a day."""
    return text.removesuffix(" 00:00:00")
