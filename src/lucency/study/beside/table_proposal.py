"""Find a table of labels beside the images, and tell whether it holds classes or numbers."""

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from lucency.data.ground_truth.numbers import read_number
from lucency.data.ground_truth.tables import Table, read_table
from lucency.data.sources import Candidate
from lucency.errors import SourceError

TABLES = (".csv", ".xlsx", ".tsv")
MOST_TABLES = 20
"""Tables beside the images that are looked into."""
NAMED = 0.5
"""Share of the images that a table has to name to be theirs."""
MANY_VALUES = 10
"""Numbers with more different values than this are measurements, not grades or codes."""
USUAL_NAMES = ("label", "target", "class", "diagnosis", "finding", "value", "age", "volume", "area", "score")


@dataclass(frozen=True)
class TableGuess:
    """A table that names the images, and the column that is likely the label."""

    path: str
    """From the folder of the plan."""
    image_column: str
    label_column: str
    is_number: bool
    n_values: int
    """Different values in the column."""


def find_table(source: Path, plan_folder: Path, candidates: Sequence[Candidate]) -> TableGuess | None:
    """Return the first table in the folder of the images, or beside it, that names most of them; None where there is none."""
    folders = [source, source.parent] if source.is_dir() else []
    paths = sorted(path for folder in folders for path in folder.glob("*") if path.suffix.lower() in TABLES)
    names = {name for candidate in candidates for name in _names_of(candidate.source)}
    for path in paths[:MOST_TABLES]:
        try:
            table = read_table(path, [])
        except SourceError:
            continue
        guess = _guess(table, names, len(candidates))
        if guess:
            return TableGuess(Path(os.path.relpath(path.resolve(), plan_folder)).as_posix(), *guess)
    return None


def _names_of(source: str) -> set[str]:
    path = PurePosixPath(source)
    return {source, path.name, path.name.removesuffix(".gz").rsplit(".", 1)[0]}


def _guess(table: Table, names: set[str], n_images: int) -> tuple[str, str, bool, int] | None:
    columns = list(table[0])
    n_named = {column: len({row[column] for row in table} & names) for column in columns}
    image_column = max(columns, key=lambda column: n_named[column])
    others = [column for column in columns if column != image_column and any(row[column] for row in table)]
    if n_named[image_column] < NAMED * n_images or not others:
        return None
    label_column = min(others, key=lambda column: (_rank(column), others.index(column)))
    values = [row[label_column] for row in table if row[label_column]]
    numbers = [read_number(value).value for value in values]
    is_number = not any(map(math.isnan, numbers)) and len(set(numbers)) > MANY_VALUES
    return image_column, label_column, is_number, len(set(values))


def _rank(column: str) -> int:
    """Order columns: those that are called as labels usually are come first."""
    return next((place for place, name in enumerate(USUAL_NAMES) if name in column.lower()), len(USUAL_NAMES))
