"""A study on volumes, from series of slices."""

import json
from pathlib import Path

import numpy as np
from commands import done, lucency

from data.dicom_files import write_dicom

PLAN = """\
task: classification
data:
  images: images
  labels: {from: table, table: labels.csv}
  patient: dicom
  image: {size: 24, n_slices: 4}
split: {training: 0.5, tuning: 0.25, test: 0.25}
network: {architecture: small_cnn, n_kernels: [4, 8]}
training: {epochs: 2, batch_size: 8}
explanation: {n_cases: 2}
report: {n_worst: 2}
"""


def write_series(folder: Path, patient: int, is_ill: bool) -> None:
    """Write a CT of six slices; the ill have something dense in the middle."""
    draw = np.random.default_rng(patient)
    values = draw.integers(0, 200, (6, 24, 24)).astype(np.int16)
    if is_ill:
        values[2:4, 8:16, 8:16] += 800
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
            Modality="CT",
            PatientID=f"p{patient}",
            ImagePositionPatient=[0, 0, 5 * n],
            ImageOrientationPatient=[1, 0, 0, 0, 1, 0],
            PixelSpacing=[1, 1],
            RescaleSlope=1,
            RescaleIntercept=-100,
        )


def write_cohort(folder: Path) -> None:
    """Write a series for each of 24 patients, half of them ill, and a plan."""
    for patient in range(24):
        write_series(folder / "images" / f"s{patient}", patient, is_ill=bool(patient % 2))
    rows = [f"s{patient},{'ill' if patient % 2 else 'healthy'}" for patient in range(24)]
    (folder / "labels.csv").write_text("\n".join(["image,label", *rows]) + "\n")
    (folder / "study.yaml").write_text(PLAN)


def test_networks_for_volumes_learn_and_are_reported(tmp_path: Path) -> None:
    """Slice by slice and in three dimensions, from the series to the saliency maps and the layer table."""
    write_cohort(tmp_path)
    said = {
        "3d": "a small convolutional network in three dimensions",
        "slice_by_slice": "memory (LSTM) that goes through",
    }
    for volumes, words in said.items():
        out = tmp_path / volumes
        done("run", tmp_path / "study.yaml", "--out", out, "--set", f"network.volumes={volumes}")
        page = (out / "report.html").read_text()
        assert words in page.replace("A small", "a small")
        assert (out / "figures" / "saliency-01.png").exists()
        fields = [row["receptive_field_pixels"] for row in json.loads((out / "tables" / "layers.json").read_text())]
        assert len(fields[3]) == (3 if volumes == "3d" else 2)


def test_a_whole_study_on_series_and_its_audit(tmp_path: Path) -> None:
    """Slices go in, volumes are counted, and a slice that was changed afterwards is told."""
    write_cohort(tmp_path)
    out = tmp_path / "s"
    said = done("run", tmp_path / "study.yaml", "--out", out).out
    assert "Images: 24 of 24 kept; 24 patients." in said
    assert "Each image is a volume" in (out / "report.html").read_text()
    assert len((out / "files.csv").read_text().splitlines()) == 1 + 24 * 6
    assert "images: 24 of 24 are as recorded" in done("audit", out).out
    one = next((tmp_path / "images").rglob("5.dcm"))
    one.write_bytes(one.read_bytes()[:-2] + b"\1\1")
    answer = lucency("audit", out)
    assert answer.code == 1
    assert "images: 23 of 24 are as recorded" in answer.out
