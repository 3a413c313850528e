"""Where each pixel comes from: flip, zoom, skew, rotation and shift, composed into one matrix and one resampling.

Points are (row, column) in pixels from the centre of the image, so that a rotation is rigid whatever the image's
shape. An original point p moves to p' = rotation · skew · zoom · flip · p + shift. Volumes (slice, row, column) turn
and skew within the slice, zoom along all axes alike, shift along each, and tilt last of all, where the plan asks for
it. What comes from outside is black.
"""

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from lucency.data.augmentation.draws import Draw, Draws
from lucency.domain.plan import Augmentation

_SMALLEST_VISIBLE_SHARE = 0.5
"""A box of which less than this share is left inside the image counts as gone."""


@dataclass(frozen=True)
class Geometry:
    """The movement of every image of a batch, from the resulting point back to the original one."""

    in_plane: NDArray[np.float64]
    """Axes (image, 2, 3): original (row, column) = in_plane · (row, column, 1), pixels from the centre."""
    along_slices: NDArray[np.float64]
    """Axes (image, 2): original slice = first · slice + second, slices from the centre."""
    tilted: NDArray[np.float64] | None = None
    """The whole of it for volumes that tilt, axes (image, 3, 4): original (slice, row, column) = tilted · (slice, row, column,
    1), voxels from the centre; None where nothing tilts."""


@dataclass(frozen=True)
class Sampling:
    """Where each pixel of a batch is read, in the coordinates of grid_sample: x and y from −1 to 1."""

    of_rows: Tensor
    """What a pixel's row adds, as x + iy, axes (image, row)."""
    of_columns: Tensor
    """What a pixel's column adds, as x + iy, axes (image, column)."""
    slices: Tensor | None
    """Original slice of each slice of a volume, counted from 0, axes (image, slice)."""
    tilted: Tensor | None = None
    """Of volumes that tilt, the matrix that affine_grid takes, axes (image, 3, 4)."""

    def part(self, part: slice) -> "Sampling":
        """Return the sampling of some images of the batch."""
        slices = None if self.slices is None else self.slices[part]
        tilted = None if self.tilted is None else self.tilted[part]
        return Sampling(self.of_rows[part], self.of_columns[part], slices, tilted)

    def grid(self) -> Tensor:
        """Return the grid, axes (image, row, column, (x, y))."""
        # One broadcast sum of complex numbers: a tenth of the time of affine_grid.
        return torch.view_as_real(self.of_rows[:, :, None] + self.of_columns[:, None, :])


def draw_geometry(settings: Augmentation, draws: Draws, shape: tuple[int, ...]) -> Geometry | None:
    """Draw the movement of images of this shape ([slice,] row, column), or None when the settings move nothing."""
    if not (
        settings.flip_horizontal
        or settings.flip_vertical
        or settings.rotate_degrees
        or settings.skew_degrees
        or settings.shift
        or settings.zoom != (1, 1)
        or (settings.tilt_degrees and len(shape) == 3)
    ):
        return None
    angle = np.deg2rad(draws.either_side(Draw.ROTATE, settings.rotate_degrees))
    skew = np.tan(np.deg2rad(draws.either_side(Draw.SKEW, settings.skew_degrees)))
    zoom = draws.factor(Draw.ZOOM, settings.zoom)
    flip_row = 1 - 2.0 * draws.happens(Draw.FLIP_VERTICAL, settings.flip_vertical)
    flip_column = 1 - 2.0 * draws.happens(Draw.FLIP_HORIZONTAL, settings.flip_horizontal)
    shift_row = draws.either_side(Draw.SHIFT_ROW, settings.shift * shape[-2])
    shift_column = draws.either_side(Draw.SHIFT_COLUMN, settings.shift * shape[-1])
    shift_slice = draws.either_side(Draw.SHIFT_SLICE, settings.shift * shape[0] if len(shape) == 3 else 0)
    in_plane = _compose(angle, skew, zoom * flip_row, zoom * flip_column, shift_row, shift_column)
    along_slices = np.stack([1 / zoom, -shift_slice / zoom], axis=1)
    if not settings.tilt_degrees or len(shape) == 2:
        return Geometry(in_plane, along_slices)
    tilts = [np.deg2rad(draws.either_side(d, settings.tilt_degrees)) for d in (Draw.TILT_ROW, Draw.TILT_COLUMN)]
    return Geometry(in_plane, along_slices, _tilted(in_plane, along_slices, *tilts))


