"""DICOM reading against files whose pixels are known, and against pydicom's own."""

import concurrent.futures
import logging
import os
import signal
import struct
import warnings
from pathlib import Path

import gdcm
import numpy as np
import pydicom
import pytest
from dicom_files import DX_FOR_PRESENTATION, dataset, write, write_dicom, write_jpeg_baseline, write_with_gdcm
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.pixels import apply_modality_lut, apply_voi_lut
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    RLELossless,
)

from lucency.data import codes
from lucency.data.dicom import decoding
from lucency.data.reading import RefusedImage, is_candidate, read_image

BUNDLED = Path(pydicom.__file__).parent / "data"
REAL = Path(__file__).parents[3] / "shared" / "data"

RAMP = np.arange(0, 4096, 2, dtype=np.uint16).reshape(32, 64)
"""Every second value of 12 bits."""
COLOURS = np.random.default_rng(1).integers(0, 256, (16, 24, 3), dtype=np.uint8)


def shown(values, low, high):
    """Return what a linear window from `low` to `high` must show."""
    return np.rint(np.clip((values.astype(float) - low) / (high - low), 0, 1) * 65535).astype(np.uint16)


def refusal(path: Path) -> str:
    with pytest.raises(RefusedImage) as refused:
        read_image(path)
    return refused.value.code


FULL = shown(RAMP, 0, 4095)


@pytest.mark.parametrize(
    "syntax",
    [ImplicitVRLittleEndian, ExplicitVRLittleEndian, DeflatedExplicitVRLittleEndian, RLELossless, JPEG2000Lossless],
    ids=lambda syntax: syntax.name,
)
def test_every_lossless_syntax_gives_the_stored_values(tmp_path, syntax):
    """The encoding of a file must not change what the network sees."""
    header = dataset(RAMP, bits_stored=12)
    if syntax.is_compressed and syntax != DeflatedExplicitVRLittleEndian:
        header.compress(syntax, generate_instance_uid=False)
    else:
        header.file_meta.TransferSyntaxUID = syntax
    assert np.array_equal(read_image(write(tmp_path / "a.dcm", header), "full").pixels, FULL)


def test_big_endian_gives_the_stored_values(tmp_path):
    """The byte order of a file must not change what the network sees."""
    header = dataset(RAMP.astype(">u2"), bits_stored=12)
    header.file_meta.TransferSyntaxUID = ExplicitVRBigEndian
    assert np.array_equal(read_image(write(tmp_path / "a.dcm", header), "full").pixels, FULL)


@pytest.mark.parametrize("name", ["JPEGLosslessProcess14", "JPEGLosslessProcess14_1", "JPEGLSLossless"])
def test_lossless_jpeg_gives_the_stored_values(tmp_path, name):
    """Most compressed radiographs of an archive are JPEG lossless."""
    path = write_with_gdcm(tmp_path / "a.dcm", RAMP, getattr(gdcm.TransferSyntax, name), bits_stored=12)
    assert np.array_equal(read_image(path, "full").pixels, FULL)


def test_near_lossless_jpeg_ls_stays_near(tmp_path):
    """Near-lossless JPEG-LS may differ by its stated error only."""
    path = write_with_gdcm(tmp_path / "a.dcm", RAMP, gdcm.TransferSyntax.JPEGLSNearLossless, bits_stored=12)
    assert np.abs(read_image(path, "full").pixels / 16.0 - FULL / 16.0).max() <= 3


@pytest.mark.parametrize("shape", [(16, 24), (17, 23), (16, 24, 3)])
def test_jpeg_baseline_is_close_to_the_stored_values(tmp_path, shape):
    """JPEG baseline is lossy: a smooth image comes back within a few grey levels, colours with their colour."""
    smooth = np.add.outer(np.linspace(0, 100, shape[0]), np.linspace(0, 120, shape[1]))
    stored = (smooth if len(shape) == 2 else np.stack([smooth, smooth / 2, 220 - smooth], -1)).astype(np.uint8)
    elements = {"PhotometricInterpretation": "YBR_FULL"} if len(shape) == 3 else {}
    image = read_image(write_jpeg_baseline(tmp_path / "a.dcm", stored, **elements), "auto", colour=True)
    assert image.pixels.dtype == np.uint8
    assert np.abs(image.pixels.astype(int) - stored).max() <= 6


