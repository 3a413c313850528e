"""Boxes and outlines in COCO's format: polygons of several parts, runs in both forms, crowds (Lin et al. 2014)."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lucency.data.geometry.polygons import Polygon, filled, outlines, signed_area
from lucency.data.ground_truth.drawings.marks import Marks
from lucency.data.ground_truth.drawings.runs import decode, encode
from lucency.data.reading import MOST_BYTES, RefusedImage
from lucency.domain.masks import Box, ImageGrid, Mask
from lucency.provenance import write_atomically

SUFFIXES = (".json",)
LEAST_OVERLAP = 0.5
"""Intersection over union of a box with the box of its own outline, below which one of them must be wrong."""

_FARTHEST = 1e6
"""Pixels; coordinates beyond belong to no image."""


@dataclass(frozen=True)
class CocoImage:
    """What one file says of one image."""

    name: str
    """As the file writes it."""
    size: tuple[int, int] | None
    """Rows and columns that the file gives; None where it gives none, or nonsense."""
    annotations: tuple[Mapping[str, Any], ...]
    code: str = ""
    """Why nothing of it can be used: the file lists two images under one number."""


@dataclass(frozen=True)
class CocoFile:
    """One file of annotations."""

    images: tuple[CocoImage, ...]
    categories: Mapping[Any, str]
    n_without_image: int
    """Annotations that belong to no image of the file."""


def open_coco(path: Path) -> CocoFile:
    """Read a file of annotations and sort them by image.

    Raises:
        RefusedImage: it is no such file.
    """
    n_bytes = path.stat().st_size
    if n_bytes == 0:
        raise RefusedImage("E_EMPTY_FILE")
    if n_bytes > MOST_BYTES:
        raise RefusedImage("E_SIZEBOMB")
    try:
        content = json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        raise RefusedImage("E_UNREADABLE") from None
    if not isinstance(content, dict):
        raise RefusedImage("E_UNREADABLE")
    images, annotations, categories = (_listed(content, key) for key in ("images", "annotations", "categories"))
    by_image: dict[Any, list[Mapping[str, Any]]] = {}
    for one in annotations:
        by_image.setdefault(_number(one.get("image_id")), []).append(one)
    counts = Counter(_number(image.get("id")) for image in images)
    found = tuple(
        CocoImage(
            str(image.get("file_name", "")).replace("\\", "/"),
            _size(image),
            tuple(by_image.get(number, ())),
            "" if number is not None and counts[number] == 1 else "E_BAD_OUTLINE",
        )
        for image in images
        for number in [_number(image.get("id"))]
    )
    names = {_number(one.get("id")): str(one.get("name") or f"category {one.get('id')}") for one in categories}
    n_without = sum(len(of_image) for number, of_image in by_image.items() if number is None or not counts[number])
    return CocoFile(found, names, n_without)


def read_coco(image: CocoImage, categories: Mapping[Any, str], grid: ImageGrid) -> Marks:
    """Return the outlines of one image, and the boxes of lesions without one.

    Raises:
        RefusedImage: the size is another than that of the image, or a box or outline is impossible.
    """
    if image.code:
        raise RefusedImage(image.code)
    if grid.shape[0] != 1 or (image.size is not None and image.size != grid.shape[1:]):
        raise RefusedImage("E_MASK_SIZE")
    shape = grid.shape[1:]
    numbers: Counter[str] = Counter()
    masks, boxes, notes = [], [], []
    for one in image.annotations:
        name = categories.get(_number(one.get("category_id")))
        if name is None:
            raise RefusedImage("E_UNKNOWN_NAME")
        numbers[name] += 1
        notes += ["N_CROWD"] if one.get("iscrowd") else []
        given = _box(one["bbox"], name, shape, notes) if one.get("bbox") else None
        mask = _mask(one["segmentation"], shape, notes) if one.get("segmentation") else None
        if mask is not None:
            masks.append(Mask(name, mask[None], numbers[name]))
            if given is not None and overlap(given, box_of(mask, name)) < LEAST_OVERLAP:
                notes.append("N_BOX_DISAGREES")
        elif given is not None:
            boxes.append(given)
        else:
            raise RefusedImage("E_BAD_OUTLINE")
    return Marks(tuple(masks), tuple(boxes), tuple(dict.fromkeys(notes)))


def box_of(mask: NDArray[np.bool_], name: str, reader: str = "") -> Box:
    """Return the smallest box around the pixels of a mask that is not empty, axes (row, column)."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    width, height = columns[-1] - columns[0] + 1, rows[-1] - rows[0] + 1
    return Box(name, float(columns[0]), float(rows[0]), float(width), float(height), reader)


