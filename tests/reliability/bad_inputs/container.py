"""The file around the image: preamble, file meta group, cuts, and what lies beside."""

import gzip
from pathlib import Path

from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

from .case import Expected, case
from .phantom import AXIAL, Person, Truth, ct_series, dataset_bytes, file_bytes, hounsfield, meta_bytes, save

GROUP = "container"
HU = hounsfield()
TRUTH = Truth(HU, AXIAL.affine)
CUT = frozenset({"E_TRUNCATED", "E_UNREADABLE", "E_EMPTY_FILE"})
"""Reasons to refuse a file that was cut short on its way."""
INCOMPLETE = CUT | {"E_GAP"}
"""Reasons to refuse the series that such a file is missing from."""


def without_preamble(folder: Path, person: Person) -> list[Expected]:
    """The files begin with the file meta group; the preamble and its mark are missing."""
    names = save(folder, ct_series(person, HU), encode=lambda header: file_bytes(header, preamble=b""))
    return [Expected(tuple(names), TRUTH, notes=frozenset({"N_NO_PREAMBLE"}))]


def bare_implicit(folder: Path, person: Person) -> list[Expected]:
    """Preamble and file meta group are missing; the dataset is implicit VR, as the oldest archives have it."""
    names = save(folder, ct_series(person, HU), encode=lambda header: dataset_bytes(header, ImplicitVRLittleEndian))
    return [Expected(tuple(names), TRUTH, notes=frozenset({"N_NO_PREAMBLE"}))]


def bare_explicit(folder: Path, person: Person) -> list[Expected]:
    """Preamble and file meta group are missing; the dataset is explicit VR."""
    names = save(folder, ct_series(person, HU), encode=dataset_bytes)
    return [Expected(tuple(names), TRUTH, notes=frozenset({"N_NO_PREAMBLE"}))]


def meta_without_transfer_syntax(folder: Path, person: Person) -> list[Expected]:
    """The file meta group does not tell the transfer syntax."""

    def encode(header):
        meta = meta_bytes(header, ExplicitVRLittleEndian)
        at = meta.index(b"\x02\x00\x10\x00UI")
        element = meta[at : at + 8 + int.from_bytes(meta[at + 6 : at + 8], "little")]
        rest = meta[12:].replace(element, b"")
        return b"\0" * 128 + b"DICM" + meta[:8] + len(rest).to_bytes(4, "little") + rest + dataset_bytes(header)

    names = save(folder, ct_series(person, HU), encode=encode)
    return [Expected(tuple(names), TRUTH, notes=frozenset({"N_NO_PREAMBLE"}))]


def meta_without_length(folder: Path, person: Person) -> list[Expected]:
    """The file meta group does not tell its own length."""
    names = save(
        folder,
        ct_series(person, HU),
        encode=lambda header: (
            b"\0" * 128 + b"DICM" + meta_bytes(header, ExplicitVRLittleEndian)[12:] + dataset_bytes(header)
        ),
    )
    return [Expected(tuple(names), TRUTH)]


def preamble_of_a_tiff(folder: Path, person: Person) -> list[Expected]:
    """The preamble is the beginning of a TIFF file, as pathology writes it."""
    preamble = b"II*\0\x08\0\0\0".ljust(128, b"\0") + b"DICM"
    names = save(folder, ct_series(person, HU), encode=lambda header: file_bytes(header, preamble=preamble))
    return [Expected(tuple(names), TRUTH)]


def cut_in_the_pixels(folder: Path, person: Person) -> list[Expected]:
    """A slice in the middle ends half-way through its pixels."""
    names = save(folder, ct_series(person, HU))
    path = folder / names[4]
    path.write_bytes(path.read_bytes()[:-300])
    return [Expected(tuple(names), codes=INCOMPLETE)]


def cut_in_the_header(folder: Path, person: Person) -> list[Expected]:
    """A slice in the middle ends within its header, before its position."""
    names = save(folder, ct_series(person, HU))
    path = folder / names[4]
    path.write_bytes(path.read_bytes()[:500])
    return [Expected(tuple(names), codes=INCOMPLETE)]


def empty_file(folder: Path, person: Person) -> list[Expected]:
    """A slice in the middle is an empty file."""
    names = save(folder, ct_series(person, HU))
    (folder / names[3]).write_bytes(b"")
    return [Expected(tuple(names), codes=INCOMPLETE)]


def last_slice_cut(folder: Path, person: Person) -> list[Expected]:
    """The slice at the end of the series is cut, so that the others show no gap: the head of the patient is missing."""
    names = save(folder, ct_series(person, HU))
    path = folder / names[-1]
    path.write_bytes(path.read_bytes()[:-300])
    return [
        Expected(
            tuple(names[:-1]),
            Truth(HU[:-1], AXIAL.affine),
            notes=frozenset({"N_INCOMPLETE"}),
            codes=INCOMPLETE,
        ),
        Expected((names[-1],), codes=CUT),
    ]


def padding_element_at_the_end(folder: Path, person: Person) -> list[Expected]:
    """Data Set Trailing Padding stands after the pixels."""
    padding = b"\xfc\xff\xfc\xffOB\0\0" + (64).to_bytes(4, "little") + b"\0" * 64
    names = save(folder, ct_series(person, HU), encode=lambda header: file_bytes(header) + padding)
    return [Expected(tuple(names), TRUTH)]


def zeros_at_the_end(folder: Path, person: Person) -> list[Expected]:
    """The files are filled up with zeros to the block size of a tape."""
    names = save(folder, ct_series(person, HU), encode=lambda header: file_bytes(header).ljust(4096, b"\0"))
    return [Expected(tuple(names), TRUTH)]


def more_pixels_than_needed(folder: Path, person: Person) -> list[Expected]:
    """The pixel element is longer than rows and columns say."""
    headers = ct_series(person, HU)
    for header in headers:
        header.PixelData += b"\x55" * 50
    return [Expected(tuple(save(folder, headers)), TRUTH)]


def junk_beside(folder: Path, person: Person) -> list[Expected]:
    """Among the slices, which have no suffix and lie in subfolders, lie files that are no DICOM at all."""
    headers = ct_series(person, HU)
    files = []
    for number, header in enumerate(headers):
        path = folder / f"PAT{number % 3}" / "SER1" / f"IM{number:04d}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(file_bytes(header))
        files.append(str(path.relative_to(folder)))
    junk = {
        "README.txt": b"Viewer: start autorun.exe\n",
        "Thumbs.db": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600,
        ".DS_Store": b"\0\0\0\x01Bud1" + b"\0" * 200,
        "report.pdf": b"%PDF-1.4\n%%EOF\n",
        "slices.gz": gzip.compress(b"slices", mtime=0),
        "PAT0/autorun.inf": b"[autorun]\nopen=viewer.exe\n",
    }
    for name, content in junk.items():
        (folder / name).write_bytes(content)
    return [Expected(tuple(files), TRUTH), Expected(tuple(junk), is_optional=True)]


CASES = [
    case(GROUP, write)
    for write in (
        without_preamble,
        bare_implicit,
        bare_explicit,
        meta_without_transfer_syntax,
        meta_without_length,
        preamble_of_a_tiff,
        cut_in_the_pixels,
        cut_in_the_header,
        empty_file,
        last_slice_cut,
        padding_element_at_the_end,
        zeros_at_the_end,
        more_pixels_than_needed,
        junk_beside,
    )
]
