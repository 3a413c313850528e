"""Everything that a cleaner left behind, in every form in which somebody could read it."""

import io
import re
import warnings
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pydicom
from pydicom.dataset import Dataset
from pydicom.uid import DeflatedExplicitVRLittleEndian

from .folder import Folder, InputFile

ZLIB_STREAM = re.compile(rb"\x78[\x01\x5e\x9c\xda]|\x1f\x8b\x08")
MAX_INFLATED = 1 << 24


@dataclass(frozen=True)
class Output:
    """One written file, or what was printed."""

    name: str
    """Relative to the output folder."""
    content: bytes
    dataset: Dataset | None = None
    origin: InputFile | None = None
    """The input file that it was made from, by the number of the image."""

    @cached_property
    def views(self) -> list[tuple[str, bytes]]:
        """The name, the bytes, every compressed stream among them inflated, and every parsed value of a DICOM file."""
        views = [("its name", self.name.encode()), ("bytes", self.content)]
        views += [("inflated stream", stream) for stream in _inflate(self.content)]
        if self.dataset is not None:
            views.append(("values", "\n".join(texts(self.dataset)).encode(errors="replace")))
        return views


def read_outputs(folder: Folder, out: Path, printed: bytes = b"") -> list[Output]:
    """Read all files below the output folder, hidden ones too, and what was printed."""
    outputs = [Output("(printed)", printed)]
    for path in sorted(path for path in out.rglob("*") if path.is_file()):
        content = path.read_bytes()
        dataset = parse(content)
        number = dataset.get("InstanceNumber") if dataset is not None else None
        outputs.append(Output(str(path.relative_to(out)), content, dataset, folder.inputs.get(number)))
    return outputs


@dataclass(frozen=True)
class Pair:
    """A DICOM file of the input and what became of it."""

    origin: InputFile
    before: Dataset
    after: Dataset
    output: Output

    @property
    def has_own_number(self) -> bool:
        """Say whether the input file bore the patient's own number rather than a planted one."""
        return bool(self.before.get("PatientID") == self.origin.person.number)


def pair_up(folder: Folder, outputs: list[Output]) -> dict[str, Pair]:
    """Put each written DICOM file beside the input file that it was made from; by the name of the latter."""
    pairs = {}
    for output in outputs:
        if output.origin is not None and output.dataset is not None:
            before = read_original(folder, output.origin)
            pairs[output.origin.file] = Pair(output.origin, before, output.dataset, output)
    return pairs


def read_original(folder: Folder, origin: InputFile) -> Dataset:
    """Read a DICOM file of the input."""
    dataset = parse((folder.path / origin.file).read_bytes())
    assert dataset is not None
    return dataset


def parse(content: bytes) -> Dataset | None:
    """Return the dataset of a DICOM file, and None for anything else."""
    if content[128:132] != b"DICM":
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pydicom.dcmread(io.BytesIO(content), force=True)


def texts(dataset: Dataset) -> Iterator[str]:
    """Yield every value at any depth as text, the file meta first."""
    if hasattr(dataset, "file_meta"):
        yield from texts(dataset.file_meta)
    for tag in dataset.keys():  # noqa: SIM118 (iterating a dataset would parse it)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                element = dataset[tag]
        except Exception:  # a value that cannot be parsed is still among the bytes
            continue
        if element.VR == "SQ":
            for item in element.value:
                yield from texts(item)
        elif tag != 0x7FE00010:
            yield str(element.value)
            if isinstance(element.value, bytes):
                yield element.value.decode("latin-1")


def _inflate(content: bytes) -> Iterator[bytes]:
    if content[128:132] == b"DICM" and DeflatedExplicitVRLittleEndian.encode() + b"\0" in content[:1000]:
        begin = 144 + int.from_bytes(content[140:144], "little")
        yield zlib.decompressobj(-zlib.MAX_WBITS).decompress(content[begin:], MAX_INFLATED)
    if content[:4] == b"PK\3\4":
        try:
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                yield from (archive.read(name) for name in archive.namelist())
        except (zipfile.BadZipFile, RuntimeError):
            pass
    for found in ZLIB_STREAM.finditer(content):
        try:
            stream = zlib.decompressobj(zlib.MAX_WBITS | 32).decompress(content[found.start() :], MAX_INFLATED)
        except zlib.error:
            continue
        if stream:
            yield stream
