"""Read a DICOM segmentation (SEG) into masks on the grid of its image, without resampling.

Binary, fractional and label-map segmentations, in one frame or many, in any order of frames (PS3.3 A.51, C.8.20).
"""

import zlib
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass, replace
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileDataset
from pydicom.encaps import get_frame

from lucency.data.dicom.drawings.drawn import Drawn, numbered, outcome_of
from lucency.data.dicom.drawings.placement import Place, flat_place, place_of
from lucency.data.dicom.drawings.reference_check import instances_in, items_of, refuse_added_slices, refuse_other_image
from lucency.data.dicom.drawings.whole_file import parse_whole
from lucency.data.dicom.enhanced import MOST_FRAMES, told_by
from lucency.data.dicom.geometry import Plane, plane_of
from lucency.data.dicom.header import integer_of, text_of
from lucency.data.dicom.pixels import Layout, decode_pixels, layout_of
from lucency.data.geometry.voxels import MOST_VOXELS
from lucency.data.reading import RefusedImage
from lucency.domain.masks import ImageGrid, Mask

_BINARY_OR_FRACTIONAL, _LABEL_MAP = "1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.66.7"
_DEFLATED_FRAMES = "1.2.840.10008.1.2.8.1"

MOST_WRITTEN = 8 * MOST_VOXELS
"""Voxels that the frames of one file may fill; a hundred organs on a large CT have about 2,700 million."""

MOST_SPANNED = 64 * MOST_VOXELS
"""Voxels of all masks of a file together; those that no frame fills take no memory."""


@dataclass(frozen=True)
class _Kind:
    """What the pixels of a segmentation mean."""

    is_label_map: bool
    is_fractional: bool
    highest: int
    """The value that stands for 1 in a fractional segmentation."""

    @property
    def dtype(self) -> type:
        return np.float32 if self.is_fractional else np.bool_


@dataclass(frozen=True)
class _Frame:
    """What the header says about one frame."""

    number: int
    segment: int | None
    """None in a label map, whose pixels tell."""
    plane: Plane | None
    tile: tuple[int, int] | None
    """Row and column of the first pixel in the picture that is made of tiles."""
    sources: tuple[Dataset, ...]
    """References to the instances that the frame was drawn on."""


def read_segmentation(path: Path, grid: ImageGrid, beside: Set[str] = frozenset()) -> Drawn:
    """Read the segments of a file, one mask each, or give the code of the reason why they do not fit the image.

    `beside` is for images that are one slice of what was drawn on: the SOP Instance UIDs of the other slices that are
    there. What was drawn on them is left out, with a note, instead of being refused.
    """
    return outcome_of(partial(_read, path, grid, beside))


def _read(path: Path, grid: ImageGrid, beside: Set[str], notes: list[str]) -> tuple[Mask, ...]:
    refuse_added_slices(grid)
    header = parse_whole(path)
    kind = _kind_of(header)
    segments = _segments_of(header, kind)
    layout = _layout_of(header, kind)
    _refuse_bomb(len(segments), layout, grid)
    _refuse_other_tiles(header, grid)
    frames = _frames_of(header, layout, kind)
    _check_reference(header, frames, grid, notes)
    places = [_place_on(grid, frame, layout, beside) for frame in frames]
    if None in places:
        notes.append("N_MASK_PART")
    voxels = _laid(header, layout, kind, segments, frames, places, grid)
    return tuple(_masks(header, segments, voxels))


def _kind_of(header: FileDataset) -> _Kind:
    sop_class = text_of(header, "SOPClassUID")
    if sop_class not in (_BINARY_OR_FRACTIONAL, _LABEL_MAP):
        raise RefusedImage("E_NOT_DRAWING" if sop_class else "E_UNREADABLE")
    kind = text_of(header, "SegmentationType").upper()
    if kind not in (("LABELMAP",) if sop_class == _LABEL_MAP else ("BINARY", "FRACTIONAL")):
        raise RefusedImage("E_BAD_HEADER")
    highest = integer_of(header, "MaximumFractionalValue") or 0
    if kind == "FRACTIONAL" and highest < 1:
        raise RefusedImage("E_BAD_HEADER")
    return _Kind(kind == "LABELMAP", kind == "FRACTIONAL", highest)


