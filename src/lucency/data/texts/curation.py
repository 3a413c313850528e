"""Curation of reports: read each once, keep it or refuse it with a code, and store the words of those that are kept."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from lucency.data.clinical import Clinical, read_clinical
from lucency.data.criteria import judge, refuse_unknown_columns
from lucency.data.curation import COLUMNS, Curation, hashed, image_id, metadata, number_identifiers, numbers
from lucency.data.ground_truth.reports.texts import read_text_with_notes
from lucency.data.naming import SAME_NAMES
from lucency.data.texts.finding import Found, find_reports
from lucency.data.texts.patients import report_patients
from lucency.data.texts.store import number_words, write_text_store
from lucency.data.texts.tokens import telling_text, tokens_of
from lucency.domain.cohort import KEPT, REFUSED, CohortRow
from lucency.domain.data_plan import Data
from lucency.domain.progress import Desk
from lucency.domain.text_plan import Text
from lucency.errors import SourceError
from lucency.provenance import sha256_of, sha256_of_bytes

_MOST_TOKENS = 2_000_000
"""More words than any person could dictate; what follows them is not looked at."""


@dataclass(frozen=True)
class _Read:
    """What reading one report gave."""

    row: CohortRow
    words: tuple[str, ...] = ()
    """What a network may see of it; empty when refused."""


def curate_reports(data: Data, folder: Path, desk: Desk) -> Curation:
    """Read all reports into the store in `folder`.

    Raises:
        SourceError: there are no reports, the patients cannot be known, or no report is left.
        PlanError: a criterion speaks of a column that does not exist.
    """
    clinical = read_clinical(data, SAME_NAMES)
    refuse_unknown_columns((*data.include, *data.exclude), (*COLUMNS, *clinical.columns))
    patient_of = report_patients(data)
    found = list(find_reports(data))
    with desk.progress("Reading reports", len(found)) as progress:
        read = []
        for one in found:
            read.append(_judged(_read(one, data.text), patient_of(one), data, clinical))
            progress.advance()
    _refuse_unknown_patients(read, data)
    read = _without_doubles(found, read)
    if not any(one.words for one in read):
        raise _nothing_left(read)
    write_text_store(folder, number_words(one.words for one in read if one.words))
    rows = list(_stored(read))
    patients = numbers("P", {row.patient_id for row in rows})
    return Curation(number_identifiers(rows, patients), patients, clinical)


def read_words(content: bytes, name: str, text: Text) -> tuple[tuple[str, ...], tuple[str, ...], str]:
    """Return the words of a report that count, the codes of what was noted, and a hash of the whole text.

    The hash does not mind capitals, marks and blanks, so that it is equal for copies.

    Raises:
        SourceError: the content is no text.
    """
    clean, notes = read_text_with_notes(content, name)
    whole = "" if text.sections == "all" else telling_text(clean)
    words = tuple(islice(tokens_of(whole or clean), _MOST_TOKENS))
    if len(words) > text.most_words:
        # the beginning and the end say most (Sun et al. 2019, "How to fine-tune BERT for text classification?")
        first = text.most_words // 2
        words, notes = (*words[:first], *words[first - text.most_words :]), (*notes, "N_CUT_TEXT")
    said = any(word[0].isalpha() for word in words)
    return words if said else (), notes, sha256_of(clean.lower().split())


def _read(one: Found, text: Text) -> _Read:
    row = CohortRow(
        image_id=image_id(one.source, one.n_same_name if one.n_same_name > 1 else 0),
        source=one.source,
        frame=one.n_same_name if one.n_same_name > 1 else 0,
        sha256=sha256_of_bytes(one.content),
    )
    try:
        words, notes, same_text = read_words(one.content, one.source, text)
    except SourceError:
        return _Read(replace(row, status=REFUSED, reason="E_NOT_TEXT"))
    row = replace(row, notes=" ".join(notes))
    if not words:
        return _Read(replace(row, status=REFUSED, reason="E_EMPTY_REPORT"))
    return _Read(replace(row, pixel_sha256=same_text), words)


def _judged(read: _Read, patient: str, data: Data, clinical: Clinical) -> _Read:
    """Refuse a report whose patient is not known, or that the criteria of the plan leave out."""
    row = replace(read.row, patient_id=hashed(patient))
    if row.status == KEPT and not patient:
        return _Read(replace(row, status=REFUSED, reason="E_NO_PATIENT"))
    verdict = judge(_told(row, clinical.of(patient)), data.include, data.exclude)
    if row.status == KEPT and verdict.code:
        return _Read(replace(row, status=REFUSED, reason=verdict.code, criterion=verdict.criterion))
    return replace(read, row=row)


def _told(row: CohortRow, told: Mapping[str, str]) -> dict[str, str]:
    said = metadata(row)
    return said | {column: value for column, value in told.items() if value or column not in said}


def _without_doubles(found: Sequence[Found], read: Sequence[_Read]) -> list[_Read]:
    """Refuse all reports of one name whose texts differ: nobody can tell which of them the label means."""
    texts: defaultdict[str, set[str]] = defaultdict(set)
    for one, result in zip(found, read, strict=True):
        if result.words:
            texts[one.source].add(result.row.pixel_sha256)
    return [
        _Read(replace(result.row, status=REFUSED, reason="E_DOUBLE_REPORT"))
        if result.words and len(texts[one.source]) > 1
        else result
        for one, result in zip(found, read, strict=True)
    ]


def _stored(read: Sequence[_Read]) -> Iterator[CohortRow]:
    """Give each kept report its row in the store."""
    n_stored = 0
    for one in read:
        yield replace(one.row, store_row=n_stored) if one.words else one.row
        n_stored += bool(one.words)


def _refuse_unknown_patients(read: Sequence[_Read], data: Data) -> None:
    n_without = sum(one.row.reason == "E_NO_PATIENT" for one in read)
    if n_without and not any(one.words for one in read):
        raise SourceError(
            f"`data.patient` ({data.patient.from_ if data.patient else ''}) finds no patient for any of {n_without} reports. "
            "Correct the rule in the plan."
        )


def _nothing_left(read: Sequence[_Read]) -> SourceError:
    reasons = ", ".join(sorted({one.row.reason for one in read}))
    return SourceError(f"None of the {len(read)} reports could be used ({reasons}). See the list of codes in the docs.")
