"""Masks as NIfTI, NRRD and MetaImage: laid where they say they lie, or refused."""

from itertools import permutations, product

import nibabel
import numpy as np
import pytest
import SimpleITK
from hypothesis import given, settings
from hypothesis import strategies as st
from made_up import AFFINE, volume, volume_mask, write_nii

from lucency.data.ground_truth.drawings.images import grid_of
from lucency.data.ground_truth.drawings.marks import Legend
from lucency.data.ground_truth.drawings.volumes import read_volume_mask, write_nifti
from lucency.data.reading import RefusedImage
from lucency.data.volumes import read_stack, stacks_among
from lucency.domain.masks import ImageGrid

FILE_MASK = volume_mask()
"""Axes of the file."""


@pytest.fixture
def image(tmp_path):
    """Write an image whose values tell where the mask must lie: bright exactly there."""
    return write_nii(tmp_path / "image.nii.gz", FILE_MASK.astype(np.int16) * 500 + 3)


def truth(image):
    """Return the mask on the grid on which lucency sees the image."""
    return read_stack(stacks_among(image.parent, [image])[0]).volume.values > 100


def turned(order, signs):
    """Return the same mask in a file with other axes, and with the affine that goes with them."""
    values, affine = np.transpose(FILE_MASK, order), AFFINE[:, (*order, 3)].copy()
    for axis, sign in enumerate(signs):
        if sign < 0:
            values = np.flip(values, axis)
            affine[:3, 3] += affine[:3, axis] * (values.shape[axis] - 1)
            affine[:3, axis] *= -1
    return values.astype(np.uint8), affine


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_a_mask_lands_on_the_image_whatever_its_axes(order, image, tmp_path):
    """Programs store masks with other axes than the image; where they lie in the patient is what counts."""
    for signs in product((1, -1), repeat=3):
        mask = write_nii(tmp_path / "m.nii.gz", *turned(order, signs))
        marks = read_volume_mask(mask, grid_of(volume(image)), Legend())
        assert (marks.masks[0].voxels == truth(image)).all()
        same_as_image = order == (0, 1, 2) and signs == (1, 1, 1)
        assert not (same_as_image and marks.notes)


@pytest.mark.parametrize("suffix", [".nrrd", ".mha", ".nii"])
def test_other_formats_lie_where_nifti_does(suffix, image, tmp_path):
    """SimpleITK writes the mask from the NIfTI file, with its own idea of axes."""
    nii = write_nii(tmp_path / "m.nii.gz", FILE_MASK.astype(np.uint8))
    SimpleITK.WriteImage(SimpleITK.ReadImage(str(nii)), str(tmp_path / f"n{suffix}"))
    marks = read_volume_mask(tmp_path / f"n{suffix}", grid_of(volume(image)), Legend())
    assert (marks.masks[0].voxels == truth(image)).all()


def test_label_maps_shares_and_one_hot_volumes(image, tmp_path):
    """The three ways of writing several structures, or one with doubt."""
    labels = FILE_MASK.astype(np.uint8)
    labels[4:] *= 2
    grid = grid_of(volume(image))
    names = {"1": "anterior", "2": "posterior"}
    found = read_volume_mask(write_nii(tmp_path / "l.nii", labels), grid, Legend(names=names))
    hot = np.stack([labels == level for level in range(3)], axis=-1).astype(np.uint8)
    also = read_volume_mask(write_nii(tmp_path / "h.nii", hot), grid, Legend(names=names))
    for one, other in zip(found.masks, also.masks, strict=True):
        assert one.name == other.name
        assert (one.voxels == other.voxels).all()
        assert one.voxels.any()
    overlapping = read_volume_mask(write_nii(tmp_path / "o.nii", hot[..., 1:]), grid, Legend(names=names))
    assert (overlapping.masks[1].voxels == found.masks[1].voxels).all()
    share = read_volume_mask(write_nii(tmp_path / "s.nii", (FILE_MASK * 0.75).astype(np.float32)), grid, Legend())
    assert share.notes == ("N_MASK_FRACTIONAL",)
    assert share.masks[0].voxels.max() == 0.75


def shifted(voxels, axis=0):
    affine = AFFINE.copy()
    affine[:3, 3] += affine[:3, axis] * voxels
    return affine


