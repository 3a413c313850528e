"""Curation: read every candidate once, keep it or refuse it with a coded reason, and store what is kept.

Nothing is dropped in silence: each candidate becomes a row of the cohort. The work is journalled, so that a stopped
curation goes on where it was. True identifiers never reach the disk: the journal holds hashes, the cohort numbers.
"""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lucency.data.clinical import Clinical, read_clinical
from lucency.data.criteria import judge, refuse_unknown_columns
from lucency.data.in_order import map_in_order
from lucency.data.journal import Journal
from lucency.data.looks import quality
from lucency.data.looks.across import compare_images
from lucency.data.looks.denoising import Method, denoise
from lucency.data.looks.fingerprint import Fingerprint, fingerprint
from lucency.data.naming import SAME_NAMES, Naming
from lucency.data.patients import PatientRule, patient_rule, refuse_unknown_patients
from lucency.data.reading import ImageFile, RefusedImage
from lucency.data.sources import Candidate, Source
from lucency.data.store import StoreWriter, fit
from lucency.data.volume_store import VolumeWriter
from lucency.domain.cohort import KEPT, NOT_METADATA, REFUSED, CohortRow
from lucency.domain.data_plan import Data, Image
from lucency.domain.progress import Desk
from lucency.domain.volume import Volume
from lucency.errors import SourceError
from lucency.provenance import sha256_of, sha256_of_bytes

COLUMNS = tuple(field.name for field in fields(CohortRow) if field.name not in NOT_METADATA)
"""What a criterion may speak of."""


@dataclass(frozen=True)
class Finding:
    """What was found of one image: its row (identifiers hashed) and, if kept, its content."""

    row: CohortRow
    content: NDArray | Volume | None = None
    """What is kept: pixels as the store wants them, or a whole volume."""
    fingerprint: Fingerprint | None = None
    """Of what is kept."""


@dataclass(frozen=True)
class Curation:
    """A curated cohort, and what joins it with tables on its patients."""

    rows: list[CohortRow]
    """One for each image or frame."""
    patients: dict[str, str]
    """Hash of a patient's identifier → number (P0001 …); never written down."""
    clinical: Clinical
    """The clinical table, to be joined; empty where the plan names none."""


def curate(source: Source, data: Data, folder: Path, key: str, desk: Desk, naming: Naming = SAME_NAMES) -> Curation:
    """Read all candidates into the store in `folder`; `naming` is the way from the names in tables to those of images.

    Raises:
        SourceError: the patients cannot be known, or no image is left; the clinical table cannot be used.
        PlanError: a criterion speaks of a column that does not exist.
        Interrupted: stopped by the user; the next call with the same key goes on.
    """
    clinical = read_clinical(data, naming)
    refuse_unknown_columns((*data.include, *data.exclude), (*COLUMNS, *clinical.columns))
    rule = patient_rule(data, naming)
    refuse_unknown_patients(source, data, rule)
    journal = Journal(folder / "journal.jsonl", key)
    n_kept = sum(row.status == KEPT for row in journal.rows)
    writer = _writer(folder, data.image, n_kept, journal.dtype)
    remaining = source.candidates[journal.n_candidates :]
    with desk.progress("Reading images", len(source.candidates), n_done=journal.n_candidates) as progress:
        for findings in examine_in_parallel(remaining, lambda candidate: examine(candidate, data, rule, clinical)):
            rows = [_stored(finding, writer) for finding in findings]
            writer.flush()
            journal.append(rows, [f.fingerprint for f in findings if f.fingerprint], str(writer.dtype))
            progress.advance()
    if not writer.n_images:
        raise _nothing_left(journal.rows)
    rows = _compared(journal, data)
    writer.finish()
    journal.remove()
    patients = numbers("P", {row.patient_id for row in rows})
    return Curation(number_identifiers(rows, patients), patients, clinical)


def _compared(journal: Journal, data: Data) -> list[CohortRow]:
    """Compare the kept images with each other; the others stay as they are."""
    kept = iter(compare_images([row for row in journal.rows if row.status == KEPT], journal.fingerprints, data))
    return [next(kept) if row.status == KEPT else row for row in journal.rows]


def _writer(folder: Path, image: Image, n_kept: int, dtype: str) -> StoreWriter | VolumeWriter:
    return VolumeWriter(folder, n_kept) if image.volumes == "whole" else StoreWriter(folder, image, n_kept, dtype)


def _stored(finding: Finding, writer: StoreWriter | VolumeWriter) -> CohortRow:
    if finding.content is None:
        return finding.row
    return replace(finding.row, store_row=writer.append(finding.content))  # type: ignore[arg-type]  # of one plan


def _nothing_left(rows: Sequence[CohortRow]) -> SourceError:
    reasons = ", ".join(sorted({row.reason for row in rows}))
    hint = " Pictures need `data.image.volumes: slices`, and no `n_slices`." if "E_NOT_VOLUME" in reasons else ""
    return SourceError(
        f"None of the {len(rows)} images could be used ({reasons}). See the list of codes in the docs.{hint}"
    )


def examine_in_parallel(
    candidates: tuple[Candidate, ...], examine: Callable[[Candidate], list[Finding]]
) -> Iterator[list[Finding]]:
    """Examine candidates on all cores in their order, with a bounded number in flight."""
    n_workers = os.cpu_count() or 1
    with ThreadPoolExecutor(n_workers) as pool:
        yield from map_in_order(pool, examine, candidates, 4 * n_workers)


