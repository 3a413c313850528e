"""Manufacturers' own elements that are known to be safe and are needed to use an image: part of PS3.15, Table E.3.10-1.

Only numbers and codes are listed, so that no text of a manufacturer ever passes.
"""

SAFE_PRIVATE: dict[tuple[int, str], dict[int, str]] = {
    # diffusion: b-value and direction
    (0x0019, "SIEMENS MR HEADER"): {
        0x0A: "US",
        0x0B: "DS",
        0x0C: "IS",
        0x0D: "CS",
        0x0E: "FD",
        0x27: "FD",
        0x28: "FD",
    },
    (0x0043, "GEMS_PARM_01"): {0x39: "IS", 0x6F: "DS"},
    (0x2001, "Philips Imaging DD 001"): {0x03: "FL", 0x04: "CS", 0x0A: "IS", 0x0B: "CS", 0x14: "SL", 0x18: "SL"},
    # true intensity from stored values
    (0x2005, "Philips MR Imaging DD 001"): {0x0D: "FL", 0x0E: "FL"},
    (0x7053, "Philips PET Private Group"): {0x00: "DS", 0x09: "DS"},
    # movement of table and tube in CT
    (0x0019, "GEMS_ACQU_01"): {0x23: "DS", 0x24: "DS", 0x27: "DS"},
    (0x0045, "GEMS_HELIOS_01"): {0x01: "SS", 0x02: "FL"},
    (0x01F1, "ELSCINT1"): {0x01: "CS", 0x07: "DS", 0x26: "DS", 0x27: "DS"},
    (0x00E1, "ELSCINT1"): {0x21: "DS", 0x50: "DS"},
}
"""Group and private creator → place in the creator's block → value representation."""
