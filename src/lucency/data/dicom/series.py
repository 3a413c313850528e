"""From headers to stacks: exams → series → volumes by geometry, never by the numbers or names of files.

Two patients are never merged, and a stack never becomes thinner without a word: whatever a series holds beside the
stack is refused with a code of its own, and the stack says so.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from lucency.data.dicom.facts import patient_of
from lucency.data.dicom.geometry import (
    SAME_PLACE_MM,
    Grid,
    NoGridError,
    Plane,
    distances_mm,
    grid_of,
    is_even,
    plane_of,
    single_grid,
)
from lucency.data.dicom.scan import ScannedFile
from lucency.data.reading import RefusedImage

CROSS_SECTIONS = {"CT", "MR", "PT", "NM"}
"""Modalities whose pictures are slices; without a place in the patient they are no volume."""

_SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"

_FEWEST_BESIDE_A_LOCALIZER = 4
"""A lone picture in another plane is a localizer where at least so many slices agree with each other."""

_FEWEST_INTERLEAVED = 3
"""Slices that each of two interleaved volumes must have."""

_TOLD_APART_BY: tuple[tuple[str, ...], ...] = (
    ("TemporalPositionIdentifier",),
    ("EchoNumbers",),
    ("EchoTime",),
    ("DiffusionBValue",),
    ("AcquisitionNumber",),
    ("ImageType",),
    ("ConvolutionKernel",),
    ("SliceThickness",),
    ("TriggerTime",),
    ("AcquisitionDate", "AcquisitionTime"),
    ("ContentTime",),
    ("TemporalPositionIdentifier", "EchoNumbers"),
    ("TemporalPositionIdentifier", "ImageType"),
    ("AcquisitionNumber", "EchoNumbers"),
    ("AcquisitionNumber", "ImageType"),
    ("EchoTime", "ImageType"),
    ("DiffusionBValue", "ImageType"),
    ("FrameTime",),
)
"""What tells volumes of one series apart that lie in one place, the most telling first."""

_TIMES = (("TriggerTime",), ("AcquisitionDate", "AcquisitionTime"), ("ContentTime",))
"""What orders pictures of one place in time, even where no two slices share a time."""


@dataclass(frozen=True)
class Slice:
    """One picture that may belong to a stack: a file, or one frame of it."""

    path: Path
    elements: Mapping[str, str]
    """Header texts by keyword, those of the frame first."""
    frame: int = 0
    notes: tuple[str, ...] = ()
    plane: Plane | None = None


@dataclass(frozen=True)
class DicomStack:
    """One volume to be read, or the reason why there is none."""

    slices: tuple[Slice, ...]
    """From below to above; as they stand in the file where there is no geometry."""
    grid: Grid | None = None
    code: str = ""
    notes: tuple[str, ...] = ()

    @property
    def paths(self) -> tuple[Path, ...]:
        """The files in the order of the slices, each once."""
        return tuple(dict.fromkeys(one.path for one in self.slices))


Frames = Callable[[ScannedFile], Sequence[Slice]]
"""Gives the frames of a file that may hold several."""

DigestOf = Callable[[Slice], str]
"""Gives a hash of the values of a slice; raises RefusedImage where it cannot be read."""


@dataclass(frozen=True)
class _Sorting:
    """What has been found out about one series so far."""

    stacks: list[DicomStack] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    """Of every stack of the series."""

    def refuse(self, slices: Iterable[Slice], code: str) -> None:
        self.stacks.extend(DicomStack((one,), code=code) for one in slices)


def sort_into_stacks(files: Iterable[ScannedFile], frames_of: Frames, digest_of: DigestOf) -> list[DicomStack]:
    """Sort files into stacks; every file ends in one stack, or in one for each volume that it holds."""
    refused: list[ScannedFile] = []
    series: dict[tuple[str, ...], list[Slice]] = defaultdict(list)
    for file in files:
        try:
            if file.code:
                raise RefusedImage(file.code)
            series[_series_of(file)].extend(_slices_of(file, frames_of))
        except RefusedImage as reason:
            refused.append(replace(file, code=reason.code))
        except Exception:  # a parser can raise anything on a damaged file
            refused.append(replace(file, code="E_UNREADABLE"))
    stacks = [stack for slices in series.values() for stack in _sort_series(slices, digest_of)]
    stacks = _with_losses(stacks, refused)
    stacks += [DicomStack((Slice(file.path, file.elements),), code=file.code, notes=file.notes) for file in refused]
    return sorted(stacks, key=lambda stack: (stack.slices[0].path.as_posix(), stack.slices[0].frame))


def _series_of(file: ScannedFile) -> tuple[str, ...]:
    uid = file.elements.get("SeriesInstanceUID", "")
    # Where the series is not told, geometry sorts what lies together.
    return (uid,) if uid else ("", file.path.parent.as_posix())


def _slices_of(file: ScannedFile, frames_of: Frames) -> list[Slice]:
    slices = frames_of(file)
    placed = []
    for one in slices:
        notes = [*file.notes, *one.notes]
        plane = plane_of(one.elements, notes)
        placed.append(replace(one, plane=plane, notes=tuple(dict.fromkeys(notes))))
    return placed


def _sort_series(slices: list[Slice], digest_of: DigestOf) -> list[DicomStack]:
    patients = _by(slices, _person)
    notes = ["N_MIXED_PATIENTS"] if len(patients) > 1 else []
    stacks = []
    for of_one_patient in patients.values():
        sorting = _Sorting(notes=list(notes))
        _sort_of_one_patient(of_one_patient, sorting, digest_of)
        stacks += [
            replace(stack, notes=_merged(stack.slices, stack.notes, sorting.notes)) if not stack.code else stack
            for stack in sorting.stacks
        ]
    return stacks


def _person(one: Slice) -> tuple[str, ...]:
    """Tell the person and the exam of a slice, for comparison only."""
    text = one.elements.get
    name = "".join(letter for letter in text("PatientName", "").casefold() if letter.isalnum())
    return (
        patient_of(lambda keyword: text(keyword, "")),
        name,
        text("PatientBirthDate", ""),
        text("StudyInstanceUID", ""),
    )


def _sort_of_one_patient(slices: list[Slice], sorting: _Sorting, digest_of: DigestOf) -> None:
    localizers = [one for one in slices if "LOCALIZER" in _image_type(one)]
    mosaics = [one for one in slices if "MOSAIC" in _image_type(one)]
    sorting.refuse(localizers, "E_LOCALIZER")
    sorting.refuse(mosaics, "E_MULTIFRAME")
    if localizers:
        sorting.notes.append("N_LOCALIZER_DROPPED")
    aside = {id(one) for one in (*localizers, *mosaics)}
    slices = [one for one in slices if id(one) not in aside]
    placed = [one for one in slices if one.plane is not None]
    _sort_without_place([one for one in slices if one.plane is None], bool(placed), sorting)
    kinds = _of_one_kind(placed)
    kinds = _without_lone_planes(kinds, sorting)
    if len(kinds) > 1:
        sorting.notes.append("N_SPLIT_SERIES")
    for kind in kinds:
        if different := _without_copies(kind, sorting, digest_of):
            _stack(different, sorting, digest_of)


def _image_type(one: Slice) -> list[str]:
    return one.elements.get("ImageType", "").upper().split("\\")


def _sort_without_place(slices: list[Slice], has_others: bool, sorting: _Sorting) -> None:
    """Deal with pictures that do not tell their place: radiographs stand alone, slices of a body cannot."""
    by_file = _by(slices, lambda one: (one.path.as_posix(),))
    homeless = []
    for frames in by_file.values():
        if not _must_have_a_place(frames[0]):
            notes = () if len(frames) == 1 else ("N_NO_GEOMETRY",)
            sorting.stacks.append(DicomStack(tuple(frames), notes=notes))
        elif len(by_file) == 1 and len(frames) == 1 and not has_others:
            sorting.stacks.append(DicomStack(tuple(frames), notes=("N_NO_GEOMETRY",)))
        else:
            homeless += frames
    if homeless:
        sorting.stacks.append(DicomStack(tuple(homeless), code="E_NOGEOM"))
        if has_others:
            sorting.notes.append("N_INCOMPLETE")


def _must_have_a_place(one: Slice) -> bool:
    is_capture = one.elements.get("SOPClassUID", "").startswith(_SECONDARY_CAPTURE)
    return one.elements.get("Modality", "").upper() in CROSS_SECTIONS and not is_capture


def _of_one_kind(slices: list[Slice]) -> list[list[Slice]]:
    """Divide slices by size, plane, pixel size and frame of reference."""
    kinds: list[list[Slice]] = []
    for one in sorted(slices, key=_stable_order):
        for kind in kinds:
            if _format(kind[0]) == _format(one) and _plane(kind[0]).is_parallel_to(_plane(one)):
                kind.append(one)
                break
        else:
            kinds.append([one])
    return kinds


def _format(one: Slice) -> tuple[str, ...]:
    keywords = ("Rows", "Columns", "SamplesPerPixel", "FrameOfReferenceUID")
    return tuple(one.elements.get(keyword, "") for keyword in keywords)


def _plane(one: Slice) -> Plane:
    assert one.plane is not None
    return one.plane


def _stable_order(one: Slice) -> tuple[str, int, str]:
    """Order slices by what they are, and only copies by where they lie."""
    return one.elements.get("SOPInstanceUID", ""), one.frame, one.path.as_posix()


def _without_lone_planes(kinds: list[list[Slice]], sorting: _Sorting) -> list[list[Slice]]:
    """Set single pictures in other planes than the stack's aside: localizers that do not say so."""
    most = max((len(kind) for kind in kinds), default=0)
    if most < _FEWEST_BESIDE_A_LOCALIZER:
        return kinds
    main = next(kind for kind in kinds if len(kind) == most)
    lone = [kind for kind in kinds if len(kind) == 1 and not _is_same_plane(kind[0], main[0])]
    for kind in lone:
        sorting.refuse(kind, "E_LOCALIZER")
    if lone:
        sorting.notes.append("N_LOCALIZER_DROPPED")
    return [kind for kind in kinds if kind not in lone]


