"""The values of a volume: rescale slice by slice, every kind of pixel, frames of one file, and claims that are too large."""

import struct
from pathlib import Path

import gdcm
import numpy as np
import pydicom
import pytest
from dicom_files import (
    ct_slices,
    dataset,
    enhanced_ct,
    position,
    save_all,
    write,
    write_dicom,
    write_jpeg_baseline,
    write_with_gdcm,
)
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRBigEndian, RLELossless

from lucency.data.reading import is_candidate
from lucency.data.volumes import Outcome, find_volumes, hash_of, read_folder

BUNDLED = Path(pydicom.__file__).parent / "data"
DRAW = np.random.default_rng(4)
HU = DRAW.integers(-1000, 2000, (6, 10, 14)).astype(np.int16)
ORDER = (3, 0, 5, 1, 4, 2)
MR = {"Modality": "MR", "SOPClassUID": "1.2.840.10008.5.1.4.1.1.4"}


def only(folder: Path) -> Outcome:
    (one,) = read_folder(folder)
    return one


def test_each_slice_is_rescaled_by_its_own_numbers(tmp_path):
    """PET scales every slice by itself; one slope for all is wrong by a factor."""
    headers = ct_slices(HU, Modality="PT", SOPClassUID="1.2.840.10008.5.1.4.1.1.128")
    for k, header in enumerate(headers):
        header.RescaleSlope, header.RescaleIntercept = 0.5 + k, -3
    save_all(tmp_path, headers)
    one = only(tmp_path)
    slopes = 0.5 + np.arange(6)[:, None, None]
    assert one.volume.values.dtype == np.float32
    assert np.array_equal(one.volume.values, ((HU + 1024.0) * slopes - 3).astype(np.float32))
    assert one.volume.unit == ""


def test_whole_numbers_stay_exact(tmp_path):
    """16 bits hold Hounsfield units exactly, and where they do not, 32-bit real numbers do."""
    stored = DRAW.integers(0, 65536, (10, 14)).astype(np.uint16)
    stored[0, :2] = 0, 65535
    for slope, intercept, dtype in [(1, -32768, np.int16), (1, -1024, np.float32), (0.5, 0, np.float32)]:
        write_dicom(tmp_path / "a.dcm", stored, RescaleSlope=slope, RescaleIntercept=intercept, **MR)
        values = only(tmp_path).volume.values
        assert values.dtype == dtype
        assert np.array_equal(values[0], stored * float(slope) + intercept)
    signed = (stored.astype(int) - 32768).astype(np.int16)
    write_dicom(tmp_path / "a.dcm", signed, RescaleSlope=1, RescaleIntercept=0, **MR)
    assert np.array_equal(only(tmp_path).volume.values[0], signed)
    write_dicom(tmp_path / "a.dcm", stored, RescaleSlope=1000, RescaleIntercept=0, **MR)
    assert "N_ROUNDED" in only(tmp_path).notes


def test_numbers_of_a_ct_without_rescale_are_no_hounsfield_units(tmp_path):
    """Every reader that was tried gives the raw numbers."""
    for keyword in ("RescaleSlope", "RescaleIntercept"):
        headers = ct_slices(HU)
        delattr(headers[2], keyword)
        save_all(tmp_path, headers)
        assert only(tmp_path).code == "E_NORESCALE_CT"
    headers = ct_slices(HU, **MR)
    for header in headers:
        del header.RescaleSlope, header.RescaleIntercept
    save_all(tmp_path, headers)
    assert np.array_equal(only(tmp_path).volume.values, HU + 1024)


