"""Ordinary images: JPEG, PNG and TIFF, whole and damaged."""

import io
import os
import struct
import subprocess
import sys
import time
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, TiffImagePlugin

from lucency.data import codes
from lucency.data.reading import MOST_PIXELS, RefusedImage, is_candidate, read_image

REAL = Path(__file__).parents[3] / "shared" / "data"

GREY = np.random.default_rng(2).integers(0, 256, (20, 30), dtype=np.uint8)
COLOURS = np.random.default_rng(3).integers(0, 256, (20, 30, 3), dtype=np.uint8)
DEEP = np.random.default_rng(4).integers(0, 65536, (20, 30), dtype=np.uint16)


def save(path: Path, pixels, **options) -> Path:
    image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    image.save(path, **options)
    return path


def refusal(path: Path) -> str:
    with pytest.raises(RefusedImage) as refused:
        read_image(path)
    return refused.value.code


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_eight_bit_images_stay_as_they_are(tmp_path, suffix):
    """An 8-bit image is ready for display."""
    image = read_image(save(tmp_path / f"a.{suffix}", GREY))
    assert np.array_equal(image.pixels, GREY)
    assert image.notes == ()
    colours = read_image(save(tmp_path / f"b.{suffix}", COLOURS), colour=True)
    assert np.array_equal(colours.pixels, COLOURS)


def test_grey_stored_in_colour_comes_back_exactly(tmp_path):
    """Most radiographs on the web are grey images in three channels; nothing may be lost or noted."""
    image = read_image(save(tmp_path / "a.png", np.stack([GREY] * 3, -1)))
    assert np.array_equal(image.pixels, GREY)
    assert image.notes == ()