def _is_same_plane(one: Slice, other: Slice) -> bool:
    return bool(abs(_plane(one).normal @ _plane(other).normal) > 0.99)


def _without_copies(slices: list[Slice], sorting: _Sorting, digest_of: DigestOf) -> list[Slice]:
    """Keep one of several copies of the same object; copies with other pixels stay, and are found by their place."""
    kept: list[Slice] = []
    for copies in _by(slices, lambda one: (one.elements.get("SOPInstanceUID", ""), str(one.frame))).values():
        kept += _different_ones(copies, sorting, digest_of)
    return kept


def _different_ones(slices: list[Slice], sorting: _Sorting, digest_of: DigestOf) -> list[Slice]:
    """Return slices that differ from each other in place or values; the others are copies, or cannot be read."""
    if len(slices) == 1:
        return slices
    kept: list[tuple[Slice, str]] = []
    for one in sorted(slices, key=lambda one: (one.path.as_posix(), one.frame)):
        try:
            digest = digest_of(one)
        except RefusedImage as reason:
            sorting.refuse([one], reason.code)
            continue
        if any(digest == known and _is_same_place(one, other) for other, known in kept):
            sorting.refuse([one], "E_DUPLICATE")
            sorting.notes.append("N_DUPLICATE_SLICE")
        else:
            kept.append((one, digest))
    if not kept:
        sorting.notes.append("N_INCOMPLETE")
    return [one for one, _ in kept]


