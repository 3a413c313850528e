"""Where the slices lie in the patient: order, orientation, gaps, copies, tilt."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset

from .case import Expected, case
from .phantom import (
    AXIAL,
    CORONAL,
    SAGITTAL,
    SHAPE,
    Grid,
    Person,
    Ramp,
    Truth,
    ct_series,
    hounsfield,
    image,
    save,
    turned,
)

GROUP = "geometry"
HU = hounsfield(4)
TRUTH = Truth(HU, AXIAL.affine)
ENHANCED_CT = "1.2.840.10008.5.1.4.1.1.2.1"
NO_GEOMETRY = frozenset({"E_NOGEOM", "E_BAD_HEADER"})


def _changed(folder: Path, person: Person, change: Callable[[Dataset, int], None]) -> tuple[str, ...]:
    headers = ct_series(person, HU)
    for k, header in enumerate(headers):
        change(header, k)
    return tuple(save(folder, headers))


def _on_grid(folder: Path, person: Person, grid: Grid) -> list[Expected]:
    return [Expected(tuple(save(folder, ct_series(person, HU, grid))), Truth(HU, grid.affine))]


def numbers_shuffled(folder: Path, person: Person) -> list[Expected]:
    """The instance numbers have nothing to do with the order of the slices."""

    def change(header, k):
        header.InstanceNumber = (3, 8, 1, 6, 2, 7, 5, 4)[k]

    return [Expected(_changed(folder, person, change), TRUTH)]


def numbers_all_one(folder: Path, person: Person) -> list[Expected]:
    """All instance numbers are 1."""

    def change(header, k):
        header.InstanceNumber = 1

    return [Expected(_changed(folder, person, change), TRUTH)]


def no_numbers(folder: Path, person: Person) -> list[Expected]:
    """There are no instance numbers."""

    def change(header, k):
        del header.InstanceNumber

    return [Expected(_changed(folder, person, change), TRUTH)]


def from_head_to_feet(folder: Path, person: Person) -> list[Expected]:
    """The slices are numbered from the head to the feet."""
    return _on_grid(folder, person, replace(AXIAL, step=(0.0, 0.0, -2.5)))


def oblique(folder: Path, person: Person) -> list[Expected]:
    """The slices are turned about all three axes."""
    return _on_grid(folder, person, turned(AXIAL, (17.0, -9.0, 31.0)))


def sagittal(folder: Path, person: Person) -> list[Expected]:
    """The slices are sagittal."""
    return _on_grid(folder, person, SAGITTAL)


def coronal(folder: Path, person: Person) -> list[Expected]:
    """The slices are coronal."""
    return _on_grid(folder, person, CORONAL)


def prone(folder: Path, person: Person) -> list[Expected]:
    """The patient lies prone, so that the rows run from left to right and from back to front."""
    return _on_grid(folder, person, replace(AXIAL, along_row=(-1.0, 0.0, 0.0), along_column=(0.0, -1.0, 0.0)))


def slice_missing(folder: Path, person: Person) -> list[Expected]:
    """A slice in the middle was lost: what was there is not known."""
    headers = ct_series(person, HU)
    del headers[4]
    return [Expected(tuple(save(folder, headers)), codes=frozenset({"E_GAP"}))]


def two_slices_in_one_place(folder: Path, person: Person) -> list[Expected]:
    """Two different slices are at the same position: nobody knows which is right."""
    headers = ct_series(person, HU)
    other = ct_series(person, hounsfield(41))[4]
    other.SOPInstanceUID, other.InstanceNumber = other.SOPInstanceUID + ".9", 9
    return [Expected(tuple(save(folder, [*headers, other])), codes=frozenset({"E_DUPPOS"}))]


def slice_sent_twice(folder: Path, person: Person) -> list[Expected]:
    """A slice is there twice, with the same pixels at the same position, under two instance UIDs."""
    headers = ct_series(person, HU)
    copy = ct_series(person, HU)[4]
    copy.SOPInstanceUID, copy.InstanceNumber = copy.SOPInstanceUID + ".9", 9
    names = save(folder, [*headers, copy])
    notes = frozenset({"N_DUPLICATE_SLICE"})
    return [Expected(tuple(names), TRUTH, notes=notes, codes=frozenset({"E_DUPPOS", "E_DUPLICATE"}))]


def gantry_tilt(folder: Path, person: Person) -> list[Expected]:
    """The gantry was tilted by 15°: a stack of the slices would show a sheared patient."""
    tilt = np.deg2rad(15)
    grid = replace(AXIAL, along_column=(0.0, float(np.cos(tilt)), float(np.sin(tilt))))
    ramp = Ramp(grid, tuple(range(SHAPE[0])))
    headers = ct_series(person, ramp.values, grid)
    for header in headers:
        header.GantryDetectorTilt = "15"
    notes = frozenset({"N_TILT_RESAMPLED"})
    return [Expected(tuple(save(folder, headers)), ramp, notes=notes, codes=frozenset({"E_TILT"}))]


def uneven_spacing(folder: Path, person: Person) -> list[Expected]:
    """The first slices are 2.5 mm apart and the last ones 5 mm, as in many chest protocols of old."""
    ramp = Ramp(AXIAL, (0, 1, 2, 3, 4, 6, 8, 10))
    names = save(folder, ct_series(person, ramp.values, slices=ramp.slices))
    codes = frozenset({"E_GAP"})
    return [Expected(tuple(names), ramp, notes=frozenset({"N_NONUNIFORM_RESAMPLED"}), codes=codes)]


def rounded_positions(folder: Path, person: Person) -> list[Expected]:
    """The positions are rounded, so that the spacing varies by a thousandth of a millimetre."""

    def change(header, k):
        header.ImagePositionPatient = [*AXIAL.position(k)[:2], AXIAL.position(k)[2] + (-1) ** k * 0.0004]

    return [Expected(_changed(folder, person, change), TRUTH)]


def spacing_elements_lie(folder: Path, person: Person) -> list[Expected]:
    """Slice thickness, spacing between slices and slice location contradict the positions."""

    def change(header, k):
        header.SliceThickness, header.SpacingBetweenSlices = "10", "-5"
        header.SliceLocation = str(7 * k % 8)

    return [Expected(_changed(folder, person, change), TRUTH)]


def no_positions(folder: Path, person: Person) -> list[Expected]:
    """A CT without position and orientation: the order of its slices is not known."""

    def change(header, k):
        del header.ImagePositionPatient, header.ImageOrientationPatient

    return [Expected(_changed(folder, person, change), codes=NO_GEOMETRY)]


def one_position_missing(folder: Path, person: Person) -> list[Expected]:
    """One slice in the middle has no position."""

    def change(header, k):
        if k == 4:
            del header.ImagePositionPatient

    return [Expected(_changed(folder, person, change), codes=NO_GEOMETRY | {"E_GAP"})]


def no_pixel_spacing(folder: Path, person: Person) -> list[Expected]:
    """The distance between pixels is not known, so that nothing can be measured."""

    def change(header, k):
        del header.PixelSpacing

    return [Expected(_changed(folder, person, change), codes=NO_GEOMETRY)]


def enhanced_shuffled(folder: Path, person: Person) -> list[Expected]:
    """The frames of an enhanced CT are stored in another order than that of their positions."""
    order = (3, 7, 0, 5, 1, 6, 4, 2)
    header = enhanced_ct(person, HU[list(order)], [AXIAL.position(k) for k in order])
    return [Expected(tuple(save(folder, [header], "enhanced")), TRUTH)]


def enhanced_without_positions(folder: Path, person: Person) -> list[Expected]:
    """The frames of an enhanced CT have no positions."""
    header = enhanced_ct(person, HU, [[]] * len(HU))
    return [Expected(tuple(save(folder, [header], "enhanced")), codes=NO_GEOMETRY | {"E_MULTIFRAME"})]


def enhanced_ct(person: Person, hu: np.ndarray, positions: list[list[float]]) -> Dataset:
    """Return the header of an enhanced CT with an axial frame at each position; an empty position is left out."""
    stored = (hu + 1024).astype(np.int16)
    header = image(person, stored[0], SOPClassUID=ENHANCED_CT, Modality="CT", NumberOfFrames=len(hu))
    header.PixelData = stored.tobytes()
    header.ImageType = ["ORIGINAL", "PRIMARY", "VOLUME", "NONE"]
    header.FrameOfReferenceUID = header.StudyInstanceUID + ".7"
    header.SharedFunctionalGroupsSequence = [
        _item(
            PixelMeasuresSequence=[_item(PixelSpacing=list(AXIAL.spacing_mm), SliceThickness="2.5")],
            PlaneOrientationSequence=[_item(ImageOrientationPatient=[1, 0, 0, 0, 1, 0])],
            PixelValueTransformationSequence=[_item(RescaleSlope="1", RescaleIntercept="-1024", RescaleType="HU")],
        )
    ]
    header.PerFrameFunctionalGroupsSequence = [
        _item(
            FrameContentSequence=[_item(DimensionIndexValues=[number], StackID="1", InStackPositionNumber=number)],
            **({"PlanePositionSequence": [_item(ImagePositionPatient=position)]} if position else {}),
        )
        for number, position in enumerate(positions, start=1)
    ]
    return header


def _item(**elements: object) -> Dataset:
    item = Dataset()
    for keyword, value in elements.items():
        setattr(item, keyword, value)
    return item


CASES = [
    case(GROUP, write)
    for write in (
        numbers_shuffled,
        numbers_all_one,
        no_numbers,
        from_head_to_feet,
        oblique,
        sagittal,
        coronal,
        prone,
        slice_missing,
        two_slices_in_one_place,
        slice_sent_twice,
        gantry_tilt,
        uneven_spacing,
        rounded_positions,
        spacing_elements_lie,
        no_positions,
        one_position_missing,
        no_pixel_spacing,
        enhanced_shuffled,
        enhanced_without_positions,
    )
]
