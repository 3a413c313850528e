"""The first chapters of every study: from files to a labelled cohort, split by patient."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import yaml
from pydantic import ValidationError

from lucency.domain.cohort import KEPT, REFUSED, CohortRow, LabelRow, SplitRow
from lucency.domain.parts import Targets
from lucency.domain.plan import Plan
from lucency.domain.questions import ABSENT, PRESENT, Question
from lucency.domain.regression_plan import Regression
from lucency.domain.tasks import DETECTION, REGRESSION, SEGMENTATION
from lucency.errors import SourceError
from lucency.study.folder import STAGE_DONE, StudyFolder
from lucency.study.ground_truth.truth import FINDINGS
from lucency.study.images import (
    ACCOUNT,
    FETCHED,
    FILES,
    fingerprint_of_images,
    image_path,
    images_at_hand,
    naming_of,
    rows_held_back,
)
from lucency.study.pictures import show_set_aside
from lucency.study.plan import as_settings, files_of, without_files
from lucency.study.stage import Stage, Study
from lucency.study.versions import keep_version

if TYPE_CHECKING:  # pandas, pydicom and others take time to import
    from lucency.data.curation import Curation
    from lucency.data.ground_truth.labelling import Labelling

CLINICAL, CLINICAL_FACTS = "clinical.csv", "clinical.json"
COHORT, LABELS, CLASSES, SPLIT, CERTIFICATE = (
    "cohort.csv",
    "labels.csv",
    "classes.json",
    "split.csv",
    "certificate.json",
)
GROUND_TRUTH, BY_RULE = "ground_truth.json", "tables/labels_by_rule.csv"
TARGETS = {REGRESSION: Targets.NUMBERS, SEGMENTATION: Targets.STRUCTURES}
"""Of tasks whose targets are no classes."""
STORE = ["store/images.bin", "store/store.json"]
VOLUMES = ["store/volumes.bin", "store/volumes.jsonl"]


def files_of_store(plan: Plan) -> list[str]:
    """Name the files that hold the decoded images, or the whole volumes."""
    return VOLUMES if plan.data.image.volumes == "whole" else STORE


def _curation_settings(study: Study) -> Any:
    """Depend on the images, and on the table if it names the patients."""
    from lucency.data.dicom.pacs.finding import asked

    data = study.plan.data
    images = str(image_path(data, study.folder.path))
    patient = as_settings(data.patient) if data.patient else None
    has_table = data.patient is not None and data.patient.from_ == "table"
    return {
        "fingerprint": outside(study, CURATE, "fingerprint", images, lambda: fingerprint_of_images(study)),
        "deidentify": as_settings(data.deidentify) if data.deidentify else None,
        "pacs": asked(data.pacs) if data.is_in_pacs else None,
        "image": as_settings(data.image),
        "quality": as_settings(data.quality),
        "near_duplicates": as_settings(data.near_duplicates),
        "patient": patient,
        "criteria": [[as_settings(criterion) for criterion in criteria] for criteria in (data.include, data.exclude)],
        "table": _table_hash(study, CURATE) if has_table else None,
        **clinical_settings(study),
    }


def clinical_settings(study: Study) -> dict[str, Any]:
    """Depend on the clinical table where the plan names one: on its content, not on where it lies."""
    from lucency.data.clinical import SETTING
    from lucency.data.ground_truth.tables import hash_table

    clinical = study.plan.data.clinical
    if clinical is None:
        return {}
    sha256 = outside(study, CURATE, "clinical", clinical.table, lambda: hash_table(Path(clinical.table), SETTING))
    return {"clinical": sha256, "clinical_columns": as_settings(clinical) | {"table": None}}


def settings_of_labels(study: Study) -> Any:
    """Depend on every file that holds labels: on its content, not on where it lies. Those of folders lie in the paths."""
    from lucency.data.sources import archive_labels
    from lucency.provenance import sha256_of

    data = study.plan.data
    settings: dict[str, Any] = {"archive": None}
    if study.plan.regression:
        settings["regression"] = study.plan.regression.unit
    for name, labels in (("labels", data.labels), ("reference", data.reference)):
        if labels is None:
            continue
        settings[name] = as_settings(without_files(labels))
        for place, path in files_of(labels):
            fact = ".".join((name, *place))
            measure = partial(_hash_of_labels, Path(path), f"data.{fact}")
            settings[fact] = outside(study, LABEL, fact, path, measure)
    if data.labels.from_ == "archive":
        settings["archive"] = outside(study, LABEL, "archive", data.images, lambda: sha256_of(archive_labels(data)))
    return settings


LEARNT = ("training/*/weights.safetensors", "training/*.json", "operating_point.json")
"""Files of a finished study that decide what its networks say."""


def _hash_of_labels(path: Path, setting: str) -> str:
    """Hash a table, or all files of a folder with their names; of a finished study, what decides its answers."""
    from lucency.data.ground_truth.tables import hash_table
    from lucency.provenance import sha256_of, sha256_of_file

    if not path.exists() and not path.suffix:  # a folder by its name
        raise SourceError(f"There is no folder {path}. Check `{setting}` in the plan.")
    if not path.is_dir():
        return hash_table(path, setting)
    patterns = LEARNT if (path / "record.jsonl").exists() else ("**/*",)
    listed = sorted(file for pattern in patterns for file in path.glob(pattern) if file.is_file())
    return sha256_of([[file.relative_to(path).as_posix(), sha256_of_file(file)] for file in listed])


def _table_hash(study: Study, stage: Stage) -> str:
    """Hash the table's content, so that moving it changes nothing and editing it does."""
    from lucency.data.ground_truth.tables import hash_table, require_table

    table = require_table(study.plan.data.labels.table)
    return outside(study, stage, "table", str(table), lambda: hash_table(table))