def test_jpeg_extended_of_12_bits_is_decoded():
    """Pydicom declines this syntax; the two pixels are those that its own test suite names for this file."""
    path = BUNDLED / "test_files" / "JPGExtended.dcm"
    image = read_image(path, (132.5, 265.0))  # 0 … 264 linearly
    assert image.pixels.shape == (1024, 256)
    assert image.pixels[420, 140] == round(244 / 264 * 65535)
    assert image.pixels[230, 120] == round(95 / 264 * 65535)


def test_eight_bits_without_window_stay_as_they_are(tmp_path):
    """Ultrasound and secondary captures are ready for display; rounding would only lose."""
    stored = np.arange(256, dtype=np.uint8).reshape(16, 16)
    for window in ("auto", "full"):
        assert np.array_equal(read_image(write_dicom(tmp_path / "a.dcm", stored), window).pixels, stored)
    inverted = read_image(write_dicom(tmp_path / "b.dcm", stored, PhotometricInterpretation="MONOCHROME1"))
    assert inverted.pixels.dtype == np.uint8
    assert np.array_equal(inverted.pixels, 255 - stored)
    same = read_image(write_dicom(tmp_path / "c.dcm", stored, WindowCenter=128, WindowWidth=256))
    assert np.array_equal(same.pixels, stored)
    narrow = read_image(write_dicom(tmp_path / "d.dcm", stored, WindowCenter=100, WindowWidth=51))
    assert np.array_equal(narrow.pixels, shown(stored, 74.5, 124.5))


def test_monochrome1_is_inverted_with_a_note(tmp_path):
    """Bone must be bright whatever the vendor stores."""
    path = write_dicom(tmp_path / "a.dcm", RAMP, bits_stored=12, PhotometricInterpretation="MONOCHROME1")
    image = read_image(path, "full")
    assert np.abs(image.pixels.astype(int) - (65535 - FULL.astype(int))).max() <= 1
    assert "N_MONOCHROME1" in image.notes


def test_rescale_brings_numbers_in_hounsfield_units(tmp_path):
    """A window of the plan is in Hounsfield units, not in stored values; slope and intercept may have decimal commas."""
    header = dataset(RAMP, bits_stored=12, RescaleSlope=0.5, RescaleIntercept=-1000)
    plain = read_image(write(tmp_path / "a.dcm", header), (40.0, 401.0))
    assert np.array_equal(plain.pixels, shown(RAMP * 0.5 - 1000, -160.5, 239.5))
    content = (tmp_path / "a.dcm").read_bytes().replace(b"DS\x04\x000.5 ", b"DS\x04\x000,5 ")
    (tmp_path / "b.dcm").write_bytes(content)
    comma = read_image(tmp_path / "b.dcm", (40.0, 401.0))
    assert np.array_equal(comma.pixels, plain.pixels)
    assert "N_COMMA_DECIMAL" in comma.notes


def test_a_sign_that_matters_and_is_not_told_is_refused(tmp_path):
    """−1 would become the brightest value of all; images of 8 bits are never signed."""
    deep, plain = dataset(np.array([[0, 65535], [9, 2]], np.uint16)), dataset(np.array([[0, 255], [9, 2]], np.uint8))
    for header in (deep, plain):
        del header.PixelRepresentation
    assert refusal(write(tmp_path / "a.dcm", deep)) == "E_BAD_HEADER"
    assert read_image(write(tmp_path / "b.dcm", plain)).pixels.max() == 255


