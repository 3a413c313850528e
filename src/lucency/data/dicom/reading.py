"""Read one DICOM image: parse, check, decode, shade, and take from the header what a study needs.

Everything between the stored numbers and the screen follows the grey pipeline of PS3.4 N.2: stored bits → modality LUT or
rescale → VOI LUT or window → inversion of MONOCHROME1.
"""

import io
import logging
import math
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.datadict import tag_for_keyword
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset, FileDataset
from pydicom.encaps import get_frame
from pydicom.pixels import apply_color_lut, get_decoder
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000TransferSyntaxes,
    JPEGLSTransferSyntaxes,
    JPEGTransferSyntaxes,
    RLELossless,
)

from lucency.data.dicom.decoding import CompressedImage, DecodingError, can_decode, decode
from lucency.data.grey_levels import (
    WHITE,
    GreyLevels,
    Shading,
    Window,
    as_uint16,
    between,
    is_colourless,
    luma,
    own_range,
    window_linear,
    window_linear_exact,
    window_sigmoid,
)
from lucency.data.reading import MOST_BYTES, MOST_PIXELS, ImageFile, RefusedImage, ignore_warnings_of

_WINDOWS: dict[str, Callable[[NDArray[np.float64], float, float], NDArray[np.float64]]] = {
    "LINEAR": window_linear,
    "LINEAR_EXACT": window_linear_exact,
    "SIGMOID": window_sigmoid,
}

_NOT_PICTURES = {"SEG", "RTDOSE"}
"""Modalities whose pixels are drawn upon a picture and are none themselves."""

_GREY = ("MONOCHROME1", "MONOCHROME2")
_COLOUR = ("RGB", "YBR_FULL", "YBR_FULL_422", "YBR_ICT", "YBR_RCT")

_NOT_FRAMES = (0xC4, 0xC8, 0xCC)
"""JPEG markers (tables) among those that begin a frame."""

_PIXELS = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")

_ELEMENTS = [
    *("SpecificCharacterSet", "SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID", "Modality"),
    *("StudyDate", "InstitutionName", "StationName", "PatientID", "IssuerOfPatientID", "PatientBirthDate"),
    *("PatientSex", "PatientAge", "ViewPosition", "Laterality", "ImageLaterality", "PixelSpacing"),
    *("ImagerPixelSpacing", "PixelAspectRatio", "SequenceOfUltrasoundRegions", "NumberOfFrames", "SamplesPerPixel"),
    *("PhotometricInterpretation", "PlanarConfiguration", "Rows", "Columns", "BitsAllocated", "BitsStored", "HighBit"),
    *("PixelRepresentation", "PixelPaddingValue", "PixelPaddingRangeLimit", "RescaleIntercept", "RescaleSlope"),
    *("ModalityLUTSequence", "VOILUTSequence", "VOILUTFunction", "WindowCenter", "WindowWidth", "PixelPresentation"),
    *(f"{colour}PaletteColorLookupTableDescriptor" for colour in ("Red", "Green", "Blue", "Alpha")),
    *(f"{colour}PaletteColorLookupTableData" for colour in ("Red", "Green", "Blue", "Alpha")),
    *(f"Segmented{colour}PaletteColorLookupTableData" for colour in ("Red", "Green", "Blue", "Alpha")),
    *_PIXELS,
]
"""All that is read of a header; other elements are skipped unread."""

_TAGS = [tag for keyword in _ELEMENTS if (tag := tag_for_keyword(keyword)) is not None]


def read_dicom(content: bytes, window: Window, colour: bool) -> ImageFile:
    """Read the bytes of one DICOM file.

    Raises:
        RefusedImage: the file holds no single image that can be shown.
        Exception: anything a parser can raise on a damaged file; `read_image` turns it into a refusal.
    """
    _silence_libraries()
    notes: list[str] = []
    header = _parse(content, notes)
    _refuse_what_is_no_picture(header)
    layout = _layout(header)
    stored = _decode(header, layout)
    if stored.ndim == 2 and layout.photometric in _GREY:
        pixels = _shade(header, layout, stored, window, notes)
    else:
        pixels = _colours(header, layout, stored, window, colour, notes)
    return _facts(header, pixels, notes)