def overlap(one: Box, other: Box) -> float:
    """Return the intersection over union of two boxes."""
    width = min(one.left + one.width, other.left + other.width) - max(one.left, other.left)
    height = min(one.top + one.height, other.top + other.height) - max(one.top, other.top)
    both = max(width, 0.0) * max(height, 0.0)
    return both / (one.area + other.area - both)


@dataclass(frozen=True)
class DrawnImage:
    """What is to be written about one image."""

    file_name: str
    shape: tuple[int, int]
    masks: Sequence[Mask]
    """Axes (1, row, column)."""
    boxes: Sequence[Box]
    """Those of lesions without a mask."""


def write_coco(path: Path, images: Iterable[DrawnImage]) -> None:
    """Write masks as polygons, or as runs where they have holes, and boxes as they are.

    Raises:
        StorageError: the folder cannot be written.
    """
    listed: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    images = list(images)
    names = sorted({name for image in images for name in Marks(tuple(image.masks), tuple(image.boxes)).names})
    for number, image in enumerate(images, start=1):
        rows, columns = image.shape
        listed.append({"id": number, "file_name": image.file_name, "width": columns, "height": rows})
        drawn = [_annotation_of(mask.voxels[0], mask.name) for mask in image.masks if mask.voxels.any()]
        drawn += [(box, {"area": box.area}) for box in image.boxes]
        for box, segmentation in drawn:
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": number,
                    "category_id": names.index(box.name) + 1,
                    "bbox": [box.left, box.top, box.width, box.height],
                    "iscrowd": 0,
                    **segmentation,
                }
            )
    categories = [{"id": number, "name": name} for number, name in enumerate(names, start=1)]
    content = {"images": listed, "annotations": annotations, "categories": categories}
    write_atomically(path, json.dumps(content) + "\n")


def _annotation_of(mask: NDArray, name: str) -> tuple[Box, dict[str, Any]]:
    mask = mask >= 0.5 if mask.dtype != bool else mask
    parts = outlines(mask)
    segmentation: Any = [part.ravel().tolist() for part in parts]
    if any(signed_area(part) < 0 for part in parts):
        segmentation = {"size": list(mask.shape), "counts": encode(mask)}
    return box_of(mask, name), {"segmentation": segmentation, "area": int(mask.sum())}


