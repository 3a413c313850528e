"""DICOM segmentations of every kind lie on the voxels that they were drawn on, or are refused."""

from collections.abc import Callable
from pathlib import Path

import highdicom
import numpy as np
import pydicom
import pytest
from drawn_series import PLANES, Series, image, segmentation, shapes, write, write_series
from pydicom.dataset import Dataset

from lucency.data.codes import NOTES, REFUSALS
from lucency.data.dicom.drawings.drawn import Drawn
from lucency.data.dicom.drawings.grids import grid_of_series
from lucency.data.dicom.drawings.segmentation import read_segmentation
from lucency.domain.masks import ImageGrid


@pytest.fixture(scope="module")
def axial(tmp_path_factory: pytest.TempPathFactory) -> Series:
    return write_series(tmp_path_factory.mktemp("axial") / "series")


def read(made: Dataset, series: Series, folder: Path) -> Drawn:
    return read_segmentation(write(folder / "made.seg", made), grid_of_series(series.files))


def permuted(made: Dataset) -> Dataset:
    """Put the frames into another order, bits and headers alike."""
    n_frames = int(made.NumberOfFrames)
    order = np.random.default_rng(1).permutation(n_frames)
    bits = np.unpackbits(np.frombuffer(made.PixelData, np.uint8), bitorder="little")
    frames = bits[: n_frames * made.Rows * made.Columns].reshape(n_frames, -1)[order]
    packed = np.packbits(frames, bitorder="little").tobytes()
    made.PixelData = packed + b"\0" * (len(packed) % 2)
    groups = made.PerFrameFunctionalGroupsSequence
    made.PerFrameFunctionalGroupsSequence = [groups[int(i)] for i in order]
    return made


@pytest.mark.parametrize("plane", PLANES)
def test_a_binary_segmentation_lies_on_the_pixels_that_were_marked(tmp_path, plane):
    """Axes that are turned for the network must take the mask along; the pixels' own numbers tell where they went."""
    series = write_series(tmp_path / "series", plane)
    drawn = shapes(3)
    result = read(permuted(segmentation(series, drawn)), series, tmp_path)
    assert (result.code, result.notes) == ("", ())
    assert [mask.name for mask in result.masks] == ["a", "b", "c"]
    for number, mask in enumerate(result.masks):
        assert mask.voxels.dtype == bool
        np.testing.assert_array_equal(mask.voxels, series.turned(drawn[..., number]))


@pytest.mark.parametrize("syntax", ["1.2.840.10008.1.2.1", "1.2.840.10008.1.2.5", "1.2.840.10008.1.2.1.99"])
def test_a_fractional_segmentation_holds_shares(tmp_path, axial, syntax):
    """MaximumFractionalValue stands for 1, and is not 255 everywhere."""
    shares = np.linspace(0, 1, axial.stored.size, dtype=np.float32).reshape(*axial.stored.shape, 1)
    if syntax.endswith(".99"):
        made = segmentation(axial, shares, "FRACTIONAL", max_fractional_value=200)
        made.file_meta.TransferSyntaxUID = syntax
    else:
        made = segmentation(axial, shares, "FRACTIONAL", max_fractional_value=200, transfer_syntax_uid=syntax)
    result = read(made, axial, tmp_path)
    assert result.code == ""
    (mask,) = result.masks
    assert mask.voxels.dtype == np.float32
    np.testing.assert_allclose(mask.voxels, axial.turned(shares[..., 0]), atol=0.5 / 200 + 1e-6)
    assert set(np.unique(np.round(mask.voxels * 200, 3)).tolist()) <= set(range(201))


def test_a_label_map_becomes_a_mask_for_each_label(tmp_path, axial):
    """A label map keeps all structures in one frame."""
    drawn = shapes(2)
    drawn[..., 1] &= ~drawn[..., 0]
    result = read(segmentation(axial, drawn, "LABELMAP"), axial, tmp_path)
    assert result.code == ""
    assert [mask.name for mask in result.masks] == ["a", "b"]
    for number, mask in enumerate(result.masks):
        np.testing.assert_array_equal(mask.voxels, axial.turned(drawn[..., number]))


@pytest.mark.parametrize("omit_empty_frames", [True, False])
def test_what_has_no_frame_is_empty(tmp_path, axial, omit_empty_frames):
    """Most programs leave empty slices and structures out; they are no gap."""
    drawn = shapes(2)
    drawn[..., 1] = False
    result = read(segmentation(axial, drawn, omit_empty_frames=omit_empty_frames), axial, tmp_path)
    assert [int(mask.voxels.sum()) for mask in result.masks] == [int(drawn[..., 0].sum()), 0]


def test_two_structures_of_one_name_are_numbered(tmp_path, axial):
    """Two nodules are two lesions, although both are called nodule."""
    made = segmentation(axial, shapes(2))
    for item in made.SegmentSequence:
        item.SegmentLabel = "nodule"
    assert [(mask.name, mask.number) for mask in read(made, axial, tmp_path).masks] == [("nodule", 1), ("nodule", 2)]


