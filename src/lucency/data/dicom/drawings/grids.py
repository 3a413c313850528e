"""The grid of a DICOM image, as its volume has it after its axes were turned."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pydicom
from numpy.typing import NDArray

from lucency.data.dicom.finding import find_dicom_stacks
from lucency.data.dicom.geometry import Grid
from lucency.data.dicom.header import integer_of
from lucency.data.dicom.series import DicomStack, Slice
from lucency.data.geometry.orientation import NO_TURN, Turn, turn_of, turned_affine
from lucency.data.geometry.voxels import MOST_VOXELS
from lucency.data.reading import RefusedImage
from lucency.domain.masks import ImageGrid


@dataclass(frozen=True)
class SourceImage:
    """A DICOM image that something is drawn on: its files, its grid, and how the one comes to lie on the other."""

    slices: tuple[Slice, ...]
    """From below to above, as they were imaged."""
    grid: ImageGrid
    turn: Turn
    is_resampled: bool
    """True where the slices lay at uneven distances, or the gantry was tilted."""
    is_tiled: bool = False
    """True for a slide, whose frames are the tiles of one picture."""


def grid_of_series(files: Sequence[Path]) -> ImageGrid:
    """Return the grid of the one image that these files hold, as `read_dicom_stack` will give its volume.

    The SOP Instance UIDs stand in the order in which the slices were imaged, turned with the volume: along the rows
    of the volume for a coronal series, along its columns for a sagittal one. Each frame of a multi-frame file has that
    of its file.

    Raises:
        RefusedImage: they hold no image, several (E_MULTIFRAME), or one that cannot be stacked.
    """
    return source_image(files).grid


def source_image(files: Sequence[Path]) -> SourceImage:
    """Return the one image that these files hold.

    Raises:
        RefusedImage: as `grid_of_series`.
    """
    try:
        return _source_among(find_dicom_stacks(files))
    except RefusedImage:
        raise
    except Exception:  # a parser can raise anything on a damaged file
        raise RefusedImage("E_UNREADABLE") from None


def _source_among(stacks: Sequence[DicomStack]) -> SourceImage:
    if len(stacks) == 1 and (slide := _slide_of(stacks[0])):
        return slide
    sound = [stack for stack in stacks if not stack.code]
    if not sound:
        raise RefusedImage(stacks[0].code if stacks else "E_NOT_IMAGE")
    if len(sound) > 1:
        raise RefusedImage("E_MULTIFRAME")
    return _source_of(sound[0])


def _slide_of(stack: DicomStack) -> SourceImage | None:
    """Return a picture made of tiles, as slides of microscopy are, as if it were whole; None where it is none."""
    if stack.code != "E_MULTIFRAME" or len(stack.slices) != 1:
        return None
    path, sides = stack.slices[0].path, ("TotalPixelMatrixRows", "TotalPixelMatrixColumns")
    header = pydicom.dcmread(path, stop_before_pixels=True, force=True, specific_tags=list(sides))
    n_rows, n_columns = (integer_of(header, side) or 0 for side in sides)
    if n_rows < 1 or n_columns < 1:
        return None
    elements = stack.slices[0].elements
    grid = ImageGrid(
        (1, n_rows, n_columns),
        None,
        (elements.get("SOPInstanceUID", ""),),
        elements.get("FrameOfReferenceUID", ""),
    )
    return SourceImage(stack.slices, grid, NO_TURN, is_resampled=False, is_tiled=True)


def _source_of(stack: DicomStack) -> SourceImage:
    first = stack.slices[0].elements
    shape = len(stack.slices), int(first.get("Rows", "0")), int(first.get("Columns", "0"))
    if np.prod(shape, dtype=object) > MOST_VOXELS:
        raise RefusedImage("E_SIZEBOMB")
    frame_uid = first.get("FrameOfReferenceUID", "")
    uids = tuple(one.elements.get("SOPInstanceUID", "") for one in stack.slices)
    if stack.grid is None:
        return SourceImage(stack.slices, ImageGrid(shape, None, uids, frame_uid), NO_TURN, False)
    has_added_slices = stack.grid.distances is not None
    is_resampled = has_added_slices or stack.grid.shifts is not None
    shape = _resampled_shape(shape, stack.grid)
    # A single slice stays as it was stored.
    turn = turn_of(stack.grid.affine) if shape[0] > 1 else NO_TURN
    affine = turned_affine(stack.grid.affine, turn, shape)
    turned_shape = shape[turn.order[0]], shape[turn.order[1]], shape[turn.order[2]]
    if turn.is_reversed[turn.order.index(0)]:
        uids = uids[::-1]
    grid = ImageGrid(turned_shape, affine, uids, frame_uid, has_added_slices)
    return SourceImage(stack.slices, grid, turn, is_resampled)


def _resampled_shape(shape: tuple[int, int, int], grid: Grid) -> tuple[int, int, int]:
    """Return the shape after the resampling that the grid asks for (`geometry.resampling`)."""
    n_slices, n_rows, n_columns = shape
    if grid.distances is not None:
        n_slices = int(np.floor(grid.distances[-1] + 1e-3)) + 1
    if grid.shifts is not None:
        more_rows, more_columns = _growth(grid.shifts)
        n_rows, n_columns = n_rows + more_rows, n_columns + more_columns
    return n_slices, n_rows, n_columns


def _growth(shifts: NDArray[np.float64]) -> tuple[int, int]:
    rows, columns = np.ceil(shifts.max(axis=0) - 1e-6)
    return int(rows), int(columns)
