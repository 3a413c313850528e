"""What is written is read again to the bit, by lucency and by others, and is valid DICOM."""

import shutil
import subprocess
from datetime import datetime
from pathlib import Path

import highdicom as hd
import numpy as np
import pydicom
import pytest
from pydicom.sr._concepts_dict import concepts

from data.dicom_files import enhanced_ct, position, write, write_dicom
from data.drawn_files import DIRECTIONS, in_order, save, series
from lucency.data.dicom.drawings.coded_names import ANATOMY, TISSUE, coded_name
from lucency.data.dicom.drawings.grids import grid_of_series
from lucency.data.dicom.drawings.segmentation import read_segmentation
from lucency.data.dicom.drawings.writing import Authorship, write_segmentation
from lucency.data.reading import RefusedImage
from lucency.domain.masks import Mask

SHAPE = (5, 6, 7)
ON_A_DAY = Authorship("Reader^A", when=datetime(2026, 1, 2, 3, 4, 5))


def masks_on(shape, seed: int = 0) -> list[Mask]:
    """Return overlapping masks, two of one name, one of them empty."""
    draw = np.random.default_rng(seed)
    voxels = [draw.random(shape) < 0.4 for _ in range(2)] + [np.zeros(shape, bool)]
    return [Mask("left lung", voxels[0]), Mask("nodule", voxels[1]), Mask("nodule", voxels[2], 2)]


def assert_same(found, masks) -> None:
    assert found.code == ""
    assert [(mask.name, mask.number) for mask in found.masks] == [(mask.name, mask.number) for mask in masks]
    for read, written in zip(found.masks, masks, strict=True):
        assert read.voxels.dtype == written.voxels.dtype
        assert (read.voxels == written.voxels).all()


def images(folder: Path) -> dict[str, list[Path]]:
    """Return images of every kind that can be written for."""
    positions = [position(k) for k in (3, 1, 0, 4, 2)]
    kinds = {name: series(folder / name.replace(" ", "_"), SHAPE, name) for name in DIRECTIONS}
    kinds["enhanced"] = [write(folder / "e.dcm", enhanced_ct(np.zeros(SHAPE, np.int16), positions))]
    kinds["one slice"] = kinds["coronal"][:1]
    kinds["radiograph"] = [write_dicom(folder / "dx.dcm", np.zeros((9, 7), np.uint16))]
    return kinds


@pytest.fixture(scope="module")
def all_images(tmp_path_factory) -> dict[str, list[Path]]:
    return images(tmp_path_factory.mktemp("images"))


KINDS = (*DIRECTIONS, "enhanced", "one slice", "radiograph")


@pytest.mark.parametrize("kind", KINDS)
def test_masks_come_back_to_the_bit(tmp_path, all_images, kind):
    """Overlapping and empty ones, on images of every kind."""
    files = all_images[kind]
    grid = grid_of_series(files)
    masks = masks_on(grid.shape)
    write_segmentation(masks, files, tmp_path / "seg.dcm", ON_A_DAY)
    found = read_segmentation(tmp_path / "seg.dcm", grid)
    assert_same(found, masks)
    assert found.notes == ()
    assert found.masks[0].reader == "Reader^A"


@pytest.mark.parametrize("kind", KINDS)
def test_shares_come_back_in_steps_of_1_in_255(tmp_path, all_images, kind):
    """A fractional segmentation has eight bits."""
    files = all_images[kind]
    grid = grid_of_series(files)
    shares = np.random.default_rng(1).random(grid.shape).astype(np.float32)
    write_segmentation([Mask("liver", shares)], files, tmp_path / "seg.dcm")
    (mask,) = read_segmentation(tmp_path / "seg.dcm", grid).masks
    assert np.abs(mask.voxels - shares).max() <= 0.5 / 255 + 1e-6
    write_segmentation([mask], files, tmp_path / "again.dcm")
    assert_same(read_segmentation(tmp_path / "again.dcm", grid), [mask])


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_highdicom_finds_the_same_voxels_on_each_instance(tmp_path, all_images, direction):
    """An independent reader, asked slice by slice, without any geometry of ours."""
    files = all_images[direction]
    grid = grid_of_series(files)
    masks = masks_on(grid.shape)
    write_segmentation(masks, files, tmp_path / "seg.dcm")
    oracle = hd.seg.segread(tmp_path / "seg.dcm")
    for header in in_order(files):
        theirs = oracle.get_pixels_by_source_instance([header.SOPInstanceUID])[0]
        corner = np.array([*header.ImagePositionPatient, 1.0]) * (-1, -1, 1, 1)
        down = np.array([*header.ImageOrientationPatient[3:], 0.0]) * (-1, -1, 1, 1) * 0.7
        right = np.array([*header.ImageOrientationPatient[:3], 0.0]) * (-1, -1, 1, 1) * 0.9
        rows, columns = np.indices(theirs.shape[:2])
        places = corner + rows[..., None] * down + columns[..., None] * right
        index = np.rint(places @ np.linalg.inv(grid.affine).T)[..., :3].astype(int)
        for number, mask in enumerate(masks):
            assert (mask.voxels[tuple(np.moveaxis(index, -1, 0))] == theirs[..., number]).all()


