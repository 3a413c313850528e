"""How the header is encoded: transfer syntax, value representation, numbers and texts."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from .case import Expected, case
from .phantom import AXIAL, Person, Truth, ct_series, dataset_bytes, file_bytes, hounsfield, save

GROUP = "encoding and VR"
HU = hounsfield(1)
TRUTH = Truth(HU, AXIAL.affine)
PIXELS = b"\xe0\x7f\x10\x00OW"
"""How the pixel element begins in explicit little endian."""


def _all_right(
    folder: Path, person: Person, encode: Callable[[Dataset], bytes], notes: frozenset[str] = frozenset()
) -> list[Expected]:
    names = save(folder, ct_series(person, HU), encode=encode)
    return [Expected(tuple(names), TRUTH, notes)]


def _before_pixels(header: Dataset, element: bytes) -> bytes:
    content = file_bytes(header)
    at = content.rindex(PIXELS)
    return content[:at] + element + content[at:]


def _replaced(header: Dataset, *changes: tuple[bytes, bytes]) -> bytes:
    content = file_bytes(header)
    for old, new in changes:
        assert len(old) == len(new), "the length of the element would be wrong"
        assert old in content, "nothing to replace"
        content = content.replace(old, new)
    return content


def _as_big_endian(header: Dataset) -> Dataset:
    header.PixelData = np.frombuffer(header.PixelData, "<i2").astype(">i2").tobytes()
    return header


def implicit(folder: Path, person: Person) -> list[Expected]:
    """Implicit VR little endian: legal, and the default of DICOM."""
    return _all_right(folder, person, lambda header: file_bytes(header, ImplicitVRLittleEndian))


def big_endian(folder: Path, person: Person) -> list[Expected]:
    """Explicit VR big endian: retired, but in the archives."""
    return _all_right(folder, person, lambda header: file_bytes(_as_big_endian(header), ExplicitVRBigEndian))


def deflated(folder: Path, person: Person) -> list[Expected]:
    """The dataset is deflated."""
    return _all_right(folder, person, lambda header: file_bytes(header, DeflatedExplicitVRLittleEndian))


def implicit_labelled_explicit(folder: Path, person: Person) -> list[Expected]:
    """The dataset is implicit VR, but the file meta group says explicit."""
    return _all_right(
        folder, person, lambda header: file_bytes(header, ImplicitVRLittleEndian, claimed=ExplicitVRLittleEndian)
    )


def explicit_labelled_implicit(folder: Path, person: Person) -> list[Expected]:
    """The dataset is explicit VR, but the file meta group says implicit."""
    return _all_right(
        folder, person, lambda header: file_bytes(header, ExplicitVRLittleEndian, claimed=ImplicitVRLittleEndian)
    )


def big_endian_without_meta(folder: Path, person: Person) -> list[Expected]:
    """A bare dataset in big endian, without preamble and file meta group."""
    return _all_right(
        folder,
        person,
        lambda header: dataset_bytes(_as_big_endian(header), ExplicitVRBigEndian),
        frozenset({"N_NO_PREAMBLE"}),
    )


def known_elements_as_unknown(folder: Path, person: Person) -> list[Expected]:
    """Position, orientation and spacing passed through a system that did not know them: their VR is UN."""

    def encode(header):
        content = file_bytes(header)
        for tag in (b"\x20\x00\x32\x00", b"\x20\x00\x37\x00", b"\x28\x00\x30\x00"):
            at = content.index(tag + b"DS")
            length = content[at + 6 : at + 8]
            content = content[:at] + tag + b"UN\0\0" + length + b"\0\0" + content[at + 8 :]
        return content

    return _all_right(folder, person, encode)


def words_for_a_number(folder: Path, person: Person) -> list[Expected]:
    """Slice thickness, a number, is a text with its unit."""

    def encode(header):
        header.SliceThickness = "7777"
        return _replaced(header, (b"DS\x04\x007777", b"DS\x04\x002 mm"))

    return _all_right(folder, person, encode)


def comma_in_spacing(folder: Path, person: Person) -> list[Expected]:
    """Pixel spacing is written with decimal commas."""
    return _all_right(
        folder,
        person,
        lambda header: _replaced(header, (b"0.7\\0.9", b"0,7\\0,9")),
        frozenset({"N_COMMA_DECIMAL"}),
    )


def comma_in_position_and_rescale(folder: Path, person: Person) -> list[Expected]:
    """Position and rescale intercept are written with decimal commas."""

    def encode(header):
        header.RescaleIntercept = "-1024.0"
        return _replaced(header, (b"-31.5\\12.25\\", b"-31,5\\12,25\\"), (b"-1024.0", b"-1024,0"))

    return _all_right(folder, person, encode, frozenset({"N_COMMA_DECIMAL"}))


def odd_length(folder: Path, person: Person) -> list[Expected]:
    """An element before the pixels has an odd length, without the filling byte of the standard."""
    odd = b"\x29\x00\x10\x00LO" + (5).to_bytes(2, "little") + b"MAKER"
    return _all_right(folder, person, lambda header: _before_pixels(header, odd))


def long_and_exponent_numbers(folder: Path, person: Person) -> list[Expected]:
    """Numbers have exponents, plus signs, spaces and null bytes around them, and more than 16 characters."""

    def encode(header):
        header.RescaleSlope, header.RescaleIntercept = "1.00000000000000000000", " -1.024E+03 "
        content = file_bytes(header)
        return content.replace(b"0.7\\0.9 ", b"+.7\\.9\0\0")

    return _all_right(folder, person, encode)


def private_sequence(folder: Path, person: Person) -> list[Expected]:
    """A private sequence of undefined length, with items of undefined length, holds another pixel spacing."""
    spacing = b"\x28\x00\x30\x00DS\x08\x005.0\\5.0 "
    end_of_item, end = b"\xfe\xff\x0d\xe0\0\0\0\0", b"\xfe\xff\xdd\xe0\0\0\0\0"
    item = b"\xfe\xff\x00\xe0\xff\xff\xff\xff" + spacing + end_of_item
    creator = b"\x29\x00\x10\x00LO\x06\x00VENDOR"
    sequence = b"\x29\x00\x10\x10SQ\0\0\xff\xff\xff\xff" + item + item + end
    return _all_right(folder, person, lambda header: _before_pixels(header, creator + sequence))


def unknown_of_undefined_length(folder: Path, person: Person) -> list[Expected]:
    """A private sequence is of VR UN with undefined length, and therefore implicit inside (PS3.5, 6.2.2)."""
    spacing = b"\x28\x00\x30\x00" + (8).to_bytes(4, "little") + b"5.0\\5.0 "
    end_of_item, end = b"\xfe\xff\x0d\xe0\0\0\0\0", b"\xfe\xff\xdd\xe0\0\0\0\0"
    item = b"\xfe\xff\x00\xe0\xff\xff\xff\xff" + spacing + end_of_item
    creator = b"\x29\x00\x10\x00LO\x06\x00VENDOR"
    sequence = b"\x29\x00\x10\x10UN\0\0\xff\xff\xff\xff" + item + end
    return _all_right(folder, person, lambda header: _before_pixels(header, creator + sequence))


def unknown_character_set(folder: Path, person: Person) -> list[Expected]:
    """The character set does not exist, and the patient's name holds bytes of another one."""

    def encode(header):
        content = file_bytes(header)
        name = person.name.encode()
        charset = b"\x08\x00\x05\x00CS\x0a\x00ISO_IR 999"
        at = content.index(b"\x08\x00\x08\x00CS")
        content = content[:at] + charset + content[at:]
        return content.replace(name, b"\xc4\xd6" + name[2:])

    return _all_right(folder, person, encode)


