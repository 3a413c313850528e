"""Made-up images and masks for the tests of drawings."""

from pathlib import Path

import nibabel
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lucency.data.ground_truth.drawings.images import ImageOnDisk


def shape_mask(rows: int = 40, columns: int = 56) -> NDArray[np.bool_]:
    """Return a mask without any symmetry: a disc, a bar that touches the border, and a hole."""
    row, column = np.mgrid[:rows, :columns]
    mask = (row - 12) ** 2 + (column - 18) ** 2 < 70
    mask[30:34, 40:] = True
    mask[11:13, 17:20] = False
    return mask


def volume_mask(shape: tuple[int, int, int] = (9, 12, 15)) -> NDArray[np.bool_]:
    """Return a mask, axes (slice, row, column), that no turn brings onto itself."""
    mask = np.zeros(shape, bool)
    mask[1:4, 2:9, 3:7] = True
    mask[4:7, 2:4, 3:12] = True
    mask[7, 5, 9] = True
    return mask


def write_png(path: Path, values: NDArray) -> Path:
    """Write an array as a picture, whatever the format."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(values).save(path)
    return path


def picture(folder: Path, name: str = "p1.png", rows: int = 40, columns: int = 56) -> ImageOnDisk:
    """Return an image with a size and a spacing; it need not be there."""
    return ImageOnDisk(name, name, (folder / name,), (1, rows, columns), spacing_mm=(0.5, 0.25))


AFFINE = np.array([[-0.7, 0, 0, 31], [0, 0, 0.9, -12], [0, 2.5, 0, 40], [0, 0, 0, 1]])
"""Of a NIfTI file whose axes lead to the left, to the head and to the front."""


def write_nii(path: Path, values: NDArray, affine: NDArray[np.float64] = AFFINE) -> Path:
    """Write values with the axes of the file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    nibabel.save(nibabel.Nifti1Image(values, affine), path)
    return path


def volume(path: Path) -> ImageOnDisk:
    """Return a volume that has to be asked for its size."""
    return ImageOnDisk(path.name, path.name, (path,))
