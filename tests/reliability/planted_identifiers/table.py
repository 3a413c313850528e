"""620 rows of PS3.15's Table E.1-1, current edition, each in a file on its own level."""

import inspect
import re
from dataclasses import dataclass

from dicomanonymizer.dicom_anonymization_databases import dicomfields_2026c
from pydicom.datadict import dictionary_VR
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from .folder import Folder, share

EDITION = "2026c"
GROUP = "table"
N_ROWS, N_FILES = 620, 31
SYNTAXES = (
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    ExplicitVRBigEndian,
    DeflatedExplicitVRLittleEndian,
)

OTHER_CLASSES = {
    0x00020003,  # file meta
    0x00041511,  # DICOMDIR
    0x00420011,  # encapsulated document
    0x00700001,  # graphic annotation
    0x00880200,  # icon
    0x0040A730,  # content of a structured report
    0x0040B020,  # waveform annotation
    0x04000550,  # original attributes
    0xFFFAFFFA,  # digital signature
    0xFFFCFFFC,  # padding
}
NOT_IDENTIFYING = {
    0x00001000,  # of messages, never in a file
    0x00001001,
    0x00100040,  # sex, size, weight and the like are characteristics that a study may keep
    0x00102203,
    0x00101020,
    0x00101030,
    0x001021C0,
    0x001021A0,
}
GPS, CODES = 0x0016, ("CS", "US", "IS")
"""The letter and the number codes beside a coordinate, N for north and the like, tell nothing by themselves."""


@dataclass(frozen=True)
class Row:
    """One attribute of the table."""

    tag: int
    vr: str
    name: str


def read_table() -> list[Row]:
    """Return the rows that the suite plants, in the order of their tags."""
    rows = []
    pattern = r"^ {4}\(0x(\w{4}), 0x(\w{4})\),  # (.*)$"
    for group, element, name in re.findall(pattern, inspect.getsource(dicomfields_2026c), re.MULTILINE):
        tag = int(group + element, 16)
        vr = _representation(tag, name)
        is_code_beside_coordinate = tag >> 16 == GPS and vr in CODES
        if tag not in OTHER_CLASSES | NOT_IDENTIFYING and not is_code_beside_coordinate:
            rows.append(Row(tag, vr, name))
    return sorted({row.tag: row for row in rows}.values(), key=lambda row: row.tag)


def plant_table(folder: Folder) -> None:
    """Plant one token for each row, twenty rows a file."""
    rows = read_table()
    assert len(rows) == N_ROWS, f"edition {EDITION} has {len(rows)} rows to plant"
    for i, part in enumerate(share(rows, N_FILES)):
        draft = folder.draft(GROUP, folder.new_person())
        for row in part:
            folder.put(draft, row.tag, row.vr, row.name)
        folder.write(draft, SYNTAXES[i % len(SYNTAXES)])


def _representation(tag: int, name: str) -> str:
    """Return the value representation, by the name where the installed dictionary is older than the table."""
    try:
        return dictionary_VR(tag)
    except KeyError:
        endings = {"Sequence": "SQ", "DateTime": "DT", "URI": "UR", "Reference": "UR", "Comment": "UT"}
        return next((vr for ending, vr in endings.items() if name.endswith(ending)), "LO")
