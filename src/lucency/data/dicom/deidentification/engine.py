"""De-identify one DICOM file: what goes in are its bytes, what comes out are the bytes of a new one.

Nothing is deleted from the old file; a new one is built from elements that may pass. File meta information, preamble,
group lengths, padding, bytes behind the data and whatever a parser would skip are therefore never carried over.
"""

import re
from collections import Counter
from dataclasses import dataclass

from pydicom.dataset import Dataset
from pydicom.uid import UID

from lucency import __version__
from lucency.data.dicom.deidentification import parsing, values
from lucency.data.dicom.deidentification.actions import EDITION, Action, actions_under
from lucency.data.dicom.deidentification.codes import REPLACED, cleaned_code
from lucency.data.dicom.deidentification.encoding import Element, file_bytes, swap_bytes, text_element
from lucency.data.dicom.deidentification.identifiers import (
    character_sets,
    day_of,
    decode,
    patient_identity,
)
from lucency.data.dicom.deidentification.parsing import Parsed, value_of
from lucency.data.dicom.deidentification.pixels import Pixels, clean_profile
from lucency.data.dicom.deidentification.pseudonyms import Offset, Pseudonyms
from lucency.data.dicom.deidentification.safe_private import SAFE_PRIVATE
from lucency.data.dicom.deidentification.text import Identifiers, names_somebody, scrub
from lucency.data.reading import RefusedImage
from lucency.domain.data_plan import Deidentification

_SOP_CLASS, _INSTANCE, _STUDY, _SERIES = 0x00080016, 0x00080018, 0x0020000D, 0x0020000E
_CHARACTER_SET, _PATIENT_ID, _PATIENT_NAME, _SEX, _AGE = 0x00080005, 0x00100020, 0x00100010, 0x00100040, 0x00101010
_BIRTH_DATE, _STUDY_DATE = 0x00100030, 0x00080020
_TIMES = (0x00080030, 0x00080031, 0x00080032, 0x00080033)
_CODE_VALUES = (0x00080100, 0x00080119, 0x00080120)
_SCHEME, _MEANING, _SCHEME_VERSION = 0x00080102, 0x00080104, 0x00080103
_ICC_PROFILE, _DIRECTORY_RECORDS = 0x00282000, 0x00041220
_ITEM_TAGS_REMOVED = {0x7FE00008, 0x7FE00009, 0x7FE00010}

_KINDS_WITHOUT_PIXELS = {
    "RTStructureSetStorage",
    "RTPlanStorage",
    "RTIonPlanStorage",
    "RTDoseStorage",
    "RTBeamsTreatmentRecordStorage",
    "SegmentationStorage",
    "SurfaceSegmentationStorage",
    "SpatialRegistrationStorage",
    "DeformableSpatialRegistrationStorage",
    "RealWorldValueMappingStorage",
    "ParametricMapStorage",
    "MicroscopyBulkSimpleAnnotationsStorage",
}
"""Objects beside images that hold numbers, codes and references."""

_LABEL_MAP = "1.2.840.10008.5.1.4.1.1.66.7"
"""Label Map Segmentation Storage, which is newer than pydicom's dictionary."""

_STRUCTURE = {0x00080008, 0x00080060, 0x00185100, 0x00280004, 0x0040A010, 0x0040A040, 0x0040A050, 0x00700023}
"""Codes without which an object cannot be read (image type, modality, position, photometry, structure of reports), and
which a name such as Text or Code must not take away."""

_DUMMIES = {"DA": "19000101", "DT": "19000101", "TM": "000000", "DS": "0", "IS": "0", "UI": "2.25.0"}

_INSTITUTION = 0x00080080

_TEXTS = {"LO", "LT", "ST", "UT", "UC", "SH", "PN", "AE", "UR", "CS", "DA", "DT", "TM", "AS", "DS", "IS", "UI"}
_LONGEST = {"SH": 16, "LO": 64, "CS": 16, "AE": 16}


@dataclass(frozen=True)
class Cleaned:
    """A new file, and what a summary may say about it."""

    content: bytes
    patient: str
    exam: str
    series: str
    """Pseudonyms."""
    counts: dict[str, int]
    """Number of elements by what was done to them."""
    notes: tuple[str, ...]


