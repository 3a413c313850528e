"""Write answers about an image as a DICOM structured report (Comprehensive SR, TID 1500) in the exam of the image."""

import hashlib
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import Any

from pydicom.dataset import Dataset

from lucency import __version__
from lucency.data.dicom.drawings.writing import Uids, headers_of
from lucency.data.dicom.header import silence_libraries
from lucency.data.dicom.maker import MAKER
from lucency.data.reading import RefusedImage, ignore_warnings_of
from lucency.provenance import atomic_file

_SCHEME = "99LUCENCY"
"""Where no standard code exists: what networks answer is named by those who trained them."""
_LONGEST_MEANING, _LONGEST_NAME = 64, 64


@dataclass(frozen=True)
class Number:
    """One number of an answer."""

    name: str
    value: float
    unit: str
    """In UCUM; "1" for a plain number."""


@dataclass(frozen=True)
class Statement:
    """One answer about an image, or about one of its frames."""

    answer: str
    numbers: tuple[Number, ...]
    frame: int = 0
    """From 1, in a file that holds several; 0 for all of it."""
    remarks: tuple[str, ...] = ()
    """What must be known beside the answer, in whole sentences."""


@dataclass(frozen=True)
class Author:
    """Who answered: the networks of a study."""

    study: str
    """Its title."""
    record: str
    """The head of its record, so that an answer can be traced."""
    notice: str
    """What every reader must know."""
    when: datetime | None = None
    """Now, unless it is given; then the same answers give the same file, to the byte."""


def write_structured_report(statements: Sequence[Statement], files: Sequence[Path], out: Path, author: Author) -> None:
    """Write answers about the one image, or the slices of one volume, that `files` hold; patient and exam are theirs.

    Raises:
        RefusedImage: a header lacks what a report needs, or cannot be read.
        StorageError: the file cannot be written.
    """
    silence_libraries()
    ignore_warnings_of("highdicom")
    logging.getLogger("highdicom").setLevel(logging.CRITICAL + 1)  # its remarks may quote the header
    when = author.when or datetime.now()
    try:
        headers = headers_of(files)
        uids = Uids(_digest(statements, headers, author))
        content = _encoded(_report(statements, headers, author, uids), when)
    except Exception:  # what a damaged header lacks or holds can raise anything in pydicom and highdicom
        raise RefusedImage("E_BAD_HEADER") from None
    with atomic_file(out) as file:
        file.write(content)


def _digest(statements: Sequence[Statement], headers: Sequence[Dataset], author: Author) -> bytes:
    """Hash all that the report is made from but the time: made again it is the same object, with the same UIDs."""
    images = [str(header.SOPInstanceUID) for header in headers]
    return hashlib.sha256(repr((statements, images, author.study, author.record, __version__)).encode()).digest()


def _report(statements: Sequence[Statement], headers: list[Dataset], author: Author, uids: Uids) -> Dataset:
    """Let highdicom make the object."""
    from highdicom.sr import ComprehensiveSR

    return ComprehensiveSR(
        evidence=headers,
        content=_content(statements, headers, author, uids),
        series_instance_uid=uids.of("series"),
        series_number=1,
        sop_instance_uid=uids.of("instance"),
        instance_number=1,
        **MAKER,
        series_description="Answers of networks, not verified",
        is_complete=True,
        is_final=False,
        is_verified=False,
    )


def _content(statements: Sequence[Statement], headers: list[Dataset], author: Author, uids: Uids) -> Dataset:
    from highdicom.sr import (
        CodedConcept,
        DeviceObserverIdentifyingAttributes,
        MeasurementReport,
        ObservationContext,
        ObserverContext,
    )

    device = DeviceObserverIdentifyingAttributes(
        uid=uids.of("device"),
        name=_short(author.study, _LONGEST_NAME),
        manufacturer_name="lucency",
        model_name=f"lucency {__version__}",
        serial_number=author.record,
    )
    context = ObserverContext(
        observer_type=CodedConcept("121007", "DCM", "Device"), observer_identifying_attributes=device
    )
    report = MeasurementReport(
        observation_context=ObservationContext(observer_device_context=context),
        procedure_reported=CodedConcept("363679005", "SCT", "Imaging procedure"),
        imaging_measurements=[
            _group(number, statement, headers, author, uids) for number, statement in enumerate(statements, start=1)
        ],
        title=CodedConcept("126000", "DCM", "Imaging Measurement Report"),
    )[0]
    report.ContentSequence.extend(_comments(statements, author))
    return report


