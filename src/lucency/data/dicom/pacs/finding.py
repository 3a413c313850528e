"""Find what the filters of a plan ask for: from exams to series to single instances.

The PACS is asked with the keys that every PACS knows; whether an answer fits is decided here, because many servers
ignore keys that they do not know and would answer with everything.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fnmatch import fnmatchcase
from itertools import islice
from pathlib import Path
from typing import Any

from lucency.data.dicom.pacs.archive import Answer, Instance, Level
from lucency.data.ground_truth.tables import read_table
from lucency.domain.data_plan import Pacs
from lucency.domain.progress import Desk, Progress
from lucency.errors import PlanError, SourceError
from lucency.provenance import sha256_of

Search = Callable[[Level, dict[str, str], Sequence[str]], list[Answer]]
"""`Archive.search` with patience."""

FILTERS = (
    "exams",
    "study_dates",
    "modality",
    "study_description",
    "series_description",
    "body_part",
    "most_exams",
)
"""The settings of `data.pacs` that decide what is fetched; the others say how."""

_KEYWORDS = {
    "patient_id": "PatientID",
    "accession_number": "AccessionNumber",
    "study_uid": "StudyInstanceUID",
    "series_uid": "SeriesInstanceUID",
}
_EXAM_TELLS = ("StudyInstanceUID", "StudyDate", "StudyDescription", "PatientID", "AccessionNumber")
_SERIES_TELLS = (
    "SeriesInstanceUID",
    "Modality",
    "SeriesDescription",
    "BodyPartExamined",
    "NumberOfSeriesRelatedInstances",
)
_UID = re.compile(r"(?=.{1,64}$)[0-9]+(?:\.[0-9]+)*")


@dataclass(frozen=True)
class Found:
    """All instances that the filters ask for."""

    instances: tuple[Instance, ...]
    rows_without_exam: tuple[int, ...]
    """Rows of the table of exams (counted from 2, as a spreadsheet does) for which the PACS has nothing."""

    @property
    def n_exams(self) -> int:
        """Number of exams."""
        return len({instance.exam for instance in self.instances})

    @property
    def n_series(self) -> int:
        """Number of series."""
        return len({instance.series for instance in self.instances})


def read_exam_list(query: Pacs) -> dict[str, int]:
    """Return the different values in the table of exams, each with its first row; empty when the plan names none.

    Raises:
        SourceError: the table is missing or holds nothing.
    """
    if query.exams is None:
        return {}
    table, column = Path(query.exams.table), query.exams.column
    if not table.is_file():
        raise SourceError(f"There is no table {table}. Check `data.pacs.exams.table` in the plan.")
    rows = enumerate(read_table(table, [column]), start=2)
    values = {row[column]: number for number, row in reversed(list(rows)) if row[column]}
    if not values:
        raise SourceError(f"The column “{column}” of {table.name} is empty. Fill it in, or name another in the plan.")
    if query.exams.holds.endswith("uid") and not all(_UID.fullmatch(value) for value in values):
        raise SourceError(
            f"The column “{column}” of {table.name} holds values that are no UIDs. Name another column, or correct "
            "`data.pacs.exams.holds`."
        )
    return dict(sorted(values.items(), key=lambda item: item[1]))


def asked(query: Pacs) -> dict[str, Any]:
    """Return the settings that decide what is fetched, as plain JSON; where the table of exams lies does not."""
    settings = query.model_dump(mode="json", include=set(FILTERS))
    if query.exams:
        settings["exams"] = {"column": query.exams.column, "holds": query.exams.holds}
    return settings


def refuse_everything(query: Pacs) -> None:
    """Refuse to ask for a whole PACS by mistake.

    Raises:
        PlanError: no filter is set.
    """
    if all(getattr(query, name) == field.default for name, field in Pacs.model_fields.items() if name in FILTERS):
        raise PlanError(
            "`data.pacs` names no filter, and the whole PACS would be fetched. Name the exams in a table "
            "(`exams`), or set `study_dates`, `modality` or `most_exams`."
        )


def find(search: Search, query: Pacs, listed: Mapping[str, int], desk: Desk) -> Found:
    """Ask a PACS for all instances that fit.

    Raises:
        SourceError: nothing fits, or the PACS contradicts itself.
        Interrupted: stopped by the user.
    """
    exams, fruitless = _find_exams(search, query, listed, desk)
    rejected: Counter[str] = Counter()
    with desk.progress("Asking the PACS for series", len(exams)) as progress:
        found = []
        for series in islice(_series_by_exam(search, query, listed, exams, rejected, progress), query.most_exams):
            found += [instance for one in series for instance in _instances(search, one)]
    if not found:
        raise SourceError(_nothing(len(exams), rejected))
    unique = {instance.uid: instance for instance in found}
    return Found(tuple(unique.values()), fruitless)


def _find_exams(
    search: Search, query: Pacs, listed: Mapping[str, int], desk: Desk
) -> tuple[list[str], tuple[int, ...]]:
    """Return the UIDs of all exams that fit, in an order that is always the same and tells nothing, and fruitless rows."""
    exams: set[str] = set()
    fruitless = []
    rows = {value: {_KEYWORDS[query.exams.holds]: value} for value in listed} if query.exams else {"": {}}
    with desk.progress("Asking the PACS for exams", len(rows)) as progress:
        for value, match in rows.items():
            fitting = {_uid(answer, "StudyInstanceUID") for answer in _exams_of(search, query, match)}
            exams |= fitting
            if value and not fitting:
                fruitless.append(listed[value])
            progress.advance()
    return sorted(exams, key=sha256_of), tuple(fruitless)


def _exams_of(search: Search, query: Pacs, match: dict[str, str]) -> Iterator[Answer]:
    if "SeriesInstanceUID" in match:
        exams = {_uid(series, "StudyInstanceUID") for series in search("SERIES", match, ("StudyInstanceUID",))}
        for exam in sorted(exams):
            yield from _exams_of(search, query, {"StudyInstanceUID": exam})
        return
    for answer in search("STUDY", match | _narrowed(query), _EXAM_TELLS):
        is_asked = all(answer.get(keyword, "").strip() == value for keyword, value in match.items())
        if is_asked and _exam_fits(answer, query):
            yield answer


def _narrowed(query: Pacs) -> dict[str, str]:
    """Return what the PACS itself can leave out."""
    first, last = (f"{day:%Y%m%d}" if day else "" for day in query.study_dates)
    dates = {"StudyDate": f"{first}-{last}"} if first or last else {}
    return dates | ({"ModalitiesInStudy": query.modality[0]} if len(query.modality) == 1 else {})


def _exam_fits(answer: Answer, query: Pacs) -> bool:
    return _is_between(answer.get("StudyDate", ""), query.study_dates) and _is_one_of(
        answer.get("StudyDescription", ""), query.study_description
    )


def _is_between(written: str, days: tuple[date | None, date | None]) -> bool:
    digits = written.replace(".", "")[:8]  # ACR-NEMA wrote 1994.01.12
    first, last = (f"{day:%Y%m%d}" if day else "" for day in days)
    if not first and not last:
        return True
    return digits.isdigit() and first <= digits and (not last or digits <= last)


def _is_one_of(text: str, patterns: Sequence[str]) -> bool:
    """Match one of several patterns with * and ?, whatever the case; without patterns, everything fits."""
    return not patterns or any(fnmatchcase(text.strip().upper(), _only_stars(pattern)) for pattern in patterns)


def _only_stars(pattern: str) -> str:
    return pattern.upper().replace("[", "[[]")  # DICOM knows no [sets]


def _series_by_exam(
    search: Search, query: Pacs, listed: Mapping[str, int], exams: list[str], rejected: Counter[str], progress: Progress
) -> Iterator[list[Answer]]:
    """Yield the fitting series of each exam that has any."""
    wanted = set(listed) if query.exams and query.exams.holds == "series_uid" else None
    modality = {"Modality": query.modality[0]} if len(query.modality) == 1 else {}
    for exam in exams:
        fitting = []
        for answer in search("SERIES", {"StudyInstanceUID": exam} | modality, _SERIES_TELLS):
            misfit = _misfit(answer, query, wanted)
            rejected[misfit] += 1
            if not misfit:
                fitting.append(answer | {"StudyInstanceUID": exam})
        progress.advance()
        if fitting:
            yield fitting


def _misfit(answer: Answer, query: Pacs, wanted: set[str] | None) -> str:
    """Name the setting that a series does not fit, or ""."""
    if wanted is not None and _uid(answer, "SeriesInstanceUID") not in wanted:
        return "exams"
    for name, keyword in (
        ("modality", "Modality"),
        ("series_description", "SeriesDescription"),
        ("body_part", "BodyPartExamined"),
    ):
        if not _is_one_of(answer.get(keyword, ""), getattr(query, name)):
            return name
    return ""


def _instances(search: Search, series: Answer) -> Iterator[Instance]:
    """List a series, and make sure that the list is whole."""
    exam, uid = series["StudyInstanceUID"], _uid(series, "SeriesInstanceUID")
    match = {"StudyInstanceUID": exam, "SeriesInstanceUID": uid}
    answers = search("IMAGE", match, ("SOPInstanceUID", "SOPClassUID"))
    listed = {_uid(answer, "SOPInstanceUID"): answer.get("SOPClassUID", "") for answer in answers}
    n_expected = series.get("NumberOfSeriesRelatedInstances", "").strip()
    if n_expected.isdigit() and int(n_expected) > len(listed):
        raise SourceError(
            f"The PACS says that a series has {n_expected} images but lists {len(listed)}. It may be receiving the exam "
            "just now; wait and run the same command again, or ask the PACS administrator for a limit on answers."
        )
    for instance, sop_class in listed.items():
        yield Instance(exam, uid, instance, sop_class if _UID.fullmatch(sop_class) else "", len(listed))


def _uid(answer: Answer, keyword: str) -> str:
    """Return a UID of an answer.

    Raises:
        SourceError: it is none, and could be a path or worse.
    """
    uid = answer.get(keyword, "").strip("\0 ")
    if not _UID.fullmatch(uid):
        raise SourceError(
            f"The PACS answered with a {keyword} that is no UID, so its answers cannot be trusted. Tell the PACS "
            "administrator, or narrow the filters in `data.pacs` to leave that exam out."
        )
    return uid


def _nothing(n_exams: int, rejected: Counter[str]) -> str:
    if not n_exams:
        return (
            "The PACS has no such exams: nothing fits `data.pacs`. Check the dates, the descriptions and the table of exams; "
            "some PACS show an AE title only a part of their exams."
        )
    reasons = ", ".join(f"{n} by `{name}`" for name, n in rejected.most_common() if name)
    return (
        f"The PACS has {n_exams} such exams, but none of their series fits `data.pacs` (left out: {reasons or 'none'}). "
        "Correct these filters; some PACS do not tell descriptions or body parts."
    )
