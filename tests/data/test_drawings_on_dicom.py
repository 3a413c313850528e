"""Drawings on DICOM images: pictures and NIfTI by name, segmentations by what they refer to; whole series and lone slices."""

from pathlib import Path

import highdicom
import nibabel
import numpy as np
import pydicom
import pytest
from dicom_files import ct_slices, save_all
from highdicom.seg import Segmentation, SegmentDescription
from PIL import Image
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes

from lucency.data.ground_truth.drawings.images import ImageOnDisk, grid_of
from lucency.data.ground_truth.drawings.labels import DrawnLabels, labels_from_drawings
from lucency.data.ground_truth.drawings.volumes import write_nifti
from lucency.domain.labels_plan import Drawings
from lucency.domain.progress import Silence
from lucency.study.beside.masks import convert_masks

N_SLICES, N_ROWS, N_COLUMNS = 6, 20, 24


def lesion() -> np.ndarray:
    """Return a mask, axes (slice from the feet, row, column), on the slices 2 to 4 only."""
    mask = np.zeros((N_SLICES, N_ROWS, N_COLUMNS), bool)
    mask[2:5, 3:9, 4:7] = True
    mask[3, 3:5, 4:20] = True
    return mask


@pytest.fixture
def series(tmp_path) -> list[Dataset]:
    """Write a CT series of an invented patient, and return its headers."""
    draw = np.random.default_rng(2)
    headers = ct_slices(draw.integers(-900, 900, (N_SLICES, N_ROWS, N_COLUMNS)))
    for header in headers:
        header.PatientBirthDate = header.PatientSex = header.StudyDate = header.StudyTime = header.AccessionNumber = ""
        header.StudyID = ""
    save_all(tmp_path / "ct", headers)
    return headers


def write_segmentation(path: Path, headers: list[Dataset], mask: np.ndarray) -> None:
    """Write a binary segmentation as highdicom does."""
    segment = SegmentDescription(
        1,
        "tumour",
        codes.SCT.MorphologicallyAbnormalStructure,
        codes.SCT.Neoplasm,
        highdicom.seg.SegmentAlgorithmTypeValues.MANUAL,
    )
    path.parent.mkdir(exist_ok=True)
    Segmentation(
        headers,
        mask.astype(np.uint8),
        highdicom.seg.SegmentationTypeValues.BINARY,
        [segment],
        highdicom.UID(),
        1,
        highdicom.UID(),
        1,
        "lucency",
        "tests",
        "1",
        "0",
    ).save_as(path)


def whole(folder: Path) -> list[ImageOnDisk]:
    files = tuple(sorted((folder / "ct").iterdir()))
    return [ImageOnDisk("ct", "ct/" + files[0].name, files)]


def slices(folder: Path, headers: list[Dataset]) -> list[ImageOnDisk]:
    """Return each file as an image of its own, from the feet to the head."""
    names = {pydicom.dcmread(file).SOPInstanceUID: file for file in (folder / "ct").iterdir()}
    return [
        ImageOnDisk(str(k), names[header.SOPInstanceUID].name, (names[header.SOPInstanceUID],), (1, N_ROWS, N_COLUMNS))
        for k, header in enumerate(headers)
    ]


def labels(images: list[ImageOnDisk], folder: Path) -> DrawnLabels:
    return labels_from_drawings(images, Drawings(path=str(folder), finding="tumour"), Silence())


def test_a_segmentation_finds_its_series_by_what_it_refers_to(series, tmp_path):
    """Its name says nothing, and need not."""
    write_segmentation(tmp_path / "drawn" / "x.dcm", series, lesion())
    found = labels(whole(tmp_path), tmp_path / "drawn")
    assert [(row.structure, row.n_voxels) for row in found.rows] == [("tumour", lesion().sum())]
    assert (found.rows[0].first_slice, found.rows[0].last_slice) == ("3", "5")
    assert not found.found.unmatched


