"""A study on volumes, from series of slices."""

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


def test_a_whole_study_on_series_and_its_audit(tmp_path: Path) -> None:
    """Slices go in, volumes are counted, and a slice that was changed afterwards is told."""
    for patient in range(24):
        write_series(tmp_path / "images" / f"s{patient}", patient, is_ill=bool(patient % 2))
    rows = [f"s{patient},{'ill' if patient % 2 else 'healthy'}" for patient in range(24)]
    (tmp_path / "labels.csv").write_text("\n".join(["image,label", *rows]) + "\n")
    (tmp_path / "study.yaml").write_text(PLAN)
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
