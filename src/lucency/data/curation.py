"""Curation: read every candidate once, keep it or refuse it with a coded reason, and store what is kept.

Nothing is dropped in silence: each candidate becomes a row of the cohort. The work is journalled, so that a stopped
curation goes on where it was. True identifiers never reach the disk: the journal holds hashes, the cohort numbers.
"""

import json
import os
import re
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass, fields, replace
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lucency.data.ground_truth.tables import image_matcher, read_table, require_table
from lucency.data.reading import ImageFile, RefusedImage
from lucency.data.sources import Candidate, Source
from lucency.data.store import StoreWriter, fit
from lucency.domain.cohort import KEPT, REFUSED, CohortRow
from lucency.domain.plan import Data
from lucency.domain.progress import Desk
from lucency.errors import PlanError, SourceError
from lucency.provenance import sha256_of, sha256_of_bytes, storage_errors

PatientRule = Callable[[Candidate, ImageFile], str]

BLANK_SHARE = 0.02
"""An image whose grey levels span less than this share of the scale shows nothing."""


@dataclass(frozen=True)
class _Finding:
    """What reading one candidate gave: its row (identifiers hashed) and, if kept, its pixels."""

    row: CohortRow
    pixels: NDArray | None


def curate(source: Source, data: Data, folder: Path, key: str, desk: Desk) -> list[CohortRow]:
    """Read all candidates into the store in `folder` and return one row for each.

    Raises:
        SourceError: the patients cannot be known, or no image is left.
        Interrupted: stopped by the user; the next call with the same key goes on.
    """
    rule = patient_rule(data)
    _refuse_unknown_patients(source, data, rule)
    journal = _Journal(folder / "journal.jsonl", key)
    rows = journal.rows
    n_kept = sum(row.status == KEPT for row in rows)
    writer = StoreWriter(folder, data.image, n_kept, journal.dtype)
    remaining = source.candidates[len(rows) :]
    with desk.progress("Reading images", len(source.candidates), n_done=len(rows)) as progress:
        for finding in _read_in_parallel(remaining, lambda candidate: _examine(candidate, data, rule)):
            row = finding.row
            if finding.pixels is not None:
                row = replace(row, store_row=writer.append(finding.pixels))
            rows.append(row)
            writer.flush()
            journal.append(row, str(writer.dtype))
            progress.advance()
    if not writer.n_images:
        reasons = ", ".join(sorted({row.reason for row in rows}))
        raise SourceError(
            f"None of the {len(rows)} images could be used ({reasons}). See the list of codes in the docs."
        )
    writer.finish()
    journal.remove()
    return _number_identifiers(rows)


def patient_rule(data: Data) -> PatientRule:
    """Return the function that tells the patient of an image, by the plan; "" when it cannot.

    Raises:
        PlanError: the pattern is not a regular expression.
    """
    patient = data.patient
    if patient is None or patient.from_ == "dicom":
        return lambda _, image: image.facts.patient
    if patient.from_ == "each_image":
        return lambda candidate, _: candidate.source
    if patient.from_ == "table":
        table = read_table(require_table(data.labels.table), [data.labels.image_column, patient.column])
        match = image_matcher(table, data.labels.image_column)
        column = patient.column
        return lambda candidate, image: "".join(
            {table[n][column].strip() for n in match(candidate.source, image.facts.instance)[:1]}
        )
    try:
        pattern = re.compile(patient.pattern or "")
    except re.error as error:
        raise PlanError(
            f"`data.patient.pattern` is not a regular expression: {error}. Try it on one file name."
        ) from None
    return lambda candidate, _: _caught(pattern, candidate.source)


def _caught(pattern: re.Pattern[str], source: str) -> str:
    match = pattern.search(source.rsplit("/", 1)[-1]) or pattern.search(source)
    if match is None:
        return ""
    return "-".join(filter(None, match.groups())) or match.group()


def _refuse_unknown_patients(source: Source, data: Data, rule: PatientRule) -> None:
    """Stop before the work when even the first readable images do not name their patient."""
    seen = 0
    for candidate in source.candidates:
        try:
            image = candidate.read()
        except RefusedImage:
            continue
        if rule(candidate, image):
            return
        seen += 1
        if seen == 20:
            break
    if not seen:
        return  # nothing readable: the curation will say so image by image
    if data.patient is None:
        raise SourceError(
            "The images do not name their patient, and a split by image would let one patient train and test. Add "
            "`data.patient` to the plan: a pattern on the file name, a column of the label table, or `each_image` if "
            "every image is from another patient."
        )
    raise SourceError(
        f"`data.patient` ({data.patient.from_}) finds no patient for the first {seen} images. Correct the rule in the plan."
    )


