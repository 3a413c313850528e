"""A segmentation is laid on the voxels of its image, or refused; it is never moved."""

from dataclasses import replace
from pathlib import Path

import highdicom as hd
import numpy as np
import pydicom
import pytest
from pydicom.uid import JPEG2000Lossless, RLELossless

from data.dicom_files import SPACING, write_dicom
from data.drawn_files import DIRECTIONS, STEP_MM, item, places_mm, reference, save, segmentation, series
from lucency.data.dicom.drawings.grids import grid_of_series
from lucency.data.dicom.drawings.segmentation import read_segmentation

SHAPE = (5, 6, 7)
DRAW = np.random.default_rng(3)


def drawn(n_segments: int = 2, shape: tuple[int, int, int] = SHAPE) -> np.ndarray:
    """Return overlapping segments, axes (slice, row, column, segment)."""
    return (np.random.default_rng(3).random((*shape, n_segments)) < 0.4).astype(np.uint8)


def values_at(grid, voxels, places) -> np.ndarray:
    """Look up voxels at places in the patient, LPS millimetres."""
    ras = places.reshape(-1, 3) * (-1, -1, 1)
    index = np.linalg.inv(grid.affine)[:3] @ np.vstack([ras.T, np.ones(len(ras))])
    assert np.abs(index - np.rint(index)).max() < 0.01
    return voxels[tuple(np.rint(index).astype(int))].reshape(places.shape[:-1])


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_each_voxel_lies_where_it_was_drawn(tmp_path, direction):
    """A mask that is mirrored or shifted looks plausible and is wrong."""
    files = series(tmp_path / "ct", SHAPE, direction)
    pixels = drawn()
    path = save(tmp_path / "seg.dcm", segmentation(files, pixels))
    grid = grid_of_series(files)
    found = read_segmentation(path, grid)
    assert (found.code, found.notes) == ("", ())
    assert [(mask.name, mask.number) for mask in found.masks] == [("s1", 1), ("s2", 1)]
    for number, mask in enumerate(found.masks):
        assert mask.voxels.dtype == bool
        assert mask.voxels.shape == grid.shape
        assert (values_at(grid, mask.voxels, places_mm(SHAPE, direction)) == pixels[..., number]).all()


@pytest.mark.parametrize("kind", ["PROBABILITY", "OCCUPANCY"])
def test_shares_are_read_as_numbers_from_0_to_1(tmp_path, kind):
    """A probability is no mask yet; where to cut is the study's decision."""
    files = series(tmp_path / "ct", SHAPE)
    shares = DRAW.integers(0, 201, (*SHAPE, 2)) / 200
    made = segmentation(files, shares, "FRACTIONAL", fractional_type=kind, max_fractional_value=200)
    masks = read_segmentation(save(tmp_path / "seg.dcm", made), grid := grid_of_series(files)).masks
    for number, mask in enumerate(masks):
        assert mask.voxels.dtype == np.float32
        assert np.abs(values_at(grid, mask.voxels, places_mm(SHAPE)) - shares[..., number]).max() < 1e-6


@pytest.mark.parametrize(
    ("kind", "syntax"),
    [
        ("BINARY", JPEG2000Lossless),
        ("FRACTIONAL", JPEG2000Lossless),
        ("FRACTIONAL", RLELossless),
        ("LABELMAP", JPEG2000Lossless),
        ("LABELMAP", RLELossless),
    ],
)
def test_compressed_frames_are_read(tmp_path, kind, syntax):
    """Segmentations may be compressed, each frame for itself."""
    shape = (3, 40, 36)
    files = series(tmp_path / "ct", shape)
    labels = DRAW.integers(0, 3, shape).astype(np.uint8)
    pixels = labels if kind == "LABELMAP" else np.stack([labels == 1, labels == 2], axis=-1).astype(np.uint8)
    made = segmentation(files, pixels, kind, names=["a", "b"], transfer_syntax_uid=syntax)
    masks = read_segmentation(save(tmp_path / "seg.dcm", made), grid := grid_of_series(files)).masks
    assert len(masks) == 2
    for number, mask in enumerate(masks, start=1):
        assert (values_at(grid, mask.voxels, places_mm(shape)) == (labels == number)).all()


