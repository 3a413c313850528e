"""A real PACS for tests: Orthanc, on this computer alone, with an empty archive, stopped by its process id."""

import json
import os
import signal
import socket
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from lucency.domain.progress import Silence

PROGRAM, DICOMWEB = Path("/usr/sbin/Orthanc"), Path("/usr/share/orthanc/plugins/libOrthancDicomWeb.so")
SECONDS_TO_START = 30


class Orthanc:
    """One server with its own archive below a folder."""

    def __init__(self, folder: Path, **settings: object) -> None:
        self.http_port, self.dicom_port, self.receiver_port = free_ports(3)
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "orthanc.json").write_text(json.dumps(self._settings() | settings))

    @property
    def dicomweb(self) -> str:
        """Its address in a plan, over DICOMweb."""
        return f"dicomweb://127.0.0.1:{self.http_port}/dicom-web"

    @property
    def dimse(self) -> str:
        """Its address in a plan, over DIMSE."""
        return f"pacs://ORTHANC@127.0.0.1:{self.dicom_port}"

    def start(self) -> None:
        """Start it and wait until it listens."""
        with (self._folder / "log.txt").open("ab") as log:
            self._process = subprocess.Popen([PROGRAM, "orthanc.json"], cwd=self._folder, stdout=log, stderr=log)
        limit = time.monotonic() + SECONDS_TO_START
        while not (listens(self.http_port) and listens(self.dicom_port)):
            assert self._process.poll() is None, (self._folder / "log.txt").read_text()
            assert time.monotonic() < limit, "Orthanc does not start"
            time.sleep(0.02)

    def stop(self, how: signal.Signals = signal.SIGKILL) -> None:
        """Stop it by its process id; what it does when asked politely takes three seconds."""
        if self._process:
            os.kill(self._process.pid, how)
            self._process.wait(SECONDS_TO_START)
            self._process = None

    def _settings(self) -> dict[str, object]:
        return {
            "Name": "lucency-test",
            "StorageDirectory": "archive",
            "IndexDirectory": "archive",
            "Plugins": [str(DICOMWEB)],
            "HttpPort": self.http_port,
            "DicomPort": self.dicom_port,
            "RemoteAccessAllowed": False,
            "AuthenticationEnabled": False,
            "DicomAet": "ORTHANC",
            "DicomCheckCalledAet": True,
            "DicomAlwaysAllowGet": True,
            "DicomModalities": {"lucency": ["LUCENCY", "127.0.0.1", self.receiver_port]},
            "DicomWeb": {"Enable": True, "Root": "/dicom-web/"},
        }


@contextmanager
def running(folder: Path, **settings: object) -> Iterator[Orthanc]:
    """Run a server with an empty archive as long as the block lasts, or skip where Orthanc is not installed."""
    if not (PROGRAM.exists() and DICOMWEB.exists()):
        pytest.skip("Orthanc is not here (Debian packages orthanc and orthanc-dicomweb)")
    server = Orthanc(folder, **settings)
    server.start()
    try:
        yield server
    finally:
        server.stop()


class Listener(Silence):
    """A desk that remembers what was said, and does something when so many steps of a work are done."""

    def __init__(self, title: str = "", n_steps: int = 0, then: Callable[[], None] = lambda: None) -> None:
        self.said: list[str] = []
        self.n_steps: Counter[str] = Counter()
        self._title, self._at, self._then = title, n_steps, then
        self._now = ""

    def say(self, message: str) -> None:
        """Remember a sentence."""
        self.said.append(message)

    @contextmanager
    def progress(self, title: str, n_steps: int, n_done: int = 0) -> Iterator["Listener"]:
        """Count the steps of a work by its title."""
        self._now = title
        yield self

    def advance(self, n_steps: int = 1, detail: str = "") -> None:
        """Count a step."""
        self.n_steps[self._now] += n_steps
        if self._now == self._title and self.n_steps[self._now] == self._at:
            self._then()


def free_ports(n: int) -> list[int]:
    """Return ports of this computer that nobody listens on."""
    sockets = [socket.socket() for _ in range(n)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def listens(port: int) -> bool:
    """Tell whether somebody on this computer listens on a port."""
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) == 0