def make_sampling(geometry: Geometry, shape: tuple[int, ...], device: torch.device) -> Sampling:
    """Work out where the pixels of images of this shape, ([slice,] row, column), are read."""
    n_rows, n_columns = shape[-2:]
    steps = geometry.in_plane[:, 1] * (2 / n_columns) + geometry.in_plane[:, 0] * (2j / n_rows)
    of_rows = steps[:, 0:1] * _from_centre(n_rows) + steps[:, 2:3]
    of_columns = steps[:, 1:2] * _from_centre(n_columns)
    slices = None
    if len(shape) == 3:
        factor, offset = geometry.along_slices.T[:, :, None]
        original = factor * _from_centre(shape[0]) + offset + (shape[0] - 1) / 2
        slices = torch.from_numpy(original.astype(np.float32)).to(device)
    return Sampling(
        torch.from_numpy(of_rows.astype(np.complex64)).to(device),
        torch.from_numpy(of_columns.astype(np.complex64)).to(device),
        slices,
        None if geometry.tilted is None else _for_affine_grid(geometry.tilted, shape).to(device),
    )


def move_images(images: Tensor, sampling: Sampling) -> Tensor:
    """Resample images, axes (image, channel, [slice,] row, column), linearly along each axis."""
    if sampling.tilted is not None:
        return _move_tilted(images, sampling.tilted, "bilinear")
    if sampling.slices is not None:
        index = torch.arange(images.shape[2], device=images.device)
        weights = (1 - (sampling.slices[:, :, None] - index).abs()).clamp_(min=0)
        images = torch.matmul(weights[:, None], images.flatten(3)).view(images.shape)
    # The slices of a volume share one grid as if they were channels: trilinear interpolation at the price of bilinear.
    flat = images.flatten(1, -3)
    moved = F.grid_sample(flat, sampling.grid(), mode="bilinear", padding_mode="zeros", align_corners=False)
    return moved.view(images.shape)


def move_masks(masks: Tensor, sampling: Sampling) -> Tensor:
    """Resample label masks, axes (image, [slice,] row, column), by nearest neighbour, so that no new label appears."""
    labels = masks.unsqueeze(1).to(torch.float32)  # exact for labels below 2**24
    if sampling.tilted is not None:
        return _move_tilted(labels, sampling.tilted, "nearest")[:, 0].to(masks.dtype)
    if sampling.slices is not None:
        n_slices = labels.shape[2]
        slices = sampling.slices.round().long()
        is_inside = (slices >= 0) & (slices < n_slices)
        index = slices.clamp(0, n_slices - 1)[:, None, :, None, None].expand(labels.shape)
        labels = labels.gather(2, index) * is_inside[:, None, :, None, None]
    flat = labels.flatten(1, -3)
    moved = F.grid_sample(flat, sampling.grid(), mode="nearest", padding_mode="zeros", align_corners=False)
    return moved.view(masks.shape).to(masks.dtype)


def move_boxes(boxes: Tensor, geometry: Geometry, shape: tuple[int, ...]) -> tuple[Tensor, Tensor]:
    """Return the upright boxes around the moved corners, clipped to the image, and which are still half inside.

    Axes (image, box, 4 or 6): x, y[, z] of the first corner, then of the opposite one, in pixels from the image's
    outer corner, so that pixel i reaches from i to i + 1. Returned are boxes of the same axes and flags (image, box).
    """
    n_axes = len(shape)
    forward = torch.from_numpy(_forward(geometry, n_axes)).to(boxes.device, torch.float64)
    # (row, column) order is (slice, row, column) reversed: x, y, z.
    extent = torch.tensor(shape[::-1], dtype=torch.float64, device=boxes.device)
    first, opposite = boxes.to(torch.float64).view(*boxes.shape[:2], 2, n_axes).unbind(2)
    choices = torch.cartesian_prod(*[torch.tensor([0.0, 1.0], dtype=torch.float64, device=boxes.device)] * n_axes)
    corners = first[:, :, None] + choices * (opposite - first)[:, :, None] - extent / 2
    moved = torch.einsum("iab,ikcb->ikca", forward[:, :, :-1], corners) + forward[:, None, None, :, -1] + extent / 2
    low, high = moved.amin(2), moved.amax(2)
    inside_low, inside_high = low.clamp(min=0).minimum(extent), high.clamp(min=0).minimum(extent)
    left = (inside_high - inside_low).prod(-1)
    is_visible = (left > 0) & (left >= _SMALLEST_VISIBLE_SHARE * (high - low).prod(-1))
    return torch.cat([inside_low, inside_high], -1).to(boxes.dtype), is_visible


def count_boxes_left(boxes: Tensor, settings: Augmentation, draws: Draws, shape: tuple[int, int]) -> int:
    """Count boxes, axes (image, 1, 4), that have left images of this shape after they were moved, as the augmentation does."""
    geometry = draw_geometry(settings, draws, shape)
    return 0 if geometry is None else int((~move_boxes(boxes, geometry, shape)[1]).sum())


