"""Speak DICOMweb with a PACS: QIDO-RS to search, WADO-RS to retrieve, STOW-RS to store (PS3.18)."""

import contextlib
import logging
import os
import re
import stat
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import requests
from dicomweb_client import DICOMwebClient
from pydicom import Dataset
from pydicom.datadict import keyword_for_tag

from lucency.data.dicom.pacs.address import Address
from lucency.data.dicom.pacs.archive import (
    NOT_DICOM,
    NOT_FOUND,
    NOT_SENT,
    TOO_LARGE,
    Answer,
    Instance,
    Keep,
    Level,
    PassingFault,
    RefusedInstance,
)
from lucency.domain.data_plan import Pacs
from lucency.errors import PlanError, SourceError

PAGE = 500
"""Answers asked for at a time."""
MOST_BYTES = 2**32
"""Larger answers are no instance; whole slides of pathology have up to 4 GB."""

_CHUNK = 2**20
_N_AT_ONCE = 4
"""Instances on their way at the same time: most of the time goes by waiting for the server's disk."""
_LONGEST_HEAD = 2**16
_GONE, _UNABLE, _BUSY = (404, 410), (400, 406, 415), (408, 425, 429)
_CHECK = "Check host and port in `data.images`, and whether the PACS runs and this computer may reach it."


class DicomWeb:
    """A PACS that speaks DICOMweb."""

    def __init__(self, address: Address, settings: Pacs) -> None:
        self._address = address
        self._session = _session(address, settings)
        self._timeout = settings.timeout_seconds
        self._client = DICOMwebClient(address.url, self._session, permissive_uid=True, timeout=settings.timeout_seconds)
        self._client.set_http_retry_params(retry=False)  # the waiting is done by `patience`, for all faults
        for name in ("dicomweb_client", "retrying"):  # a logger without a handler would print what it is asked for
            logging.getLogger(name).addHandler(logging.NullHandler())

    def search(self, level: Level, match: Mapping[str, str], tell: Sequence[str]) -> list[Answer]:
        """Ask page by page until one brings nothing new; servers may send shorter pages, or know none at all."""
        ask = self._question(level, match)
        answers: dict[tuple[tuple[str, str], ...], Answer] = {}
        while True:
            n_before = len(answers)
            with _faults(self._address), _nonsense(self._address):
                page = map(_as_answer, ask(fields=list(tell), limit=PAGE, offset=n_before))
                answers |= {tuple(sorted(answer.items())): answer for answer in page}
            if len(answers) == n_before:
                return list(answers.values())

    def retrieve(self, wanted: Sequence[Instance], keep: Keep) -> Iterator[tuple[Instance, str]]:
        """Fetch instances one by one, a few at the same time, each in the encoding in which it is stored."""
        pool = ThreadPoolExecutor(_N_AT_ONCE)
        try:
            yield from zip(wanted, pool.map(lambda instance: self._retrieve(instance, keep), wanted), strict=True)
        finally:
            pool.shutdown(cancel_futures=True)

    def store(self, dataset: Dataset) -> bool:
        """Send a dataset; tell whether the PACS has taken it."""
        with _faults(self._address):
            try:
                answer = self._client.store_instances([dataset])
            except requests.HTTPError as error:
                if _status(error) == requests.codes.conflict:  # that none was taken, PS3.18 10.5.3
                    return False
                raise
        return not answer.get("FailedSOPSequence")

    def close(self) -> None:
        """Hang up."""
        self._session.close()

    def _retrieve(self, instance: Instance, keep: Keep) -> str:
        url = f"{self._address.url}/studies/{instance.exam}/series/{instance.series}/instances/{instance.uid}"
        accepted = {"Accept": 'multipart/related; type="application/dicom"; transfer-syntax=*'}
        with _faults(self._address):
            try:
                with self._session.get(url, headers=accepted, stream=True, timeout=self._timeout) as answer:
                    if answer.status_code in _GONE:
                        return NOT_FOUND
                    if answer.status_code in _UNABLE:
                        return NOT_SENT
                    answer.raise_for_status()
                    keep(instance, _limited(_only_part(answer)))
            except RefusedInstance as refusal:
                return refusal.reason
        return ""

    def _question(self, level: Level, match: Mapping[str, str]) -> Callable[..., list[Any]]:
        filters = dict(match)
        if level == "STUDY":
            return partial(self._client.search_for_studies, search_filters=filters)
        exam = filters.pop("StudyInstanceUID", None)
        if level == "SERIES":
            return partial(self._client.search_for_series, exam, search_filters=filters)
        series = filters.pop("SeriesInstanceUID")
        return partial(self._client.search_for_instances, exam, series, search_filters=filters)


def _session(address: Address, settings: Pacs) -> requests.Session:
    session = requests.Session()
    session.trust_env = False  # a proxy or a password from the environment could send requests, or itself, elsewhere
    session.max_redirects = 0
    session.verify = settings.certificate or True
    session.hooks["response"].append(_refuse_large)
    login = read_login(settings)
    if login:
        session.auth = login
    for scheme in ("http://", "https://"):
        session.mount(scheme, requests.adapters.HTTPAdapter(pool_maxsize=_N_AT_ONCE))
    if settings.certificate and not Path(settings.certificate).is_file():
        raise PlanError("There is no file that `data.pacs.certificate` names. Correct its path in the plan.")
    if settings.certificate and address.scheme == "dicomweb":
        raise PlanError("`data.pacs.certificate` is for encrypted connections. Write dicomwebs:// in `data.images`.")
    return session


