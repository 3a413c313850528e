"""From files to volumes: by geometry alone, and never a silently wrong or thinner one."""

import random
from pathlib import Path

import numpy as np
import pydicom
import pytest
from dicom_files import AXIAL, CT_STORAGE, SPACING, ct_slices, position, save_all, write, write_dicom
from pydicom.uid import JPEG2000Lossless, RLELossless

from lucency.data import codes
from lucency.data.volumes import Outcome, find_volumes, hash_of, read_folder

DRAW = np.random.default_rng(3)
HU = DRAW.integers(-1000, 2000, (8, 12, 16)).astype(np.int16)
OTHER = DRAW.integers(-1000, 2000, (8, 12, 16)).astype(np.int16)
SAGITTAL = (0.0, 1.0, 0.0, 0.0, 0.0, -1.0)
CORONAL = (1.0, 0.0, 0.0, 0.0, 0.0, -1.0)
AFFINE = np.array([[0, 0, -0.9, 31.5], [0, -0.7, 0, -12.25], [2.5, 0, 0, 40], [0, 0, 0, 1]])
"""By hand: slices 2.5 mm to the head, rows 0.7 mm to the back, columns 0.9 mm to the left."""


def outcomes(folder: Path) -> list[Outcome]:
    """Read a folder, and check what holds for every folder."""
    found = list(read_folder(folder))
    for one in found:
        assert (one.volume is None) == bool(one.code)
        assert {one.code, *one.notes} - {""} <= codes.EXPLANATIONS.keys()
    told = [file for one in found for file in one.files]
    assert {path.relative_to(folder).as_posix() for path in folder.rglob("*.dcm")} == set(told)
    return found


def volumes(found: list[Outcome]) -> list[Outcome]:
    return [one for one in found if one.volume is not None]


def refusals(found: list[Outcome]) -> dict[str, str]:
    return {file: one.code for one in found for file in one.files if one.code}


def test_slices_are_stacked_by_position_and_not_by_number(tmp_path):
    """MONAI goes by InstanceNumber, and so a wrong number is a wrong volume."""
    headers = ct_slices(HU)
    for header, number in zip(headers, (3, 8, 1, 6, 2, 7, 5, 4), strict=True):
        header.InstanceNumber = number
    save_all(tmp_path, headers)
    (one,) = outcomes(tmp_path)
    assert np.array_equal(one.volume.values, HU)
    assert np.allclose(one.volume.affine, AFFINE)
    assert one.volume.values.dtype == np.int16
    assert (one.volume.unit, one.facts.modality, one.notes) == ("HU", "CT", ())
    assert np.allclose(one.volume.spacing_mm, (2.5, *SPACING))
    first = next(file for file in one.files if pydicom.dcmread(tmp_path / file).SOPInstanceUID.endswith(".1"))
    assert one.files[0] == first == one.source


@pytest.mark.parametrize(
    ("orientation", "step"),
    [
        (AXIAL, (0, 0, -2.5)),
        (SAGITTAL, (2.5, 0, 0)),
        (CORONAL, (0, 2.5, 0)),
        ((-1.0, 0, 0, 0, -1.0, 0), (0, 0, 2.5)),
        ((0.8, 0.6, 0, -0.6, 0.8, 0), (0, 0, 2.5)),
        ((0.6, 0, -0.8, 0, 1.0, 0), (2.0, 0, 1.5)),
    ],
)
def test_every_orientation_ends_with_its_values_in_their_place(tmp_path, orientation, step):
    """Axes are turned, values never move in the patient: compared voxel by voxel through the formula of the standard."""
    places = [position(k, step) for k in range(8)]
    save_all(tmp_path, ct_slices(HU, places, ImageOrientationPatient=list(orientation)))
    (one,) = outcomes(tmp_path)
    values, affine = one.volume.values, one.volume.affine
    k, i, j = np.meshgrid(*map(np.arange, values.shape), indexing="ij")
    ras = np.stack([k, i, j, np.ones_like(k)], -1).reshape(-1, 4) @ affine.T
    lps = ras[:, :3] * [-1, -1, 1]
    row, column, normal = np.array(orientation[:3]), np.array(orientation[3:]), np.array(step) / 2.5
    away = lps - np.array(places[0])  # PS3.3 C.7.6.2.1.1, solved for the indices
    index = np.column_stack([away @ normal / 2.5, away @ column / SPACING[0], away @ row / SPACING[1]])
    assert np.abs(index - np.rint(index)).max() < 1e-6
    assert np.array_equal(values.ravel(), HU[tuple(np.rint(index).astype(int).T)])
    towards = affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0)
    assert towards[2, 0] >= 0.5  # the first axis leads to the head
    assert towards[1, 1] <= -0.5  # the second to the back
    assert towards[0, 2] <= -0.5  # the third to the left


