"""Contours in millimetres become the voxels whose centres they enclose, on the slices that they were drawn on."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pydicom
import pytest
import shapely

from data.dicom_files import write_dicom
from data.drawn_files import (
    DIRECTIONS,
    FRAME_UID,
    ORIGIN,
    STEP_MM,
    in_order,
    item,
    places_mm,
    reference,
    save,
    series,
    structure_set,
)
from lucency.data.dicom.drawings.grids import grid_of_series
from lucency.data.dicom.drawings.structure_set import read_structure_set

SHAPE = (5, 24, 28)


def on_plane(direction: str, depth: float, corners: np.ndarray) -> np.ndarray:
    """Return corners, axes (point, (row, column)) in stored pixels of slice `depth`, in LPS millimetres."""
    cosines = np.array(DIRECTIONS[direction], float)
    normal = np.cross(cosines[:3], cosines[3:])
    down, right = cosines[3:] * 0.7, cosines[:3] * 0.9
    return ORIGIN + depth * STEP_MM * normal + corners[:, :1] * down + corners[:, 1:] * right


def blob(seed: int, centre: tuple[float, float] = (11.3, 13.1), radius: float = 8.0, n_points: int = 60) -> np.ndarray:
    """Return a wavy outline, axes (point, (row, column))."""
    angles = np.linspace(0, 2 * np.pi, n_points, endpoint=False)
    waves = radius * (1 + 0.2 * np.sin(3 * angles + seed))
    return np.column_stack([centre[0] + waves * np.sin(angles), centre[1] + waves * np.cos(angles)])


def inside(corners: np.ndarray) -> np.ndarray:
    """Let shapely tell which pixels of a stored slice lie inside, axes (row, column)."""
    return shapely.contains_xy(shapely.Polygon(corners), *np.indices(SHAPE[1:]))


def stored(grid, voxels: np.ndarray, direction: str) -> np.ndarray:
    """Return voxels as the slices were stored, by looking each up at its place in the patient."""
    places = places_mm(SHAPE, direction).reshape(-1, 3) * (-1, -1, 1)
    index = np.linalg.inv(grid.affine)[:3] @ np.vstack([places.T, np.ones(len(places))])
    return voxels[tuple(np.rint(index).astype(int))].reshape(SHAPE)


def nearest_source(files, direction):
    """Return a function that finds the slice that a contour lies on."""
    headers = in_order(files)
    positions = np.array([header.ImagePositionPatient for header in headers], float)
    cosines = np.array(DIRECTIONS[direction], float)
    normal = np.cross(cosines[:3], cosines[3:])
    return lambda points: headers[int(np.abs((positions - points[0]) @ normal).argmin())].SOPInstanceUID


def write(tmp_path, direction, structures, kind="CLOSED_PLANAR", name="rt.dcm"):
    """Write a series and a structure set on it; return its path and the grid."""
    folder = tmp_path / "ct"
    files = sorted(folder.iterdir()) if folder.exists() else series(folder, SHAPE, direction)
    made = structure_set(structures, in_order(files), nearest_source(files, direction), kind)
    return save(tmp_path / name, made), grid_of_series(files)


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_contours_enclose_the_voxels_that_shapely_finds(tmp_path, direction):
    """An independent computation of the same polygon, in the plane in which it was drawn."""
    outlines = {k: blob(k) for k in (1, 2, 3)}
    path, grid = write(tmp_path, direction, {"liver": [on_plane(direction, k, each) for k, each in outlines.items()]})
    found = read_structure_set(path, grid)
    assert (found.code, found.notes) == ("", ())
    voxels = stored(grid, found.masks[0].voxels, direction)
    for k in range(SHAPE[0]):
        expected = inside(outlines[k]) if k in outlines else np.zeros(SHAPE[1:], bool)
        assert dice(voxels[k], expected) > 0.99


def dice(one: np.ndarray, other: np.ndarray) -> float:
    total = int(one.sum()) + int(other.sum())
    return 1.0 if not total else 2 * int((one & other).sum()) / total


def test_a_contour_within_another_is_a_hole(tmp_path):
    """Rings are drawn as two contours, or as one with a channel of no width (keyhole)."""
    outer, inner = blob(0), blob(0, radius=4.0)
    ring = inside(outer) & ~inside(inner)
    keyhole = np.vstack([outer, outer[:1], inner[::-1][-1:], inner[::-1], outer[:1]])
    path, grid = write(
        tmp_path,
        "axial",
        {"two": [on_plane("axial", 2, outer), on_plane("axial", 2, inner)], "key": [on_plane("axial", 2, keyhole)]},
    )
    for mask in read_structure_set(path, grid).masks:
        assert dice(stored(grid, mask.voxels, "axial")[2], ring) > 0.99


def test_contours_apart_are_added(tmp_path):
    """A structure may have several parts in one slice."""
    left, right = blob(1, (11, 6), 4), blob(2, (11, 20), 4)
    path, grid = write(tmp_path, "axial", {"lungs": [on_plane("axial", 2, each) for each in (left, right)]})
    (mask,) = read_structure_set(path, grid).masks
    assert dice(stored(grid, mask.voxels, "axial")[2], inside(left) | inside(right)) > 0.99


def test_a_centre_on_an_edge_belongs_to_one_of_two_neighbours(tmp_path):
    """Structures that share an edge neither overlap nor leave a gap."""
    upper = np.array([[2.0, 3], [2, 9], [7, 9], [7, 3]])
    lower = np.array([[7.0, 3], [7, 9], [12, 9], [12, 3]])
    path, grid = write(tmp_path, "axial", {"a": [on_plane("axial", 1, upper)], "b": [on_plane("axial", 1, lower)]})
    above, below = (stored(grid, mask.voxels, "axial")[1] for mask in read_structure_set(path, grid).masks)
    assert not (above & below).any()
    assert (above | below).sum() == 10 * 6
    assert above.sum() == below.sum() == 5 * 6


def test_structures_of_one_name_are_numbered_and_empty_ones_stay(tmp_path):
    """A structure without contours was looked for and not found."""
    path, grid = write(tmp_path, "axial", {"GTV": [on_plane("axial", 1, blob(1))], "Scar": []})
    header = pydicom.dcmread(path)
    header.StructureSetROISequence[1].ROIName = "GTV"
    masks = read_structure_set(save(path, header), grid).masks
    assert [(mask.name, mask.number, bool(mask.voxels.any())) for mask in masks] == [
        ("GTV", 1, True),
        ("GTV", 2, False),
    ]


@pytest.mark.parametrize("kind", ["POINT", "OPEN_PLANAR", "OPEN_NONPLANAR"])
def test_points_and_open_lines_are_noted(tmp_path, kind):
    """They enclose nothing."""
    points = on_plane("axial", 1, blob(1))[: 1 if kind == "POINT" else None]
    path, grid = write(tmp_path, "axial", {"isocentre": [points]}, kind)
    found = read_structure_set(path, grid)
    assert found.notes == ("N_MASK_NOT_AREA",)
    assert not found.masks[0].voxels.any()


def test_skipped_slices_are_noted_and_stay_empty(tmp_path):
    """Nobody drew there; filling in would be an invention."""
    path, grid = write(tmp_path, "axial", {"a": [on_plane("axial", k, blob(1)) for k in (0, 3)]})
    found = read_structure_set(path, grid)
    assert found.notes == ("N_MASK_SKIPPED_SLICES",)
    assert stored(grid, found.masks[0].voxels, "axial").any(axis=(1, 2)).tolist() == [True, False, False, True, False]


def test_each_slice_takes_the_nearest_of_contours_between_slices(tmp_path):
    """A structure drawn on a finer grid is sampled; contours of two planes are never mixed into holes."""
    depths = {1.0: 8.0, 1.3: 7.0, 1.7: 6.0, 2.1: 5.0, 2.6: 4.0}
    structures = {"a": [on_plane("axial", depth, blob(1, radius=radius)) for depth, radius in depths.items()]}
    path, grid = write(tmp_path, "axial", structures)
    found = read_structure_set(path, grid)
    assert found.notes == ("N_MASK_BETWEEN_SLICES",)
    voxels = stored(grid, found.masks[0].voxels, "axial")
    for k, radius in {1: 8.0, 2: 5.0, 3: 4.0}.items():
        assert dice(voxels[k], inside(blob(1, radius=radius))) > 0.99


def test_a_structure_smaller_than_a_voxel_is_not_lost(tmp_path):
    """A small finding must not become a negative image."""
    path, grid = write(
        tmp_path, "axial", {"dot": [on_plane("axial", 2, np.array([[4.2, 5.2], [4.2, 5.4], [4.4, 5.3]]))]}
    )
    found = read_structure_set(path, grid)
    assert found.notes == ("N_OUTLINE_SMALL",)
    assert np.argwhere(stored(grid, found.masks[0].voxels, "axial")).tolist() == [[2, 4, 5]]


def test_what_sticks_out_of_the_image_is_cut_off(tmp_path):
    """Skin is often drawn beyond the field of view."""
    large = blob(1, radius=20)
    path, grid = write(tmp_path, "axial", {"body": [on_plane("axial", 2, large)]})
    found = read_structure_set(path, grid)
    assert found.notes == ("N_MASK_PART",)
    assert dice(stored(grid, found.masks[0].voxels, "axial")[2], inside(large)) > 0.99


def above_the_image(header):
    move(header, (0, 0, 30))


def beside_the_image(header):
    move(header, (300, 0, 0))


def move(header, millimetres):
    for contour in contours(header):
        points = np.reshape(contour.ContourData, (-1, 3)).astype(float)
        contour.ContourData = np.add(points, millimetres).ravel().tolist()


def across_slices(header):
    for contour in contours(header):
        points = np.reshape(contour.ContourData, (-1, 3)).astype(float)
        points[:, 2] += 0.3 * (points[:, 0] - points[0, 0])
        contour.ContourData = points.ravel().tolist()


def names_the_wrong_slice(header):
    listed = listed_images(header)
    for contour in contours(header):
        contour.ContourImageSequence = [listed[-1]]


def names_a_lost_slice(header):
    contours(header)[0].ContourImageSequence = [reference("1.2.3.1.99")]


def another_image(header):
    for image in listed_images(header):
        image.ReferencedSOPInstanceUID += ".7"
    for contour in contours(header):
        contour.ContourImageSequence[0].ReferencedSOPInstanceUID += ".7"


def without_references(header):
    del header.ReferencedFrameOfReferenceSequence[0].RTReferencedStudySequence
    for contour in contours(header):
        del contour.ContourImageSequence


def nothing_known(header):
    without_references(header)
    del header.ReferencedFrameOfReferenceSequence
    for roi in header.StructureSetROISequence:
        del roi.ReferencedFrameOfReferenceUID


def other_frame_without_references(header):
    nothing_known(header)
    header.ReferencedFrameOfReferenceSequence = [item(FrameOfReferenceUID="1.2.3.98")]


def other_frame(header):
    header.ReferencedFrameOfReferenceSequence[0].FrameOfReferenceUID = "1.2.3.98"
    for roi in header.StructureSetROISequence:
        roi.ReferencedFrameOfReferenceUID = "1.2.3.98"


def half_a_point(header):
    contours(header)[0].ContourData = list(contours(header)[0].ContourData)[:-1]


def fewer_points_than_told(header):
    contours(header)[0].NumberOfContourPoints += 1


def unknown_structure(header):
    header.ROIContourSequence[0].ReferencedROINumber = 9


def unknown_shape(header):
    contours(header)[0].ContourGeometricType = "SPLINE"


def contours(header):
    return [contour for roi in header.ROIContourSequence for contour in roi.ContourSequence]


def listed_images(header):
    study = header.ReferencedFrameOfReferenceSequence[0].RTReferencedStudySequence[0]
    return study.RTReferencedSeriesSequence[0].ContourImageSequence


@pytest.mark.parametrize(
    ("change", "code", "notes"),
    [
        (above_the_image, "E_MASK_PLACE", ()),
        (beside_the_image, "E_MASK_PLACE", ()),
        (across_slices, "E_MASK_PLACE", ()),
        (names_the_wrong_slice, "E_MASK_BROKEN_REFERENCE", ()),
        (names_a_lost_slice, "E_MASK_BROKEN_REFERENCE", ()),
        (another_image, "E_MASK_OTHER_IMAGE", ()),
        (without_references, "", ("N_MASK_UNREFERENCED",)),
        (nothing_known, "E_MASK_BROKEN_REFERENCE", ()),
        (other_frame_without_references, "E_MASK_OTHER_IMAGE", ()),
        (other_frame, "", ("N_MASK_FRAME_OF_REFERENCE",)),
        (half_a_point, "E_BAD_HEADER", ()),
        (fewer_points_than_told, "E_BAD_HEADER", ()),
        (unknown_structure, "E_BAD_HEADER", ()),
        (unknown_shape, "E_BAD_HEADER", ()),
    ],
)
def test_what_does_not_fit_is_refused(tmp_path, change, code, notes):
    """A structure set of another image would still look like one."""
    path, grid = write(tmp_path, "axial", {"a": [on_plane("axial", k, blob(1, radius=5)) for k in (1, 2)]})
    header = pydicom.dcmread(path)
    change(header)
    found = read_structure_set(save(path, header), grid)
    assert (found.code, found.notes) == (code, notes)
    assert bool(found.masks) != bool(code)


def test_a_slice_of_the_series_has_its_part(tmp_path):
    """An image that is one slice of what was drawn on is given its part only where that is asked for."""
    path, whole = write(tmp_path, "axial", {"a": [on_plane("axial", k, blob(k)) for k in (1, 2)]})
    for file in sorted((tmp_path / "ct").iterdir()):
        grid, number = grid_of_series([file]), pydicom.dcmread(file).InstanceNumber - 1
        assert read_structure_set(path, grid).code == "E_MASK_BROKEN_REFERENCE"
        found = read_structure_set(path, grid, set(whole.instance_uids))
        assert found.notes == ("N_MASK_PART",)
        expected = inside(blob(number)) if number in (1, 2) else np.zeros(SHAPE[1:], bool)
        assert dice(found.masks[0].voxels[0], expected) > 0.99


def test_an_image_without_a_place_has_no_structures(tmp_path):
    """Millimetres mean nothing on a radiograph."""
    path, grid = write(tmp_path, "axial", {"a": [on_plane("axial", 1, blob(1))]})
    assert read_structure_set(path, replace(grid, affine=None)).code == "E_MASK_PLACE"
    image = write_dicom(tmp_path / "dx.dcm", np.zeros((4, 5), np.uint16))
    assert read_structure_set(image, grid).code == "E_NOT_DRAWING"


@pytest.mark.parametrize("share", [0.0, 0.01, 0.3, 0.6, 0.9, 0.999])
def test_a_file_that_was_cut_is_refused(tmp_path, share):
    """A structure set that lost its end would be one with fewer contours."""
    path, grid = write(tmp_path, "axial", {"a": [on_plane("axial", k, blob(1)) for k in (1, 2)]})
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    assert read_structure_set(path, grid).code in ("E_EMPTY_FILE", "E_TRUNCATED", "E_UNREADABLE")


@pytest.mark.real
def test_structure_sets_with_broken_references_are_refused(real_data):
    """Both were broken on purpose, by rt-utils: slices that are not there, and no list of images at all."""
    folder = real_data / "dicom_seg_sr_rt" / "rt_utils"
    grid = grid_of_series([folder / "ct_1.dcm", folder / "ct_2.dcm"])
    for name in ("invalid_reference_rt.dcm", "non_existent_reference_rt.dcm"):
        assert read_structure_set(folder / name, grid).code == "E_MASK_BROKEN_REFERENCE"
        for slice_ in ("ct_1.dcm", "ct_2.dcm"):
            found = read_structure_set(folder / name, grid_of_series([folder / slice_]), set(grid.instance_uids))
            assert found.code == "E_MASK_BROKEN_REFERENCE"


@pytest.mark.real
def test_a_structure_set_of_rt_utils_is_read(real_data):
    """It names a frame of reference that its program made up, and the slices themselves."""
    folder = real_data / "dicom_seg_sr_rt" / "rt_utils"
    grid = grid_of_series([folder / "ct_1.dcm", folder / "ct_2.dcm"])
    found = read_structure_set(folder / "rt.dcm", grid)
    assert (found.code, found.notes) == ("", ("N_MASK_FRAME_OF_REFERENCE",))
    assert_is_as_shapely_fills_it(folder / "rt.dcm", grid, found.masks)


@pytest.mark.real
def test_a_clinical_structure_set_is_read_on_the_slice_that_is_there(real_data):
    """Ten structures of a treatment plan; of 98 slices one is there, so that the whole is refused."""
    folder = real_data / "dicom_seg_sr_rt" / "dicompyler"
    grid = grid_of_series([folder / "ct.0.dcm"])
    assert read_structure_set(folder / "rtss.dcm", grid).code == "E_MASK_BROKEN_REFERENCE"
    contours = [
        each
        for roi in pydicom.dcmread(folder / "rtss.dcm").ROIContourSequence
        for each in roi.get("ContourSequence", [])
    ]
    beside = {each.ContourImageSequence[0].ReferencedSOPInstanceUID for each in contours}
    found = read_structure_set(folder / "rtss.dcm", grid, beside)
    assert found.notes == ("N_MASK_PART",)
    assert len(found.masks) == 10
    assert_is_as_shapely_fills_it(folder / "rtss.dcm", grid, found.masks)


def assert_is_as_shapely_fills_it(path: Path, grid, masks) -> None:
    """Compare the slices of an upright axial image."""
    header = pydicom.dcmread(path)
    for roi, mask in zip(header.ROIContourSequence, masks, strict=True):
        expected = np.zeros(grid.shape, bool)
        for contour in roi.get("ContourSequence", []):
            ras = np.reshape(contour.ContourData, (-1, 3)).astype(float) * (-1, -1, 1)
            points = ras @ np.linalg.inv(grid.affine)[:3, :3].T + np.linalg.inv(grid.affine)[:3, 3]
            if 0 <= round(points[0, 0]) < grid.shape[0]:
                outline = shapely.Polygon(points[:, 1:])
                expected[round(points[0, 0])] ^= shapely.contains_xy(outline, *np.indices(grid.shape[1:]))
        assert dice(mask.voxels, expected) > 0.99


def test_the_frame_of_reference_of_these_tests_is_that_of_the_series(tmp_path):
    """Otherwise the tests above would test nothing."""
    assert grid_of_series(series(tmp_path, SHAPE)).frame_of_reference_uid == FRAME_UID