def test_colour_becomes_luma(tmp_path):
    """Grey is 0.299 R + 0.587 G + 0.114 B (ITU-R BT.601)."""
    image = read_image(save(tmp_path / "a.png", COLOURS))
    assert np.abs(image.pixels - COLOURS @ [0.299, 0.587, 0.114]).max() <= 0.51
    assert image.notes == ("N_COLOUR_TO_GREY",)


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_sixteen_bits_keep_their_depth(tmp_path, suffix):
    """`full` leaves the values alone, numbers are a window, `auto` spreads the image's own range."""
    path = save(tmp_path / f"a.{suffix}", DEEP)
    assert np.array_equal(read_image(path, "full").pixels, DEEP)
    windowed = read_image(path, (30_000.5, 20_001.0)).pixels
    assert np.abs(windowed - np.clip((DEEP - 20_000.0) / 20_000 * 65535, 0, 65535)).max() <= 0.51
    narrow = read_image(save(tmp_path / f"b.{suffix}", DEEP // 16))
    assert np.ptp(narrow.pixels) == 65535
    assert narrow.notes == ("N_NO_WINDOW",)


def test_deep_colour_keeps_its_depth(tmp_path):
    """Pillow cuts 16-bit colours to 8; another reader does not."""
    deep = np.stack([DEEP, DEEP[::-1], DEEP[:, ::-1]], -1).astype(">u2")
    rows = b"".join(b"\0" + row.tobytes() for row in deep)
    header = struct.pack(">IIBBBBB", 30, 20, 16, 2, 0, 0, 0)
    content = b"\x89PNG\r\n\x1a\n"
    for name, body in ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")):
        content += struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
    (tmp_path / "a.png").write_bytes(content)
    image = read_image(tmp_path / "a.png", colour=True)
    assert np.array_equal(image.pixels, deep)
    assert image.notes == ()
    grey = read_image(tmp_path / "a.png")
    assert grey.pixels.dtype == np.uint16
    assert np.abs(grey.pixels - deep @ [0.299, 0.587, 0.114]).max() <= 1
    assert grey.notes == ("N_COLOUR_TO_GREY",)


def test_real_and_inverted_tiff_are_shown_the_right_way(tmp_path):
    """TIFF may hold floating point numbers, and may store white as zero."""
    real = read_image(save(tmp_path / "a.tif", DEEP.astype(np.float32) / 7), "full")
    assert np.abs(real.pixels.astype(int) - np.interp(DEEP, (DEEP.min(), DEEP.max()), (0, 65535))).max() <= 1
    for pixels, white in ((GREY, 255), (DEEP, 65535)):
        tags = TiffImagePlugin.ImageFileDirectory_v2()
        image = Image.fromarray(pixels)
        image.save(tmp_path / "b.tif", tiffinfo=tags)
        content = bytearray((tmp_path / "b.tif").read_bytes())
        entry = content.find(struct.pack("<HHI", 262, 3, 1))
        content[entry + 8] = 0
        (tmp_path / "b.tif").write_bytes(content)
        assert np.array_equal(read_image(tmp_path / "b.tif", "full").pixels, white - pixels)
    windowed = read_image(tmp_path / "b.tif", (30_000.5, 20_001.0))
    assert np.abs(windowed.pixels - np.clip((40_000.0 - DEEP) / 20_000 * 65535, 0, 65535)).max() <= 0.51
    assert windowed.notes == ("N_MONOCHROME1",)


def test_palette_transparency_and_ink_are_resolved(tmp_path):
    """A palette is applied, transparency is laid on black, CMYK becomes RGB."""
    palette = Image.fromarray(GREY).convert("P")
    image = read_image(save(tmp_path / "a.png", palette))
    assert np.array_equal(image.pixels, GREY)
    assert "N_PALETTE" in image.notes
    alpha = np.full(GREY.shape, 255, np.uint8)
    opaque = read_image(save(tmp_path / "b.png", np.dstack([COLOURS, alpha])), colour=True)
    assert np.array_equal(opaque.pixels, COLOURS)
    assert opaque.notes == ()
    alpha[:5] = 0
    clear = read_image(save(tmp_path / "c.png", np.dstack([COLOURS, alpha])), colour=True)
    assert (clear.pixels[:5] == 0).all()
    assert np.array_equal(clear.pixels[5:], COLOURS[5:])
    assert clear.notes == ("N_TRANSPARENT",)
    smooth = np.add.outer(np.arange(40), np.arange(60)).astype(np.uint8)
    ink = read_image(save(tmp_path / "d.jpg", Image.fromarray(smooth).convert("CMYK"), quality=95))
    assert np.abs(ink.pixels.astype(int) - smooth).max() <= 3


@pytest.mark.parametrize("suffix", ["jpg", "png", "tif"])
def test_the_noted_orientation_is_applied_once(tmp_path, suffix):
    """A photograph of a film is turned upright as the camera noted."""
    smooth = np.add.outer(np.arange(40), 3 * np.arange(60)).astype(np.uint8)
    exif = Image.Exif()
    exif[274] = 6  # turn by 90° clockwise
    image = read_image(save(tmp_path / f"a.{suffix}", smooth, exif=exif))
    assert image.pixels.shape == (60, 40)
    assert np.abs(image.pixels.astype(int) - np.rot90(smooth, -1)).max() <= 3


def test_several_pages_are_refused(tmp_path):
    """It is not known which page is meant."""
    pages = [Image.fromarray(GREY), Image.fromarray(GREY)]
    pages[0].save(tmp_path / "a.tif", save_all=True, append_images=pages[1:])
    assert refusal(tmp_path / "a.tif") == "E_MULTIFRAME"


@pytest.mark.parametrize(
    ("suffix", "options"),
    [("jpg", {}), ("jpg", {"progressive": True}), ("png", {}), ("tif", {}), ("tif", {"compression": "tiff_lzw"})],
)
def test_a_cut_image_is_refused_or_whole(tmp_path, suffix, options):
    """Half an image in grey must never be learned from: every cut is refused, or has lost nothing but an end mark."""
    whole_path = save(tmp_path / f"whole.{suffix}", np.tile(COLOURS, (4, 4, 1)), **options)
    whole, content = read_image(whole_path, colour=True).pixels, whole_path.read_bytes()
    cut = tmp_path / f"cut.{suffix}"
    seen = set()
    for n_bytes in {*np.linspace(1, len(content) - 1, 150).astype(int), *range(len(content) - 24, len(content))}:
        cut.write_bytes(content[:n_bytes])
        try:
            pixels = read_image(cut, colour=True).pixels
        except RefusedImage as refused:
            seen.add(refused.code)
        else:
            assert np.array_equal(pixels, whole)
    assert seen <= {"E_TRUNCATED", "E_UNREADABLE"}
    cut.write_bytes(content[: len(content) // 2])
    assert refusal(cut) in ({"E_TRUNCATED", "E_UNREADABLE"} if suffix == "tif" else {"E_TRUNCATED"})


def test_a_bomb_is_refused_before_memory_is_taken(tmp_path):
    """A PNG of a few bytes can claim four thousand million pixels."""
    content = bytearray((save(tmp_path / "a.png", GREY)).read_bytes())
    for side in (11_000, 65_000):
        assert side * side > MOST_PIXELS
        content[16:24] = struct.pack(">II", side, side)
        content[29:33] = struct.pack(">I", zlib.crc32(bytes(content[12:29])))
        (tmp_path / "b.png").write_bytes(content)
        assert refusal(tmp_path / "b.png") == "E_SIZEBOMB"


def test_what_is_no_image_is_named(tmp_path):
    """Each way of failing has its code, also a file that has gone."""
    (tmp_path / "empty.png").touch()
    (tmp_path / "text.png").write_text("not an image")
    assert refusal(tmp_path / "empty.png") == "E_EMPTY_FILE"
    assert refusal(tmp_path / "text.png") == "E_UNREADABLE"
    assert refusal(tmp_path / "missing.png") == "E_UNREADABLE"
    assert refusal(tmp_path) == "E_UNREADABLE"


def test_candidates_are_known_by_suffix_or_content(tmp_path):
    """Archives export files without suffix; tables, texts and the droppings of file managers are no images."""
    jpeg = io.BytesIO()
    Image.fromarray(GREY).save(jpeg, "JPEG")
    files = {
        "IM000001": b"\0" * 128 + b"DICM" + b"\0" * 16,
        "scan": jpeg.getvalue(),
        "damaged.DCM": b"?",
        "._IM000001.dcm": b"?",
        "DICOMDIR": b"\0" * 128 + b"DICM",
        "labels.csv": b"image,label\n",
        "notes": b"hello",
        "empty": b"",
    }
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "folder.png").mkdir()
    os.mkfifo(tmp_path / "pipe")
    found = {path.name for path in tmp_path.iterdir() if is_candidate(path)}
    assert found == {"IM000001", "scan", "damaged.DCM"}


def test_every_code_has_plain_words():
    """A code without an explanation is of no use to a radiologist."""
    assert all(code.startswith(("E_", "N_")) and text.endswith(".") for code, text in codes.EXPLANATIONS.items())
    assert codes.REFUSALS.keys() & codes.NOTES.keys() == set()


def test_ordinary_images_are_read_without_pydicom(tmp_path):
    """Importing pydicom takes a second that a folder of PNG files should not pay for."""
    path = save(tmp_path / "a.png", GREY)
    program = (
        "import sys, pathlib; from lucency.data.reading import read_image; "
        f"read_image(pathlib.Path({str(path)!r})); sys.exit('pydicom' in sys.modules or 'torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


@pytest.mark.real
def test_kermany_radiographs_are_read_fast():
    """5,216 radiographs should take seconds; 300 a second is the least even on a busy machine."""
    folder = REAL / "kermany_cxr224"
    if not folder.is_dir():
        pytest.skip("the data set kermany_cxr224 is not beside the project")
    paths = sorted(path for path in folder.rglob("*") if is_candidate(path))[:600]
    begin = time.perf_counter()
    images = [read_image(path) for path in paths]
    assert len(images) == 600
    assert {image.pixels.dtype for image in images} == {np.dtype(np.uint8)}
    assert len(paths) / (time.perf_counter() - begin) > 300