def test_names_order_and_encoding_do_not_change_the_hash(tmp_path):
    """A volume is what was imaged, and not how it was filed."""
    large = np.tile(HU, (1, 4, 3))  # JPEG 2000 declines smaller ones
    headers = ct_slices(large)
    save_all(tmp_path / "a", headers)
    shuffled = random.Random(1).sample(headers, len(headers))
    for number, header in enumerate(shuffled):
        if number % 2:
            header.compress(RLELossless if number % 3 else JPEG2000Lossless, generate_instance_uid=False)
        (tmp_path / "b" / f"x{number % 3}").mkdir(parents=True, exist_ok=True)
        write(tmp_path / "b" / f"x{number % 3}" / f"IM{number}.dcm", header)
    (first,), (second,) = outcomes(tmp_path / "a"), outcomes(tmp_path / "b")
    assert hash_of(first.volume) == hash_of(second.volume)
    headers[3].PixelData = ct_slices(np.tile(OTHER, (1, 4, 3)))[3].PixelData
    headers[3].file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    save_all(tmp_path / "c", headers)
    (third,) = outcomes(tmp_path / "c")
    assert hash_of(first.volume) != hash_of(third.volume)


@pytest.mark.parametrize("missing", [[4], [2, 5], [3, 4], [2, 4], [2, 4, 5, 6, 7]])
def test_a_missing_slice_is_a_gap(tmp_path, missing):
    """SimpleITK and MONAI close the gap and give a shorter patient."""
    save_all(tmp_path, [header for k, header in enumerate(ct_slices(HU)) if k not in missing])
    (one,) = outcomes(tmp_path)
    assert one.code == "E_GAP"


@pytest.mark.parametrize("damage", ["cut pixels", "cut header", "empty", "junk"])
@pytest.mark.parametrize("which", [3, 7])
def test_a_damaged_slice_never_makes_a_thinner_volume_in_silence(tmp_path, damage, which):
    """At the end of a stack a missing slice leaves no gap: the volume must carry a note, or be refused."""
    paths = save_all(tmp_path, ct_slices(HU))
    content = paths[which].read_bytes()
    damaged = {"cut pixels": content[:-100], "cut header": content[:400], "empty": b"", "junk": b"no DICOM at all"}
    paths[which].write_bytes(damaged[damage])
    found = outcomes(tmp_path)
    assert paths[which].name in refusals(found)
    for one in volumes(found):
        assert which == 7
        assert "N_INCOMPLETE" in one.notes
        assert np.array_equal(one.volume.values, HU[:7])


def test_a_report_beside_the_slices_is_no_loss(tmp_path):
    """A dose report lies in the folder of every CT, and lacks no slice."""
    save_all(tmp_path, ct_slices(HU))
    report = ct_slices(HU[:1])[0]
    for keyword in ("PixelData", "Rows", "Columns"):
        delattr(report, keyword)
    report.SOPClassUID, report.Modality = "1.2.840.10008.5.1.4.1.1.88.67", "SR"
    write(tmp_path / "report.dcm", report)
    found = outcomes(tmp_path)
    assert refusals(found) == {"report.dcm": "E_NOT_IMAGE"}
    assert volumes(found)[0].notes == ()


def test_the_same_slice_twice_counts_once(tmp_path):
    """A copy, under the same instance or another, is set aside with a note."""
    headers = ct_slices(HU)
    save_all(tmp_path, headers)
    write(tmp_path / "z1.dcm", headers[2])
    headers[5].SOPInstanceUID = "1.2.3.1.99"
    write(tmp_path / "z2.dcm", headers[5])
    found = outcomes(tmp_path)
    assert refusals(found).keys() >= {"z1.dcm", "z2.dcm"}
    assert set(refusals(found).values()) == {"E_DUPLICATE"}
    (one,) = volumes(found)
    assert np.array_equal(one.volume.values, HU)
    assert one.notes == ("N_DUPLICATE_SLICE",)


