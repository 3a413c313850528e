"""60 identifiers in the names of folders and files, and in values that make a program complain."""

from collections.abc import Callable

from pydicom.dataelem import RawDataElement
from pydicom.tag import Tag

from .folder import Folder
from .mint import Token

GROUP = "names"
BROKEN_VALUES = (
    (0x00180050, "DS"),  # slice thickness
    (0x00280030, "DS"),  # pixel spacing
    (0x00200011, "IS"),  # series number
    (0x00080020, "DA"),  # study date
    (0x00101010, "AS"),  # age
    (0x0020000D, "UI"),  # exam
    (0x00080005, "CS"),  # character set
    (0x00281053, "DS"),  # rescale slope
    (0x00280008, "IS"),  # number of frames
    (0x00080030, "TM"),  # study time
)


def plant_names(folder: Folder) -> None:
    """Name 25 folders and the file in each of them after a patient; write ten files with values that cannot be read."""
    for kind in (*DAMAGED, "whole file") * 5:
        _write_named(folder, kind)
    for tag, vr in BROKEN_VALUES:
        _write_broken(folder, tag, vr)


DAMAGED: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "truncated file": (".dcm", lambda content: content[:700]),
    "empty file": (".dcm", lambda content: b""),
    "other file": (".docx", lambda content: b"PK\3\4 letter"),
    "sidecar": (".json", lambda content: b'{"SliceThickness": 2.5}'),
}
"""Files that are no images (any more): the ending of their name, and what is in them."""


def _write_named(folder: Folder, kind: str) -> None:
    draft = folder.draft(GROUP, folder.new_person())
    family, given = folder.mint.word().capitalize(), folder.mint.word().capitalize()
    ending, damage = DAMAGED.get(kind, (".dcm", None))
    draft.file = f"names/{family}/{given}{ending}"
    folder.plant(draft, f"name of the folder of a {kind}", Token(None, (family,)))
    folder.plant(draft, f"name of a {kind}", Token(None, (given,)))
    path = folder.write(draft)
    if damage:
        path.write_bytes(damage(path.read_bytes()))
        del folder.inputs[draft.number]


def _write_broken(folder: Folder, tag: int, vr: str) -> None:
    """Write a word where a number, a date or a code has to stand."""
    draft = folder.draft(GROUP, folder.new_person())
    word = folder.mint.word().encode()
    draft.dataset[tag] = RawDataElement(Tag(tag), vr, len(word), word, 0, False, True)
    folder.plant(draft, f"({tag >> 16:04X},{tag & 0xFFFF:04X}) {vr} that cannot be read", Token(None, (word.decode(),)))
    folder.write(draft)
