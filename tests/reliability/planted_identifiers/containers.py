"""80 identifiers in the container: file meta, preamble, padding, signatures, compressed streams, trailing bytes."""

import io

from PIL import Image
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.uid import DeflatedExplicitVRLittleEndian, JPEGBaseline8Bit

from .drawing import soft_tissue
from .folder import Draft, Folder, set_pixels
from .mint import Token

GROUP = "container"
META = (
    (0x00020013, "SH"),
    (0x00020016, "AE"),
    (0x00020017, "AE"),
    (0x00020018, "AE"),
    (0x00020026, "UR"),
    (0x00020100, "UI"),
    (0x00020102, "OB"),
)


def plant_containers(folder: Folder) -> None:
    """Plant 28 tokens in file meta, 19 around the dataset, 22 in signatures and streams, 11 in pixel data's slack."""
    for _ in range(4):
        _write_meta(folder)
    for _ in range(5):
        _write_preamble(folder)
        _write_trailing_bytes(folder)
        _write_padding(folder)
        _write_long_pixels(folder)
    for _ in range(4):
        _write_group_length(folder)
        _write_jpeg(folder, is_comment=True)
    for _ in range(2):
        _write_signature(folder)
        _write_deflated(folder)
        _write_original_attributes(folder)
        _write_jpeg(folder, is_comment=False)


def _draft(folder: Folder) -> Draft:
    return folder.draft(GROUP, folder.new_person())


def _write_meta(folder: Folder) -> None:
    draft = _draft(folder)
    for tag, vr in META:
        folder.put(draft, tag, vr, into=draft.dataset.file_meta)
    folder.write(draft)


def _write_preamble(folder: Folder) -> None:
    draft, word = _draft(folder), folder.mint.word()
    draft.dataset.preamble = word.encode().ljust(128, b"\0")
    folder.plant(draft, "preamble", Token(None, (word,)))
    folder.write(draft)


def _write_trailing_bytes(folder: Folder) -> None:
    draft, word = _draft(folder), folder.mint.word()
    folder.plant(draft, "bytes after the dataset", Token(None, (word,)))
    path = folder.write(draft)
    path.write_bytes(path.read_bytes() + b"\0\0" + word.encode())


def _write_padding(folder: Folder) -> None:
    draft = _draft(folder)
    folder.put(draft, 0xFFFCFFFC, "OB")
    folder.write(draft)


def _write_group_length(folder: Folder) -> None:
    """Abuse a group length, whose number nobody needs, as a carrier of four bytes."""
    draft = _draft(folder)
    path = folder.write(draft)
    content = folder.mint.random.randbytes(4)
    folder.plant(draft, "(0008,0000) UL group length", Token(None, (content,), is_short=True))
    written = path.read_bytes()
    begin = written.index(b"\x08\x00\x05\x00CS")  # the dataset's first element
    path.write_bytes(written[:begin] + b"\x08\x00\x00\x00UL\x04\x00" + content + written[begin:])


def _write_long_pixels(folder: Folder) -> None:
    """Let the pixel data be longer than the picture."""
    draft, word = _draft(folder), folder.mint.word()
    draft.dataset.PixelData = draft.dataset.PixelData + word.encode()
    folder.plant(draft, "(7FE0,0010) after the last pixel", Token(None, (word,)))
    folder.write(draft)


def _write_jpeg(folder: Folder, is_comment: bool) -> None:
    """Write a word into a JPEG stream: as its comment, or after its end."""
    draft, word = folder.draft(GROUP, folder.new_person(), modality="CR"), folder.mint.word()
    pixels = (soft_tissue(64, 64, draft.number) * 255).astype("u1")
    set_pixels(draft.dataset, pixels, n_bits=8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=95, **({"comment": word.encode()} if is_comment else {}))
    stream = buffer.getvalue() + (b"" if is_comment else word.encode())
    draft.dataset.add_new(0x7FE00010, "OB", encapsulate([stream]))
    draft.dataset["PixelData"].is_undefined_length = True
    draft.dataset.LossyImageCompression = "01"
    place = "comment of a JPEG stream" if is_comment else "after the end of a JPEG stream"
    folder.plant(draft, place, Token(None, (word,)))
    folder.write(draft, JPEGBaseline8Bit)


def _write_signature(folder: Folder) -> None:
    draft, signature = _draft(folder), Dataset()
    signature.MACIDNumber, signature.CertificateType = 1, "X509_1993_SIG"
    folder.put(draft, 0x04000115, "OB", into=signature, depth=1)
    folder.put(draft, 0x04000120, "OB", into=signature, depth=1)
    folder.put(draft, 0x04000105, "DT", into=signature, depth=1)
    draft.dataset.add_new(0xFFFAFFFA, "SQ", [signature])
    folder.write(draft)


def _write_deflated(folder: Folder) -> None:
    draft = _draft(folder)
    for tag, vr in ((0x00080080, "LO"), (0x00081048, "PN"), (0x00204000, "LT"), (0x00081010, "SH"), (0x00321032, "PN")):
        folder.put(draft, tag, vr)
    folder.write(draft, DeflatedExplicitVRLittleEndian)


def _write_original_attributes(folder: Folder) -> None:
    draft, original, modified = _draft(folder), Dataset(), Dataset()
    folder.put(draft, 0x00100010, "PN", into=modified, depth=2)
    folder.put(draft, 0x00100020, "LO", into=modified, depth=2)
    folder.put(draft, 0x04000564, "LO", into=original, depth=1)
    original.ModifiedAttributesSequence = [modified]
    original.ReasonForTheAttributeModification = "COERCE"
    draft.dataset.OriginalAttributesSequence = [original]
    folder.write(draft)
