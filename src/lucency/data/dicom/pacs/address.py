"""Read the address of a PACS."""

import re
from dataclasses import dataclass
from typing import Literal
from urllib.parse import unquote, urlsplit

from lucency.errors import PlanError

EXAMPLES = "dicomweb://pacs.hospital:8042/dicom-web or pacs://AE_TITLE@pacs.hospital:104"

_DEFAULT_PORTS = {"dicomweb": 80, "dicomwebs": 443, "pacs": 104}
_AE_TITLE = re.compile(r"[!-\[\]-~](?:[ -\[\]-~]{0,14}[!-\[\]-~])?")
"""Up to 16 printable characters without a backslash, spaces only inside (PS3.5, value representation AE)."""


@dataclass(frozen=True)
class Address:
    """Where a PACS listens, and in which protocol."""

    text: str
    """As the plan says it; it holds no password."""
    scheme: Literal["dicomweb", "dicomwebs", "pacs"]
    host: str
    port: int
    path: str = ""
    """Path of the DICOMweb service, beginning with a slash."""
    ae_title: str = ""
    """Name of the called application entity, for `pacs://`."""

    @property
    def url(self) -> str:
        """The DICOMweb service as a web address."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.scheme == 'dicomwebs' else 'http'}://{host}:{self.port}{self.path}"


def parse_address(text: str) -> Address:
    """Read and check dicomweb://host:port/path, dicomwebs://host:port/path or pacs://AE@host:port.

    Raises:
        PlanError: it is not such an address, or it holds a password.
    """
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:  # a port that is no number from 0 to 65535, or an unfinished [address]
        raise _wrong("it cannot be read: check the port and the brackets") from None
    if parts.scheme not in _DEFAULT_PORTS:
        raise _wrong("it begins otherwise")
    if not parts.hostname or not re.fullmatch(r"[\w.:-]+", parts.hostname):
        raise _wrong("the name of the server is missing or unusual")
    if parts.query or parts.fragment:
        raise _wrong("it holds a ? or #; filters belong in `data.pacs`")
    if port == 0:
        raise _wrong("port 0 does not exist")
    scheme, port = parts.scheme, port or _DEFAULT_PORTS[parts.scheme]
    if scheme == "pacs":
        return Address(text, "pacs", parts.hostname, port, ae_title=_ae_title(parts.netloc, parts.path))
    if "@" in parts.netloc:
        raise PlanError(
            "`data.images` holds a user's name or password, and the plan is printed in the report. Take it out, and see "
            "`data.pacs.login_file`."
        )
    return Address(
        text, "dicomwebs" if scheme == "dicomwebs" else "dicomweb", parts.hostname, port, parts.path.rstrip("/")
    )


def _ae_title(netloc: str, path: str) -> str:
    title = unquote(netloc.rpartition("@")[0])
    if path not in ("", "/"):
        raise _wrong("a path belongs to dicomweb:// only")
    if not title:
        raise _wrong("the AE title is missing; it stands before the @")
    if not _AE_TITLE.fullmatch(title):
        raise _wrong("an AE title has up to 16 plain letters, digits and signs")
    return title


def _wrong(what: str) -> PlanError:
    return PlanError(f"`data.images` is not the address of a PACS: {what}. Write for example {EXAMPLES}.")
