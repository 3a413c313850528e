"""Look for what a cleaner should have kept: values, pixels, intervals, links, and every file accounted for."""

import subprocess
from collections import defaultdict
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset

from .folder import Folder, Picture, read_day
from .leaks import ALL_LETTERS, FEW_OTHERS, pixels_of, share_changed
from .outputs import Output, Pair, pair_up, read_original

KEPT_VALUES = (
    "Modality",
    "ImageType",
    "BodyPartExamined",
    "InstanceNumber",
    "SeriesNumber",
    "ImageOrientationPatient",
    "ImagePositionPatient",
    "PixelSpacing",
    "SliceThickness",
    "KVP",
    "RescaleIntercept",
    "RescaleSlope",
    "RescaleType",
    "ConvolutionKernel",
    "ScanningSequence",
    "SequenceVariant",
    "MRAcquisitionType",
    "RepetitionTime",
    "EchoTime",
    "FlipAngle",
    "EchoTrainLength",
    "Manufacturer",
    "PatientSex",
    "BurnedInAnnotation",
    "Rows",
    "Columns",
    "SamplesPerPixel",
    "BitsAllocated",
    "BitsStored",
    "HighBit",
    "PixelRepresentation",
    "NumberOfFrames",
    "WaveformSequence.SamplingFrequency",
)
"""The K-list: what a study needs and nobody can be recognised by."""
PLANTED_INSTEAD = ("free text", "names")
"""Classes whose identifiers stand in attributes of the K-list."""
BASIC_PROFILE = "113100"


def count_kept_values(folder: Folder, outputs: list[Output]) -> tuple[int, int]:
    """Count the values of the K-list that are unchanged in the written files; in clean files that are missing, none is."""
    pairs = pair_up(folder, outputs)
    n_kept = n_all = 0
    for origin in folder.inputs.values():
        if origin.group in PLANTED_INSTEAD or not (origin.is_clean or origin.file in pairs):
            continue
        before = read_original(folder, origin)
        after = pairs[origin.file].after if origin.file in pairs else Dataset()
        values = {attribute: before.get(attribute) for attribute in KEPT_VALUES}
        values = {attribute: value for attribute, value in values.items() if value not in (None, "")}
        n_all += len(values)
        n_kept += sum(after.get(attribute) == value for attribute, value in values.items())
    return n_kept, n_all


def count_equal_pixels(folder: Folder, outputs: list[Output]) -> tuple[int, int]:
    """Count the clean images that were written and whose decoded pixels are the same to the last bit."""
    clean = [pair for pair in pair_up(folder, outputs).values() if pair.origin.is_clean]
    return sum(_has_equal_pixels(pair) for pair in clean), sum(origin.is_clean for origin in folder.inputs.values())


def find_changed_pixels(folder: Folder, outputs: list[Output]) -> list[str]:
    """Return the written files without letters in their pixels whose pixels are not the same."""
    drawn = {planted.file for planted in folder.planted if planted.picture and planted.picture.plane in IN_PIXELS}
    pairs = [
        pair for pair in pair_up(folder, outputs).values() if pair.origin.file not in drawn and "Rows" in pair.before
    ]
    return [pair.origin.file for pair in pairs if not _has_equal_pixels(pair)]


IN_PIXELS = ("pixels", "high bits")


def _has_equal_pixels(pair: Pair) -> bool:
    try:
        return np.array_equal(pixels_of(pair.before), pixels_of(pair.after))
    except (AttributeError, ValueError, RuntimeError):
        return False


def count_drawn_words(folder: Folder, outputs: list[Output]) -> dict[str, int]:
    """Count what became of the words in the pixels."""
    pairs, counts = (
        pair_up(folder, outputs),
        dict.fromkeys(("held back", "removed", "removed with too much", "left"), 0),
    )
    for planted in folder.planted:
        if planted.picture and planted.picture.plane == "pixels":
            counts[_became_of(planted.picture, pairs.get(planted.file))] += 1
    return counts


def _became_of(picture: Picture, pair: Pair | None) -> str:
    if pair is None:
        return "held back"
    share_of_letters, share_of_others = share_changed(picture, pair.before, pair.after)
    if share_of_letters < ALL_LETTERS:
        return "left"
    return "removed" if share_of_others <= FEW_OTHERS else "removed with too much"


