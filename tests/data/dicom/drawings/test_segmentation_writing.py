"""Masks written as DICOM segmentations come back to the bit, by lucency and by highdicom, and keep to the standard."""

import shutil
import subprocess
from datetime import datetime
from pathlib import Path

import highdicom
import numpy as np
import pydicom
import pytest
from drawn_series import PLANES, Series, image, shapes, write, write_series

from lucency.data.codes import REFUSALS
from lucency.data.dicom.drawings.grids import grid_of_series
from lucency.data.dicom.drawings.segmentation import read_segmentation
from lucency.data.dicom.drawings.writing import Authorship, write_segmentation
from lucency.data.reading import RefusedImage
from lucency.domain.masks import Mask

WHEN = datetime(2024, 5, 6, 7, 8, 9)


@pytest.fixture(scope="module")
def axial(tmp_path_factory: pytest.TempPathFactory) -> Series:
    return write_series(tmp_path_factory.mktemp("written") / "series")


def masks_of(series: Series, n: int = 2) -> tuple[Mask, ...]:
    """Return masks that overlap, on the grid of the volume."""
    drawn = shapes(n)
    return tuple(Mask("abcdefgh"[number], series.turned(drawn[..., number])) for number in range(n))


def errors_in(file: Path) -> list[str]:
    """Let dciodvfy, David Clunie's validator of DICOM objects, look for what the standard forbids."""
    if shutil.which("dciodvfy") is None:
        pytest.skip("dicom3tools is not installed")
    said = subprocess.run(["dciodvfy", str(file)], capture_output=True, text=True, errors="replace", check=False)
    return [line for line in (said.stdout + said.stderr).splitlines() if line.startswith("Error")]


@pytest.mark.parametrize("plane", PLANES)
def test_binary_masks_come_back_to_the_bit(tmp_path, plane):
    """Whoever opens the file elsewhere must see what was drawn here, slice by slice."""
    series = write_series(tmp_path / "series", plane)
    masks, file = masks_of(series), tmp_path / "out.dcm"
    write_segmentation(masks, series.files[::-1], file)
    result = read_segmentation(file, grid_of_series(series.files))
    assert (result.code, result.notes) == ("", ())
    for mask, written in zip(result.masks, masks, strict=True):
        assert mask.name == written.name
        np.testing.assert_array_equal(mask.voxels, written.voxels)
    uids = [header.SOPInstanceUID for header in series.headers]
    by_highdicom = highdicom.seg.segread(file).get_pixels_by_source_instance(uids, assert_missing_frames_are_empty=True)
    np.testing.assert_array_equal(by_highdicom, shapes(2))


def test_fractional_masks_come_back_to_the_255th(tmp_path, axial):
    """Networks say how sure they are; shares in steps of 1/255 must not become yes and no."""
    shares = np.random.default_rng(5).integers(0, 256, axial.stored.shape) / np.float32(255)
    masks = (Mask("tumour", axial.turned(shares).astype(np.float32)), masks_of(axial, 1)[0])
    write_segmentation(masks, axial.files, tmp_path / "out.dcm")
    result = read_segmentation(tmp_path / "out.dcm", grid_of_series(axial.files))
    for mask, written in zip(result.masks, masks, strict=True):
        assert mask.voxels.dtype == np.float32
        np.testing.assert_array_equal(mask.voxels, written.voxels.astype(np.float32))
    uids = [header.SOPInstanceUID for header in axial.headers]
    by_highdicom = highdicom.seg.segread(tmp_path / "out.dcm").get_pixels_by_source_instance(
        uids, assert_missing_frames_are_empty=True
    )
    np.testing.assert_allclose(by_highdicom[..., 0], shares, atol=1e-6)


