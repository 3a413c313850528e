"""The folder that a cleaner will be given, while it is being filled, and the list of what was planted in it."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian

from .mint import Mint, Token

SHORTEST_FORM = 8
"""Letters or digits; fewer could occur by chance."""


@dataclass(frozen=True)
class Planted:
    """One identifier: where it is, and what would give it away."""

    group: str
    """The class of the suite that counts it; "bystander" for those that a file needs and nobody counts."""
    place: str
    """Attribute, value representation, depth."""
    file: str
    """Relative to the input folder."""
    forms: tuple[str | bytes, ...] = ()
    encodings: tuple[str, ...] = ()
    """Further encodings under which the forms may be written."""
    is_short: bool = False
    """Looked for in what became of its own file only."""
    day: date | None = None
    picture: "Picture | None" = None
    """Where it is drawn rather than written."""


@dataclass(frozen=True)
class Picture:
    """An identifier that is drawn: which plane holds it and which pixels are letters."""

    plane: Literal["pixels", "overlay", "high bits", "icon"]
    letters: np.ndarray
    """bool, axes (row, column)."""
    frame: int = 0
    overlay_group: int = 0
    letter_height_px: int = 8


@dataclass(frozen=True)
class Exam:
    """One of a patient's exams."""

    study_uid: str
    series_uid: str
    frame_of_reference_uid: str
    accession: str
    day: date


@dataclass(frozen=True)
class Person:
    """An invented patient with two exams."""

    number: str
    family: str
    given: str
    birth: date
    referrer: str
    exams: tuple[Exam, Exam]


@dataclass
class Draft:
    """One file before it is written."""

    file: str
    number: int
    """InstanceNumber: unique in the whole set, not an identifier, so that an output can be told from the others."""
    person: Person
    exam: Exam
    dataset: Dataset
    group: str


@dataclass(frozen=True)
class InputFile:
    """What the checker has to know about a DICOM file of the input."""

    file: str
    number: int
    person: Person
    group: str
    study_day: date | None
    """What StudyDate says."""
    is_clean: bool = False
    """There is no reason not to write it with all its pixels."""


