"""Files that hold several pictures, and volumes, as the curation sees them."""

from pathlib import Path

import nibabel
import numpy as np
import pytest
from dicom_files import dataset, write, write_dicom
from PIL import Image as PillowImage
from test_curation import cohort_of
from truths import labelling_of

from lucency.data.store import open_store
from lucency.domain.cohort import KEPT, CohortRow
from lucency.domain.labels_plan import Labels

SERIES = np.arange(6 * 20 * 24, dtype=np.int16).reshape(6, 20, 24) - 1000


def write_series(folder: Path, patient: str, values: np.ndarray = SERIES, **elements: object) -> None:
    """Write a CT series whose file names and instance numbers run against its geometry."""
    folder.mkdir(parents=True, exist_ok=True)
    for n, slice_values in enumerate(values):
        write_dicom(
            folder / f"IM{99 - n}.dcm",
            slice_values + 1000,
            **{
                "SOPClassUID": "1.2.840.10008.5.1.4.1.1.2",
                "SOPInstanceUID": f"1.2.10008.{patient}.{n + 1}",
                "StudyInstanceUID": f"1.2.10008.{patient}",
                "SeriesInstanceUID": f"1.2.10008.{patient}.0",
                "FrameOfReferenceUID": f"1.2.10008.{patient}.9",
                "Modality": "CT",
                "PatientID": patient,
                "InstanceNumber": 99 - n,
                "ImagePositionPatient": [0, 0, 3 * n],
                "ImageOrientationPatient": [1, 0, 0, 0, 1, 0],
                "PixelSpacing": [1, 1],
                "RescaleSlope": 1,
                "RescaleIntercept": -1000,
            }
            | elements,
        )


def by_source(rows: list[CohortRow]) -> dict[str, list[CohortRow]]:
    found: dict[str, list[CohortRow]] = {}
    for row in rows:
        found.setdefault(row.source, []).append(row)
    return found


def test_a_series_becomes_one_row_in_the_order_of_its_geometry(tmp_path: Path) -> None:
    """The names and numbers of the files run the other way round."""
    for patient in ("1", "2"):
        write_series(tmp_path / "images" / patient, patient, SERIES + int(patient))
    settings = {"patient": "dicom", "image": {"size": [20, 24], "n_slices": 6, "window": [-1000 + 1440, 2881]}}
    rows = cohort_of(tmp_path / "images", tmp_path / "store", **settings)
    assert [(row.n_files, row.slices, row.rows, row.columns, row.status) for row in rows] == [(6, 6, 20, 24, KEPT)] * 2
    assert rows[0].spacing_mm == "3×1×1"
    assert rows[0].source == "1/IM99.dcm", "the lowest slice names the volume"
    stored = open_store(tmp_path / "store").images
    assert stored.shape == (2, 6, 20, 24)
    means = stored[0].reshape(6, -1).mean(axis=1)
    assert (np.diff(means) > 0).all()


def test_a_series_with_a_gap_is_refused_and_the_others_go_on(tmp_path: Path) -> None:
    """A thinner volume would be a wrong one."""
    for patient in ("1", "2"):
        write_series(tmp_path / "images" / patient, patient)
    (tmp_path / "images" / "2" / "IM97.dcm").unlink()
    settings = {"patient": "dicom", "image": {"size": 16, "n_slices": 4}}
    rows = cohort_of(tmp_path / "images", tmp_path / "store", **settings)
    assert [(row.n_files, row.status, row.reason) for row in rows] == [(6, KEPT, ""), (5, "refused", "E_GAP")]


def test_each_slice_of_a_nifti_file_is_an_image_where_no_volumes_are_asked_for(tmp_path: Path) -> None:
    """They share the file, and are told apart by the frame; one window serves all."""
    (tmp_path / "images").mkdir()
    affine = np.diag([-1.0, -1.0, 3.0, 1.0])  # columns to the left, rows to the back: as on a screen
    values = np.moveaxis(SERIES, 0, 2).swapaxes(0, 1)
    nibabel.save(nibabel.Nifti1Image(values, affine), tmp_path / "images" / "p1.nii.gz")
    settings = {"image": {"size": [20, 24], "window": "full"}}
    rows = cohort_of(tmp_path / "images", tmp_path / "store", **settings)
    assert [(row.source, row.frame) for row in rows] == [("p1.nii.gz", n) for n in range(1, 7)]
    assert len({row.image_id for row in rows}) == 6
    shown = open_store(tmp_path / "store").images[:, 0].astype(float)
    expected = (SERIES - SERIES.min()) / np.ptp(SERIES) * 65535
    assert np.abs(shown - expected).max() <= 1


