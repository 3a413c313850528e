"""Headers of many files: what pydicom says, in the given order, whatever happens on the way."""

import contextlib
import io
import json
import logging
import os
import random
import signal
import struct
import subprocess
import sys
import warnings
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pydicom.data
import pytest
from dicom_files import dataset, write
from hypothesis import given
from hypothesis import strategies as st
from pydicom.charset import python_encoding
from pydicom.dataset import Dataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import dcmwrite
from pydicom.multival import MultiValue
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from lucency import __version__
from lucency.data.dicom import careful_header, children
from lucency.data.dicom import scan as scanning
from lucency.data.dicom.plain_header import UnusualHeader, read_plain_header
from lucency.data.dicom.scan import SCANNED, ScannedFile, scan
from lucency.data.dicom.scanned_file import scan_file, wanted_elements
from lucency.domain.progress import Silence
from lucency.errors import Interrupted, StorageError

SYNTAXES = [ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian]


@pytest.fixture(autouse=True)
def _quiet() -> Any:
    """Keep pydicom's remarks on damaged files out of the log of the tests."""
    logging.getLogger("pydicom").disabled = True
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def said_by_pydicom(content: bytes) -> dict[str, str]:
    """Read the same elements with pydicom alone, the whole header converted as its users see it."""
    header = pydicom.dcmread(io.BytesIO(content), stop_before_pixels=True, force=True)
    texts = {}
    for keyword in SCANNED:
        holder = header.file_meta if keyword == "TransferSyntaxUID" else header
        if keyword in holder:
            values = converted(holder, keyword)
            texts[keyword] = "\\".join("" if value is None else str(value).strip(" \0") for value in values)
    return {keyword: text for keyword, text in texts.items() if text}


def converted(header: Dataset, keyword: str) -> list[Any]:
    """Return the values of an element; one that pydicom cannot convert as it stands in the file."""
    try:
        value = header[keyword].value
    except Exception:
        value = header.get_item(keyword).value.decode("latin-1")
    return list(value) if isinstance(value, (list, MultiValue)) else [value]


def slice_header(number: int = 1, **elements: Any) -> Dataset:
    """Return the header and pixels of a small CT slice."""
    ct: dict[str, Any] = {
        "SpecificCharacterSet": "ISO_IR 100",
        "Modality": "CT",
        "PatientName": "Müller^Jürgen",
        "SOPInstanceUID": f"1.2.3.{number}",
        "InstanceNumber": number,
        "ImagePositionPatient": ["-10.50", "0", f"{number}.250000"],
        "ImageOrientationPatient": [1, 0, 0, 0, 1, 0],
        "DiffusionBValue": 0.1,
    }
    return dataset(np.zeros((4, 4), np.int16), **(ct | elements))


def write_slices(folder: Path, n_files: int) -> list[Path]:
    folder.mkdir(exist_ok=True)
    return [write(folder / f"{number:05d}.dcm", slice_header(number)) for number in range(n_files)]


def in_bytes(header: Dataset) -> bytes:
    content = DicomBytesIO()
    dcmwrite(content, header, enforce_file_format=True)
    return content.getvalue()


def scanned(path: Path) -> ScannedFile:
    (file,) = scan([path])
    return file


# Values --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("syntax", SYNTAXES)
def test_values_are_those_of_pydicom_in_every_encoding(tmp_path: Path, syntax: str) -> None:
    """A deflated file says so, although only its beginning is inflated."""
    header = slice_header()
    header.file_meta.TransferSyntaxUID = syntax
    file = scanned(write(tmp_path / "slice.dcm", header))
    assert file.elements == said_by_pydicom((tmp_path / "slice.dcm").read_bytes())
    assert (file.elements["PatientName"], file.elements["Rows"], file.code, file.notes) == (
        "Müller^Jürgen",
        "4",
        "",
        (),
    )
    assert file.elements["ImagePositionPatient"] == "-10.50\\0\\1.250000"
    assert file.elements["TransferSyntaxUID"] == syntax


