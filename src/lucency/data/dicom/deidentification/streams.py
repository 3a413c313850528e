"""Compressed images carry comments, thumbnails and bytes behind their end; these are blanked and cut, the image is not."""

import re

from pydicom.uid import JPEG2000TransferSyntaxes, JPEGLSTransferSyntaxes, JPEGTransferSyntaxes

_MARKER = re.compile(rb"\xff[\x80-\xcf\xd8-\xfe]")
"""What ends a scan of JPEG (ITU-T T.81) or JPEG-LS (T.87): no restart mark and no stuffed byte."""

_KEPT_BYTES = {0xE0: (b"JFIF\0", 14), 0xEE: (b"Adobe", 12), 0xE8: (b"mrfx", 6)}
"""Application segments that decoders need: their beginning, and how much of them is no free content."""

_TEXT_BOXES = (b"xml ", b"uuid", b"uinf", b"asoc", b"lbl ")


def without_comments(stream: bytes, transfer_syntax: str) -> bytes:
    """Return a compressed frame of the same pixels, without anything else in it."""
    if transfer_syntax in JPEG2000TransferSyntaxes or transfer_syntax.startswith("1.2.840.10008.1.2.4.20"):
        return _blank_jpeg_2000(stream)
    if transfer_syntax in JPEGTransferSyntaxes or transfer_syntax in JPEGLSTransferSyntaxes:
        return _blank_jpeg(stream)
    return stream


def precision_of(stream: bytes, transfer_syntax: str) -> int | None:
    """Return the bits per sample that a stream itself tells; None where it tells none."""
    if transfer_syntax in JPEGTransferSyntaxes or transfer_syntax in JPEGLSTransferSyntaxes:
        for marker, start, end in _segments(stream):
            if marker == 0xF7 or (0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC)):
                return stream[start] if end > start else None
        return None
    size_at = stream.find(b"\xff\x4f\xff\x51")
    return (stream[size_at + 42] & 0x7F) + 1 if size_at >= 0 and size_at + 42 < len(stream) else None


def _blank_jpeg(stream: bytes) -> bytes:
    blanked = bytearray(stream)
    for marker, start, end in _segments(stream):
        if marker == 0xD9:
            return bytes(blanked[:end])
        if 0xE0 <= marker <= 0xEF or marker == 0xFE:
            beginning, n_kept = _KEPT_BYTES.get(marker, (b"", 0))
            n_kept = n_kept if beginning and stream.startswith(beginning, start) else 0
            blanked[start + n_kept : end] = bytes(max(end - start - n_kept, 0))
    return bytes(blanked)


def _segments(stream: bytes) -> list[tuple[int, int, int]]:
    """List marker, start and end of the content of each segment up to the end of the image."""
    found: list[tuple[int, int, int]] = []
    at = 2
    while match := _MARKER.search(stream, at):
        marker, start = match.group()[1], match.end()
        if marker == 0xD9:
            return [*found, (marker, start, start)]
        if marker == 0xD8:
            at = start
            continue
        end = min(start + int.from_bytes(stream[start : start + 2]), len(stream))
        found.append((marker, start + 2, end))
        at = max(end, start)
    return found


def _blank_jpeg_2000(stream: bytes) -> bytes:
    """Blank comments of main and tile-part headers (ITU-T T.800, annex A), and boxes of text around the code stream."""
    start = stream.find(b"\xff\x4f\xff\x51")
    if start < 0:
        return stream
    blanked = bytearray(stream)
    for box in _TEXT_BOXES:
        at = stream.find(box, 0, start)
        while at >= 4:
            end = min(at - 4 + int.from_bytes(stream[at - 4 : at]), start)
            blanked[at + 4 : end] = bytes(max(end - at - 4, 0))
            at = stream.find(box, at + 4, start)
    at = start + 2
    tile_end = 0
    while at + 4 <= len(stream):
        marker, length = stream[at : at + 2], int.from_bytes(stream[at + 2 : at + 4])
        if marker == b"\xff\xd9":
            return bytes(blanked[: at + 2])
        if marker == b"\xff\x93":  # the data of a tile-part follow
            if tile_end <= at:
                break
            at = tile_end
            continue
        if marker == b"\xff\x90":
            n_tile_bytes = int.from_bytes(stream[at + 6 : at + 10])
            tile_end = at + n_tile_bytes if n_tile_bytes else stream.rfind(b"\xff\xd9")
        elif marker == b"\xff\x64":
            blanked[at + 6 : at + 2 + length] = bytes(max(length - 4, 0))
        at += 2 + length
    end = stream.rfind(b"\xff\xd9")
    return bytes(blanked[: end + 2]) if end > start else bytes(blanked)
