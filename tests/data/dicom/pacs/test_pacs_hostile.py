"""A server that answers badly, by mistake or on purpose."""

import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from lucency.data.dicom.pacs import dicomweb
from lucency.data.dicom.pacs.fetch import MISSING, fetch
from lucency.domain.data_plan import Pacs
from lucency.domain.progress import Silence
from lucency.errors import SourceError
from orthanc import Listener
from planted_exams import PlantedSeries, write_series

SERIES = PlantedSeries(8, 1, "P8", n_instances=3)
QUERY = Pacs.model_validate({"modality": ["CT"], "n_retries": 3, "timeout_seconds": 5})
TAGS = {
    "StudyInstanceUID": "0020000D",
    "SeriesInstanceUID": "0020000E",
    "SOPInstanceUID": "00080018",
    "Modality": "00080060",
    "NumberOfSeriesRelatedInstances": "00201209",
}


class FakePacs:
    """A DICOMweb server of three images whose answers a test can spoil."""

    def __init__(self, folder: Path) -> None:
        self.requests: Counter[str] = Counter()
        self.exam, self.series, self.n_told = SERIES.exam_uid, SERIES.uid, "3"
        self.instances = SERIES.instance_uids()
        self.files = {file.stem: file.read_bytes() for file in write_series(SERIES, folder)}
        self.knows_pages = True
        self.spoil: Callable[[Answering, str], bool] = lambda answering, path: False
        """Answers itself and returns True, or leaves the answer to the server."""
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), lambda *given: Answering(self, *given))
        self.address = f"dicomweb://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()

    def found(self, path: str) -> list[dict[str, str]]:
        """Return what a search finds, as keywords and values."""
        exam = {"StudyInstanceUID": self.exam}
        series = exam | {"SeriesInstanceUID": self.series}
        if path.endswith("/instances"):
            return [series | {"SOPInstanceUID": uid} for uid in self.instances]
        if path.endswith("/series"):
            return [series | {"Modality": "CT", "NumberOfSeriesRelatedInstances": self.n_told}]
        return [exam]


class Answering(BaseHTTPRequestHandler):
    """One answer of the fake server."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def __init__(self, pacs: FakePacs, *given: object) -> None:
        self.pacs = pacs
        super().__init__(*given)  # type: ignore[arg-type]

    def do_GET(self) -> None:
        path, _, query = self.path.partition("?")
        self.pacs.requests[path] += 1
        if self.pacs.spoil(self, path):
            return
        if "/instances/" in path:
            self.send(multipart(self.pacs.files[path.rsplit("/", 1)[1]]), MULTIPART)
        else:
            is_first = "offset=0" in query or not self.pacs.knows_pages
            self.send(as_json(self.pacs.found(path) if is_first else []), "application/dicom+json")

    def send(self, content: bytes, kind: str, status: int = 200, length: int | None = None) -> None:
        """Send an answer, if need be with a wrong length."""
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content) if length is None else length))
        self.end_headers()
        self.wfile.write(content)
        self.close_connection = length is not None

    def send_without_length(self, content: bytes) -> None:
        """Begin an answer that ends where the connection does."""
        self.send_response(200)
        self.send_header("Content-Type", MULTIPART)
        self.end_headers()
        self.wfile.write(content)
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Keep the terminal clean."""


MULTIPART = 'multipart/related; type="application/dicom"; boundary=XYZ'


def multipart(content: bytes) -> bytes:
    return b"--XYZ\r\nContent-Type: application/dicom\r\n\r\n" + content + b"\r\n--XYZ--\r\n"


def as_json(found: list[dict[str, str]]) -> bytes:
    return json.dumps(
        [{TAGS[name]: {"vr": "UI", "Value": [value]} for name, value in one.items()} for one in found]
    ).encode()


@pytest.fixture
def fake(tmp_path: Path) -> Iterator[FakePacs]:
    server = FakePacs(tmp_path / "files")
    yield server
    server.close()


def is_image(path: str, number: int = 2) -> bool:
    return path.endswith(f"/instances/{SERIES.instance_uids()[number - 1]}")


def refuse(fake: FakePacs, folder: Path) -> str:
    """Fetch what must not be had; return the sentence, after making sure that nothing lies elsewhere than it should."""
    with pytest.raises(SourceError) as refusal:
        fetch(fake.address, QUERY, folder, Silence())
    assert len(str(refusal.value)) < 400
    assert not [path for path in folder.parent.rglob("*") if "evil" in path.name]
    assert not list(folder.rglob(".*.tmp"))
    return str(refusal.value)