def _segments_of(header: FileDataset, kind: _Kind) -> dict[int, Dataset]:
    """Return the description of each segment by its number; number 0 of a label map is the background."""
    items = items_of(header, "SegmentSequence")
    segments = {number: item for item in items if (number := integer_of(item, "SegmentNumber")) is not None}
    if len(segments) != len(items) or min(segments, default=0) < 0:
        raise RefusedImage("E_BAD_HEADER")
    return {number: item for number, item in sorted(segments.items()) if number or not kind.is_label_map}


def _layout_of(header: FileDataset, kind: _Kind) -> Layout:
    if "PixelData" not in header:
        raise RefusedImage("E_TRUNCATED")
    layout = layout_of(header)
    most_bits = 16 if kind.is_label_map else 8
    if layout.n_samples != 1 or layout.is_signed or layout.bits_allocated not in (1, 8, most_bits):
        raise RefusedImage("E_BAD_HEADER")
    if kind.is_fractional and layout.bits_allocated == 1:
        raise RefusedImage("E_BAD_HEADER")
    if layout.n_frames > MOST_FRAMES:
        raise RefusedImage("E_SIZEBOMB")
    return layout


def _refuse_bomb(n_segments: int, layout: Layout, grid: ImageGrid) -> None:
    """Add up the claims before memory is taken."""
    n_written = layout.n_frames * layout.n_rows * layout.n_columns
    n_slices, n_rows, n_columns = grid.shape
    if n_written > MOST_WRITTEN or n_segments * n_slices * n_rows * n_columns > MOST_SPANNED:
        raise RefusedImage("E_SIZEBOMB")


def _refuse_other_tiles(header: FileDataset, grid: ImageGrid) -> None:
    """Compare the size of a picture made of tiles, before its tiles are counted."""
    if "TotalPixelMatrixColumns" not in header:
        return
    sides = tuple(integer_of(header, f"TotalPixelMatrix{side}") for side in ("Rows", "Columns"))
    if sides != grid.shape[1:]:
        raise RefusedImage("E_MASK_SIZE")


# Frames ---------------------------------------------------------------------------------------------------------------


def _frames_of(header: FileDataset, layout: Layout, kind: _Kind) -> list[_Frame]:
    shared = (items_of(header, "SharedFunctionalGroupsSequence") or [Dataset()])[0]
    if text_of(header, "DimensionOrganizationType").upper() == "TILED_FULL":
        return _full_tiles(header, layout, kind)
    per_frame = items_of(header, "PerFrameFunctionalGroupsSequence")
    if len(per_frame) != layout.n_frames:
        raise RefusedImage("E_BAD_HEADER")
    common = told_by(shared)
    common_segment = _segment_in(shared)
    is_tiled = "TotalPixelMatrixColumns" in header
    frames = []
    for number, groups in enumerate(per_frame):
        segment = None if kind.is_label_map else _segment_in(groups) or common_segment
        if segment is None and not kind.is_label_map:
            raise RefusedImage("E_BAD_HEADER")
        plane = None if is_tiled else plane_of(common | told_by(groups), [])
        tile = _tile_in(groups) if is_tiled else None
        frames.append(_Frame(number, segment, plane, tile, _sources_in(groups) or _sources_in(shared)))
    return frames


def _full_tiles(header: FileDataset, layout: Layout, kind: _Kind) -> list[_Frame]:
    """Return the tiles of a picture that has all of them: by segment, then row by row (PS3.3 C.7.6.17.3)."""
    rows = range(0, integer_of(header, "TotalPixelMatrixRows") or 0, layout.n_rows)
    columns = range(0, integer_of(header, "TotalPixelMatrixColumns") or 0, layout.n_columns)
    numbers = [integer_of(item, "SegmentNumber") for item in items_of(header, "SegmentSequence")]
    segments = [None] if kind.is_label_map else sorted(number for number in numbers if number is not None)
    if len(segments) * len(rows) * len(columns) != layout.n_frames:
        raise RefusedImage("E_BAD_HEADER")
    tiles = enumerate(product(segments, rows, columns))
    return [_Frame(number, segment, None, (row, column), ()) for number, (segment, row, column) in tiles]


def _segment_in(groups: Dataset) -> int | None:
    items = items_of(groups, "SegmentIdentificationSequence")
    return integer_of(items[0], "ReferencedSegmentNumber") if items else None


def _tile_in(groups: Dataset) -> tuple[int, int]:
    items = items_of(groups, "PlanePositionSlideSequence")
    row, column = (
        integer_of(items[0], f"{side}PositionInTotalImagePixelMatrix") if items else None for side in ("Row", "Column")
    )
    if row is None or column is None:
        raise RefusedImage("E_BAD_HEADER")
    return row - 1, column - 1


