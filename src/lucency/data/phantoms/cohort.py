"""The made-up cohort: it writes images, tables, reports, masks and boxes, and plants the faults that real cohorts have."""

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Picture

from lucency import randomness
from lucency.data.phantoms.anatomy import Detector, Radiograph, draw_radiograph
from lucency.data.phantoms.cases import Case, Exam, invent_cases, invent_pose
from lucency.data.phantoms.dicom_files import Header, deterministic_uid, encode
from lucency.data.phantoms.people import INSTITUTIONS, PHYSICIANS, STATIONS, in_words, invent_people
from lucency.data.phantoms.readers import decide_disputes, read_images
from lucency.data.phantoms.report_sentences import Occasion, Statements
from lucency.data.phantoms.reports import ERROR_SHARE, FINDINGS, compose_report
from lucency.data.phantoms.rereading import reread_reports
from lucency.data.phantoms.texture import Textures, draw_textures
from lucency.errors import PlanError
from lucency.provenance import storage_errors

MIN_PATIENTS, MAX_PATIENTS = 16, 9999
"""Fewer cannot carry all the planted faults; more would not fit the pseudonyms."""
MIN_SIZE = 48
"""JPEG 2000's six resolutions need 32 pixels on the shorter side too."""

DETECTORS = {
    "site-a": Detector(field_cm=(40, 40), photons=9000, blur_cm=0.2, sharpening=0.6, gamma=1.0, marker="L"),
    "site-b": Detector(field_cm=(43, 35), photons=5000, blur_cm=0.28, sharpening=0.2, gamma=0.85, marker="R"),
}
SUBTLE = 2.7
"""Opacities less conspicuous than this are the ones that readers miss."""
SEVERITY_CM3 = (100.0, 240.0)
"""Volume of airless lung above which pneumonia is moderate, and severe."""


@dataclass(frozen=True)
class CohortSummary:
    """What was written and what was planted."""

    n_patients: int
    n_exams: int
    n_images: int
    """Files with a whole, non-blank image, duplicates included."""
    n_pneumonia: int
    """Rows of labels.csv that say pneumonia."""
    n_lesion_masks: int
    n_boxes: int
    n_readings: int
    n_disputes: int
    """Images on which the two readers disagree."""
    n_reports: int
    n_wrong_reports: int
    n_truncated: int
    n_empty: int
    n_not_dicom: int
    n_blank: int
    n_duplicates: int
    """Files with the same pixels as another, under another name and SOP Instance UID."""
    n_duplicates_between_patients: int
    n_conflicting_duplicates: int
    """Duplicates whose label contradicts that of the original."""
    n_ids_spelt_twice: int
    n_ids_shared_between_sites: int


@dataclass(frozen=True)
class _Shot:
    """One image with its header, its truth and its name."""

    stem: str
    header: Header
    case: Case
    exam: Exam
    radiograph: Radiograph

    @property
    def image(self) -> str:
        """The path below the image folder."""
        return f"{self.header.person.site}/{self.stem}.dcm"

    @property
    def has_pneumonia(self) -> bool:
        """Whether the exam found any, even where this view hides it."""
        return bool(self.exam.findings.opacities)

    @property
    def label(self) -> str:
        """The class that the label table gives."""
        return _class(self.has_pneumonia)

    @property
    def lesion_mask(self) -> NDArray[np.bool_]:
        """All pneumonia of the image."""
        mask = np.zeros_like(self.radiograph.lung)
        for lesion, lesion_mask in zip(self.exam.findings.lesions, self.radiograph.lesions, strict=True):
            if lesion.kind == "opacity":
                mask |= lesion_mask
        return mask


