"""Understand what readers wrote into their cells: levels or measurements, days, yes or no."""

import difflib
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from lucency.data.ground_truth.class_order import in_order
from lucency.domain.labels_plan import Readers
from lucency.domain.readings import Scale
from lucency.errors import SourceError

MISSING = {"na", "n/a", "nan", "null", "<na>", "#n/a"}
"""Words that programs write where nothing is known."""
MOST_LEVELS = 100
"""A column with more different answers is free text or measurements."""
MOST_GRADES = 20
"""Grades that are whole numbers in a range this wide at most are taken to be all those of the range."""

_YES = {
    *(
        "yes",
        "y",
        "true",
        "1",
        "x",
        "blinded",
        "blind",
        "ja",
        "j",
        "wahr",
        "verblindet",
        "oui",
        "o",
        "vrai",
        "sí",
        "si",
    ),
    *("s", "sì", "verdadero", "vero", "sim", "tak", "да", "是", "はい"),
}
_NO = {
    *(
        "no",
        "n",
        "false",
        "0",
        "unblinded",
        "not blinded",
        "open",
        "nein",
        "falsch",
        "unverblindet",
        "nicht verblindet",
    ),
    *("non", "faux", "falso", "não", "nao", "nie", "нет", "否", "いいえ"),
}
_MEASUREMENT = re.compile(r"([-+−]?\d+(?:[.,]\d+)?(?:[eE][-+]?\d+)?)\s*([^\W\d_][\w³²/]*|%|°)?")
_WHOLE = re.compile(r"([-+]?\d+)[.,]0+")
_YEAR_FIRST = re.compile(r"(\d{4})[-./]?(\d{2})[-./]?(\d{2})(?:[ T](\d{2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?)?")
_DAY_FIRST = re.compile(r"(\d{1,2})([./-])(\d{1,2})\2(\d{4})(?:,? (\d{1,2}):(\d{2})(?::(\d{2}))?)?")


@dataclass(frozen=True)
class Cell:
    """What stands in one cell of a table, and where, for messages."""

    text: str
    table: str
    row: int
    """Counted from 2, as a spreadsheet does."""
    column: str

    @property
    def place(self) -> str:
        """Name the cell without what it holds."""
        return f"{self.table}, row {self.row}, column “{self.column}”"


@dataclass(frozen=True)
class Answers:
    """The answers to one question, cell by cell."""

    values: NDArray[np.float64]
    """Number of the level, or measurement; NaN for a cell without an answer."""
    levels: tuple[str, ...]
    """Empty for measurements."""
    unit: str = ""
    """Unit that stood behind the measurements and was taken off."""
    n_respelled: int = 0
    n_named_missing: int = 0


def understand(cells: Sequence[Cell], settings: Readers, names: Mapping[str, str], positive: str | None) -> Answers:
    """Turn the cells of one question into levels or measurements; empty ones are not read.

    `names` gives codes their names; a code whose name is empty is not read either.

    Raises:
        SourceError: an answer is no level of the plan, no number, or in another unit than the rest.
    """
    scale = Scale(settings.scale)
    texts = [_named(cell.text, names) for cell in cells]
    known = {_folded(level) for level in (*settings.levels, *names.values())}
    named_missing = [_folded(text) in MISSING - known for text in texts]
    texts = ["" if missing else text for text, missing in zip(texts, named_missing, strict=True)]
    if scale in (Scale.INTERVAL, Scale.RATIO):
        answers = _measurements(cells, texts, scale)
    else:
        answers = _levels(cells, texts, settings, positive)
    return Answers(answers.values, answers.levels, answers.unit, answers.n_respelled, sum(named_missing))


def share_levels(questions: Sequence[Answers]) -> list[Answers]:
    """Give a question whose answers are all among those of another one the levels of that one.

    So a finding that nobody ever saw still has the level “yes”.
    """
    shared = []
    for answers in questions:
        wider = [other.levels for other in questions if set(other.levels) > set(answers.levels) > set()]
        if not wider:
            shared.append(answers)
            continue
        levels = max(wider, key=len)
        place = np.array([levels.index(level) for level in answers.levels], float)
        seen = ~np.isnan(answers.values)
        values = np.full_like(answers.values, np.nan)
        values[seen] = place[answers.values[seen].astype(int)]
        shared.append(Answers(values, levels, answers.unit, answers.n_respelled, answers.n_named_missing))
    return shared