@pytest.mark.skipif(shutil.which("dciodvfy") is None, reason="dciodvfy is not here")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("is_fractional", [False, True])
def test_the_file_is_valid(tmp_path, all_images, kind, is_fractional):
    """Dciodvfy checks every attribute against the standard."""
    files = all_images[kind]
    shape = grid_of_series(files).shape
    masks = [Mask("liver", np.full(shape, 0.25, np.float32))] if is_fractional else masks_on(shape)
    for authorship in (ON_A_DAY, Authorship("a network", is_automatic=True)):
        write_segmentation(masks, files, tmp_path / "seg.dcm", authorship)
        told = subprocess.run(["dciodvfy", tmp_path / "seg.dcm"], capture_output=True, text=True, check=False).stderr
        assert [line for line in told.splitlines() if line.startswith("Error")] == []


def test_frames_of_fewer_than_eight_pixels_are_refused(tmp_path):
    """Highdicom packs their bits wrongly, and no clinical image is as small."""
    files = series(tmp_path / "ct", (2, 2, 2))
    with pytest.raises(RefusedImage, match="E_MASK_SIZE"):
        write_segmentation([Mask("a", np.ones((2, 2, 2), bool))], files, tmp_path / "seg.dcm")


def test_a_resampled_volume_has_no_slices_to_write_for(tmp_path):
    """Its voxels are none that were imaged."""
    files = series(tmp_path / "ct", (6, 8, 9))
    for file in files:
        header = pydicom.dcmread(file)
        header.ImagePositionPatient[1] += 0.5 * header.InstanceNumber
        save(file, header)
    grid = grid_of_series(files)
    with pytest.raises(RefusedImage, match="E_MASK_PLACE"):
        write_segmentation(masks_on(grid.shape), files, tmp_path / "seg.dcm")


def test_frames_without_a_place_have_no_segmentation(tmp_path):
    """A film of ultrasound does not tell where its frames lie."""
    pixels = np.zeros((5, 8, 9), np.uint16)
    film = write_dicom(tmp_path / "us.dcm", pixels[0], Modality="US", NumberOfFrames=5, PixelData=pixels.tobytes())
    with pytest.raises(RefusedImage, match="E_NOGEOM"):
        write_segmentation(masks_on((5, 8, 9)), [film], tmp_path / "seg.dcm")


@pytest.mark.parametrize(
    ("name", "value"),
    [("Left_Lung", "39607008"), ("kidneys", "64033007"), ("Tumour", "108369006"), ("nodules", "27925004")],
)
def test_usual_names_have_codes(name, value):
    """Whatever the side, number, spelling and capitals."""
    assert coded_name(name).kind.value == value


def test_an_unknown_name_is_a_tissue():
    """The label says what it is; a wrong code would be worse than a vague one."""
    assert coded_name("zone 4b").kind == coded_name("zone 4b").category == TISSUE


def test_codes_are_those_of_the_standard():
    """Pydicom carries the codes of PS3.16."""
    known = {code: meaning.lower() for name in concepts["SCT"].values() for code, (meaning, _) in name.items()}
    from lucency.data.dicom.drawings import coded_names

    for word, value in (coded_names._ANATOMY | coded_names._ABNORMAL).items():
        assert value in known, word
        names = [name.lower() for name, codes in concepts["SCT"].items() if value in codes]
        assert word.replace(" ", "") in names
    assert ANATOMY.value in known


@pytest.mark.real
def test_masks_on_real_images_come_back(tmp_path, real_data):
    """Headers of real scanners have what made-up ones lack, and lack what those have."""
    folder = real_data / "dicom_seg_sr_rt"
    bundled = Path(pydicom.__file__).parent / "data" / "test_files"
    cases = [
        [folder / "highdicom" / "ct_image.dcm"],
        [folder / "highdicom" / "dx_image.dcm"],
        [folder / "rt_utils" / name for name in ("ct_1.dcm", "ct_2.dcm")],
        [folder / "dicompyler" / "ct.0.dcm"],
        [bundled / "dicomdirtests" / "77654033" / "CT2" / name for name in ("17136", "17166", "17196")],
        [bundled / "dicomdirtests" / "77654033" / "CR1" / "6154"],
    ]
    for files in cases:
        grid = grid_of_series(files)
        masks = masks_on(grid.shape)
        write_segmentation(masks, files, tmp_path / "seg.dcm")
        assert_same(read_segmentation(tmp_path / "seg.dcm", grid), masks)