def _silence_libraries() -> None:
    """Keep remarks of the libraries, which may quote the header, away from the terminal and from logs."""
    ignore_warnings_of("pydicom")
    logging.getLogger("pydicom").disabled = True


# The header ----------------------------------------------------------------------------------------------------------


def _parse(content: bytes, notes: list[str]) -> FileDataset:
    """Parse the elements that matter; a missing transfer syntax is replaced by the one that the parser recognised."""
    _refuse_deflate_bomb(content)
    header = pydicom.dcmread(io.BytesIO(content), force=True, specific_tags=_TAGS[:])
    if "TransferSyntaxUID" not in header.file_meta:
        is_implicit, is_little_endian = header.original_encoding
        explicit = ExplicitVRLittleEndian if is_little_endian else ExplicitVRBigEndian
        header.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian if is_implicit else explicit
        notes.append("N_NO_PREAMBLE")
    elif content[128:132] != b"DICM":
        notes.append("N_NO_PREAMBLE")
    return header


def _refuse_deflate_bomb(content: bytes) -> None:
    """Refuse a deflated file that would unfold without bound, or that ends before its end mark."""
    if str(DeflatedExplicitVRLittleEndian).encode() + b"\0" not in content[:2048]:
        return
    start = 144 + int.from_bytes(content[140:144], "little")  # the file meta group tells its length first
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    inflater.decompress(content[start:], MOST_BYTES)
    if inflater.unconsumed_tail:
        raise RefusedImage("E_SIZEBOMB")
    if not inflater.eof:
        raise RefusedImage("E_TRUNCATED")


def _refuse_what_is_no_picture(header: FileDataset) -> None:
    if _text(header, "Modality") in _NOT_PICTURES:
        raise RefusedImage("E_NOT_IMAGE")
    if not any(keyword in header for keyword in _PIXELS):
        # The class in the file meta group comes first, and is therefore whole in a file that was cut.
        sop_class = UID(str(header.file_meta.get("MediaStorageSOPClassUID", "")) or _text(header, "SOPClassUID"))
        if "Rows" in header or "Image Storage" in sop_class.name:
            raise RefusedImage("E_TRUNCATED")
        raise RefusedImage("E_NOT_IMAGE" if sop_class else "E_UNREADABLE")
    if (_integer(header, "NumberOfFrames") or 1) > 1:
        raise RefusedImage("E_MULTIFRAME")


def _text(header: Dataset, keyword: str) -> str:
    """Return an element as text; empty where it is absent or cannot be read."""
    try:
        value = header.get(keyword)
    except Exception:  # pydicom raises anything on a damaged element, and one without a text is treated as absent
        return ""
    if isinstance(value, (list, pydicom.multival.MultiValue)):
        value = value[0] if value else ""
    return "" if value is None else str(value).strip(" \0")


def _integer(header: Dataset, keyword: str) -> int | None:
    """Return an element as an integer; None where it is absent or no whole number."""
    try:
        return int(_text(header, keyword))
    except ValueError:
        return None


def _numbers(header: Dataset, keyword: str, notes: list[str]) -> list[float]:
    """Return a text of numbers (DS, IS), reading decimal commas as points; empty where any of it is no number."""
    if keyword not in header:
        return []
    element = header.get_item(keyword)
    value = element.value
    if not isinstance(element, RawDataElement):
        value = "\\".join(str(part) for part in (value if isinstance(value, (list, tuple)) else [value]))
    text = value.decode("latin-1") if isinstance(value, bytes) else str(value or "")
    if "," in text:
        notes.append("N_COMMA_DECIMAL")
    try:
        numbers = [float(part) for part in text.replace(",", ".").strip(" \0").split("\\")]
    except ValueError:
        return []
    return numbers if all(math.isfinite(number) for number in numbers) else []


# The pixels ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Layout:
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

    @property
    def lowest(self) -> int:
        """The smallest value that the stored bits can hold."""
        return -(1 << (self.bits_stored - 1)) if self.is_signed else 0

    @property
    def highest(self) -> int:
        """The largest value that the stored bits can hold."""
        return self.lowest + (1 << self.bits_stored) - 1