@dataclass
class Folder:
    """The input folder: files are drafted, planted and written."""

    path: Path
    mint: Mint
    planted: list[Planted] = field(default_factory=list)
    inputs: dict[int, InputFile] = field(default_factory=dict)
    """DICOM files by InstanceNumber."""
    persons: list[Person] = field(default_factory=list)
    _next_number: int = 1001

    def new_person(self) -> Person:
        """Invent a patient with two exams; the identifiers are bystanders until a class counts them."""
        mint = self.mint
        first = mint.day(date(1990, 1, 1), date(2010, 1, 1))
        days = (first, mint.day(first + timedelta(days=20), first + timedelta(days=2000)))
        exams = [Exam(mint.uid(), mint.uid(), mint.uid(), mint.number(), day) for day in days]
        person = Person(
            number=mint.number(),
            family=mint.word().capitalize(),
            given=mint.word().capitalize(),
            birth=mint.day(date(1921, 1, 1), date(1970, 1, 1)),
            referrer=mint.word().capitalize(),
            exams=(exams[0], exams[1]),
        )
        self.persons.append(person)
        forms = (person.number, person.family, person.given, person.referrer)
        self.planted += [Planted("bystander", "identity of the patient", "", (form,)) for form in forms]
        for exam in exams:
            uids = (exam.study_uid, exam.series_uid, exam.frame_of_reference_uid)
            forms = (*(uid.rpartition(".")[2] for uid in uids), exam.accession)
            self.planted += [Planted("bystander", "identity of the exam", "", (form,)) for form in forms]
        return person

    def draft(self, group: str, person: Person, n_exam: int = 0, modality: str = "CT", suffix: str = ".dcm") -> Draft:
        """Begin a file: a plain header of the patient and the exam, with a small picture in it."""
        number = self._next_number
        self._next_number += 1
        exam = person.exams[n_exam]
        dataset = _plain_header(self.mint, person, exam, number, modality)
        uid = dataset.SOPInstanceUID.rpartition(".")[2]
        file = f"{group.replace(' ', '_')}/{number}{suffix}"
        self.planted.append(Planted("bystander", "SOP Instance UID", file, (uid,)))
        return Draft(file, number, person, exam, dataset, group)

    def plant(self, draft: Draft | str, place: str, token: Token, **details: Any) -> Token:
        """Note that a token stands in a file (a draft, or a name); return it."""
        assert token.is_short or all(len(form) >= SHORTEST_FORM for form in token.forms if form.isascii())
        file = draft if isinstance(draft, str) else draft.file
        group = details.pop("group", None) or (draft.group if isinstance(draft, Draft) else "")
        self.planted.append(Planted(group, place, file, token.forms, day=token.day, is_short=token.is_short, **details))
        return token

    def put(
        self, draft: Draft, tag: int, vr: str, name: str = "", into: Dataset | None = None, depth: int = 0
    ) -> Token:
        """Coin a token, write it to an attribute of the draft (or of one of its items), and note it."""
        token = self.mint.token(vr, name)
        (draft.dataset if into is None else into).add_new(tag, vr, token.value)
        place = f"({tag >> 16:04X},{tag & 0xFFFF:04X}) {vr}" + (f" depth {depth}" if depth else "")
        return self.plant(draft, place, token)

    def write(self, draft: Draft, syntax: UID = ExplicitVRLittleEndian, is_clean: bool = False) -> Path:
        """Write the draft in a transfer syntax; return its path. A clean one is not to be held back."""
        path = self.place(draft.file)
        dataset = draft.dataset
        dataset.file_meta.TransferSyntaxUID = syntax
        dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID
        dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
        dataset.save_as(
            path, implicit_vr=syntax.is_implicit_VR, little_endian=syntax.is_little_endian, enforce_file_format=True
        )
        self.inputs[draft.number] = InputFile(
            draft.file, draft.number, draft.person, draft.group, read_day(dataset, "StudyDate"), is_clean
        )
        return path

    def place(self, file: str) -> Path:
        """Return the path of a file of the input, its folder made."""
        path = self.path / file
        path.parent.mkdir(parents=True, exist_ok=True)
        return path


def read_day(dataset: Dataset | None, attribute: str) -> date | None:
    """Return the day that an attribute holds, if it holds one."""
    text = str(dataset.get(attribute, "") if dataset is not None else "")[:8]
    try:
        return datetime.strptime(text, "%Y%m%d").date()
    except ValueError:
        return None


def share(items: Iterable[Any], n_parts: int) -> list[list[Any]]:
    """Deal items out to a number of parts in turn."""
    parts: list[list[Any]] = [[] for _ in range(n_parts)]
    for i, item in enumerate(items):
        parts[i % n_parts].append(item)
    return parts


SOP_CLASSES = {
    "CT": "1.2.840.10008.5.1.4.1.1.2",
    "MR": "1.2.840.10008.5.1.4.1.1.4",
    "CR": "1.2.840.10008.5.1.4.1.1.1",
    "DX": "1.2.840.10008.5.1.4.1.1.1.1",
    "US": "1.2.840.10008.5.1.4.1.1.6.1",
    "US multiframe": "1.2.840.10008.5.1.4.1.1.3.1",
    "SC": "1.2.840.10008.5.1.4.1.1.7",
    "SR": "1.2.840.10008.5.1.4.1.1.88.11",
    "PDF": "1.2.840.10008.5.1.4.1.1.104.1",
    "CDA": "1.2.840.10008.5.1.4.1.1.104.2",
    "STL": "1.2.840.10008.5.1.4.1.1.104.3",
    "ECG": "1.2.840.10008.5.1.4.1.1.9.1.1",
    "PR": "1.2.840.10008.5.1.4.1.1.11.1",
}
MODALITIES = {"US multiframe": "US", "SC": "OT", "PDF": "DOC", "CDA": "DOC", "STL": "M3D"}
WITHOUT_PIXELS = ("SR", "PDF", "CDA", "STL", "ECG", "PR")
GEOMETRIC = ("CT", "MR")