def one_way_of_writing(texts: Iterable[str]) -> tuple[dict[str, str], int]:
    """Map each text to the commonest of those that differ in capitals and spaces only, and count the texts changed."""
    ways: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for text in texts:
        ways[_folded(text)][text] += 1
    written: dict[str, str] = {}
    for counts in ways.values():
        commonest = min(counts, key=lambda text: (-counts[text], text))
        written |= dict.fromkeys(counts, " ".join(commonest.split()))
    n_changed = sum(n_times for counts in ways.values() for text, n_times in counts.items() if written[text] != text)
    return written, n_changed


def read_days(cells: Sequence[Cell]) -> list[datetime | None]:
    """Return the day (and time, where it is told) of each reading; None for empty cells.

    Raises:
        SourceError: a cell holds no day, or day and month cannot be told apart.
    """
    month_first = _is_month_first(cells)
    return [None if _is_missing(cell.text) else _day(cell, month_first) for cell in cells]


def read_blinding(cells: Sequence[Cell]) -> list[bool | None]:
    """Return whether each reading was blinded; None for empty cells.

    Raises:
        SourceError: a cell says neither yes nor no.
    """
    return [None if _is_missing(cell.text) else _yes_or_no(cell) for cell in cells]


def read_measurements(cells: Sequence[Cell]) -> tuple[NDArray[np.float64], str]:
    """Return the number in each cell, NaN for empty ones, and the unit that stood behind them.

    Raises:
        SourceError: a cell holds no single number, units differ, or a comma may mean decimals or thousands.
    """
    values = np.full(len(cells), np.nan)
    units: dict[str, Cell] = {}
    shows_comma = any(re.fullmatch(r"[-+−]?\d+,(\d{1,2}|\d{4,})\D*", cell.text) for cell in cells)
    for place, cell in enumerate(cells):
        if not cell.text:
            continue
        match = _MEASUREMENT.fullmatch(cell.text)
        if match is None:
            raise SourceError(
                f"{cell.place}: this is no number. Write one number without < or –, or leave the cell empty."
            )
        number, unit = match.groups()
        if not shows_comma and re.fullmatch(r"\D?[1-9]\d{0,2},\d{3}", number):
            raise SourceError(
                f"{cell.place}: the comma may stand for decimals or for thousands. Write a decimal point."
            )
        values[place] = float(number.replace(",", ".").replace("−", "-"))
        units.setdefault(unit or "", cell)
    named = [unit for unit in units if unit]
    if len(named) > 1:
        raise SourceError(
            f"{units[named[1]].place}: the unit is another one than before. Write all measurements in the same unit."
        )
    return values, "".join(named)


def is_written(text: str, known: Iterable[str], names: Mapping[str, str]) -> str | None:
    """Return the one of the known levels that a text means, by name or code; None when it means none."""
    by_folded = {_folded(level): level for level in known}
    return by_folded.get(_folded(_named(text, names)))


def did_you_mean(text: str, known: Sequence[str]) -> str:
    """Return a hint that names the nearest of the known answers, or all of them."""
    close = difflib.get_close_matches(_folded(text), [_folded(level) for level in known], n=1)
    if close:
        return f"Did you mean “{next(level for level in known if _folded(level) == close[0])}”?"
    return f"The answers are: {', '.join(known[:8])}{' …' if len(known) > 8 else ''}."


def _folded(text: str) -> str:
    return " ".join(text.casefold().split())


def _is_missing(text: str) -> bool:
    return not text or _folded(text) in MISSING


def _named(text: str, names: Mapping[str, str]) -> str:
    """Give a code its name; spreadsheets write the code 1 as 1.0 when a cell of its column is empty."""
    whole = _WHOLE.fullmatch(text)
    if whole and text not in names:
        text = whole.group(1)
    return names.get(text, text)