def test_a_mask_of_a_radiograph_comes_back(tmp_path):
    """Radiographs have no place in the patient."""
    file = write(tmp_path / "x.dcm", image(np.zeros((12, 17), np.int16)))
    mask = Mask("nodule", shapes()[3:4, ..., 0])
    write_segmentation([mask], [file], tmp_path / "out.dcm")
    (read,) = read_segmentation(tmp_path / "out.dcm", grid_of_series([file])).masks
    np.testing.assert_array_equal(read.voxels, mask.voxels)


def test_the_validator_finds_no_error(tmp_path, axial):
    """An archive that checks what it is sent would refuse the file."""
    x_ray = write(tmp_path / "x.dcm", image(np.zeros((12, 17), np.int16)))
    soft = Mask("liver", axial.turned(shapes()[..., 0]).astype(np.float32) / 2)
    written = {
        "binary": (masks_of(axial), axial.files),
        "fractional": ((soft,), axial.files),
        "x-ray": ((Mask("left lung", shapes()[3:4, ..., 0]),), [x_ray]),
    }
    for name, (masks, files) in written.items():
        for by in (Authorship("Doe^Reader"), Authorship("U-Net", is_automatic=True, version="3")):
            write_segmentation(masks, files, tmp_path / f"{name}.dcm", by)
            assert errors_in(tmp_path / f"{name}.dcm") == [], name


def test_patient_and_study_are_those_of_the_image(tmp_path, axial):
    """Archives file by these; another patient's name would put the mask into another's folder."""
    write_segmentation(masks_of(axial), axial.files, tmp_path / "out.dcm")
    made, image_header = pydicom.dcmread(tmp_path / "out.dcm"), axial.headers[0]
    for keyword in ("PatientID", "PatientName", "PatientBirthDate", "StudyInstanceUID", "AccessionNumber"):
        assert made[keyword].value == image_header[keyword].value
    assert made.FrameOfReferenceUID == image_header.FrameOfReferenceUID
    assert made.SeriesInstanceUID != image_header.SeriesInstanceUID


@pytest.mark.parametrize("character_set", ["ISO_IR 100", "ISO_IR 192", ["", "ISO 2022 IR 87"]])
def test_the_name_of_the_patient_survives_another_character_set(tmp_path, character_set):
    """Names of structures need UTF-8; the name of the patient has to be written anew for it."""
    name = "山田^太郎" if "87" in str(character_set) else "Möller^Jörg"
    header = image(np.zeros((12, 17), np.int16), SpecificCharacterSet=character_set, PatientName=name)
    file = write(tmp_path / "x.dcm", header)
    write_segmentation([Mask("肺结节", shapes()[3:4, ..., 0])], [file], tmp_path / "out.dcm")
    made = pydicom.dcmread(tmp_path / "out.dcm")
    assert str(made.PatientName) == name
    assert made.SegmentSequence[0].SegmentLabel == "肺结节"


def test_the_same_masks_give_the_same_file(tmp_path, axial):
    """A study that is done again must not fill the archive with copies; other masks must be another object."""
    first, again, other = (tmp_path / f"{name}.dcm" for name in ("first", "again", "other"))
    write_segmentation(masks_of(axial), axial.files, first, Authorship(when=WHEN))
    write_segmentation(masks_of(axial), axial.files[::-1], again, Authorship(when=WHEN))
    write_segmentation(masks_of(axial, 3), axial.files, other, Authorship(when=WHEN))
    assert first.read_bytes() == again.read_bytes()
    uids = {str(pydicom.dcmread(file).SOPInstanceUID) for file in (first, other)}
    assert len(uids) == 2