def test_a_radiograph_is_read_by_its_reference(tmp_path):
    """Radiographs have no place in the patient; the instance and the size have to agree."""
    file = write(tmp_path / "x.dcm", image(np.zeros((12, 17), np.int16)))
    drawn = shapes()[3:4]
    made = segmentation([pydicom.dcmread(file)], drawn)
    grid = grid_of_series([file])
    (mask,) = read_segmentation(write(tmp_path / "x.seg", made), grid).masks
    np.testing.assert_array_equal(mask.voxels, drawn[..., 0])
    other = ImageGrid(grid.shape, None, ("1.2.99",))
    assert read_segmentation(tmp_path / "x.seg", other).code == "E_MASK_OTHER_IMAGE"
    larger = ImageGrid((1, 13, 17), None, grid.instance_uids)
    assert read_segmentation(tmp_path / "x.seg", larger).code == "E_MASK_SIZE"


def shared(made: Dataset) -> Dataset:
    return made.SharedFunctionalGroupsSequence[0]


def moved_by(voxels: float) -> Callable[[Dataset], None]:
    def move(made: Dataset) -> None:
        for groups in made.PerFrameFunctionalGroupsSequence:
            position = groups.PlanePositionSequence[0].ImagePositionPatient
            position[0] = round(float(position[0]) + voxels * 0.6, 6)

    return move


def with_other_spacing(made: Dataset) -> None:
    shared(made).PixelMeasuresSequence[0].PixelSpacing = [0.8, 0.61]


def turned_a_little(made: Dataset) -> None:
    shared(made).PlaneOrientationSequence[0].ImageOrientationPatient = [0.99995, 0.01, 0, -0.01, 0.99995, 0]


def drawn_on_others(made: Dataset) -> None:
    for element in made.iterall():
        if element.keyword == "ReferencedSOPInstanceUID":
            element.value += ".9"


def with_twice_the_same_frame(made: Dataset) -> None:
    groups = made.PerFrameFunctionalGroupsSequence
    groups[1].PlanePositionSequence = groups[0].PlanePositionSequence
    groups[1].DerivationImageSequence = groups[0].DerivationImageSequence


def on_another_slice_than_named(made: Dataset) -> None:
    groups = made.PerFrameFunctionalGroupsSequence
    groups[1].DerivationImageSequence, groups[0].DerivationImageSequence = (
        groups[0].DerivationImageSequence,
        groups[1].DerivationImageSequence,
    )


def with_too_many_frames(made: Dataset) -> None:
    made.NumberOfFrames = 10**8


def with_huge_frames(made: Dataset) -> None:
    made.Rows = made.Columns = 65535