def test_a_label_map_has_a_mask_for_each_label(tmp_path):
    """The background is no structure, and a label without a voxel is an empty mask."""
    files = series(tmp_path / "ct", SHAPE)
    labels = DRAW.integers(0, 3, SHAPE).astype(np.uint8)
    made = segmentation(files, labels, "LABELMAP", names=["a", "b", "never"])
    masks = read_segmentation(save(tmp_path / "seg.dcm", made), grid := grid_of_series(files)).masks
    assert [mask.name for mask in masks] == ["a", "b", "never"]
    for number, mask in enumerate(masks, start=1):
        assert (values_at(grid, mask.voxels, places_mm(SHAPE)) == (labels == number)).all()


def test_slices_without_a_frame_are_empty(tmp_path):
    """Segmentations leave out what is empty; an empty segment is still one that somebody looked for."""
    files = series(tmp_path / "ct", SHAPE)
    pixels = drawn(3)
    pixels[1:4, ..., 0] = 0
    pixels[..., 1] = 0
    made = segmentation(files, pixels)
    assert made.NumberOfFrames == 7
    masks = read_segmentation(save(tmp_path / "seg.dcm", made), grid := grid_of_series(files)).masks
    assert [bool(mask.voxels.any()) for mask in masks] == [True, False, True]
    for number, mask in enumerate(masks):
        assert (values_at(grid, mask.voxels, places_mm(SHAPE)) == pixels[..., number]).all()


def test_the_order_of_frames_does_not_matter(tmp_path):
    """Each frame tells its segment and its place."""
    files = series(tmp_path / "ct", (4, 8, 8))
    pixels = drawn(2, (4, 8, 8))
    made = segmentation(files, pixels)
    bits = np.unpackbits(np.frombuffer(made.PixelData, np.uint8), bitorder="little").reshape(-1, 8, 8)
    order = DRAW.permutation(len(bits))
    made.PixelData = np.packbits(bits[order], bitorder="little").tobytes()
    made.PerFrameFunctionalGroupsSequence = [made.PerFrameFunctionalGroupsSequence[i] for i in order]
    masks = read_segmentation(save(tmp_path / "seg.dcm", made), grid := grid_of_series(files)).masks
    for number, mask in enumerate(masks):
        assert (values_at(grid, mask.voxels, places_mm((4, 8, 8))) == pixels[..., number]).all()


def test_segments_of_one_name_are_numbered(tmp_path):
    """Several lesions of one kind are told apart."""
    files = series(tmp_path / "ct", SHAPE)
    made = segmentation(files, drawn(3), names=["nodule", "lung", "nodule"])
    masks = read_segmentation(save(tmp_path / "seg.dcm", made), grid_of_series(files)).masks
    assert [(mask.name, mask.number) for mask in masks] == [("nodule", 1), ("lung", 1), ("nodule", 2)]


def test_a_segment_without_a_label_is_called_by_its_type(tmp_path):
    """Its code says what it is."""
    files = series(tmp_path / "ct", SHAPE)
    made = segmentation(files, drawn(1))
    made.SegmentSequence[0].SegmentLabel = ""
    (mask,) = read_segmentation(save(tmp_path / "seg.dcm", made), grid_of_series(files)).masks
    assert mask.name == "Lesion"


def test_a_radiograph_is_segmented_by_reference(tmp_path):
    """It has no place in the patient; the instance and the size decide."""
    pixels = drawn(1, (1, 9, 7))
    must_have = (
        "AccessionNumber",
        "StudyID",
        "StudyDate",
        "StudyTime",
        "PatientName",
        "PatientBirthDate",
        "PatientSex",
    )
    elements = dict.fromkeys(must_have, "")
    image = write_dicom(tmp_path / "a.dcm", np.zeros((9, 7), np.uint16), InstanceNumber=1, **elements)
    path = save(tmp_path / "seg.dcm", segmentation([image], pixels))
    (mask,) = read_segmentation(path, grid_of_series([image])).masks
    assert (mask.voxels == pixels[..., 0]).all()
    other = write_dicom(tmp_path / "b.dcm", np.zeros((9, 7), np.uint16), SOPInstanceUID="1.2.3.5")
    assert read_segmentation(path, grid_of_series([other])).code == "E_MASK_OTHER_IMAGE"
    larger = write_dicom(tmp_path / "c.dcm", np.zeros((9, 8), np.uint16))
    assert read_segmentation(path, grid_of_series([larger])).code == "E_MASK_SIZE"