def _move_tilted(volumes: Tensor, matrix: Tensor, mode: str) -> Tensor:
    """Resample volumes, axes (image, channel, slice, row, column), along all axes at once."""
    grid = F.affine_grid(matrix, list(volumes.shape), align_corners=False)
    return F.grid_sample(volumes, grid, mode=mode, padding_mode="zeros", align_corners=False)


def _for_affine_grid(tilted: NDArray[np.float64], shape: tuple[int, ...]) -> Tensor:
    """Return the matrix in the coordinates of affine_grid: (x, y, z), from −1 to 1 between the outer edges."""
    half = np.array(shape) / 2
    matrix = np.concatenate([tilted[:, :, :3] * half, tilted[:, :, 3:]], axis=2) / half[:, None]
    return torch.from_numpy(matrix[:, ::-1][:, :, (2, 1, 0, 3)].astype(np.float32))


def _tilted(
    in_plane: NDArray[np.float64],
    along_slices: NDArray[np.float64],
    about_rows: NDArray[np.float64],
    about_columns: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return the inverse of tilt · (all else), axes (image, 3, 4), for angles in radians.

    About the rows a volume turns from slices to columns, about the columns from slices to rows.
    """
    untilted = np.zeros((len(in_plane), 3, 4))
    untilted[:, 0, 0], untilted[:, 0, 3] = along_slices.T
    untilted[:, 1:, 1:] = in_plane
    turns = np.zeros((2, len(in_plane), 3, 3))
    for turn, angle, axis, fixed in zip(turns, (about_rows, about_columns), (2, 1), (1, 2), strict=True):
        turn[:, fixed, fixed] = 1
        turn[:, 0, 0] = turn[:, axis, axis] = np.cos(angle)
        turn[:, 0, axis], turn[:, axis, 0] = -np.sin(angle), np.sin(angle)
    back = np.swapaxes(turns[1] @ turns[0], 1, 2)  # a rotation's inverse is its transpose
    return np.concatenate([untilted[:, :, :3] @ back, untilted[:, :, 3:]], axis=2)


def _compose(
    angle: NDArray[np.float64],
    skew: NDArray[np.float64],
    zoom_row: NDArray[np.float64],
    zoom_column: NDArray[np.float64],
    shift_row: NDArray[np.float64],
    shift_column: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return the inverse of shift · rotation · skew · zoom, axes (image, 2, 3).

    A positive angle (radians) turns clockwise on the screen, where rows count downwards; a positive skew (tangent)
    moves lower rows to the right.
    """
    cosine, sine = np.cos(angle), np.sin(angle)
    inverse = np.empty((len(angle), 2, 3))
    # inverse rotation: row = cos·row − sin·column, column = sin·row + cos·column; then inverse skew, then inverse zoom
    inverse[:, 0, 0] = cosine / zoom_row
    inverse[:, 0, 1] = -sine / zoom_row
    inverse[:, 1, 0] = (sine - skew * cosine) / zoom_column
    inverse[:, 1, 1] = (cosine + skew * sine) / zoom_column
    inverse[:, :, 2] = -(inverse[:, :, 0] * shift_row[:, None] + inverse[:, :, 1] * shift_column[:, None])
    return inverse


def _forward(geometry: Geometry, n_axes: int) -> NDArray[np.float64]:
    """Return the movement of points (x, y[, z]) from the centre, axes (image, axis, axis + 1)."""
    if geometry.tilted is not None:
        reversed_axes = geometry.tilted[:, ::-1][:, :, (2, 1, 0, 3)]
        back = np.linalg.inv(reversed_axes[:, :, :3])
        return np.concatenate([back, -(back @ reversed_axes[:, :, 3:])], axis=2)
    linear = np.zeros((len(geometry.in_plane), n_axes, n_axes))
    linear[:, :2, :2] = geometry.in_plane[:, ::-1, 1::-1]
    offset = np.zeros((len(linear), n_axes))
    offset[:, :2] = geometry.in_plane[:, ::-1, 2]
    if n_axes == 3:
        linear[:, 2, 2], offset[:, 2] = geometry.along_slices.T
    forward = np.linalg.inv(linear)
    return np.concatenate([forward, -(forward @ offset[:, :, None])], axis=2)


def _from_centre(n_pixels: int) -> NDArray[np.float64]:
    """Return the place of each pixel, from the centre of the axis."""
    return np.arange(n_pixels, dtype=np.float64) - (n_pixels - 1) / 2
