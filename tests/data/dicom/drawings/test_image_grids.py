"""The grid that masks have to fit is that of the volume."""

import numpy as np
import pytest

from data.dicom_files import enhanced_ct, position, write, write_dicom
from data.drawn_files import DIRECTIONS, in_order, places_mm, series
from lucency.data.dicom.drawings.grids import grid_of_series
from lucency.data.reading import RefusedImage
from lucency.data.volumes import read_folder

SHAPE = (5, 6, 7)


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_the_grid_is_that_of_the_volume(tmp_path, direction):
    """What is drawn on one grid and shown on another would lie elsewhere."""
    files = series(tmp_path, SHAPE, direction)
    (outcome,) = read_folder(tmp_path)
    grid = grid_of_series(files)
    assert grid.shape == outcome.volume.values.shape
    assert np.allclose(grid.affine, outcome.volume.affine)
    assert grid.frame_of_reference_uid == "1.2.3.9"


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_instances_stand_in_the_order_of_the_turned_slices(tmp_path, direction):
    """A reference to an instance is checked against the slice that it became."""
    files = series(tmp_path, SHAPE, direction)
    grid = grid_of_series(files)
    axis = grid.shape.index(SHAPE[0])
    for header in in_order(files):
        index = grid.instance_uids.index(header.SOPInstanceUID)
        place = places_mm(SHAPE, direction)[header.InstanceNumber - 1, 0, 0] * (-1, -1, 1)
        found = np.linalg.inv(grid.affine)[:3] @ np.append(place, 1)
        assert found[axis] == pytest.approx(index, abs=1e-6)


def test_a_radiograph_has_a_size_and_an_instance(tmp_path):
    """Nothing tells where in the patient a radiograph lies."""
    grid = grid_of_series([write_dicom(tmp_path / "a.dcm", np.zeros((4, 5), np.uint16))])
    assert grid.shape == (1, 4, 5)
    assert grid.affine is None
    assert grid.instance_uids == ("1.2.3.4",)


def test_the_frames_of_an_enhanced_object_are_slices(tmp_path):
    """Their order in the file means nothing."""
    path = write(tmp_path / "e.dcm", enhanced_ct(np.zeros((4, 5, 6), np.int16), [position(k) for k in (2, 0, 3, 1)]))
    grid = grid_of_series([path])
    assert grid.shape == (4, 5, 6)
    assert len(set(grid.instance_uids)) == 1


def test_several_volumes_have_no_common_grid(tmp_path):
    """A mask has to belong to one image."""
    files = series(tmp_path / "a", SHAPE) + series(tmp_path / "b", (4, 8, 8), series="1.2.3.77")
    with pytest.raises(RefusedImage, match="E_MULTIFRAME"):
        grid_of_series(files)


def test_what_is_no_image_has_no_grid(tmp_path):
    """The reason is that of the file."""
    (tmp_path / "a.dcm").write_bytes(b"")
    with pytest.raises(RefusedImage, match="E_EMPTY_FILE"):
        grid_of_series([tmp_path / "a.dcm"])


def test_a_tilted_series_grows_as_its_volume_does(tmp_path):
    """The grid after resampling is the one that masks meet."""
    shape = (6, 8, 9)
    files = series(tmp_path, shape)
    for header, file in zip(in_order(files), sorted(files, key=lambda f: in_order([f])[0].InstanceNumber), strict=True):
        header.ImagePositionPatient[1] += 0.5 * header.InstanceNumber
        write(file, header)
    (outcome,) = read_folder(tmp_path)
    grid = grid_of_series(files)
    assert outcome.notes == ("N_TILT_RESAMPLED",)
    assert grid.shape == outcome.volume.values.shape != shape
    assert np.allclose(grid.affine, outcome.volume.affine)