def read_login(settings: Pacs) -> tuple[str, str] | None:
    """Return the user's name and password from the file that the plan names, or else from the environment.

    Raises:
        PlanError: the file is not there, holds something else, or others may read it.
    """
    if settings.login_file is None:
        name, password = os.environ.get("LUCENCY_PACS_USER"), os.environ.get("LUCENCY_PACS_PASSWORD")
        return (name, password) if name and password else None
    path = Path(settings.login_file)
    try:
        if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise PlanError(f"Others may read {path.name}, which holds a password. Run `chmod 600` on it.")
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        raise PlanError("`data.pacs.login_file` cannot be read. Correct its path in the plan.") from None
    if len(lines) != 2 or not all(lines):
        raise PlanError(f"{path.name} must have two lines: the user's name, then the password.")
    return lines[0], lines[1]


def _refuse_large(answer: requests.Response, **_: Any) -> None:
    """Look at the announced length before anything is read into memory or onto the disk."""
    announced = answer.headers.get("Content-Length", "")
    if announced.isdigit() and int(announced) > MOST_BYTES:
        answer.close()
        raise RefusedInstance(TOO_LARGE)


@contextlib.contextmanager
def _faults(address: Address) -> Iterator[None]:
    """Turn what goes wrong on the way into a passing fault, or into a sentence where waiting would not help."""
    server = f"{address.host}:{address.port}"
    try:
        yield
    except requests.exceptions.SSLError:
        raise SourceError(
            f"The certificate of {server} is not trusted, or it does not speak https. Name the hospital's authority in "
            "`data.pacs.certificate`, or ask the PACS administrator."
        ) from None
    except requests.TooManyRedirects:
        raise SourceError(f"{server} sends on to another address. Write that one as `data.images`.") from None
    except requests.HTTPError as error:
        raise _refusal(server, _status(error)) from None
    except requests.Timeout:
        raise PassingFault(f"{server} did not answer in time. {_CHECK}") from None
    except requests.RequestException:
        raise PassingFault(f"{server} cannot be reached, or the connection broke off. {_CHECK}") from None


@contextlib.contextmanager
def _nonsense(address: Address) -> Iterator[None]:
    """Say so when a search is answered by something else than a list of datasets."""
    try:
        yield
    except (requests.exceptions.JSONDecodeError, AttributeError, TypeError, UnicodeError, RefusedInstance):
        raise SourceError(
            f"{address.host}:{address.port} answers, but not as DICOMweb does. Check the path in `data.images`; Orthanc's "
            "is /dicom-web."
        ) from None


def _status(error: requests.HTTPError) -> int:
    return 0 if error.response is None else error.response.status_code


def _refusal(server: str, status: int) -> Exception:
    if status in (401, 403):
        return SourceError(
            f"{server} asks for a user and a password, or does not accept them ({status}). Set LUCENCY_PACS_USER and "
            "LUCENCY_PACS_PASSWORD, or name a file in `data.pacs.login_file`."
        )
    if status >= 500 or status in _BUSY:
        return PassingFault(f"{server} answers with an error of its own ({status}). Ask the PACS administrator.")
    return SourceError(
        f"{server} does not know what it is asked for ({status}). Check the path in `data.images`; Orthanc's is /dicom-web."
    )


def _as_answer(found: Any) -> Answer:
    """Read one dataset of DICOM JSON (PS3.18, annex F), without sequences and names."""
    values = {keyword_for_tag(tag): element.get("Value", []) for tag, element in found.items()}
    return {
        keyword: "\\".join(map(str, value))
        for keyword, value in values.items()
        if not any(isinstance(one, dict) for one in value)
    }


def _only_part(answer: requests.Response) -> Iterator[bytes]:
    """Yield the bytes of the one instance in an answer, and make sure that it came to its end.

    Raises:
        PassingFault: the answer was cut short.
        RefusedInstance: it holds something else.
    """
    kind = answer.headers.get("Content-Type", "")
    chunks = answer.iter_content(_CHUNK)
    if kind.startswith("application/dicom") and "json" not in kind:  # some servers leave the envelope out
        yield from chunks
        return
    boundary = re.search(r'boundary="?([^\s";]+)', kind)
    if not kind.startswith("multipart/related") or boundary is None:
        raise RefusedInstance(NOT_DICOM)
    end = f"\r\n--{boundary[1]}".encode()
    held = _after_head(chunks)
    while end not in held:
        yield held[: -len(end)]
        held = held[-len(end) :]
        chunk = next(chunks, None)
        if chunk is None:
            raise PassingFault("The PACS cut an image short on its way. Ask the PACS administrator.")
        held += chunk
    yield held[: held.index(end)]


def _after_head(chunks: Iterator[bytes]) -> bytes:
    """Return what follows the empty line below the head of the first part."""
    held = b""
    for chunk in chunks:
        held += chunk
        if b"\r\n\r\n" in held:
            return held.partition(b"\r\n\r\n")[2]
        if len(held) > _LONGEST_HEAD:
            raise RefusedInstance(NOT_DICOM)
    raise PassingFault("The PACS cut an image short on its way. Ask the PACS administrator.")


def _limited(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Pass bytes on until there are more than any instance has."""
    n_bytes = 0
    for chunk in chunks:
        n_bytes += len(chunk)
        if n_bytes > MOST_BYTES:
            raise RefusedInstance(TOO_LARGE)
        yield chunk
