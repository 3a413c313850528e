"""Masks as volumes: NIfTI, NRRD and MetaImage, laid on the grid of the image by where they say they lie."""

import gzip
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
from numpy.typing import NDArray

from lucency.data.formats.nifti import MILLIMETRES
from lucency.data.ground_truth.drawings.levels import structures_in
from lucency.data.ground_truth.drawings.marks import Legend, Marks
from lucency.data.reading import RefusedImage
from lucency.data.volumes import VOLUME_SUFFIXES, read_stack, stacks_among
from lucency.domain.masks import ImageGrid, Mask
from lucency.domain.volume import Volume
from lucency.provenance import atomic_file

SUFFIXES = VOLUME_SUFFIXES
MOST_MISPLACED = 0.05
"""Voxels by which a mask may lie beside its image: more than rounding in a header, less than anything one can see."""

_KEPT_NOTES = {"N_NO_ORIENTATION", "N_FORMS_DISAGREE", "N_NOT_FINITE"}


def read_volume_mask(path: Path, grid: ImageGrid, legend: Legend) -> Marks:
    """Read a mask, a label map, shares, or one volume for each structure (one-hot) onto the grid of the image.

    Raises:
        RefusedImage: size, place or levels do not fit, or the file is damaged.
    """
    outcomes = [read_stack(stack) for stack in stacks_among(path.parent, [path])]
    volumes = [outcome.volume for outcome in outcomes if outcome.volume is not None]
    if len(volumes) != len(outcomes):
        raise RefusedImage(next(outcome.code for outcome in outcomes if outcome.code))
    notes = [note for outcome in outcomes for note in outcome.notes if note in _KEPT_NOTES]
    if any(volume.values.ndim != 3 for volume in volumes):
        raise RefusedImage("E_CODEC")
    layers = [laid_on(volume, grid, notes) for volume in volumes]
    masks = structures_in(layers[0], legend, 1.0, notes) if len(layers) == 1 else _one_hot(layers, legend)
    return Marks(tuple(masks), notes=tuple(dict.fromkeys(notes)))


def laid_on(volume: Volume, grid: ImageGrid, notes: list[str]) -> NDArray:
    """Turn the axes of a mask to those of the image; return its values, axes (slice, row, column).

    Raises:
        RefusedImage: it has another size, or no turn brings it to within 1/20 of a voxel.
    """
    if volume.affine is None or grid.affine is None:
        if volume.values.shape != grid.shape:
            raise RefusedImage("E_MASK_SIZE")
        notes.append("N_MASK_UNPLACED")
        return volume.values
    to_image = np.linalg.solve(grid.affine, volume.affine).astype(np.float64)
    order, signs = _turn(to_image)
    shape = tuple(volume.values.shape[axis] for axis in order)
    if shape != grid.shape:
        raise RefusedImage("E_MASK_SIZE")
    _refuse_misplaced(to_image, order, signs, grid.shape)
    if order != (0, 1, 2) or -1 in signs:
        notes.append("N_MASK_TURNED")
    values = np.transpose(volume.values, order)
    return np.ascontiguousarray(values[tuple(slice(None, None, sign) for sign in signs)])


def _turn(to_image: NDArray[np.float64]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Tell which axis of the mask runs along each axis of the image, and in which sense."""
    turn = to_image[:3, :3]
    order = tuple(int(axis) for axis in np.abs(turn).argmax(axis=1))
    if sorted(order) != [0, 1, 2]:
        raise RefusedImage("E_MASK_PLACE")
    return order, tuple(int(np.sign(turn[i, axis])) for i, axis in enumerate(order))


def _refuse_misplaced(
    to_image: NDArray[np.float64], order: tuple[int, ...], signs: tuple[int, ...], shape: tuple[int, int, int]
) -> None:
    """Compare where all corners of the mask come to lie with the corners of the image; between them all is linear."""
    for corner in np.ndindex(2, 2, 2):
        of_image = np.array([(side - 1) * end for side, end in zip(shape, corner, strict=True)], float)
        of_mask = np.ones(4)
        for i, (axis, sign) in enumerate(zip(order, signs, strict=True)):
            of_mask[axis] = of_image[i] if sign > 0 else shape[i] - 1 - of_image[i]
        if np.abs((to_image @ of_mask)[:3] - of_image).max() > MOST_MISPLACED:
            raise RefusedImage("E_MASK_PLACE")
    # a single slice has no other corner along its axis: its thickness is told by the length of a step
    steps = np.abs(to_image[np.arange(3), list(order)])
    if np.abs(steps - 1).max() > MOST_MISPLACED:
        raise RefusedImage("E_MASK_PLACE")


def _one_hot(layers: list[NDArray], legend: Legend) -> list[Mask]:
    """Take one structure from each volume; a first one that fills all the rest is the background."""
    if any(set(np.unique(layer)) - {0, 1} for layer in layers):
        raise RefusedImage("E_MASK_VALUES")
    has_background = bool((np.sum(layers, axis=0) == 1).all())
    first = 0 if has_background else 1
    structures = {number: layer for number, layer in enumerate(layers, start=first) if number}
    if legend.names and any(str(number) not in legend.names for number in structures):
        raise RefusedImage("E_MASK_VALUES")
    return [Mask(legend.names.get(str(n), f"label {n}"), layer != 0) for n, layer in structures.items()]


def write_nifti(path: Path, labels: NDArray, grid: ImageGrid, image: Path | None = None) -> None:
    """Write a mask on the image's grid, axes (slice, row, column), as uint8 in .nii.gz.

    With the image's own NIfTI file, the mask gets its axes and header, so that tools which compare shapes find them equal.

    Raises:
        StorageError: the folder cannot be written.
    """
    affine = np.diag([1.0, 1.0, 1.0, 1.0]) if grid.affine is None else grid.affine
    values, like = labels.astype(np.uint8), None
    if image is not None and grid.affine is not None and image.name.lower().endswith((".nii", ".nii.gz")):
        like = nibabel.load(image)
        values, affine = _turned_back(values, affine, like)
    else:
        values, affine = np.transpose(values, (2, 1, 0)), affine[:, (2, 1, 0, 3)]
    file = nibabel.Nifti1Image(values, affine)
    file.header.set_xyzt_units("mm")
    if grid.affine is not None:
        file.set_sform(affine, 1)
        file.set_qform(affine, 1)
    # without a time inside, the same mask gives the same bytes
    with atomic_file(path) as stream, gzip.GzipFile(fileobj=stream, mode="wb", mtime=0) as packed:
        packed.write(file.to_bytes())


def _turned_back(values: NDArray, affine: NDArray[np.float64], like: Any) -> tuple[NDArray, NDArray[np.float64]]:
    """Turn a mask on the turned grid back to the axes of the image's file."""
    shape = (*like.shape[:3], 1, 1)[:3]
    of_file = np.array(like.affine, np.float64)
    of_file[:3] *= MILLIMETRES.get(like.header.get_xyzt_units()[0], 1.0)
    backwards = ImageGrid(shape, of_file)
    return laid_on(Volume(values, affine), backwards, []), of_file
