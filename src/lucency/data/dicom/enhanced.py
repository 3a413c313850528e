"""The frames of one file: enhanced multi-frame objects tell for each frame where it lies, films do not."""

from collections.abc import Mapping
from pathlib import Path

import pydicom
from pydicom.dataset import Dataset

from lucency.data.dicom.header import silence_libraries, text_of
from lucency.data.dicom.scan import ScannedFile
from lucency.data.dicom.series import Slice
from lucency.data.reading import RefusedImage

MOST_FRAMES = 100_000
"""More frames are no recording of a patient."""

_GROUPS: Mapping[str, tuple[str, ...]] = {
    "PlanePositionSequence": ("ImagePositionPatient",),
    "PlaneOrientationSequence": ("ImageOrientationPatient",),
    "PixelMeasuresSequence": ("PixelSpacing", "SliceThickness", "SpacingBetweenSlices"),
    "PixelValueTransformationSequence": ("RescaleSlope", "RescaleIntercept"),
    "MREchoSequence": ("EffectiveEchoTime",),
    "MRDiffusionSequence": ("DiffusionBValue",),
    "CardiacSynchronizationSequence": ("NominalCardiacTriggerDelayTime",),
    "TemporalPositionSequence": ("TemporalPositionTimeOffset",),
    "CTImageFrameTypeSequence": ("FrameType",),
    "MRImageFrameTypeSequence": ("FrameType",),
    "PETFrameTypeSequence": ("FrameType",),
    "FrameContentSequence": ("TemporalPositionIndex", "FrameAcquisitionNumber", "FrameAcquisitionDateTime", "StackID"),
}
"""Functional group → what it tells of a frame (PS3.3 C.7.6.16)."""

_CLASSIC = {
    "EffectiveEchoTime": "EchoTime",
    "NominalCardiacTriggerDelayTime": "TriggerTime",
    "TemporalPositionTimeOffset": "ContentTime",
    "FrameType": "ImageType",
    "TemporalPositionIndex": "TemporalPositionIdentifier",
    "FrameAcquisitionNumber": "AcquisitionNumber",
    "FrameAcquisitionDateTime": "AcquisitionTime",
}
"""What single-frame images call the same thing."""

_OF_FRAMES_ONLY = ("ImagePositionPatient", "ImageOrientationPatient")
"""Of several frames, a place at the top of the header is that of the first at best."""


def frames_of(file: ScannedFile) -> list[Slice]:
    """Return the frames of a file with the header texts of each; an ordinary file is one frame.

    Raises:
        RefusedImage: the number of frames is impossible.
        Exception: anything a parser can raise on a damaged file.
    """
    n_frames = _number_of_frames(file.elements.get("NumberOfFrames", "1"))
    if n_frames == 1 and "ImagePositionPatient" in file.elements:
        return [Slice(file.path, file.elements)]
    if n_frames == 1 and "Enhanced" not in pydicom.uid.UID(file.elements.get("SOPClassUID", "")).name:
        return [Slice(file.path, file.elements)]
    header = _parse_functional_groups(file.path)
    if "TotalPixelMatrixColumns" in header and n_frames > 1:
        raise RefusedImage("E_MULTIFRAME")  # the tiles of one picture
    per_frame = header.get("PerFrameFunctionalGroupsSequence") or []
    if per_frame and len(per_frame) != n_frames:
        raise RefusedImage("E_BAD_HEADER")
    common = {keyword: text for keyword, text in file.elements.items() if keyword not in _OF_FRAMES_ONLY}
    shared = header.get("SharedFunctionalGroupsSequence") or [Dataset()]
    common |= told_by(shared[0])
    return [
        Slice(file.path, common | (told_by(per_frame[frame]) if per_frame else {}), frame) for frame in range(n_frames)
    ]


def _number_of_frames(text: str) -> int:
    try:
        n_frames = int(text)
    except ValueError:
        return 1  # "1A": the pixels will tell
    if n_frames > MOST_FRAMES:
        raise RefusedImage("E_SIZEBOMB")
    return max(n_frames, 1)


def _parse_functional_groups(path: Path) -> Dataset:
    silence_libraries()
    keywords = ["SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence", "TotalPixelMatrixColumns"]
    return pydicom.dcmread(path, stop_before_pixels=True, force=True, specific_tags=list(keywords))


def told_by(groups: Dataset) -> dict[str, str]:
    """Return the texts of functional groups under the keywords of single-frame images."""
    texts = {}
    for sequence, keywords in _GROUPS.items():
        items = groups.get(sequence) or []
        for keyword in keywords if items else ():
            if text := _whole_text(items[0], keyword):
                texts[_CLASSIC.get(keyword, keyword)] = text
    return texts


def _whole_text(item: Dataset, keyword: str) -> str:
    """Return all values of an element with a backslash between them."""
    value = item.get(keyword)
    if isinstance(value, (list, tuple, pydicom.multival.MultiValue)):
        return "\\".join(str(part) for part in value)
    return text_of(item, keyword)