def test_frames_of_a_film_are_images_of_one_patient(tmp_path: Path) -> None:
    """Ultrasound films hold many frames; none of them is lost."""
    film = np.random.default_rng(1).integers(0, 255, (5, 24, 24), dtype=np.uint8)
    header = dataset(film[0], Modality="US", SOPClassUID="1.2.840.10008.5.1.4.1.1.3.1", PatientID="7")
    header.NumberOfFrames = 5
    header.PixelData = film.tobytes()
    (tmp_path / "images").mkdir()
    write(tmp_path / "images" / "film.dcm", header)
    rows = cohort_of(tmp_path / "images", tmp_path / "store", patient="dicom", image={"size": 24})
    assert [row.frame for row in rows] == [1, 2, 3, 4, 5]
    assert {row.patient_id for row in rows} == {"P0001"}
    assert np.array_equal(open_store(tmp_path / "store").images[:, 0], film)


def test_pages_of_a_tiff_file_are_images(tmp_path: Path) -> None:
    """With 16 bits, too."""
    pages = np.random.default_rng(2).integers(0, 60_000, (3, 28, 28), dtype=np.uint16)
    (tmp_path / "images").mkdir()
    first, *others = [PillowImage.fromarray(page) for page in pages]
    first.save(tmp_path / "images" / "p3.tif", save_all=True, append_images=others)
    rows = cohort_of(tmp_path / "images", tmp_path / "store", image={"size": 28, "window": "full"})
    assert [(row.frame, row.status) for row in rows] == [(1, KEPT), (2, KEPT), (3, KEPT)]
    shown = open_store(tmp_path / "store").images[:, 0].astype(float)
    assert np.abs(shown - (pages - pages.min()) / np.ptp(pages) * 65535).max() <= 1


@pytest.mark.parametrize(
    ("name", "other"),
    [("1", "2"), ("a/1", "a/2"), ("a/1/IM99.dcm", "a/2/IM99.dcm"), ("1.2.10008.1.0", "1.2.10008.2.0")],
)
def test_a_label_table_names_a_series_by_its_folder_or_its_uid(tmp_path: Path, name: str, other: str) -> None:
    """Nobody lists the slices of a CT one by one."""
    for patient in ("1", "2"):
        write_series(tmp_path / "images" / "a" / patient, patient, SERIES[:, :: 3 - 2 * int(patient)])
    (tmp_path / "labels.csv").write_text(f"image,label\n{name},ill\n{other},healthy\n")
    rows = cohort_of(tmp_path / "images", tmp_path / "store", patient="dicom", image={"size": 16, "n_slices": 4})
    labels = Labels.model_validate({"from": "table", "table": str(tmp_path / "labels.csv")})
    assert labelling_of(rows, labels).rows[0].target == "ill"


def test_a_lone_picture_is_no_volume(tmp_path: Path) -> None:
    """It is refused with a code of its own; the series beside it is read."""
    write_series(tmp_path / "images" / "1", "1")
    PillowImage.fromarray(np.arange(784, dtype=np.uint8).reshape(28, 28)).save(tmp_path / "images" / "key.png")
    settings = {"patient": "dicom", "image": {"size": 16, "n_slices": 4}}
    rows = by_source(cohort_of(tmp_path / "images", tmp_path / "store", **settings))
    assert rows["key.png"][0].reason == "E_NOT_VOLUME"
    assert rows["1/IM99.dcm"][0].status == KEPT


@pytest.mark.real
def test_a_real_series_is_one_volume(real_data: Path, tmp_path: Path) -> None:
    """64 sagittal slices of a structural MR, 0.7 mm apart, with pixels of 0.667 mm; their stack runs from right to left."""
    settings = {"patient": "dicom", "image": {"size": 64, "n_slices": 16}}
    rows = cohort_of(real_data / "dicom_mr_structural_64", tmp_path / "store", **settings)
    kept = [row for row in rows if row.status == KEPT]
    assert [row.n_files for row in kept] == [64]
    assert [float(mm) for mm in kept[0].spacing_mm.split("×")] == pytest.approx([2 / 3, 2 / 3, 0.7], abs=1e-3)
