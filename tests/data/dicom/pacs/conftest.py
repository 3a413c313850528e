"""A real PACS with made-up exams in it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pacs_ways import PLANTED, WAYS, Way, way_to

from lucency.data.dicom.pacs import patience
from lucency.data.dicom.pacs.store import send
from lucency.domain.data_plan import Pacs
from lucency.domain.progress import Silence
from orthanc import Orthanc, running
from planted_exams import write_series


@pytest.fixture(scope="session")
def pacs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Orthanc]:
    """Run an Orthanc that holds the planted exams; nobody changes it."""
    folder = tmp_path_factory.mktemp("pacs")
    with running(folder / "orthanc") as server:
        files = [file for series in PLANTED for file in write_series(series, folder / "files")]
        send(files, server.dicomweb, Pacs(), Silence())
        yield server


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest, pacs: Orthanc) -> Way:
    """Return each of the three ways to the planted exams."""
    return way_to(pacs, request.param)


@pytest.fixture(params=WAYS[:2])
def search_way(request: pytest.FixtureRequest, pacs: Orthanc) -> Way:
    """Return both ways to search; C-MOVE is a way to retrieve only."""
    return way_to(pacs, request.param)


@pytest.fixture(autouse=True)
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Let nobody wait, and return for how long one would have."""
    seconds: list[float] = []
    monkeypatch.setattr(patience, "sleep", seconds.append)
    return seconds


@pytest.fixture
def exam_folder(tmp_path: Path) -> Path:
    """Return an empty folder for what is fetched."""
    return tmp_path / "fetched"
