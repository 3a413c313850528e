"""Find the stacks among DICOM files, by their headers alone."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from pydicom.uid import UID

from lucency.data.dicom.enhanced import frames_of
from lucency.data.dicom.facts import facts_of
from lucency.data.dicom.header import silence_libraries
from lucency.data.dicom.reading import NOT_PICTURES
from lucency.data.dicom.scan import ScannedFile, scan
from lucency.data.dicom.series import DicomStack, sort_into_stacks
from lucency.data.dicom.volume import digest_of
from lucency.data.facts import ImageFacts
from lucency.domain.progress import Desk


def find_dicom_stacks(paths: Iterable[Path], journal: Path | None = None, desk: Desk | None = None) -> list[DicomStack]:
    """Read headers, as `scan` does, and sort them into stacks; every file ends in one, with a code where it is refused."""
    silence_libraries()
    return sort_into_stacks(_pictures_only(scan(paths, journal, desk)), frames_of, digest_of)


def facts_of_stack(stack: DicomStack) -> ImageFacts:
    """Return what the header of the first slice says; all there is to know of a stack that is refused."""
    elements = stack.slices[0].elements
    return facts_of(lambda keyword: elements.get(keyword, "").split("\\")[0].strip(" \0"))


def _pictures_only(files: Iterable[ScannedFile]) -> Iterator[ScannedFile]:
    """Give those files a code that hold no picture."""
    for file in files:
        yield file if file.code else replace(file, code=_code_of_kind(file.elements))


def _code_of_kind(elements: Mapping[str, str]) -> str:
    if elements.get("Modality", "").upper() in NOT_PICTURES:
        return "E_NOT_IMAGE"
    if "Rows" in elements:
        return ""
    sop_class = elements.get("SOPClassUID", "")
    if "Image Storage" in UID(sop_class).name:
        return "E_TRUNCATED"
    return "E_NOT_IMAGE" if sop_class else "E_UNREADABLE"
