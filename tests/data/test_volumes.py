"""Volumes of other formats than DICOM: NIfTI, NRRD, MetaImage, pages and pictures, through the one door."""

import gzip
import os
import struct
import subprocess
import sys
from pathlib import Path

import nibabel
import numpy as np
import pytest
import SimpleITK
from dicom_files import ct_slices, save_all
from PIL import Image

from lucency.data import codes
from lucency.data.volumes import Outcome, find_volumes, hash_of, read_folder, read_stack

DRAW = np.random.default_rng(6)
DATA = DRAW.integers(-1000, 2000, (7, 6, 5)).astype(np.int16)
"""Axes (x, y, z)."""
OBLIQUE = np.array([[-1.9, 0.3, 0.1, 40], [0.25, 1.4, -0.6, -30], [0.3, 0.4, 2.9, 12], [0, 0, 0, 1.0]])


def only(folder: Path) -> Outcome:
    (one,) = read_folder(folder)
    assert {one.code, *one.notes} - {""} <= codes.EXPLANATIONS.keys()
    return one


def nifti(path: Path, data: np.ndarray, affine: np.ndarray | None = OBLIQUE, **header: object) -> Path:
    image = nibabel.Nifti1Image(data, affine)
    for name, value in header.items():
        getattr(image.header if hasattr(image.header, name) else image, name)(value)
    nibabel.save(image, path)
    return path


def assert_same_places(one: Outcome, data: np.ndarray, affine: np.ndarray) -> None:
    """Compare values at their places, axes of `data` (x, y, z)."""
    values = one.volume.values
    index = np.stack([*np.meshgrid(*map(np.arange, values.shape[:3]), indexing="ij")], -1).reshape(-1, 3)
    ras = index @ one.volume.affine[:3, :3].T + one.volume.affine[:3, 3]
    there = (ras - affine[:3, 3]) @ np.linalg.inv(affine[:3, :3]).T
    assert np.abs(there - np.rint(there)).max() < 1e-3
    assert np.array_equal(
        values.reshape(len(index), -1), data.reshape(*data.shape[:3], -1)[tuple(np.rint(there).astype(int).T)]
    )


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
@pytest.mark.parametrize("flips", [(1, 1, 1), (-1, 1, 1), (1, -1, -1)])
def test_nifti_keeps_every_value_in_its_place(tmp_path, suffix, flips):
    """Whatever the order of axes in the file, the volume leads to the head, the back and the left."""
    affine = OBLIQUE.copy()
    affine[:3, :3] = np.linalg.qr(affine[:3, :3])[0] * 2 * np.array(flips)
    for order in ((0, 1, 2), (2, 0, 1)):
        turned = affine[:, (*order, 3)]
        nifti(tmp_path / f"a{suffix}", DATA, turned)
        one = only(tmp_path)
        assert_same_places(one, DATA, turned)
        directions = one.volume.affine[:3, :3]
        assert directions[2, 0] > 0
        assert directions[1, 1] < 0
        assert directions[0, 2] < 0
        assert one.volume.values.dtype == np.int16
        assert one.notes == ()


def test_nifti_is_scaled_and_freed_of_what_is_no_number(tmp_path):
    """scl_slope belongs to the values; NaN would poison a network."""
    image = nibabel.Nifti1Image(DATA, np.diag([1.0, 1, 1, 1]))
    image.header.set_slope_inter(0.5, 10)
    nibabel.save(image, tmp_path / "a.nii")
    content = bytearray((tmp_path / "a.nii").read_bytes())
    content[112:120] = struct.pack("<ff", 0.5, 10)
    (tmp_path / "a.nii").write_bytes(content)
    stored = np.asarray(nibabel.load(tmp_path / "a.nii").dataobj.get_unscaled())
    assert_same_places(only(tmp_path), stored * 0.5 + 10, np.eye(4))
    data = DATA.astype(np.float32) / 3
    data[2, 2, 2] = np.nan
    nifti(tmp_path / "a.nii", data, np.eye(4))
    one = only(tmp_path)
    assert one.notes == ("N_NOT_FINITE",)
    assert one.volume.values.dtype == np.float32
    assert np.isfinite(one.volume.values).all()