def write_cohort(folder: Path, seed: int = 1, n_patients: int = 300, image_size: int = 128) -> CohortSummary:
    """Write the made-up cohort, on one kind of machine a function of seed, number and size, byte for byte.

    `image_size` is the height of every image in pixels. The folder receives images/, labels.csv, readers.csv,
    adjudication.csv, reports/, reports.csv, report_of_image.csv, reread.csv, masks/, lungs/, boxes.json,
    identifiers.csv and README.txt.

    Raises:
        PlanError: fewer than 16 or more than 9999 patients, or images smaller than 48 pixels.
        StorageError: the folder cannot be written.
    """
    if not MIN_PATIENTS <= n_patients <= MAX_PATIENTS or image_size < MIN_SIZE:
        raise PlanError(
            f"The made-up cohort takes {MIN_PATIENTS} to {MAX_PATIENTS} patients and images of at least {MIN_SIZE} pixels; "
            f"{n_patients} patients of {image_size} pixels were asked for."
        )
    textures = draw_textures(seed, pixels_per_cm=image_size / 40)
    cases = invent_cases(invent_people(seed, n_patients), seed)
    with storage_errors(folder / "images"):
        _make_folders(folder)
        shots = [shot for case in cases for shot in _photograph(folder, case, textures, seed, image_size)]
        faults = _plant_faults(folder, shots, cases)
        whole = [*shots, *faults.duplicates]
        # The stray text file is the only image without a row.
        labelled = [*whole, *faults.unreadable, faults.blank]
        _write_table(folder / "labels.csv", [_label_row(shot) for shot in labelled])
        n_masks, n_boxes = _write_truth(folder, whole)
        n_readings, n_disputes = _write_readings(folder, shots, seed)
        n_reports, n_wrong = _write_reports(folder, cases, shots, seed)
        _write_table(folder / "report_of_image.csv", [_report_row(shot) for shot in labelled])
        _write_identifiers(folder / "identifiers.csv", cases, shots)
        summary = CohortSummary(
            n_patients=n_patients,
            n_exams=sum(len(case.exams) for case in cases),
            n_images=len(whole),
            n_pneumonia=sum(shot.has_pneumonia for shot in labelled),
            n_lesion_masks=n_masks,
            n_boxes=n_boxes,
            n_readings=n_readings,
            n_disputes=n_disputes,
            n_reports=n_reports,
            n_wrong_reports=n_wrong,
            n_truncated=2,
            n_empty=1,
            n_not_dicom=1,
            n_blank=1,
            n_duplicates=len(faults.duplicates),
            n_duplicates_between_patients=1,
            n_conflicting_duplicates=1,
            n_ids_spelt_twice=1,
            n_ids_shared_between_sites=1,
        )
        (folder / "README.txt").write_text(_readme(summary, seed))
    return summary


def planted_identifiers(folder: Path) -> tuple[str, ...]:
    """Return every name, number and date in a cohort's headers and reports that must never appear in an output.

    Dates stand in DICOM's form and in ISO form. Names come whole and in parts.
    """
    with (folder / "identifiers.csv").open(newline="", encoding="utf-8") as file:
        return tuple(row["value"] for row in csv.DictReader(file))


def _make_folders(folder: Path) -> None:
    for name in ("images/site-a", "images/site-b", "masks", "lungs", "reports"):
        (folder / name).mkdir(parents=True, exist_ok=True)


def _photograph(folder: Path, case: Case, textures: Textures, seed: int, image_size: int) -> list[_Shot]:
    """Draw and write all images of one patient."""
    draw = randomness.generator(seed, f"phantom images {case.person.key}")
    detector = DETECTORS[case.person.site]
    height_cm, width_cm = detector.field_cm
    shape = (image_size, round(image_size * width_cm / height_cm))
    spacing_mm = (10 * height_cm / shape[0], 10 * width_cm / shape[1])
    shots: list[_Shot] = []
    for exam in case.exams:
        for view in exam.views:
            stem = f"{case.person.key}-{len(shots) + 1}"
            number = int(case.person.key[1:])
            header = Header(
                person=case.person,
                # One patient's number was typed with a space before it, once.
                patient_id=f" {case.person.patient_id}" if number == 4 and not shots else case.person.patient_id,
                study_uid=deterministic_uid(seed, case.person.key, exam.number),
                series_uid=deterministic_uid(seed, case.person.key, exam.number, view),
                instance_uid=deterministic_uid(seed, stem),
                accession=_accession(case, exam),
                exam_date=exam.day,
                exam_time=exam.clock,
                view=view,
                n_in_exam=exam.views.index(view) + 1,
                spacing_mm=spacing_mm,
                compression=("rle" if case.person.site == "site-a" else "jpeg2000") if number % 4 == 0 else "none",
            )
            radiograph = draw_radiograph(
                case.body, invent_pose(view, draw), exam.findings, detector, shape, textures, draw
            )
            shots.append(_Shot(stem, header, case, exam, radiograph))
            _write_image(folder, shots[-1])
    return shots


def _accession(case: Case, exam: Exam) -> str:
    return f"{case.person.site[-1].upper()}X{exam.day.year}-{7919 * (int(case.person.key[1:]) * 8 + exam.number) % 1_000_000:06d}"


def _write_image(folder: Path, shot: _Shot) -> None:
    (folder / "images" / shot.image).write_bytes(encode(shot.radiograph.brightness, shot.header))


