"""Promise: what a PACS holds arrives as it is, by each of the three ways."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.request import Request, urlopen

import pydicom
import pytest

from lucency.data.dicom.pacs.fetch import fetch
from lucency.domain.data_plan import Pacs
from lucency.domain.progress import Silence
from orthanc import Orthanc, running

PADDING = 0xFFFCFFFC


@pytest.fixture
def pacs(tmp_path: Path) -> Iterator[Orthanc]:
    """Run an empty Orthanc."""
    with running(tmp_path / "orthanc") as server:
        yield server


def ways(server: Orthanc) -> dict[str, tuple[str, Pacs]]:
    """Return address and settings of each way; `most_exams` is a filter that leaves nothing out."""
    get, move = (
        Pacs.model_validate({"most_exams": 1000, "retrieve": how, "receiver_port": server.receiver_port})
        for how in ("get", "move")
    )
    return {"WADO": (server.dicomweb, get), "C-GET": (server.dimse, get), "C-MOVE": (server.dimse, move)}


@pytest.mark.filterwarnings("ignore::UserWarning:pydicom")
def test_instances_arrive_unchanged(pacs: Orthanc, tmp_path: Path, tally) -> None:
    """All files of pydicom that Orthanc takes: compressed or not, big endian, images, reports, plans, odd letters.

    Orthanc gets the files byte for byte by its own interface, so that nothing of lucency takes part. By DICOMweb the whole
    file must come back equal, byte for byte. DIMSE sends no file meta, no group lengths and no padding; every other element
    must be equal, and the encoding the same.
    """
    originals = dict(put_all_files_of_pydicom(pacs))
    assert len(originals) >= 120
    n_kept = 0
    for name, (address, query) in ways(pacs).items():
        folder = tmp_path / name
        assert fetch(address, query, folder, Silence()).n_instances == len(originals)
        for file in folder.rglob("*.dcm"):
            header = pydicom.dcmread(file)
            original = originals[header.SOPInstanceUID]
            n_kept += is_same_file(file, original) if name == "WADO" else is_same_dataset(header, original)
    tally("instances fetched from a PACS unchanged", n_kept, 3 * len(originals))


@pytest.mark.real
def test_a_real_series_sent_by_another_program_arrives_unchanged(
    pacs: Orthanc, real_data: Path, tmp_path: Path, tally
) -> None:
    """64 slices of an MR, sent by dcmtk's storescu: the other side of the wire is not ours either."""
    files = sorted((real_data / "dicom_mr_structural_64").glob("*.dcm"))
    call = ["storescu", "-aec", "ORTHANC", "127.0.0.1", str(pacs.dicom_port), *map(str, files)]
    subprocess.run(call, check=True, capture_output=True)
    originals = {pydicom.dcmread(file).SOPInstanceUID: file for file in files}
    n_kept = 0
    for name, (address, query) in ways(pacs).items():
        fetch(address, query, tmp_path / name, Silence())
        for file in (tmp_path / name).rglob("*.dcm"):
            header = pydicom.dcmread(file)
            n_kept += is_same_dataset(header, originals[header.SOPInstanceUID])
    tally("slices of a real MR fetched from a PACS unchanged", n_kept, 3 * len(files))


def put_all_files_of_pydicom(server: Orthanc) -> Iterator[tuple[str, Path]]:
    """Post each file that is an instance of its own; yield what Orthanc takes, by its UID."""
    root = Path(pydicom.__file__).parent / "data"
    seen = set()
    for path in sorted(path for path in root.rglob("*") if path.is_file()):
        uid = instance_uid(path)
        if uid and uid not in seen and is_taken(server, path):
            seen.add(uid)
            yield uid, path


def instance_uid(path: Path) -> str:
    try:
        return str(pydicom.dcmread(path, specific_tags=["SOPInstanceUID"]).get("SOPInstanceUID", ""))
    except Exception:
        return ""  # no DICOM file, or one that is broken on purpose


def is_taken(server: Orthanc, path: Path) -> bool:
    request = Request(f"http://127.0.0.1:{server.http_port}/instances", data=path.read_bytes())
    try:
        return b'"Success"' in urlopen(request).read()
    except OSError:
        return False


def is_same_file(file: Path, original: Path) -> bool:
    return file.read_bytes() == original.read_bytes()


def is_same_dataset(header: pydicom.Dataset, path: Path) -> bool:
    original = pydicom.dcmread(path)
    same_encoding = header.file_meta.TransferSyntaxUID == original.file_meta.get("TransferSyntaxUID")
    return bool(same_encoding and values(header) == values(original))


def values(dataset: pydicom.Dataset) -> dict[int, object]:
    """Return what a dataset says; not the VR, which Orthanc corrects where compressed pixels were marked as words."""
    return {element.tag: element.value for element in dataset if element.tag.element and element.tag != PADDING}