def test_whole_numbers_of_any_type_become_int16(tmp_path):
    """Labels are often stored as 64-bit or as real numbers."""
    for dtype in (np.uint8, np.int32, np.float32, np.float64):
        data = np.abs(DATA // 10).astype(dtype)
        nifti(tmp_path / "a.nii", data, np.eye(4))
        one = only(tmp_path)
        assert one.volume.values.dtype == np.int16
        assert_same_places(one, data, np.eye(4))
    nifti(tmp_path / "a.nii", np.full((2, 3, 4), 2**24 + 1, np.int32), np.eye(4))
    assert only(tmp_path).notes == ("N_ROUNDED",)


def test_orientation_of_nifti_is_named_where_it_is_doubtful(tmp_path):
    """Left and right hang on it."""
    image = nibabel.Nifti1Image(DATA, None)
    image.set_sform(np.diag([2.0, 2, 2, 1]), 1)
    image.set_qform(np.diag([-2.0, 2, 2, 1]), 1)
    nibabel.save(image, tmp_path / "a.nii")
    one = only(tmp_path)
    assert one.notes == ("N_FORMS_DISAGREE",)
    assert_same_places(one, DATA, np.diag([2.0, 2, 2, 1]))
    whole = nifti(tmp_path / "a.nii", DATA, np.diag([1.0, 2, 3, 1])).read_bytes()
    (tmp_path / "a.nii").write_bytes(whole[:252] + bytes(4) + whole[256:])  # neither qform_code nor sform_code
    one = only(tmp_path)
    assert one.notes == ("N_NO_ORIENTATION",)
    assert np.allclose(sorted(one.volume.spacing_mm), (1, 2, 3))
    (tmp_path / "a.nii").write_bytes(whole[:296] + bytes(16) + whole[312:])  # the second row of the sform is zero
    assert only(tmp_path).code == "E_BAD_HEADER"
    nifti(tmp_path / "a.nii", DATA, OBLIQUE)
    assert only(tmp_path).notes == ("N_SHEARED",)


def test_a_series_of_volumes_in_one_nifti_is_split(tmp_path):
    """Each time point is a volume of its own."""
    data = np.stack([DATA, DATA[::-1]], -1)
    nifti(tmp_path / "a.nii.gz", data, np.eye(4))
    first, second = read_folder(tmp_path)
    assert (first.source, second.source, first.files) == ("a.nii.gz#1", "a.nii.gz#2", ("a.nii.gz",))
    assert first.notes == ("N_SPLIT_4D",)
    assert_same_places(first, DATA, np.eye(4))
    assert_same_places(second, DATA[::-1], np.eye(4))


def test_colours_in_nifti_stay_colours(tmp_path):
    """RGB is a structured type there."""
    dtype = np.dtype([("R", "u1"), ("G", "u1"), ("B", "u1")])
    data = DRAW.integers(0, 256, (4, 5, 6, 3), dtype=np.uint8)
    nifti(tmp_path / "a.nii", data.view(dtype)[..., 0], np.eye(4))
    assert_same_places(only(tmp_path), data, np.eye(4))


def test_false_claims_of_nifti_are_refused(tmp_path):
    """Cut files, headers that claim more than there is, and files that are something else."""
    whole = nifti(tmp_path / "a.nii", DATA, np.eye(4)).read_bytes()
    path = tmp_path / "a.nii"
    for n_bytes in (0, 10, 347, 352, len(whole) - 1):
        path.write_bytes(whole[:n_bytes])
        assert only(tmp_path).code in ("E_EMPTY_FILE", "E_TRUNCATED", "E_UNREADABLE")
    for sides, code in [
        ((30_000, 30_000, 3), "E_SIZEBOMB"),
        ((-5, 3, 3), "E_BAD_HEADER"),
        ((700, 700, 3), "E_TRUNCATED"),
    ]:
        path.write_bytes(whole[:42] + struct.pack("<3h", *sides) + whole[48:])
        assert only(tmp_path).code in (code, "E_UNREADABLE" if code == "E_BAD_HEADER" else code)
    path.unlink()
    packed = tmp_path / "b.nii.gz"
    packed.write_bytes(gzip.compress(whole)[:-40])
    assert only(tmp_path).code in ("E_TRUNCATED", "E_UNREADABLE")
    packed.write_bytes(gzip.compress(whole[:108] + struct.pack("<f", 1e9) + whole[112:]))
    assert only(tmp_path).code in ("E_BAD_HEADER", "E_UNREADABLE")
    packed.write_bytes(whole)
    assert only(tmp_path).code == "E_UNREADABLE"


@pytest.mark.parametrize("name", ["a.nrrd", "a.mha", "a.mhd"])
def test_nrrd_and_metaimage_keep_every_value_in_its_place(tmp_path, name):
    """The Insight Toolkit writes in LPS; the volume is in RAS."""
    image = SimpleITK.GetImageFromArray(DATA.transpose(2, 1, 0))
    image.SetOrigin((10, -20, 30))
    image.SetSpacing((0.5, 0.75, 2))
    image.SetDirection((0.8, -0.6, 0, 0.6, 0.8, 0, 0, 0, 1))
    SimpleITK.WriteImage(image, str(tmp_path / name))
    affine = np.eye(4)
    affine[:3, :3] = np.array(image.GetDirection()).reshape(3, 3) * image.GetSpacing()
    affine[:3, 3] = image.GetOrigin()
    one = only(tmp_path)
    assert_same_places(one, DATA, np.diag([-1, -1, 1, 1]) @ affine)
    assert one.notes == ()


def test_data_elsewhere_is_not_read(tmp_path):
    """A header may name any file of the machine as its data."""
    (tmp_path / "inside").mkdir()
    (tmp_path / "secret.raw").write_bytes(bytes(64))
    header = "NDims = 3\nDimSize = 4 4 4\nElementType = MET_UCHAR\nElementDataFile = {}\n"
    nrrd = "NRRD0004\ntype: uchar\ndimension: 3\nsizes: 4 4 4\nencoding: raw\ndata file: {}\n\n"
    (tmp_path / "inside" / "link.raw").symlink_to(tmp_path / "secret.raw")
    for name in ("../secret.raw", str(tmp_path / "secret.raw"), "link.raw", "LIST", "s%03d.raw 0 3 1", "nowhere.raw"):
        (tmp_path / "inside" / "a.mhd").write_text(header.format(name))
        (tmp_path / "inside" / "a.nrrd").write_text(nrrd.format(name))
        outcomes = list(read_folder(tmp_path / "inside"))
        assert [one.code for one in outcomes] == ["E_BAD_HEADER"] * 2
    (tmp_path / "inside" / "a.nrrd").unlink()
    (tmp_path / "inside" / "data.raw").write_bytes(bytes(range(64)))
    (tmp_path / "inside" / "a.mhd").write_text(header.format("data.raw"))
    one = only(tmp_path / "inside")
    assert one.volume.values.sum() == sum(range(64))
    assert one.notes == ("N_NO_ORIENTATION",)


@pytest.mark.parametrize("name", ["a.nrrd", "a.mha"])
def test_cut_and_damaged_grids_are_refused(tmp_path, name):
    """Half a volume is not a volume."""
    SimpleITK.WriteImage(SimpleITK.GetImageFromArray(np.tile(DATA, (3, 3, 3))), str(tmp_path / name))
    whole = (tmp_path / name).read_bytes()
    for n_bytes in (0, 3, 100, len(whole) // 2, len(whole) - 2):
        (tmp_path / name).write_bytes(whole[:n_bytes])
        assert only(tmp_path).code in ("E_EMPTY_FILE", "E_TRUNCATED", "E_UNREADABLE", "E_BAD_HEADER"), n_bytes
    huge = whole.replace(b"DimSize = 15 18 21", b"DimSize = 9999 9999 99").replace(
        b"sizes: 15 18 21", b"sizes: 9999 9999 99"
    )
    (tmp_path / name).write_bytes(huge)
    assert only(tmp_path).code == "E_SIZEBOMB"


def test_pages_of_a_tiff_are_slices_without_a_place(tmp_path):
    """Microscopes and old exports stack pages; nothing tells how far they are apart."""
    pages = [Image.fromarray((DATA[..., k] + 1000).astype(np.uint16)) for k in range(5)]
    pages[0].save(tmp_path / "a.tif", save_all=True, append_images=pages[1:])
    one = only(tmp_path)
    assert np.array_equal(one.volume.values, DATA.transpose(2, 0, 1) + 1000)
    assert one.volume.affine is None
    assert one.notes == ("N_NO_GEOMETRY",)
    pages[2] = pages[2].resize((3, 3))
    pages[0].save(tmp_path / "a.tif", save_all=True, append_images=pages[1:])
    assert only(tmp_path).code == "E_MULTIFRAME"


@pytest.mark.parametrize("name", ["a.png", "a.tif"])
def test_pictures_are_single_slices_with_all_their_bits(tmp_path, name):
    """Grey and colour, 8 and 16 bits."""
    for dtype, channels in [(np.uint8, ()), (np.uint16, ()), (np.uint8, (3,)), (np.uint16, (3,))]:
        pixels = DRAW.integers(0, np.iinfo(dtype).max, (20, 30, *channels)).astype(dtype)
        SimpleITK.WriteImage(SimpleITK.GetImageFromArray(pixels, isVector=bool(channels)), str(tmp_path / name))
        one = only(tmp_path)
        assert np.array_equal(one.volume.values[0], pixels)
        assert one.volume.affine is None
        assert one.notes == ()


def test_every_candidate_has_an_outcome_and_the_others_none(tmp_path):
    """Nothing is dropped in silence; tables and texts are no images."""
    save_all(tmp_path / "ct", ct_slices(DATA))
    nifti(tmp_path / "b.nii.gz", DATA, np.eye(4))
    Image.fromarray(np.zeros((4, 4), np.uint8)).save(tmp_path / "c.png")
    (tmp_path / "empty.nii").touch()
    (tmp_path / "broken.mha").write_bytes(b"?")
    (tmp_path / "labels.csv").write_text("a,b\n")
    (tmp_path / ".hidden.nii").touch()
    name = os.fsdecode(b"odd\xff.nii")
    nifti(tmp_path / "x.nii", DATA, np.eye(4)).rename(tmp_path / name)
    outcomes = {one.source: one.code for one in read_folder(tmp_path)}
    assert outcomes == {
        "b.nii.gz": "",
        "broken.mha": outcomes["broken.mha"],
        "c.png": "",
        "ct/s000.dcm": "",
        "empty.nii": "E_EMPTY_FILE",
        "odd\\xff.nii": "",
    }
    assert outcomes["broken.mha"].startswith("E_")


def test_finding_reads_headers_only(tmp_path, monkeypatch):
    """A list of a large archive must be cheap; a file that vanishes afterwards is refused when it is read."""
    path = nifti(tmp_path / "a.nii", DATA, np.eye(4))
    monkeypatch.setattr("lucency.data.formats.nifti.voxels", None)
    (stack,) = find_volumes(tmp_path)
    monkeypatch.undo()
    path.unlink()
    assert read_stack(stack).code == "E_UNREADABLE"


def test_equal_volumes_have_equal_hashes_across_formats(tmp_path):
    """A NIfTI made of a DICOM series is the same volume."""
    save_all(tmp_path / "ct", ct_slices(DATA))
    one = only(tmp_path / "ct")
    (tmp_path / "n").mkdir()
    nifti(tmp_path / "n" / "a.nii", one.volume.values, one.volume.affine)
    again = only(tmp_path / "n")
    assert np.array_equal(again.volume.values, one.volume.values)
    assert np.allclose(again.volume.affine, one.volume.affine, atol=1e-5)
    assert hash_of(one.volume) != hash_of(again.volume)  # NIfTI does not tell that these are Hounsfield units


def test_pictures_are_found_without_loading_what_they_do_not_need(tmp_path):
    """Importing pydicom takes a second that a folder of PNG files should not pay for."""
    Image.fromarray(np.zeros((4, 4), np.uint8)).save(tmp_path / "c.png")
    program = (
        "import sys, pathlib; from lucency.data.volumes import read_folder; "
        f"list(read_folder(pathlib.Path({str(tmp_path)!r}))); "
        "sys.exit(any(name in sys.modules for name in ('pydicom', 'torch', 'SimpleITK', 'nibabel')))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


@pytest.mark.real
@pytest.mark.parametrize("name", ["hippocampus_msd", "nnunet_ct_sample"])
def test_real_nifti_agrees_with_nibabel(real_data, name):
    """Images and label maps of the Decathlon, value by value at their places."""
    stacks = find_volumes(real_data / name)
    for stack in stacks[::7]:
        one = read_stack(stack)
        truth = nibabel.load(real_data / name / one.source)
        assert_same_places(one, np.asarray(truth.dataobj), truth.affine)
    assert all(stack.code == "" for stack in stacks)
