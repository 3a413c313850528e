"""Apply a finished study to new images: a table of answers, with warnings where an image is unlike what was learnt.

An answer about a new image is no evaluation: nothing here knows a truth, and the sealed test part stays sealed. So the
study's record is told once what new images are compared with, and nothing of the images themselves, which are none of the
study's business; what was done stands beside the answers.
"""

import csv
import io
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import groupby, islice
from pathlib import Path
from typing import TYPE_CHECKING, cast

from lucency import __version__
from lucency.data.codes import EXPLANATIONS
from lucency.domain.cohort import KEPT, REFUSED, CohortRow
from lucency.domain.parts import Part
from lucency.domain.plan import REPORT_LABELLING, Plan
from lucency.domain.progress import Desk
from lucency.domain.tasks import DETECTION, REGRESSION, SEGMENTATION
from lucency.errors import PlanError, RecordError, StudyError
from lucency.provenance import environment, head_code, write_atomically
from lucency.study.applying.application import Answer, Answering, Application, NewImage, stacked
from lucency.study.applying.likeness import Comparison, Unlikeness, known_images, read_comparison
from lucency.study.finding.application import BOXES
from lucency.study.folder import STAGE_DONE, StudyFolder, disarmed
from lucency.study.measuring.application import NUMBERS
from lucency.study.naming.application import CLASSES
from lucency.study.outlining.application import MASKS
from lucency.study.plan import read_plan
from lucency.study.run import carry_out
from lucency.study.stage import Study
from lucency.study.training import files_of_networks

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from lucency.data.curation import Finding
    from lucency.data.dicom.structured_report import Statement
    from lucency.data.given import Given

APPLICATIONS: dict[str, Application] = {
    "classification": CLASSES,
    REGRESSION: NUMBERS,
    SEGMENTATION: MASKS,
    DETECTION: BOXES,
}
"""Task → how its networks answer. A task adds itself here."""
TABLE, FACTS = "predictions.csv", "prediction.json"
NOT_A_DEVICE = (
    "Not a medical device. For research only: no answer may be used for the diagnosis or treatment of a patient."
)
AT_ONCE = 64
"""Images in memory at a time."""


@dataclass(frozen=True)
class Told:
    """One new image with what became of it."""

    row: CohortRow
    files: tuple[Path, ...]
    answers: tuple[Answer, ...] = ()
    """Empty where it was refused."""
    unlike: tuple[Unlikeness, ...] = ()
    report: Path | None = None
    """The structured report, of an image in DICOM where such were asked for."""

    @property
    def written(self) -> tuple[Path, ...]:
        """Files that were written about the image."""
        masks = [file for answer in self.answers for file in answer.files]
        return (*dict.fromkeys(masks), *((self.report,) if self.report else ()))


@dataclass(frozen=True)
class Wanted:
    """What is to be written beside the table."""

    dicom: bool = False
    """Structured reports, and masks as segmentations, of images in DICOM."""
    pacs: str = ""
    """Address of a PACS that shall store them; empty for none."""


def apply_study(
    study_folder: Path, paths: Sequence[Path], out: Path, desk: Desk, wanted: Wanted | None = None
) -> list[Told]:
    """Let the networks of a finished study answer new images, and write the table of answers.

    Every image has its row, those that are refused with the code of the reason.

    Raises:
        PlanError: the folder holds no study that can be applied, a path is not there, or `out` holds something else.
        RecordError: the networks were changed after they were trained.
        SourceError: the PACS did not take what was to be sent; it lies in `out`.
    """
    wanted = wanted or Wanted()
    study, application = finished(study_folder, desk)
    _take_folder(out)
    with study.folder.in_use():
        carry_out(study, [application.prepare] if application.prepare else [])
    told = list(_told(study, application, paths, out))
    if wanted.dicom or wanted.pacs:
        told = list(_reported(study, told, out))
    _write_table(out / TABLE, told)
    _write_facts(out / FACTS, study, application, told)
    _summarise(desk, told)
    if wanted.pacs:
        _send(study, told, wanted.pacs)
    return told


def finished(path: Path, desk: Desk) -> tuple[Study, Application]:
    """Open a finished study, and return with it how it answers.

    Raises:
        PlanError: the folder holds no study that can be applied.
        RecordError: the networks were changed after they were trained.
    """
    if not (path / "record.jsonl").exists():
        raise PlanError(f"{path} holds no study. Give the folder that `lucency run` wrote.")
    plan = read_plan(path / "study.yaml")
    if plan.task == REPORT_LABELLING:
        raise PlanError(
            f"{path.name} is a study of radiology reports. To label other reports with it, name it in the plan of a study of "
            "images: `data.labels: {from: reports, labeller: …}`."
        )
    if plan.task not in APPLICATIONS:
        raise PlanError(f"A study with `task: {plan.task}` cannot be applied to new images.")
    folder = StudyFolder(path.resolve())
    if folder.record.last(STAGE_DONE, stage="predict") is None:
        raise PlanError(f"The networks of {path.name} are not trained yet. Run `lucency train {path.name}` first.")
    _refuse_changed(folder, APPLICATIONS[plan.task], plan)
    return Study(plan, folder, desk), APPLICATIONS[plan.task]