def test_the_fake_server_is_believed_when_it_is_honest(fake: FakePacs, exam_folder: Path) -> None:
    """Guard the tests below: they must fail for their own reasons."""
    assert fetch(fake.address, QUERY, exam_folder, Silence()).n_instances == 3
    assert {file.read_bytes() for file in exam_folder.rglob("*.dcm")} == set(fake.files.values())


@pytest.mark.parametrize("status", [500, 503, 429])
@pytest.mark.parametrize("where", ["/studies", "/instances", "image"])
def test_two_errors_of_the_server_are_waited_for(
    status: int, where: str, fake: FakePacs, exam_folder: Path, waits: list[float]
) -> None:
    left = [1, 2]

    def spoil(answering: Answering, path: str) -> bool:
        if left and (path.endswith(where) or (where == "image" and is_image(path))):
            left.pop()
            answering.send(b"busy", "text/plain", status)
            return True
        return False

    fake.spoil = spoil
    assert fetch(fake.address, QUERY, exam_folder, Silence()).n_instances == 3
    assert len(waits) == 2


def test_errors_without_end_end_in_a_sentence(fake: FakePacs, exam_folder: Path, waits: list[float]) -> None:
    fake.spoil = lambda answering, path: answering.send(b"", "text/plain", 500) is None
    assert "answers with an error of its own (500)" in refuse(fake, exam_folder)
    assert waits == [1, 2, 4]


@pytest.mark.parametrize(
    "how", ["shorter than announced", "without its end", "after the first bytes", "without a length"]
)
def test_a_body_that_was_cut_is_fetched_again(how: str, fake: FakePacs, exam_folder: Path, waits: list[float]) -> None:
    """Half an image is no image; also where only the missing end of the envelope tells."""
    left = [1]

    def spoil(answering: Answering, path: str) -> bool:
        if not (left and is_image(path)):
            return False
        left.pop()
        whole = multipart(fake.files[SERIES.instance_uids()[1]])
        if how == "shorter than announced":
            answering.send(whole[:400], MULTIPART, length=len(whole))
        elif how == "without its end":
            answering.send(whole[:-100], MULTIPART)
        elif how == "after the first bytes":
            answering.send(whole[:10], MULTIPART)
        else:
            answering.send_without_length(whole[:500])
        return True

    fake.spoil = spoil
    fetch(fake.address, QUERY, exam_folder, Silence())
    assert len(waits) == 1
    assert {file.read_bytes() for file in exam_folder.rglob("*.dcm")} == set(fake.files.values())


def test_another_image_than_the_one_asked_for_is_refused(fake: FakePacs, exam_folder: Path) -> None:
    """Pixels of somebody else under this patient's label would be the worst of all faults."""
    first, second = SERIES.instance_uids()[:2]
    fake.files[second] = fake.files[first]
    assert "1 of 3 images could not be fetched (1 another instance was sent instead)" in refuse(fake, exam_folder)
    assert f"{second},OTHER_INSTANCE" in (exam_folder / MISSING).read_text()
    assert len(list(exam_folder.rglob("*.dcm"))) == 2


@pytest.mark.parametrize("content", [b"", b"<html>sorry</html>", b"\0" * 200])
def test_what_is_no_dicom_file_is_refused(content: bytes, fake: FakePacs, exam_folder: Path) -> None:
    fake.files[SERIES.instance_uids()[1]] = content
    assert "1 what was sent is no DICOM file" in refuse(fake, exam_folder)


def test_a_page_instead_of_an_image_is_refused(fake: FakePacs, exam_folder: Path) -> None:
    fake.spoil = lambda answering, path: is_image(path) and answering.send(b"<html>", "text/html") is None
    assert "1 what was sent is no DICOM file" in refuse(fake, exam_folder)


def test_an_image_without_an_envelope_is_taken(fake: FakePacs, exam_folder: Path) -> None:
    """Some servers leave it out; the standard once allowed it by mistake."""
    fake.spoil = lambda answering, path: (
        is_image(path) and answering.send(fake.files[SERIES.instance_uids()[1]], "application/dicom") is None
    )
    assert fetch(fake.address, QUERY, exam_folder, Silence()).n_instances == 3


@pytest.mark.parametrize("uid", ["../../evil", "1.2/../../evil", "..", "evil", "1.2.3\n", "", "1" * 65, "1..2"])
@pytest.mark.parametrize("level", ["exam", "series", "instance"])
def test_a_uid_that_is_none_never_becomes_a_path(level: str, uid: str, fake: FakePacs, exam_folder: Path) -> None:
    if level == "instance":
        fake.instances = [uid]
    else:
        setattr(fake, level, uid)
    assert "that is no UID" in refuse(fake, exam_folder)
    assert not [path for path in fake.requests if "evil" in path]


