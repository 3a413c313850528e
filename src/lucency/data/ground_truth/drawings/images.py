"""The images that something may be drawn on, and the grid of each."""

from dataclasses import dataclass
from pathlib import Path

from lucency.data.reading import N_HEAD, RefusedImage, is_dicom
from lucency.data.volumes import read_stack, stacks_among
from lucency.domain.masks import ImageGrid


@dataclass(frozen=True)
class ImageOnDisk:
    """One image as drawings know it: a picture, a volume, or a frame of a file that holds several."""

    image_id: str
    source: str
    """Path below the image folder, by which drawings know it; with "#2" for the second of several volumes in one file."""
    files: tuple[Path, ...]
    shape: tuple[int, int, int] | None = None
    """Slices, rows and columns of this image; None where the file has to be asked."""
    frame: int = 0
    """Number of the frame, page or slice in a file that holds several, from 1."""
    spacing_mm: tuple[float, float] | None = None
    """Distance between rows and between columns of a single image; volumes tell it by their grid."""
    patient_id: str = ""
    is_kept: bool = True
    """False for an image that was refused: what is drawn on it is not used, and belongs to no neighbour either."""

    @property
    def is_volume(self) -> bool:
        """Tell a stack of slices from a picture; not known before the file was asked."""
        return self.shape is None or self.shape[0] > 1

    @property
    def is_dicom(self) -> bool:
        """Look into the first file."""
        try:
            with self.files[0].open("rb") as file:
                return is_dicom(file.read(N_HEAD))
        except OSError:
            return False


def plain_grid(image: ImageOnDisk) -> ImageGrid | None:
    """Return the grid of a picture of its own file, whose size is known; None for all others."""
    if image.shape is None or image.frame or image.is_volume:
        return None
    return ImageGrid(image.shape)


def grid_of(image: ImageOnDisk) -> ImageGrid:
    """Return the grid of an image with its place in the patient; for a frame, that of its whole file.

    Raises:
        RefusedImage: the image cannot be read any more.
    """
    if image.is_dicom:
        from lucency.data.dicom.drawings.grids import grid_of_series

        return grid_of_series(image.files)
    number = int(image.source.rpartition("#")[2]) - 1 if "#" in image.source else 0
    try:
        stacks = stacks_among(image.files[0].parent, image.files)
    except OSError:
        raise RefusedImage("E_UNREADABLE") from None
    if number >= len(stacks):
        raise RefusedImage("E_UNREADABLE")
    outcome = read_stack(stacks[number])
    if outcome.volume is None:
        raise RefusedImage(outcome.code)
    n_slices, n_rows, n_columns = outcome.volume.values.shape[:3]
    return ImageGrid((n_slices, n_rows, n_columns), outcome.volume.affine)