def _is_same_place(one: Slice, other: Slice) -> bool:
    return bool(abs(_plane(one).position - _plane(other).position).max() < SAME_PLACE_MM)


def _stack(slices: list[Slice], sorting: _Sorting, digest_of: DigestOf) -> None:
    """Make one stack of slices of one kind, or several where they lie in the same places or between each other."""
    slices = sorted(slices, key=lambda one: one.path.as_posix())
    if parts := _told_apart(slices):
        sorting.notes.append("N_SPLIT_4D")
    else:
        parts = [[one for place in _places(slices) for one in _different_ones(place, sorting, digest_of)]]
    for part in filter(None, parts):
        if _most_in_one_place(_places(part)) > 1:
            sorting.stacks.append(DicomStack(tuple(_ordered(part)), code="E_DUPPOS"))
        else:
            _lay(_ordered(part), sorting)


def _lay(slices: list[Slice], sorting: _Sorting) -> None:
    """Put ordered slices, each in a place of its own, on a grid."""
    planes = [_plane(one) for one in slices]
    try:
        grid = grid_of(planes) if len(slices) > 1 else single_grid(planes[0], slices[0].elements)
    except NoGridError as reason:
        sorting.stacks.append(DicomStack(tuple(slices), code=reason.code))
    else:
        sorting.stacks.append(DicomStack(tuple(slices), grid, notes=grid.notes))


def _ordered(slices: list[Slice]) -> list[Slice]:
    distances = distances_mm([_plane(one) for one in slices])
    return [slices[i] for i in distances.argsort(kind="stable")]