def test_a_smaller_segmentation_on_the_same_voxels_is_read(tmp_path):
    """Programs cut off what is empty around a structure; the voxels are the same."""
    files = series(tmp_path / "ct", SHAPE)
    pixels = np.zeros((*SHAPE, 1), np.uint8)
    pixels[:, 2:5, 3:6] = drawn(1)[:, 2:5, 3:6]
    whole = segmentation(files, pixels)
    positions = [hd.PlanePositionSequence("PATIENT", place.tolist()) for place in places_mm(SHAPE)[:, 2, 3]]
    measures = hd.PixelMeasuresSequence(SPACING, STEP_MM)
    made = segmentation(files, pixels[:, 2:5, 3:6], plane_positions=positions, pixel_measures=measures)
    grid = grid_of_series(files)
    (cut,) = read_segmentation(save(tmp_path / "cut.dcm", made), grid).masks
    (mask,) = read_segmentation(save(tmp_path / "whole.dcm", whole), grid).masks
    assert (cut.voxels == mask.voxels).all()


def moved(millimetres: float):
    """Return a change that moves all frames along x."""

    def change(header):
        for groups in header.PerFrameFunctionalGroupsSequence:
            position = groups.PlanePositionSequence[0].ImagePositionPatient
            groups.PlanePositionSequence[0].ImagePositionPatient = [position[0] + millimetres, *position[1:]]

    return change


def with_spacing(millimetres: float):
    def change(header):
        header.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0].PixelSpacing = [0.7, millimetres]

    return change


def other_frame_of_reference(header):
    header.FrameOfReferenceUID = "1.2.3.99"


def references_swapped(header):
    """Let the frames name each other's slices."""
    groups = header.PerFrameFunctionalGroupsSequence
    sources = [each.DerivationImageSequence[0].SourceImageSequence[0].ReferencedSOPInstanceUID for each in groups]
    for each, source in zip(groups, reversed(sources), strict=True):
        each.DerivationImageSequence[0].SourceImageSequence[0].ReferencedSOPInstanceUID = source


def without_references(header):
    for keyword in ("ReferencedSeriesSequence", "SourceImageSequence"):
        header.pop(keyword, None)
    for groups in header.PerFrameFunctionalGroupsSequence:
        groups.pop("DerivationImageSequence", None)


def nothing_known(header):
    without_references(header)
    del header.FrameOfReferenceUID


def another_image(header):
    without_references(header)
    header.ReferencedSeriesSequence = [item(ReferencedInstanceSequence=[reference("1.2.3.4.5")])]


def same_place_twice(header):
    groups = header.PerFrameFunctionalGroupsSequence
    groups[1].PlanePositionSequence = groups[0].PlanePositionSequence
    groups[1].DerivationImageSequence = groups[0].DerivationImageSequence


def unknown_segment(header):
    header.SegmentSequence[0].SegmentNumber = 9