def _refuse_changed(folder: StudyFolder, application: Application, plan: Plan) -> None:
    trained = folder.record.last(STAGE_DONE, stage="train")
    recorded = trained.payload["writes"] if trained else {}
    for file in files_of_networks(application.task, plan):
        if not (folder.path / file).exists() or folder.hash(file) != recorded.get(file):
            raise RecordError(
                f"{file} in {folder.path.name} is not as it was when the network was trained. Run `lucency run` there again."
            )


def _take_folder(out: Path) -> None:
    """Make the folder of results, or take it again if it was begun before."""
    if out.exists() and (not out.is_dir() or (any(out.iterdir()) and not (out / TABLE).exists())):
        raise PlanError(f"{out} holds something else. Choose an empty or a new folder with --out.")
    write_atomically(out / TABLE, "")


def _told(study: Study, application: Application, paths: Sequence[Path], out: Path) -> Iterator[Told]:
    """Read, compare and answer, so many images at a time that memory stays bounded."""
    from lucency.data.given import given_images

    given = given_images(paths, study.plan.data.image, study.desk)
    answering, comparison = application.answering(study), _comparison(study, application)
    known, is_sealed = known_images(study.folder), not study.folder.n_openings()
    with study.desk.progress("Answering", len(given)) as progress:
        examined = _examined(study, given)
        while some := list(islice(examined, AT_ONCE)):
            judged = [(one, _known_already(finding, known, is_sealed)) for one, finding in some]
            kept = [NewImage(one, f.row, cast("NDArray", f.content)) for one, f in judged if f.content is not None]
            answered = iter(_answered(kept, answering, comparison, out))
            for one, finding in judged:
                yield Told(finding.row, one.files) if finding.content is None else next(answered)
            progress.advance(len({id(one) for one, _ in some}))


def _comparison(study: Study, application: Application) -> Comparison | None:
    if application.prepare:
        return read_comparison(study, application.task)
    study.desk.say(f"With `task: {study.plan.task}`, new images are not compared with those that were learnt from.")
    return None


def _examined(study: Study, given: "Sequence[Given]") -> "Iterator[tuple[Given, Finding]]":
    """Curate as the study did, by the same plan; there is no clinical table, and nobody has to be told apart."""
    from lucency.data.clinical import NO_CLINICAL
    from lucency.data.curation import COLUMNS, examine, examine_in_parallel

    data = study.plan.data
    criteria = {
        name: tuple(criterion for criterion in getattr(data, name) if criterion.column in COLUMNS)
        for name in ("include", "exclude")
    }
    data = data.model_copy(update=criteria)
    candidates = tuple(one.candidate for one in given)
    found = examine_in_parallel(candidates, lambda one: examine(one, data, lambda c, _: c.source, NO_CLINICAL))
    for one, findings in zip(given, found, strict=True):
        yield from ((one, finding) for finding in findings)


def _known_already(finding: "Finding", known: dict[str, str], is_sealed: bool) -> "Finding":
    """Point out an image of the study itself; one of a test part that is still sealed gets no answer."""
    part = known.get(finding.row.pixel_sha256) if finding.content is not None else None
    if part is None:
        return finding
    if part == Part.TEST and is_sealed:
        return replace(finding, content=None, row=replace(finding.row, status=REFUSED, reason="E_SEALED"))
    return replace(finding, row=replace(finding.row, notes=f"{finding.row.notes} N_IN_STUDY".strip()))


def _answered(
    images: Sequence[NewImage], answering: Answering, comparison: Comparison | None, out: Path
) -> Iterator[Told]:
    if not images:
        return
    answers = answering(images, out)
    unlike = comparison([image.row for image in images], stacked(images)) if comparison else [[] for _ in images]
    for image, said, odd in zip(images, answers, unlike, strict=True):
        row = replace(image.row, notes=" ".join((image.row.notes, *(one.code for one in odd))).strip())
        yield Told(row, image.given.files, tuple(said), tuple(odd))


def _reported(study: Study, told: Sequence[Told], out: Path) -> Iterator[Told]:
    """Write one structured report for each file or volume in DICOM that got an answer."""
    from lucency.data.dicom.structured_report import Author, write_structured_report
    from lucency.data.reading import N_HEAD, RefusedImage, is_dicom

    author = Author(study.plan.title, head_code(study.folder.record.head), NOT_A_DEVICE)
    n_failed = 0
    for files, several in groupby(told, key=lambda one: one.files):
        frames = list(several)
        answered = [one for one in frames if one.answers]
        path: Path | None = None
        with files[0].open("rb") as file:
            head = file.read(N_HEAD)
        if answered and is_dicom(head):
            path = out / "reports" / f"{files[0].stem}-{answered[0].row.image_id}.dcm"
            statements = [statement for one in answered for statement in _statements(one)]
            try:
                write_structured_report(statements, files, path, author)
            except RefusedImage:
                path, n_failed = None, n_failed + 1
        yield from (replace(one, report=path if one.answers else None) for one in frames)
    if n_failed:
        study.desk.say(
            f"{n_failed} files lack in their header what a structured report needs; the table has their answers."
        )


