"""Decode the stored values of an image, after checking that they can be what the header says."""

from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import FileDataset
from pydicom.encaps import get_frame
from pydicom.pixels import get_decoder
from pydicom.uid import UID, JPEG2000TransferSyntaxes, JPEGLSTransferSyntaxes, JPEGTransferSyntaxes, RLELossless

from lucency.data.dicom.decoding import CompressedImage, DecodingError, can_decode, decode
from lucency.data.dicom.header import PIXELS, integer_of, text_of
from lucency.data.reading import MOST_PIXELS, RefusedImage

GREY = ("MONOCHROME1", "MONOCHROME2")
COLOUR = ("RGB", "YBR_FULL", "YBR_FULL_422", "YBR_ICT", "YBR_RCT")

_NOT_FRAMES = (0xC4, 0xC8, 0xCC)
"""JPEG markers (tables) among those that begin a frame."""


@dataclass(frozen=True)
class Layout:
    """How the pixels are stored."""

    transfer_syntax: UID
    photometric: str
    n_rows: int
    n_columns: int
    n_samples: int
    bits_allocated: int
    bits_stored: int
    high_bit: int
    is_signed: bool
    is_real: bool
    """True for floating point pixels."""
    n_frames: int

    @property
    def is_plain(self) -> bool:
        """Tell whether the bytes of the file are the grey values themselves."""
        is_grey = self.n_samples == 1 and not self.is_real and self.bits_allocated in (8, 16, 32)
        return is_grey and self.transfer_syntax.is_little_endian and not self.transfer_syntax.is_encapsulated

    @property
    def lowest(self) -> int:
        """The smallest value that the stored bits can hold."""
        return -(1 << (self.bits_stored - 1)) if self.is_signed else 0

    @property
    def highest(self) -> int:
        """The largest value that the stored bits can hold."""
        return self.lowest + (1 << self.bits_stored) - 1


def layout_of(header: FileDataset) -> Layout:
    """Check the description of the pixels before any memory is taken for them."""
    is_real = "PixelData" not in header
    bits_allocated = integer_of(header, "BitsAllocated") or 0
    bits_stored = bits_allocated if is_real else integer_of(header, "BitsStored") or 0
    high_bit = integer_of(header, "HighBit")
    layout = Layout(
        transfer_syntax=UID(str(header.file_meta.TransferSyntaxUID).strip(" \0")),
        photometric=text_of(header, "PhotometricInterpretation").upper(),
        n_rows=integer_of(header, "Rows") or 0,
        n_columns=integer_of(header, "Columns") or 0,
        n_samples=integer_of(header, "SamplesPerPixel") or 0,
        bits_allocated=bits_allocated,
        bits_stored=bits_stored,
        high_bit=bits_stored - 1 if high_bit is None else high_bit,
        is_signed=not is_real and integer_of(header, "PixelRepresentation") == 1,
        is_real=is_real,
        n_frames=max(integer_of(header, "NumberOfFrames") or 1, 1),
    )
    if layout.n_rows * layout.n_columns > MOST_PIXELS:
        raise RefusedImage("E_SIZEBOMB")
    has_sizes = layout.n_rows > 0 and layout.n_columns > 0 and layout.n_samples in (1, 3)
    has_bits = 1 <= layout.bits_stored <= layout.bits_allocated
    has_sign = is_real or integer_of(header, "PixelRepresentation") in (0, 1, None)  # None: left to the values
    if not (has_sizes and has_bits and has_sign and layout.photometric):
        raise RefusedImage("E_BAD_HEADER")
    if layout.photometric not in (*GREY, *COLOUR, "PALETTE COLOR"):
        raise RefusedImage("E_CODEC")
    if (layout.photometric in COLOUR) != (layout.n_samples == 3):
        raise RefusedImage("E_BAD_HEADER")
    return layout


def decode_pixels(header: FileDataset, layout: Layout, frame: int = 0) -> NDArray[Any]:
    """Return the stored values of a frame, axes (row, column) or (row, column, colour as RGB)."""
    if can_decode(layout.transfer_syntax):
        return _decompress(header, layout, frame)
    try:
        decoder = get_decoder(layout.transfer_syntax)
    except NotImplementedError:
        raise RefusedImage("E_CODEC") from None
    if decoder.is_encapsulated:
        raise RefusedImage("E_CODEC")
    _refuse_short_pixels(header, layout)
    if layout.is_plain:
        return _plain_frame(header["PixelData"].value, layout, frame)
    options: dict[str, Any] = {"view_only": True, "allow_excess_frames": False}
    if layout.n_samples == 1:
        options["correct_unused_bits"] = False  # done with the levels, where it costs nothing
    return decoder.as_array(header, index=frame, **cast(Any, options))[0]


