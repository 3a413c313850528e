"""The first chapters of every study: from files to a labelled cohort, split by patient."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from lucency.domain.cohort import KEPT, REFUSED, CohortRow, LabelRow, SplitRow
from lucency.domain.plan import Plan
from lucency.domain.questions import ABSENT, PRESENT, Question
from lucency.study.folder import STAGE_DONE, StudyFolder
from lucency.study.images import (
    ACCOUNT,
    FETCHED,
    fingerprint_of_images,
    image_path,
    images_at_hand,
    naming_of,
    rows_held_back,
)
from lucency.study.pictures import show_set_aside
from lucency.study.plan import as_settings
from lucency.study.stage import Stage, Study
from lucency.study.versions import keep_version

if TYPE_CHECKING:  # pandas, pydicom and others take time to import
    from lucency.data.curation import Curation

CLINICAL, CLINICAL_FACTS = "clinical.csv", "clinical.json"
COHORT, LABELS, CLASSES, SPLIT, CERTIFICATE = (
    "cohort.csv",
    "labels.csv",
    "classes.json",
    "split.csv",
    "certificate.json",
)
FILES = "files.csv"
FINDINGS = "findings.csv"
"""Where several findings are asked at once: whether each of them is there, for each image or report."""
STORE = ["store/images.bin", "store/store.json"]


def _curation_settings(study: Study) -> Any:
    """Depend on the images, and on the table if it names the patients."""
    from lucency.data.dicom.pacs.finding import asked

    data = study.plan.data
    images = str(image_path(data, study.folder.path))
    patient = as_settings(data.patient) if data.patient else None
    has_table = data.patient is not None and data.patient.from_ == "table"
    return {
        "fingerprint": _outside(study, CURATE, "fingerprint", images, lambda: fingerprint_of_images(study)),
        "deidentify": as_settings(data.deidentify) if data.deidentify else None,
        "pacs": asked(data.pacs) if data.is_in_pacs else None,
        "image": as_settings(data.image),
        "quality": as_settings(data.quality),
        "near_duplicates": as_settings(data.near_duplicates),
        "patient": patient,
        "criteria": [[as_settings(criterion) for criterion in criteria] for criteria in (data.include, data.exclude)],
        "table": _table_hash(study, CURATE) if has_table else None,
        **_clinical_settings(study),
    }


def _clinical_settings(study: Study) -> dict[str, Any]:
    """Depend on the clinical table where the plan names one: on its content, not on where it lies."""
    from lucency.data.clinical import SETTING
    from lucency.data.ground_truth.tables import hash_table

    clinical = study.plan.data.clinical
    if clinical is None:
        return {}
    sha256 = _outside(study, CURATE, "clinical", clinical.table, lambda: hash_table(Path(clinical.table), SETTING))
    return {"clinical": sha256, "clinical_columns": as_settings(clinical) | {"table": None}}


def _label_settings(study: Study) -> Any:
    """Depend on the table or archive that holds the labels; those of folders lie in the paths of the images."""
    from lucency.data.sources import archive_labels
    from lucency.provenance import sha256_of

    data = study.plan.data
    settings = as_settings(data.labels) | {"table": None, "archive": None}
    if data.labels.from_ == "table":
        settings["table"] = _table_hash(study, LABEL)
    if data.labels.from_ == "archive":
        settings["archive"] = _outside(study, LABEL, "archive", data.images, lambda: sha256_of(archive_labels(data)))
    return settings


def _table_hash(study: Study, stage: Stage) -> str:
    """Hash the table's content, so that moving it changes nothing and editing it does."""
    from lucency.data.ground_truth.tables import hash_table, require_table

    table = require_table(study.plan.data.labels.table)
    return _outside(study, stage, "table", str(table), lambda: hash_table(table))


def _outside(study: Study, stage: Stage, fact: str, path: str, measure: Callable[[], str]) -> str:
    """Measure what lies outside the folder; where it lies no more, go by what the stage recorded.

    A saved study can so be evaluated and reported where its images are not. A plan that newly names a path that is not
    there is not excused.
    """
    last = study.folder.record.last(STAGE_DONE, stage=stage.name)
    if last and not Path(path).exists() and path in _paths_of(study.folder):
        study.desk.say(f"{Path(path).name} is not here; going on with what was read from it.")
        return last.payload["settings"][fact]
    return measure()


def _paths_of(folder: StudyFolder) -> set[str | None]:
    """Return the paths that the study's own plan names."""
    plan = folder.path / "study.yaml"
    if not plan.exists():
        return set()
    data = yaml.safe_load(plan.read_text(encoding="utf-8"))["data"]
    clinical = (data.get("clinical") or {}).get("table")
    return {data["images"], data["labels"]["table"], clinical, str(folder.path / FETCHED)}


def _curate(study: Study, key: str) -> Iterable[str]:
    from lucency.data.curation import curate, image_id
    from lucency.data.looks.contact_sheet import contact_sheet
    from lucency.data.sources import find_images

    data = images_at_hand(study)
    source = find_images(data, study.folder.path / "store" / "headers.jsonl", study.desk)
    curation = curate(source, data, study.folder.path / "store", key, study.desk, naming_of(study))
    rows = curation.rows + rows_held_back(study)
    n_kept = sum(row.status == KEPT for row in rows)
    refused = Counter(row.reason for row in rows if row.status == REFUSED)
    reasons = "".join(f", {n} refused ({code})" for code, n in sorted(refused.items()))
    study.desk.say(
        f"Images: {n_kept} of {len(rows)} kept{reasons}; {len({r.patient_id for r in rows} - {''})} patients."
    )
    sheet = show_set_aside(study, contact_sheet(rows, source.candidates))
    cohort = study.folder.write_rows(COHORT, rows)
    account = [ACCOUNT] if data.deidentify else []
    files = [(image_id(candidate.source), file) for candidate in source.candidates for file in candidate.files]
    (study.folder.path / FILES).unlink(missing_ok=True)  # of a plan that asked for volumes before
    listed = [study.folder.write_table(FILES, ["image_id", "file"], files)] if files else []
    return [
        cohort,
        keep_version(study.folder, cohort),
        *account,
        *listed,
        *sheet,
        *STORE,
        *_join_clinical(study, curation),
    ]