def too_few_pixels(header):
    header.PixelData = header.PixelData[: len(header.PixelData) // 4 * 2]


def many_frames(header):
    header.NumberOfFrames = 99_999_999


def huge_segments(header):
    header.Rows = header.Columns = 65_535
    header.NumberOfFrames = 5


@pytest.mark.parametrize(
    ("change", "code", "notes"),
    [
        (moved(0.044), "", ()),
        (moved(0.047), "E_MASK_PLACE", ()),
        (moved(0.9), "E_MASK_PLACE", ()),
        (with_spacing(0.905), "", ()),
        (with_spacing(0.91), "E_MASK_PLACE", ()),
        (other_frame_of_reference, "", ("N_MASK_FRAME_OF_REFERENCE",)),
        (references_swapped, "E_MASK_BROKEN_REFERENCE", ()),
        (without_references, "", ("N_MASK_UNREFERENCED",)),
        (nothing_known, "E_MASK_BROKEN_REFERENCE", ()),
        (another_image, "E_MASK_OTHER_IMAGE", ()),
        (same_place_twice, "E_DUPPOS", ()),
        (unknown_segment, "E_BAD_HEADER", ()),
        (too_few_pixels, "E_TRUNCATED", ()),
        (many_frames, "E_SIZEBOMB", ()),
        (huge_segments, "E_SIZEBOMB", ()),
    ],
)
def test_what_does_not_fit_is_refused(tmp_path, change, code, notes):
    """Within 1/20 of a voxel it is rounding; beyond, it is another place."""
    files = series(tmp_path / "ct", SHAPE)
    made = segmentation(files, np.ones((*SHAPE, 1), np.uint8))
    change(made)
    found = read_segmentation(save(tmp_path / "seg.dcm", made), grid_of_series(files))
    assert (found.code, found.notes) == (code, notes)
    assert bool(found.masks) != bool(code)


def test_a_slice_of_the_series_has_its_part(tmp_path):
    """An image that is one slice of what was drawn on is given its part only where that is asked for."""
    files = series(tmp_path / "ct", SHAPE)
    pixels = drawn(1)
    path = save(tmp_path / "seg.dcm", segmentation(files, pixels))
    beside = set(grid_of_series(files).instance_uids)
    for file in files:
        grid = grid_of_series([file])
        assert read_segmentation(path, grid, {"1.2.3.4.5"}).code == "E_MASK_PLACE"
        assert read_segmentation(path, grid).code == "E_MASK_PLACE"
        found = read_segmentation(path, grid, beside)
        number = pydicom.dcmread(file).InstanceNumber - 1
        assert found.notes == ("N_MASK_PART",)
        assert (found.masks[0].voxels[0] == pixels[number, ..., 0]).all()


def test_an_image_without_instances_is_matched_by_place(tmp_path):
    """A converted image has lost its UIDs, and the place is all that can be checked."""
    files = series(tmp_path / "ct", SHAPE)
    path = save(tmp_path / "seg.dcm", segmentation(files, drawn(1)))
    grid = replace(grid_of_series(files), instance_uids=(), frame_of_reference_uid="")
    assert read_segmentation(path, grid).notes == ("N_MASK_UNREFERENCED",)
    assert read_segmentation(path, replace(grid, affine=None)).code == "E_MASK_BROKEN_REFERENCE"


def test_another_kind_of_object_is_named(tmp_path):
    """A CT is no segmentation."""
    files = series(tmp_path / "ct", SHAPE)
    assert read_segmentation(files[0], grid_of_series(files)).code == "E_NOT_DRAWING"


@pytest.mark.parametrize("share", [0.0, 0.01, 0.3, 0.6, 0.9, 0.999])
def test_a_file_that_was_cut_is_refused(tmp_path, share):
    """A segmentation that lost its end must not become one with fewer structures."""
    files = series(tmp_path / "ct", SHAPE)
    path = save(tmp_path / "seg.dcm", segmentation(files, drawn(2)))
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    assert read_segmentation(path, grid_of_series(files)).code in ("E_EMPTY_FILE", "E_TRUNCATED", "E_UNREADABLE")


@pytest.mark.real
def test_the_segmentations_of_highdicom_are_read_as_highdicom_reads_them(real_data):
    """Binary, fractional and label-map segmentations of CT, CR and slides, made by several versions."""
    folder = real_data / "dicom_seg_sr_rt" / "highdicom"
    for name, (images, code) in expected_of(folder).items():
        grid = grid_of_series(images)
        found = read_segmentation(folder / name, grid)
        assert found.code == code, name
        if not code:
            assert_is_as_highdicom_reads_it(folder / name, found.masks, grid)


def expected_of(folder: Path) -> dict[str, tuple[list[Path], str]]:
    """Return the images of each segmentation and the code that it should get."""
    bundled = Path(pydicom.__file__).parent / "data" / "test_files" / "dicomdirtests" / "77654033"
    ct = [bundled / "CT2" / name for name in ("17136", "17166", "17196")]
    slide = [folder / "sm_image_control.dcm"]
    return {
        "seg_image_cr_binary.dcm": ([bundled / "CR1" / "6154"], ""),
        "seg_image_ct_binary.dcm": (ct, ""),
        "seg_image_ct_binary_fractional.dcm": (ct, ""),
        "seg_image_ct_true_fractional.dcm": (ct, ""),
        # It was also drawn on a fourth slice, 20 cm away, without which the series is a volume.
        "seg_image_ct_binary_overlap.dcm": (ct, "E_MASK_PLACE"),
        "seg_image_ct_binary_single_frame.dcm": ([folder / "ct_image.dcm"], ""),
        **{path.name: (slide, "") for path in folder.glob("seg_image_sm_*.dcm")},
    }


def assert_is_as_highdicom_reads_it(path, masks, grid):
    """Compare all voxels; those of an axial series are stored as they are in the volume."""
    oracle = hd.seg.segread(path)
    assert [mask.name for mask in masks] == [
        oracle.get_segment_description(n).segment_label for n in oracle.segment_numbers
    ]
    for number, mask in zip(oracle.segment_numbers, masks, strict=True):
        if oracle.is_tiled:
            theirs = oracle.get_total_pixel_matrix(segment_numbers=[number])[..., 0][None]
        else:
            uids = list(grid.instance_uids)
            theirs = oracle.get_pixels_by_source_instance(uids, segment_numbers=[number])[..., 0]
        assert theirs.shape == mask.voxels.shape
        assert np.abs(mask.voxels.astype(float) - theirs).max() < 1e-6