def _plain_frame(content: bytes, layout: Layout, frame: int) -> NDArray[Any]:
    """View the bytes of a frame as numbers; what pydicom would do as well, but without its many checks."""
    dtype = np.dtype(f"<{'i' if layout.is_signed else 'u'}{layout.bits_allocated // 8}")
    n_pixels = layout.n_rows * layout.n_columns
    values = np.frombuffer(content, dtype, n_pixels, offset=frame * n_pixels * dtype.itemsize)
    return values.reshape(layout.n_rows, layout.n_columns)


def _decompress(header: FileDataset, layout: Layout, frame: int) -> NDArray[Any]:
    stream = _stream(header, layout, frame)
    image = CompressedImage(
        transfer_syntax=str(layout.transfer_syntax),
        photometric=layout.photometric,
        n_rows=layout.n_rows,
        n_columns=layout.n_columns,
        n_samples=layout.n_samples,
        bits_allocated=layout.bits_allocated,
        bits_stored=layout.bits_stored,
        precision=_precision(stream, layout),
        is_signed=layout.is_signed,
    )
    try:
        return decode(image, stream)
    except DecodingError:
        raise RefusedImage("E_UNREADABLE") from None


def _refuse_short_pixels(header: FileDataset, layout: Layout) -> None:
    """Compare the bytes that are there with those that rows, columns and bits need."""
    element = next(header[keyword] for keyword in PIXELS if keyword in header)
    if element.is_undefined_length or _are_fragments(element.value or b""):
        raise RefusedImage("E_UNREADABLE")  # compressed, although the header says otherwise
    n_bits = layout.n_frames * layout.n_rows * layout.n_columns * layout.n_samples * layout.bits_allocated
    if layout.photometric == "YBR_FULL_422":
        n_bits = n_bits * 2 // 3
    if len(element.value or b"") < (n_bits + 7) // 8:
        raise RefusedImage("E_TRUNCATED")


def _are_fragments(content: bytes) -> bool:
    """Tell whether pixels begin as a compressed stream does: with two items, one behind the other (PS3.5, A.4)."""
    item = b"\xfe\xff\x00\xe0"
    second_at = 8 + int.from_bytes(content[4:8], "little")
    return content[:4] == item and content[second_at : second_at + 4] == item


def _stream(header: FileDataset, layout: Layout, frame: int) -> bytes:
    """Return the compressed image, complete to its end mark."""
    element = header["PixelData"]
    if not element.is_undefined_length:
        raise RefusedImage("E_UNREADABLE")  # not compressed, although the header says so
    stream = get_frame(element.value, frame, number_of_frames=layout.n_frames)
    syntax = layout.transfer_syntax
    if syntax == RLELossless:
        n_bytes = layout.n_rows * layout.n_columns * layout.n_samples * layout.bits_allocated // 8
        if len(stream) * 64 < n_bytes:  # PackBits repeats a byte 128 times at most, with two bytes
            raise RefusedImage("E_TRUNCATED")
    elif _is_jpeg(syntax) and b"\xff\xd9" not in stream[-16:]:
        raise RefusedImage("E_TRUNCATED")
    return stream


def _is_jpeg(syntax: UID) -> bool:
    return syntax in JPEGTransferSyntaxes or syntax in JPEGLSTransferSyntaxes or syntax in JPEG2000TransferSyntaxes


def _precision(stream: bytes, layout: Layout) -> int:
    """Return the bits per sample of a compressed stream, after checking that its size is that of the header.

    A decoder takes memory for what the stream claims, not for what the header claims.
    """
    if layout.transfer_syntax in JPEG2000TransferSyntaxes:
        size_at = stream.find(b"\xff\x51")
        if size_at < 0:
            raise RefusedImage("E_UNREADABLE")
        right, bottom, left, top = (int.from_bytes(stream[size_at + i : size_at + i + 4]) for i in (6, 10, 14, 18))
        n_rows, n_columns, precision = bottom - top, right - left, (stream[size_at + 40] & 0x7F) + 1
    elif _is_jpeg(layout.transfer_syntax):
        frame_at = _start_of_frame(stream)
        precision = stream[frame_at + 4]
        n_rows, n_columns = (int.from_bytes(stream[frame_at + i : frame_at + i + 2]) for i in (5, 7))
    else:
        return layout.bits_stored
    if (n_rows, n_columns) != (layout.n_rows, layout.n_columns):
        raise RefusedImage("E_BAD_HEADER")
    return precision


def _start_of_frame(stream: bytes) -> int:
    """Find the marker segment of a JPEG or JPEG-LS stream that tells its size (ITU-T T.81, annex B; T.87)."""
    at = 2
    while at + 9 < len(stream) and stream[at] == 0xFF:
        marker = stream[at + 1]
        if marker == 0xF7 or (0xC0 <= marker <= 0xCF and marker not in _NOT_FRAMES):
            return at
        at += 1 if marker == 0xFF else 2 + int.from_bytes(stream[at + 2 : at + 4])
    raise RefusedImage("E_UNREADABLE")