def _sources_in(groups: Dataset) -> tuple[Dataset, ...]:
    derivations = items_of(groups, "DerivationImageSequence")
    return tuple(source for item in derivations for source in items_of(item, "SourceImageSequence"))


# Fit ------------------------------------------------------------------------------------------------------------------


def _check_reference(header: FileDataset, frames: list[_Frame], grid: ImageGrid, notes: list[str]) -> None:
    referenced = instances_in(items_of(header, "SourceImageSequence"))
    for series in items_of(header, "ReferencedSeriesSequence"):
        referenced |= instances_in(items_of(series, "ReferencedInstanceSequence"))
    for frame in frames:
        referenced |= instances_in(frame.sources)
    frame_uids = set(filter(None, [text_of(header, "FrameOfReferenceUID")]))
    refuse_other_image(referenced, frame_uids, grid, notes)


def _place_on(grid: ImageGrid, frame: _Frame, layout: Layout, beside: Set[str]) -> Place | None:
    """Return where a frame lies; None where it lies on a slice beside the image."""
    sources = instances_in(frame.sources)
    try:
        return _tile_on(grid, frame, layout) if frame.tile is not None else _plane_on(grid, frame, layout)
    except RefusedImage as reason:
        is_elsewhere = bool(sources & beside) if sources else bool(beside)
        if is_elsewhere and reason.code in ("E_MASK_PLACE", "E_MASK_BROKEN_REFERENCE"):
            return None
        raise


def _tile_on(grid: ImageGrid, frame: _Frame, layout: Layout) -> Place:
    """Place a tile; at the right and lower end of the picture it may stick out."""
    assert frame.tile is not None
    row, column = frame.tile
    n_slices, n_rows, n_columns = grid.shape
    if n_slices != 1 or not (0 <= row < n_rows and 0 <= column < n_columns):
        raise RefusedImage("E_MASK_PLACE")
    return flat_place(0, min(layout.n_rows, n_rows - row), min(layout.n_columns, n_columns - column), row, column)


def _plane_on(grid: ImageGrid, frame: _Frame, layout: Layout) -> Place:
    """Place a frame by its geometry where there is any, else by what it refers to.

    Raises:
        RefusedImage: it does not lie on the grid, or geometry and reference contradict each other.
    """
    if frame.plane is None or grid.affine is None:
        return _place_by_reference(grid, frame, layout)
    place = place_of(frame.plane, layout.n_rows, layout.n_columns, grid.affine)
    if place is None or not place.lies_within(grid.shape):
        raise RefusedImage("E_MASK_PLACE")
    uids = grid.instance_uids
    sources = instances_in(frame.sources)
    if uids and sources and not sources & set(uids):
        raise RefusedImage("E_MASK_BROKEN_REFERENCE")
    # A frame that was drawn on one slice has to lie on it.
    if len(sources) == 1 and len(set(uids)) == len(uids) == grid.shape[place.through]:
        (source,) = sources
        if uids.index(source) != place.start[place.through]:
            raise RefusedImage("E_MASK_BROKEN_REFERENCE")
    return place


def _place_by_reference(grid: ImageGrid, frame: _Frame, layout: Layout) -> Place:
    if (layout.n_rows, layout.n_columns) != grid.shape[1:]:
        raise RefusedImage("E_MASK_SIZE")
    if grid.shape[0] > 1 and grid.affine is not None:
        raise RefusedImage("E_MASK_PLACE")  # a volume was turned, and nothing tells how the frame lies in it
    return flat_place(_slice_referred_to(grid, frame), layout.n_rows, layout.n_columns)


def _slice_referred_to(grid: ImageGrid, frame: _Frame) -> int:
    uids = grid.instance_uids
    sources = [source for source in frame.sources if text_of(source, "ReferencedSOPInstanceUID") in uids]
    if frame.sources and uids and not sources:
        raise RefusedImage("E_MASK_BROKEN_REFERENCE")
    if grid.shape[0] == 1:
        return 0
    if len(sources) != 1:
        raise RefusedImage("E_MASK_BROKEN_REFERENCE")
    if len(set(uids)) == len(uids):
        return uids.index(text_of(sources[0], "ReferencedSOPInstanceUID"))
    number = integer_of(sources[0], "ReferencedFrameNumber")
    if number is None or not 1 <= number <= grid.shape[0]:
        raise RefusedImage("E_MASK_BROKEN_REFERENCE")
    return number - 1