def test_a_huge_announcement_is_not_read(fake: FakePacs, exam_folder: Path, waits: list[float]) -> None:
    """Neither into memory nor onto the disk."""
    fake.spoil = lambda answering, path: is_image(path) and answering.send(b"x", MULTIPART, length=10**15) is None
    assert "1 larger than any image" in refuse(fake, exam_folder)
    fake.spoil = lambda answering, path: answering.send(b"[", "application/dicom+json", length=10**15) is None
    assert "not as DICOMweb does" in refuse(fake, exam_folder / "other")
    assert not waits


def test_an_answer_that_never_ends_is_given_up(
    fake: FakePacs, exam_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The limit counts what came, not what was announced."""
    monkeypatch.setattr(dicomweb, "MOST_BYTES", 100_000)

    def spoil(answering: Answering, path: str) -> bool:
        if not is_image(path):
            return False
        answering.send_without_length(b"--XYZ\r\n\r\n")
        try:
            for _ in range(100_000):
                answering.wfile.write(b"x" * 1000)
        except OSError:
            pass  # the other side has hung up, as it should
        return True

    fake.spoil = spoil
    assert "1 larger than any image" in refuse(fake, exam_folder)


@pytest.mark.parametrize("content", [b"{", b"[1, 2]", b'["a"]', b'"text"', b'[{"0020000D": 7}]', b"\xff\xfe"])
def test_nonsense_in_a_search_is_told(content: bytes, fake: FakePacs, exam_folder: Path) -> None:
    fake.spoil = lambda answering, path: answering.send(content, "application/dicom+json") is None
    assert "not as DICOMweb does" in refuse(fake, exam_folder)


def test_a_server_that_knows_no_pages_is_not_asked_for_ever(fake: FakePacs, exam_folder: Path) -> None:
    """It answers the same to every page."""
    fake.knows_pages = False
    assert fetch(fake.address, QUERY, exam_folder, Silence()).n_instances == 3
    assert max(fake.requests.values()) <= 2


def test_pages_that_are_shorter_than_asked_for_are_all_read(fake: FakePacs, exam_folder: Path) -> None:
    """A server may limit its answers to fewer than were asked for."""

    def spoil(answering: Answering, path: str) -> bool:
        if not path.endswith("/instances"):
            return False
        offset = int(answering.path.partition("offset=")[2])
        answering.send(as_json(fake.found(path)[offset : offset + 1]), "application/dicom+json")
        return True

    fake.spoil = spoil
    assert fetch(fake.address, QUERY, exam_folder, Silence()).n_instances == 3


def test_a_list_shorter_than_the_series_stops_the_run(fake: FakePacs, exam_folder: Path) -> None:
    """A series that is still arriving, or a server that cuts its answers, would give a volume with a gap."""
    fake.n_told = "5"
    assert "has 5 images but lists 3" in refuse(fake, exam_folder)


def test_a_server_that_sends_on_elsewhere_is_not_followed(fake: FakePacs, exam_folder: Path) -> None:
    """Nothing but the address of the plan is ever asked."""

    def spoil(answering: Answering, path: str) -> bool:
        answering.send_response(302)
        answering.send_header("Location", f"{fake.address.replace('dicomweb', 'http')}/evil")
        answering.send_header("Content-Length", "0")
        answering.end_headers()
        return True

    fake.spoil = spoil
    assert "sends on to another address" in refuse(fake, exam_folder)
    assert not [path for path in fake.requests if "evil" in path]


def test_a_proxy_in_the_environment_is_not_used(
    fake: FakePacs, exam_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Images of patients do not go through somebody else's hands because of a variable."""
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    assert fetch(fake.address, QUERY, exam_folder, Silence()).n_instances == 3


def test_a_full_disk_is_told_and_what_was_fetched_stays(
    fake: FakePacs, exam_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import errno
    import os

    from lucency.errors import StorageError

    fsync, n_calls = os.fsync, [0]

    def fill(descriptor: int) -> None:
        n_calls[0] += 1
        if n_calls[0] > 2:
            raise OSError(errno.ENOSPC, "full")
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", fill)
    monkeypatch.setattr(dicomweb, "_N_AT_ONCE", 1)
    with pytest.raises(StorageError, match="The disk is full"):
        fetch(fake.address, QUERY, exam_folder, Silence())
    monkeypatch.undo()
    desk = Listener()
    assert fetch(fake.address, QUERY, exam_folder, desk).n_instances == 3
    assert desk.n_steps["Fetching images"] == 2
