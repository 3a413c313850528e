"""A segmentation of CT series, drawn and predicted as DICOM segmentations."""

import csv
import json
from pathlib import Path

import nibabel
import numpy as np
import pydicom
from commands import done

from data.dicom_files import write_dicom
from lucency.data.dicom.drawings.grids import grid_of_series
from lucency.data.dicom.drawings.segmentation import read_segmentation
from lucency.data.dicom.drawings.writing import write_segmentation
from lucency.domain.masks import Mask

PLAN = """\
task: segmentation
data:
  images: images
  labels: {from: masks, drawings: {path: masks, structures: [stone]}}
  patient: dicom
  image: {volumes: whole}
split: {training: 0.5, tuning: 0.25, test: 0.25}
segmentation: {n_stages: 2, n_features: 4}
training: {epochs: 3, learning_rate: 0.02, n_threads: 1}
"""


def write_series(folder: Path, patient: int) -> np.ndarray:
    """Write a CT of six slices of 5 mm, listed from the head down, with something dense in it; return where that is."""
    draw = np.random.default_rng(patient)
    values = draw.integers(0, 200, (6, 24, 28)).astype(np.int16)
    place = np.zeros(values.shape, bool)
    row, column = draw.integers(4, 14, 2)
    place[2:5, row : row + 7, column : column + 8] = True
    values[place] += 800
    folder.mkdir(parents=True)
    uid = f"1.2.840.99999.{patient + 1}"
    for n, slice_values in enumerate(values):
        write_dicom(
            folder / f"{9 - n}.dcm",
            slice_values,
            SOPClassUID="1.2.840.10008.5.1.4.1.1.2",
            SOPInstanceUID=f"{uid}.1.{n + 1}",
            StudyInstanceUID=uid,
            SeriesInstanceUID=f"{uid}.1",
            FrameOfReferenceUID=f"{uid}.9",
            Modality="CT",
            PatientID=f"p{patient}",
            ImagePositionPatient=[0, 0, 5 * n],
            ImageOrientationPatient=[1, 0, 0, 0, 1, 0],
            PixelSpacing=[1, 1],
            SliceThickness=5,
            RescaleSlope=1,
            RescaleIntercept=-100,
        )
    return place


def test_a_study_of_series_writes_segmentations_that_say_the_same_as_its_masks(tmp_path: Path) -> None:
    """NIfTI and DICOM SEG of one prediction hold the same voxels; CT is shown by what the structures hold."""
    for patient in range(12):
        place = write_series(tmp_path / "images" / f"s{patient}", patient)
        files = sorted((tmp_path / "images" / f"s{patient}").iterdir())
        (tmp_path / "masks").mkdir(exist_ok=True)
        write_segmentation([Mask("stone", place)], files, tmp_path / "masks" / f"m{patient}.dcm")
    (tmp_path / "study.yaml").write_text(PLAN)
    out = tmp_path / "s"
    done("run", tmp_path / "study.yaml", "--out", out)
    configuration = json.loads((out / "segmentation.json").read_text())
    assert configuration["spacing_mm"] == [5, 1, 1]
    assert configuration["grey_scale"]["rule"] == "between"
    assert configuration["grey_scale"]["low"] > 600  # Hounsfield units of the stone, not of what lies around it
    cases = {row["image_id"]: row for row in csv.DictReader((out / "tables" / "cases.csv").open())}
    source = {row["image_id"]: row["source"] for row in csv.DictReader((out / "cohort.csv").open())}
    predictions = list(csv.DictReader((out / "predictions.csv").open()))
    assert predictions
    for row in predictions:
        volume, segmentation = row["files"].split("; ")
        series = sorted((tmp_path / "images" / source[row["image_id"]]).parent.iterdir())
        read = read_segmentation(out / segmentation, grid_of_series(tuple(series)))
        assert not read.code
        said = np.transpose(np.asarray(nibabel.load(out / volume).dataobj), (2, 1, 0)) == 1
        from_dicom = read.masks[0].voxels if read.masks else np.zeros(said.shape, bool)
        assert from_dicom.sum() == said.sum() == int(cases[row["image_id"]]["n_predicted"])
        assert cases[row["image_id"]]["size_unit"] == "mm³"
        assert float(cases[row["image_id"]]["truth_size"]) == 3 * 7 * 8 * 5
        header = pydicom.dcmread(out / segmentation, stop_before_pixels=True)
        assert header.SegmentSequence[0].SegmentAlgorithmType == "AUTOMATIC"
