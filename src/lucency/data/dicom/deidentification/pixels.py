"""The pixels of one file: exactly the bits that belong to the picture, and nothing around them."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.encaps import encapsulate, generate_frames
from pydicom.pixels import get_decoder
from pydicom.uid import UID, ExplicitVRLittleEndian, RLELossless

from lucency.data.dicom.decoding import CompressedImage, DecodingError, can_decode, decode
from lucency.data.dicom.deidentification.encoding import Element, swap_bytes, text_element
from lucency.data.dicom.deidentification.parsing import Parsed, has_undefined_length, value_of
from lucency.data.dicom.deidentification.streams import precision_of, without_comments
from lucency.data.dicom.deidentification.values import little_endian
from lucency.data.reading import MOST_BYTES, RefusedImage

PIXEL_DATA, FLOAT_PIXELS, DOUBLE_PIXELS = 0x7FE00010, 0x7FE00008, 0x7FE00009


@dataclass(frozen=True)
class Layout:
    """How the pixels are stored, by the header."""

    n_frames: int
    n_rows: int
    n_columns: int
    n_samples: int
    bits_allocated: int
    bits_stored: int
    high_bit: int
    is_signed: bool
    photometric: str
    is_planar: bool
    """True where each colour has a plane of its own."""

    @property
    def n_frame_bits(self) -> int:
        """Bits that one uncompressed frame takes."""
        n_bits = self.n_rows * self.n_columns * self.n_samples * self.bits_allocated
        return n_bits * 2 // 3 if self.photometric == "YBR_FULL_422" else n_bits


@dataclass(frozen=True)
class Pixels:
    """The elements that hold pixels, and those that describe them where they changed."""

    elements: tuple[Element, ...]
    transfer_syntax: str
    notes: tuple[str, ...] = ()


def clean_pixels(parsed: Parsed) -> Pixels:
    """Return the pixels of a file with the same values, without unused bits, comments and bytes behind the image.

    Raises:
        RefusedImage: the pixels are cut short, or compressed in a way that cannot be looked into.
    """
    header = parsed.header
    present = [tag for tag in (PIXEL_DATA, FLOAT_PIXELS, DOUBLE_PIXELS) if value_of(header, tag)]
    if not present:
        _refuse_unknown_syntax(parsed)
        return Pixels((), str(ExplicitVRLittleEndian))
    layout = layout_of(parsed)
    if present[0] != PIXEL_DATA:
        return Pixels((_real_pixels(parsed, layout, present[0]),), str(ExplicitVRLittleEndian))
    if is_compressed(parsed):
        return _clean_compressed(parsed, layout)
    stored, notes = _without_unused_bits(_native_bytes(parsed, layout), layout)
    vr = "OW" if layout.bits_allocated > 8 else "OB"
    return Pixels((Element(PIXEL_DATA, vr, stored),), str(ExplicitVRLittleEndian), notes)


def layout_of(parsed: Parsed) -> Layout:
    """Read how the pixels are stored.

    Raises:
        RefusedImage: the description is missing or contradicts itself.
    """
    bits_allocated = _number(parsed, 0x00280100)
    is_real = not value_of(parsed.header, PIXEL_DATA)
    bits_stored = bits_allocated if is_real else _number(parsed, 0x00280101) or bits_allocated
    high_bit = value_of(parsed.header, 0x00280102)
    frames = value_of(parsed.header, 0x00280008).decode("ascii", "replace").strip(" \0")
    if frames and not frames.isdigit():
        raise RefusedImage("E_BAD_HEADER")
    layout = Layout(
        n_frames=int(frames or 1) or 1,
        n_rows=_number(parsed, 0x00280010),
        n_columns=_number(parsed, 0x00280011),
        n_samples=_number(parsed, 0x00280002) or 1,
        bits_allocated=bits_allocated,
        bits_stored=bits_stored,
        high_bit=_number(parsed, 0x00280102) if high_bit and not is_real else bits_stored - 1,
        is_signed=_number(parsed, 0x00280103) == 1,
        photometric=value_of(parsed.header, 0x00280004).decode("ascii", "replace").strip(" \0"),
        is_planar=_number(parsed, 0x00280006) == 1,
    )
    has_sizes = layout.n_rows and layout.n_columns and layout.bits_allocated in (1, 8, 16, 32, 64)
    if not has_sizes or not 1 <= layout.bits_stored <= layout.high_bit + 1 <= layout.bits_allocated:
        raise RefusedImage("E_BAD_HEADER")
    if layout.n_frames * layout.n_frame_bits > 8 * MOST_BYTES:
        raise RefusedImage("E_SIZEBOMB")
    return layout


def is_compressed(parsed: Parsed) -> bool:
    """Tell whether the pixels are compressed.

    Raises:
        RefusedImage: in a way that cannot be looked into (video, for example).
    """
    _refuse_unknown_syntax(parsed)
    return can_decode(parsed.transfer_syntax)


def stored_values(parsed: Parsed) -> tuple[NDArray[Any], Layout]:
    """Decode all frames, axes (frame, row, column) or (frame, row, column, colour), and say how they are stored then.

    Raises:
        RefusedImage: the pixels cannot be decoded.
    """
    layout = layout_of(parsed)
    kind = np.dtype(f"{'i' if layout.is_signed else 'u'}{max(layout.bits_allocated // 8, 1)}")
    if is_compressed(parsed):
        frames = [_decoded(stream, parsed, layout) for stream in _frames(parsed, layout)]
        stored = np.stack(frames).astype(kind, copy=False)
        return stored, replace(layout, is_planar=False, photometric="RGB" if stored.ndim == 4 else layout.photometric)
    native = _native_bytes(parsed, layout)
    if layout.photometric == "YBR_FULL_422":
        return _from_subsampled(native, layout), replace(layout, is_planar=False, photometric="RGB")
    if layout.bits_allocated == 1:
        raise RefusedImage("E_CODEC")
    native, _ = _without_unused_bits(native, layout)
    values = np.frombuffer(native, kind.newbyteorder("<"))
    shape = (layout.n_frames, layout.n_rows, layout.n_columns)
    if layout.n_samples == 1:
        return values.reshape(shape), layout
    if layout.is_planar:
        planes = values.reshape(layout.n_frames, layout.n_samples, layout.n_rows, layout.n_columns)
        return np.ascontiguousarray(np.moveaxis(planes, 1, -1)), replace(layout, is_planar=False)
    return values.reshape(*shape, layout.n_samples), layout


def uncompressed(stored: NDArray[Any], layout: Layout) -> Pixels:
    """Return stored values, axes (frame, row, column[, colour]), as uncompressed pixels."""
    little = np.ascontiguousarray(stored).astype(stored.dtype.newbyteorder("<"), copy=False)
    described = [text_element(0x00280004, "CS", layout.photometric)]
    if layout.n_samples > 1:
        described.append(Element(0x00280006, "US", little_endian(0)))
    vr = "OW" if layout.bits_allocated > 8 else "OB"
    return Pixels((*described, Element(PIXEL_DATA, vr, little.tobytes())), str(ExplicitVRLittleEndian))


def clean_profile(profile: bytes) -> bytes:
    """Return a colour profile (ICC.1) whose texts are blank; its numbers stay."""
    if len(profile) < 132 or profile[36:40] != b"acsp":
        return b""
    n_tags = min(int.from_bytes(profile[128:132]), (len(profile) - 132) // 12)
    kept = bytearray(len(profile))
    kept[: 132 + 12 * n_tags] = profile[: 132 + 12 * n_tags]
    for i in range(n_tags):
        entry = profile[132 + 12 * i : 144 + 12 * i]
        start, size = int.from_bytes(entry[4:8]), int.from_bytes(entry[8:12])
        is_text = profile[start : start + 4] in (b"text", b"desc", b"mluc")
        end = min(start + (8 if is_text else size), len(profile))
        kept[start:end] = profile[start:end]
    return bytes(kept)


def _number(parsed: Parsed, tag: int) -> int:
    """Return an unsigned number of the header; 0 where it is absent."""
    value = value_of(parsed.header, tag)[:2]
    return int.from_bytes(value, "big" if parsed.is_big_endian else "little")


def _refuse_unknown_syntax(parsed: Parsed) -> None:
    syntax = UID(parsed.transfer_syntax)
    if can_decode(syntax):
        return
    if not syntax.is_transfer_syntax or syntax.is_encapsulated:
        raise RefusedImage("E_CODEC")


def _native_bytes(parsed: Parsed, layout: Layout) -> bytes:
    """Return exactly the bytes of the frames, in little endian."""
    element = parsed.header.get_item(PIXEL_DATA)
    value = value_of(parsed.header, PIXEL_DATA)
    if has_undefined_length(parsed.header, PIXEL_DATA):
        raise RefusedImage("E_UNREADABLE")  # compressed, although the header says otherwise
    if parsed.is_big_endian and layout.bits_allocated > 8:
        value = swap_bytes(value, {16: "US", 32: "UL", 64: "UV"}[layout.bits_allocated])
    elif parsed.is_big_endian and element.VR == "OW":
        value = swap_bytes(value + b"\0" * (len(value) % 2), "OW")
    n_bytes = (layout.n_frames * layout.n_frame_bits + 7) // 8
    if len(value) < n_bytes:
        raise RefusedImage("E_TRUNCATED")
    return value[:n_bytes]


def _without_unused_bits(native: bytes, layout: Layout) -> tuple[bytes, tuple[str, ...]]:
    """Clear what stands in bits that are not the picture's: old overlays were kept there."""
    low_bit = layout.high_bit + 1 - layout.bits_stored
    n_unused = layout.bits_allocated - layout.high_bit - 1
    if layout.bits_allocated == 1 or layout.bits_stored == layout.bits_allocated:
        return native, ()
    words = np.frombuffer(native, f"<u{layout.bits_allocated // 8}")
    used = np.array(((1 << layout.bits_stored) - 1) << low_bit, words.dtype)
    cleared = words & used
    if layout.is_signed and n_unused:
        sign = np.array(1 << layout.high_bit, words.dtype)
        above = np.array(((1 << n_unused) - 1) << (layout.high_bit + 1), words.dtype)
        extended = np.where(cleared & sign, cleared | above, cleared)
        if np.array_equal(words, extended):
            return native, ()
        if not np.array_equal(words, cleared):
            return extended.tobytes(), ("N_HIGH_BITS",)
    if np.array_equal(words, cleared):
        return native, ()
    return cleared.tobytes(), ("N_HIGH_BITS",)