def test_a_sign_that_is_not_told_is_not_guessed(tmp_path):
    """Without Pixel Representation the highest bit may be a number or a sign; where it is never set, nothing hangs on it."""
    for stored, code in [(HU[0] + 1024, "E_BAD_HEADER"), (np.abs(HU[0]) // 2, "")]:
        header = dataset(stored.astype(np.uint16), bits_stored=12, **MR)
        del header.PixelRepresentation
        write(tmp_path / "a.dcm", header)
        assert only(tmp_path).code == code


def test_dark_bone_stays_as_stored_with_a_note(tmp_path):
    """Values are values; it is the picture that is inverted."""
    stored = DRAW.integers(0, 4096, (10, 14)).astype(np.uint16)
    write_dicom(tmp_path / "a.dcm", stored, bits_stored=12, PhotometricInterpretation="MONOCHROME1")
    one = only(tmp_path)
    assert np.array_equal(one.volume.values[0], stored)
    assert one.notes == ("N_MONOCHROME1",)


def test_padding_and_overlays_are_told_from_values(tmp_path):
    """Padding keeps its number, or becomes the lowest one where it lies outside of the stored bits; overlays go."""
    header = ct_slices(HU[:1])[0]
    stored = (HU[0] + 1024).astype(np.uint16)
    stored[0] = 0
    header.PixelData, header.PixelPaddingValue = stored.tobytes(), 0
    write(tmp_path / "a.dcm", header)
    one = only(tmp_path)
    assert one.notes == ("N_PADDING",)
    assert np.array_equal(one.volume.values[0], stored.astype(int) - 1024)
    stored[0] = 63536  # −2000 as its 16 bits
    header.PixelData, header.PixelPaddingValue = stored.tobytes(), 63536
    write(tmp_path / "a.dcm", header)
    one = only(tmp_path)
    assert one.notes == ("N_PADDING",)
    assert (one.volume.values[0, 0] == -1024).all()
    assert np.array_equal(one.volume.values[0, 1:], HU[0, 1:])
    del header.PixelPaddingValue
    header.PixelData = ((HU[0] + 1024).astype(np.uint16) | 0x8000).tobytes()
    write(tmp_path / "a.dcm", header)
    one = only(tmp_path)
    assert one.notes == ("N_HIGH_BITS",)
    assert np.array_equal(one.volume.values[0], HU[0])
    header.PixelData, header.HighBit = ((HU[0] + 1024).astype(np.uint16) << 4).tobytes(), 15
    write(tmp_path / "a.dcm", header)
    assert np.array_equal(only(tmp_path).volume.values[0], HU[0])


@pytest.mark.parametrize("syntax", ["JPEGLosslessProcess14_1", "JPEGLSLossless", "JPEG2000Lossless", "RLELossless"])
def test_compressed_slices_have_the_same_hash(tmp_path, syntax):
    """The transfer syntax is a matter of the archive."""
    (tmp_path / "b").mkdir()
    headers = ct_slices(np.tile(HU, (1, 4, 4)))
    save_all(tmp_path / "a", headers)
    for k, header in enumerate(headers):
        elements = {element.keyword: element.value for element in header if element.keyword}
        stored = header.pixel_array
        write_with_gdcm(tmp_path / "b" / f"{k}.dcm", stored, getattr(gdcm.TransferSyntax, syntax), bits_stored=12,
                        **{k: v for k, v in elements.items() if k != "PixelData"})  # fmt: skip
    assert hash_of(only(tmp_path / "a").volume) == hash_of(only(tmp_path / "b").volume)


def test_big_endian_and_tables_are_understood(tmp_path):
    """Retired encodings are still in archives."""
    header = dataset((HU[0] + 1024).astype(">u2"), bits_stored=12, **MR)
    header.file_meta.TransferSyntaxUID = ExplicitVRBigEndian
    write(tmp_path / "a.dcm", header)
    assert np.array_equal(only(tmp_path).volume.values[0], HU[0] + 1024)
    item = Dataset()
    item.LUTDescriptor, item.ModalityLUTType = [4096, 0, 16], "US"
    item.LUTData = (np.arange(4096) * 3).astype("<u2").tobytes()
    item["LUTDescriptor"].VR, item["LUTData"].VR = "US", "OW"
    write_dicom(tmp_path / "a.dcm", (HU[0] + 1024).astype(np.uint16), bits_stored=12, ModalityLUTSequence=[item], **MR)
    assert np.array_equal(only(tmp_path).volume.values[0], (HU[0].astype(int) + 1024) * 3)


def test_colours_are_rgb_of_the_stored_depth(tmp_path):
    """Ultrasound and screens are colour; a palette and YBR are undone."""
    colours = DRAW.integers(0, 256, (16, 24, 3), dtype=np.uint8)
    write_dicom(tmp_path / "a.dcm", colours, Modality="US")
    assert np.array_equal(only(tmp_path).volume.values, colours[None])
    smooth = np.stack([np.add.outer(np.arange(16), np.arange(24) * 4)] * 3, -1).astype(np.uint8)
    write_jpeg_baseline(tmp_path / "a.dcm", smooth, Modality="US", PhotometricInterpretation="YBR_FULL")
    assert np.abs(only(tmp_path).volume.values[0].astype(int) - smooth).max() <= 6
    (tmp_path / "a.dcm").write_bytes((BUNDLED / "test_files" / "examples_palette.dcm").read_bytes())
    one = only(tmp_path)
    assert one.volume.values.shape[-1] == 3
    assert "N_PALETTE" in one.notes


def test_frames_of_an_enhanced_object_are_stacked_by_position(tmp_path):
    """SimpleITK takes frames in the order of the file, MONAI makes up the geometry."""
    header = enhanced_ct(HU[list(ORDER)], [position(k) for k in ORDER])
    write(tmp_path / "a.dcm", header)
    one = only(tmp_path)
    assert np.array_equal(one.volume.values, HU)
    assert np.allclose(one.volume.affine[:3, 3], [31.5, -12.25, 40])
    assert np.allclose(one.volume.spacing_mm, (2.5, 0.7, 0.9))
    assert (one.volume.unit, one.files, one.source, one.notes) == ("HU", ("a.dcm",), "a.dcm", ())
    classic = tmp_path / "classic"
    save_all(classic, ct_slices(HU))
    assert hash_of(only(classic).volume) == hash_of(one.volume)
    header.compress(RLELossless, generate_instance_uid=False)
    write(tmp_path / "a.dcm", header)
    assert hash_of(only(classic).volume) == hash_of(next(read_folder(tmp_path)).volume)


def test_each_frame_is_rescaled_by_its_own_numbers(tmp_path):
    """Enhanced PET and some MR scale frame by frame."""
    header = enhanced_ct(HU, [position(k) for k in range(6)])
    for k, groups in enumerate(header.PerFrameFunctionalGroupsSequence):
        item = Dataset()
        item.RescaleSlope, item.RescaleIntercept, item.RescaleType = k + 1, -1024, "HU"
        groups.PixelValueTransformationSequence = [item]
    write(tmp_path / "a.dcm", header)
    expected = (HU + 1024) * np.arange(1, 7)[:, None, None] - 1024
    assert np.array_equal(only(tmp_path).volume.values, expected)


def test_frames_without_a_place_are_refused(tmp_path):
    """A CT whose frames lie nowhere is no volume; neither is one that contradicts itself."""
    write(tmp_path / "a.dcm", enhanced_ct(HU, [None] * 6))
    assert only(tmp_path).code == "E_NOGEOM"
    write(tmp_path / "a.dcm", enhanced_ct(HU, [position(k) for k in range(5)]))
    assert only(tmp_path).code == "E_BAD_HEADER"
    write(tmp_path / "a.dcm", enhanced_ct(HU, [position(k) if k != 2 else None for k in range(6)]))
    outcomes = list(read_folder(tmp_path))
    assert {one.code for one in outcomes} == {"E_NOGEOM", "E_GAP"}


def test_two_times_in_one_enhanced_object_are_two_volumes(tmp_path):
    """Dynamic studies come as one file."""
    header = enhanced_ct(np.concatenate([HU, HU[::-1]]), [position(k) for k in range(6)] * 2)
    for number, groups in enumerate(header.PerFrameFunctionalGroupsSequence):
        item = Dataset()
        item.TemporalPositionIndex = number // 6 + 1
        groups.FrameContentSequence = [item]
    write(tmp_path / "a.dcm", header)
    first, second = read_folder(tmp_path)
    assert (first.source, second.source) == ("a.dcm#1", "a.dcm#2")
    assert np.array_equal(first.volume.values, HU)
    assert np.array_equal(second.volume.values, HU[::-1])
    assert first.notes == ("N_SPLIT_4D",)


def test_a_film_is_a_stack_without_a_place(tmp_path):
    """Frames of an ultrasound follow each other in time; no spacing is invented for them."""
    frames = DRAW.integers(0, 256, (5, 10, 14), dtype=np.uint8)
    header = dataset(frames[0], Modality="US", NumberOfFrames=5)
    header.PixelData = frames.tobytes()
    write(tmp_path / "a.dcm", header)
    one = only(tmp_path)
    assert np.array_equal(one.volume.values, frames)
    assert one.volume.affine is None
    assert one.notes == ("N_NO_GEOMETRY",)


def test_claims_are_checked_before_memory_is_taken(tmp_path):
    """Rows, columns, frames and lengths are only claims, also when they add up over a series."""
    write(tmp_path / "a.dcm", enhanced_ct(HU, [position(k) for k in range(6)], NumberOfFrames=2_000_000_000))
    assert only(tmp_path).code == "E_SIZEBOMB"
    (tmp_path / "a.dcm").unlink()
    save_all(tmp_path, ct_slices(HU, Rows=9000, Columns=11000))
    assert only(tmp_path).code == "E_SIZEBOMB"
    save_all(tmp_path, ct_slices(HU, Rows=9000, Columns=900))
    assert only(tmp_path).code == "E_TRUNCATED"
    paths = save_all(tmp_path, ct_slices(HU))
    content = paths[0].read_bytes()
    at = content.rfind(b"\xe0\x7f\x10\0")
    paths[0].write_bytes(content[: at + 8] + struct.pack("<I", 0xFFFFFFF0) + content[at + 12 :])
    assert np.array_equal(only(tmp_path).volume.values, HU)  # all its pixels are there; only the length is a lie


@pytest.mark.parametrize("depth", [50, 300, 20_000])
def test_deep_nesting_neither_hangs_nor_harms(tmp_path, depth):
    """Sequences within sequences are a way to make a parser run out of its stack."""
    paths = save_all(tmp_path, ct_slices(HU))
    content = paths[2].read_bytes()
    at = content.find(b"\x18\0\x50\0DS")
    begin = struct.pack("<HH2sHI", 0x0009, 0x1001, b"SQ", 0, 0xFFFFFFFF) + struct.pack(
        "<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF
    )
    end = struct.pack("<HHI", 0xFFFE, 0xE00D, 0) + struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)
    paths[2].write_bytes(content[:at] + begin * depth + end * depth + content[at:])
    outcomes = list(read_folder(tmp_path))
    if depth == 50:
        assert np.array_equal(outcomes[0].volume.values, HU)
    else:
        assert {one.code for one in outcomes} <= {"E_UNREADABLE", "E_GAP"} or outcomes[0].volume is not None


@pytest.mark.filterwarnings("ignore:Invalid value for VR UI")  # pydicom's remark on what this test writes
def test_links_in_circles_and_identifiers_like_paths_are_harmless(tmp_path):
    """A folder may lead to itself, a UID may look like a way out, a DICOMDIR is not followed."""
    headers = ct_slices(HU, series="../../../etc/passwd", StudyInstanceUID="/etc/shadow")
    save_all(tmp_path / "series", headers)
    (tmp_path / "series" / "again").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "series" / "circle.dcm").symlink_to("circle.dcm")
    (tmp_path / "DICOMDIR").write_bytes(b"\0" * 128 + b"DICM../../../etc/passwd")
    one = only(tmp_path)
    assert np.array_equal(one.volume.values, HU)
    assert len(one.files) == 6