def rotated(degrees):
    angle = np.radians(degrees)
    turn = np.eye(4)
    turn[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    return turn @ AFFINE


def scaled(factor):
    return AFFINE @ np.diag([factor, 1, 1, 1])


U8 = FILE_MASK.astype(np.uint8)
BAD = {
    "shifted by a tenth of a voxel": (U8, shifted(0.1), "E_MASK_PLACE"),
    "of another patient, one slice on": (U8, shifted(1, 2), "E_MASK_PLACE"),
    "rotated by two degrees": (U8, rotated(2), "E_MASK_PLACE"),
    "rotated by 45 degrees": (U8, rotated(45), "E_MASK_PLACE"),
    "other spacing": (U8, scaled(1.02), "E_MASK_PLACE"),
    "mirrored affine": (U8, AFFINE @ np.diag([-1, 1, 1, 1]), "E_MASK_PLACE"),
    "no orientation at all": (U8, np.eye(4), "E_MASK_PLACE|E_MASK_SIZE"),
    "one slice less": (U8[..., :-1], AFFINE, "E_MASK_SIZE"),
    "resampled": (U8[::2], AFFINE @ np.diag([2, 1, 1, 1]), "E_MASK_SIZE"),
    "a label between two": (np.roll(U8, 1, 0) + U8 * 0.5, AFFINE, "E_MASK_VALUES"),
    "a negative label": (-FILE_MASK.astype(np.int16), AFFINE, "E_MASK_VALUES"),
    "an image instead of a mask": (np.arange(U8.size, dtype=np.int16).reshape(U8.shape), AFFINE, "E_MASK_VALUES"),
    "one-hot of shares": (np.stack([U8 * 0.5, U8 * 0.5], -1).astype(np.float32), AFFINE, "E_MASK_VALUES"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_mask_that_lies_elsewhere_is_refused(name, image, tmp_path):
    """It is never resampled, and never moved onto the image."""
    values, affine, code = BAD[name]
    mask = write_nii(tmp_path / "m.nii.gz", values, affine)
    with pytest.raises(RefusedImage, match=code):
        read_volume_mask(mask, grid_of(volume(image)), Legend())


def test_a_damaged_mask_is_refused(image, tmp_path):
    """Cut short, emptied, or no NIfTI at all."""
    whole = write_nii(tmp_path / "m.nii.gz", U8).read_bytes()
    for content, code in ((whole[:-60], "E_TRUNCATED|E_UNREADABLE"), (b"", "E_EMPTY_FILE"), (b"no", "E_UNREADABLE")):
        (tmp_path / "m.nii.gz").write_bytes(content)
        with pytest.raises(RefusedImage, match=code):
            read_volume_mask(tmp_path / "m.nii.gz", grid_of(volume(image)), Legend())


def test_a_label_outside_of_the_table_is_refused(image, tmp_path):
    """Otherwise a structure would vanish because of a typo."""
    mask = write_nii(tmp_path / "m.nii.gz", U8 * 4)
    with pytest.raises(RefusedImage, match="E_MASK_VALUES"):
        read_volume_mask(mask, grid_of(volume(image)), Legend(names={"1": "anterior"}))


def test_a_mask_of_a_picture_without_geometry_is_laid_on_it_by_rows_and_columns(tmp_path):
    """NIfTI beside PNG, as nnU-Net has it: columns first; the note says that nothing could be checked."""
    flat = FILE_MASK[3]
    mask = write_nii(tmp_path / "m.nii.gz", flat.T[..., None].astype(np.uint8), np.eye(4))
    marks = read_volume_mask(mask, ImageGrid((1, *flat.shape)), Legend())
    assert "N_MASK_UNPLACED" in marks.notes
    assert (marks.masks[0].voxels[0] == flat).all()
    with pytest.raises(RefusedImage, match="E_MASK_SIZE"):
        read_volume_mask(mask, ImageGrid((1, *flat.T.shape)), Legend())


def test_what_is_written_has_the_axes_of_the_image_file(image, tmp_path):
    """Tools that compare nothing but shapes must find image and mask equal, and the mask in its place."""
    grid = grid_of(volume(image))
    write_nifti(tmp_path / "m.nii.gz", truth(image), grid, image)
    written = nibabel.load(tmp_path / "m.nii.gz")
    assert (np.asarray(written.dataobj) == FILE_MASK).all()
    assert np.allclose(written.affine, AFFINE, atol=1e-5)
    write_nifti(tmp_path / "n.nii.gz", truth(image), grid)
    for file in ("m.nii.gz", "n.nii.gz"):
        assert (read_volume_mask(tmp_path / file, grid, Legend()).masks[0].voxels == truth(image)).all()


@settings(max_examples=25)
@given(st.floats(-0.045, 0.045), st.integers(0, 2))
def test_rounding_in_a_header_is_forgiven(tmp_path_factory, amount, axis):
    """Programs write affines with seven digits, and some with four."""
    folder = tmp_path_factory.mktemp("rounding")
    image = write_nii(folder / "image.nii", U8)
    mask = write_nii(folder / "m.nii", U8, shifted(amount, axis))
    assert read_volume_mask(mask, grid_of(volume(image)), Legend()).masks[0].voxels.sum() == U8.sum()