def _read_in_parallel(
    candidates: tuple[Candidate, ...], examine: Callable[[Candidate], _Finding]
) -> Iterator[_Finding]:
    """Examine candidates on all cores in their order, with a bounded number in flight."""
    n_workers = os.cpu_count() or 1
    queue: deque[Future[_Finding]] = deque()
    waiting = iter(candidates)
    with ThreadPoolExecutor(n_workers) as pool:
        try:
            queue.extend(pool.submit(examine, candidate) for candidate in islice(waiting, 4 * n_workers))
            while queue:
                yield queue.popleft().result()
                queue.extend(pool.submit(examine, candidate) for candidate in islice(waiting, 1))
        finally:
            pool.shutdown(cancel_futures=True)


def _examine(candidate: Candidate, data: Data, rule: PatientRule) -> _Finding:
    """Read one candidate and decide whether it is kept."""
    refused = _row(candidate, ImageFile(pixels=np.zeros((0, 0), np.uint8)), status=REFUSED)
    try:
        image = candidate.read()
    except RefusedImage as refusal:
        return _Finding(replace(refused, reason=refusal.code), None)
    patient = rule(candidate, image)
    row = _row(candidate, image, patient_id=_hashed(patient))
    reason = "E_BLANK" if _is_blank(image.pixels) else "" if patient else "E_NO_PATIENT"
    if reason:
        return _Finding(replace(row, status=REFUSED, reason=reason), None)
    return _Finding(row, fit(image.pixels, data.image))


def _is_blank(pixels: NDArray) -> bool:
    return bool(int(pixels.max()) - int(pixels.min()) < BLANK_SHARE * np.iinfo(pixels.dtype).max)


def _row(candidate: Candidate, image: ImageFile, status: str = KEPT, patient_id: str = "") -> CohortRow:
    pixels = image.pixels
    header = f"{pixels.dtype}{pixels.shape}".encode()
    return CohortRow(
        image_id=image_id(candidate.source),
        patient_id=patient_id,
        exam_id=_hashed(image.facts.exam),
        series_id=_hashed(image.facts.series),
        source=candidate.source,
        sha256=candidate.hash(),
        pixel_sha256=sha256_of_bytes(header + np.ascontiguousarray(pixels).tobytes()) if pixels.size else "",
        instance_sha256=_hashed(image.facts.instance),
        modality=image.facts.modality,
        rows=pixels.shape[0],
        columns=pixels.shape[1],
        spacing_mm="×".join(f"{spacing:g}" for spacing in image.spacing_mm or ()),
        site=image.facts.site,
        laterality=image.facts.laterality,
        view=image.facts.view,
        sex=image.facts.sex,
        age_years="" if image.facts.age_years is None else str(image.facts.age_years),
        official_part=candidate.official_part,
        store_row=-1,
        status=status,
        reason="",
        notes=" ".join(image.notes),
    )


def image_id(source: str) -> str:
    """Name an image by its place below the image folder, so that the name is the same on every machine."""
    return sha256_of(source)[:12]


def _hashed(identifier: str) -> str:
    return sha256_of(identifier) if identifier else ""


def _number_identifiers(rows: list[CohortRow]) -> list[CohortRow]:
    """Replace hashed patients, exams and series by numbers."""
    patients = _numbers("P", {row.patient_id for row in rows})
    exams = _numbers("E", {row.exam_id for row in rows})
    series = _numbers("S", {row.series_id for row in rows})
    return [
        replace(row, patient_id=patients[row.patient_id], exam_id=exams[row.exam_id], series_id=series[row.series_id])
        for row in rows
    ]


def _numbers(letter: str, hashes: set[str]) -> dict[str, str]:
    ordered = sorted(hashes - {""})
    width = max(4, len(str(len(ordered))))
    return {"": ""} | {hashed: f"{letter}{number:0{width}d}" for number, hashed in enumerate(ordered, start=1)}


class _Journal:
    """The rows finished so far, one JSON line each, valid for one key."""

    def __init__(self, path: Path, key: str) -> None:
        self._path = path
        self.rows: list[CohortRow] = []
        self.dtype = "uint8"
        if not self._read(key):
            with storage_errors(path):
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(json.dumps({"key": key}) + "\n")

    def append(self, row: CohortRow, dtype: str) -> None:
        with storage_errors(self._path), self._path.open("a") as file:
            file.write(json.dumps([dtype, list(asdict(row).values())]) + "\n")

    def remove(self) -> None:
        self._path.unlink()

    def _read(self, key: str) -> bool:
        """Take over the rows of an earlier, stopped curation with the same key."""
        if not self._path.exists():
            return False
        lines = self._path.read_text().split("\n")[:-1]  # what follows the last line break was cut by a crash
        if not lines or json.loads(lines[0])["key"] != key:
            return False
        names = [field.name for field in fields(CohortRow)]
        for line in lines[1:]:
            self.dtype, values = json.loads(line)
            self.rows.append(CohortRow(**dict(zip(names, values, strict=True))))
        return True