def examine(candidate: Candidate, data: Data, rule: PatientRule, clinical: Clinical) -> list[Finding]:
    """Read one candidate, and decide of each of its images whether it is kept."""
    sha256 = candidate.hash()
    try:
        images = candidate.read()
    except RefusedImage as refusal:
        nothing = ImageFile(pixels=np.zeros((0, 0), np.uint8))
        return [Finding(replace(_row(candidate, nothing, sha256), status=REFUSED, reason=refusal.code))]
    rows = [_row(candidate, image, sha256) for image in images]
    patients = [rule(candidate, image) for image in images]
    return [
        _judged(row, image, data, patient, clinical.of(patient))
        for row, image, patient in zip(rows, images, patients, strict=True)
    ]


def _judged(row: CohortRow, image: ImageFile, data: Data, patient: str, told: Mapping[str, str]) -> Finding:
    """Keep an image or refuse it, by what it shows, what it says, and what the clinical table told of its patient."""
    picture = image.pixels[len(image.pixels) // 2] if image.is_volume else image.pixels
    look = quality.judge(quality.assess(picture), data.quality, row.modality)
    row = replace(row, patient_id=hashed(patient), notes=" ".join((*image.notes, *look.notes)))
    if look.refusal or not patient:
        return Finding(replace(row, status=REFUSED, reason=look.refusal or "E_NO_PATIENT"))
    said = metadata(row)
    told = {column: value for column, value in told.items() if value or column not in said}
    verdict = judge(said | told, data.include, data.exclude)
    if verdict.code:
        return Finding(replace(row, status=REFUSED, reason=verdict.code, criterion=verdict.criterion))
    if data.image.volumes == "whole":
        return Finding(row, image.volume, fingerprint(picture))
    pixels = _denoised(image, data.quality.denoise)
    return Finding(row, fit(pixels, data.image, image.aspect), fingerprint(picture))


def _denoised(image: ImageFile, method: Method) -> NDArray:
    if image.is_volume:
        return np.stack([denoise(plane, method) for plane in image.pixels])
    return denoise(image.pixels, method)


def metadata(row: CohortRow) -> dict[str, str]:
    """Return what a criterion may speak of, as text."""
    values = asdict(row)
    return {name: str(values[name]) for name in COLUMNS}


def _row(candidate: Candidate, image: ImageFile, sha256: str) -> CohortRow:
    """Describe an image; it is kept unless somebody objects."""
    pixels = image.pixels
    header = f"{pixels.dtype}{pixels.shape}".encode()
    n_slices, n_rows, n_columns = (pixels.shape if image.is_volume else (1, *pixels.shape))[:3]
    return CohortRow(
        image_id=image_id(candidate.source, image.frame),
        exam_id=hashed(image.facts.exam),
        series_id=hashed(image.facts.series),
        source=candidate.source,
        frame=image.frame,
        n_files=len(candidate.files) or 1,
        sha256=sha256,
        pixel_sha256=sha256_of_bytes(header + np.ascontiguousarray(pixels).tobytes()) if pixels.size else "",
        instance_sha256=hashed(image.facts.series if image.is_volume else image.facts.instance),
        modality=image.facts.modality,
        slices=n_slices,
        rows=n_rows,
        columns=n_columns,
        spacing_mm="×".join(f"{spacing:g}" for spacing in image.spacing_mm or ()),
        site=image.facts.site,
        laterality=image.facts.laterality,
        view=image.facts.view,
        sex=image.facts.sex,
        age_years="" if image.facts.age_years is None else str(image.facts.age_years),
        official_part=candidate.official_part,
        notes=" ".join(image.notes),
        manufacturer=image.facts.manufacturer,
        model=image.facts.model,
        year=image.facts.year,
        kvp=image.facts.kvp,
        slice_thickness_mm=image.facts.slice_thickness_mm,
        kernel=image.facts.kernel,
        field_strength_tesla=image.facts.field_strength_tesla,
    )


def image_id(source: str, frame: int = 0) -> str:
    """Name an image by its place below the image folder, so that the name is the same on every machine."""
    return sha256_of(f"{source}#{frame}" if frame else source)[:12]


def hashed(identifier: str) -> str:
    """Return what stands for an identifier until it is numbered; empty for none."""
    return sha256_of(identifier) if identifier else ""


def number_identifiers(rows: list[CohortRow], patients: dict[str, str]) -> list[CohortRow]:
    """Replace hashed patients, exams and series by numbers."""
    exams = numbers("E", {row.exam_id for row in rows})
    series = numbers("S", {row.series_id for row in rows})
    return [
        replace(row, patient_id=patients[row.patient_id], exam_id=exams[row.exam_id], series_id=series[row.series_id])
        for row in rows
    ]


def numbers(letter: str, hashes: set[str]) -> dict[str, str]:
    """Return the number (P0001 …) of each hash of an identifier, in the order of the hashes."""
    ordered = sorted(hashes - {""})
    width = max(4, len(str(len(ordered))))
    return {"": ""} | {hashed: f"{letter}{number:0{width}d}" for number, hashed in enumerate(ordered, start=1)}
