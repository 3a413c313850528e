"""Text in the picture: risky kinds are held back, what is found is covered, and the rest of the picture stays."""

import io

import numpy as np
import pydicom
import pytest
from deid_files import KEY, as_bytes, patient_file, text_mask
from PIL import Image, ImageDraw, ImageFont
from pydicom.uid import JPEG2000Lossless

from lucency.data.dicom.deidentification import burned_in
from lucency.data.dicom.deidentification.burned_in import look_at_pixels, may_be_written_upon
from lucency.data.dicom.deidentification.engine import deidentify
from lucency.data.dicom.deidentification.identifiers import find_identifiers
from lucency.data.dicom.deidentification.parsing import parse
from lucency.data.dicom.deidentification.text import Identifiers
from lucency.domain.data_plan import Deidentification

SECONDARY_CAPTURE, ULTRASOUND, CT = (
    "1.2.840.10008.5.1.4.1.1.7",
    "1.2.840.10008.5.1.4.1.1.6.1",
    "1.2.840.10008.5.1.4.1.1.2",
)
NAME = text_mask(400, "DOE^JANE", 16)
GROUND = 0.2 + np.linspace(0, 0.3, 400)[:, None] + np.random.default_rng(3).normal(0, 0.02, (400, 400))
needs_ocr = pytest.mark.skipif(not burned_in.can_recognise_text(), reason="the extra ocr is not installed")


def look(header, **settings):
    parsed = parse(as_bytes(header))
    return parsed, look_at_pixels(parsed, Deidentification(**settings), find_identifiers(parsed.header))


def masked(header) -> tuple[np.ndarray, np.ndarray]:
    """Return the pixels of a file before and after covering."""
    parsed, seen = look(header, burned_in="mask")
    assert not seen.is_held_back
    new = deidentify(parsed, seen.pixels, Identifiers(), Deidentification(burned_in="mask"), KEY).content
    after = pydicom.dcmread(io.BytesIO(new))
    assert after.BurnedInAnnotation == "NO"
    return pydicom.dcmread(io.BytesIO(as_bytes(header))).pixel_array, after.pixel_array


@pytest.mark.parametrize(
    ("elements", "is_held_back"),
    [
        ({"SOPClassUID": SECONDARY_CAPTURE}, True),
        ({"SOPClassUID": SECONDARY_CAPTURE, "BurnedInAnnotation": "NO"}, True),
        ({"SOPClassUID": ULTRASOUND, "Modality": "US"}, True),
        ({"SOPClassUID": ULTRASOUND, "Modality": "US", "BurnedInAnnotation": "NO"}, False),
        ({"SOPClassUID": CT, "BurnedInAnnotation": "YES"}, True),
        ({"SOPClassUID": CT, "ImageType": ["DERIVED", "SECONDARY", "SCREEN SAVE"]}, True),
        (
            {"SOPClassUID": "1.2.840.10008.5.1.4.1.1.77.1.6", "ImageType": ["ORIGINAL", "PRIMARY", "LABEL", "NONE"]},
            True,
        ),
        ({"SOPClassUID": CT}, False),
    ],
)
def test_risky_kinds_are_held_back(elements, is_held_back):
    """No header can prove that a picture holds no name; some kinds often do."""
    assert look(patient_file(**elements))[1].is_held_back == is_held_back
    assert not look(patient_file(**elements), burned_in="ignore")[1].is_held_back


def test_without_the_extra_nothing_risky_is_written(monkeypatch):
    """Who asks for masking without a program that finds text must not get unmasked pictures."""
    monkeypatch.setattr(burned_in, "can_recognise_text", lambda: False)
    assert look(patient_file(SOPClassUID=SECONDARY_CAPTURE), burned_in="mask")[1].is_held_back
    written_upon = np.rint((GROUND * (1 - NAME) + NAME) * 1000).astype("<u2")
    assert look(patient_file(written_upon))[1].is_held_back