def _listed(content: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    listed = content.get(key)
    if not isinstance(listed, list) or not all(isinstance(one, dict) for one in listed):
        raise RefusedImage("E_UNREADABLE")
    return listed


def _number(value: Any) -> int | str | None:
    """Return an identifier that can be looked up; some tools write them as text."""
    return value if isinstance(value, int | str) and not isinstance(value, bool) else None


def _size(image: Mapping[str, Any]) -> tuple[int, int] | None:
    sides = image.get("height"), image.get("width")
    if sides == (None, None):
        return None
    return tuple(side if isinstance(side, int) and side > 0 else -1 for side in sides)  # type: ignore[return-value]


def _box(values: Any, name: str, shape: tuple[int, int], notes: list[str]) -> Box:
    left, top, width, height = _finite(values, 4)
    right, bottom = left + width, top + height
    if width <= 0 or height <= 0 or left >= shape[1] or top >= shape[0] or right <= 0 or bottom <= 0:
        raise RefusedImage("E_BAD_OUTLINE")
    inside = max(left, 0.0), max(top, 0.0), min(right, float(shape[1])), min(bottom, float(shape[0]))
    if inside == (left, top, right, bottom):
        return Box(name, left, top, width, height)
    notes.append("N_BOX_CLIPPED")
    return Box(name, inside[0], inside[1], inside[2] - inside[0], inside[3] - inside[1])


def _finite(values: Any, n_wanted: int | None = None) -> list[float]:
    """Return numbers that an image can have.

    Raises:
        RefusedImage: they are none.
    """
    is_list = isinstance(values, list) and all(type(value) in (int, float) for value in values)
    if not is_list or (n_wanted is not None and len(values) != n_wanted):
        raise RefusedImage("E_BAD_OUTLINE")
    if not all(-_FARTHEST < value < _FARTHEST for value in values):  # False for what is no number
        raise RefusedImage("E_BAD_OUTLINE")
    return [float(value) for value in values]


def _mask(segmentation: Any, shape: tuple[int, int], notes: list[str]) -> NDArray[np.bool_]:
    """Return the pixels of an outline.

    Raises:
        RefusedImage: it is impossible, empty, or of another size.
    """
    if isinstance(segmentation, dict):
        if segmentation.get("size") != list(shape):
            raise RefusedImage("E_MASK_SIZE")
        counts = segmentation.get("counts")
        if not isinstance(counts, str | list):
            raise RefusedImage("E_BAD_OUTLINE")
        mask = decode(counts, shape)
    elif isinstance(segmentation, list):
        mask = _filled([_polygon(part, shape, notes) for part in segmentation], shape, notes)
    else:
        raise RefusedImage("E_BAD_OUTLINE")
    if not mask.any():
        raise RefusedImage("E_BAD_OUTLINE")
    return mask


def _polygon(part: Any, shape: tuple[int, int], notes: list[str]) -> Polygon:
    values = _finite(part)
    if len(values) < 6 or len(values) % 2:
        raise RefusedImage("E_BAD_OUTLINE")
    corners = np.array(values).reshape(-1, 2)
    end = np.array(shape[::-1], float)
    if (corners.max(axis=0) < 0).any() or (corners.min(axis=0) > end).any():
        raise RefusedImage("E_BAD_OUTLINE")
    if (corners < -0.5).any() or (corners > end + 0.5).any():
        notes.append("N_BOX_CLIPPED")
    return corners


def _filled(parts: list[Polygon], shape: tuple[int, int], notes: list[str]) -> NDArray[np.bool_]:
    """Join the parts of an outline; one that runs the other way round and lies inside of the others is a hole."""
    sense = np.sign(max(map(signed_area, parts), key=abs))
    solid = np.zeros(shape, bool)
    for part in parts:
        if np.sign(signed_area(part)) in (sense, 0):
            solid |= _at_least_a_pixel(part, shape, notes)
    for part in parts:
        if np.sign(signed_area(part)) not in (sense, 0):
            inside = filled(part, shape)
            if solid[inside].all():
                notes.append("N_OUTLINE_HOLE")
                solid &= ~inside
            else:
                solid |= _at_least_a_pixel(part, shape, notes)
    return solid


def _at_least_a_pixel(part: Polygon, shape: tuple[int, int], notes: list[str]) -> NDArray[np.bool_]:
    """Fill an outline; what is too thin to hold the centre of a pixel takes those that its corners lie in."""
    mask = filled(part, shape)
    if not mask.any():
        notes.append("N_OUTLINE_SMALL")
        columns, rows = np.floor(part).astype(int).T
        mask[np.clip(rows, 0, shape[0] - 1), np.clip(columns, 0, shape[1] - 1)] = True
    return mask
