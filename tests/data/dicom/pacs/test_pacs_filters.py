"""The filters of a plan, against the headers that were planted."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pydicom
import pytest
from pacs_ways import PLANTED, Way
from pydantic import ValidationError

from lucency.data.dicom.pacs.archive import Answer, Level
from lucency.data.dicom.pacs.fetch import fetch
from lucency.data.dicom.pacs.finding import find
from lucency.domain.data_plan import Pacs
from lucency.domain.progress import Silence
from lucency.errors import PlanError, SourceError
from orthanc import Listener
from planted_exams import PlantedSeries

Truth = Callable[[PlantedSeries], bool]

CASES: list[tuple[dict[str, object], Truth]] = [
    ({"modality": ["DX"]}, lambda s: s.modality == "DX"),
    ({"modality": ["CT", "DX"]}, lambda s: True),
    ({"study_dates": ["2021-06-15", "2021-06-16"]}, lambda s: s.date in ("20210615", "20210616")),
    ({"study_dates": ["2021-06-16", None]}, lambda s: s.date >= "20210616"),
    ({"study_dates": [None, "2021-06-15"]}, lambda s: "" < s.date <= "20210615"),
    ({"modality": ["CT"], "study_description": ["*thorax*"]}, lambda s: s.modality == "CT" and s.exam in (1, 4, 5, 6)),
    ({"modality": ["CT"], "series_description": ["lung ?.0", "soft*"]}, lambda s: s.exam in (1, 2, 6)),
    ({"modality": ["CT"], "series_description": ["lung [thin]"]}, lambda s: s.exam == 4),
    ({"modality": ["CT"], "body_part": ["abdomen", "pelvis"]}, lambda s: s.exam == 2),
    ({"most_exams": 2, "modality": ["DX"]}, lambda s: s.modality == "DX"),
]
LISTS: list[tuple[str, list[str], dict[str, object], Truth, str]] = [
    ("patient_id", ["P1"], {}, lambda s: s.patient == "P1", ""),
    ("patient_id", ["P3", "nobody", "P3", "P"], {}, lambda s: s.patient == "P3", "2 rows of the table name none"),
    ("patient_id", ["P1", "P2"], {"study_dates": ["2021-01-01", None]}, lambda s: s.exam in (2, 3), ""),
    ("accession_number", ["A2", "A3"], {"modality": ["CT"]}, lambda s: s.accession == "A2", "(rows 3)"),
    ("study_uid", [PLANTED[0].exam_uid, "1.2.3"], {}, lambda s: s.exam == 1, "1 rows of the table name none"),
    ("series_uid", [PLANTED[1].uid], {}, lambda s: s is PLANTED[1], ""),
]
ODD: list[tuple[str, list[str], dict[str, object], Truth, str]] = [
    ("patient_id", ["P*"], {}, lambda s: s.patient == "P*", ""),
    ("patient_id", ["Müller 7", "P3"], {}, lambda s: s.patient in ("Müller 7", "P3"), ""),
]
"""Orthanc 1.10 takes encoded letters of a web address for themselves, so that these cannot be asked by DICOMweb."""


@pytest.mark.parametrize(("filters", "truth"), CASES, ids=[str(filters) for filters, _ in CASES])
def test_what_fits_is_fetched_and_nothing_else(
    filters: dict[str, object], truth: Truth, search_way: Way, exam_folder: Path
) -> None:
    """The truth is computed from the planted headers, the answer is read from the files that came."""
    fetch(search_way.address, search_way.query(**filters), exam_folder, Silence())
    assert series_in(exam_folder) == expected(truth)


@pytest.mark.parametrize(("holds", "values", "filters", "truth", "told"), [*LISTS, *ODD])
def test_a_table_lists_what_to_fetch(
    holds: str,
    values: list[str],
    filters: dict[str, object],
    truth: Truth,
    told: str,
    search_way: Way,
    exam_folder: Path,
    tmp_path: Path,
) -> None:
    """A number with a star in it is a number, not a pattern; rows for which there is nothing are named."""
    if (holds, values, filters, truth, told) in ODD and search_way.address.startswith("dicomweb"):
        pytest.skip("Orthanc 1.10 does not decode web addresses")
    table = tmp_path / "exams.csv"
    table.write_text("\n".join(["wanted", *values]) + "\n")
    exams = {"table": str(table), "column": "wanted", "holds": holds}
    desk = Listener()
    fetch(search_way.address, search_way.query(exams=exams, **filters), exam_folder, desk)
    assert series_in(exam_folder) == expected(truth)
    assert told in desk.said[0]
    assert ("name none" in desk.said[0]) == bool(told)


def test_a_server_that_ignores_every_filter_is_no_danger() -> None:
    """Many servers answer with everything when they do not know a key; what fits is decided here."""
    for filters, truth in CASES:
        found = find(answer_everything, Pacs.model_validate(filters), [], Silence())
        assert {i.series for i in found.instances} == {s.uid for s in PLANTED if truth(s)}, filters
    for holds, values, filters, truth, _ in [*LISTS, *ODD]:
        query = Pacs.model_validate({"exams": {"table": "t.csv", "holds": holds}} | filters)
        found = find(answer_everything, query, dict.fromkeys(values, 2), Silence())
        assert {i.series for i in found.instances} == {s.uid for s in PLANTED if truth(s)}, values


def test_a_trial_takes_the_same_few_exams_each_time(search_way: Way, exam_folder: Path) -> None:
    """At most so many exams that have a fitting series, not the first by date."""
    fetched = fetch(search_way.address, search_way.query(modality=["CT"], most_exams=2), exam_folder, Silence())
    again = fetch(search_way.address, search_way.query(modality=["CT"], most_exams=2), exam_folder / "again", Silence())
    assert fetched.n_exams == again.n_exams == 2
    assert fetched.files == again.files


@pytest.mark.parametrize(
    ("filters", "words"),
    [
        ({"modality": ["US"]}, "The PACS has no such exams"),
        ({"study_dates": ["1999-01-01", "1999-12-31"]}, "The PACS has no such exams"),
        ({"modality": ["CT"], "body_part": ["KNEE"]}, "none of their series fits"),
        ({"modality": ["CT"], "body_part": ["KNEE"]}, "6 by `body_part`"),
    ],
)
def test_nothing_that_fits_is_an_error_that_names_the_filter(
    filters: dict[str, object], words: str, search_way: Way, exam_folder: Path
) -> None:
    with pytest.raises(SourceError, match=words):
        fetch(search_way.address, search_way.query(**filters), exam_folder, Silence())
    assert not list(exam_folder.rglob("*.dcm"))


def test_a_whole_pacs_is_not_fetched_by_mistake(search_way: Way, exam_folder: Path) -> None:
    with pytest.raises(PlanError, match="the whole PACS would be fetched"):
        fetch(search_way.address, search_way.query(), exam_folder, Silence())


@pytest.mark.parametrize(
    ("text", "holds", "words"),
    [
        (None, "patient_id", "There is no table"),
        ("other\nP1\n", "patient_id", "has no column"),
        ("wanted,more\n,x\n", "patient_id", "is empty"),
        ("wanted\nP1\n", "study_uid", "no UIDs"),
        ("wanted\n../../evil\n", "series_uid", "no UIDs"),
    ],
)
def test_a_table_that_lists_nothing_is_refused(
    text: str | None, holds: str, words: str, pacs: object, search_way: Way, tmp_path: Path
) -> None:
    table = tmp_path / "exams.csv"
    if text is not None:
        table.write_text(text)
    query = search_way.query(exams={"table": str(table), "column": "wanted", "holds": holds})
    with pytest.raises(SourceError, match=words) as refusal:
        fetch(search_way.address, query, tmp_path / "fetched", Silence())
    assert "evil" not in str(refusal.value)


@pytest.mark.parametrize(
    "settings",
    [
        {"study_dates": ["2021-01-02", "2021-01-01"]},
        {"study_dates": ["yesterday", None]},
        {"calling_ae_title": "SEVENTEEN_LETTERS"},
        {"calling_ae_title": "A\\B"},
        {"retrieve": "push"},
        {"receiver_port": 0},
        {"most_exams": 0},
        {"exams": {"table": "t.csv", "holds": "name"}},
    ],
)
def test_settings_that_cannot_be_meant_are_refused(settings: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Pacs.model_validate(settings)


def expected(truth: Truth) -> dict[str, int]:
    return {series.uid: series.n_instances for series in PLANTED if truth(series)}


def series_in(folder: Path) -> dict[str, int]:
    """Count the files of each series by reading them."""
    counts: dict[str, int] = {}
    for file in folder.rglob("*.dcm"):
        uid = pydicom.dcmread(file).SeriesInstanceUID
        counts[uid] = counts.get(uid, 0) + 1
    return counts


def answer_everything(level: Level, match: dict[str, str], tell: Sequence[str]) -> list[Answer]:
    """Answer as a server that knows no filter but its hierarchy."""
    answers = []
    for series in PLANTED:
        common = {"StudyInstanceUID": series.exam_uid, "SeriesInstanceUID": series.uid}
        if level == "STUDY":
            answers.append(
                {
                    "StudyInstanceUID": series.exam_uid,
                    "PatientID": series.patient,
                    "AccessionNumber": series.accession,
                    "StudyDate": series.date,
                    "StudyDescription": series.exam_description,
                }
            )
        elif "StudyInstanceUID" not in match or match["StudyInstanceUID"] == series.exam_uid:
            if level == "SERIES":
                told = {"Modality": series.modality, "SeriesDescription": series.description}
                answers.append(common | told | {"BodyPartExamined": series.body_part})
            elif match["SeriesInstanceUID"] == series.uid:
                answers += [common | {"SOPInstanceUID": uid} for uid in series.instance_uids()]
    return answers