def count_kept_intervals(folder: Folder, outputs: list[Output]) -> tuple[int, int]:
    """Count the patients with two written exams between which there are as many days as before."""
    days: dict[str, dict[date, date | None]] = defaultdict(dict)
    for pair in pair_up(folder, outputs).values():
        if pair.origin.study_day and pair.has_own_number:
            days[pair.origin.person.number][pair.origin.study_day] = read_day(pair.after, "StudyDate")
    exams = [tuple(of_patient.items()) for of_patient in days.values() if len(of_patient) == 2]
    kept = [a_after and b_after and b_after - a_after == b - a for (a, a_after), (b, b_after) in exams]
    return sum(map(bool, kept)), len(exams)


def find_inconsistent_dates(folder: Folder, outputs: list[Output]) -> list[str]:
    """Return the files in which a date moved by another number of days than the patient's other dates."""
    moves: dict[str, set[timedelta]] = defaultdict(set)
    faults = []
    for pair in pair_up(folder, outputs).values():
        if not pair.has_own_number:
            continue
        of_patient = moves[pair.origin.person.number]
        days = [(read_day(pair.before, attribute), read_day(pair.after, attribute)) for attribute in DATES]
        of_patient |= {after - before for before, after in days if before and after}
        if len(of_patient) > 1:
            faults.append(pair.origin.file)
    return faults


DATES = ("StudyDate", "SeriesDate", "AcquisitionDate", "ContentDate", "AcquisitionDateTime")


def find_high_ages(outputs: list[Output]) -> list[str]:
    """Return the outputs that say an age above ninety."""
    ages = [(output, str(output.dataset.get("PatientAge", ""))) for output in outputs if output.dataset]
    return [output.name for output, age in ages if age.endswith("Y") and age[:3].isdigit() and int(age[:3]) > 90]


def find_unresolved_links(folder: Folder, outputs: list[Output]) -> list[str]:
    """Return the UIDs that became two, and the UIDs that two became: in either case a link between files is broken."""
    became: dict[str, set[str]] = defaultdict(set)
    for pair in pair_up(folder, outputs).values():
        _pair_uids(pair.before, pair.after, became)
    came_from: dict[str, set[str]] = defaultdict(set)
    for old, new in became.items():
        for uid in new:
            came_from[uid].add(old)
    split = [f"{old} became {len(new)} UIDs" for old, new in became.items() if len(new) > 1]
    return split + [f"{len(old)} UIDs became {new}" for new, old in came_from.items() if len(old) > 1]


LINKING = (
    "StudyInstanceUID",
    "SeriesInstanceUID",
    "SOPInstanceUID",
    "FrameOfReferenceUID",
    "ReferencedSOPInstanceUID",
)


def _pair_uids(before: Dataset, after: Dataset, became: dict[str, set[str]]) -> None:
    """Note which UID became which, at the same place in both datasets."""
    for element in before:
        other = after.get(element.tag)
        if other is None or other.value in (None, ""):
            continue
        if element.VR == "SQ":
            for item, other_item in zip(element.value, other.value or [], strict=False):
                _pair_uids(item, other_item, became)
        elif element.keyword in LINKING:
            became[str(element.value)].add(str(other.value))


def find_unreadable(outputs: list[Output]) -> list[str]:
    """Return the written DICOM files in which nobody finds the number of the image any more."""
    return [output.name for output in outputs if output.name.endswith(".dcm") and output.origin is None]


def find_unmarked(outputs: list[Output]) -> list[str]:
    """Return the written DICOM files that do not say that and how they were de-identified."""
    return [output.name for output in outputs if output.dataset and not _is_marked(output.dataset)]


def _is_marked(dataset: Dataset) -> bool:
    codes = {code.get("CodeValue") for code in dataset.get("DeidentificationMethodCodeSequence") or []}
    method = dataset.get("DeidentificationMethod")
    return dataset.get("PatientIdentityRemoved") == "YES" and bool(method) and BASIC_PROFILE in codes


def find_new_errors(folder: Folder, outputs: list[Output]) -> list[str]:
    """Return the clean images of which dciodvfy reports an error that it did not report before."""
    faults = []
    for file, pair in pair_up(folder, outputs).items():
        if pair.origin.is_clean:
            new = set(_errors(pair.output.content)) - set(_errors((folder.path / file).read_bytes()))
            faults += [f"{file}: {error}" for error in sorted(new)]
    return faults


def _errors(content: bytes) -> Iterator[str]:
    checked = subprocess.run(["dciodvfy", "-"], input=content, capture_output=True, check=False)
    for line in checked.stderr.decode(errors="replace").splitlines():
        if line.startswith("Error"):
            yield line


def tree(path: Path) -> dict[str, bytes]:
    """Return the content of all files below a path, by name."""
    return {str(file.relative_to(path)): file.read_bytes() for file in sorted(path.rglob("*")) if file.is_file()}
