"""Which images a segmentation or structure set refers to."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from pydicom.dataset import Dataset

from lucency.data.dicom.drawings.whole_file import parse_whole
from lucency.data.dicom.scan import scan
from lucency.data.reading import RefusedImage

KINDS = ("SEG", "RTSTRUCT")


def references(file: Path) -> tuple[str, frozenset[str]]:
    """Return the modality, SEG or RTSTRUCT, and the UIDs of the instances that it refers to, else those of the series.

    Raises:
        RefusedImage: the file is damaged, or is another kind of object.
    """
    try:
        header = parse_whole(file)
        modality = str(header.get("Modality", "")).upper()
        found: dict[str, set[str]] = {"ReferencedSOPInstanceUID": set(), "SeriesInstanceUID": set()}
        _collect(header, found, is_nested=False)
    except RefusedImage:
        raise
    except Exception:  # a parser can raise anything on a damaged file
        raise RefusedImage("E_UNREADABLE") from None
    if modality not in KINDS:
        raise RefusedImage("E_NOT_DRAWING")
    return modality, frozenset(found["ReferencedSOPInstanceUID"] | found["SeriesInstanceUID"])


def instance_uids(files_of: Mapping[str, Sequence[Path]]) -> dict[str, str]:
    """Map the SOP Instance UID of every file, and the Series Instance UIDs of series, to the names that they were given."""
    name_of = {file: name for name, files in files_of.items() for file in files}
    found: dict[str, str] = {}
    for scanned in scan(name_of):
        name = name_of[scanned.path]
        found[scanned.elements.get("SOPInstanceUID", "")] = name
        if len(files_of[name]) > 1:
            found[scanned.elements.get("SeriesInstanceUID", "")] = name
    found.pop("", None)
    return found


def _collect(dataset: Dataset, found: dict[str, set[str]], is_nested: bool) -> None:
    """Walk through all sequences; the object's own series is no reference."""
    for element in dataset:
        if element.VR == "SQ":
            for item in element.value:
                _collect(item, found, is_nested=True)
        elif element.keyword in found and (is_nested or element.keyword != "SeriesInstanceUID"):
            found[element.keyword].add(str(element.value).strip())
