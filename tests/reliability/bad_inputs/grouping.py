"""Which images belong together: patients, acquisitions, orientations, copies, folders."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset

from .case import Expected, case
from .phantom import AXIAL, CORONAL, MR, SHAPE, Person, Truth, ct_series, hounsfield, save

GROUP = "series grouping"
FIRST, SECOND = hounsfield(5), hounsfield(51)
SPLIT = frozenset({"N_SPLIT_4D", "N_SPLIT_SERIES"})


def _as_one_series(first: list[Dataset], second: list[Dataset]) -> list[Dataset]:
    """Put two sets of slices under one series UID, as different instances."""
    for number, header in enumerate(second, start=len(first) + 1):
        header.SeriesInstanceUID = first[0].SeriesInstanceUID
        header.SOPInstanceUID = f"{header.SeriesInstanceUID}.{number}"
        header.InstanceNumber = number
    return first + second


def _split(
    folder: Path, person: Person, change: Callable[[Dataset, int], None], codes: frozenset[str] = frozenset()
) -> list[Expected]:
    """Write two volumes of the same place in one series; what tells them apart is written by `change`."""
    first, second = ct_series(person, FIRST), ct_series(person, SECOND)
    for number, headers in enumerate((first, second)):
        for header in headers:
            change(header, number)
    names = save(folder, _as_one_series(first, second))
    unit = "HU" if first[0].Modality == "CT" else ""
    n = SHAPE[0]
    return [
        Expected(tuple(names[:n]), Truth(_values(first, FIRST), AXIAL.affine, unit), SPLIT, codes),
        Expected(tuple(names[n:]), Truth(_values(second, SECOND), AXIAL.affine, unit), SPLIT, codes),
    ]


def _values(headers: list[Dataset], hu: np.ndarray) -> np.ndarray:
    return hu if "RescaleIntercept" in headers[0] else hu + 1024


def two_patients(folder: Path, person: Person) -> list[Expected]:
    """Two patients share a series UID, the slices of one above those of the other: a person who does not exist."""
    first, second = ct_series(person, FIRST), ct_series(person, SECOND, slices=range(8, 16))
    for header in second:
        header.PatientID, header.PatientName = person.word("other id"), person.word("other name")
    names, n, notes = save(folder, _as_one_series(first, second)), len(first), frozenset({"N_MIXED_PATIENTS"})
    return [
        Expected(tuple(names[:n]), Truth(FIRST, AXIAL.affine), notes),
        Expected(tuple(names[n:]), Truth(SECOND, _raised(8)), notes),
    ]


def two_acquisitions(folder: Path, person: Person) -> list[Expected]:
    """A series holds the same place before and after contrast, told apart by the acquisition number."""

    def change(header, number):
        header.AcquisitionNumber = number + 1

    return _split(folder, person, change)


def two_times(folder: Path, person: Person) -> list[Expected]:
    """A series of MR holds two points in time, told apart by the temporal position."""

    def change(header, number):
        _make_mr(header)
        header.TemporalPositionIdentifier, header.NumberOfTemporalPositions = number + 1, 2

    return _split(folder, person, change)


def two_diffusion_weightings(folder: Path, person: Person) -> list[Expected]:
    """A series of MR holds b = 0 and b = 1000 s/mm²."""

    def change(header, number):
        _make_mr(header)
        header.DiffusionBValue = 1000.0 * number

    return _split(folder, person, change)


def two_echoes(folder: Path, person: Person) -> list[Expected]:
    """A series of MR holds two echoes, told apart by the echo time."""

    def change(header, number):
        _make_mr(header)
        header.EchoTime, header.EchoNumbers = (15, 90)[number], number + 1

    return _split(folder, person, change)


def _make_mr(header: Dataset) -> None:
    header.SOPClassUID, header.Modality, header.ImageType = MR, "MR", ["ORIGINAL", "PRIMARY", "M", "ND"]
    del header.RescaleSlope, header.RescaleIntercept, header.RescaleType


def two_kernels(folder: Path, person: Person) -> list[Expected]:
    """A series holds each slice for lung and for soft tissue; only the convolution kernel tells."""

    def change(header, number):
        header.ConvolutionKernel = ("B70f", "B30f")[number]

    return _split(folder, person, change, codes=frozenset({"E_DUPPOS"}))


def localizer_inside(folder: Path, person: Person) -> list[Expected]:
    """The localizer, a coronal overview, is in the series of the axial slices."""
    axial, overview = ct_series(person, FIRST), ct_series(person, SECOND[:1], CORONAL)
    overview[0].ImageType = ["ORIGINAL", "PRIMARY", "LOCALIZER"]
    names = save(folder, _as_one_series(axial, overview))
    return [
        Expected(tuple(names[:-1]), Truth(FIRST, AXIAL.affine)),
        Expected(
            (names[-1],),
            Truth(SECOND[:1], CORONAL.affine),
            codes=frozenset({"E_LOCALIZER", "E_NOT_IMAGE"}),
            set_aside=frozenset({"N_LOCALIZER_DROPPED"}),
        ),
    ]


def two_orientations(folder: Path, person: Person) -> list[Expected]:
    """Axial and coronal reconstructions are in one series."""
    names = save(folder, _as_one_series(ct_series(person, FIRST), ct_series(person, SECOND, CORONAL)))
    n = SHAPE[0]
    return [
        Expected(tuple(names[:n]), Truth(FIRST, AXIAL.affine), SPLIT),
        Expected(tuple(names[n:]), Truth(SECOND, CORONAL.affine), SPLIT),
    ]


def two_matrices(folder: Path, person: Person) -> list[Expected]:
    """The lower and the upper half of a series have another number of rows and columns."""
    headers = ct_series(person, FIRST)
    upper = ct_series(person, hounsfield(52, (4, 20, 20)), slices=range(4, 8))
    names = save(folder, _as_one_series(headers[:4], upper))
    codes = frozenset({"E_BAD_HEADER", "E_GAP"})
    return [
        Expected(tuple(names[:4]), Truth(FIRST[:4], AXIAL.affine), SPLIT, codes),
        Expected(tuple(names[4:]), Truth(hounsfield(52, (4, 20, 20)), _raised(4)), SPLIT, codes),
    ]


def _raised(n_slices: int) -> np.ndarray:
    affine = AXIAL.affine
    affine[:3, 3] += n_slices * affine[:3, 0]
    return affine


def scattered_over_folders(folder: Path, person: Person) -> list[Expected]:
    """Two series lie mixed in folders that have nothing to do with them."""
    first, second = ct_series(person, FIRST, series=1), ct_series(person, SECOND, series=2)
    files: tuple[list[str], list[str]] = ([], [])
    for number, headers in enumerate((first, second)):
        for k, header in enumerate(headers):
            place = f"DISK{(k + number) % 3}"
            files[number].extend(f"{place}/{name}" for name in save(folder / place, [header], f"{number}-{k}"))
    return [
        Expected(tuple(files[0]), Truth(FIRST, AXIAL.affine)),
        Expected(tuple(files[1]), Truth(SECOND, AXIAL.affine)),
    ]


def copied_folder(folder: Path, person: Person) -> list[Expected]:
    """The whole series lies there a second time, in a folder named backup: it must not count twice."""
    names = save(folder, ct_series(person, FIRST))
    copies = [f"backup/{name}" for name in save(folder / "backup", ct_series(person, FIRST))]
    return [
        Expected((*names, *copies), Truth(FIRST, AXIAL.affine), codes=frozenset({"E_DUPLICATE"})),
    ]


def no_series_uid(folder: Path, person: Person) -> list[Expected]:
    """The slices have no series UID."""
    headers = ct_series(person, FIRST)
    for header in headers:
        del header.SeriesInstanceUID
    names = save(folder, headers)
    codes = frozenset({"E_BAD_HEADER"})
    return [Expected(tuple(names), Truth(FIRST, AXIAL.affine), codes=codes)]


CASES = [
    case(GROUP, write)
    for write in (
        two_patients,
        two_acquisitions,
        two_times,
        two_diffusion_weightings,
        two_echoes,
        two_kernels,
        localizer_inside,
        two_orientations,
        two_matrices,
        scattered_over_folders,
        copied_folder,
        no_series_uid,
    )
]