def deidentify(
    parsed: Parsed, pixels: Pixels, identifiers: Identifiers, settings: Deidentification, pseudonyms: Pseudonyms
) -> Cleaned:
    """Build a new file from what may pass of an old one.

    Raises:
        RefusedImage: the object is of a kind that cannot be de-identified, or is nested too deep.
    """
    header = parsed.header
    sop_class = refuse_other_kinds(header, settings)
    cleaner = _Cleaner(parsed, identifiers, settings, pseudonyms)
    dataset = {element.tag: element for element in cleaner.dataset(header)}
    for element in (*cleaner.statements(), *pixels.elements):
        dataset[element.tag] = element
    instance = dataset[_INSTANCE].value
    assert isinstance(instance, bytes)
    content = file_bytes(dataset.values(), sop_class, instance.decode(), pixels.transfer_syntax)
    return Cleaned(
        content=content,
        patient=cleaner.patient,
        exam=pseudonyms.name("exam", _text_of(header, _STUDY)),
        series=pseudonyms.name("series", _text_of(header, _SERIES)),
        counts=dict(cleaner.counts),
        notes=pixels.notes,
    )


def refuse_other_kinds(header: Dataset, settings: Deidentification) -> str:
    """Return the SOP class of an object that can be de-identified.

    Raises:
        RefusedImage: it holds free content (documents, waveforms, presentations, raw data), or says not what it is.
    """
    if _DIRECTORY_RECORDS in header:
        raise RefusedImage("E_DICOMDIR")
    uid = UID(_text_of(header, _SOP_CLASS))
    if not uid or not _text_of(header, _INSTANCE):
        raise RefusedImage("E_BAD_HEADER")
    is_report = uid.keyword.endswith("SRStorage") or "StructuredReport" in uid.keyword
    is_image = "ImageStorage" in uid.keyword or uid == _LABEL_MAP
    if not is_image and uid.keyword not in _KINDS_WITHOUT_PIXELS and not (is_report and settings.structured == "clean"):
        raise RefusedImage("E_DEID_KIND")
    return str(uid)


def _text_of(header: Dataset, tag: int) -> str:
    return value_of(header, tag).decode("ascii", "replace").strip(" \0")


def _hour_of_exam(header: Dataset) -> int:
    """Return the hour in which the exam began, by the first time of day that the header tells; noon where it tells none."""
    hours = (_text_of(header, tag)[:2] for tag in _TIMES)
    return next((int(hour) for hour in hours if hour.isdigit()), 12)


