"""250 identifiers in free text: what the header says of the patient, written somewhere else, and what only the text says."""

from .folder import Draft, Folder, Person
from .mint import Token, tell_day, written_forms

GROUP = "free text"
TECHNICAL = (
    (0x00181250, "SH"),  # receive coil
    (0x00204000, "LT"),  # comments
    (0x00180024, "SH"),  # sequence name
    (0x00081030, "LO"),  # description of the exam
    (0x00181160, "SH"),  # filter
    (0x00082111, "ST"),  # derivation
    (0x00181251, "SH"),  # transmit coil
    (0x00181030, "LO"),  # protocol
    (0x00081090, "LO"),  # model of the scanner
    (0x0008103E, "LO"),  # description of the series
    (0x00189005, "SH"),  # pulse sequence
    (0x00104000, "LT"),  # comments on the patient
    (0x00540400, "SH"),  # image identifier
    (0x00281200, "LO"),  # words, by the dictionary
    (0x00080070, "LO"),  # manufacturer
)
"""Where a name of the header is written once more; every second one is outside of Table E.1-1."""
DESCRIPTIVE = (
    (0x00281055, "LO"),  # explanation of the window
    (0x00402400, "LT"),  # comments on the request
    (0x00181040, "LO"),  # route of the contrast medium
    (0x001021B0, "LT"),  # history
    (0x00283003, "LO"),  # explanation of a table
)
"""Where a name is written that stands nowhere else; nobody could tell it from the model of a scanner."""
CODED = (
    (0x00180022, "CS"),  # scan options
    (0x00180015, "CS"),  # body part
    (0x00180021, "CS"),  # sequence variant
    (0x00185101, "CS"),  # view
    (0x00080008, "CS"),  # kind of image
    (0x00180020, "CS"),  # sequence
    (0x00187004, "CS"),  # detector
    (0x00541000, "CS"),  # kind of series
    (0x00181508, "CS"),  # positioner
    (0x00280A04, "CS"),  # calibration of the spacing
)
KIND_OF_IMAGE = 0x00080008


def plant_free_text(folder: Folder) -> None:
    """Plant ten tokens in each of twenty DICOM files, and five in each of ten radiology reports."""
    for i in range(20):
        _write_image(folder, i)
    for _ in range(10):
        _write_report(folder)


def _write_image(folder: Folder, i: int) -> None:
    mint, person = folder.mint, folder.new_person()
    draft = folder.draft(GROUP, person, modality=("CT", "MR", "CR")[i % 3])
    initials = f"{person.given[0]}.{person.family[0]}."
    short_birth = f"{person.birth:%d/%m/%y}"
    known = {
        "family name in capitals": Token(person.family.upper(), (person.family,)),
        "given name in small letters": Token(person.given.lower(), (person.given,)),
        "patient's number": Token(person.number, (person.number,)),
        "accession number": Token(person.exams[0].accession, (person.exams[0].accession,)),
        "birth date with two digits of the year": Token(
            short_birth, (short_birth, *written_forms(person.birth)), person.birth
        ),
        "referring physician": Token(person.referrer, (person.referrer,)),
        "initials": Token(initials, (initials,), is_short=True),
    }
    for j, (kind, token) in enumerate(known.items()):
        _write_words(folder, draft, TECHNICAL[(len(known) * i + j) % len(TECHNICAL)], kind, token)
    name, code, address = mint.word(), mint.word(), mint.word()
    _write_words(folder, draft, DESCRIPTIVE[i % 5], "name that no header knows", Token(name.capitalize(), (name,)))
    _write_words(folder, draft, (0x00080104, "LO"), "address", Token(f"{address}@post.example", (address,)))
    _write_words(folder, draft, CODED[i % 10], "name as a code", Token(code.upper(), (code,)))
    folder.write(draft)


def _write_words(folder: Folder, draft: Draft, attribute: tuple[int, str], kind: str, token: Token) -> None:
    tag, vr = attribute
    words = token.value if vr in ("SH", "CS") else f"asked for {token.value}, see film"
    if tag == KIND_OF_IMAGE:
        words = ["ORIGINAL", "PRIMARY", "AXIAL", words]
    draft.dataset.add_new(tag, vr, words)
    folder.plant(draft, f"({tag >> 16:04X},{tag & 0xFFFF:04X}) {vr}, {kind}", token)


def _write_report(folder: Folder) -> None:
    """Write an image and the radiology report that belongs to it, as a text file with the same name."""
    person = folder.new_person()
    draft = folder.draft(GROUP, person, modality="CR")
    folder.write(draft)
    file = draft.file.replace(".dcm", ".txt")
    for text, kind in (
        (person.family, "family name"),
        (person.given, "given name"),
        (person.number, "patient's number"),
        (person.exams[0].accession, "accession number"),
        (person.referrer, "referring physician"),
    ):
        folder.plant(file, f"radiology report, {kind}", Token(text, (text,)), group=GROUP)
    uid = draft.dataset.SOPInstanceUID
    folder.plant(file, "radiology report, date", tell_day(person.exams[0].day), group="bystander")
    folder.plant(file, "radiology report, image", Token(uid, (uid.rpartition(".")[2],)), group="bystander")
    folder.place(file).write_text(_report(person, uid))


def _report(person: Person, uid: str) -> str:
    exam = person.exams[0]
    return (
        f"Patient: {person.family}, {person.given} ({person.number})\nAccession: {exam.accession}\n"
        f"Date: {exam.day:%d.%m.%Y}\nReferred by: Dr {person.referrer}\n\n"
        f"FINDINGS: No pneumonia. {person.given} {person.family} was told (image {uid}).\n"
    )
