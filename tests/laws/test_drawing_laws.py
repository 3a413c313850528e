"""What must hold of every mask, whatever its shape."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from lucency.data.ground_truth.drawings.coco import DrawnImage, open_coco, read_coco, write_coco
from lucency.data.ground_truth.drawings.consensus import compare_readers, consensus_of
from lucency.data.ground_truth.drawings.marks import Legend, Marks
from lucency.data.ground_truth.drawings.measuring import longest_diameter_mm, measure
from lucency.data.ground_truth.drawings.pictures import read_picture, write_picture
from lucency.data.ground_truth.drawings.volumes import read_volume_mask, write_nifti
from lucency.domain.masks import ImageGrid, Mask

pictures = arrays(bool, array_shapes(min_dims=2, max_dims=2, max_side=20))
volumes = arrays(bool, array_shapes(min_dims=3, max_dims=3, max_side=9))
spacings = st.tuples(*[st.floats(0.1, 5)] * 3)


@settings(max_examples=40)
@given(pictures)
def test_no_format_moves_a_pixel(tmp_path_factory, mask):
    """PNG, COCO and NIfTI give back what was written."""
    folder, grid = tmp_path_factory.mktemp("formats"), ImageGrid((1, *mask.shape))
    write_picture(folder / "m.png", mask)
    write_nifti(folder / "m.nii.gz", mask[None], grid)
    write_coco(folder / "m.json", [DrawnImage("m", mask.shape, [Mask("lesion", mask[None])], [])])
    content = open_coco(folder / "m.json")
    found = [
        read_picture(folder / "m.png", grid, Legend()),
        read_volume_mask(folder / "m.nii.gz", grid, Legend()),
        read_coco(content.images[0], content.categories, grid),
    ]
    for marks in found:
        drawn = marks.masks[0].voxels[0] if marks.masks else np.zeros_like(mask)
        assert (drawn == mask).all()


@settings(max_examples=40)
@given(volumes, spacings, st.permutations(range(3)), st.tuples(*[st.sampled_from((1, -1))] * 3))
def test_a_volume_comes_back_to_its_place_whatever_the_axes_of_the_image(tmp_path_factory, mask, mm, order, signs):
    """The affine alone says where a voxel lies."""
    folder = tmp_path_factory.mktemp("volumes")
    affine = np.eye(4)
    affine[:3, :3] = np.eye(3)[order] * np.array(signs) * np.array(mm)
    affine[:3, 3] = (-7.5, 20.25, 3)
    grid = ImageGrid(mask.shape, affine)
    write_nifti(folder / "m.nii.gz", mask, grid)
    assert (read_volume_mask(folder / "m.nii.gz", grid, Legend()).masks[0].voxels == mask).all()


@given(volumes, st.integers(2, 4))
def test_readers_who_agree_are_their_own_consensus(mask, n_readers):
    """And each pair has drawn the same voxels."""
    by_reader = {f"R{n}": Marks((Mask("lesion", mask, reader=f"R{n}"),)) for n in range(n_readers)}
    assert (consensus_of(by_reader, mask.shape).masks[0].voxels == mask).all()
    for pair in compare_readers("x", by_reader, mask.shape):
        assert pair.n_first == pair.n_second == pair.n_both == mask.sum()


@given(volumes, spacings)
def test_measures_scale_as_lengths_do(mask, mm):
    """Twice the spacing is twice the diameter and eight times the volume."""
    twice = tuple(2 * one for one in mm)
    small, large = (next(iter(measure("x", Marks((Mask("lesion", mask),)), spacing))) for spacing in (mm, twice))
    if len(mask) > 1:
        assert np.isclose(8 * float(small.volume_mm3), float(large.volume_mm3), rtol=1e-4)
    if mask.any():
        assert np.isclose(2 * longest_diameter_mm(mask, mm), longest_diameter_mm(mask, twice))
