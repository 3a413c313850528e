"""Pixel codecs and bit depths."""

import io
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gdcm
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.pixels import get_encoder
from pydicom.uid import (
    JPEG2000,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

from .case import Case, Expected, case
from .phantom import AXIAL, SHAPE, Person, Truth, ct_series, file_bytes, image, save, set_pixels

GROUP = "pixel codec"
INTERCEPT = {8: -100, 12: -1024, 16: -32768}
"""Hounsfield units of a stored zero, by the number of bits."""


LARGE = (8, 32, 48)
"""Slices, rows, columns; the JPEG 2000 encoder takes no smaller images."""


def _stored(bits: int, is_signed: bool = False, shape: tuple[int, int, int] = SHAPE) -> NDArray[Any]:
    """Return stored values over the whole range of their bits."""
    low = -(1 << (bits - 1)) if is_signed else 0
    dtype = np.int16 if is_signed else (np.uint8 if bits == 8 else np.uint16)
    return np.random.default_rng(bits + is_signed).integers(low, low + (1 << bits), shape).astype(dtype)


def _series(person: Person, stored: NDArray[Any], bits: int) -> list[Dataset]:
    headers = ct_series(person, np.zeros(stored.shape))
    for header, plane in zip(headers, stored, strict=True):
        set_pixels(header, plane, bits)
        header.RescaleIntercept = str(_intercept(stored, bits))
    return headers


def _intercept(stored: NDArray[Any], bits: int) -> int:
    return 0 if stored.dtype.kind == "i" else INTERCEPT[bits]


def _truth(stored: NDArray[Any], bits: int, tolerance: float = 0.5) -> Truth:
    return Truth(stored.astype(np.float64) + _intercept(stored, bits), AXIAL.affine, tolerance=tolerance)


def compressed(header: Dataset, syntax: str, streams: list[bytes]) -> bytes:
    """Return the bytes of a file whose frames are these streams."""
    header.PixelData = encapsulate(streams)
    header["PixelData"].is_undefined_length = True
    header["PixelData"].VR = "OB"
    return file_bytes(header, syntax)


def stream_by_gdcm(header: Dataset, syntax: str) -> bytes:
    """Compress the grey frame of a header with GDCM, which has JPEG of more than 8 bits and JPEG-LS."""
    reader, change = gdcm.ImageReader(), gdcm.ImageChangeTransferSyntax()
    with tempfile.TemporaryDirectory() as folder:  # GDCM counts references to its own images only
        path = Path(folder) / "native.dcm"
        path.write_bytes(file_bytes(header))
        reader.SetFileName(str(path))
        assert reader.Read()
    change.SetTransferSyntax(gdcm.TransferSyntax(gdcm.TransferSyntax.GetTSType(syntax)))
    change.SetInput(reader.GetImage())
    assert change.Change(), f"GDCM cannot write {syntax}"
    fragment = change.GetOutput().GetDataElement().GetSequenceOfFragments().GetFragment(0)
    return fragment.GetByteValue().GetBuffer().encode("utf-8", "surrogateescape")


def stream_by_pydicom(header: Dataset, syntax: str) -> bytes:
    """Compress the frame of a header as RLE or JPEG 2000 lossless."""
    return get_encoder(syntax).encode(header, index=0)


def _lossless(
    name: str, wrong: str, stored: NDArray[Any], bits: int, syntax: str, compress: Callable[[Dataset, str], bytes]
) -> Case:
    def write(folder: Path, person: Person) -> list[Expected]:
        names = save(
            folder,
            _series(person, stored, bits),
            encode=lambda header: compressed(header, syntax, [compress(header, syntax)]),
        )
        return [Expected(tuple(names), _truth(stored, bits))]

    return Case(GROUP, name, wrong, write)


def native_8(folder: Path, person: Person) -> list[Expected]:
    """Eight bits, uncompressed."""
    stored = _stored(8)
    return [Expected(tuple(save(folder, _series(person, stored, 8))), _truth(stored, 8))]


def native_16_unsigned(folder: Path, person: Person) -> list[Expected]:
    """Sixteen bits without sign, to the last: a signed reader overflows."""
    stored = _stored(16)
    return [Expected(tuple(save(folder, _series(person, stored, 16))), _truth(stored, 16))]


def overlay_in_the_high_bits(folder: Path, person: Person) -> list[Expected]:
    """The four bits above the twelve stored ones hold an overlay and noise."""
    stored = _stored(12)
    headers = _series(person, stored, 12)
    for header, plane in zip(headers, stored, strict=True):
        header.PixelData = (plane | (plane << 12)).astype("<u2").tobytes()
    return [Expected(tuple(save(folder, headers)), _truth(stored, 12))]


def twelve_bits_on_top(folder: Path, person: Person) -> list[Expected]:
    """The twelve stored bits are the upper ones of sixteen (High Bit is 15)."""
    stored = _stored(12)
    headers = _series(person, stored, 12)
    for header, plane in zip(headers, stored, strict=True):
        header.HighBit = 15
        header.PixelData = (plane << 4).astype("<u2").tobytes()
    return [Expected(tuple(save(folder, headers)), _truth(stored, 12))]


def sign_not_told(folder: Path, person: Person) -> list[Expected]:
    """Pixel Representation is missing, so that nobody knows whether the values have a sign."""
    stored = _stored(16, is_signed=True)
    headers = _series(person, stored, 16)
    for header in headers:
        del header.PixelRepresentation
    return [Expected(tuple(save(folder, headers)), codes=frozenset({"E_BAD_HEADER"}))]


def jpeg_baseline_grey(folder: Path, person: Person) -> list[Expected]:
    """Eight bits, compressed with loss; the loss is that of another decoder (libjpeg)."""
    stored = _smooth(255).astype(np.uint8)
    streams = [_jpeg(plane) for plane in stored]
    headers = _series(person, stored, 8)
    names = save(folder, headers, encode=lambda header: compressed(header, JPEGBaseline8Bit, [streams[_index(header)]]))
    decoded = np.stack([np.asarray(Image.open(io.BytesIO(stream))) for stream in streams])
    return [Expected(tuple(names), _truth(decoded, 8, tolerance=1))]


def jpeg_baseline_colour(folder: Path, person: Person) -> list[Expected]:
    """A photograph in colour, compressed with loss and half the colour resolution (YBR_FULL_422)."""
    red, green, blue = _smooth(255)[0], _smooth(255)[0, ::-1], _smooth(255)[0, :, ::-1]
    stored = np.stack([red, green, blue], axis=-1).astype(np.uint8)
    stream = _jpeg(stored)
    header = image(person, stored, PhotometricInterpretation="YBR_FULL_422")
    names = save(folder, [header], "photo", lambda header: compressed(header, JPEGBaseline8Bit, [stream]))
    decoded = np.asarray(Image.open(io.BytesIO(stream)))[np.newaxis]
    return [Expected(tuple(names), Truth(decoded, None, unit="", tolerance=2))]


def jpeg_extended_12(folder: Path, person: Person) -> list[Expected]:
    """Twelve bits, compressed with loss, which many decoders take for eight."""
    stored = _smooth(4095).astype(np.uint16)
    names = save(
        folder,
        _series(person, stored, 12),
        encode=lambda header: compressed(header, JPEGExtended12Bit, [stream_by_gdcm(header, JPEGExtended12Bit)]),
    )
    return [Expected(tuple(names), _truth(stored, 12, tolerance=16))]


def _smooth(highest: int) -> NDArray[np.float64]:
    """Return values that lossy compression hardly changes."""
    k, i, j = np.meshgrid(*map(np.arange, SHAPE), indexing="ij")
    return np.rint(highest * (0.2 + 0.05 * k + 0.01 * i + 0.008 * j))


def _jpeg(pixels: NDArray[np.uint8]) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG", quality=95)
    return stream.getvalue()


def _index(header: Dataset) -> int:
    return int(header.InstanceNumber) - 1


def stream_in_fragments(folder: Path, person: Person) -> list[Expected]:
    """The stream of each slice is cut into three fragments, without an offset table."""
    stored = _stored(12, shape=LARGE)

    def encode(header: Dataset) -> bytes:
        stream = stream_by_pydicom(header, JPEG2000Lossless)
        items = b"".join(_item(part) for part in (b"", stream[:100], stream[100:200], stream[200:]))
        content = compressed(header, JPEG2000Lossless, [stream])
        return content[: content.rindex(b"\xe0\x7f\x10\x00OB") + 12] + items + b"\xfe\xff\xdd\xe0\0\0\0\0"

    return [Expected(tuple(save(folder, _series(person, stored, 12), encode=encode)), _truth(stored, 12))]


def _item(content: bytes) -> bytes:
    content += b"\0" * (len(content) % 2)
    return b"\xfe\xff\x00\xe0" + len(content).to_bytes(4, "little") + content


def another_codec_in_each_slice(folder: Path, person: Person) -> list[Expected]:
    """An archive compressed some slices of a series, each in another way."""
    stored = _stored(12, shape=LARGE)
    ways: list[Callable[[Dataset], bytes]] = [file_bytes] + [
        lambda header, syntax=syntax, compress=compress: compressed(header, syntax, [compress(header, syntax)])
        for syntax, compress in (
            (RLELossless, stream_by_pydicom),
            (JPEG2000Lossless, stream_by_pydicom),
            (JPEGLosslessSV1, stream_by_gdcm),
            (JPEGLSLossless, stream_by_gdcm),
        )
    ]
    names = save(folder, _series(person, stored, 12), encode=lambda header: ways[_index(header) % len(ways)](header))
    return [Expected(tuple(names), _truth(stored, 12))]


def one_stream_damaged(folder: Path, person: Person) -> list[Expected]:
    """The JPEG-LS stream of a slice in the middle is damaged, so that some decoders end the program."""

    def encode(header: Dataset) -> bytes:
        stream = stream_by_gdcm(header, JPEGLSLossless)
        if _index(header) == 3:
            stream = stream[:80] + bytes(range(256)) + stream[336:]
        return compressed(header, JPEGLSLossless, [stream])

    names = save(folder, _series(person, _stored(12), 12), encode=encode)
    return [Expected(tuple(names), codes=frozenset({"E_UNREADABLE", "E_TRUNCATED", "E_CODEC", "E_GAP"}))]


def stream_larger_than_its_header(folder: Path, person: Person) -> list[Expected]:
    """The JPEG 2000 streams claim 60,000 × 60,000 pixels, the headers 48 × 32: memory is taken for the former."""
    side = (60_000).to_bytes(4)

    def encode(header: Dataset) -> bytes:
        stream = stream_by_pydicom(header, JPEG2000Lossless)
        at = stream.index(b"\xff\x51")
        stream = stream[: at + 6] + side + side + stream[at + 14 : at + 22] + side + side + stream[at + 30 :]
        return compressed(header, JPEG2000Lossless, [stream])

    names = save(folder, _series(person, _stored(12, shape=LARGE), 12), encode=encode)
    codes = {"E_SIZEBOMB", "E_BAD_HEADER", "E_UNREADABLE", "E_CODEC", "E_TRUNCATED"}
    return [Expected(tuple(names), codes=frozenset(codes))]


def unknown_transfer_syntax(folder: Path, person: Person) -> list[Expected]:
    """The pixels are compressed in a way that only their maker knows."""
    headers = _series(person, _stored(12), 12)
    names = save(folder, headers, encode=lambda header: compressed(header, "1.2.276.0.99.4.7", [b"\x17" * 500]))
    return [Expected(tuple(names), codes=frozenset({"E_CODEC"}))]


LOSSLESS = [
    _lossless("rle_8", "Run lengths, 8 bits.", _stored(8), 8, RLELossless, stream_by_pydicom),
    _lossless("rle_16_signed", "Run lengths, 16 bits with sign.", _stored(16, True), 16, RLELossless, stream_by_pydicom),
    _lossless("jpeg_12", "Lossless JPEG, 12 bits.", _stored(12), 12, JPEGLosslessSV1, stream_by_gdcm),
    _lossless("jpeg_16", "Lossless JPEG, 16 bits.", _stored(16), 16, JPEGLosslessSV1, stream_by_gdcm),
    _lossless("jpeg_16_signed", "Lossless JPEG with sign.", _stored(16, True), 16, JPEGLosslessSV1, stream_by_gdcm),
    _lossless("jpeg_any_predictor", "Lossless JPEG, process 14.", _stored(16), 16, JPEGLossless, stream_by_gdcm),
    _lossless("jpeg_ls_12", "JPEG-LS, 12 bits.", _stored(12), 12, JPEGLSLossless, stream_by_gdcm),
    _lossless("jpeg_ls_16_signed", "JPEG-LS with sign.", _stored(16, True), 16, JPEGLSLossless, stream_by_gdcm),
    _lossless("jpeg_2000_12", "JPEG 2000, 12 bits.", _stored(12, shape=LARGE), 12, JPEG2000Lossless, stream_by_pydicom),
    _lossless("jpeg_2000_16_signed", "JPEG 2000 with sign.", _stored(16, True, LARGE), 16, JPEG2000Lossless, stream_by_pydicom),
    _lossless("jpeg_2000_as_lossy", "Reversible JPEG 2000 in the lossy syntax.", _stored(12, shape=LARGE), 12, JPEG2000,
              lambda header, _: stream_by_pydicom(header, JPEG2000Lossless)),
]  # fmt: skip
CASES = [
    *(case(GROUP, write) for write in (native_8, native_16_unsigned, sign_not_told)),
    *(case(GROUP, write) for write in (overlay_in_the_high_bits, twelve_bits_on_top)),
    *LOSSLESS,
    *(case(GROUP, write) for write in (jpeg_baseline_grey, jpeg_baseline_colour, jpeg_extended_12)),
    *(case(GROUP, write) for write in (stream_in_fragments, another_codec_in_each_slice, unknown_transfer_syntax)),
    *(case(GROUP, write) for write in (one_stream_damaged, stream_larger_than_its_header)),
]