def test_every_bundled_file_has_an_outcome():
    """Twenty years of trouble: no exception, no file without a word."""
    for folder in (BUNDLED / "test_files", BUNDLED / "charset_files"):
        found = list(read_folder(folder))
        told = {file for one in found for file in one.files}
        candidates = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if is_candidate(path)}
        assert candidates <= told
        assert all((one.volume is None) == bool(one.code) for one in found)
    assert any(one.volume is not None for one in found)


@pytest.mark.parametrize("name", ["MR_small.dcm", "CT_small.dcm", "MR_small_RLE.dcm", "MR_small_bigendian.dcm"])
def test_bundled_images_have_the_values_of_pydicom(tmp_path, name):
    """Against an independent rescale, on files of real scanners."""
    path = BUNDLED / "test_files" / name
    (tmp_path / name).write_bytes(path.read_bytes())
    header = pydicom.dcmread(path)
    expected = header.pixel_array * float(header.get("RescaleSlope", 1)) + float(header.get("RescaleIntercept", 0))
    assert np.array_equal(only(tmp_path).volume.values[0], expected)


@pytest.mark.real
def test_a_real_series_agrees_with_simpleitk(real_data):
    """64 oblique sagittal slices of a 3-D T1: values and places, against an independent reader."""
    import SimpleITK

    folder = real_data / "dicom_mr_structural_64"
    one = only(folder)
    reader = SimpleITK.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(folder)))
    image = reader.Execute()
    truth = SimpleITK.GetArrayFromImage(image)
    k, i, j = (axis.ravel()[::11] for axis in np.meshgrid(*map(np.arange, one.volume.values.shape), indexing="ij"))
    lps = (np.column_stack([k, i, j, np.ones_like(k)]) @ one.volume.affine.T)[:, :3] * [-1, -1, 1]
    directions = np.array(image.GetDirection()).reshape(3, 3) * image.GetSpacing()
    index = (lps - image.GetOrigin()) @ np.linalg.inv(directions).T
    assert np.abs(index - np.rint(index)).max() < 1e-3
    assert np.array_equal(one.volume.values.ravel()[::11], truth[tuple(np.rint(index).astype(int).T[::-1])])
    assert (one.notes, len(one.files)) == ((), 64)


@pytest.mark.real
def test_real_objects_that_are_no_pictures_are_named(real_data):
    """Segmentations, reports and structure sets among the images they belong to."""
    stacks = find_volumes(real_data / "dicom_seg_sr_rt")
    codes = {stack.source.rsplit("/")[-1]: stack.code for stack in stacks}
    assert codes["sr_document.dcm"] == codes["rt.dcm"] == codes["seg_image_ct_binary.dcm"] == "E_NOT_IMAGE"
    assert codes["sm_image.dcm"] == "E_MULTIFRAME"