@dataclass(frozen=True)
class _Faults:
    """What was planted, with the labels that the table will give."""

    duplicates: list[_Shot]
    unreadable: list[_Shot]
    blank: _Shot


def _plant_faults(folder: Path, shots: list[_Shot], cases: list[Case]) -> _Faults:
    """Add broken files, a blank image and duplicates, each beside a whole image of the same patient."""
    first_shots = {shot.case.person.key: shot for shot in reversed(shots)}
    firsts = [first_shots[case.person.key] for case in cases]
    images = folder / "images"

    unreadable = [_again(firsts[k], f"{firsts[k].case.person.key}-9") for k in (5, 6, 7)]
    for shot in unreadable[:2]:
        content = encode(shot.radiograph.brightness, replace(shot.header, compression="none"))
        (images / shot.image).write_bytes(content[: len(content) * 3 // 5])
    (images / unreadable[2].image).write_bytes(b"")
    (images / "site-b" / "b-notes.dcm").write_text("The films of Friday are still in the van.\n")

    flat = replace(firsts[8].radiograph, brightness=np.full_like(firsts[8].radiograph.brightness, 0.1))
    blank = replace(_again(firsts[8], f"{firsts[8].case.person.key}-9"), radiograph=flat)
    _write_image(folder, blank)

    ill = [shot for k, shot in enumerate(firsts) if shot.has_pneumonia and k not in (1, 2, 3, 9)]
    conflicting = _deny_pneumonia(_again(ill[0], f"{ill[0].case.person.key}-8"))
    stranger = next(shot for shot in firsts[9:] if shot.header.person.site == firsts[1].header.person.site)
    duplicates = [
        *(_again(firsts[k], f"{firsts[k].case.person.key}-7") for k in (2, 3, 9)),
        _again(firsts[1], f"{stranger.case.person.key}-6", owner=stranger),
        conflicting,
    ]
    for shot in duplicates:
        _write_image(folder, shot)
    return _Faults(duplicates, unreadable, blank)


def _again(shot: _Shot, stem: str, owner: _Shot | None = None) -> _Shot:
    """Save a shot under another name and SOP Instance UID, and under another patient where an owner is given."""
    header = replace(
        (owner or shot).header, instance_uid=deterministic_uid(shot.header.instance_uid, stem), view=shot.header.view
    )
    return replace(shot, stem=stem, header=header)


def _deny_pneumonia(shot: _Shot) -> _Shot:
    """Keep the pixels and forget what they show."""
    findings = shot.exam.findings
    kept = [pair for pair in zip(findings.lesions, shot.radiograph.lesions, strict=True) if pair[0].kind == "nodule"]
    return replace(
        shot,
        exam=replace(shot.exam, findings=replace(findings, lesions=tuple(lesion for lesion, _ in kept))),
        radiograph=replace(shot.radiograph, lesions=tuple(mask for _, mask in kept)),
    )


def _label_row(shot: _Shot) -> dict[str, Any]:
    findings = shot.exam.findings
    ratio = shot.radiograph.cardiothoracic_ratio
    row_mm, column_mm = shot.header.spacing_mm
    volume_cm3 = sum(
        4 / 3 * np.pi * lesion.radius_cm[0] * lesion.radius_cm[1] * lesion.depth_cm / 2 for lesion in findings.opacities
    )
    return {
        "image": shot.image,
        "patient": shot.header.person.key,
        "exam": _exam_name(shot.case, shot.exam),
        "view": shot.header.view,
        "label": shot.label,
        "effusion": int(max(findings.effusion_cm) > 0),
        "nodule": int(any(lesion.kind == "nodule" for lesion in findings.lesions)),
        "cardiomegaly": int(shot.case.body.cardiothoracic_ratio > 0.5),
        "pneumothorax": int(findings.pneumothorax is not None),
        "severity": sum(volume_cm3 > limit for limit in (0.0, *SEVERITY_CM3)),
        "lesion_area_cm2": f"{shot.lesion_mask.sum() * row_mm * column_mm / 100:.2f}",
        "cardiothoracic_ratio": "" if ratio is None else f"{ratio:.4f}",
        "site": shot.header.person.site,
    }


def _report_row(shot: _Shot) -> dict[str, Any]:
    return {"image": shot.image, "report": _report_name(shot.case, shot.exam)}


def _class(has_pneumonia: bool) -> str:
    return "pneumonia" if has_pneumonia else "no_pneumonia"


def _write_truth(folder: Path, shots: list[_Shot]) -> tuple[int, int]:
    """Write lesion masks, lung masks and COCO boxes; return the numbers of lesion masks and of boxes."""
    n_masks = 0
    coco: dict[str, Any] = {
        "info": {"description": "Invented findings on drawn chest phantoms"},
        "images": [],
        "annotations": [],
        "categories": [{"id": 1, "name": "pneumonia"}, {"id": 2, "name": "nodule"}],
    }
    for n_image, shot in enumerate(shots, start=1):
        _write_mask(folder / "lungs" / f"{shot.stem}.png", shot.radiograph.lung)
        height, width = shot.radiograph.lung.shape
        coco["images"].append({"id": n_image, "file_name": shot.image, "width": width, "height": height})
        lesion_mask = shot.lesion_mask
        if lesion_mask.any():
            _write_mask(folder / "masks" / f"{shot.stem}.png", lesion_mask)
            n_masks += 1
        for lesion, mask in zip(shot.exam.findings.lesions, shot.radiograph.lesions, strict=True):
            if mask.any():
                coco["annotations"].append(
                    {
                        "id": len(coco["annotations"]) + 1,
                        "image_id": n_image,
                        "category_id": 1 if lesion.kind == "opacity" else 2,
                        "bbox": _box(mask),
                        "area": int(mask.sum()),
                        "iscrowd": 0,
                    }
                )
    (folder / "boxes.json").write_text(json.dumps(coco))
    return n_masks, len(coco["annotations"])


def _box(mask: NDArray[np.bool_]) -> list[int]:
    """Return left, top, width, height in pixels, as COCO writes a box."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return [int(columns[0]), int(rows[0]), int(columns[-1] - columns[0] + 1), int(rows[-1] - rows[0] + 1)]


def _write_mask(path: Path, mask: NDArray[np.bool_]) -> None:
    """Write 0 and 255 as PNG."""
    Picture.fromarray(mask.astype(np.uint8) * 255).save(path, compress_level=1)


def _write_readings(folder: Path, shots: list[_Shot], seed: int) -> tuple[int, int]:
    """Write what the readers said, and what the senior reader decided; return the numbers of readings and of disputes."""
    readings = read_images(
        [shot.image for shot in shots],
        [shot.radiograph.conspicuity for shot in shots],
        [0.45 * bool(shot.exam.findings.band) + 0.3 * (max(shot.exam.findings.effusion_cm) > 0) for shot in shots],
        seed,
    )
    rows = [
        {
            "image": reading.image,
            "reader": reading.reader,
            "label": _class(reading.has_pneumonia),
            "confidence": reading.confidence,
            "date": reading.read_on.isoformat(),
        }
        for reading in readings
    ]
    _write_table(folder / "readers.csv", rows)
    decisions = [
        {
            "image": decision.image,
            "decision": _class(decision.has_pneumonia),
            "decided_by": decision.decided_by,
            "date": decision.decided_on.isoformat(),
        }
        for decision in decide_disputes(readings, {shot.image: shot.has_pneumonia for shot in shots}, seed)
    ]
    _write_table(folder / "adjudication.csv", decisions, ("image", "decision", "decided_by", "date"))
    return len(rows), len(decisions)


def _write_reports(folder: Path, cases: list[Case], shots: list[_Shot], seed: int) -> tuple[int, int]:
    """Write one report per exam, the key that says what each states and whether it is wrong, and the re-read sample."""
    conspicuity = {(shot.case.person.key, shot.exam.number): 0.0 for shot in shots}
    for shot in shots:
        key = (shot.case.person.key, shot.exam.number)
        conspicuity[key] = max(conspicuity[key], shot.radiograph.conspicuity)
    rows: list[dict[str, Any]] = []
    statements: dict[str, Statements] = {}
    for case in cases:
        draw = randomness.generator(seed, f"phantom reports {case.person.key}")
        for prior, exam in zip((None, *case.exams), case.exams, strict=False):
            occasion = Occasion(
                findings=exam.findings,
                is_subtle=conspicuity[case.person.key, exam.number] < SUBTLE,
                has_cardiomegaly=case.body.cardiothoracic_ratio > 0.5,
                views=exam.views,
                prior=prior.day if prior else None,
                prior_had_pneumonia=bool(prior and prior.findings.opacities),
            )
            report = compose_report(occasion, draw)
            name = _report_name(case, exam)
            (folder / "reports" / name).write_text(_letterhead(case, exam) + report.text, encoding="utf-8")
            rows.append(
                {
                    "report": name,
                    "patient": case.person.key,
                    "exam": _exam_name(case, exam),
                    "truth": _class(bool(exam.findings.opacities)),
                    "stated": report.stated,
                    "is_wrong": int(report.is_wrong),
                    **{finding: report.statements.get(finding, "") for finding in FINDINGS},
                }
            )
            statements[name] = report.statements
    _write_table(folder / "reports.csv", rows)
    _write_table(folder / "reread.csv", [asdict(reading) for reading in reread_reports(statements, seed)])
    return len(rows), sum(row["is_wrong"] for row in rows)


def _exam_name(case: Case, exam: Exam) -> str:
    return f"{case.person.key}-exam{exam.number}"


def _report_name(case: Case, exam: Exam) -> str:
    return f"{_exam_name(case, exam)}.txt"


def _letterhead(case: Case, exam: Exam) -> str:
    person = case.person
    return (
        f"{INSTITUTIONS[person.site]}, Department of Radiology\n"
        f"Patient: {in_words(person.name)}   ID: {person.patient_id}   Born: {person.birth_date.isoformat()}\n"
        f"Accession: {_accession(case, exam)}   Date: {exam.day.isoformat()}   Referrer: {in_words(person.physician)}\n\n"
    )


def _write_identifiers(path: Path, cases: list[Case], shots: list[_Shot]) -> None:
    """Write down everything that must not leak: kind and value."""
    found: dict[str, str] = {}
    for case in cases:
        found |= dict.fromkeys(_names(case.person.name), "patient name")
        found |= {case.person.patient_id: "patient id"}
        found |= dict.fromkeys(_dates(case.person.birth_date), "birth date")
    for shot in shots:
        found |= dict.fromkeys(_dates(shot.exam.day), "exam date")
        found |= {shot.header.accession: "accession number"}
    for physician in PHYSICIANS:
        found |= dict.fromkeys(_names(physician), "physician name")
    found |= dict.fromkeys(INSTITUTIONS.values(), "institution")
    found |= dict.fromkeys(STATIONS.values(), "station")
    _write_table(path, [{"kind": kind, "value": value} for value, kind in found.items()])


def _names(dicom_name: str) -> list[str]:
    parts = [part for part in dicom_name.split("^") if len(part) > 3]
    return [dicom_name, *parts, in_words(dicom_name)]


def _dates(day: date) -> tuple[str, str]:
    return day.strftime("%Y%m%d"), day.isoformat()


def _write_table(path: Path, rows: Sequence[dict[str, Any]], columns: Sequence[str] = ()) -> None:
    """Write rows of equal keys as CSV; `columns` where there may be no row."""
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=columns or list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    path.write_text(text.getvalue(), encoding="utf-8")


def _readme(summary: CohortSummary, seed: int) -> str:
    counts = "\n".join(f"  {name:32} {count}" for name, count in asdict(summary).items())
    return f"""A MADE-UP COHORT OF CHEST RADIOGRAPHS (seed {seed})

Every person, name, number, date, finding, report and reading in this folder is invented, and every image is drawn by
a program. Nothing here comes from a patient, and nothing here may be used to judge one.

  images/          DICOM files of two sites. site-a: CR, MONOCHROME2, 12 bits, rescale and window, some RLE-compressed.
                   site-b: DX, MONOCHROME1 (bone is stored dark), 8 bits, no window, some in lossless JPEG 2000.
  labels.csv       the truth, one row per image: pneumonia or not, other findings, severity (0 none, 1 mild, 2 moderate,
                   3 severe), lesion area, cardiothoracic ratio (empty on lateral views)
  readers.csv      what two readers, A and B, said; they miss subtle opacities and do not always agree
  adjudication.csv what a senior reader, C, decided on the images on which A and B disagree
  reports/         one report per exam in the styles of five houses, with synonyms, doubt, history and typing errors;
                   about {ERROR_SHARE:.0%} say the opposite of the truth about pneumonia
  reports.csv      the key to the reports: the truth, what the report states about pneumonia, whether it is wrong, and
                   what it says of each of fourteen findings (empty: not mentioned)
  report_of_image.csv  the report that belongs to each image
  reread.csv       a sample of reports that a person read again for four findings, with two slips
  masks/           pneumonia, 0 and 255, for images that show any; lungs/: the lungs of every image
  boxes.json       boxes of pneumonia and nodules in COCO's format
  identifiers.csv  every invented name, number and date in headers and reports, to search outputs for leaks

Planted faults: two truncated files, an empty file, a text file named .dcm (without a label), a blank image; five exact
duplicates (same pixels, another name and SOP Instance UID), of which one belongs to another patient and one carries the
opposite label; one patient number with a space before it in one file; one number that two sites gave to two patients
(only Issuer of Patient ID tells them apart).

{counts}
"""