def _group(number: int, statement: Statement, headers: list[Dataset], author: Author, uids: Uids) -> Any:
    from highdicom.sr import (
        AlgorithmIdentification,
        CodedConcept,
        Measurement,
        MeasurementsAndQualitativeEvaluations,
        QualitativeEvaluation,
        SourceImageForMeasurementGroup,
        TrackingIdentifier,
    )

    images = [
        SourceImageForMeasurementGroup(
            referenced_sop_class_uid=header.SOPClassUID,
            referenced_sop_instance_uid=header.SOPInstanceUID,
            referenced_frame_numbers=[statement.frame] if statement.frame and "NumberOfFrames" in header else None,
        )
        for header in headers
    ]
    algorithm = AlgorithmIdentification(name=_short(author.study, _LONGEST_NAME), version=author.record)
    return MeasurementsAndQualitativeEvaluations(
        source_images=images,
        algorithm_id=algorithm,
        tracking_identifier=TrackingIdentifier(uid=uids.of(f"answer {number}"), identifier=f"answer {number}"),
        measurements=[
            Measurement(name=_own_code(one.name), value=one.value, unit=_unit(one.unit)) for one in statement.numbers
        ],
        qualitative_evaluations=[
            QualitativeEvaluation(name=CodedConcept("121071", "DCM", "Finding"), value=_own_code(statement.answer))
        ],
    )


def _comments(statements: Sequence[Statement], author: Author) -> Iterator[Any]:
    from highdicom.sr import CodedConcept, RelationshipTypeValues, TextContentItem

    remarks = dict.fromkeys(remark for statement in statements for remark in statement.remarks)
    for text in (author.notice, *remarks):
        yield TextContentItem(
            name=CodedConcept("121106", "DCM", "Comment"),
            value=text,
            relationship_type=RelationshipTypeValues.CONTAINS,
        )


def _own_code(meaning: str) -> Any:
    """Name what has no standard code by a code of its own that follows from its words."""
    from highdicom.sr import CodedConcept

    value = "L" + hashlib.sha256(meaning.encode()).hexdigest()[:12].upper()
    return CodedConcept(value, _SCHEME, _short(meaning, _LONGEST_MEANING))


def _unit(ucum: str) -> Any:
    from highdicom.sr import CodedConcept

    return CodedConcept(ucum, "UCUM", "no units" if ucum == "1" else ucum)


def _short(text: str, longest: int) -> str:
    printable = "".join(letter if letter.isprintable() else " " for letter in text.replace("\\", "/"))
    return " ".join(printable.split())[:longest].rstrip() or "–"


def _encoded(report: Dataset, when: datetime) -> bytes:
    """Replace what highdicom takes from the clock, and write the object."""
    report.SpecificCharacterSet = "ISO_IR 192"
    for keyword in ("ContentDate", "InstanceCreationDate", "SeriesDate"):
        if keyword in report:
            setattr(report, keyword, when.strftime("%Y%m%d"))
    for keyword in ("ContentTime", "InstanceCreationTime", "SeriesTime"):
        if keyword in report:
            setattr(report, keyword, when.strftime("%H%M%S.%f"))
    if "ContributingEquipmentSequence" in report:
        report.ContributingEquipmentSequence[-1].ContributionDateTime = when.strftime("%Y%m%d%H%M%S.%f")
    content = BytesIO()
    report.save_as(content, enforce_file_format=True)
    return content.getvalue()