def with_a_segment_that_is_not_described(made: Dataset) -> None:
    shared(made).SegmentIdentificationSequence[0].ReferencedSegmentNumber = 9


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (moved_by(0.04), ""),
        (moved_by(0.06), "E_MASK_PLACE"),
        (moved_by(1), "E_MASK_PLACE"),
        (with_other_spacing, "E_MASK_PLACE"),
        (turned_a_little, "E_MASK_PLACE"),
        (drawn_on_others, "E_MASK_OTHER_IMAGE"),
        (on_another_slice_than_named, "E_MASK_BROKEN_REFERENCE"),
        (with_twice_the_same_frame, "E_DUPPOS"),
        (with_too_many_frames, "E_SIZEBOMB"),
        (with_huge_frames, "E_SIZEBOMB"),
        (with_a_segment_that_is_not_described, "E_BAD_HEADER"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_what_does_not_fit_the_image_is_refused(tmp_path, axial, spoil, code):
    """A mask that is resampled, moved or believed in silence measures what nobody drew."""
    made = segmentation(axial, shapes())
    spoil(made)
    result = read(made, axial, tmp_path)
    assert result.code == code
    assert bool(result.code) == (not result.masks)


def test_a_file_that_was_cut_is_refused(tmp_path, axial):
    """Frames that were lost would be slices on which nobody drew."""
    whole = write(tmp_path / "whole.seg", segmentation(axial, shapes())).read_bytes()
    grid = grid_of_series(axial.files)
    for n_bytes in (0, 100, 200, len(whole) // 2, len(whole) - 40, len(whole) - 1):
        (tmp_path / "cut.seg").write_bytes(whole[:n_bytes])
        assert read_segmentation(tmp_path / "cut.seg", grid).code in REFUSALS


def test_slices_that_were_interpolated_have_no_mask(tmp_path):
    """Masks would have gaps at slices that nobody imaged, and lesions half their volume."""
    series = write_series(tmp_path / "series")
    for header, file, height in zip(series.headers, series.files, (0, 2.5, 5, 7.5, 12.5, 17.5, 22.5), strict=True):
        header.ImagePositionPatient = [-31.5, 12.25, height]
        write(file, header)
    assert read(segmentation(series, shapes()), series, tmp_path).code == "E_MASK_UNEVEN"


def test_an_image_is_no_segmentation(tmp_path, axial):
    """The slices lie beside the segmentation in the same folder."""
    assert read_segmentation(axial.files[0], grid_of_series(axial.files)).code == "E_NOT_DRAWING"


@pytest.mark.parametrize("kind", ["BINARY", "FRACTIONAL", "LABELMAP"])
def test_no_damaged_byte_ends_the_program(tmp_path, axial, kind):
    """Whatever was changed, there is a documented refusal, or masks of the image's own size."""
    file = write(tmp_path / "whole.seg", segmentation(axial, shapes(), kind))
    whole, grid, draw = file.read_bytes(), grid_of_series(axial.files), np.random.default_rng(3)
    for _ in range(100):
        damaged = bytearray(whole)
        for place in draw.integers(128, len(damaged), draw.integers(1, 8)):
            damaged[place] = draw.integers(256)
        file.write_bytes(bytes(damaged))
        result = read_segmentation(file, grid)
        assert result.code in REFUSALS or not result.code
        assert set(result.notes) <= set(NOTES)
        assert all(mask.voxels.shape == grid.shape for mask in result.masks)


# Published segmentations ----------------------------------------------------------------------------------------------

PYDICOM = Path(pydicom.__file__).parent / "data" / "test_files" / "dicomdirtests" / "77654033"
SEGS = {
    "ct_binary": "CT2/17136 CT2/17166 CT2/17196",
    "ct_binary_fractional": "CT2/17136 CT2/17166 CT2/17196",
    "ct_true_fractional": "CT2/17136 CT2/17166 CT2/17196",
    "cr_binary": "CR1/6154",
}


def by_highdicom(file: Path, uids: tuple[str, ...]) -> np.ndarray:
    """Let highdicom lay the segments of a file on images, axes (slice, row, column, segment)."""
    made = highdicom.seg.segread(file)
    return made.get_pixels_by_source_instance(uids, ignore_spatial_locations=True, assert_missing_frames_are_empty=True)


@pytest.mark.real
@pytest.mark.parametrize("name", SEGS)
def test_published_segmentations_are_read_as_highdicom_reads_them(real_data, name):
    """An independent reader, on files by other hands."""
    file = real_data / "dicom_seg_sr_rt" / "highdicom" / f"seg_image_{name}.dcm"
    grid = grid_of_series([PYDICOM / each for each in SEGS[name].split()])
    result = read_segmentation(file, grid)
    assert result.code == ""
    expected = by_highdicom(file, grid.instance_uids)
    for number, mask in enumerate(result.masks):
        np.testing.assert_allclose(mask.voxels, expected[..., number], atol=1e-6)
    assert any(mask.voxels.any() for mask in result.masks)


@pytest.mark.real
def test_the_published_segmentation_of_one_slice_is_read(real_data):
    """The slice has a place in the patient, and the segmentation has it too."""
    folder = real_data / "dicom_seg_sr_rt" / "highdicom"
    grid = grid_of_series([folder / "ct_image.dcm"])
    (mask,) = read_segmentation(folder / "seg_image_ct_binary_single_frame.dcm", grid).masks
    expected = highdicom.seg.segread(folder / "seg_image_ct_binary_single_frame.dcm").pixel_array
    np.testing.assert_array_equal(mask.voxels[0], expected)


@pytest.mark.real
@pytest.mark.parametrize(
    "name", ["control", "control_labelmap", "control_labelmap_palette_color", "dots", "dots_tiled_full", "numbers"]
)
def test_tiles_of_a_slide_lie_on_the_whole_slide_only(real_data, name):
    """Tiles make up one flat picture; on an image of any other size they are refused."""
    folder = real_data / "dicom_seg_sr_rt" / "highdicom"
    file, image_file = folder / f"seg_image_sm_{name}.dcm", pydicom.dcmread(folder / "sm_image_control.dcm")
    shape = (1, int(image_file.TotalPixelMatrixRows), int(image_file.TotalPixelMatrixColumns))
    uids = (str(image_file.SOPInstanceUID),)
    result = read_segmentation(file, ImageGrid(shape, None, uids))
    assert result.code == ""
    expected = highdicom.seg.segread(file).get_total_pixel_matrix()
    for number, mask in enumerate(result.masks):
        np.testing.assert_array_equal(mask.voxels[0], expected[..., number])
    volume = ImageGrid((25, 10, 10), None, uids * 25)
    assert read_segmentation(file, volume).code == "E_MASK_SIZE"


@pytest.mark.real
def test_a_segmentation_of_four_slices_does_not_fit_three_of_them(real_data):
    """What was drawn on the slice that is missing would be lost without a word."""
    file = real_data / "dicom_seg_sr_rt" / "highdicom" / "seg_image_ct_binary_overlap.dcm"
    grid = grid_of_series([PYDICOM / each for each in SEGS["ct_binary"].split()])
    assert read_segmentation(file, grid).code == "E_MASK_PLACE"
    missing = "1.3.6.1.4.1.5962.1.1.0.0.0.1196530851.28319.0.93"
    result = read_segmentation(file, grid, {missing})
    assert result.notes == ("N_MASK_PART",)
    expected = by_highdicom(file, grid.instance_uids)
    for number, mask in enumerate(result.masks):
        np.testing.assert_array_equal(mask.voxels, expected[..., number])
