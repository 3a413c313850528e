"""Read the tables of several readers, and find the image that each reading speaks of."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import numpy as np

from lucency.data.ground_truth.answers import (
    Answers,
    Cell,
    one_way_of_writing,
    read_blinding,
    read_days,
    share_levels,
    understand,
)
from lucency.data.ground_truth.tables import Table, image_matcher, read_table, with_hashed_uids
from lucency.data.naming import SAME_NAMES, Naming
from lucency.domain.cohort import CohortRow
from lucency.domain.labels_plan import THE_QUESTION, Readers
from lucency.domain.readings import OneReader, ReaderFacts, ReaderTables, Readings, Repeat, Scale
from lucency.errors import PlanError, SourceError

SETTING = "data.labels.readers.tables"


@dataclass(frozen=True)
class _Reading:
    """What one reader said about one image: a row of a table, or one cell of a row with a column for each reader."""

    table: str
    row: int
    image: str
    """As the table names it, a UID hashed."""
    reader: str
    answers: tuple[Cell, ...]
    """One for each question."""
    day: datetime | None
    is_blinded: bool | None


@dataclass(frozen=True)
class _Answer:
    """One answer that was given."""

    value: float
    day: datetime | None


_Given = Mapping[tuple[int, str], list[_Answer]]
"""Image and reader → the answers, in the order of the tables."""


def read_readings(
    settings: Readers,
    names: Mapping[str, str] | None,
    kept: Sequence[CohortRow],
    naming: Naming = SAME_NAMES,
    positive: str | None = None,
) -> ReaderTables:
    """Read what the readers said about the kept images of a cohort; images that nobody saw are there with NaN.

    `names` gives codes their names, `positive` is the class that counts as disease. A reader who read an image again
    changed the answer if the days tell which is the later; without days neither counts. Both are reported.

    Raises:
        PlanError: two tables have the same name.
        SourceError: a table is missing, unreadable or lacks a column, or a cell cannot be understood.
    """
    rows, n_respelled = _one_name_for_each(_read_tables(settings, naming))
    images_of = _matched(rows, kept, naming)
    questions = settings.questions or (THE_QUESTION,)
    understood = [
        understand([row.answers[number] for row in rows], settings, names or {}, positive)
        for number in range(len(questions))
    ]
    if settings.scale == "nominal":
        understood = share_levels(understood)
    readers = tuple(sorted({row.reader for row in rows}))
    readings, repeats = [], []
    for question, answers in zip(questions, understood, strict=True):
        given = _given(rows, answers, images_of)
        readings.append(_readings(question, answers, given, readers, kept, settings))
        repeats += _repeats(question, answers, given, kept)
    facts = _facts(rows, images_of, readings, repeats, understood, kept)
    facts = replace(facts, n_respelled=n_respelled + facts.n_respelled)
    return ReaderTables(tuple(readings), tuple(repeats), facts)


def _read_tables(settings: Readers, naming: Naming) -> list[_Reading]:
    """Read all tables into readings; cells without any answer are none."""
    paths = [Path(name) for name in settings.tables]
    _refuse_equal_names(paths)
    columns = settings.columns or settings.questions or (settings.label_column,)
    told = [column for column in (settings.date_column, settings.blinded_column) if column]
    rows: list[_Reading] = []
    for path in paths:
        table = read_table(path, [settings.image_column, *columns, *told], SETTING)
        if not settings.columns:
            _refuse_misspelt_reader_column(table, path, settings)
        rows += _of_table(with_hashed_uids(table, settings.image_column, naming), path, settings)
    return rows


def _refuse_equal_names(paths: Sequence[Path]) -> None:
    """Refuse tables of one name: it names the reader where the table does not, and the table in messages and report."""
    stems = [path.stem for path in paths]
    for stem in stems:
        if stems.count(stem) > 1:
            raise PlanError(
                f"Two tables of readers are called “{stem}” and could not be told apart. Rename one of them."
            )


def _refuse_misspelt_reader_column(table: Table, path: Path, settings: Readers) -> None:
    """Let a table do without a column of readers, but not with one that has nearly the right name."""
    if settings.reader_column in table[0]:
        return
    near = [column for column in table[0] if column.lower().rstrip("s") == settings.reader_column.lower().rstrip("s")]
    if near or "reader_column" in settings.model_fields_set:
        hint = f", but one called “{near[0]}”. Set `data.labels.readers.reader_column`." if near else ". Add it."
        raise SourceError(f"{path.name} has no column “{settings.reader_column}” that names the reader{hint}")


def _of_table(table: Table, path: Path, settings: Readers) -> list[_Reading]:
    """Turn the rows of one table into readings."""
    days = read_days(_cells(table, path, settings.date_column))
    blinding = read_blinding(_cells(table, path, settings.blinded_column))
    asked = settings.questions or (settings.label_column,)
    columns_of_readers: list[tuple[str, tuple[str, ...]]] = [(column, (column,)) for column in settings.columns]
    rows = []
    for reader, columns in columns_of_readers or [("", asked)]:
        for place, row in enumerate(table):
            answers = tuple(Cell(row[column], path.name, place + 2, column) for column in columns)
            if not any(cell.text for cell in answers):
                continue
            name = reader or row.get(settings.reader_column, path.stem)
            _refuse_nameless(row[settings.image_column], name, answers[0], settings)
            image = row[settings.image_column]
            rows.append(_Reading(path.name, place + 2, image, name, answers, days[place], blinding[place]))
    return rows


def _cells(table: Table, path: Path, column: str | None) -> list[Cell]:
    return [Cell(row[column] if column else "", path.name, number, column or "") for number, row in enumerate(table, 2)]


def _refuse_nameless(image: str, reader: str, answer: Cell, settings: Readers) -> None:
    for text, column in ((image, settings.image_column), (reader, settings.reader_column)):
        if not text:
            raise SourceError(
                f"{answer.table}, row {answer.row}: there is an answer, but the column “{column}” is empty. Fill it in, or "
                "take the row out."
            )


def _one_name_for_each(rows: list[_Reading]) -> tuple[list[_Reading], int]:
    """Call a reader by one name whose name was written in several ways, and count the readings concerned."""
    written, n_respelled = one_way_of_writing(row.reader for row in rows)
    return [replace(row, reader=written[row.reader]) for row in rows], n_respelled


def _matched(rows: Sequence[_Reading], kept: Sequence[CohortRow], naming: Naming) -> list[list[int]]:
    """Return the images that each reading speaks of, as numbers of `kept`.

    Each reader of each table is matched alone: one may name images by path and another by file name.
    """
    own: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    for place, row in enumerate(rows):
        own[row.table, row.reader].append(place)
    images: list[list[int]] = [[] for _ in rows]
    paths = [naming.path(image.source) for image in kept]
    for places in own.values():
        match = image_matcher([{"image": rows[place].image} for place in places], "image")
        for number, (image, path) in enumerate(zip(kept, paths, strict=True)):
            for found in match(path, image.instance_sha256, image.n_files > 1):
                images[places[found]].append(number)
    return images


def _given(rows: Sequence[_Reading], answers: Answers, images_of: list[list[int]]) -> _Given:
    given: defaultdict[tuple[int, str], list[_Answer]] = defaultdict(list)
    for row, value, images in zip(rows, answers.values, images_of, strict=True):
        if not np.isnan(value):
            for image in images:
                given[image, row.reader].append(_Answer(float(value), row.day))
    return given


def _readings(
    question: str,
    answers: Answers,
    given: _Given,
    readers: tuple[str, ...],
    kept: Sequence[CohortRow],
    settings: Readers,
) -> Readings:
    """Lay the answers out by image and reader."""
    column = {reader: number for number, reader in enumerate(readers)}
    values = np.full((len(kept), len(readers)), np.nan)
    for (image, reader), said in given.items():
        values[image, column[reader]] = _that_counts(said)
    return Readings(
        question,
        tuple(image.image_id for image in kept),
        tuple(image.patient_id for image in kept),
        readers,
        Scale(settings.scale),
        values,
        answers.levels,
    )


def _that_counts(said: Sequence[_Answer]) -> float:
    """Return the answer of the last day; NaN where readings differ and no day tells the last."""
    if len({answer.value for answer in said}) == 1:
        return said[0].value
    if any(answer.day is None for answer in said):
        return np.nan
    last = max(answer.day for answer in said if answer.day)
    of_last_day = {answer.value for answer in said if answer.day == last}
    return of_last_day.pop() if len(of_last_day) == 1 else np.nan


def _repeats(question: str, answers: Answers, given: _Given, kept: Sequence[CohortRow]) -> list[Repeat]:
    """Return the images that a reader read again with another answer."""
    repeats = []
    for (image, reader), said in given.items():
        if len({answer.value for answer in said}) == 1:
            continue
        ordered = said if any(answer.day is None for answer in said) else sorted(said, key=_by_day)
        texts = tuple(_as_text(answer.value, answers.levels) for answer in ordered)
        is_settled = not np.isnan(_that_counts(said))
        repeats.append(Repeat(question, kept[image].image_id, reader, texts, is_settled))
    return repeats


def _by_day(answer: _Answer) -> datetime:
    return answer.day or datetime.min


def _as_text(value: float, levels: tuple[str, ...]) -> str:
    return levels[int(value)] if levels else f"{value:g}"


def _facts(
    rows: Sequence[_Reading],
    images_of: list[list[int]],
    readings: Sequence[Readings],
    repeats: Sequence[Repeat],
    understood: Sequence[Answers],
    kept: Sequence[CohortRow],
) -> ReaderFacts:
    is_read = np.any([~np.isnan(each.values) for each in readings], axis=0)
    own: defaultdict[str, list[int]] = defaultdict(list)
    for place, row in enumerate(rows):
        if images_of[place]:
            own[row.reader].append(place)
    unknown: defaultdict[str, set[int]] = defaultdict(set)
    for row, images in zip(rows, images_of, strict=True):
        if not images:
            unknown[row.table].add(row.row)
    readers = tuple(
        _one_reader(
            reader, int(is_read[:, column].sum()), [rows[p] for p in own[reader]], images_of, own[reader], repeats
        )
        for column, reader in enumerate(readings[0].readers)
    )
    return ReaderFacts(
        readers,
        len(kept),
        tuple(image.image_id for image, seen in zip(kept, is_read.any(axis=1), strict=True) if not seen),
        {table: tuple(sorted(numbers)) for table, numbers in sorted(unknown.items())},
        sum(answers.n_respelled for answers in understood),
        sum(answers.n_named_missing for answers in understood),
        tuple(answers.unit for answers in understood if answers.unit),
    )


def _one_reader(
    reader: str,
    n_images: int,
    rows: Sequence[_Reading],
    images_of: list[list[int]],
    places: Sequence[int],
    repeats: Sequence[Repeat],
) -> OneReader:
    """Sum up what one reader did; `places` are the rows that name an image."""
    days = sorted(row.day for row in rows if row.day)
    blinding = [row.is_blinded for row in rows if row.is_blinded is not None]
    n_rows = Counter(image for place in places for image in images_of[place])
    differing = {repeat.image_id: repeat.is_settled for repeat in repeats if repeat.reader == reader}
    return OneReader(
        reader,
        n_images,
        days[0].date().isoformat() if days else "",
        days[-1].date().isoformat() if days else "",
        sum(blinding),
        len(blinding),
        sum(n > 1 for n in n_rows.values()) - len(differing),
        sum(differing.values()),
        len(differing) - sum(differing.values()),
    )