def outside(study: Study, stage: Stage, fact: str, path: str, measure: Callable[[], str]) -> str:
    """Measure what lies outside the folder for a stage (`recorded_or_measured`)."""
    return recorded_or_measured(study, stage.name, fact, path, measure)


def recorded_or_measured(study: Study, stage: str, fact: str, path: str, measure: Callable[[], str]) -> str:
    """Measure what lies outside the folder; where it lies no more, go by what the stage of this name recorded.

    A saved study can so be evaluated and reported where its images are not. A plan that newly names a path that is not
    there is not excused.
    """
    last = study.folder.record.last(STAGE_DONE, stage=stage)
    is_read = last is not None and fact in last.payload["settings"] and path in _paths_of(study.folder)
    if last and is_read and not Path(path).exists():
        study.desk.say(f"{Path(path).name} is not here; going on with what was read from it.")
        return last.payload["settings"][fact]
    return measure()


def _paths_of(folder: StudyFolder) -> set[str]:
    """Return the paths that the study's own plan names; none of a plan that was written for another lucency."""
    file = folder.path / "study.yaml"
    if not file.exists():
        return set()
    try:
        plan = Plan.model_validate(yaml.safe_load(file.read_text(encoding="utf-8")))
    except ValidationError:
        return set()
    return {plan.data.images, str(folder.path / FETCHED), *(path for _, path in files_of(plan))}


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
        *files_of_store(study.plan),
        *join_clinical_table(study, curation),
    ]


def join_clinical_table(study: Study, curation: "Curation") -> list[str]:
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


def write_labels(study: Study, key: str) -> Iterable[str]:  # noqa: ARG001 - every stage is given its key
    """Read the ground truth that the plan names, and label every kept image by it."""
    from lucency.data.ground_truth.labelling import label, label_numbers
    from lucency.study.ground_truth.disputes import write_disputes
    from lucency.study.ground_truth.truth import corrected, read_ground_truth, tell_ground_truth

    data, folder = study.plan.data, study.folder
    kept = [row for row in folder.read_rows(COHORT, CohortRow) if row.status == KEPT]
    named = [("labels", data.labels), *([("reference", data.reference)] if data.reference else [])]
    truths = [corrected(study, kept, one, read_ground_truth(study, kept, one, name)) for name, one in named]
    learnt, judged = truths[0], truths[-1]
    if study.plan.regression:
        labelling = label_numbers(kept, data.labels, learnt.verdicts.verdicts)
    else:
        labelling = label(
            *(kept, data.labels, learnt.verdicts.verdicts, judged.verdicts.verdicts if data.reference else None),
            least_classes=1 if study.plan.task == DETECTION else 2,
        )
    unknown_rows = tuple(number for truth in truths for number in truth.verdicts.unknown_rows)
    for sentence in _sentences_on(labelling, unknown_rows, study.plan.regression):
        study.desk.say(sentence)
    told = tell_ground_truth(study, kept, labelling.rows, labelling.classes, truths)
    facts = {"classes": labelling.classes, "unknown_table_rows": unknown_rows}
    facts |= {"findings": data.labels.findings} if data.labels.findings else {}
    rules = [(image, rule, name) for rule, found in judged.by_rule.items() for image, name in found.items()]
    return [
        folder.write_rows(LABELS, labelling.rows),
        folder.write_json(CLASSES, facts),
        folder.write_json(GROUND_TRUTH, asdict(told)),
        folder.write_table(BY_RULE, ["image_id", "rule", "target"], rules),
        *write_disputes(study, judged.disputed or learnt.disputed),
        *(file for truth in truths for file in truth.verdicts.files),
    ]