def _real_pixels(parsed: Parsed, layout: Layout, tag: int) -> Element:
    """Return pixels that are floating point numbers."""
    vr = "OF" if tag == FLOAT_PIXELS else "OD"
    value = value_of(parsed.header, tag)
    n_bytes = layout.n_frames * layout.n_frame_bits // 8
    if len(value) < n_bytes:
        raise RefusedImage("E_TRUNCATED")
    return Element(tag, vr, swap_bytes(value[:n_bytes], vr) if parsed.is_big_endian else value[:n_bytes])


def _clean_compressed(parsed: Parsed, layout: Layout) -> Pixels:
    syntax = parsed.transfer_syntax
    streams = [without_comments(stream, syntax) for stream in _frames(parsed, layout)]
    precision = precision_of(streams[0], syntax) or layout.bits_stored
    has_room = precision > layout.bits_stored or syntax == RLELossless
    if has_room and layout.bits_stored < layout.bits_allocated and layout.n_samples == 1:
        decoded = np.stack([_decoded(stream, parsed, layout) for stream in streams])
        native = decoded.astype(f"<u{layout.bits_allocated // 8}").tobytes()
        cleared, notes = _without_unused_bits(native, layout)
        if notes:
            values = np.frombuffer(cleared, f"<u{layout.bits_allocated // 8}").reshape(decoded.shape)
            return replace(uncompressed(values, layout), notes=notes)
    content = encapsulate(streams, has_bot=True)
    return Pixels((Element(PIXEL_DATA, "OB", content, is_encapsulated=True),), syntax)


