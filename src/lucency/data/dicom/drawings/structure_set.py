"""Read a radiotherapy structure set (RTSTRUCT) into masks on the grid of its image.

Contours are polygons in millimetres, plane by plane (PS3.3 C.8.8.6). A voxel belongs to a structure if its centre lies
within an odd number of the contours of its plane; `geometry.polygons` says what holds for centres on an edge.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileDataset

from lucency.data.dicom.drawings.drawn import Drawn, numbered, outcome_of
from lucency.data.dicom.drawings.placement import MOST_MISFIT
from lucency.data.dicom.drawings.reference_check import instances_in, items_of, refuse_added_slices, refuse_other_image
from lucency.data.dicom.drawings.segmentation import MOST_SPANNED
from lucency.data.dicom.drawings.whole_file import parse_whole
from lucency.data.dicom.header import integer_of, numbers_of, text_of
from lucency.data.geometry.polygons import joined
from lucency.data.reading import RefusedImage
from lucency.domain.masks import ImageGrid, Mask

_STRUCTURE_SET = "1.2.840.10008.5.1.4.1.1.481.3"
_CLOSED = ("CLOSED_PLANAR", "CLOSEDPLANAR_XOR")
_WITHOUT_AREA = ("POINT", "OPEN_PLANAR", "OPEN_NONPLANAR")


@dataclass(frozen=True)
class _Contour:
    """One closed outline."""

    points: NDArray[np.float64]
    """Index (slice, row, column) of each corner on the grid, axes (point, 3)."""
    sources: frozenset[str]
    """SOP Instance UIDs of the slices that it was drawn on; empty where it does not tell."""


@dataclass(frozen=True)
class _Plane:
    """The contours of a structure that lie in one plane."""

    depth: float
    """Index of the plane along the axis that it is perpendicular to."""
    contours: tuple[_Contour, ...]

    @property
    def slice_(self) -> int:
        """The nearest slice of the grid."""
        return int(np.floor(self.depth + 0.5))

    @property
    def is_between_slices(self) -> bool:
        return abs(self.depth - self.slice_) > MOST_MISFIT


def read_structure_set(path: Path, grid: ImageGrid, beside: Set[str] = frozenset()) -> Drawn:
    """Read the structures of a file, one mask each, or give the code of the reason why they do not fit the image.

    `beside` is for images that are one slice of what was drawn on: the SOP Instance UIDs of the other slices that are
    there. What was drawn on them is left out, with a note, instead of being refused.
    """
    return outcome_of(partial(_read, path, grid, beside))


def _read(path: Path, grid: ImageGrid, beside: Set[str], notes: list[str]) -> tuple[Mask, ...]:
    refuse_added_slices(grid)
    header = parse_whole(path)
    sop_class = text_of(header, "SOPClassUID")
    if sop_class != _STRUCTURE_SET:
        raise RefusedImage("E_NOT_DRAWING" if sop_class else "E_UNREADABLE")
    if grid.affine is None:
        raise RefusedImage("E_MASK_PLACE")
    names = _names_of(header)
    if len(names) * int(np.prod(grid.shape, dtype=object)) > MOST_SPANNED:
        raise RefusedImage("E_SIZEBOMB")
    contours = _contours_of(header, names, np.linalg.inv(grid.affine), notes)
    _check_reference(header, contours, grid, beside, notes)
    readers = _readers_of(header)
    voxels = [
        _voxels_of(_on_image(contours.get(number, []), grid, notes), grid, bool(beside), notes) for number in names
    ]
    return tuple(
        Mask(name, drawn, count, readers.get(number, ""))
        for (number, name), drawn, count in zip(names.items(), voxels, numbered(names.values()), strict=True)
    )


# The header -----------------------------------------------------------------------------------------------------------


def _names_of(header: FileDataset) -> dict[int, str]:
    """Return the name of each structure by its number."""
    items = items_of(header, "StructureSetROISequence")
    names = {
        number: text_of(item, "ROIName") or f"structure {number}"
        for item in items
        if (number := integer_of(item, "ROINumber")) is not None
    }
    if len(names) != len(items):
        raise RefusedImage("E_BAD_HEADER")
    return names


def _readers_of(header: FileDataset) -> dict[int | None, str]:
    observations = items_of(header, "RTROIObservationsSequence")
    return {integer_of(item, "ReferencedROINumber"): text_of(item, "ROIInterpreter") for item in observations}


def _contours_of(
    header: FileDataset, names: Mapping[int, str], to_index: NDArray[np.floating], notes: list[str]
) -> dict[int, list[_Contour]]:
    """Return the closed contours of each structure by its number."""
    contours: dict[int, list[_Contour]] = {}
    for item in items_of(header, "ROIContourSequence"):
        number = integer_of(item, "ReferencedROINumber")
        if number is None or number not in names or number in contours:
            raise RefusedImage("E_BAD_HEADER")
        outlines = items_of(item, "ContourSequence")
        contours[number] = [outline for each in outlines if (outline := _contour_of(each, to_index, notes))]
    return contours


def _contour_of(item: Dataset, to_index: NDArray[np.floating], notes: list[str]) -> _Contour | None:
    """Return a contour; None where it encloses nothing."""
    kind = text_of(item, "ContourGeometricType").upper()
    if kind not in (*_CLOSED, *_WITHOUT_AREA):
        raise RefusedImage("E_BAD_HEADER")
    numbers = numbers_of(item, "ContourData", notes)
    n_points = integer_of(item, "NumberOfContourPoints")
    if not numbers or len(numbers) % 3 or n_points not in (None, len(numbers) // 3):
        raise RefusedImage("E_BAD_HEADER")
    if kind in _WITHOUT_AREA or len(numbers) < 9:
        notes.append("N_MASK_NOT_AREA")
        return None
    ras = np.reshape(numbers, (-1, 3)) * (-1.0, -1.0, 1.0)
    points = ras @ to_index[:3, :3].T + to_index[:3, 3]
    return _Contour(points, frozenset(instances_in(items_of(item, "ContourImageSequence"))))


def _check_reference(
    header: FileDataset,
    contours: Mapping[int, Sequence[_Contour]],
    grid: ImageGrid,
    beside: Set[str],
    notes: list[str],
) -> None:
    """Compare what the file and each of its contours refer to with the image.

    Raises:
        RefusedImage: it refers to other images, or to some that are not there.
    """
    listed, frame_uids = _listed_in(header)
    drawn_on = [contour.sources for some in contours.values() for contour in some]
    refuse_other_image(listed.union(*drawn_on), frame_uids, grid, notes)
    known = set(grid.instance_uids)
    if known and any(sources and not sources & (known | beside) for sources in drawn_on):
        raise RefusedImage("E_MASK_BROKEN_REFERENCE")


def _listed_in(header: FileDataset) -> tuple[set[str], set[str]]:
    """Return the instances and the frames of reference that the file lists in its head."""
    instances: set[str] = set()
    frame_uids = {
        text_of(item, "ReferencedFrameOfReferenceUID") for item in items_of(header, "StructureSetROISequence")
    }
    for frame in items_of(header, "ReferencedFrameOfReferenceSequence"):
        frame_uids.add(text_of(frame, "FrameOfReferenceUID"))
        for study in items_of(frame, "RTReferencedStudySequence"):
            for series in items_of(study, "RTReferencedSeriesSequence"):
                instances |= instances_in(items_of(series, "ContourImageSequence"))
    return instances, set(filter(None, frame_uids))


# From contours to voxels ----------------------------------------------------------------------------------------------


def _voxels_of(
    contours: Sequence[_Contour], grid: ImageGrid, may_go_beyond: bool, notes: list[str]
) -> NDArray[np.bool_]:
    voxels = np.zeros(grid.shape, np.bool_)
    if not contours:
        return voxels
    axis = _axis_across(contours, grid)
    planes = _planes_on(grid, axis, _planes_of(contours, axis), may_go_beyond, notes)
    chosen = _nearest_to_slices(planes, notes)
    slices = np.moveaxis(voxels, axis, 0)
    for number, plane in chosen.items():
        slices[number] = joined([_corners(contour, axis) for contour in plane.contours], slices.shape[1:])
    if chosen and max(chosen) - min(chosen) >= len(chosen):
        notes.append("N_MASK_SKIPPED_SLICES")
    if chosen and not voxels.any():
        _mark_corners(voxels, chosen.values(), notes)
    return voxels


def _on_image(contours: Sequence[_Contour], grid: ImageGrid, notes: list[str]) -> list[_Contour]:
    """Leave out the contours that name slices beside the image."""
    known = set(grid.instance_uids)
    kept = [contour for contour in contours if not known or not contour.sources or contour.sources & known]
    if len(kept) < len(contours):
        notes.append("N_MASK_PART")
    return kept


def _axis_across(contours: Sequence[_Contour], grid: ImageGrid) -> int:
    """Return the axis of the grid that all contours of a structure are perpendicular to; that of the slices before others.

    Raises:
        RefusedImage: they do not lie in planes of the grid.
    """
    extents = np.max([np.ptp(contour.points, axis=0) for contour in contours], axis=0)
    flat = np.flatnonzero(extents <= 2 * MOST_MISFIT)
    if not flat.size:
        raise RefusedImage("E_MASK_PLACE")
    of_slices = [axis for axis in flat if len(grid.instance_uids) == grid.shape[axis]]
    return int(min(of_slices or flat, key=lambda axis: extents[axis]))


def _planes_of(contours: Sequence[_Contour], axis: int) -> Iterator[_Plane]:
    """Gather the contours that lie in one plane."""
    depths = np.array([contour.points[:, axis].mean() for contour in contours])
    order = depths.argsort(kind="stable")
    for together in np.split(order, np.flatnonzero(np.diff(depths[order]) > MOST_MISFIT) + 1):
        yield _Plane(float(depths[together].mean()), tuple(contours[i] for i in together))


def _planes_on(
    grid: ImageGrid, axis: int, planes: Iterable[_Plane], may_go_beyond: bool, notes: list[str]
) -> list[_Plane]:
    """Keep the planes of contours that lie on the image.

    Raises:
        RefusedImage: a contour lies off the image, or on another slice than it names.
    """
    kept = []
    for plane in planes:
        is_on = 0 <= plane.slice_ < grid.shape[axis] and all(_overlaps(each, grid) for each in plane.contours)
        if not is_on and not may_go_beyond:
            raise RefusedImage("E_MASK_PLACE")
        if not is_on or any(_sticks_out(each, grid, axis) for each in plane.contours):
            notes.append("N_MASK_PART")
        if is_on:
            _refuse_contradiction(plane, grid, axis)
            kept.append(plane)
    return kept


def _overlaps(contour: _Contour, grid: ImageGrid) -> bool:
    low, high = contour.points.min(axis=0), contour.points.max(axis=0)
    return bool((high > -0.5).all() and (low < np.array(grid.shape) - 0.5).all())


def _sticks_out(contour: _Contour, grid: ImageGrid, axis: int) -> bool:
    across = [other for other in range(3) if other != axis]
    points, sides = contour.points[:, across], np.array(grid.shape)[across]
    return bool(points.min() < -0.5 - MOST_MISFIT or (points > sides - 0.5 + MOST_MISFIT).any())


def _refuse_contradiction(plane: _Plane, grid: ImageGrid, axis: int) -> None:
    """Compare the slice on which contours lie with the one that they name."""
    uids = grid.instance_uids
    if len(set(uids)) != len(uids) or len(uids) != grid.shape[axis]:
        return
    for contour in plane.contours:
        named = [uids.index(uid) for uid in contour.sources if uid in uids]
        # Between two slices, either may be named.
        if named and min(abs(plane.depth - number) for number in named) > 1 - MOST_MISFIT:
            raise RefusedImage("E_MASK_BROKEN_REFERENCE")


def _nearest_to_slices(planes: Iterable[_Plane], notes: list[str]) -> dict[int, _Plane]:
    """Give each slice the plane of contours that is nearest to it, if within half a slice."""
    chosen: dict[int, _Plane] = {}
    for plane in planes:
        if plane.is_between_slices:
            notes.append("N_MASK_BETWEEN_SLICES")
        other = chosen.get(plane.slice_)
        if other is None or abs(plane.depth - plane.slice_) < abs(other.depth - plane.slice_):
            chosen[plane.slice_] = plane
    return chosen


def _corners(contour: _Contour, axis: int) -> NDArray[np.float64]:
    """Return the corners within the plane, axes (point, (column, row)), with the first pixel's centre at 0.5, 0.5."""
    down, right = (other for other in range(3) if other != axis)
    return contour.points[:, (right, down)] + 0.5


def _mark_corners(voxels: NDArray[np.bool_], planes: Iterable[_Plane], notes: list[str]) -> None:
    """Mark the voxels under the corners of a structure that holds no centre of a voxel, so that it is not lost."""
    notes.append("N_OUTLINE_SMALL")
    for plane in planes:
        for contour in plane.contours:
            corners = np.clip(np.rint(contour.points), 0, np.array(voxels.shape) - 1).astype(int)
            voxels[tuple(corners.T)] = True
