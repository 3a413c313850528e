"""The text of radiology reports that lie beside the images."""

from dataclasses import replace
from hashlib import sha256
from pathlib import PurePosixPath

from lucency.data.dicom.deidentification.account import Entry, Fate, FileRow, Original
from lucency.data.dicom.deidentification.one_file import Work, write_result
from lucency.data.dicom.deidentification.text import Identifiers, scrub

SUFFIX = ".txt"

_MOST_BYTES = 10_000_000
"""A larger text is no report."""


class KnownPeople:
    """Who was met in the headers, by folder."""

    def __init__(self) -> None:
        self._patients: dict[PurePosixPath, set[str]] = {}
        self._identifiers: dict[PurePosixPath, Identifiers] = {}

    def add(self, original: Original, patient: str, identifiers: Identifiers) -> None:
        """Note one file's patient for its folder and all folders above."""
        for folder in PurePosixPath(original.path).parents:
            self._patients.setdefault(folder, set()).add(patient)
            self._identifiers[folder] = self._identifiers.get(folder, Identifiers()) | identifiers

    def near(self, original: Original) -> tuple[set[str], Identifiers]:
        """Return the patients, and their identifiers, of the nearest folder at or above a file that has images."""
        for folder in PurePosixPath(original.path).parents:
            if folder in self._patients:
                return self._patients[folder], self._identifiers[folder]
        return set(), Identifiers()

    @property
    def all(self) -> Identifiers:
        """Everybody; without initials, which of so many people would be every abbreviation."""
        return replace(self._identifiers.get(PurePosixPath("."), Identifiers()), has_initials=False)


def scrub_report(work: Work, original: Original, people: KnownPeople, image_output: str) -> Entry:
    """Write a report without the identifiers of the people in the headers.

    `image_output` is where the image of the same name went, "" where there is none.

    Raises:
        StorageError: the folder of results cannot be written.
    """
    row = FileRow(file=work.pseudonyms.name("path", original.path), fate=Fate.LEFT_OUT, code="E_DEID_OTHER")
    try:
        content = (work.source / original.path).read_bytes()
    except OSError:
        return Entry(original, replace(row, fate=Fate.REFUSED, code="E_UNREADABLE"))
    if b"\0" in content or len(content) > _MOST_BYTES:
        return Entry(original, row)
    patients, identifiers = people.near(original)
    text, n_near = scrub(_decoded(content), identifiers)
    text, n_far = scrub(text, people.all)
    patient = next(iter(patients)) if len(patients) == 1 else ""
    name = work.pseudonyms.name("file", sha256(content).hexdigest() + original.path)
    output = image_output.removesuffix(".dcm") + SUFFIX if image_output else f"{patient or 'reports'}/{name}{SUFFIX}"
    cleaned = text.encode()
    write_result(work.out / output, cleaned)
    written = replace(
        row,
        fate=Fate.WRITTEN,
        code="",
        output=output,
        output_sha256=sha256(cleaned).hexdigest(),
        patient=patient,
        counts={"replaced in reports": n_near + n_far},
    )
    return Entry(original, written)


def _decoded(content: bytes) -> str:
    for encoding in ("utf-8-sig", "cp1252"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    return content.decode("latin-1")