def test_masks_that_are_written_again_are_the_same_object(tmp_path, axial):
    """An archive recognises a copy by its UID, whenever it was made; another author's is another object."""
    by = (Authorship(), Authorship(when=WHEN), Authorship("Doe^Reader"))
    for number, author in enumerate(by):
        write_segmentation(masks_of(axial), axial.files, tmp_path / f"{number}.dcm", author)
    uids = [str(pydicom.dcmread(tmp_path / f"{number}.dcm").SOPInstanceUID) for number in range(3)]
    assert uids[0] == uids[1] != uids[2]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Ödem", "Ödem"),
        ("肺结节", "肺结节"),
        ("a\\b", "a/b"),
        ("x" * 100, "x" * 64),
        (" left  lung ", "left lung"),
        ("", "segment 1"),
        ("tab\tnew\nline", "tab new line"),
    ],
)
def test_any_name_is_written_and_read(tmp_path, axial, name, expected):
    """Readers name structures in every language; a name must not break the file or become another structure's."""
    masks = (Mask(name, masks_of(axial, 1)[0].voxels), masks_of(axial, 2)[1])
    write_segmentation(masks, axial.files, tmp_path / "out.dcm")
    result = read_segmentation(tmp_path / "out.dcm", grid_of_series(axial.files))
    assert result.code == ""
    assert [mask.voxels.sum() for mask in result.masks] == [mask.voxels.sum() for mask in masks]
    assert result.masks[0].name == expected
    assert errors_in(tmp_path / "out.dcm") == []


@pytest.mark.parametrize("voxels", ["larger", "beyond", "no numbers", "none"])
def test_what_cannot_be_written_is_refused(tmp_path, axial, voxels):
    """A file that was never written is better than one that is wrong."""
    mask = masks_of(axial, 1)[0].voxels.astype(np.float32)
    wrong = {"larger": [mask[1:]], "beyond": [mask * 2], "no numbers": [mask * np.nan], "none": []}[voxels]
    with pytest.raises(RefusedImage) as reason:
        write_segmentation([Mask("a", one) for one in wrong], axial.files, tmp_path / "out.dcm")
    assert reason.value.code in REFUSALS
    assert not (tmp_path / "out.dcm").exists()


def code_of_writing(mask: Mask, file: Path, out: Path) -> str:
    try:
        write_segmentation([mask], [file], out)
    except RefusedImage as reason:
        return reason.code
    return ""


def test_no_damaged_image_ends_the_program(tmp_path):
    """Headers that are damaged but can be shown are still copied into the segmentation."""
    file = write(tmp_path / "x.dcm", image(np.zeros((12, 17), np.int16), SpecificCharacterSet="ISO_IR 100"))
    whole, draw, n_written = file.read_bytes(), np.random.default_rng(0), 0
    mask = Mask("a", shapes()[3:4, ..., 0])
    for _ in range(200):
        damaged = bytearray(whole)
        for place in draw.integers(132, len(damaged) - 400, draw.integers(1, 6)):
            damaged[place] = draw.integers(256)
        file.write_bytes(bytes(damaged))
        code = code_of_writing(mask, file, tmp_path / "out.dcm")
        assert not code or code in REFUSALS
        if not code:
            n_written += 1
            (read,) = read_segmentation(tmp_path / "out.dcm", grid_of_series([file])).masks
            np.testing.assert_array_equal(read.voxels, mask.voxels)
    assert n_written > 20


@pytest.mark.real
def test_a_mask_of_a_slide_is_written_in_tiles(real_data, tmp_path):
    """Slides are stored in tiles; highdicom puts them together again."""
    slide = real_data / "dicom_seg_sr_rt" / "highdicom" / "sm_image_control.dcm"
    grid = grid_of_series([slide])
    drawn = np.zeros((*grid.shape, 2), np.bool_)
    drawn[0, 3:20, 7:33, 0], drawn[0, 15:50, 30:, 1] = True, True
    write_segmentation([Mask("a", drawn[..., 0]), Mask("b", drawn[..., 1])], [slide], tmp_path / "out.dcm")
    result = read_segmentation(tmp_path / "out.dcm", grid)
    by_highdicom = highdicom.seg.segread(tmp_path / "out.dcm").get_total_pixel_matrix()
    for number, mask in enumerate(result.masks):
        np.testing.assert_array_equal(mask.voxels, drawn[..., number])
        np.testing.assert_array_equal(by_highdicom[..., number], drawn[0, ..., number])
    assert errors_in(tmp_path / "out.dcm") == []