def words_for_the_instance_number(folder: Path, person: Person) -> list[Expected]:
    """Instance number, a whole number, is a text."""

    def encode(header):
        header.InstanceNumber = "7777"
        return _replaced(header, (b"IS\x04\x007777", b"IS\x04\x001/8A"))

    return _all_right(folder, person, encode)


def group_lengths(folder: Path, person: Person) -> list[Expected]:
    """Every group begins with its length, as long ago, and the lengths are wrong."""

    def encode(header):
        content = file_bytes(header)
        firsts = (b"\x08\x00\x08\x00CS", b"\x10\x00\x10\x00PN", b"\x20\x00\x0d\x00UI", b"\x28\x00\x02\x00US")
        for first in firsts:
            at, group = content.index(first), first[:2]
            content = content[:at] + group + b"\0\0UL\x04\0\x07\0\0\0" + content[at:]
        return content

    return _all_right(folder, person, encode)


def bytes_for_words(folder: Path, person: Person) -> list[Expected]:
    """Pixels of 16 bits are of VR OB, which is for bytes."""

    def encode(header):
        header["PixelData"].VR = "OB"
        return file_bytes(header)

    return _all_right(folder, person, encode)


CASES = [
    case(GROUP, write)
    for write in (
        implicit,
        big_endian,
        deflated,
        implicit_labelled_explicit,
        explicit_labelled_implicit,
        big_endian_without_meta,
        known_elements_as_unknown,
        words_for_a_number,
        comma_in_spacing,
        comma_in_position_and_rescale,
        odd_length,
        long_and_exponent_numbers,
        private_sequence,
        unknown_of_undefined_length,
        unknown_character_set,
        words_for_the_instance_number,
        group_lengths,
        bytes_for_words,
    )
]
