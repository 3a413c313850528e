"""Laws of reading: what holds for every window, every image and every damaged file."""

import io
import tempfile
import time
from pathlib import Path

import numpy as np
import pydicom
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from lucency.data.grey_levels import (
    GreyLevels,
    as_uint16,
    luma,
    own_range,
    window_linear,
    window_linear_exact,
    window_sigmoid,
)
from lucency.data.reading import RefusedImage, read_image

BUNDLED = Path(pydicom.__file__).parent / "data" / "test_files"
UNCOMPRESSED = ["MR_small.dcm", "MR_small_implicit.dcm", "MR_small_expb.dcm", "SC_rgb_small_odd.dcm"]
COMPRESSED = [
    "MR_small_RLE.dcm",
    "MR_small_jp2klossless.dcm",
    "MR_small_jpeg_ls_lossless.dcm",
    "SC_rgb_jpeg_gdcm.dcm",
    "SC_rgb_small_odd_jpeg.dcm",
    "JPGExtended.dcm",
]

small_images = st.sampled_from(["u1", "i1", "u2", "i2", "u4", "i4"]).flatmap(
    lambda dtype: arrays(dtype, st.tuples(st.integers(1, 9), st.integers(1, 9)))
)


@given(small_images)
def test_levels_rebuild_the_image(image):
    """Working on each value once must be the same as working on each pixel."""
    levels = GreyLevels.of(image)
    assert np.array_equal(levels.painted(levels.values), image)
    assert levels.counts().sum() == image.size


@given(
    st.sampled_from([window_linear, window_linear_exact, window_sigmoid]),
    st.floats(-2000, 4000),
    st.floats(0.01, 8000),
)
def test_a_window_never_turns_dark_into_bright(window, centre, width):
    """Brightness rises with the value and stays between black and white."""
    brightness = window(np.arange(-3000, 6000, 7.0), centre, width)
    assert (np.diff(brightness) >= 0).all()
    assert brightness.min() >= 0
    assert brightness.max() <= 1


@given(small_images)
def test_the_own_range_lies_within_the_image(image):
    """The range is made of values that occur, and holds at least 99.8 % of the pixels."""
    levels = GreyLevels.of(image)
    low, high = own_range(levels.values.astype(float), levels.counts())
    assert image.min() <= low <= high <= image.max()
    assert ((image >= low) & (image <= high)).mean() >= 0.998
    assert high > low or image.min() == image.max()


@given(arrays(np.uint16, (5, 6)))
def test_luma_of_grey_is_grey(image):
    """Grey stored in three channels must come back as it was."""
    assert np.array_equal(luma(np.stack([image] * 3, -1)), image)
    eight_bit = (image >> 8).astype(np.uint8)
    assert np.array_equal(luma(np.stack([eight_bit] * 3, -1)), eight_bit)


@given(arrays(np.float64, 20, elements=st.floats(0, 1)))
def test_sixteen_bits_keep_the_order(brightness):
    """Black is 0, white is 65535, and order is kept."""
    order = np.argsort(brightness)
    assert (np.diff(as_uint16(brightness)[order].astype(int)) >= 0).all()
    assert as_uint16(np.array([0.0, 1.0])).tolist() == [0, 65535]


def _ordinary_files() -> dict[str, bytes]:
    pixels = np.random.default_rng(5).integers(0, 256, (12, 15, 3), dtype=np.uint8)
    files = {}
    for name in ("JPEG", "PNG", "TIFF"):
        buffer = io.BytesIO()
        Image.fromarray(pixels).save(buffer, name)
        files[name] = buffer.getvalue()
    buffer = io.BytesIO()
    Image.fromarray(pixels[..., 0].astype(np.uint16) * 200).save(buffer, "TIFF", compression="tiff_lzw")
    return files | {"deep TIFF": buffer.getvalue()}


@st.composite
def damaged(draw, contents):
    """Draw a file with a few bytes changed, left out, or cut off; the header is hit more often than the rest."""
    content = bytearray(draw(st.sampled_from(contents)))
    for _ in range(draw(st.integers(1, 4))):
        reach = draw(st.sampled_from([300, 2000, len(content)]))
        content[draw(st.integers(0, min(reach, len(content)) - 1))] = draw(st.integers(0, 255))
    at = draw(st.integers(0, len(content) - 1))
    match draw(st.sampled_from(["keep", "keep", "cut", "leave out"])):
        case "cut":
            del content[at:]
        case "leave out":
            del content[at : at + draw(st.integers(1, 40))]
    return bytes(content)


def _check_that_it_ends_well(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "damaged.dcm"
        path.write_bytes(content)
        begin = time.perf_counter()
        try:
            image = read_image(path)
        except RefusedImage:
            pass
        else:
            assert image.pixels.dtype in (np.uint8, np.uint16)
            assert image.pixels.ndim == 2
        assert time.perf_counter() - begin < 30


UNHURRIED = settings(deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)


@settings(UNHURRIED, max_examples=200)
@given(damaged(list(_ordinary_files().values())))
def test_a_damaged_ordinary_file_is_read_or_refused(content):
    """No damage may end in a traceback or an endless wait."""
    _check_that_it_ends_well(content)


@settings(UNHURRIED, max_examples=250)
@given(damaged([(BUNDLED / name).read_bytes() for name in UNCOMPRESSED]))
def test_a_damaged_dicom_file_is_read_or_refused(content):
    """No damage may end in a traceback or an endless wait."""
    _check_that_it_ends_well(content)


@settings(UNHURRIED, max_examples=60)
@given(damaged([(BUNDLED / name).read_bytes() for name in COMPRESSED]))
def test_a_damaged_compressed_file_is_read_or_refused(content):
    """Decoders written in C abort on some damaged streams; the program must go on."""
    _check_that_it_ends_well(content)


@pytest.mark.parametrize("name", COMPRESSED)
def test_a_compressed_stream_can_be_damaged_anywhere(name):
    """The pixel data is most of a file: a few wrong bytes at 12 places each."""
    content = (BUNDLED / name).read_bytes()
    start = content.rfind(b"\xe0\x7f\x10\x00")
    for at in np.linspace(start + 20, len(content) - 8, 12).astype(int):
        _check_that_it_ends_well(content[:at] + b"\x00\xff\xda" + content[at + 3 :])
