"""Read tables of labels, and find the row that speaks of an image."""

import difflib
import io
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path

from lucency.data.naming import Naming
from lucency.domain.cohort import CohortRow
from lucency.errors import PlanError, SourceError
from lucency.provenance import sha256_of, sha256_of_file

Table = list[dict[str, str]]

LABEL_TABLE = "data.labels.table"
"""The setting that names the table of labels."""
IMAGE, IMAGE_ID = "image", "image_id"
"""Columns that name the image in the sheets that lucency writes."""


def require_table(table: str | None) -> Path:
    """Return the path of the table that a plan names.

    Raises:
        PlanError: it names none.
    """
    if not table:
        raise PlanError("The labels or patients come from a table: set `data.labels.table` to its path.")
    return Path(table)


def read_table(path: Path, columns: Sequence[str], setting: str = LABEL_TABLE) -> Table:
    """Read a CSV or Excel table as texts and make sure that it has the columns; `setting` of the plan names it.

    Raises:
        SourceError: the table is missing, unreadable, empty, or lacks a column.
    """
    import pandas  # takes a second to import, and only studies with a table need it

    _require_file(path, setting)
    try:
        if path.suffix.lower() in (".xlsx", ".xlsm"):
            frame = pandas.read_excel(path, dtype=str, keep_default_na=False)
        else:
            text = path.read_text(encoding="utf-8-sig")
            frame = pandas.read_csv(io.StringIO(text), dtype=str, sep=_separator(text), keep_default_na=False)
    except UnicodeDecodeError:
        raise SourceError(f"{path.name} is not UTF-8 text. Save it again as “CSV UTF-8”, or as XLSX.") from None
    except Exception as error:  # pandas raises a dozen kinds, all meaning the same to the user
        raise SourceError(
            f"{path.name} cannot be read as a table ({type(error).__name__}). Save it again as CSV."
        ) from None
    frame.columns = [str(name).strip() for name in frame.columns]
    for column in columns:
        if column not in frame.columns:
            close = difflib.get_close_matches(column, [str(name) for name in frame.columns], n=1)
            hint = f"Did you mean “{close[0]}”?" if close else f"It has: {', '.join(map(str, frame.columns[:8]))}."
            raise SourceError(f"{path.name} has no column “{column}”. {hint}")
    if frame.empty:
        raise SourceError(f"{path.name} has a header but no rows. Fill it in, or name another table in the plan.")
    frame = frame.fillna("")
    return [{str(name): str(value).strip() for name, value in row.items()} for row in frame.to_dict("records")]


def hash_table(path: Path, setting: str = LABEL_TABLE) -> str:
    """Return the SHA-256 of the file of a table; `setting` of the plan names it.

    Raises:
        SourceError: the table is missing.
    """
    _require_file(path, setting)
    return sha256_of_file(path)


def _require_file(path: Path, setting: str) -> None:
    if not path.is_file():
        raise SourceError(f"There is no table {path}. Check `{setting}` in the plan.")


def _separator(text: str) -> str:
    """Return what most often stands in the header: spreadsheets of many countries write semicolons."""
    header = text.split("\n", 1)[0]
    return max(",;\t|", key=header.count)


def image_matcher(table: Table, image_column: str) -> Callable[[str, str, bool], list[int]]:
    """Return a function from an image's source, its instance and whether it is a series to the table's rows that name it.

    A row names an image by its path below the image folder, its SOP Instance UID, its file name, or its file name
    without suffix, in this order; a series of files also by its Series Instance UID, or by the folder that it lies in. A
    bare name that stands in two folders names both.
    """
    rows: defaultdict[str, list[int]] = defaultdict(list)
    for number, row in enumerate(table):
        rows[row[image_column].replace("\\", "/").removeprefix("./").removesuffix("/")].append(number)

    def match(source: str, instance: str, is_series: bool) -> list[int]:
        folder, _, name = source.rpartition("/")
        stem = name.removesuffix(".gz").rsplit(".", 1)[0]
        folders = (folder, folder.rpartition("/")[2]) if is_series else ()
        for form in (source, instance, name, stem, *folders):
            if form and form in rows:
                return rows[form]
        return []

    return match


def rows_of_images(table: Table, kept: Sequence[CohortRow], naming: Naming) -> dict[str, list[int]]:
    """Find the rows of a filled-in sheet that speak of each image: image identifier → numbers of rows, from 0.

    A row speaks of the image that its `image_id` names, which tells the frames of one file apart, or else of every image
    that its `image` names.
    """
    known = {image.image_id for image in kept}
    by_id: defaultdict[str, list[int]] = defaultdict(list)
    for number, row in enumerate(table):
        by_id[row.get(IMAGE_ID, "")].append(number)
    nameless = [number for number, row in enumerate(table) if row.get(IMAGE_ID, "") not in known]
    match = image_matcher(with_hashed_uids([table[number] for number in nameless], IMAGE, naming), IMAGE)
    found: dict[str, list[int]] = {}
    for image in kept:
        by_name = {
            nameless[place]
            for source in (naming.path(image.source), image.source)
            for place in match(source, image.instance_sha256, image.n_files > 1)
        }
        rows = [*by_id.get(image.image_id, []), *sorted(by_name)]
        if rows:
            found[image.image_id] = rows
    return found


def with_hashed_uids(table: Table, image_column: str, naming: Naming) -> Table:
    """Write the UIDs that name images as the cohort does, which holds no identifiers."""
    return [
        row | {image_column: sha256_of(naming.new_uid(row[image_column]))} if is_uid(row[image_column]) else row
        for row in table
    ]


def is_uid(text: str) -> bool:
    """Tell a DICOM UID from a file name."""
    return text.count(".") > 3 and text.replace(".", "").isdigit()
