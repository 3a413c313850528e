"""Parse all of a DICOM file that holds drawings, and notice where it was cut.

A structure set that lost its end would still be a structure set, with fewer contours; so the end of the last element
has to be the end of the file.
"""

import zlib
from io import BytesIO
from pathlib import Path

from pydicom.dataset import FileDataset
from pydicom.filereader import read_partial
from pydicom.tag import BaseTag

from lucency.data.dicom.header import refuse_deflate_bomb, silence_libraries
from lucency.data.reading import MOST_BYTES, N_HEAD, RefusedImage, is_dicom

_DEFLATED, _NOT_DEFLATED = b"1.2.840.10008.1.2.1.99", b"1.2.840.10008.1.2.1\0\0\0"
_UNDEFINED = 0xFFFFFFFF
_DELIMITERS = (b"\xfe\xff\xdd\xe0\0\0\0\0", b"\xff\xfe\xe0\xdd\0\0\0\0")
"""What ends an element of undefined length, in both orders of bytes."""


def parse_whole(path: Path) -> FileDataset:
    """Parse a file, pixels and sequences included.

    Raises:
        RefusedImage: it is empty, too large, no DICOM file, or ends too early.
        Exception: anything a parser can raise on a damaged file.
    """
    silence_libraries()
    n_bytes = path.stat().st_size
    if not n_bytes:
        raise RefusedImage("E_EMPTY_FILE")
    if n_bytes > MOST_BYTES:
        raise RefusedImage("E_SIZEBOMB")
    content = path.read_bytes()
    if not is_dicom(content[:N_HEAD]):
        raise RefusedImage("E_UNREADABLE")
    refuse_deflate_bomb(content)
    return _parse(_inflated(content))


def _inflated(content: bytes) -> bytes:
    """Inflate a deflated file, and say that it was not (PS3.5 A.5)."""
    if _DEFLATED not in content[132:2048]:
        return content
    start = 144 + int.from_bytes(content[140:144], "little")  # the file meta group tells its length first
    inflated = zlib.decompressobj(-zlib.MAX_WBITS).decompress(content[start:])
    return content[:start].replace(_DEFLATED, _NOT_DEFLATED) + inflated


def _parse(content: bytes) -> FileDataset:
    file = BytesIO(content)
    end = 0

    def note_end(_tag: BaseTag, _vr: str | None, length: int) -> bool:
        nonlocal end
        end = _UNDEFINED if length == _UNDEFINED else file.tell() + length
        return False

    header = read_partial(file, note_end, force=True)
    is_whole = content.endswith(_DELIMITERS) if end == _UNDEFINED else end == len(content)
    if not is_whole:
        raise RefusedImage("E_TRUNCATED")
    return header
