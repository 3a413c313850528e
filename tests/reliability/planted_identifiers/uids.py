"""150 unique identifiers, in every place where one can stand, and references that have to resolve afterwards."""

from pydicom.dataset import Dataset

from .folder import Draft, Folder
from .mint import Token

GROUP = "uids"


def plant_uids(folder: Folder) -> None:
    """Plant the UIDs of ten exams with three linked files each, and of texts, addresses and private attributes."""
    for _ in range(10):
        _write_exam(folder)


def _write_exam(folder: Folder) -> None:
    """Write two images and a report that refers to both: fifteen tokens."""
    mint, person = folder.mint, folder.new_person()
    first, second = folder.draft(GROUP, person), folder.draft(GROUP, person)
    report = folder.draft(GROUP, person, modality="SR")
    for attribute, uid in (
        ("StudyInstanceUID", person.exams[0].study_uid),
        ("SeriesInstanceUID", person.exams[0].series_uid),
        ("FrameOfReferenceUID", person.exams[0].frame_of_reference_uid),
    ):
        folder.plant(first, attribute, _of(uid))
    for draft in (first, second, report):
        folder.plant(draft, "SOP Instance UID and file meta", _of(draft.dataset.SOPInstanceUID))

    source = folder.plant(second, "(0008,2112) reference to an image elsewhere", mint.token("UI"))
    second.dataset.SourceImageSequence = [_reference(first.dataset.SOPInstanceUID), _reference(source.value)]
    _comment(folder, first, "(0020,4000) LT", "ImageComments")
    for draft in (first, second):
        address = mint.uid()
        draft.dataset.RetrieveURL = f"https://archive.example/studies/{address}/series"
        folder.plant(draft, "(0008,1190) UR", _of(address))
    folder.put(second, 0x00181002, "UI")

    second.dataset.add_new(0x00110010, "LO", "INVENTED UIDS")
    private = mint.token("UI")
    second.dataset.add_new(0x00111001, "UI", private.value)
    folder.plant(second, "(0011,1001) private UI", private)
    words = mint.uid()
    second.dataset.add_new(0x00111002, "LT", f"made from {words}")
    folder.plant(second, "(0011,1002) private LT", _of(words))

    report.dataset.ValueType, report.dataset.ContinuityOfContent = "CONTAINER", "SEPARATE"
    report.dataset.CompletionFlag, report.dataset.VerificationFlag = "COMPLETE", "UNVERIFIED"
    observation = mint.token("UI")
    report.dataset.ContentSequence = [_image_item(first.dataset.SOPInstanceUID), _uid_item(observation.value)]
    folder.plant(report, "(0040,A124) content of a report", observation)
    _comment(folder, report, "(0040,A160) UT outside of its module", "TextValue")
    for draft in (first, second, report):
        folder.write(draft)


def _of(uid: str) -> Token:
    return Token(uid, (uid.rpartition(".")[2],))


def _reference(uid: str) -> Dataset:
    item = Dataset()
    item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = "1.2.840.10008.5.1.4.1.1.2", uid
    return item


def _comment(folder: Folder, draft: Draft, place: str, attribute: str) -> None:
    uid = folder.mint.uid()
    setattr(draft.dataset, attribute, f"see image {uid} too")
    folder.plant(draft, place, _of(uid))


def code(value: str, scheme: str, meaning: str) -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, meaning
    return item


def _image_item(uid: str) -> Dataset:
    item = Dataset()
    item.RelationshipType, item.ValueType = "CONTAINS", "IMAGE"
    item.ConceptNameCodeSequence = [code("121191", "DCM", "Referenced Segment")]
    item.ReferencedSOPSequence = [_reference(uid)]
    return item


def _uid_item(uid: str) -> Dataset:
    item = Dataset()
    item.RelationshipType, item.ValueType, item.UID = "CONTAINS", "UIDREF", uid
    item.ConceptNameCodeSequence = [code("112040", "DCM", "Tracking Unique Identifier")]
    return item