class _Cleaner:
    """Walks over one file's elements and makes new ones."""

    def __init__(
        self, parsed: Parsed, identifiers: Identifiers, settings: Deidentification, pseudonyms: Pseudonyms
    ) -> None:
        self._parsed = parsed
        self._settings = settings
        self._pseudonyms = pseudonyms
        self._actions = actions_under(settings)
        self._identifiers = identifiers
        self._is_signed = value_of(parsed.header, 0x00280103)[:2].strip(b"\0") == b"\1"
        identity = patient_identity(parsed.header)
        self.patient = pseudonyms.patient(identity)
        self._offset = Offset()
        if settings.dates == "shift":
            self._offset = pseudonyms.offset(identity).away_from_midnight(_hour_of_exam(parsed.header))
        self.counts: Counter[str] = Counter()

    def dataset(
        self, source: Dataset, depth: int = 0, encodings: tuple[str, ...] = ("iso8859",)
    ) -> tuple[Element, ...]:
        """Return the new elements of a dataset or of an item."""
        if depth > parsing.DEEPEST:
            raise RefusedImage("E_DEID_NESTED")
        encodings = character_sets(source, encodings)
        cleaned = []
        for tag in map(int, source.keys()):
            if tag >> 16 & 1 or (depth and tag in _ITEM_TAGS_REMOVED):
                self.counts[Action.REMOVE.value] += 1
                continue
            action = self._actions.of(tag)
            self.counts[action.value] += 1
            element = self._element(source, tag, action, depth, encodings)
            if element is not None:
                cleaned.append(element)
        cleaned = self._with_clean_code(source, cleaned)
        return (*cleaned, *self._safe_private(source)) if self._settings.private == "safe" else tuple(cleaned)

    def statements(self) -> list[Element]:
        """Return what the new file says about its own de-identification (PS3.15, E.1.1) and about its patient."""
        kept = self._settings.dates
        temporal = {"shift": "MODIFIED", "remove": "REMOVED", "keep": "UNMODIFIED"}[kept]
        method = [f"lucency {__version__}", f"DICOM PS3.15 {EDITION} Basic Profile"]
        codes = tuple(
            (
                text_element(_CODE_VALUES[0], "SH", value),
                text_element(_SCHEME, "SH", "DCM"),
                text_element(_MEANING, "LO", meaning),
            )
            for value, meaning in methods_of(self._settings)
        )
        statements = [
            text_element(_CHARACTER_SET, "CS", "ISO_IR 192"),
            text_element(_PATIENT_NAME, "PN", self.patient),
            text_element(_PATIENT_ID, "LO", self.patient),
            text_element(0x00120062, "CS", "YES"),
            text_element(0x00120063, "LO", "\\".join(method)),
            Element(0x00120064, "SQ", codes),
            text_element(0x00280303, "CS", temporal),
        ]
        return statements + self._age_from_birth()

    def _age_from_birth(self) -> list[Element]:
        """Return the age at the exam, where only the date of birth, which has to go, would tell it."""
        header = self._parsed.header
        birth, exam = day_of(_text_of(header, _BIRTH_DATE)), day_of(_text_of(header, _STUDY_DATE))
        has_age = values.capped_age(_text_of(header, _AGE))
        if self._settings.patient_characteristics == "remove" or has_age or not birth or not exam:
            return []
        age = values.age_at(birth, exam)
        return [text_element(_AGE, "AS", age)] if age else []

    def _element(
        self, source: Dataset, tag: int, action: Action, depth: int, encodings: tuple[str, ...]
    ) -> Element | None:
        if action is Action.REMOVE:
            return None
        vr = parsing.vr_of(source, tag, self._is_signed)
        if action is Action.PATIENT:
            return Element(tag, vr, b"" if depth == 0 or tag == _PATIENT_NAME else _dummy(vr))
        if vr == "SQ":
            return Element(tag, vr, self._items(source, tag, action, depth, encodings))
        value = value_of(source, tag)
        if action is Action.EMPTY or not value:
            return Element(tag, vr, b"")
        if action is Action.DUMMY and tag == _INSTITUTION:
            return text_element(tag, vr, self._pseudonyms.site(decode(value, encodings)))
        if action is Action.DUMMY:
            return Element(tag, vr, _dummy(vr)) if vr in _TEXTS else None
        if action is Action.UID:
            return text_element(tag, vr, self._new_uids(value))
        if action is Action.SHIFT:
            moved = values.shifted(vr, value.decode("ascii", "replace"), self._offset)
            return Element(tag, vr, (moved or "").encode())
        if action is Action.CLEAN or vr in ("LO", "SH"):
            return Element(tag, vr, self._clean_text(tag, vr, decode(value, encodings), action))
        return Element(tag, vr, self._checked(tag, vr, value))

    def _items(
        self, source: Dataset, tag: int, action: Action, depth: int, encodings: tuple[str, ...]
    ) -> tuple[tuple[Element, ...], ...]:
        if action is not Action.RECURSE:
            return ()
        return tuple(self.dataset(item, depth + 1, encodings) for item in parsing.sub_datasets(source, tag))

    def _new_uids(self, value: bytes) -> str:
        return "\\".join(self._new_uid(uid.strip(" \0")) for uid in value.decode("latin-1").split("\\"))

    def _new_uid(self, uid: str) -> str:
        if not uid or values.is_registered_uid(uid):
            return uid
        if self._settings.uids == "keep" and re.fullmatch(r"[0-9.]{1,64}", uid):
            return uid
        return self._pseudonyms.uid(uid)

    def _clean_text(self, tag: int, vr: str, text: str, action: Action) -> bytes:
        parts = [part.strip(" \0") for part in (text.split("\\") if vr in ("LO", "SH", "PN", "UC") else [text])]
        if action is Action.KEEP:
            kept = [values.checked_technical_text(tag, part) for part in parts]
            return "\\".join(part for part in kept if part and not names_somebody(part, self._identifiers)).encode()
        cleaned = [scrub(part, self._identifiers)[0] for part in parts]
        return "\\".join(part[: _LONGEST.get(vr, len(part))] for part in cleaned).encode()

    def _checked(self, tag: int, vr: str, value: bytes) -> bytes:
        """Return a value of numbers or codes as it is, or nothing where it is not of its kind."""
        if tag == _ICC_PROFILE:
            return clean_profile(value)
        if tag == _CHARACTER_SET:
            return b""
        if tag == _SEX:
            return values.checked_sex(value.decode("ascii", "replace").strip(" \0")).encode()
        if vr == "AS":
            return (values.capped_age(value.decode("ascii", "replace")) or "").encode()
        if self._parsed.is_big_endian:
            value = swap_bytes(value, vr)
        checked = values.checked_number(tag, vr, value)
        if checked is None or (vr in ("CS", "IS", "DS") and self._is_identifier(tag, vr, checked.decode())):
            self.counts["not of its kind and emptied"] += 1
            return b""
        return checked

    def _is_identifier(self, tag: int, vr: str, text: str) -> bool:
        """Tell whether a code or number is a name or number of the header, typed into the wrong field."""
        if tag in _STRUCTURE:
            return False
        shortest = 4 if vr == "CS" else 6  # a shorter code or number is more likely to be just that
        words = re.split(r"[\\ _]+", text.casefold())
        return any(len(word) >= shortest and word in self._identifiers.words for word in words)

    def _with_clean_code(self, source: Dataset, cleaned: list[Element]) -> list[Element]:
        """Write a coded entry anew from its code; a code that may identify is replaced."""
        present = [tag for tag in _CODE_VALUES if tag in source]
        if not present:
            return cleaned
        code = cleaned_code(_text_of(source, present[0]), _text_of(source, _SCHEME))
        rewritten = {*_CODE_VALUES, _SCHEME, _MEANING} | ({_SCHEME_VERSION} if code == REPLACED else set())
        kept = [element for element in cleaned if element.tag not in rewritten]
        written = zip((_CODE_VALUES[0], _SCHEME, _MEANING), ("SH", "SH", "LO"), code, strict=True)
        return kept + [text_element(tag, vr, text) for tag, vr, text in written]

    def _safe_private(self, source: Dataset) -> list[Element]:
        """Return the private elements that are known to be safe, with their creators."""
        kept = []
        for (group, creator), safe in SAFE_PRIVATE.items():
            for block in range(0x10, 0x100):
                creator_tag = group << 16 | block
                if creator_tag not in source or _text_of(source, creator_tag) != creator:
                    continue
                elements = [self._private(source, group << 16 | block << 8 | place, vr) for place, vr in safe.items()]
                found = [element for element in elements if element is not None]
                if found:
                    kept += [text_element(creator_tag, "LO", creator), *found]
        return kept

    def _private(self, source: Dataset, tag: int, vr: str) -> Element | None:
        value = value_of(source, tag)
        if self._parsed.is_big_endian:
            value = swap_bytes(value, vr)
        checked = values.checked_private_number(vr, value) if value else None
        return Element(tag, vr, checked) if checked else None