def test_a_segmentation_of_a_series_labels_each_of_its_slices(series, tmp_path):
    """A study of slices: only those on which something was drawn are positive."""
    write_segmentation(tmp_path / "drawn" / "x.dcm", series, lesion())
    found = labels(slices(tmp_path, series), tmp_path / "drawn")
    assert [label.n_voxels for label in found.labels] == lesion().sum(axis=(1, 2)).tolist()
    assert [label.target for label in found.labels] == ["no_tumour"] * 2 + ["tumour"] * 3 + ["no_tumour"]


def test_a_segmentation_of_another_series_belongs_to_none(series, tmp_path):
    """Another patient's lesion must not land here, though rows and columns would fit."""
    other = ct_slices(np.zeros((N_SLICES, N_ROWS, N_COLUMNS), int), series="1.2.3.77")
    for header in other:
        header.PatientBirthDate = header.PatientSex = header.StudyDate = header.StudyTime = header.AccessionNumber = ""
        header.StudyID = ""
    write_segmentation(tmp_path / "drawn" / "x.dcm", other, lesion())
    found = labels(whole(tmp_path), tmp_path / "drawn")
    assert [one.code for one in found.found.unmatched] == ["E_NO_IMAGE"]
    assert [label.code for label in found.labels] == ["E_NO_LABEL"]


def test_a_nifti_mask_named_after_the_series_lands_on_it(series, tmp_path):
    """As programs that convert DICOM to NIfTI write it; its geometry is checked against the headers."""
    image = whole(tmp_path)[0]
    mask = lesion()
    (tmp_path / "drawn").mkdir()
    write_nifti(tmp_path / "drawn" / "ct_seg.nii.gz", mask, grid_of(image))
    found = labels([image], tmp_path / "drawn")
    assert found.rows[0].n_voxels == mask.sum()
    assert float(found.rows[0].volume_mm3) == pytest.approx(mask.sum() * 0.7 * 0.9 * 2.5, rel=1e-5)


def test_a_picture_lies_on_a_single_dicom_image(series, tmp_path):
    """PNG masks beside radiographs are the usual case."""
    image = slices(tmp_path, series)[3]
    (tmp_path / "drawn").mkdir()
    Image.fromarray(lesion()[3]).save(tmp_path / "drawn" / f"{Path(image.source).stem}_mask.png")
    assert [label.n_voxels for label in labels([image], tmp_path / "drawn").labels] == [lesion()[3].sum()]


def test_other_dicom_objects_are_listed(series, tmp_path):
    """An image among the drawings is no drawing."""
    save_all(tmp_path / "drawn", ct_slices(np.zeros((1, 4, 4), int), series="1.2.3.78"))
    found = labels(whole(tmp_path), tmp_path / "drawn")
    assert [one.code for one in found.found.unmatched] == ["E_NOT_DRAWING"]


def test_masks_become_a_segmentation_and_come_back(series, tmp_path):
    """NIfTI to DICOM SEG and back to NIfTI: not one voxel moves, and the series needs no name any more."""
    pytest.importorskip("lucency.data.dicom.drawings.writing")
    image = whole(tmp_path)[0]
    (tmp_path / "drawn").mkdir()
    write_nifti(tmp_path / "drawn" / "ct_seg.nii.gz", lesion(), grid_of(image))
    settings = Drawings(path=str(tmp_path / "drawn"), finding="tumour")
    images = tmp_path / "images"
    images.mkdir()
    (tmp_path / "ct").rename(images / "ct")
    convert_masks(settings, images, "seg", tmp_path / "there", Silence())
    assert (tmp_path / "there" / "ct.dcm").exists()
    back = Drawings(path=str(tmp_path / "there"))
    fates = convert_masks(back, images, "nifti", tmp_path / "back", Silence())
    assert [(fate.fate, fate.structures, fate.n_voxels) for fate in fates] == [("written", "tumour", lesion().sum())]
    before, after = (
        nibabel.load(folder) for folder in (tmp_path / "drawn" / "ct_seg.nii.gz", tmp_path / "back" / "ct.nii.gz")
    )
    assert (np.asarray(before.dataobj) == np.asarray(after.dataobj)).all()
    assert np.allclose(before.affine, after.affine, atol=1e-4)