# Pixels ---------------------------------------------------------------------------------------------------------------


def _laid(
    header: FileDataset,
    layout: Layout,
    kind: _Kind,
    segments: Mapping[int, Dataset],
    frames: list[_Frame],
    places: list[Place | None],
    grid: ImageGrid,
) -> dict[int, NDArray[Any]]:
    """Lay every frame on its place in the mask of its segment."""
    masks: dict[int, NDArray[Any]] = {number: np.zeros(grid.shape, kind.dtype) for number in segments}
    seen: set[tuple[int | None, Place]] = set()
    for frame, place in zip(frames, places, strict=True):
        if place is None:
            continue
        if (frame.segment, place) in seen:
            raise RefusedImage("E_DUPPOS")
        seen.add((frame.segment, place))
        stored = _stored(header, layout, frame.number)[: place.n_rows, : place.n_columns]
        for number, values in _by_segment(stored, frame, kind):
            if number not in masks:
                raise RefusedImage("E_BAD_HEADER")
            place.view(masks[number])[...] = values
    return masks


def _by_segment(stored: NDArray[Any], frame: _Frame, kind: _Kind) -> Iterator[tuple[int, NDArray[Any]]]:
    if kind.is_label_map:
        for number in np.unique(stored):
            if number:
                yield int(number), stored == number
        return
    assert frame.segment is not None
    if stored.size and stored.max() > (kind.highest if kind.is_fractional else 1):
        raise RefusedImage("E_BAD_HEADER")
    if kind.is_fractional:
        yield frame.segment, (stored / np.float32(kind.highest)).astype(np.float32)
    else:
        yield frame.segment, stored.astype(np.bool_)


def _stored(header: FileDataset, layout: Layout, number: int) -> NDArray[Any]:
    """Return the stored values of a frame, axes (row, column); bits are packed across the ends of frames."""
    if layout.transfer_syntax == _DEFLATED_FRAMES:
        return _unpacked(_inflated_frame(header, layout, number), 0, layout)
    if layout.bits_allocated > 1:
        return decode_pixels(header, layout, number)
    if layout.transfer_syntax.is_encapsulated:
        return decode_pixels(header, replace(layout, bits_allocated=8), number)  # decoders know of no smaller number
    content = header["PixelData"].value
    if len(content) * 8 < layout.n_frames * layout.n_rows * layout.n_columns:
        raise RefusedImage("E_TRUNCATED")
    return _unpacked(content, number * layout.n_rows * layout.n_columns, layout)


def _unpacked(content: bytes, n_pixels_before: int, layout: Layout) -> NDArray[Any]:
    shape = layout.n_rows, layout.n_columns
    n_pixels = layout.n_rows * layout.n_columns
    if layout.bits_allocated > 1:
        return np.frombuffer(content, f"<u{layout.bits_allocated // 8}", n_pixels).reshape(shape)
    first, offset = divmod(n_pixels_before, 8)
    packed = np.frombuffer(content, np.uint8, (offset + n_pixels + 7) // 8, first)
    return np.unpackbits(packed, count=offset + n_pixels, bitorder="little")[offset:].reshape(shape)


def _inflated_frame(header: FileDataset, layout: Layout, number: int) -> bytes:
    n_bytes = (layout.n_rows * layout.n_columns * layout.bits_allocated + 7) // 8
    stream = get_frame(header["PixelData"].value, number, number_of_frames=layout.n_frames)
    frame = zlib.decompressobj(-zlib.MAX_WBITS).decompress(stream, n_bytes)
    if len(frame) < n_bytes:
        raise RefusedImage("E_TRUNCATED")
    return frame


# Names ----------------------------------------------------------------------------------------------------------------


def _masks(header: FileDataset, segments: Mapping[int, Dataset], voxels: Mapping[int, NDArray[Any]]) -> Iterator[Mask]:
    reader = text_of(header, "ContentCreatorName")
    names = [_name_of(segment) or f"segment {number}" for number, segment in segments.items()]
    for name, drawn, count in zip(names, voxels.values(), numbered(names), strict=True):
        yield Mask(name, drawn, count, reader)


def _name_of(segment: Dataset) -> str:
    """Return the label of a segment, else what its coded type means."""
    types = items_of(segment, "SegmentedPropertyTypeCodeSequence")
    return text_of(segment, "SegmentLabel") or (text_of(types[0], "CodeMeaning") if types else "")