def test_a_common_file_is_read_without_pydicom(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The speed comes from there; sequences without a length, as many scanners write them, are no exception."""
    inner = Dataset()
    inner.CodeMeaning = "chest"
    outer = Dataset()
    outer.PurposeOfReferenceCodeSequence = [inner, inner]
    for syntax in SYNTAXES[:2]:
        header = slice_header(ReferencedImageSequence=[outer, outer], ProcedureCodeSequence=[])
        header.file_meta.TransferSyntaxUID = syntax
        header["ReferencedImageSequence"].is_undefined_length = True
        outer.is_undefined_length_sequence_item = True
        outer["PurposeOfReferenceCodeSequence"].is_undefined_length = True
        content = in_bytes(header)
        assert b"\xff\xff\xff\xff" in content
        assert read_plain_header(content, len(content), wanted_elements()) == said_by_pydicom(content)


def test_elements_inside_sequences_are_not_taken_for_those_of_the_file(tmp_path: Path) -> None:
    """The referenced image has numbers of its own."""
    inner = Dataset()
    inner.SOPInstanceUID, inner.PatientID, inner.Rows = "9.9", "somebody else", 999
    header = slice_header(ReferencedImageSequence=[inner])
    for is_undefined in (False, True):
        header["ReferencedImageSequence"].is_undefined_length = is_undefined
        elements = scanned(write(tmp_path / "slice.dcm", header)).elements
        assert (elements["SOPInstanceUID"], elements["PatientID"], elements["Rows"]) == ("1.2.3.1", "0042", "4")


def test_every_character_set_contains_ascii() -> None:
    """The quick reader takes ASCII as it is, whatever the character set."""
    printable = bytes(range(0x20, 0x7F))
    for name in set(python_encoding.values()) - {"iso_ir_58"}:  # chinese, only ever entered by an escape sequence
        assert printable.decode(name) == printable.decode("ascii"), name


@given(
    name=st.text(max_size=30),
    description=st.text(st.characters(max_codepoint=255), max_size=30),
    character_set=st.sampled_from(["", "ISO_IR 100", "ISO_IR 192", "ISO_IR 144", "ISO_IR 13", "\\ISO 2022 IR 87", "?"]),
    position=st.lists(st.floats(-1e6, 1e6), max_size=4),
    numbers=st.lists(st.integers(0, 65535), max_size=3),
    is_implicit=st.booleans(),
)
def test_any_text_and_number_is_what_pydicom_makes_of_it(
    name: str, description: str, character_set: str, position: list[float], numbers: list[int], is_implicit: bool
) -> None:
    """Texts are written raw, so that they need not suit their character set or their element."""
    content = raw_file(
        {
            "SpecificCharacterSet": character_set.encode(),
            "SOPClassUID": b"1.2.840.10008.5.1.4.1.1.2\0",
            "InstitutionName": description.encode("latin-1"),
            "SeriesDescription": description.encode("latin-1"),
            "PatientName": name.encode("utf-8", "surrogatepass"),
            "InstanceNumber": description.encode("latin-1")[:15],  # pydicom rounds longer numbers
            "ImagePositionPatient": "\\".join(f" {part!r}" for part in position).encode(),
            "Rows": struct.pack(f"<{len(numbers)}H", *numbers),
        },
        is_implicit,
    )
    with contextlib.suppress(UnusualHeader):
        assert read_plain_header(content, len(content), wanted_elements()) == said_by_pydicom(content)


def raw_file(values: dict[str, bytes], is_implicit: bool) -> bytes:
    """Return a file with these values, which need not suit their elements."""
    syntax = ImplicitVRLittleEndian if is_implicit else ExplicitVRLittleEndian
    meta = raw_element("TransferSyntaxUID", syntax.encode() + b"\0" * (len(syntax) % 2), is_implicit=False)
    length = struct.pack("<HH2sHL", 2, 0, b"UL", 4, len(meta))
    body = b"".join(raw_element(keyword, value, is_implicit) for keyword, value in values.items())
    return b"\0" * 128 + b"DICM" + length + meta + body


def raw_element(keyword: str, value: bytes, is_implicit: bool) -> bytes:
    tag = pydicom.datadict.tag_for_keyword(keyword)
    assert tag is not None
    vr = pydicom.datadict.dictionary_VR(tag).encode()
    length = struct.pack("<L", len(value)) if is_implicit else vr + struct.pack("<H", len(value))
    return struct.pack("<HH", tag >> 16, tag & 0xFFFF) + length + value


GOOD = {"SOPInstanceUID": b"1.2.3\0", "PatientID": b"0042", "SpecificCharacterSet": b"ISO_IR 100", "Rows": b"\4\0"}


def in_order(values: dict[str, bytes]) -> dict[str, bytes]:
    return dict(sorted(values.items(), key=lambda item: pydicom.datadict.tag_for_keyword(item[0]) or 0))


@pytest.mark.parametrize("is_implicit", [False, True])
def test_a_well_formed_file_without_pixels_is_plain(is_implicit: bool) -> None:
    """The faults below are all that keeps a file like this from the quick reader."""
    content = raw_file(in_order(GOOD), is_implicit)
    assert read_plain_header(content, len(content), wanted_elements()) == said_by_pydicom(content)


def faults() -> dict[str, bytes]:
    """Return files with one fault each, where a naive reader would be wrong in silence."""
    explicit, implicit = raw_file(in_order(GOOD), False), raw_file(in_order(GOOD), True)
    second = raw_element("PatientID", b"0043", is_implicit=False)
    nested_set = b"\x08\0\x40\x11SQ\0\0\xff\xff\xff\xff\xfe\xff\0\xe0\xff\xff\xff\xff\x08\0\5\0CS\4\0\0A  "
    end = b"\xfe\xff\x0d\xe0\0\0\0\0\xfe\xff\xdd\xe0\0\0\0\0"
    at_patient = explicit.index(b"\x10\0\x20\0LO")
    more_meta = struct.pack("<HH2sH", 2, 0x13, b"SH", 4) + b"ABCD"
    at_data = implicit.index(b"\x08\0\5\0\x0a\0\0\0")
    return {
        "an element twice": explicit[:at_patient] + second + explicit[at_patient:],
        "elements out of order": raw_file(dict(reversed(in_order(GOOD).items())), False),
        "another representation": explicit.replace(b"\x10\0\x20\0LO", b"\x10\0\x20\0US"),
        "an unknown representation": explicit.replace(b"\x28\0\x10\0US", b"\x28\0\x10\0ZZ"),
        "a character set that is none": explicit.replace(b"ISO_IR 100", b"\0\0O_IR 100"),
        "such a set in an item": explicit[:at_patient] + nested_set + end + explicit[at_patient:],
        "an item without end": explicit[:at_patient] + nested_set[:-12] + explicit[at_patient:],
        "file meta beyond its length": implicit[:at_data] + more_meta + implicit[at_data:],
        "the end of an item outside": explicit[:at_patient] + end[:8] + explicit[at_patient:],
        "a number that is cut": explicit.replace(b"US\2\0\4\0", b"US\3\0\4\0\0"),
        "some bytes at the end": explicit + b"\0\0\0",
        "unknown compression": explicit.replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.9.9.9\0"),
        "explicit, said to be implicit": explicit.replace(
            b"UI\x14\x001.2.840.10008.1.2.1\0", b"UI\x14\x001.2.840.10008.1.2" + b"\0" * 3
        ),
        "letters of a rare set": explicit.replace(b"0042", b"\xe900 ").replace(b"ISO_IR 100", b"ISO_IR 144"),
    }


@pytest.mark.parametrize("fault", faults())
def test_whatever_is_unusual_is_left_to_pydicom(fault: str) -> None:
    """Each of these was read otherwise than by pydicom, or might have been, by a reader that was less strict."""
    content = faults()[fault]
    with pytest.raises(UnusualHeader):
        read_plain_header(content, len(content), wanted_elements())


def test_a_header_beyond_what_was_read_is_left_to_pydicom() -> None:
    """Only the beginning of a file is read; its last value may be the one that is cut."""
    content = raw_file(in_order(GOOD), is_implicit=False)
    for n_bytes in range(len(content)):
        with pytest.raises(UnusualHeader):
            read_plain_header(content[:n_bytes], len(content), wanted_elements())


@pytest.mark.parametrize("seed", range(8))
def test_a_damaged_header_is_read_as_pydicom_reads_it_or_left_to_pydicom(seed: int) -> None:
    """A parser that guesses would be wrong in silence; bytes are changed, lost, added and replaced by telling ones."""
    draw = random.Random(seed)
    originals = [in_bytes(header) for header in headers_of_many_kinds()]
    n_read = 0
    for _ in range(1000):
        content = damaged(draw.choice(originals), draw)
        with contextlib.suppress(UnusualHeader):
            assert read_plain_header(content, len(content), wanted_elements()) == said_by_pydicom(content)
            n_read += 1
    assert n_read > 20


def headers_of_many_kinds() -> list[Dataset]:
    """Return headers with and without sequences, with lengths and without, in both encodings."""
    kinds = []
    for syntax in SYNTAXES[:2]:
        for is_undefined in (False, True):
            item = Dataset()
            item.ReferencedSOPClassUID, item.CodeMeaning, item.Rows = "1.2.3", "chest", 3
            header = slice_header(ReferencedImageSequence=[item, Dataset(), item], ImageType=["ORIGINAL", "PRIMARY"])
            header.file_meta.TransferSyntaxUID = syntax
            header.add_new(0x00090010, "LO", "MAKER")
            header.add_new(0x00091001, "UN", b"private!")
            header["ReferencedImageSequence"].is_undefined_length = is_undefined
            item.is_undefined_length_sequence_item = is_undefined
            kinds.append(header)
    return kinds


TELLING = [
    *(b"\xff\xff\xff\xff", b"\xfe\xff\x00\xe0", b"\xfe\xff\x0d\xe0", b"\xfe\xff\xdd\xe0", b"\xe0\x7f\x10\0"),
    *(b"SQ", b"UN", b"OB", b"LO", b"PN", b"US", b"UT", b"ZZ", b"\0\0", b"\x10\0\0\0", b"\0\0\0\0"),
    *(b"\\\\", b"\x1b$B", b"\xe9", b" 1, ", b"\t\n", b"=^", b"\0A"),
]
"""Bytes that mean something to a parser."""


def damaged(content: bytes, draw: random.Random) -> bytes:
    """Return a file with one or two faults behind its preamble."""
    changed = bytearray(content)
    for _ in range(draw.randint(1, 2)):
        at = draw.randrange(132, len(changed))
        telling = draw.choice(TELLING)
        match draw.randrange(6):
            case 0:
                changed[at] = draw.randrange(256)
            case 1:
                del changed[at : at + draw.choice([1, 2, 8])]
            case 2:
                changed[at:at] = draw.randbytes(draw.choice([1, 2, 8]))
            case 3:
                changed[at : at + len(telling)] = telling
            case 4:
                changed[at:at] = changed[at - 20 : at]
            case _:
                del changed[max(at, 300) :]
    return bytes(changed)


# Files that are not in order -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("syntax", SYNTAXES[:3])
def test_a_header_that_is_cut_inside_an_element_is_refused(tmp_path: Path, syntax: str) -> None:
    """Pydicom returns what is left as if it were all; a slice without its position would then sort anywhere."""
    header = slice_header()
    header.file_meta.TransferSyntaxUID = syntax
    content = in_bytes(header)
    pixels_at = pydicom.dcmread(io.BytesIO(content)).get_item("PixelData").value_tell - 12
    path = tmp_path / "cut.dcm"
    taken = []
    for n_bytes in range(1, pixels_at):
        path.write_bytes(content[:n_bytes])
        file = scanned(path)
        if not file.code:
            taken.append(n_bytes)
        assert bool(file.code) != bool(file.elements)
    assert len(taken) < len(header)  # between two elements nobody can see that more should follow


def test_what_is_no_dicom_file_is_refused(tmp_path: Path) -> None:
    """Other files lie about in every folder; a pipe among them must not make anybody wait."""
    kinds = {
        "empty": (b"", "E_EMPTY_FILE"),
        "text": (b"The patient was seen.\n" * 100, "E_UNREADABLE"),
        "picture": (b"\x89PNG\r\n\x1a\n" + bytes(500), "E_UNREADABLE"),
        "zeros": (bytes(5000), "E_UNREADABLE"),
        "mark alone": (bytes(128) + b"DICM", "E_TRUNCATED"),
        "like the beginning of one": (b"\x08\0" + bytes(500), "E_TRUNCATED"),
    }
    for name, (content, _) in kinds.items():
        (tmp_path / name).write_bytes(content)
    os.mkfifo(tmp_path / "pipe")
    paths = [tmp_path / name for name in [*kinds, "pipe", "gone", "."]]
    files = list(scan(paths))
    assert [file.path for file in files] == paths
    assert [file.code for file in files] == [code for _, code in kinds.values()] + ["E_UNREADABLE"] * 3
    assert not any(file.elements for file in files)


def test_a_file_without_preamble_is_read_with_a_note(tmp_path: Path) -> None:
    """Old exports have none; the encoding is recognised from the content."""
    content = in_bytes(slice_header())
    (tmp_path / "bare.dcm").write_bytes(content[content.index(b"\x08\0\x05\0CS") :])
    file = scanned(tmp_path / "bare.dcm")
    assert (file.code, file.notes, file.elements["PatientName"]) == ("", ("N_NO_PREAMBLE",), "Müller^Jürgen")


def test_a_deflated_file_is_inflated_no_further_than_its_header(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A few kilobytes can unfold to gigabytes."""
    header = slice_header()
    header.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    header.PixelData = bytes(1 << 26)
    path = write(tmp_path / "bomb.dcm", header)
    monkeypatch.setattr(careful_header, "MOST_INFLATED_BYTES", 1 << 12)
    monkeypatch.setattr(zlib, "decompress", None)
    assert scanned(path).elements["PatientName"] == "Müller^Jürgen"
    with careful_header._inflated(path, path.read_bytes()) as inflated:
        assert len(inflated.read()) < 1 << 13


def test_a_value_without_end_is_no_reason_to_lose_what_stands_before(tmp_path: Path) -> None:
    """Pydicom then drops all that it has read, and would return a header without elements."""
    content = raw_file(in_order(GOOD), is_implicit=False) + b"\x42\0\x11\0OB\0\0\xff\xff\xff\xff" + bytes(100)
    (tmp_path / "open.dcm").write_bytes(content)
    assert scanned(tmp_path / "open.dcm").code == "E_TRUNCATED"


def test_sequences_nested_without_end_are_refused(tmp_path: Path) -> None:
    """A parser that goes down with them could run out of stack."""
    content = in_bytes(slice_header())
    head, tail = (
        content[: content.index(b"\x08\0\x60\0")],
        b"\x08\0\x40\x11SQ\0\0\xff\xff\xff\xff\xfe\xff\0\xe0\xff\xff\xff\xff",
    )
    (tmp_path / "deep.dcm").write_bytes(head + tail * 5000)
    assert scanned(tmp_path / "deep.dcm").code in ("E_UNREADABLE", "E_TRUNCATED")


# Many files ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def in_children(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Read even a few files in children, in batches of two; the list shows which children were started."""
    started: list[Any] = []

    def start(serving: str) -> Any:
        started.append(children.start_child(serving))
        return started[-1]

    monkeypatch.setattr(scanning, "FEWEST_FOR_CHILDREN", 1)
    monkeypatch.setattr(scanning, "N_FILES_A_BATCH", 2)
    monkeypatch.setattr(scanning.os, "cpu_count", lambda: 2)
    monkeypatch.setattr(scanning, "start_child", start)
    return started


def test_children_return_what_one_process_returns_in_the_same_order(tmp_path: Path, in_children: list[Any]) -> None:
    """Whoever sorts slices must not depend on the number of cores; afterwards no child is left."""
    paths = write_slices(tmp_path / "images", 21)
    paths[5].write_bytes(b"")
    paths.reverse()
    files = list(scan(paths))
    assert files == [scan_file(path, wanted_elements()) for path in paths]
    assert in_children
    assert all(child.returncode is not None for child in in_children)


def test_a_child_that_is_killed_costs_no_file(tmp_path: Path, in_children: list[Any]) -> None:
    """The system kills when memory runs short."""
    paths = write_slices(tmp_path / "images", 40)
    files = scan(paths)
    read = [next(files)]
    n_killed = len(in_children)
    for child in in_children:  # one alone might happen not to be asked again
        os.kill(child.pid, signal.SIGKILL)
    read += files
    assert read == [scan_file(path, wanted_elements()) for path in paths]
    assert len(in_children) > n_killed


def test_a_file_that_ends_its_child_is_refused_alone(
    tmp_path: Path, in_children: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Libraries crash; the neighbours of the file are read by another child."""
    paths = write_slices(tmp_path / "images", 9)
    crashing = (
        "import os, lucency.data.dicom.scanned_file as scanned; real = scanned.scan_file; "
        "scanned.scan_file = lambda path, wanted: os.abort() if path.name == '00004.dcm' else real(path, wanted); "
        "scanned.serve_lines({wanted!r})"
    )
    monkeypatch.setattr(scanning, "_SERVING", crashing)
    assert [file.code for file in scan(paths)] == [""] * 4 + ["E_UNREADABLE"] + [""] * 4
    assert all(child.returncode is not None for child in in_children)


def test_a_scan_that_is_not_finished_leaves_no_child(tmp_path: Path, in_children: list[Any]) -> None:
    """The user stops it, or whoever asked has seen enough."""
    paths = write_slices(tmp_path / "images", 30)

    class Impatient(Silence):
        def advance(self, n_steps: int = 1, detail: str = "") -> None:
            raise Interrupted

    with pytest.raises(Interrupted):
        list(scan(paths, desk=Impatient()))
    files = scan(paths)
    next(files)
    files.close()
    assert len(in_children) >= 2
    assert all(child.returncode is not None for child in in_children)


def test_a_child_leaves_ctrl_c_to_its_parent() -> None:
    """The terminal sends it to all; the parent finishes its files, or ends its children."""
    child = children.start_child(
        "from lucency.data.dicom.children import serve; serve(lambda fields, content: (fields, content))"
    )
    assert children.ask(child, {"n": 1}, b"one", 60) == ({"n": 1}, b"one")
    child.send_signal(signal.SIGINT)
    assert children.ask(child, {"n": 2}, b"two", 60) == ({"n": 2}, b"two")
    children.end_child(child)


def test_a_child_that_hangs_is_ended() -> None:
    """A library may wait for ever on a damaged file."""
    child = children.start_child("import time; time.sleep(600)")
    with pytest.raises(children.ChildLost):
        children.ask(child, {}, b"", 0.2)
    assert child.returncode is not None


def test_headers_share_what_they_have_in_common(tmp_path: Path) -> None:
    """A hundred thousand of them shall fit into memory."""
    paths = write_slices(tmp_path / "images", 2)
    first, second = (file.elements for file in scan(paths))
    assert second["PatientName"] is first["PatientName"]
    assert second["SOPInstanceUID"] != first["SOPInstanceUID"]
    write(paths[1], slice_header(StationName="CT 2", InstanceNumber=None))  # as many texts, but others
    assert [dict(file.elements) for file in scan(paths)] == [said_by_pydicom(path.read_bytes()) for path in paths]


# The journal ---------------------------------------------------------------------------------------------------------


def test_a_scan_that_was_killed_goes_on_where_it_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The power fails; a line that was half written is read again."""
    paths = write_slices(tmp_path / "images", 12)
    journal = tmp_path / "study" / "scan.jsonl"
    program = (
        "import os, sys; from pathlib import Path; import lucency.data.dicom.scan as s; s.N_FILES_A_BATCH = 3\n"
        "for n, file in enumerate(s.scan([Path(p) for p in sys.argv[2:]], Path(sys.argv[1]))):\n"
        "    if n == 7: os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", program, str(journal), *map(str, paths)], check=False)
    lines = journal.read_bytes().splitlines(keepends=True)
    assert len(lines) == 1 + 9
    journal.write_bytes(b"".join(lines)[:-30])
    read = []
    monkeypatch.setattr(scanning, "scan_file", lambda path, wanted: read.append(path) or scan_file(path, wanted))
    assert list(scan(paths, journal)) == [scan_file(path, wanted_elements()) for path in paths]
    assert read == paths[8:]


def test_a_changed_file_is_read_again(tmp_path: Path) -> None:
    """A journal is believed only for files that are as they were."""
    paths = write_slices(tmp_path / "images", 6)
    journal = tmp_path / "scan.jsonl"
    assert list(scan(paths, journal)) == list(scan(paths, journal))
    write(paths[2], slice_header(PatientID="someone else"))
    files = list(scan(paths, journal))
    assert files[2].elements["PatientID"] == "someone else"
    assert files == list(scan(paths)) == list(scan(paths, journal))
    other_order = paths[::-1]
    assert list(scan(other_order, journal)) == list(scan(other_order))
    assert len(list(scan([*paths, paths[0]], journal))) == 7


@pytest.mark.parametrize("content", [b"", b"nonsense\n", b"[1]\n" * 9, b"\xff\xfe\n{}\n", b"{}"])
def test_a_journal_of_another_kind_is_begun_anew(tmp_path: Path, content: bytes) -> None:
    """An older version, or another program, may have left it."""
    paths = write_slices(tmp_path / "images", 3)
    journal = tmp_path / "scan.jsonl"
    for beginning in (b"", json.dumps([__version__, *SCANNED]).encode() + b"\n"):
        journal.write_bytes(beginning + content)
        assert list(scan(paths, journal)) == list(scan(paths))
        assert len(journal.read_bytes().splitlines()) == 4


def test_only_the_owner_can_read_the_journal(tmp_path: Path) -> None:
    """It holds the names of patients."""
    list(scan(write_slices(tmp_path / "images", 2), tmp_path / "scan.jsonl"))
    assert (tmp_path / "scan.jsonl").stat().st_mode & 0o077 == 0


def test_a_journal_that_cannot_be_written_is_told_in_plain_words(tmp_path: Path) -> None:
    """A full or read-only disk is no reason for a traceback."""
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match=r"scan\.jsonl"):
        list(scan(write_slices(tmp_path / "images", 2), tmp_path / "file" / "scan.jsonl"))