def _plain_header(mint: Mint, person: Person, exam: Exam, number: int, modality: str) -> Dataset:
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    dataset.SOPClassUID = SOP_CLASSES[modality]
    dataset.SOPInstanceUID = mint.uid()
    dataset.StudyDate = dataset.SeriesDate = dataset.ContentDate = f"{exam.day:%Y%m%d}"
    dataset.StudyTime = dataset.ContentTime = "101500"
    dataset.AccessionNumber = exam.accession
    dataset.Modality = MODALITIES.get(modality, modality)
    dataset.Manufacturer = "Invented"
    dataset.ReferringPhysicianName = f"{person.referrer}^Dr"
    dataset.PatientName = f"{person.family}^{person.given}"
    dataset.PatientID = person.number
    dataset.PatientBirthDate = f"{person.birth:%Y%m%d}"
    dataset.PatientSex = "F"
    dataset.StudyInstanceUID = exam.study_uid
    dataset.SeriesInstanceUID = exam.series_uid
    dataset.StudyID = "1"
    dataset.SeriesNumber = 2
    dataset.InstanceNumber = number
    if modality in WITHOUT_PIXELS:
        return dataset
    dataset.BodyPartExamined = "CHEST"
    if modality in GEOMETRIC:
        dataset.FrameOfReferenceUID = exam.frame_of_reference_uid
        dataset.PositionReferenceIndicator = None
        dataset.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
        dataset.ImagePositionPatient = [-120.5, -98.25, number * 2.5]
        dataset.PixelSpacing = [0.78125, 0.78125]
        dataset.SliceThickness = 2.5
    if modality == "CT":
        dataset.KVP = 120
        dataset.RescaleIntercept, dataset.RescaleSlope, dataset.RescaleType = -1024, 1, "HU"
        dataset.ConvolutionKernel = "B30f"
    if modality == "MR":
        dataset.ScanningSequence, dataset.SequenceVariant, dataset.ScanOptions = "GR", "SP", ""
        dataset.MRAcquisitionType = "3D"
        dataset.RepetitionTime, dataset.EchoTime, dataset.FlipAngle, dataset.EchoTrainLength = 9.7, 4.01, 12, 1
    set_pixels(dataset, np.random.default_rng(number).integers(0, 4096, (16, 16), dtype=np.uint16), n_bits=12)
    return dataset


def set_pixels(dataset: Dataset, pixels: np.ndarray, n_bits: int, photometric: str = "MONOCHROME2") -> None:
    """Put uncompressed pixels into a dataset; axes (row, column), (row, column, colour) or (frame, row, column)."""
    n_samples = 3 if pixels.ndim == 3 and pixels.shape[-1] == 3 else 1
    shape = pixels.shape[:-1] if n_samples == 3 else pixels.shape
    dataset.SamplesPerPixel = n_samples
    dataset.PhotometricInterpretation = photometric
    if n_samples == 3:
        dataset.PlanarConfiguration = 0
    if len(shape) == 3:
        dataset.NumberOfFrames = shape[0]
    dataset.Rows, dataset.Columns = shape[-2:]
    dataset.BitsAllocated = 8 * pixels.dtype.itemsize
    dataset.BitsStored, dataset.HighBit = n_bits, n_bits - 1
    dataset.PixelRepresentation = int(np.issubdtype(pixels.dtype, np.signedinteger))
    content = pixels.tobytes()
    dataset.add_new(0x7FE00010, "OW" if pixels.dtype.itemsize == 2 else "OB", content + b"\0" * (len(content) % 2))
