"""200 identifiers in private attributes: no list of bad ones can ever be complete, so only known good ones may stay."""

from .folder import Draft, Folder

GROUP = "private"
KNOWN_BLOCKS = (
    "GEMS_IDEN_01",
    "GEMS_PATI_01",
    "SIEMENS MEDCOM HEADER",
    "SIEMENS CSA HEADER",
    "Philips Imaging DD 001",
    "SPI-P Release 1",
    "TOSHIBA_MEC_CT3",
    "AGFA",
    "MITRA MARKUP 1.0",
    "ACUSON",
)
"""Creators that real devices write, in whose blocks the suite puts its tokens."""
BLOCKS_WITH_SAFE_ELEMENTS = (
    ("Philips PET Private Group", 0x7053, 0x00),
    ("Philips MR Imaging DD 001", 0x2005, 0x0D),
    ("SIEMENS MR HEADER", 0x0019, 0x0C),
    ("GEMS_PARM_01", 0x0043, 0x27),
    ("ELSCINT1", 0x01F1, 0x26),
)
"""Creators of Table E.3.10-1 with the group and the number of one safe element; the tokens stand beside it."""
VRS = ("LO", "PN", "DA", "SH", "LT", "UI", "DT", "ST", "UT", "CS")


def plant_private(folder: Folder) -> None:
    """Plant twenty kinds of ten tokens, a file each."""
    for creator in KNOWN_BLOCKS[:6]:
        _fill_block(folder, 0x0009, creator, VRS, "known creator")
    for _ in range(5):
        _fill_block(folder, 0x0029, f"INVENTED {folder.mint.random.randrange(100)}", VRS, "unknown creator")
    for creator, group, element in BLOCKS_WITH_SAFE_ELEMENTS[:3]:
        _fill_block(folder, group, creator, VRS, "beside a safe element", safe_element=element)
    for _ in range(3):
        _fill_without_creator(folder)
    for creator in KNOWN_BLOCKS[6:8]:
        _fill_block(folder, 0x0029, creator, ("UN", "OB") * 5, "binary")
    _name_creators(folder)


def _fill_block(
    folder: Folder, group: int, creator: str, vrs: tuple[str, ...], kind: str, safe_element: int = 0
) -> None:
    draft = folder.draft(GROUP, folder.new_person())
    draft.dataset.add_new(group << 16 | 0x0010, "LO", creator)
    if safe_element:
        draft.dataset.add_new(group << 16 | 0x1000 | safe_element, "DS", "1.5")
    for i, vr in enumerate(vrs):
        _plant(folder, draft, group << 16 | 0x1040 + i, vr, kind)
    folder.write(draft)


def _fill_without_creator(folder: Folder) -> None:
    """Plant in a block that nobody reserved: five elements with the reservation missing, five with another block's."""
    draft = folder.draft(GROUP, folder.new_person())
    draft.dataset.add_new(0x00190010, "LO", "SIEMENS MR HEADER")
    for i, vr in enumerate(VRS[:5]):
        _plant(folder, draft, 0x00191140 + i, vr, "block of nobody")
        _plant(folder, draft, 0x00311040 + i, vr, "group without creator")
    folder.write(draft)


def _name_creators(folder: Folder) -> None:
    """Write the token as the name of the creator."""
    draft = folder.draft(GROUP, folder.new_person())
    for i in range(10):
        _plant(folder, draft, 0x00330010 + i, "LO", "as the creator's name")
        draft.dataset.add_new(0x00331001 + 0x100 * i, "DS", "1")
    folder.write(draft)


def _plant(folder: Folder, draft: Draft, tag: int, vr: str, kind: str) -> None:
    token = folder.mint.token(vr)
    draft.dataset.add_new(tag, vr, token.value)
    folder.plant(draft, f"({tag >> 16:04X},{tag & 0xFFFF:04X}) {vr} {kind}", token)
