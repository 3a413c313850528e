"""Download a file so that it is whole and right, or not there at all."""

import hashlib
from http.client import HTTPException
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

from lucency.domain.progress import Desk
from lucency.errors import SourceError
from lucency.provenance import atomic_file

CHUNK_BYTES = 1 << 20
TIMEOUT_SECONDS = 30.0


def fetch(url: str, path: Path, sha256: str, desk: Desk) -> None:
    """Download a file to `path`; it takes its place only when its SHA-256 begins with `sha256`.

    Raises:
        SourceError: the server cannot be reached, breaks off, or sends something else.
        StorageError: the file cannot be written.
        Interrupted: the user asked to stop; nothing is left behind.
    """
    digest, n_received = hashlib.sha256(), 0
    try:
        with urlopen(url, timeout=TIMEOUT_SECONDS) as answer, atomic_file(path) as file:
            n_bytes = int(answer.headers.get("Content-Length") or 0)
            with desk.progress(f"Downloading {path.name}", max(1, n_bytes // CHUNK_BYTES)) as progress:
                while chunk := answer.read(CHUNK_BYTES):
                    file.write(chunk)
                    digest.update(chunk)
                    n_received += len(chunk)
                    progress.advance(detail=f"{n_received / 1e6:.0f} MB")
            _refuse_half(url, n_received, n_bytes)
            _refuse_other(url, digest.hexdigest(), sha256)
    except (URLError, TimeoutError, ConnectionError, HTTPException) as error:
        raise _unreachable(url, error) from None


def read_text(url: str) -> str:
    """Read a short text from a server.

    Raises:
        SourceError: the server cannot be reached.
    """
    try:
        with urlopen(url, timeout=TIMEOUT_SECONDS) as answer:
            return answer.read(CHUNK_BYTES).decode("utf-8", "replace")
    except (URLError, TimeoutError, ConnectionError, HTTPException) as error:
        raise _unreachable(url, error) from None


def _refuse_half(url: str, n_received: int, n_bytes: int) -> None:
    if n_bytes and n_received != n_bytes:
        raise SourceError(
            f"The download of {url} broke off after {n_received} of {n_bytes} bytes; nothing of it is kept. Run again."
        )


def _refuse_other(url: str, received: str, sha256: str) -> None:
    if not received.startswith(sha256):
        raise SourceError(
            f"{url} sent a file whose SHA-256 begins with {received[:8]} in place of {sha256[:8]}; it was thrown away. A "
            "proxy may have put a page of its own in its place: try another network, or fetch the file elsewhere and put it "
            "into the folder of weights (`transfer.folder`)."
        )


def _unreachable(url: str, error: Exception) -> SourceError:
    why = f"it answered {error.code}" if isinstance(error, HTTPError) else "there is no answer"
    return SourceError(
        f"{url} cannot be downloaded: {why}. Where there is no way out to the internet, download the file elsewhere and put "
        "it, under its own name, into the folder of weights (`transfer.folder`, or the variable LUCENCY_WEIGHTS); or name it "
        "in `transfer.file`."
    )