def _layout(header: FileDataset) -> _Layout:
    """Check the description of the pixels before any memory is taken for them."""
    is_real = "PixelData" not in header
    bits_allocated = _integer(header, "BitsAllocated") or 0
    bits_stored = bits_allocated if is_real else _integer(header, "BitsStored") or 0
    high_bit = _integer(header, "HighBit")
    layout = _Layout(
        transfer_syntax=UID(str(header.file_meta.TransferSyntaxUID).strip(" \0")),
        photometric=_text(header, "PhotometricInterpretation").upper(),
        n_rows=_integer(header, "Rows") or 0,
        n_columns=_integer(header, "Columns") or 0,
        n_samples=_integer(header, "SamplesPerPixel") or 0,
        bits_allocated=bits_allocated,
        bits_stored=bits_stored,
        high_bit=bits_stored - 1 if high_bit is None else high_bit,
        is_signed=not is_real and _integer(header, "PixelRepresentation") == 1,
        is_real=is_real,
    )
    if layout.n_rows * layout.n_columns > MOST_PIXELS:
        raise RefusedImage("E_SIZEBOMB")
    has_sizes = layout.n_rows > 0 and layout.n_columns > 0 and layout.n_samples in (1, 3)
    if not has_sizes or not 1 <= layout.bits_stored <= layout.bits_allocated or not layout.photometric:
        raise RefusedImage("E_BAD_HEADER")
    if layout.photometric not in (*_GREY, *_COLOUR, "PALETTE COLOR"):
        raise RefusedImage("E_CODEC")
    if (layout.photometric in _COLOUR) != (layout.n_samples == 3):
        raise RefusedImage("E_BAD_HEADER")
    return layout


def _decode(header: FileDataset, layout: _Layout) -> NDArray[Any]:
    """Return the stored values, axes (row, column) or (row, column, colour as RGB)."""
    if can_decode(layout.transfer_syntax):
        return _decompress(header, layout)
    try:
        decoder = get_decoder(layout.transfer_syntax)
    except NotImplementedError:
        raise RefusedImage("E_CODEC") from None
    if decoder.is_encapsulated:
        raise RefusedImage("E_CODEC")
    _refuse_short_pixels(header, layout)
    options: dict[str, Any] = {"view_only": True, "allow_excess_frames": False}
    if layout.n_samples == 1:
        options["correct_unused_bits"] = False  # done with the levels, where it costs nothing
    return decoder.as_array(header, index=0, **cast(Any, options))[0]


def _decompress(header: FileDataset, layout: _Layout) -> NDArray[Any]:
    stream = _stream(header, layout)
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


def _refuse_short_pixels(header: FileDataset, layout: _Layout) -> None:
    """Compare the bytes that are there with those that rows, columns and bits need."""
    element = next(header[keyword] for keyword in _PIXELS if keyword in header)
    if element.is_undefined_length:
        raise RefusedImage("E_UNREADABLE")  # compressed, although the header says otherwise
    n_bits = layout.n_rows * layout.n_columns * layout.n_samples * layout.bits_allocated
    if layout.photometric == "YBR_FULL_422":
        n_bits = n_bits * 2 // 3
    if len(element.value or b"") < (n_bits + 7) // 8:
        raise RefusedImage("E_TRUNCATED")


def _stream(header: FileDataset, layout: _Layout) -> bytes:
    """Return the compressed image, complete to its end mark."""
    element = header["PixelData"]
    if not element.is_undefined_length:
        raise RefusedImage("E_UNREADABLE")  # not compressed, although the header says so
    stream = get_frame(element.value, 0, number_of_frames=1)
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


def _precision(stream: bytes, layout: _Layout) -> int:
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


# From stored values to brightness ------------------------------------------------------------------------------------


def _shade(
    header: FileDataset, layout: _Layout, stored: NDArray[Any], window: Window, notes: list[str]
) -> NDArray[Any]:
    """Show a grey image: uint8 where 8 stored bits are shown as they are, else uint16."""
    levels = GreyLevels.of(stored)
    values = _stored_values(levels.values, layout, notes)
    is_padding = _padding(header, layout, levels.values, values)
    if is_padding.any():
        notes.append("N_PADDING")
    rescaled = _rescaled(header, layout, values, notes)
    brightness = _brightness(header, layout, window, _Distribution(levels, rescaled, is_padding), notes)
    if layout.photometric == "MONOCHROME1":
        brightness = 1 - brightness
        notes.append("N_MONOCHROME1")
    brightness = np.where(is_padding, 0, np.nan_to_num(brightness))
    return levels.painted(_as_stored(values, brightness, layout) if layout.bits_stored == 8 else as_uint16(brightness))


