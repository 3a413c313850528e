"""The grid that drawings are laid on is that of the volume, whichever way the series was imaged."""

import numpy as np
import pytest
from drawn_series import PLANES, image, write, write_series

from lucency.data.dicom.drawings.grids import grid_of_series
from lucency.data.reading import RefusedImage


@pytest.mark.parametrize("plane", PLANES)
def test_the_grid_is_that_of_the_volume(tmp_path, plane):
    """A mask of another shape or place than the volume would be drawn beside the finding."""
    series = write_series(tmp_path, plane)
    grid, volume = grid_of_series(series.files[::-1]), series.volume
    assert grid.shape == volume.values.shape
    np.testing.assert_array_equal(grid.affine, volume.affine)
    assert grid.frame_of_reference_uid == "1.2.3.9"


@pytest.mark.parametrize("plane", PLANES)
def test_the_instances_stand_in_the_order_of_the_volume(tmp_path, plane):
    """Slices are named by their instances; in the wrong order, every mask would be upside down."""
    series = write_series(tmp_path, plane)
    grid, volume = grid_of_series(series.files), series.volume
    axis = volume.values.shape.index(len(series.files))
    n_in_slice = series.stored[0].size
    numbers = [int(values.flat[0]) // n_in_slice for values in np.moveaxis(volume.values, axis, 0)]
    assert grid.instance_uids == tuple(f"1.2.3.4.{number + 1}" for number in numbers)


def test_a_radiograph_has_a_grid_without_a_place(tmp_path):
    """Radiographs have no place in the patient; rows and columns are all there is."""
    file = write(tmp_path / "x.dcm", image(np.zeros((8, 11), np.int16)))
    grid = grid_of_series([file])
    assert grid.shape == (1, 8, 11)
    assert grid.affine is None
    assert grid.instance_uids == ("1.2.3.4",)


def test_what_is_no_image_has_no_grid(tmp_path):
    """A text beside the images must not end the program."""
    (tmp_path / "x.dcm").write_text("no image at all")
    with pytest.raises(RefusedImage):
        grid_of_series([tmp_path / "x.dcm"])
