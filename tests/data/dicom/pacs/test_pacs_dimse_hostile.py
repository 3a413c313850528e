"""A PACS that answers badly over DIMSE: here one made of pynetdicom, in this process and on this computer alone."""

from collections.abc import Iterator
from pathlib import Path

import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import CTImageStorage
from pynetdicom import AE, Association, evt
from pynetdicom.sop_class import StudyRootQueryRetrieveInformationModelFind as Find
from pynetdicom.sop_class import StudyRootQueryRetrieveInformationModelGet as Get

from lucency.data.dicom.pacs.archive import NOT_SENT
from lucency.data.dicom.pacs.fetch import MISSING, fetch
from lucency.domain.data_plan import Pacs
from lucency.domain.progress import Silence
from lucency.errors import SourceError
from orthanc import free_ports
from planted_exams import PlantedSeries, write_series

SERIES = PlantedSeries(8, 1, "P8", n_instances=3)
QUERY = Pacs.model_validate({"modality": ["CT"], "n_retries": 1, "timeout_seconds": 5})


class FakePacs:
    """A PACS with one series, whose answers a test can spoil."""

    def __init__(self, folder: Path) -> None:
        self.datasets = [pydicom.dcmread(file) for file in write_series(SERIES, folder)]
        self.instances = SERIES.instance_uids()
        self.tells_class = True
        self.find_status = 0x0000
        self.get_status: int | None = None
        entity = AE("FAKE")
        entity.add_supported_context(Find)
        entity.add_supported_context(Get)
        entity.add_supported_context(CTImageStorage, scp_role=True, scu_role=False)
        (self.port,) = free_ports(1)
        handlers = [(evt.EVT_C_FIND, self._find), (evt.EVT_C_GET, self._get)]
        self._server = entity.start_server(("127.0.0.1", self.port), block=False, evt_handlers=handlers)
        self.address = f"pacs://FAKE@127.0.0.1:{self.port}"

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()

    def _find(self, event: evt.Event) -> Iterator[tuple[int, Dataset | None]]:
        if self.find_status:
            yield self.find_status, None
            return
        for uid in self.instances if event.identifier.QueryRetrieveLevel == "IMAGE" else [""]:
            answer = Dataset()
            answer.StudyInstanceUID, answer.SeriesInstanceUID = SERIES.exam_uid, SERIES.uid
            answer.Modality = "CT"
            if uid:
                answer.SOPInstanceUID = uid
                answer.SOPClassUID = CTImageStorage if self.tells_class else None
            yield 0xFF00, answer

    def _get(self, event: evt.Event) -> Iterator[int | tuple[int, Dataset | None]]:
        if self.get_status is not None:
            yield 1
            yield self.get_status, None
            return
        wanted = event.identifier.get("SOPInstanceUID") or [dataset.SOPInstanceUID for dataset in self.datasets]
        wanted = [wanted] if isinstance(wanted, str) else wanted
        chosen = [dataset for dataset in self.datasets if dataset.SOPInstanceUID in wanted]
        yield len(chosen)
        for dataset in chosen:
            yield 0xFF00, dataset


@pytest.fixture
def fake(tmp_path: Path) -> Iterator[FakePacs]:
    server = FakePacs(tmp_path / "files")
    yield server
    server.close()


@pytest.mark.parametrize("tells_class", [True, False])
def test_the_fake_server_is_believed_when_it_is_honest(tells_class: bool, fake: FakePacs, exam_folder: Path) -> None:
    """Also where the PACS does not tell what kind of objects it holds, which it need not."""
    fake.tells_class = tells_class
    assert fetch(fake.address, QUERY, exam_folder, Silence()).n_instances == 3
    came = sorted(pydicom.dcmread(file).PixelData for file in exam_folder.rglob("*.dcm"))
    assert came == sorted(dataset.PixelData for dataset in fake.datasets)


@pytest.mark.filterwarnings("ignore:Invalid value for VR UI")
def test_an_image_that_was_not_asked_for_is_not_stored(fake: FakePacs, exam_folder: Path) -> None:
    """Its identifier could be a path, or another patient's."""
    fake.datasets[1].SOPInstanceUID = "../../evil"
    with pytest.raises(SourceError, match=r"1 of 3 images could not be fetched \(1 not sent\)"):
        fetch(fake.address, QUERY, exam_folder, Silence())
    assert f"{SERIES.instance_uids()[1]},{NOT_SENT}" in (exam_folder / MISSING).read_text()
    assert len(list(exam_folder.parent.rglob("*.dcm"))) == 2 + 3
    assert not [path for path in exam_folder.parent.rglob("*") if "evil" in path.name]


def test_an_answer_that_gets_lost_on_the_way_is_asked_for_again(
    fake: FakePacs, exam_folder: Path, monkeypatch: pytest.MonkeyPatch, waits: list[float]
) -> None:
    """Pynetdicom loses one in a thousand under load; a cohort would be thinner in silence."""
    send, left = Association.send_c_find, [1]

    def lossy(association: Association, question: Dataset, model: str) -> Iterator[object]:
        for number, answer in enumerate(send(association, question, model)):
            if number == 1 and left and question.QueryRetrieveLevel == "IMAGE":
                left.pop()
                continue
            yield answer

    monkeypatch.setattr(Association, "send_c_find", lossy)
    assert fetch(fake.address, QUERY, exam_folder, Silence()).n_instances == 3
    assert waits == [1]


@pytest.mark.parametrize("uid", ["../../evil", "evil", "1..2"])
def test_a_uid_that_is_none_never_becomes_a_path(uid: str, fake: FakePacs, exam_folder: Path) -> None:
    fake.instances = [uid]
    with pytest.raises(SourceError, match="that is no UID"):
        fetch(fake.address, QUERY, exam_folder, Silence())


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (0xA700, r"not able to answer the request \(status A700\)"),
        (0xC001, r"not able to answer the request \(status C001\)"),
        (0x0124, r"refuses the request \(status 0124\)"),
    ],
)
def test_a_status_that_is_no_success_is_told(
    status: int, words: str, fake: FakePacs, exam_folder: Path, waits: list[float]
) -> None:
    """What may pass is tried again; what is forbidden is not."""
    fake.find_status = status
    with pytest.raises(SourceError, match=words):
        fetch(fake.address, QUERY, exam_folder, Silence())
    assert waits == ([] if "refuses" in words else [1])
    fake.find_status, fake.get_status = 0, status
    with pytest.raises(SourceError, match=words):
        fetch(fake.address, QUERY, exam_folder, Silence())


def test_a_pacs_without_the_service_is_told(tmp_path: Path, exam_folder: Path) -> None:
    """A workstation that only stores, for example."""
    entity = AE("STORE")
    entity.add_supported_context(CTImageStorage)
    (port,) = free_ports(1)
    server = entity.start_server(("127.0.0.1", port), block=False)
    try:
        with pytest.raises(SourceError, match=r"does not offer searching \(C-FIND\)|cannot be reached"):
            fetch(f"pacs://STORE@127.0.0.1:{port}", QUERY, exam_folder, Silence())
    finally:
        server.shutdown()