def methods_of(settings: Deidentification) -> list[tuple[str, str]]:
    """Return code and meaning of each profile and option that was applied (PS3.16, CID 7050)."""
    options = [
        (True, "113100", "Basic Application Confidentiality Profile"),
        (settings.burned_in == "mask", "113101", "Clean Pixel Data Option"),
        (settings.structured == "clean", "113104", "Clean Structured Content Option"),
        (settings.descriptors == "clean", "113105", "Clean Descriptors Option"),
        (settings.dates == "keep", "113106", "Retain Longitudinal Temporal Information Full Dates Option"),
        (settings.dates == "shift", "113107", "Retain Longitudinal Temporal Information Modified Dates Option"),
        (settings.patient_characteristics == "keep", "113108", "Retain Patient Characteristics Option"),
        (settings.device == "keep", "113109", "Retain Device Identity Option"),
        (settings.uids == "keep", "113110", "Retain UIDs Option"),
        (settings.private == "safe", "113111", "Retain Safe Private Option"),
        (settings.institution == "keep", "113112", "Retain Institution Identity Option"),
    ]
    return [(value, meaning) for is_chosen, value, meaning in options if is_chosen]


def _dummy(vr: str) -> bytes:
    return _DUMMIES.get(vr, "REMOVED").encode()