def _join_clinical(study: Study, curation: "Curation") -> list[str]:
    """Join the clinical table, if the plan names one, while the patients' identifiers are at hand."""
    from lucency.data.clinical import join_clinical

    if study.plan.data.clinical is None:
        return []
    kept = {row.patient_id for row in curation.rows if row.status == KEPT}
    joined = join_clinical(curation.clinical, curation.patients, kept)
    facts = joined.facts
    study.desk.say(
        f"Clinical table: {', '.join(facts.columns) or 'no column'} for {facts.n_matched} of {len(kept)} patients; "
        f"{len(facts.rows_without_patient)} of its rows name no patient of the cohort."
    )
    if facts.left_out:
        reasons = "; ".join(f"{column} ({reason})" for column, reason in facts.left_out.items())
        study.desk.say(f"Left out, because they could lead back to a person or say nothing: {reasons}.")
    return [
        study.folder.write_table(CLINICAL, joined.header, joined.rows),
        study.folder.write_json(CLINICAL_FACTS, asdict(facts)),
    ]


def _label(study: Study, key: str) -> Iterable[str]:  # noqa: ARG001 - every stage is given its key
    from lucency.data.ground_truth.labelling import label
    from lucency.data.sources import archive_labels

    cohort = study.folder.read_rows(COHORT, CohortRow)
    labels = study.plan.data.labels
    labelling = label(
        cohort, labels, archive_labels(study.plan.data) if labels.from_ == "archive" else {}, naming_of(study)
    )
    counts = Counter(row.target for row in labelling.rows if row.status == KEPT)
    refused = Counter(row.reason for row in labelling.rows if row.status == REFUSED)
    words = ", ".join(f"{counts[name]} {name}" for name in labelling.classes)
    words += "".join(f", {n} set aside ({code})" for code, n in sorted(refused.items()))
    if len(labelling.classes) == 2:
        words += f"; positive is {labelling.classes[1]}"
    study.desk.say(f"Labels: {words}.")
    if labelling.is_positive_guessed:
        study.desk.say(
            f"Which class is the disease is a guess: sensitivity will speak of “{labelling.classes[1]}”. Set "
            "`data.labels.positive` to make it sure."
        )
    if labelling.unknown_rows:
        first = ", ".join(map(str, labelling.unknown_rows[:5]))
        study.desk.say(
            f"The label table names {len(labelling.unknown_rows)} images that are not among the readable ones (rows "
            f"{first}{' …' if len(labelling.unknown_rows) > 5 else ''}); classes.json lists them."
        )
    facts = {"classes": labelling.classes, "unknown_table_rows": labelling.unknown_rows}
    return [study.folder.write_rows(LABELS, labelling.rows), study.folder.write_json(CLASSES, facts)]


def _split(study: Study, key: str) -> Iterable[str]:  # noqa: ARG001 - every stage is given its key
    from lucency.data.split import certify, split_by_patient

    folder, settings, seed = study.folder, study.plan.split, study.plan.seed
    cohort, labels = folder.read_rows(COHORT, CohortRow), folder.read_rows(LABELS, LabelRow)
    rows = split_by_patient(cohort, labels, settings, seed)
    certificate = certify(rows, cohort, labels, settings, seed)
    counts = ", ".join(
        f"{part} {n} ({certificate.n_patients[part]} patients)" for part, n in certificate.n_images.items()
    )
    study.desk.say(f"Split: {counts}; no patient and no image stands in two parts.")
    table = folder.write_rows(SPLIT, rows)
    return [table, folder.write_json(CERTIFICATE, asdict(certificate) | {"sha256": folder.hash(SPLIT)})]


def classes_of(study: Study) -> tuple[str, ...]:
    """Return the class names; of two, the second is the positive one."""
    return tuple(study.folder.read_json(CLASSES)["classes"])


def questions_of(study: Study) -> tuple[Question, ...]:
    """Return what the networks are asked: the one question with its classes, or each of several findings."""
    findings = study.folder.read_json(CLASSES).get("findings", ())
    return tuple(Question(name, (ABSENT, PRESENT)) for name in findings) or (Question("", classes_of(study)),)


def files_of_labels(plan: Plan) -> list[str]:
    """Name the tables of labels."""
    return [LABELS, FINDINGS] if plan.data.labels.findings else [LABELS]


def split_rows_of(folder: StudyFolder) -> list[SplitRow]:
    """Return the split, after making sure once more that it does not leak.

    Raises:
        PatientLeakError: a patient, an exam or an image stands in two parts.
    """
    from lucency.data.split import refuse_overlap

    rows = folder.read_rows(SPLIT, SplitRow)
    refuse_overlap(rows, folder.read_rows(COHORT, CohortRow))
    return rows


CURATE = Stage("curate", "The images are read.", _curation_settings, lambda _: [], _curate)
LABEL = Stage("label", "The labels are read.", _label_settings, lambda _: [COHORT], _label)
SPLIT_STAGE = Stage(
    "split",
    "The split is made.",
    lambda study: {"split": as_settings(study.plan.split), "seed": study.plan.seed},
    lambda _: [COHORT, LABELS],
    _split,
)
