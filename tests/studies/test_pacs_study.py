"""A whole study on images from a PACS, through the command line."""

import csv
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pydicom
import pytest
from commands import Running, done, lucency, record, refused, stages

from lucency.data.dicom.pacs import patience
from lucency.data.dicom.pacs.store import send
from lucency.domain.data_plan import Pacs
from lucency.domain.progress import Silence
from orthanc import Orthanc, running
from planted_exams import PlantedSeries, write_series

N_PATIENTS = 24
PLAN = """\
task: classification
data:
  images: {address}
  pacs: {{modality: [DX], study_dates: [2020-01-01, 2020-12-31], exams: {{table: exams.csv}}, n_retries: 1}}
  labels: {{from: table, table: labels.csv}}
  image: {{size: 28}}
split: {{training: 0.5, tuning: 0.25, test: 0.25}}
network: {{architecture: small_cnn, n_kernels: [4, 8]}}
training: {{epochs: 2, batch_size: 8, learning_rate: 0.01}}
explanation: {{n_cases: 2}}
"""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Orthanc]:
    """Run an Orthanc with 24 patients whose ill ones show a bright square, and others that the filters leave out."""
    with running(tmp_path / "orthanc") as server:
        rows = [write_patient(number, tmp_path / "files") for number in range(N_PATIENTS)]
        (tmp_path / "labels.csv").write_text("\n".join(["image,label", *rows]) + "\n")
        patients = [f"secret-{number}" for number in range(N_PATIENTS)]
        (tmp_path / "exams.csv").write_text("\n".join(["patient_id", *patients, "unknown"]) + "\n")
        write_series(PlantedSeries(700, 1, "secret-1", date="20190101", modality="DX"), tmp_path / "files")
        write_series(PlantedSeries(701, 1, "secret-2", date="20200101", modality="CT"), tmp_path / "files")
        write_series(PlantedSeries(702, 1, "stranger", date="20200101", modality="DX"), tmp_path / "files")
        send(sorted((tmp_path / "files").glob("*.dcm")), server.dicomweb, Pacs(), Silence())
        yield server


@pytest.mark.parametrize("protocol", ["dicomweb", "dimse"])
def test_a_study_runs_on_images_from_a_pacs(
    protocol: str, server: Orthanc, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fetched once, recorded, and from then on independent of the PACS; nobody is named anywhere but in the images."""
    plan, folder = tmp_path / "pacs.yaml", tmp_path / "study"
    plan.write_text(PLAN.format(address=getattr(server, protocol)))
    answer = done("run", plan, "--out", folder)
    assert f"Found {N_PATIENTS} exams with {N_PATIENTS} series and {2 * N_PATIENTS} images on the PACS." in answer.out
    assert "1 rows of the table name none that fits (rows 26)." in answer.out
    assert f"Images: {2 * N_PATIENTS} of {2 * N_PATIENTS} kept; {N_PATIENTS} patients." in answer.out
    (fetched,) = [entry["payload"] for entry in record(folder) if entry["event"] == "images fetched"]
    assert fetched["address"] == getattr(server, protocol)
    assert (fetched["n_exams"], fetched["n_instances"]) == (N_PATIENTS, 2 * N_PATIENTS)
    assert "0 of" not in done("audit", folder).out
    assert_nobody_is_named(answer.out, folder)

    server.stop()
    monkeypatch.setattr(patience, "sleep", lambda _: None)
    n_stages = len(stages(folder))
    done("run", plan, "--out", folder)
    done("report", folder)
    assert len(stages(folder)) == n_stages
    assert len([entry for entry in record(folder) if entry["event"] == "images fetched"]) == 1

    shutil.rmtree(folder / "fetched")  # whoever must not keep the images may remove them
    assert "fetched is not here; going on with what was read from it." in done("report", folder).out
    assert len(stages(folder)) == n_stages
    new_filter = ("--set", "data.pacs.study_dates=[2020-06-01, null]")
    refused(lucency("run", plan, "--out", folder, *new_filter), 2, "cannot be reached")


@pytest.mark.parametrize("protocol", ["dicomweb", "dimse"])
def test_a_killed_fetch_goes_on_and_fetches_nothing_twice(protocol: str, server: Orthanc, tmp_path: Path) -> None:
    """Killed as by a power cut while the 20th image is written."""
    plan, folder = tmp_path / "pacs.yaml", tmp_path / "study"
    plan.write_text(PLAN.format(address=getattr(server, protocol)))
    killed = Running("curate", plan, "--out", folder, log=tmp_path / "log.txt", die_at_write=39).end()
    assert killed.code == -signal.SIGKILL
    before = {file: file.stat().st_ino for file in (folder / "fetched").rglob("*.dcm")}
    assert 10 <= len(before) < 2 * N_PATIENTS
    done("curate", plan, "--out", folder)
    after = {file: file.stat().st_ino for file in (folder / "fetched").rglob("*.dcm")}
    assert len(after) == 2 * N_PATIENTS
    assert before.items() <= after.items()
    assert not list(folder.rglob(".*.tmp"))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("data.images=dicomweb://host:port/", "is not the address of a PACS"),
        ("data.images=pacs://host:104", "the AE title is missing"),
        ("data.images=dicomweb://me:secret@host/", "holds a user's name or password"),
        ("data.labels.from=folder", "lie in no named folders"),
        ("data.patient={from: filename, pattern: x}", "have no file names"),
        ("data.images=files", "`pacs` is for images from a PACS"),
        ("data.pacs.modalty=[CT]", "Did you mean “modality”?"),
        ("data.pacs.exams.table=none.csv", "There is no table"),
    ],
)
def test_a_wrong_plan_is_refused_before_anything_is_asked(change: str, said: str, tmp_path: Path) -> None:
    """Port 9 is closed: asking would end in another sentence."""
    (tmp_path / "files").mkdir()
    plan = tmp_path / "pacs.yaml"
    plan.write_text(PLAN.format(address="dicomweb://127.0.0.1:9/dicom-web"))
    answer = lucency("run", plan, "--out", tmp_path / "study", "--set", change)
    refused(answer, 2, said)
    assert "secret" not in answer.err


def test_init_says_that_it_does_not_look_into_a_pacs() -> None:
    for address in ("dicomweb://host/dicom-web", "pacs://AE@host:104"):
        refused(lucency("init", address), 2, "looks at folders, not into a PACS")


def write_patient(number: int, folder: Path) -> str:
    """Write two radiographs of one patient; return the rows of the label table that name them."""
    series = PlantedSeries(number + 1, 1, f"secret-{number}", date="20200601", modality="DX", n_instances=2)
    is_ill = number % 2
    for file in write_series(series, folder, size=32):
        header = pydicom.dcmread(file)
        pixels = header.pixel_array // 8
        if is_ill:
            pixels[8:20, 8:20] += 3000
        header.PixelData = pixels.astype(np.uint16).tobytes()
        header.save_as(file)
    return "\n".join(f"{uid},{'ill' if is_ill else 'healthy'}" for uid in series.instance_uids())


def assert_nobody_is_named(output: str, folder: Path) -> None:
    """Look for patients and UIDs in all that was said and written, the fetched images alone excepted."""
    texts = [path.read_bytes() for path in folder.rglob("*") if path.is_file() and path.suffix != ".dcm"]
    for planted in (b"secret-", b"Planted^", b"1.2.826.0.1.3680043.8.498"):
        assert planted not in output.encode()
        assert not [text for text in texts if planted in text]
    assert next(csv.DictReader((folder / "cohort.csv").open()))["source"].count("/") == 2