def test_signed_values_keep_their_sign(tmp_path):
    """CT stores Hounsfield units as signed numbers, often in fewer bits than are allocated."""
    stored = (RAMP.astype(np.int16) - 2048).astype(np.int16)
    path = write_dicom(tmp_path / "a.dcm", stored, bits_stored=12)
    assert np.array_equal(read_image(path, "full").pixels, FULL)
    sign_lost = (stored.view(np.uint16) & 0x0FFF).view(np.int16)
    header = dataset(sign_lost, bits_stored=12)
    image = read_image(write(tmp_path / "b.dcm", header), "full")
    assert np.array_equal(image.pixels, FULL)
    assert "N_HIGH_BITS" in image.notes


def test_an_overlay_in_the_high_bits_is_removed(tmp_path):
    """Old scanners keep the annotation in the unused bits; it would be the brightest thing in the image."""
    overlay = np.zeros_like(RAMP)
    overlay[5:9, 7:30] = 0x8000
    image = read_image(write_dicom(tmp_path / "a.dcm", RAMP | overlay, bits_stored=12), "full")
    assert np.array_equal(image.pixels, FULL)
    assert "N_HIGH_BITS" in image.notes


def test_a_high_bit_above_the_stored_bits_is_respected(tmp_path):
    """Retired but found: 12 bits stored in the upper part of 16."""
    path = write_dicom(tmp_path / "a.dcm", RAMP << 4, bits_stored=12, HighBit=15)
    assert np.array_equal(read_image(path, "full").pixels, FULL)


@pytest.mark.parametrize("function", ["LINEAR", "LINEAR_EXACT", "SIGMOID"])
@pytest.mark.parametrize(("centre", "width"), [([600, 40], [1200, 400]), (2000.5, 1), (1000, 3000)])
def test_stored_windows_agree_with_pydicom(tmp_path, function, centre, width):
    """The first window of the header is applied by the formula of the standard."""
    header = dataset(RAMP, bits_stored=12, WindowCenter=centre, WindowWidth=width, VOILUTFunction=function)
    header.RescaleSlope, header.RescaleIntercept = 1, -100
    mine = read_image(write(tmp_path / "a.dcm", header)).pixels
    reference = apply_voi_lut(apply_modality_lut(header.pixel_array, header), header)
    low, high = -100, 3995  # pydicom shows windows within the range of the rescaled values
    assert np.abs(mine.astype(int) - shown(reference, low, high).astype(int)).max() <= 1


