"""300 identifiers inside sequences, one to five levels deep."""

import io
from collections.abc import Iterator

from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset
from pydicom.tag import Tag
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

from .folder import Draft, Folder
from .table import Row, read_table

GROUP = "nested"
DEPTHS = range(1, 6)
KEPT_SEQUENCES = (
    0x00082218,  # anatomic region
    0x00189346,  # CTDI phantom
    0x52009229,  # shared functional groups
    0x52009230,  # functional groups of each frame
    0x00289145,  # pixel value transformation
    0x00283010,  # VOI LUT
    0x00189325,  # CT X-ray details
    0x00540016,  # radiopharmaceutical
    0x00409096,  # real-world value mapping
    0x00081115,  # referenced series
    0x00209116,  # plane position
)
UNKNOWN_SEQUENCES = tuple(range(0x001877E0, 0x001877F0))
PRIVATE_SEQUENCES = tuple(range(0x00291010, 0x00291020))
PLANTED_VRS = ("PN", "LO", "UI", "DA", "SH", "ST", "DT", "TM", "UT", "LT", "AE", "UC")


def plant_nested(folder: Folder) -> None:
    """Plant 100 tokens in sequences that stay, 50 in unknown ones, 50 in unparsed, 70 in private ones, 30 in DICOMDIRs."""
    rows = _rows()
    for _ in range(10):
        _write_chains(folder, rows, 2, KEPT_SEQUENCES, "sequence that stays")
    for _ in range(5):
        _write_chains(folder, rows, 2, UNKNOWN_SEQUENCES, "unknown sequence")
    for is_length_known in (True, False) * 5:
        _write_unparsed(folder, rows, is_length_known)
    for _ in range(7):
        _write_chains(folder, rows, 2, PRIVATE_SEQUENCES, "private sequence, implicit VR")
    for _ in range(3):
        _write_directory(folder)


def _rows() -> Iterator[Row]:
    """Go round the rows of the table that a token can be written to, a prime number of rows at a time."""
    rows = [row for row in read_table() if row.vr in PLANTED_VRS]
    i = 0
    while True:
        yield rows[i % len(rows)]
        i += 7


def _write_chains(folder: Folder, rows: Iterator[Row], n_chains: int, sequences: tuple[int, ...], kind: str) -> None:
    draft = folder.draft(GROUP, folder.new_person())
    is_private = sequences is PRIVATE_SEQUENCES
    if is_private:
        draft.dataset.add_new(0x00290010, "LO", "INVENTED HEADER 3")
    for i in range(n_chains):
        item = _chain(folder, draft, rows, sequences[i:], kind)
        draft.dataset.add_new(sequences[i], "SQ", [item])
        if is_private:
            draft.dataset[sequences[i]].is_undefined_length = True
    folder.write(draft, ImplicitVRLittleEndian if is_private else ExplicitVRLittleEndian)


def _chain(folder: Folder, draft: Draft, rows: Iterator[Row], sequences: tuple[int, ...], kind: str) -> Dataset:
    """Return an item that holds a token and an item that holds a token, and so on, five deep."""
    outermost = item = Dataset()
    for depth in DEPTHS:
        row = next(rows)
        token = folder.mint.token(row.vr)
        item.add_new(row.tag, row.vr, token.value)
        folder.plant(draft, f"({row.tag >> 16:04X},{row.tag & 0xFFFF:04X}) {row.vr} depth {depth}, {kind}", token)
        if depth < len(DEPTHS):
            deeper = Dataset()
            item.add_new(sequences[depth], "SQ", [deeper])
            item = deeper
    return outermost


def _write_unparsed(folder: Folder, rows: Iterator[Row], is_length_known: bool) -> None:
    """Write a sequence as value representation UN, as old archives do with attributes that they do not know."""
    draft = folder.draft(GROUP, folder.new_person())
    sequences = UNKNOWN_SEQUENCES if is_length_known else KEPT_SEQUENCES
    kind = f"sequence as UN of {'known' if is_length_known else 'unknown'} length"
    item = _chain(folder, draft, rows, sequences, kind)
    outside = Dataset()
    outside.add_new(sequences[0], "SQ", [item])
    buffer = DicomBytesIO()
    buffer.is_little_endian, buffer.is_implicit_VR = True, True
    write_dataset(buffer, outside)
    items = buffer.getvalue()[8:]  # without the tag and the length of the sequence itself
    length = len(items) if is_length_known else 0xFFFFFFFF
    draft.dataset[sequences[0]] = RawDataElement(Tag(sequences[0]), "UN", length, items, 0, False, True)
    folder.write(draft)


def _write_directory(folder: Folder) -> None:
    """Write a DICOMDIR with ten tokens in its records."""
    number = folder.mint.digits(4)
    file = f"nested/disc{number}/DICOMDIR"
    records = {
        "PATIENT": ((0x00100010, "PN"), (0x00100020, "LO")),
        "STUDY": ((0x00080020, "DA"), (0x00080050, "SH"), (0x00081030, "LO"), (0x0020000D, "UI")),
        "SERIES": ((0x0020000E, "UI"), (0x00080080, "LO"), (0x00081050, "PN")),
        "IMAGE": ((0x00041511, "UI"),),
    }
    items = []
    for kind, attributes in records.items():
        record = Dataset()
        record.OffsetOfTheNextDirectoryRecord, record.RecordInUseFlag = 0, 0xFFFF
        record.OffsetOfReferencedLowerLevelDirectoryEntity, record.DirectoryRecordType = 0, kind
        for tag, vr in attributes:
            token = folder.mint.token(vr)
            record.add_new(tag, vr, token.value)
            place = f"({tag >> 16:04X},{tag & 0xFFFF:04X}) {vr} depth 1, DICOMDIR {kind}"
            folder.plant(file, place, token, group=GROUP)
        items.append(record)
    directory = Dataset()
    directory.FileSetID = "DISC"
    directory.OffsetOfTheFirstDirectoryRecordOfTheRootDirectoryEntity = 0
    directory.OffsetOfTheLastDirectoryRecordOfTheRootDirectoryEntity = 0
    directory.FileSetConsistencyFlag = 0
    directory.DirectoryRecordSequence = items
    directory.file_meta = FileMetaDataset()
    directory.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.1.3.10"
    directory.file_meta.MediaStorageSOPInstanceUID = folder.mint.uid()
    directory.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    buffer = io.BytesIO()
    directory.save_as(buffer, enforce_file_format=True)
    folder.place(file).write_bytes(buffer.getvalue())