def _levels(cells: Sequence[Cell], texts: list[str], settings: Readers, positive: str | None) -> Answers:
    written, n_respelled = one_way_of_writing(filter(None, texts))
    levels = settings.levels or _levels_found(cells, set(written.values()), settings, positive)
    if len(levels) == 2 and settings.scale == "nominal":
        levels = in_order(levels, positive or (settings.levels[1] if settings.levels else None))
    number = {_folded(_named(level, {})): place for place, level in enumerate(levels)}
    values = np.full(len(cells), np.nan)
    for place, (cell, text) in enumerate(zip(cells, texts, strict=True)):
        if not text:
            continue
        level = number.get(_folded(text))
        if level is None:
            raise SourceError(
                f"{cell.place}: the answer is none of `data.labels.readers.levels`. {did_you_mean(text, levels)}"
            )
        values[place] = level
    return Answers(values, tuple(levels), n_respelled=n_respelled)


def _levels_found(cells: Sequence[Cell], found: set[str], settings: Readers, positive: str | None) -> tuple[str, ...]:
    column = cells[0].column if cells else settings.label_column
    if len(found) > MOST_LEVELS:
        raise SourceError(
            f"Column “{column}” of the readers' tables holds {len(found):,} different answers. Is it free text? Name another "
            "column, or set `data.labels.readers.scale: interval` if these are measurements."
        )
    if settings.scale == "nominal":
        return in_order(found, positive)
    if not all(_MEASUREMENT.fullmatch(text) and not text[-1].isalpha() for text in found):
        raise SourceError(
            f"The grades in column “{column}” are words, and their order decides how disagreement counts. Write them from "
            "lowest to highest as `data.labels.readers.levels`."
        )
    ordered = sorted(found, key=lambda text: float(text.replace(",", ".")))
    if all(re.fullmatch(r"[-+]?\d+", text) for text in found) and found:
        lowest, highest = int(ordered[0]), int(ordered[-1])
        if highest - lowest < MOST_GRADES:  # a grade between that nobody gave is a step all the same
            given = {int(text): text for text in found}
            return tuple(given.get(grade, str(grade)) for grade in range(lowest, highest + 1))
    return tuple(ordered)


def _measurements(cells: Sequence[Cell], texts: Sequence[str], scale: Scale) -> Answers:
    """Read numbers; those of a ratio scale are not negative."""
    cells = [replace(cell, text=text) for cell, text in zip(cells, texts, strict=True)]
    values, unit = read_measurements(cells)
    if scale is Scale.RATIO and (values < 0).any():
        cell = cells[int(np.argmax(values < 0))]
        raise SourceError(
            f"{cell.place}: the number is negative, which a ratio scale is not. Correct it, or set "
            "`data.labels.readers.scale: interval`."
        )
    return Answers(values, (), unit)


def _is_month_first(cells: Sequence[Cell]) -> bool:
    """Tell 3/31/2024 from 31/3/2024 by the whole column; days with points are written day first.

    Raises:
        SourceError: nothing in the column tells.
    """
    slashed: list[tuple[Cell, re.Match[str]]] = [
        (cell, match) for cell in cells if (match := _DAY_FIRST.fullmatch(cell.text)) and match[2] != "."
    ]
    first_is_day = any(int(match[1]) > 12 for _, match in slashed)
    second_is_day = any(int(match[3]) > 12 for _, match in slashed)
    if slashed and first_is_day == second_is_day:
        raise SourceError(
            f"{slashed[0][0].place}: day and month cannot be told apart. Write days as 2024-03-01 (year, month, day)."
        )
    return second_is_day


def _day(cell: Cell, month_first: bool) -> datetime:
    wrong = SourceError(f"{cell.place}: this is no day. Write days as 2024-03-01 (year, month, day).")
    if match := _YEAR_FIRST.fullmatch(cell.text):
        year, month, day, hour, minute, second = match.groups()
    elif match := _DAY_FIRST.fullmatch(cell.text):
        day, separator, month, year, hour, minute, second = match.groups()
        if month_first and separator != ".":
            day, month = month, day
    else:
        raise wrong
    try:
        return datetime(int(year), int(month), int(day), int(hour or 0), int(minute or 0), int(second or 0))
    except ValueError:
        raise wrong from None


def _yes_or_no(cell: Cell) -> bool:
    word = _folded(_named(cell.text, {}))
    if word in _YES or word in _NO:
        return word in _YES
    raise SourceError(f"{cell.place}: this is neither yes nor no. Write yes or no, or leave the cell empty.")
