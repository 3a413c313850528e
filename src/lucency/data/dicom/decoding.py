"""Decode compressed DICOM images in processes of their own.

The decoders are C, C++ and Rust. On a damaged stream some of them end the program, hang, or write to the terminal; a child
process takes that upon itself, and the study goes on with one image refused. A child starts with the first compressed
image, serves until the program ends, and is replaced when it dies.
"""

import contextlib
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lucency.data.dicom.children import Child, ChildLost, Fields, ask, end_child, serve, start_child

MOST_SECONDS = 60.0
"""A decoder that takes longer is stopped; a large mammogram takes about one second."""

_DECODERS = {
    "1.2.840.10008.1.2.4.50": ("pillow",),  # JPEG baseline
    "1.2.840.10008.1.2.4.51": ("pillow",),  # JPEG extended, of 8 bits
    "1.2.840.10008.1.2.4.57": ("gdcm",),  # JPEG lossless
    "1.2.840.10008.1.2.4.70": ("gdcm",),  # JPEG lossless, first order
    "1.2.840.10008.1.2.4.80": ("gdcm",),  # JPEG-LS lossless
    "1.2.840.10008.1.2.4.81": ("gdcm",),  # JPEG-LS near lossless
    "1.2.840.10008.1.2.4.90": ("pylibjpeg", "pillow"),  # JPEG 2000 lossless
    "1.2.840.10008.1.2.4.91": ("pylibjpeg", "pillow"),  # JPEG 2000
    "1.2.840.10008.1.2.4.201": ("pylibjpeg",),  # high-throughput JPEG 2000 lossless
    "1.2.840.10008.1.2.4.202": ("pylibjpeg",),
    "1.2.840.10008.1.2.4.203": ("pylibjpeg",),
    "1.2.840.10008.1.2.5": ("pylibjpeg", "pydicom"),  # RLE
}
"""Decoders for each transfer syntax, best first, by pydicom's names."""

_JPEG_OF_MORE_THAN_8_BITS = ("1.2.840.10008.1.2.4.51", "1.2.840.10008.1.2.4.57", "1.2.840.10008.1.2.4.70")

_SERVING = "from lucency.data.dicom.decoding import serve_decoding; serve_decoding()"

_idle_children: list[Child] = []
"""Children that wait for work; taken and given back by any thread (list.pop and list.append are atomic)."""


class DecodingError(Exception):
    """The stream is damaged: no decoder could make an image of it."""


@dataclass(frozen=True)
class CompressedImage:
    """What a decoder must know of one frame beside its stream."""

    transfer_syntax: str
    photometric: str
    n_rows: int
    n_columns: int
    n_samples: int
    bits_allocated: int
    bits_stored: int
    precision: int
    """Bits per sample in the stream, which need not agree with the header."""
    is_signed: bool


def can_decode(transfer_syntax: str) -> bool:
    """Tell whether a transfer syntax is among those that can be decoded."""
    return transfer_syntax in _DECODERS


def decode(image: CompressedImage, stream: bytes) -> NDArray[Any]:
    """Return the stored values, axes (row, column) or (row, column, colour as RGB).

    Raises:
        DecodingError: the stream is damaged, or its decoder took too long.
    """
    child = _idle_child() or start_child(_SERVING)
    try:
        answer, content = ask(child, asdict(image), stream, MOST_SECONDS)
    except ChildLost:
        raise DecodingError from None
    _idle_children.append(child)
    if not answer:
        raise DecodingError
    return np.frombuffer(content, answer["dtype"]).reshape(answer["shape"])


def _idle_child() -> Child | None:
    with contextlib.suppress(IndexError):
        while True:
            child = _idle_children.pop()
            if child.poll() is None:
                return child
            end_child(child)
    return None


# In the child --------------------------------------------------------------------------------------------------------


def serve_decoding() -> None:
    """Decode one image after another: the life of a child."""
    serve(_answer)


def _answer(fields: Fields, stream: bytes) -> tuple[Fields, bytes]:
    try:
        stored = _decode_here(CompressedImage(**fields), stream)
    except Exception:  # whatever it is, the answer is that there is no image
        return {}, b""
    return {"dtype": stored.dtype.str, "shape": stored.shape}, stored.tobytes()


def _decode_here(image: CompressedImage, stream: bytes) -> NDArray[Any]:
    if image.transfer_syntax in _JPEG_OF_MORE_THAN_8_BITS and image.precision > 8 and image.n_samples == 1:
        return _decode_deep_jpeg(image, stream)
    from pydicom.encaps import encapsulate
    from pydicom.pixels import get_decoder

    decoder = get_decoder(image.transfer_syntax)
    plugin = next(name for name in _DECODERS[image.transfer_syntax] if name in decoder.available_plugins)
    header: Any = {
        "rows": image.n_rows,
        "columns": image.n_columns,
        "samples_per_pixel": image.n_samples,
        "photometric_interpretation": image.photometric,
        "bits_allocated": image.bits_allocated,
        "bits_stored": 8 if plugin == "pillow" and image.precision <= 8 else image.bits_stored,
        "pixel_representation": int(image.is_signed),
        "planar_configuration": 0,
        "number_of_frames": 1,
        "pixel_keyword": "PixelData",
    }
    return decoder.as_array(encapsulate([stream], has_bot=False), index=0, decoding_plugin=plugin, **header)[0]


def _decode_deep_jpeg(image: CompressedImage, stream: bytes) -> NDArray[Any]:
    """Decode a grey JPEG of 9 to 16 bits; pydicom declines JPEG extended of 12 bits, which GDCM decodes well."""
    import gdcm

    fragment = gdcm.Fragment()
    fragment.SetByteStringValue(stream)
    fragments = gdcm.SequenceOfFragments.New()
    fragments.AddFragment(fragment)
    element = gdcm.DataElement(gdcm.Tag(0x7FE0, 0x0010))
    element.SetValue(fragments.__ref__())
    picture = gdcm.Image()
    picture.SetNumberOfDimensions(2)
    picture.SetDimensions((image.n_columns, image.n_rows, 1))
    picture.SetDataElement(element)
    monochrome = gdcm.PhotometricInterpretation.MONOCHROME2
    picture.SetPhotometricInterpretation(gdcm.PhotometricInterpretation(monochrome))
    picture.SetTransferSyntax(gdcm.TransferSyntax(gdcm.TransferSyntax.GetTSType(image.transfer_syntax)))
    # GDCM chooses its decoder by the bits allocated, so it is told those of the stream.
    container = 12 if image.precision <= 12 else 16
    picture.SetPixelFormat(gdcm.PixelFormat(1, container, image.precision, image.precision - 1, int(image.is_signed)))
    decoded = picture.GetBuffer().encode("utf-8", "surrogateescape")
    return np.frombuffer(decoded, "<i2" if image.is_signed else "<u2").reshape(image.n_rows, image.n_columns)