def _as_stored(values: NDArray[Any], brightness: NDArray[np.float64], layout: _Layout) -> NDArray[Any]:
    """Keep 8 bits where the brightness is exactly the stored value, upright or inverted; else use 16 bits."""
    shown = np.rint(brightness * 255)
    expected = 255 - values if layout.photometric == "MONOCHROME1" else values
    is_unchanged = (np.abs(brightness * 255 - shown) < 1e-6) & ((shown == expected) | (shown == 0))
    return shown.astype(np.uint8) if is_unchanged.all() else as_uint16(brightness)


def _stored_values(raw: NDArray[Any], layout: _Layout, notes: list[str]) -> NDArray[Any]:
    """Take the stored bits out of the allocated ones, with their sign; other bits may hold an overlay."""
    if layout.is_real:
        return raw
    raw = raw.astype(np.int64)
    if layout.bits_stored - 1 < layout.high_bit < layout.bits_allocated and not layout.transfer_syntax.is_encapsulated:
        raw = raw >> (layout.high_bit + 1 - layout.bits_stored)
    values = (raw - layout.lowest) % (1 << layout.bits_stored) + layout.lowest
    if (values != raw).any():
        notes.append("N_HIGH_BITS")
    return values


def _padding(header: FileDataset, layout: _Layout, raw: NDArray[Any], values: NDArray[Any]) -> NDArray[np.bool_]:
    """Tell which values mean "outside the image"; they may lie beyond the stored bits (−2000 on some CT scanners)."""
    first = _integer(header, "PixelPaddingValue")
    if first is None:
        return np.zeros(len(values), np.bool_)
    last = _integer(header, "PixelPaddingRangeLimit")
    modulus = 1 << layout.bits_allocated
    low, high = sorted((first, first if last is None else last))
    # The value may be written with the other sign than the pixels; it is the bits that count.
    is_same_bits = raw % modulus == first % modulus if not layout.is_real else raw == first
    return ((values >= low) & (values <= high)) | is_same_bits


def _rescaled(header: FileDataset, layout: _Layout, values: NDArray[Any], notes: list[str]) -> NDArray[np.float64]:
    """Apply the modality LUT, or the rescale slope and intercept: to Hounsfield units on CT."""
    if header.get("ModalityLUTSequence"):
        return _looked_up(header.ModalityLUTSequence[0], header, layout, values)[0]
    slope, intercept = _rescale(header, notes)
    return values.astype(np.float64) * slope + intercept


def _rescale(header: FileDataset, notes: list[str]) -> tuple[float, float]:
    """Return slope and intercept; an image with an unreadable one must not be shown with wrong values."""
    found = []
    for keyword, default in (("RescaleSlope", 1.0), ("RescaleIntercept", 0.0)):
        if not _text_of_raw(header, keyword):
            found.append(default)
        elif numbers := _numbers(header, keyword, notes):
            found.append(numbers[0])
        else:
            raise RefusedImage("E_BAD_HEADER")
    if found[0] == 0:
        raise RefusedImage("E_BAD_HEADER")
    return found[0], found[1]


def _text_of_raw(header: Dataset, keyword: str) -> bool:
    """Tell whether an element is present and not empty, without converting it."""
    if keyword not in header:
        return False
    value = header.get_item(keyword).value
    return value is not None and (value.strip(b" \0") != b"" if isinstance(value, bytes) else str(value) != "")


