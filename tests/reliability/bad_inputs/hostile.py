"""Files made to harm: nesting, sizes, bombs, pipes, and names that are commands. All of them are written as raw bytes."""

import os
import zlib
from pathlib import Path

from pydicom.uid import DeflatedExplicitVRLittleEndian

from .case import Expected, case
from .phantom import AXIAL, Person, Truth, ct_series, dataset_bytes, file_bytes, hounsfield, meta_bytes, save

GROUP = "hostile"
HU = hounsfield(7)
TRUTH = Truth(HU, AXIAL.affine)
PIXELS = b"\xe0\x7f\x10\x00OW"
DAMAGED = frozenset({"E_UNREADABLE", "E_TRUNCATED", "E_SIZEBOMB", "E_BAD_HEADER"})
DEPTH = 2000


def deep_sequences(folder: Path, person: Person) -> list[Expected]:
    """A private sequence before the pixels is nested 2,000 levels deep."""
    start = b"\x29\x00\x10\x10SQ\0\0\xff\xff\xff\xff" + b"\xfe\xff\x00\xe0\xff\xff\xff\xff"
    end = b"\xfe\xff\x0d\xe0\0\0\0\0" + b"\xfe\xff\xdd\xe0\0\0\0\0"
    nested = b"\x29\x00\x10\x00LO\x06\x00VENDOR" + start * DEPTH + end * DEPTH

    def encode(header):
        content = file_bytes(header)
        at = content.rindex(PIXELS)
        return content[:at] + nested + content[at:]

    return [Expected(tuple(save(folder, ct_series(person, HU), encode=encode)), TRUTH, codes=DAMAGED)]


def sixty_thousand_rows(folder: Path, person: Person) -> list[Expected]:
    """Small files claim 60,000 × 60,000 pixels: 7 gigabytes each, if a reader believes them."""
    headers = ct_series(person, HU)
    for header in headers:
        header.Rows = header.Columns = 60_000
    return [Expected(tuple(save(folder, headers)), codes=DAMAGED)]


def four_gigabytes_long(folder: Path, person: Person) -> list[Expected]:
    """An element before the pixels claims to be 4 gigabytes long."""
    element = b"\x29\x00\x10\x10OB\0\0" + (0xFFFFFFF0).to_bytes(4, "little")

    def encode(header):
        content = file_bytes(header)
        at = content.rindex(PIXELS)
        return content[:at] + element + content[at:]

    return [Expected(tuple(save(folder, ct_series(person, HU), encode=encode)), codes=DAMAGED)]


def deflate_bomb(folder: Path, person: Person) -> list[Expected]:
    """A deflated file of 4 megabytes unfolds to 4 gigabytes of zeros."""
    header = ct_series(person, HU[:1])[0]
    compressor = zlib.compressobj(9, wbits=-zlib.MAX_WBITS)
    beginning = dataset_bytes(header) + b"\x11\x77\x10\x10OB\0\0" + (0xFFFFFFF0).to_bytes(4, "little")
    head = compressor.compress(beginning) + compressor.flush(zlib.Z_FULL_FLUSH)
    # after a full flush a block stands on its own, and can be repeated
    block = compressor.compress(b"\0" * (1 << 22)) + compressor.flush(zlib.Z_FULL_FLUSH)
    meta = meta_bytes(header, DeflatedExplicitVRLittleEndian)
    content = b"\0" * 128 + b"DICM" + meta + head + block * 1024 + compressor.flush()
    (folder / "bomb.dcm").write_bytes(content)
    return [Expected(("bomb.dcm",), codes=DAMAGED)]


def loops_and_pipes(folder: Path, person: Person) -> list[Expected]:
    """Beside the slices are a link to the folder itself, a link to nowhere, a link to itself, and a pipe that never speaks."""
    names = save(folder, ct_series(person, HU))
    (folder / "again").symlink_to(folder, target_is_directory=True)
    (folder / "nowhere.dcm").symlink_to(folder / "absent.dcm")
    (folder / "itself.dcm").symlink_to(folder / "itself.dcm")
    os.mkfifo(folder / "pipe.dcm")
    return [
        Expected(tuple(names), TRUTH),
        Expected(("nowhere.dcm", "itself.dcm", "pipe.dcm"), is_optional=True),
    ]


def names_that_are_commands(folder: Path, person: Person) -> list[Expected]:
    """UIDs are paths upwards, texts are scripts and terminal commands, file names are markup, commands and not UTF-8."""
    headers = ct_series(person, HU)
    names = []
    for number, header in enumerate(headers):
        header.SeriesInstanceUID = header.StudyInstanceUID = "../../../../tmp/x"
        header.SOPInstanceUID = f"../../{number}"
        header.SeriesDescription = "<script>alert(1)</script>\x1b[2J"
        header.StudyDescription = "=cmd|'/c calc'!A0"
        name = f"{number}" + ("<img src=x onerror=alert(1)>", "$(reboot).dcm", "; rm -rf", "\udcff")[number % 4]
        (folder / name).write_bytes(file_bytes(header))
        names.append(name)
    return [Expected(tuple(names), TRUTH, codes=frozenset({"E_BAD_HEADER", "E_UNREADABLE"}))]


CASES = [
    case(GROUP, write)
    for write in (
        deep_sequences,
        sixty_thousand_rows,
        four_gigabytes_long,
        deflate_bomb,
        loops_and_pipes,
        names_that_are_commands,
    )
]