def _statements(told: Told) -> "Iterator[Statement]":
    from lucency.data.dicom.structured_report import Number, Statement

    remarks = tuple(f"{EXPLANATIONS[odd.code]} ({odd.words})" for odd in told.unlike)
    for answer in told.answers:
        numbers = tuple(Number(one.name, one.value, one.unit) for one in answer.numbers)
        yield Statement(answer.words, numbers, told.row.frame, remarks)


def _send(study: Study, told: Sequence[Told], address: str) -> None:
    """Store all DICOM files that were written in a PACS."""
    from lucency.data.dicom.pacs.store import send

    files = [file for file in dict.fromkeys(file for one in told for file in one.written) if file.suffix == ".dcm"]
    send(files, address, study.plan.data.pacs, study.desk)
    study.desk.say(f"{len(files)} DICOM files sent.")


def _write_table(path: Path, told: Sequence[Told]) -> None:
    """Write one row for each image, and for each finding where there are several."""
    answers = [answer for one in told for answer in one.answers]
    columns = list(dict.fromkeys(number.column for answer in answers for number in answer.numbers))
    has_findings = any(answer.finding for answer in answers)
    has_files = any(one.written for one in told)
    header = [
        *("image", "frame", "status", "reason", *(["finding"] if has_findings else []), "answer", "basis", *columns),
        *(["files"] if has_files else []),
        *("notes", "warnings", "sha256"),
    ]
    text = io.StringIO()
    writer = csv.DictWriter(text, header, restval="", lineterminator="\n")
    writer.writeheader()
    for one in told:
        fate = {
            "image": one.row.source,
            "frame": one.row.frame or "",
            "status": "answered" if one.row.status == KEPT else REFUSED,
            "reason": one.row.reason,
            "notes": one.row.notes,
            **(
                {"files": " ".join(file.relative_to(path.parent).as_posix() for file in one.written)}
                if has_files
                else {}
            ),
            "warnings": "; ".join(unlike.words for unlike in one.unlike),
            "sha256": one.row.sha256,
        }
        for answer in one.answers or (None,):
            said = _cells(answer, has_findings) if answer else {}
            writer.writerow({column: disarmed(value) for column, value in (fate | said).items()})
    write_atomically(path, text.getvalue())


def _cells(answer: Answer, has_findings: bool) -> dict[str, object]:
    said: dict[str, object] = {"answer": answer.words}
    said |= {number.column: f"{number.value:.6g}" for number in answer.numbers} | {"basis": answer.basis}
    return said | ({"finding": answer.finding} if has_findings else {})


def _write_facts(path: Path, study: Study, application: Application, told: Sequence[Told]) -> None:
    """Write down who answered and when, so that an answer can be traced to its networks."""
    folder = study.folder
    n_refused = Counter(one.row.reason for one in told if one.row.status == REFUSED)
    facts = {
        "notice": NOT_A_DEVICE,
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "study": study.plan.title,
        "record": head_code(folder.record.head),
        "networks": {file: folder.hash(file) for file in files_of_networks(application.task, study.plan)},
        "lucency": __version__,
        "n_images": len(told),
        "n_refused": dict(n_refused),
        "codes": {code: EXPLANATIONS[code] for code in sorted(_codes(told))},
        "environment": environment(),
    }
    write_atomically(path, json.dumps(facts, indent=1, ensure_ascii=False) + "\n")


def _codes(told: Sequence[Told]) -> set[str]:
    return {code for one in told for code in (one.row.reason, *one.row.notes.split()) if code in EXPLANATIONS}


def _summarise(desk: Desk, told: Sequence[Told]) -> None:
    answered = [one for one in told if one.answers]
    desk.say(f"{len(answered)} of {len(told)} images answered.")
    said = Counter(answer.words for one in answered for answer in one.answers)
    desk.say(f"Answers: {', '.join(f'{words} {n}' for words, n in said.most_common(12))}." if said else "No answer.")
    for code, n in sorted(Counter(one.row.reason for one in told if one.row.reason).items()):
        desk.say(f"  {n} refused, {code}: {EXPLANATIONS[code]}")
    for code, n in sorted(Counter(odd.code for one in told for odd in one.unlike).items()):
        desk.say(f"  {n} with a warning, {code}: {EXPLANATIONS[code]}")
    n_known = sum("N_IN_STUDY" in one.row.notes.split() for one in told)
    if n_known:
        desk.say(f"  {n_known} known, N_IN_STUDY: {EXPLANATIONS['N_IN_STUDY']}")
    desk.say(NOT_A_DEVICE)


def refuse_silence(told: Sequence[Told]) -> None:
    """Say so where not one image got an answer.

    Raises:
        StudyError: nothing was answered.
    """
    if told and not any(one.answers for one in told):
        raise StudyError(f"None of the {len(told)} images could be answered; {TABLE} says why.")