def _frames(parsed: Parsed, layout: Layout) -> list[bytes]:
    """Return the compressed stream of each frame."""
    if not has_undefined_length(parsed.header, PIXEL_DATA):
        raise RefusedImage("E_UNREADABLE")  # not compressed, although the header says so
    try:
        streams = list(generate_frames(value_of(parsed.header, PIXEL_DATA), number_of_frames=layout.n_frames))
    except Exception:  # pydicom raises anything on a damaged encapsulation
        raise RefusedImage("E_UNREADABLE") from None
    if len(streams) < layout.n_frames:
        raise RefusedImage("E_TRUNCATED")
    return streams[: layout.n_frames]


def _decoded(stream: bytes, parsed: Parsed, layout: Layout) -> NDArray[Any]:
    """Return the stored values of one compressed frame."""
    image = CompressedImage(
        transfer_syntax=parsed.transfer_syntax,
        photometric=layout.photometric,
        n_rows=layout.n_rows,
        n_columns=layout.n_columns,
        n_samples=layout.n_samples,
        bits_allocated=layout.bits_allocated,
        bits_stored=layout.bits_stored,
        precision=precision_of(stream, parsed.transfer_syntax) or layout.bits_stored,
        is_signed=layout.is_signed,
    )
    try:
        return decode(image, stream)
    except DecodingError:
        raise RefusedImage("E_UNREADABLE") from None


def _from_subsampled(native: bytes, layout: Layout) -> NDArray[Any]:
    """Return RGB from YBR_FULL_422, which shares colours between neighbours."""
    decoder = get_decoder(ExplicitVRLittleEndian)
    header: Any = {
        "rows": layout.n_rows,
        "columns": layout.n_columns,
        "samples_per_pixel": 3,
        "photometric_interpretation": layout.photometric,
        "bits_allocated": layout.bits_allocated,
        "bits_stored": layout.bits_stored,
        "pixel_representation": 0,
        "planar_configuration": 0,
        "number_of_frames": layout.n_frames,
        "pixel_keyword": "PixelData",
    }
    decoded = decoder.as_array(native, **header)[0]
    return decoded if layout.n_frames > 1 else decoded[None]