def test_modality_and_voi_luts_agree_with_pydicom(tmp_path):
    """Mammographs and film digitisers describe the grey scale by tables."""
    modality, voi = Dataset(), Dataset()
    modality.LUTDescriptor, modality.ModalityLUTType = [4096, 0, 16], "US"
    modality.LUTData = (np.arange(4096) * 3 // 2).astype("<u2").tobytes()
    voi.LUTDescriptor = [5000, 500, 12]
    voi.LUTData = np.clip(np.sqrt(np.arange(5000)) * 58, 0, 4095).astype("<u2").tobytes()
    for item in (modality, voi):
        item["LUTDescriptor"].VR, item["LUTData"].VR = "US", "OW"
    header = dataset(RAMP, bits_stored=12, ModalityLUTSequence=[modality], VOILUTSequence=[voi])
    mine = read_image(write(tmp_path / "a.dcm", header)).pixels
    header = pydicom.dcmread(tmp_path / "a.dcm")
    reference = apply_voi_lut(apply_modality_lut(header.pixel_array, header), header)
    assert np.array_equal(mine, shown(reference, 0, 4095))


def test_without_a_window_one_hot_pixel_does_not_darken_the_image(tmp_path):
    """The own range leaves out the outermost 0.1 % of the pixels."""
    stored = RAMP.copy() // 8
    stored[0, 0] = 4095
    image = read_image(write_dicom(tmp_path / "a.dcm", stored, bits_stored=12))
    assert np.median(image.pixels) > 30_000
    assert "N_NO_WINDOW" in image.notes


def test_a_window_that_blanks_the_image_is_replaced(tmp_path):
    """Some headers carry a window in other units than the pixels: the image would be one black square."""
    path = write_dicom(tmp_path / "a.dcm", RAMP, bits_stored=12, WindowCenter=-9000, WindowWidth=100)
    image = read_image(path)
    assert np.ptp(image.pixels) == 65535
    assert "N_BAD_WINDOW" in image.notes


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
def test_padding_is_black_and_outside_the_range(tmp_path, photometric):
    """The circle around a CT slice must neither widen the range nor become white by inversion."""
    stored = (RAMP // 4).astype(np.int16)
    stored[:4] = -2000
    header = dataset(stored, PhotometricInterpretation=photometric, PixelPaddingValue=-2000)
    image = read_image(write(tmp_path / "a.dcm", header))
    assert (image.pixels[:4] == 0).all()
    assert np.ptp(image.pixels[4:]) == 65535
    assert "N_PADDING" in image.notes


def test_colours_become_luma_or_stay(tmp_path):
    """Grey is ITU-R BT.601; colour is untouched."""
    path = write_dicom(tmp_path / "a.dcm", COLOURS)
    assert np.array_equal(read_image(path, colour=True).pixels, COLOURS)
    grey = read_image(path)
    assert np.abs(grey.pixels - COLOURS @ [0.299, 0.587, 0.114]).max() <= 0.51
    assert "N_COLOUR_TO_GREY" in grey.notes


def test_deep_colours_use_the_full_range(tmp_path):
    """Colours of 12 bits are spread over 16."""
    stored = COLOURS.astype(np.uint16) * 16
    image = read_image(write_dicom(tmp_path / "a.dcm", stored, bits_stored=12), colour=True)
    assert np.array_equal(image.pixels, shown(stored, 0, 4095))


def test_planar_ybr_and_palette_colours_agree_with_pydicom():
    """Colour spaces are undone by pydicom's own conversion; a palette is applied."""
    for name in ("examples_rgb_color.dcm", "SC_rgb_dcmtk_+eb+cy+np.dcm", "SC_ybr_full_422_uncompressed.dcm"):
        header = pydicom.dcmread(BUNDLED / "test_files" / name)
        assert np.array_equal(read_image(BUNDLED / "test_files" / name, colour=True).pixels, header.pixel_array)
    path = BUNDLED / "test_files" / "examples_palette.dcm"
    header = pydicom.dcmread(path)
    expected = pydicom.pixels.apply_color_lut(header.pixel_array, header)
    image = read_image(path, colour=True)
    assert np.array_equal(image.pixels, expected)
    assert "N_PALETTE" in image.notes


def test_real_valued_pixels_are_shown_over_their_range(tmp_path):
    """Parametric maps hold floating point numbers."""
    header = dataset(RAMP)
    del header.PixelData
    header.BitsAllocated = 32
    header.FloatPixelData = (RAMP / 7.0 - 100).astype("<f4").tobytes()
    assert (
        np.abs(read_image(write(tmp_path / "a.dcm", header), "full").pixels.astype(int) - shown(RAMP, 0, 4094)).max()
        < 2
    )


def test_the_header_says_who_and_where(tmp_path):
    """What curation, the split and the subgroups need, in one form."""
    path = write_dicom(
        tmp_path / "a.dcm",
        RAMP,
        PatientID=" 00ab7 ",
        IssuerOfPatientID="Ward",
        InstitutionName="North",
        PatientSex="F",
        PatientAge="093Y",
        ImageLaterality="L",
        ViewPosition="MLO",
        PixelSpacing=[0.2, 0.1],
    )
    image = read_image(path)
    facts = image.facts
    assert (facts.patient, facts.exam, facts.series, facts.instance) == ("AB7@WARD", "1.2.3", "1.2.3.1", "1.2.3.4")
    assert (facts.site, facts.sex, facts.laterality, facts.view, facts.modality) == ("North", "F", "L", "MLO", "DX")
    assert facts.age_years == 90
    assert image.spacing_mm == (0.2, 0.1)
    assert "N_NOT_SQUARE" in image.notes


def test_the_header_says_how_an_image_was_made(tmp_path):
    """The acquisition protocol; of the date only the year, of numbers only those that can be."""
    how = {"Manufacturer": "Acme", "ManufacturerModelName": "X1", "StudyDate": "20190412", "KVP": "110.0",
           "SliceThickness": "1.50", "ConvolutionKernel": ["B30f", "x"], "MagneticFieldStrength": "1.5"}  # fmt: skip
    facts = read_image(write_dicom(tmp_path / "a.dcm", RAMP, **how)).facts
    assert (facts.manufacturer, facts.model, facts.year, facts.kvp) == ("Acme", "X1", "2019", "110")
    assert (facts.slice_thickness_mm, facts.kernel, facts.field_strength_tesla) == ("1.5", "B30f", "1.5")
    odd = read_image(write_dicom(tmp_path / "b.dcm", RAMP, StudyDate="", KVP="", FilterType="WEDGE")).facts
    assert (odd.year, odd.kvp, odd.kernel, odd.manufacturer) == ("", "", "WEDGE", "")


@pytest.mark.parametrize(
    ("elements", "years"),
    [
        ({"PatientAge": "045Y"}, 45),
        ({"PatientAge": "018M"}, 1),
        ({"PatientAge": "010D"}, 0),
        ({"PatientBirthDate": "19500615", "StudyDate": "20200614"}, 69),
        ({"PatientAge": "abc"}, None),
    ],
)
def test_age_is_in_completed_years(tmp_path, elements, years):
    """Ages come in days, weeks, months or years, or as two dates."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pydicom warns while it writes an invalid age
        path = write_dicom(tmp_path / "a.dcm", RAMP, **elements)
    assert read_image(path).facts.age_years == years


def test_a_file_without_preamble_is_read_with_a_note(tmp_path):
    """Old archives hold bare datasets; they are images all the same, also without a suffix."""
    path = write_dicom(tmp_path / "a.dcm", RAMP, bits_stored=12)
    bare = tmp_path / "IM0001"
    content = path.read_bytes()
    meta_length = struct.unpack("<I", content[140:144])[0]
    bare.write_bytes(content[144 + meta_length :])
    assert is_candidate(bare)
    image = read_image(bare, "full")
    assert np.array_equal(image.pixels, FULL)
    assert "N_NO_PREAMBLE" in image.notes


def test_every_cut_of_a_file_is_refused(tmp_path):
    """Half an image is not an image: no cut, wherever it is, may give pixels."""
    header = dataset(RAMP, bits_stored=12)
    native = write(tmp_path / "native.dcm", header).read_bytes()
    header.compress(RLELossless, generate_instance_uid=False)
    rle = write(tmp_path / "rle.dcm", header).read_bytes()
    write_with_gdcm(tmp_path / "jpeg.dcm", RAMP, gdcm.TransferSyntax.JPEGLosslessProcess14_1, bits_stored=12)
    cut = tmp_path / "cut.dcm"
    for content in (native, rle, (tmp_path / "jpeg.dcm").read_bytes()):
        for n_bytes in np.linspace(1, len(content) - 9, 40).astype(int):
            cut.write_bytes(content[:n_bytes])
            assert refusal(cut) in ("E_TRUNCATED", "E_UNREADABLE")
    for n_bytes in (len(native) - 2, len(native) // 2):
        cut.write_bytes(native[:n_bytes])
        assert refusal(cut) == "E_TRUNCATED"


def test_an_image_larger_than_its_file_is_refused_before_memory_is_taken(tmp_path):
    """Rows and columns are only a claim."""
    assert refusal(write_dicom(tmp_path / "a.dcm", RAMP, Rows=60_000, Columns=60_000)) == "E_SIZEBOMB"
    assert refusal(write_dicom(tmp_path / "b.dcm", RAMP, Rows=9_000, Columns=9_000)) == "E_TRUNCATED"
    header = dataset(RAMP, bits_stored=12)
    header.compress(JPEG2000Lossless, generate_instance_uid=False)
    header.Rows = 9_000
    assert refusal(write(tmp_path / "c.dcm", header)) == "E_BAD_HEADER"


def test_a_file_that_unfolds_without_bound_is_refused_before_it_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A few deflated kilobytes can hold gigabytes of zeros."""
    header = dataset(np.zeros((500, 500), np.uint16))
    header.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    path = write(tmp_path / "bomb.dcm", header)
    monkeypatch.setattr("lucency.data.dicom.header.MOST_BYTES", 100_000)
    assert path.stat().st_size < 10_000
    assert refusal(path) == "E_SIZEBOMB"


@pytest.mark.parametrize(
    ("elements", "code"),
    [
        ({"NumberOfFrames": 2}, "E_MULTIFRAME"),
        ({"Modality": "SEG"}, "E_NOT_IMAGE"),
        ({"RescaleSlope": 0}, "E_BAD_HEADER"),
        ({"Rows": 0}, "E_BAD_HEADER"),
        ({"BitsStored": 17}, "E_BAD_HEADER"),
        ({"PixelRepresentation": 2}, "E_BAD_HEADER"),
        ({"PhotometricInterpretation": "HSV"}, "E_CODEC"),
    ],
)
def test_what_cannot_be_shown_rightly_is_refused(tmp_path, elements, code):
    """Each reason has its code, and each code its plain words."""
    assert refusal(write_dicom(tmp_path / "a.dcm", RAMP, **elements)) == code
    assert code in codes.EXPLANATIONS


def test_a_stream_that_is_labelled_as_plain_numbers_is_refused(tmp_path):
    """A program unpacked the label and not the pixels: as numbers they are noise."""
    header = dataset(RAMP)
    plain = header.PixelData
    header.compress(RLELossless, generate_instance_uid=False)
    stream, header.file_meta.TransferSyntaxUID = header.PixelData, pydicom.uid.ExplicitVRLittleEndian
    header.PixelData = stream.ljust(len(plain), b"\0")
    header["PixelData"].is_undefined_length = False
    assert refusal(write(tmp_path / "a.dcm", header)) == "E_UNREADABLE"


def test_video_is_refused_as_undecodable(tmp_path):
    """MPEG-4 is no still image."""
    header = dataset(RAMP)
    header.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.4.102"
    header.PixelData = encapsulate([b"\0" * 64])
    header["PixelData"].is_undefined_length = True
    assert refusal(write(tmp_path / "a.dcm", header)) == "E_CODEC"


def test_objects_without_pixels_are_not_images(tmp_path):
    """Reports and structure sets lie among the images of every export."""
    header = dataset(RAMP)
    for keyword in ("PixelData", "Rows", "Columns"):
        delattr(header, keyword)
    header.SOPClassUID, header.Modality = "1.2.840.10008.5.1.4.1.1.88.11", "SR"
    assert refusal(write(tmp_path / "a.dcm", header)) == "E_NOT_IMAGE"


def test_a_refusal_does_not_name_the_patient(tmp_path):
    """Messages end up in logs and mails."""
    path = write_dicom(tmp_path / "a.dcm", RAMP, PatientID="SECRET7", PatientName="Doe^Jane", Rows=0)
    with pytest.raises(RefusedImage) as refused:
        read_image(path)
    assert "SECRET7" not in str(refused.value)
    assert "Doe" not in str(refused.value)
    assert refused.value.__suppress_context__ or refused.value.__context__ is None


def test_damaged_streams_cannot_end_the_program(tmp_path, monkeypatch):
    """GDCM aborts the process on some damaged streams: the child dies, the image is refused, the next one is read."""
    path = write_with_gdcm(tmp_path / "a.dcm", RAMP, gdcm.TransferSyntax.JPEGLSLossless, bits_stored=12)
    whole = path.read_bytes()
    at = whole.rfind(b"\xff\xda")
    (tmp_path / "b.dcm").write_bytes(whole[: at + 30] + bytes(range(200)) + whole[at + 230 :])
    assert refusal(tmp_path / "b.dcm") == "E_UNREADABLE"
    assert np.array_equal(read_image(path, "full").pixels, FULL)
    child = decoding._idle_children[-1]
    child.kill()
    child.wait()
    assert np.array_equal(read_image(path, "full").pixels, FULL)
    monkeypatch.setattr(decoding, "MOST_SECONDS", 0.2)
    os.kill(decoding._idle_children[-1].pid, signal.SIGSTOP)  # it hangs
    assert refusal(path) == "E_UNREADABLE"


def test_threads_read_the_same_pixels_in_silence(tmp_path, capfd, recwarn, caplog):
    """Reading runs in a pool of threads; remarks of the libraries, which may quote the header, stay inside."""
    odd = dataset(RAMP, bits_stored=12)
    odd.PixelData = odd.PixelData + b"\0" * 100
    compressed = dataset(RAMP, bits_stored=12)
    compressed.compress(JPEG2000Lossless, generate_instance_uid=False)
    paths = [write(tmp_path / "a.dcm", odd), write(tmp_path / "b.dcm", compressed)] * 20
    with caplog.at_level(logging.DEBUG), concurrent.futures.ThreadPoolExecutor(3) as pool:
        images = list(pool.map(lambda path: read_image(path, "full").pixels, paths))
    assert all(np.array_equal(image, FULL) for image in images)
    assert capfd.readouterr() == ("", "")
    assert not recwarn.list
    assert not caplog.records


def test_every_file_bundled_with_pydicom_is_read_or_refused():
    """These files are the collected trouble of twenty years; 80 of them at least are images."""
    outcomes: dict[str, list[str]] = {}
    for path in sorted(BUNDLED.rglob("*")):
        if path.is_file() and is_candidate(path):
            try:
                read_image(path)
            except RefusedImage as refused:
                outcomes.setdefault(refused.code, []).append(path.name)
            else:
                outcomes.setdefault("read", []).append(path.name)
    assert len(outcomes["read"]) >= 85
    assert set(outcomes) <= {"read", *codes.REFUSALS}
    assert "E_CODEC" not in outcomes
    assert "MR_truncated.dcm" in outcomes["E_TRUNCATED"]
    assert {"rtstruct.dcm", "rtplan.dcm", "test-SR.dcm", "liver_1frame.dcm"} <= set(outcomes["E_NOT_IMAGE"])


@pytest.mark.parametrize(
    "name", ["CT_small.dcm", "MR_small.dcm", "MR_small_RLE.dcm", "MR_small_expb.dcm", "MR_small_jp2klossless.dcm"]
)
def test_bundled_images_agree_with_pydicoms_pipeline(name):
    """The whole way from file to grey value, against an independent one."""
    path = BUNDLED / "test_files" / name
    header = pydicom.dcmread(path)
    rescaled = apply_modality_lut(header.pixel_array, header).astype(float)
    low, high = np.percentile(rescaled, [5, 95])
    window = ((low + high) / 2 + 0.5, high - low + 1)
    assert np.abs(read_image(path, window).pixels.astype(int) - shown(rescaled, low, high)).max() <= 1


@pytest.mark.real
@pytest.mark.parametrize(
    ("folder", "n_read"), [("dicom_mr_structural_64", 64), ("dicom_seg_sr_rt", 7), ("dicom_deid", 9)]
)
def test_real_dicom_folders_are_read_or_refused(folder, n_read):
    """Files of real scanners, with the segmentations, reports and structure sets among them."""
    if not (REAL / folder).is_dir():
        pytest.skip(f"the data set {folder} is not beside the project")
    n_images, reasons = 0, set()
    for path in sorted((REAL / folder).rglob("*")):
        if path.is_file() and is_candidate(path):
            try:
                read_image(path)
            except RefusedImage as refused:
                reasons.add(refused.code)
            else:
                n_images += 1
    assert n_images == n_read
    assert reasons <= {"E_NOT_IMAGE", "E_MULTIFRAME"}


def test_the_sop_class_of_the_helper_is_an_image():
    """A cut file is told from an object without pixels by the name of its class."""
    assert "Image Storage" in pydicom.uid.UID(DX_FOR_PRESENTATION).name