def _looked_up(
    item: Dataset, header: FileDataset, layout: _Layout, values: NDArray[Any]
) -> tuple[NDArray[np.float64], float]:
    """Look values up in a LUT item (PS3.3 C.11.1, C.11.2), and return them with the largest output of the LUT."""
    n_entries, first, n_bits = (int(number) for number in item.LUTDescriptor)
    n_entries = n_entries or 1 << 16
    # The first value is written as unsigned by some, although the pixels are signed.
    first = first - (1 << 16) if layout.is_signed and first > 1 << 15 else first
    data = item.LUTData
    if isinstance(data, bytes):
        order = "<" if header.original_encoding[1] else ">"
        data = np.frombuffer(data, f"{order}u2" if len(data) >= 2 * n_entries else "u1")
    table = np.asarray(data, dtype=np.float64)[:n_entries]
    if table.size < n_entries or not 8 <= n_bits <= 16:
        raise RefusedImage("E_BAD_HEADER")
    # Some write 16 bits in the descriptor of a LUT of 12; the highest output then fills half the range at most.
    highest = float((1 << min(n_bits, max(int(table.max()).bit_length(), 1))) - 1)
    return table[np.clip(np.rint(values).astype(np.int64) - first, 0, n_entries - 1)], highest


@dataclass(frozen=True)
class _Distribution:
    """The levels of an image after rescale, with those that are padding."""

    levels: GreyLevels
    rescaled: NDArray[np.float64]
    is_padding: NDArray[np.bool_]

    def own_shading(self) -> Shading:
        """Return the shading over the image's own values, without padding."""
        return between(*own_range(self.rescaled, np.where(self.is_padding, 0, self.levels.counts())))

    def is_flattened_by(self, brightness: NDArray[np.float64]) -> bool:
        """Tell whether a shading makes one grey of an image that has more."""
        # The lowest and the highest level always occur; only what lies next to padding must be counted.
        seen = ~self.is_padding & (self.levels.counts() > 0) if self.is_padding.any() else ~self.is_padding
        return bool(seen.any()) and np.ptp(brightness[seen]) == 0 < np.ptp(self.rescaled[seen])


def _brightness(
    header: FileDataset, layout: _Layout, window: Window, grey: _Distribution, notes: list[str]
) -> NDArray[np.float64]:
    """Return the brightness of each level, from 0 to 1, before any inversion."""
    if isinstance(window, tuple):
        return window_linear(grey.rescaled, *window)
    if window == "full":
        return _full_shading(header, layout, grey, notes)(grey.rescaled)
    brightness = _stored_shading(header, layout, grey.rescaled, notes)
    if brightness is None:
        is_ready = layout.bits_stored <= 8 and not layout.is_real and not _changes_values(header, notes)
        if is_ready:
            return _full_shading(header, layout, grey, notes)(grey.rescaled)
        notes.append("N_NO_WINDOW")
        return grey.own_shading()(grey.rescaled)
    if grey.is_flattened_by(brightness):
        notes.append("N_BAD_WINDOW")
        return grey.own_shading()(grey.rescaled)
    return brightness


def _changes_values(header: FileDataset, notes: list[str]) -> bool:
    return bool(header.get("ModalityLUTSequence")) or _rescale(header, notes) != (1, 0)


def _full_shading(header: FileDataset, layout: _Layout, grey: _Distribution, notes: list[str]) -> Shading:
    """Return the shading from the lowest to the highest value that could be stored."""
    if layout.is_real:
        finite = grey.rescaled[np.isfinite(grey.rescaled)]
        return between(finite.min(initial=np.inf), finite.max(initial=-np.inf))
    ends = _rescaled(header, layout, np.array([layout.lowest, layout.highest]), notes)
    return between(float(ends.min()), float(ends.max()))


def _stored_shading(
    header: FileDataset, layout: _Layout, rescaled: NDArray[np.float64], notes: list[str]
) -> NDArray[np.float64] | None:
    """Apply the VOI LUT or the first window of the header; None where there is none that is valid."""
    if header.get("VOILUTSequence"):
        values, highest = _looked_up(header.VOILUTSequence[0], header, layout, rescaled)
        return values / highest
    if not _text_of_raw(header, "WindowCenter") or not _text_of_raw(header, "WindowWidth"):
        return None
    centres, widths = _numbers(header, "WindowCenter", notes), _numbers(header, "WindowWidth", notes)
    shading = _WINDOWS.get(_text(header, "VOILUTFunction").upper() or "LINEAR")
    if not centres or not widths or widths[0] <= 0 or shading is None:
        notes.append("N_BAD_WINDOW")
        return None
    return shading(rescaled, centres[0], widths[0])


