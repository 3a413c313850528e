"""The words that carried labels from radiology reports: image by image as a table, and counted for the report's page."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from lucency.domain.cohort import CohortRow
from lucency.domain.ground_truth import CarryingWords
from lucency.study.folder import StudyFolder

LABEL_WORDS = "tables/label_words.csv"
HIDDEN = "▢"
LEAST_PATIENTS = 3
"""A word that a network went by is shown only where the reports of so many patients hold it; names are rarer."""


@dataclass(frozen=True)
class Carried:
    """Words that made one label."""

    words: str
    cue: str = ""
    """What denied or doubted them."""
    is_listed: bool = True
    """True where the words stand in a list of findings; else they are the report's own, and may hold a name."""


@dataclass(frozen=True)
class Statement:
    """What one report says about the finding."""

    answer: str
    """positive, uncertain or negative; empty where it says nothing."""
    carried: tuple[Carried, ...] = ()


def write_label_words(
    folder: StudyFolder, kept: Sequence[CohortRow], report_of: Mapping[str, str], said: Mapping[str, Statement]
) -> str:
    """Write the words behind the label of each image; `report_of` maps images to reports, `said` reports to statements."""
    can_be_shown = _shown_words(kept, report_of, said)
    rows = [
        (image.image_id, said[report].answer, shown, carried.cue)
        for image, report in _with_report(kept, report_of)
        for carried in said[report].carried
        for shown in [_shown(carried, can_be_shown)]
    ]
    return folder.write_table(LABEL_WORDS, ["image_id", "stated", "words", "cue"], rows)


def count_words(
    kept: Sequence[CohortRow], report_of: Mapping[str, str], said: Mapping[str, Statement]
) -> tuple[CarryingWords, ...]:
    """Count the words of all labels: those of positive ones first, then doubt, then denial; of each the most frequent first."""
    can_be_shown = _shown_words(kept, report_of, said)
    reports: defaultdict[tuple[str, str, str], set[str]] = defaultdict(set)
    patients: defaultdict[tuple[str, str, str], set[str]] = defaultdict(set)
    for image, report in _with_report(kept, report_of):
        for carried in said[report].carried:
            key = said[report].answer, _shown(carried, can_be_shown), carried.cue.lower()
            reports[key].add(report)
            patients[key].add(image.patient_id)
    counted = [CarryingWords(*key, len(reports[key]), len(patients[key])) for key in reports]
    return tuple(sorted(counted, key=lambda one: (_place(one.stated), -one.n_reports, one.words, one.cue)))


def _with_report(kept: Sequence[CohortRow], report_of: Mapping[str, str]) -> Iterator[tuple[CohortRow, str]]:
    yield from ((image, report_of[image.image_id]) for image in kept if image.image_id in report_of)


def _shown_words(kept: Sequence[CohortRow], report_of: Mapping[str, str], said: Mapping[str, Statement]) -> set[str]:
    """Return the words, as written, that carried the labels of several patients."""
    patients: defaultdict[str, set[str]] = defaultdict(set)
    for image, report in _with_report(kept, report_of):
        for carried in said[report].carried:
            patients[carried.words].add(image.patient_id)
    return {words for words, whose in patients.items() if len(whose) >= LEAST_PATIENTS and words.islower()}


def _shown(carried: Carried, can_be_shown: set[str]) -> str:
    return carried.words.lower() if carried.is_listed or carried.words in can_be_shown else HIDDEN


def _place(stated: str) -> int:
    order = ("positive", "uncertain", "negative")
    return order.index(stated) if stated in order else len(order)