def _sentences_on(labelling: "Labelling", unknown_rows: Sequence[int], regression: Regression | None) -> Iterator[str]:
    """Say what became of the labels."""
    counts = Counter(row.target or row.judged for row in labelling.rows if row.status == KEPT)
    refused = Counter(row.reason or row.reference_reason for row in labelling.rows if row.status == REFUSED)
    words = ", ".join(f"{counts[name]} {name}" for name in labelling.classes)
    if regression:
        words = _range_in_words([float(row.target) for row in labelling.rows if row.status == KEPT], regression)
    words += "".join(f", {n} set aside ({code})" for code, n in sorted(refused.items()))
    if len(labelling.classes) == 2:
        words += f"; positive is {labelling.classes[1]}"
    yield f"Labels: {words}."
    if labelling.is_positive_guessed:
        yield (
            f"Which class is the disease is a guess: sensitivity will speak of “{labelling.classes[1]}”. Set "
            "`data.labels.positive` to make it sure."
        )
    if unknown_rows:
        first = ", ".join(map(str, unknown_rows[:5]))
        yield (
            f"The label table names {len(unknown_rows)} images that are not among the readable ones (rows "
            f"{first}{' …' if len(unknown_rows) > 5 else ''}); classes.json lists them."
        )


def _range_in_words(numbers: Sequence[float], regression: Regression) -> str:
    unit = f" {regression.unit}" if regression.unit else ""
    return (
        f"{len(numbers)} numbers ({regression.quantity}), {min(numbers):.6g} to {max(numbers):.6g}{unit}, median "
        f"{median(numbers):.6g}"
    )


def _split(study: Study, key: str) -> Iterable[str]:  # noqa: ARG001 - every stage is given its key
    from lucency.data.split import certify, split_by_patient

    folder, settings, seed = study.folder, study.plan.split, study.plan.seed
    cohort, labels = folder.read_rows(COHORT, CohortRow), folder.read_rows(LABELS, LabelRow)
    kind = TARGETS.get(study.plan.task, Targets.CLASSES)
    rows = split_by_patient(cohort, labels, settings, seed, kind)
    certificate = certify(rows, cohort, labels, settings, seed, kind)
    counts = ", ".join(
        f"{part} {n} ({certificate.n_patients[part]} patients)" for part, n in certificate.n_images.items()
    )
    study.desk.say(f"Split: {counts}; no patient and no image stands in two parts.")
    if certificate.n_without_label:
        study.desk.say(
            f"{certificate.n_without_label} images are in no part: they have a label to learn from and none to be judged by, or "
            "the other way round, and the part of their patient needs the other."
        )
    table = folder.write_rows(SPLIT, rows)
    return [table, folder.write_json(CERTIFICATE, asdict(certificate) | {"sha256": folder.hash(SPLIT)})]


def classes_of(study: Study) -> tuple[str, ...]:
    """Return the class names; of two, the second is the positive one. None where the study measures a number."""
    return tuple(study.folder.read_json(CLASSES)["classes"])


def numbers_of(folder: StudyFolder) -> dict[str, float]:
    """Return the number of each image in the split, where the study measures one."""
    return {image_id: float(target) for image_id, target in targets_of(folder).items()}


def questions_of(study: Study) -> tuple[Question, ...]:
    """Return what the networks are asked: the one question with its classes, or each of several findings."""
    findings = study.folder.read_json(CLASSES).get("findings", ())
    return tuple(Question(name, (ABSENT, PRESENT)) for name in findings) or (Question("", classes_of(study)),)


def files_of_labels(plan: Plan) -> list[str]:
    """Name the tables of labels."""
    return [LABELS, FINDINGS] if plan.data.labels.findings else [LABELS]


def labels_by_image(folder: StudyFolder) -> dict[str, LabelRow]:
    """Return the label of each image."""
    return {row.image_id: row for row in folder.read_rows(LABELS, LabelRow)}


def targets_of(folder: StudyFolder) -> dict[str, str]:
    """Return the class of each image in the split: to learn from in the training part, to be judged by elsewhere."""
    label_of = labels_by_image(folder)
    return {row.image_id: label_of[row.image_id].in_part(row.part) for row in folder.read_rows(SPLIT, SplitRow)}


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
LABEL = Stage("label", "The labels are read.", settings_of_labels, lambda _: [COHORT], write_labels)
SPLIT_STAGE = Stage(
    "split",
    "The split is made.",
    lambda study: (
        {"split": as_settings(study.plan.split), "seed": study.plan.seed}
        | ({"numbers": True} if study.plan.regression else {})
    ),
    lambda _: [COHORT, LABELS],
    _split,
)