def _places(slices: list[Slice]) -> list[list[Slice]]:
    """Gather the slices that lie in one place along the normal, from below to above."""
    ordered = _ordered(slices)
    distances = distances_mm([_plane(one) for one in ordered])
    places = [[ordered[0]]]
    for before, at, one in zip(distances, distances[1:], ordered[1:], strict=False):
        if at - before < SAME_PLACE_MM:
            places[-1].append(one)
        else:
            places.append([one])
    return places


def _most_in_one_place(places: list[list[Slice]]) -> int:
    return max(len(place) for place in places)


def _told_apart(slices: list[Slice]) -> list[list[Slice]] | None:
    """Divide slices into as many volumes as lie in the same places; None where there is one, or nothing tells them apart.

    Slices at uneven distances may be two volumes that interleave; they are divided where each part is even.
    """
    n_volumes = _most_in_one_place(_places(slices))
    if n_volumes == 1 and (len(slices) < 2 * _FEWEST_INTERLEAVED or _is_even(slices)):
        return None
    for keywords in _TOLD_APART_BY:
        parts = _by(slices, lambda one, keywords=keywords: _values(one, keywords))  # type: ignore[misc]
        if _are_volumes(list(parts.values()), n_volumes):
            return [parts[key] for key in sorted(parts, key=lambda key: [_as_number(text) for text in key])]
    return _in_turn(slices, n_volumes) if n_volumes > 1 else None


def _are_volumes(parts: list[list[Slice]], n_volumes: int) -> bool:
    if any(_most_in_one_place(_places(part)) > 1 for part in parts):
        return False
    if n_volumes > 1:
        return len(parts) == n_volumes
    return len(parts) > 1 and all(len(part) >= _FEWEST_INTERLEAVED and _is_even(part) for part in parts)


def _is_even(slices: list[Slice]) -> bool:
    return is_even(np.sort(distances_mm([_plane(one) for one in slices])))


def _in_turn(slices: list[Slice], n_volumes: int) -> list[list[Slice]] | None:
    """Divide a film by time: the first picture of every place, the second of every place, and so on."""
    places = _places(slices)
    if any(len(place) != n_volumes for place in places):
        return None
    for keywords in _TIMES:
        timed = [sorted(place, key=lambda one, k=keywords: _order(one, k)) for place in places]  # type: ignore[misc]
        if all(len({_values(one, keywords) for one in place}) == n_volumes for place in timed):
            return [[place[turn] for place in timed] for turn in range(n_volumes)]
    return None


def _values(one: Slice, keywords: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(one.elements.get(keyword, "") for keyword in keywords)


def _order(one: Slice, keywords: tuple[str, ...]) -> list[tuple[float, str]]:
    return [_as_number(text) for text in _values(one, keywords)]


def _as_number(text: str) -> tuple[float, str]:
    """Order numbers by their value, and other texts by their letters before them."""
    try:
        return float(text), ""
    except ValueError:
        return float("-inf"), text


def _with_losses(stacks: list[DicomStack], refused: list[ScannedFile]) -> list[DicomStack]:
    """Note on stacks of slices that a file of the same series, or an unknown one beside it, cannot be read.

    What is missing at the end of a stack leaves no gap that geometry could show.
    """
    lost = [file for file in refused if file.code != "E_NOT_IMAGE"]
    series = {uid for file in lost if (uid := file.elements.get("SeriesInstanceUID", ""))}
    folders = {file.path.parent for file in lost if not file.elements.get("SeriesInstanceUID", "")}

    def is_touched(stack: DicomStack) -> bool:
        if stack.code or (len(stack.slices) == 1 and not _must_have_a_place(stack.slices[0])):
            return False
        uids = {one.elements.get("SeriesInstanceUID", "") for one in stack.slices}
        return bool(uids & series) or any(path.parent in folders for path in stack.paths)

    return [replace(stack, notes=(*stack.notes, "N_INCOMPLETE")) if is_touched(stack) else stack for stack in stacks]


def _merged(slices: Iterable[Slice], *more: Iterable[str]) -> tuple[str, ...]:
    notes = [note for one in slices for note in one.notes]
    return tuple(dict.fromkeys([*notes, *(note for some in more for note in some)]))


def _by(slices: Iterable[Slice], key: Callable[[Slice], tuple[str, ...]]) -> dict[tuple[str, ...], list[Slice]]:
    """Group slices by a key."""
    groups: dict[tuple[str, ...], list[Slice]] = defaultdict(list)
    for one in slices:
        groups[key(one)].append(one)
    return groups