def test_a_copy_that_cannot_be_read_gives_way_to_one_that_can(tmp_path):
    """A transfer was cut, and repeated under another name."""
    paths = save_all(tmp_path, ct_slices(HU))
    (tmp_path / "a.dcm").write_bytes(paths[4].read_bytes()[:-50])
    found = outcomes(tmp_path)
    assert refusals(found) == {"a.dcm": "E_TRUNCATED"}
    assert np.array_equal(volumes(found)[0].volume.values, HU)


def test_a_slice_that_is_left_alone_tells_that_others_are_missing(tmp_path):
    """Of a whole CT one slice came through: it is no CT."""
    paths = save_all(tmp_path, ct_slices(HU))
    for path in paths[1:]:
        path.write_bytes(path.read_bytes()[:300])
    (one,) = volumes(outcomes(tmp_path))
    assert one.notes == ("N_INCOMPLETE",)


def test_different_slices_in_one_place_are_refused(tmp_path):
    """Nobody knows which of them is right."""
    headers = ct_slices(HU)
    headers.append(ct_slices(OTHER)[4])
    headers[-1].SOPInstanceUID = "1.2.3.1.99"
    save_all(tmp_path, headers)
    (one,) = outcomes(tmp_path)
    assert one.code == "E_DUPPOS"
    assert len(one.files) == 9