def test_a_glance_sees_letters_and_spares_tissue():
    """Slices are too many to be searched one by one."""
    assert may_be_written_upon(GROUND * (1 - NAME) + NAME)
    assert not may_be_written_upon(GROUND)
    noise = np.random.default_rng(0).normal(100, 20, (128, 128))
    assert not may_be_written_upon(noise)


@needs_ocr
@pytest.mark.parametrize(
    "kind", ["8", "12", "16", "signed", "inverted", "rgb", "ybr", "palette", "frames", "jpeg 2000"]
)
def test_text_is_covered_and_nothing_else(kind):
    """At least 99.9 % of the pixels of letters change, and at most 2 % of the others."""
    scale = {"12": 4095, "16": 65535, "signed": 4000}.get(kind, 255)
    shift = -1000 if kind == "signed" else 0
    dtype = {"12": "<u2", "16": "<u2", "signed": "<i2", "jpeg 2000": "<u2"}.get(kind, "u1")
    before = np.rint(GROUND * scale + shift).astype(dtype)
    written = np.rint((GROUND * (1 - NAME) + NAME) * scale + shift).astype(dtype)
    stored, elements = written, {}
    if kind == "inverted":
        elements["PhotometricInterpretation"] = "MONOCHROME1"
    if kind in ("rgb", "ybr"):
        stored = np.repeat(written[..., None], 3, axis=-1)
        if kind == "ybr":
            stored[..., 1:] = 128
            elements["PhotometricInterpretation"] = "YBR_FULL"
    if kind == "palette":
        elements = {"PhotometricInterpretation": "PALETTE COLOR"}
        for colour in ("Red", "Green", "Blue"):
            elements[f"{colour}PaletteColorLookupTableDescriptor"] = [256, 0, 16]
            elements[f"{colour}PaletteColorLookupTableData"] = (np.arange(256) * 257).astype("<u2").tobytes()
    header = patient_file(stored, SOPClassUID=SECONDARY_CAPTURE, Modality="OT", **elements)
    if kind == "12":
        header.BitsStored, header.HighBit = 12, 11
    if kind == "frames":
        header.NumberOfFrames, header.PixelData = 3, np.stack([before, written, before]).tobytes()
    if kind == "jpeg 2000":
        header.compress(JPEG2000Lossless)
    old, new = masked(header)
    changed = old != new
    if kind == "frames":
        assert not changed[[0, 2]].any()
        changed = changed[1]
    elif changed.ndim == 3:
        changed = changed.any(axis=-1)
    letters = before != written
    assert changed[letters].mean() >= 0.999
    assert changed[~letters].mean() <= 0.02


@needs_ocr
def test_marks_of_side_and_view_stay():
    """A network that reads radiographs needs to know left from right."""
    side = text_mask(400, "L", 24)
    stored = np.rint((GROUND * (1 - side) + side) * 255).astype(np.uint8)
    old, new = masked(patient_file(stored, SOPClassUID=ULTRASOUND, Modality="US"))
    assert np.array_equal(old, new)


@needs_ocr
def test_what_is_announced_and_not_found_is_held_back():
    """The header says that there is text; a program that finds none is no witness."""
    assert look(patient_file(BurnedInAnnotation="YES"), burned_in="mask")[1].is_held_back


@needs_ocr
def test_a_name_on_a_slice_is_held_back_by_default():
    """Kinds that are seldom written upon are looked at too."""
    stored = np.rint((GROUND * (1 - NAME) + NAME) * 1000).astype("<u2")
    seen = look(patient_file(stored))[1]
    assert seen.is_held_back
    assert seen.preview.startswith(b"\x89PNG")


def test_the_smallest_letters_are_suspected_although_they_fall_to_pieces():
    """Of capitals five pixels high only fragments are quite white; a fresh seed of the planted identifiers found it."""
    canvas = Image.new("L", (96, 64))
    ImageDraw.Draw(canvas).text((30, 50), "ZAVATASUVA", font=ImageFont.load_default(8), fill=255)
    picture = np.where(np.asarray(canvas) > 127, 250, 20).astype(np.uint8)
    assert may_be_written_upon(picture)
