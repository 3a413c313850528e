"""Disputed images: the sheet on which somebody decides, and the decisions read back."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lucency.data.ground_truth.answers import Cell, did_you_mean, is_written
from lucency.data.ground_truth.consensus import is_disputed
from lucency.data.ground_truth.tables import Table, image_matcher, read_table, with_hashed_uids
from lucency.data.ground_truth.verdicts import Verdict
from lucency.data.naming import SAME_NAMES, Naming
from lucency.domain.cohort import CohortRow
from lucency.domain.labels_plan import Consensus
from lucency.domain.readings import Readings
from lucency.errors import PlanError, SourceError

SETTING = "data.labels.consensus.adjudicated"
HEADER = ("image", "image_id", "votes", "decision", "decided_by", "date", "remark")


@dataclass(frozen=True)
class Disputed:
    """An image on which readers disagree."""

    image: CohortRow
    votes: str
    is_open: bool
    """True where it has no label until somebody decides."""


@dataclass(frozen=True)
class Decision:
    """What a person decided about one image."""

    level: str
    decided_by: str = ""
    date: str = ""
    remark: str = ""


@dataclass(frozen=True)
class Decisions:
    """A sheet that was filled in."""

    by_image: Mapping[str, Decision]
    """Image identifier → what was decided."""
    n_open: int
    """Images on the sheet that are not decided yet."""
    unknown_rows: tuple[int, ...]
    """Rows, counted from 2 as a spreadsheet does, that name no image of the cohort."""

    @property
    def levels(self) -> dict[str, str]:
        """Return image identifier → level, as `fuse` takes it."""
        return {image: decision.level for image, decision in self.by_image.items()}


NO_DECISIONS = Decisions({}, 0, ())
"""Nobody has decided anything yet."""


def disputed_images(
    kept: Sequence[CohortRow], readings: Readings, verdicts: Sequence[Verdict], settings: Consensus
) -> tuple[Disputed, ...]:
    """List the images that somebody has to decide, by the plan, and nobody decided yet; those without a label first."""
    has_all = settings.sheet == "disagreements"
    found = [
        Disputed(image, verdict.votes, not verdict.target)
        for image, disputed, verdict in zip(kept, is_disputed(readings), verdicts, strict=True)
        if disputed and not verdict.notes and (has_all or not verdict.target)
    ]
    return tuple(sorted(found, key=lambda one: (not one.is_open, one.image.source)))


def rows_to_decide(disputed: Sequence[Disputed]) -> list[tuple[str, ...]]:
    """Write a row for each disputed image, with empty cells for the decision (`HEADER`).

    Images are named as they lie in the folder that the study reads: the names before de-identification stay outside.
    """
    return [(one.image.source, one.image.image_id, one.votes, "", "", "", "") for one in disputed]


def refuse_to_overwrite(sheet: Path) -> None:
    """Make sure that nobody filled in the sheet in the study's folder, where a run writes it anew.

    Raises:
        PlanError: it holds a decision.
    """
    if not sheet.is_file() or len(sheet.read_bytes().splitlines()) < 2:
        return
    if any(row.get("decision") for row in read_table(sheet, [], SETTING)):
        raise PlanError(
            f"{sheet.name} in the study's folder holds decisions, and this run would write it anew. Move it to another "
            f"folder, and name it there in the plan as `{SETTING}`."
        )


def read_decisions(
    path: Path,
    levels: Sequence[str],
    kept: Sequence[CohortRow],
    naming: Naming = SAME_NAMES,
    names: Mapping[str, str] | None = None,
) -> Decisions:
    """Read the filled-in sheet; empty decisions are still open. Only the columns `image` and `decision` are needed.

    `levels` are the answers there are, `names` their codes.

    Raises:
        SourceError: the table cannot be read, names an unknown level, or decides in two ways about one image.
    """
    table = read_table(path, ["image", "decision"], SETTING)
    decided = [
        _level(Cell(row["decision"], path.name, number, "decision"), levels, names or {})
        for number, row in enumerate(table, start=2)
    ]
    rows_of = _rows_of_images(table, path, kept, naming)
    by_image = {}
    for image, numbers in rows_of.items():
        deciding = [number for number in numbers if decided[number]]
        if len({decided[number] for number in deciding}) > 1:
            rows = " and ".join(str(number + 2) for number in deciding[:2])
            raise SourceError(f"Rows {rows} of {path.name} decide differently about one image. Keep one of them.")
        if deciding:
            row = table[deciding[0]]
            by, date, remark = (row.get(column, "") for column in ("decided_by", "date", "remark"))
            day = date.removesuffix(" 00:00:00")  # what a day is in a spreadsheet
            by_image[image] = Decision(decided[deciding[0]], by, day, remark)
    matched = {number for numbers in rows_of.values() for number in numbers}
    unknown = tuple(number + 2 for number in range(len(table)) if number not in matched)
    return Decisions(by_image, len(rows_of) - len(by_image), unknown)


def _level(cell: Cell, levels: Sequence[str], names: Mapping[str, str]) -> str:
    """Return the level that a cell means, whatever its capitals; empty for an empty cell."""
    if not cell.text:
        return ""
    level = is_written(cell.text, levels, names)
    if level is None:
        raise SourceError(f"{cell.place}: the decision is no answer there is. {did_you_mean(cell.text, levels)}")
    return level


def _rows_of_images(table: Table, path: Path, kept: Sequence[CohortRow], naming: Naming) -> dict[str, list[int]]:
    """Find the rows that speak of each image: by its identifier, which tells frames apart, or else by its name."""
    named = _images_named(table, kept, naming)
    known = {image.image_id for image in kept}
    rows_of: defaultdict[str, list[int]] = defaultdict(list)
    for number, row in enumerate(table):
        for image in _images_of_row(row, named[number], known, f"{path.name}, row {number + 2}"):
            rows_of[image].append(number)
    return dict(rows_of)


def _images_named(table: Table, kept: Sequence[CohortRow], naming: Naming) -> list[list[str]]:
    """Return the images that each row names, by their new name or by the one before de-identification."""
    match = image_matcher(with_hashed_uids(table, "image", naming), "image")
    named: list[list[str]] = [[] for _ in table]
    for image in kept:
        forms = {image.source, naming.path(image.source)}
        for number in {number for form in forms for number in match(form, image.instance_sha256, image.n_files > 1)}:
            named[number].append(image.image_id)
    return named


def _images_of_row(row: Mapping[str, str], named: list[str], known: set[str], place: str) -> list[str]:
    """Return the images that a row speaks of.

    A spreadsheet may take an identifier such as 1234e5678901 for a number and change it; the name is then enough, unless it
    is that of several frames. Where identifier and name speak of different images, a column was sorted without the others.
    """
    identifier = row.get("image_id", "")
    if identifier in known:
        if row["image"] and identifier not in named:
            raise SourceError(
                f"{place}: image and image_id do not belong together. If one column was sorted without the others, take the "
                "sheet from the study's folder again."
            )
        return [identifier]
    if identifier and len(named) > 1:
        raise SourceError(
            f"{place}: the image_id is not of this study, and the name is that of several images. Take the image_id from the "
            "study's folder again, as text."
        )
    return named
