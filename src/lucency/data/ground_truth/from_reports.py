"""Labels from radiology reports: which report belongs to which image, and what its statement counts as."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lucency.data.ground_truth.reports.rereading import BY_ANSWER
from lucency.data.ground_truth.reports.texts import clean_text, read_text
from lucency.data.ground_truth.tables import Table, image_matcher, read_table, with_hashed_uids
from lucency.data.ground_truth.verdicts import Verdict, Verdicts
from lucency.data.naming import Naming
from lucency.domain.cohort import CohortRow
from lucency.domain.labels_plan import Reports
from lucency.errors import SourceError

TABLE, REREAD = "data.labels.reports.table", "data.labels.reports.reread"
POSITIVE, NEGATIVE, UNCERTAIN = "positive", "negative", "uncertain"
STATED = (POSITIVE, UNCERTAIN, NEGATIVE)
UNREAD = "without words"
"""What a labeller says of a report that holds nothing it could read."""
ANSWERS = (*STATED, "not mentioned")
"""What a person may write who reads a report again."""


@dataclass(frozen=True)
class LinkedReports:
    """The reports of a cohort."""

    texts: Mapping[str, str]
    """Name of the report → clean text."""
    of_image: Mapping[str, str]
    """Image identifier → name of its report."""
    codes: Mapping[str, str]
    """Image identifier → why it has no report that can be read."""
    unknown_rows: tuple[int, ...]
    """Rows of the table (from 2) that name no image of the cohort."""
    n_unused: int
    """Reports in the folder that belong to no image."""


def link_reports(kept: Sequence[CohortRow], settings: Reports, naming: Naming) -> LinkedReports:
    """Find and read the report of each kept image.

    Raises:
        SourceError: the folder or table is missing or cannot be read, or no report belongs to any image.
    """
    files = _files(settings)
    table = _table(settings, files, naming)
    match = image_matcher(table, settings.image_column)
    texts: dict[str, str] = {}
    of_image: dict[str, str] = {}
    codes: dict[str, str] = {}
    matched: set[int] = set()
    for image in kept:
        rows = match(naming.path(image.source), image.instance_sha256, settings.table is None or image.n_files > 1)
        matched.update(rows)
        names = sorted({_name(table[row], row, settings) for row in rows} - {""})
        if len(names) != 1:
            codes[image.image_id] = "E_TWO_REPORTS" if names else "E_NO_REPORT"
            continue
        if names[0] not in texts:
            texts[names[0]] = _text(names[0], table[rows[0]], files, settings)
        if texts[names[0]].strip():
            of_image[image.image_id] = names[0]
        else:
            codes[image.image_id] = "E_EMPTY_REPORT"
    if not of_image:
        raise SourceError(
            "No radiology report belongs to any image. Check `data.labels.reports`: a table has to name image and report, or "
            "reports have to be called like their images."
        )
    unknown = tuple(number + 2 for number in range(len(table)) if number not in matched) if settings.table else ()
    return LinkedReports(texts, of_image, codes, unknown, len(files.keys() - texts.keys()))


def verdicts_from(
    kept: Sequence[CohortRow], settings: Reports, linked: LinkedReports, stated: Mapping[str, str]
) -> Verdicts:
    """Label each image by what its report states (report → positive, negative, uncertain or nothing)."""
    verdicts = []
    for image in kept:
        report = linked.of_image.get(image.image_id)
        code = linked.codes.get(image.image_id, "")
        verdicts.append(Verdict(code=code) if report is None else verdict_on(stated[report], settings))
    return Verdicts(verdicts, linked.unknown_rows)


def verdict_on(stated: str, settings: Reports) -> Verdict:
    """Return what a statement counts as, by the plan."""
    negative, positive = class_names(settings)
    if stated == UNREAD:
        return Verdict(code="E_EMPTY_REPORT")
    if stated == POSITIVE or (stated == UNCERTAIN and settings.uncertain == "positive"):
        return Verdict(positive)
    if stated == UNCERTAIN and settings.uncertain == "soft":
        return Verdict(positive, probabilities={negative: 0.5, positive: 0.5})
    if stated == UNCERTAIN and settings.uncertain == "refuse":
        return Verdict(code="E_UNCERTAIN")
    if not stated and settings.not_mentioned == "refuse":
        return Verdict(code="E_NOT_MENTIONED")
    return Verdict(negative)


def class_names(settings: Reports) -> tuple[str, str]:
    """Return the classes, the positive one last: no_pneumonia, pneumonia."""
    positive = "_".join(settings.finding.lower().split())
    return f"no_{positive}", positive


@dataclass(frozen=True)
class RereadSheet:
    """What a person found in a sample of reports."""

    stated: Mapping[str, str]
    """Report → positive, negative, uncertain or nothing."""
    is_drawn_by_answer: bool
    """True where the sample holds equal shares of the labeller's answers, so that rates have to be weighted back."""


def read_reread(settings: Reports, path: Path) -> RereadSheet:
    """Read the sheet of `lucency reports`, filled in; a column `drawn` tells how the sample was drawn.

    Raises:
        SourceError: the table cannot be read, or holds an answer that is none.
    """
    read: dict[str, str] = {}
    table = read_table(path, ["report", "finding", "reading"], REREAD)
    for number, row in enumerate(table, start=2):
        answer = row["reading"].lower()
        if row["finding"].lower() != settings.finding.lower() or not answer:
            continue
        if answer not in ANSWERS:
            raise SourceError(
                f"Row {number} of {path.name} says “{row['reading']}”. Write one of: {', '.join(ANSWERS)}."
            )
        read[row["report"]] = answer if answer != ANSWERS[-1] else ""
    return RereadSheet(read, any(row.get("drawn") == BY_ANSWER for row in table))


def _files(settings: Reports) -> dict[str, Path]:
    """List the reports of the folder by their path below it."""
    if settings.folder is None:
        return {}
    folder = Path(settings.folder)
    if not folder.is_dir():
        raise SourceError(f"There is no folder {folder}. Check `data.labels.reports.folder` in the plan.")
    files = sorted(file for file in folder.rglob("*") if file.is_file() and not file.name.startswith("."))
    return {file.relative_to(folder).as_posix(): file for file in files}


def _table(settings: Reports, files: Mapping[str, Path], naming: Naming) -> Table:
    """Read the table that joins reports and images; without one, each report is called like its images."""
    if settings.table is None:
        image, report = settings.image_column, settings.report_column
        return [{image: name.rpartition("/")[2].partition(".")[0], report: name} for name in files]
    column = settings.report_column if settings.folder else settings.text_column or ""
    table = read_table(Path(settings.table), [settings.image_column, column], TABLE)
    return with_hashed_uids(table, settings.image_column, naming)


def _name(row: Mapping[str, str], number: int, settings: Reports) -> str:
    """Return the name of the report of a row; one whose text stands in the table is called by its row, or its own name."""
    if settings.folder:
        return row[settings.report_column]
    return (row.get(settings.report_column) or f"row {number + 2}") if row[settings.text_column or ""].strip() else ""


def _text(name: str, row: Mapping[str, str], files: Mapping[str, Path], settings: Reports) -> str:
    if not settings.folder:
        return clean_text(row[settings.text_column or ""])
    file = files.get(name.replace("\\", "/"))
    if file is None:
        raise SourceError(
            f"The table of reports names “{name}”, which is not in {Path(settings.folder).name}. Check the column "
            f"“{settings.report_column}”."
        )
    return read_text(file.read_bytes(), name)