def _colours(
    header: FileDataset, layout: _Layout, stored: NDArray[Any], window: Window, colour: bool, notes: list[str]
) -> NDArray[Any]:
    """Show a colour image, or its luma."""
    if layout.photometric == "PALETTE COLOR":
        stored = apply_color_lut(stored, header)[..., :3]
        notes.append("N_PALETTE")
    elif layout.bits_stored != 8:
        stored = np.rint(np.clip(stored / layout.highest, 0, 1) * WHITE).astype(np.uint16)
    if stored.dtype not in (np.uint8, np.uint16):
        raise RefusedImage("E_CODEC")
    if isinstance(window, tuple):
        notes.append("N_COLOUR_NO_WINDOW")
    if colour:
        return np.ascontiguousarray(stored)
    if is_colourless(stored):
        return stored[..., 0].copy()
    notes.append("N_COLOUR_TO_GREY")
    return luma(np.ascontiguousarray(stored))


# What else the header says -------------------------------------------------------------------------------------------


def _facts(header: FileDataset, pixels: NDArray[Any], notes: list[str]) -> ImageFile:
    """Put the pixels together with what the header says about them."""
    spacing_mm = _spacing_mm(header, notes)
    aspect = _numbers(header, "PixelAspectRatio", notes)
    row_mm, column_mm = spacing_mm or (aspect if len(aspect) == 2 and min(aspect) > 0 else (1.0, 1.0))
    if abs(row_mm / column_mm - 1) > 0.01:
        notes.append("N_NOT_SQUARE")
    return ImageFile(
        pixels=pixels,
        modality=_text(header, "Modality").upper(),
        patient=_patient(header),
        exam=_text(header, "StudyInstanceUID"),
        series=_text(header, "SeriesInstanceUID"),
        instance=_text(header, "SOPInstanceUID"),
        site=_text(header, "InstitutionName") or _text(header, "StationName"),
        laterality=(_text(header, "ImageLaterality") or _text(header, "Laterality")).upper(),
        view=_text(header, "ViewPosition").upper(),
        sex=_text(header, "PatientSex").upper(),
        age_years=_age_years(header),
        spacing_mm=spacing_mm,
        notes=tuple(dict.fromkeys(notes)),
    )


def _patient(header: FileDataset) -> str:
    """Return the patient's identifier so that two ways of writing it agree; another issuer is another patient."""
    identifier = _text(header, "PatientID").strip().upper()
    if not identifier:
        return ""
    issuer = _text(header, "IssuerOfPatientID").strip().upper()
    return (identifier.lstrip("0") or "0") + (f"@{issuer}" if issuer else "")


def _spacing_mm(header: FileDataset, notes: list[str]) -> tuple[float, float] | None:
    """Return the distance between rows and columns: in the patient, else at the detector, else of an ultrasound region."""
    for keyword in ("PixelSpacing", "ImagerPixelSpacing"):
        numbers = _numbers(header, keyword, notes)
        if len(numbers) == 2 and min(numbers) > 0:
            if keyword == "ImagerPixelSpacing":
                notes.append("N_DETECTOR_SPACING")
            return numbers[0], numbers[1]
    regions = header.get("SequenceOfUltrasoundRegions") or []
    centimetres = 3  # PhysicalUnits code, PS3.3 C.8.5.5.1.15
    if len(regions) != 1 or {regions[0].get(f"PhysicalUnits{axis}Direction") for axis in "XY"} != {centimetres}:
        return None
    row_mm, column_mm = (10 * abs(float(regions[0].get(f"PhysicalDelta{axis}") or 0)) for axis in "YX")
    return (row_mm, column_mm) if min(row_mm, column_mm) > 0 and math.isfinite(row_mm + column_mm) else None


def _age_years(header: FileDataset) -> int | None:
    """Return completed years from the age, else from the dates of birth and exam; 90 for all who are older than 89."""
    age = _text(header, "PatientAge").upper()
    years: int | None = None
    if age[:-1].isdigit() and age[-1:] in "DWMY":
        years = int(age[:-1]) // {"D": 365, "W": 52, "M": 12, "Y": 1}[age[-1]]
    else:
        birth, exam = _text(header, "PatientBirthDate"), _text(header, "StudyDate")
        if len(birth) == len(exam) == 8 and birth.isdigit() and exam.isdigit():
            years = (int(exam) - int(birth)) // 10_000
    if years is None or not 0 <= years < 150:
        return None
    return min(years, 90)