@pytest.mark.parametrize(
    ("keyword", "values"),
    [
        ("AcquisitionNumber", (1, 2)),
        ("TemporalPositionIdentifier", (2, 1)),
        ("EchoTime", (15, 90)),
        ("DiffusionBValue", (0.0, 1000.0)),
        ("ConvolutionKernel", ("B70f", "B30f")),
        ("ImageType", (["ORIGINAL", "PRIMARY", "M"], ["ORIGINAL", "PRIMARY", "P"])),
    ],
)
def test_volumes_in_the_same_place_are_told_apart(tmp_path, keyword, values):
    """Contrast phases, times, echoes, diffusion weightings and kernels share a series; each is a volume."""
    headers = ct_slices(HU)
    for header in ct_slices(OTHER):
        header.SOPInstanceUID += ".2"
        headers.append(header)
    for number, header in enumerate(headers):
        setattr(header, keyword, values[number // 8])
    save_all(tmp_path, headers)
    found = outcomes(tmp_path)
    assert sorted(hash(one.volume.values.tobytes()) for one in found) == sorted(
        hash(truth.tobytes()) for truth in (HU, OTHER)
    )
    assert all(one.notes == ("N_SPLIT_4D",) for one in found)


def test_a_film_is_divided_by_time_where_no_two_slices_share_one(tmp_path):
    """Some perfusion series tell volumes apart by nothing but the time of each slice."""
    headers = ct_slices(HU)
    for header in ct_slices(OTHER):
        header.SOPInstanceUID += ".2"
        headers.append(header)
    for number, header in enumerate(headers):
        header.AcquisitionDate, header.AcquisitionTime = "20200101", f"1200{number:02d}.5"
    save_all(tmp_path, headers)
    found = outcomes(tmp_path)
    assert {one.volume.values.tobytes() for one in found} == {HU.tobytes(), OTHER.tobytes()}


def test_interleaved_volumes_are_not_mixed(tmp_path):
    """Two reconstructions that are shifted by a millimetre share no position, and yet are two volumes."""
    headers = ct_slices(HU, ConvolutionKernel="soft")
    for header in ct_slices(OTHER, [position(k + 0.4) for k in range(8)], ConvolutionKernel="bone"):
        header.SOPInstanceUID += ".2"
        headers.append(header)
    save_all(tmp_path, headers)
    assert {one.volume.values.tobytes() for one in outcomes(tmp_path)} == {HU.tobytes(), OTHER.tobytes()}


def test_two_patients_in_one_series_are_never_merged(tmp_path):
    """All five readers that were tried merge them."""
    headers = ct_slices(HU[:4]) + ct_slices(HU[4:], [position(k) for k in range(4, 8)], PatientID="777")
    for number, header in enumerate(headers):
        header.SOPInstanceUID = f"1.2.3.1.{number}"
    save_all(tmp_path, headers)
    found = outcomes(tmp_path)
    assert [one.volume.values.shape for one in found] == [(4, 12, 16)] * 2
    assert {one.facts.patient for one in found} == {"42", "777"}
    assert all(one.notes == ("N_MIXED_PATIENTS",) for one in found)


@pytest.mark.parametrize("is_told", [True, False])
def test_a_localizer_is_set_aside(tmp_path, is_told):
    """The overview lies in the same series, in another plane; some do not even say that they are localizers."""
    headers = ct_slices(HU)
    overview = ct_slices(OTHER[:1], ImageOrientationPatient=list(CORONAL))[0]
    overview.SOPInstanceUID = "1.2.3.1.99"
    if is_told:
        overview.ImageType = ["ORIGINAL", "PRIMARY", "LOCALIZER"]
    save_all(tmp_path, headers)
    write(tmp_path / "overview.dcm", overview)
    found = outcomes(tmp_path)
    assert refusals(found) == {"overview.dcm": "E_LOCALIZER"}
    (one,) = volumes(found)
    assert np.array_equal(one.volume.values, HU)
    assert one.notes == ("N_LOCALIZER_DROPPED",)


@pytest.mark.parametrize(
    "change", [{"ImageOrientationPatient": list(CORONAL)}, {"PixelSpacing": [1, 1]}, {"FrameOfReferenceUID": "1.9"}]
)
def test_slices_of_another_kind_are_another_volume(tmp_path, change):
    """Planes, pixel sizes and frames of reference cannot be stacked with others."""
    step = (0, 2.5, 0) if "ImageOrientationPatient" in change else (0, 0, 2.5)
    headers = ct_slices(HU) + ct_slices(OTHER, [position(k, step) for k in range(8)], **change)
    for number, header in enumerate(headers):
        header.SOPInstanceUID = f"1.2.3.1.{number}"
    save_all(tmp_path, headers)
    found = outcomes(tmp_path)
    assert len(volumes(found)) == 2
    assert all(one.notes == ("N_SPLIT_SERIES",) for one in found)


def ramp(places: list[list[float]], orientation: tuple[float, ...] = AXIAL) -> np.ndarray:
    """Return Hounsfield units that are a linear function of the place, so that interpolation is exact."""
    row, column = np.array(orientation[:3]), np.array(orientation[3:])
    i, j = np.meshgrid(np.arange(12), np.arange(16), indexing="ij")
    lps = np.array(places)[:, None, None] + i[..., None] * column * SPACING[0] + j[..., None] * row * SPACING[1]
    return np.rint(6 * (lps @ [2.0, 3.0, 5.0])).astype(np.int16)


def misses(one: Outcome) -> np.ndarray:
    """Return by how much the volume misses the linear function at each of its places."""
    values, affine = one.volume.values, one.volume.affine
    index = np.stack([*np.meshgrid(*map(np.arange, values.shape), indexing="ij"), np.ones(values.shape)], -1)
    ras = index @ affine.T
    return np.abs(values - 6 * (ras[..., :3] @ [-2.0, -3.0, 5.0]))


def test_uneven_spacing_is_interpolated_to_even(tmp_path):
    """Old chest protocols change from thin to thick slices; one spacing for all would deform the patient."""
    places = [position(k) for k in (0, 1, 2, 3, 4, 6, 8, 10)]
    save_all(tmp_path, ct_slices(ramp(places), places))
    (one,) = outcomes(tmp_path)
    assert one.notes == ("N_NONUNIFORM_RESAMPLED",)
    assert one.volume.values.shape == (11, 12, 16)
    assert np.allclose(one.volume.spacing_mm, (2.5, *SPACING))
    assert misses(one).max() <= 1


@pytest.mark.parametrize("slices", [(0, 1, 2, 3, 4, 5, 6, 7), (0, 1, 2, 3, 4, 6, 8, 10)])
def test_a_tilted_gantry_is_straightened(tmp_path, slices):
    """A stack of tilted slices shows a sheared head; uneven ones must not mix their edges with what is outside."""
    tilt = np.deg2rad(15)
    orientation = (1.0, 0.0, 0.0, 0.0, round(float(np.cos(tilt)), 9), round(float(np.sin(tilt)), 9))
    places = [position(k) for k in slices]
    save_all(tmp_path, ct_slices(ramp(places, orientation), places, ImageOrientationPatient=list(orientation)))
    (one,) = outcomes(tmp_path)
    assert one.notes[-1] == "N_TILT_RESAMPLED"
    axes = one.volume.affine[:3, :3] / np.linalg.norm(one.volume.affine[:3, :3], axis=0)
    assert np.allclose(axes.T @ axes, np.eye(3), atol=1e-6)
    index = np.stack([*np.meshgrid(*map(np.arange, one.volume.values.shape), indexing="ij")], -1)
    lps = (index @ one.volume.affine[:3, :3].T + one.volume.affine[:3, 3]) * [-1, -1, 1]
    shear = np.column_stack([position(1), position(0)]) @ [1, -1]
    stored = np.column_stack([shear, np.array(orientation[3:]) * SPACING[0], np.array(orientation[:3]) * SPACING[1]])
    within = (lps - places[0]) @ np.linalg.inv(stored).T
    is_imaged = ((within > -1e-6) & (within < np.array([slices[-1], 11, 15]) + 1e-6)).all(axis=-1)
    assert is_imaged.sum() > 0.8 * slices[-1] * 11 * 15
    assert misses(one)[is_imaged].max() <= 1


def test_slices_that_jump_sideways_are_refused(tmp_path):
    """The table moved: no grid holds such slices."""
    places = [position(k) for k in range(8)]
    places[5][0] += 4
    save_all(tmp_path, ct_slices(HU, places))
    (one,) = outcomes(tmp_path)
    assert one.code == "E_TILT"


def test_rounded_positions_are_even(tmp_path):
    """Headers round; that is no reason to interpolate."""
    places = [[-31.5, 12.25, round(40 + 2.5 * k + 0.004 * (-1) ** k, 3)] for k in range(8)]
    save_all(tmp_path, ct_slices(HU, places))
    (one,) = outcomes(tmp_path)
    assert one.notes == ()
    assert np.array_equal(one.volume.values, HU)


@pytest.mark.parametrize("keyword", ["ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing"])
def test_slices_without_a_place_are_refused(tmp_path, keyword):
    """SimpleITK invents a spacing of 1 mm."""
    headers = ct_slices(HU)
    for header in headers:
        delattr(header, keyword)
    save_all(tmp_path, headers)
    (one,) = outcomes(tmp_path)
    assert one.code == "E_NOGEOM"
    assert len(one.files) == 8


def test_a_single_image_needs_no_place(tmp_path):
    """A radiograph, or one slice of a CT, is a picture with its values."""
    header = ct_slices(HU[:1])[0]
    write(tmp_path / "a.dcm", header)
    (one,) = outcomes(tmp_path)
    assert np.allclose(one.volume.affine, AFFINE)
    del header.ImagePositionPatient, header.SliceThickness
    write(tmp_path / "a.dcm", header)
    (one,) = outcomes(tmp_path)
    assert np.array_equal(one.volume.values, HU[:1])
    assert one.volume.affine is None


def test_radiographs_of_one_series_stay_apart(tmp_path):
    """Two views are two pictures."""
    for number in (1, 2):
        write_dicom(tmp_path / f"{number}.dcm", np.full((4, 5), number, np.uint16), SOPInstanceUID=f"1.{number}")
    found = outcomes(tmp_path)
    assert [one.volume.values.max() for one in found] == [1, 2]


def test_decimal_commas_are_read_with_a_note(tmp_path):
    """Some exports write decimal commas."""
    for path in save_all(tmp_path, ct_slices(HU)):
        path.write_bytes(path.read_bytes().replace(b"0.7\\0.9", b"0,7\\0,9"))
    (one,) = outcomes(tmp_path)
    assert np.allclose(one.volume.affine, AFFINE)
    assert one.notes == ("N_COMMA_DECIMAL",)


def test_finding_does_not_decode(tmp_path, monkeypatch):
    """Listing ten thousand volumes must not read ten thousand volumes."""
    save_all(tmp_path, ct_slices(HU))
    monkeypatch.setattr("lucency.data.dicom.volume.decode_pixels", None)
    (stack,) = find_volumes(tmp_path)
    assert stack.read is not None
    assert stack.facts.patient == "42"


def test_the_helper_writes_computed_tomography():
    """The rules for Hounsfield units go by the class of the object."""
    assert pydicom.uid.UID(CT_STORAGE).name == "CT Image Storage"
