"""What is imaged: known values on a known grid, and the DICOM slices that hold them."""

import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset, write_file_meta_info
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

SHAPE = (8, 16, 24)
"""Slices, rows, columns."""

CT = "1.2.840.10008.5.1.4.1.1.2"
MR = "1.2.840.10008.5.1.4.1.1.4"
CR = "1.2.840.10008.5.1.4.1.1.1"
SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"

LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0])


@dataclass(frozen=True)
class Grid:
    """Where the voxels lie: millimetres in DICOM's patient coordinates, which grow to the left, the back and the head."""

    corner: tuple[float, float, float] = (-31.5, 12.25, 40.0)
    """Centre of the first voxel."""
    along_row: tuple[float, float, float] = (1.0, 0.0, 0.0)
    """Unit vector in which the column index grows."""
    along_column: tuple[float, float, float] = (0.0, 1.0, 0.0)
    """Unit vector in which the row index grows."""
    step: tuple[float, float, float] = (0.0, 0.0, 2.5)
    """From one slice to the next."""
    spacing_mm: tuple[float, float] = (0.7, 0.9)
    """Between rows, and between columns."""

    def position(self, k: float) -> list[float]:
        """Return Image Position (Patient) of slice k."""
        return [round(float(mm), 6) for mm in np.add(self.corner, np.multiply(k, self.step))]

    @property
    def affine(self) -> NDArray[np.float64]:
        """4×4, from (slice, row, column, 1) to millimetres, RAS+."""
        affine = np.eye(4)
        affine[:3, 0] = self.step
        affine[:3, 1] = np.multiply(self.along_column, self.spacing_mm[0])
        affine[:3, 2] = np.multiply(self.along_row, self.spacing_mm[1])
        affine[:3, 3] = self.corner
        affine[:3] = LPS_TO_RAS @ affine[:3]
        return affine


AXIAL = Grid()
SAGITTAL = Grid((5.0, -8.0, 60.0), (0.0, 1.0, 0.0), (0.0, 0.0, -1.0), (2.5, 0.0, 0.0))
CORONAL = Grid((-12.0, -30.0, 44.0), (1.0, 0.0, 0.0), (0.0, 0.0, -1.0), (0.0, 2.5, 0.0))


def turned(grid: Grid, degrees: tuple[float, float, float]) -> Grid:
    """Turn a grid about the three patient axes in turn."""
    turn = np.eye(3)
    for axis, angle in enumerate(np.deg2rad(degrees)):
        first, second = [other for other in range(3) if other != axis]
        about = np.eye(3)
        about[[first, second], [first, second]] = np.cos(angle)
        about[first, second], about[second, first] = -np.sin(angle), np.sin(angle)
        turn = about @ turn
    row, column, step = (
        tuple(float(x) for x in turn @ vector) for vector in (grid.along_row, grid.along_column, grid.step)
    )
    return replace(grid, along_row=row, along_column=column, step=step)


@dataclass(frozen=True)
class Truth:
    """The right volume."""

    values: NDArray[Any]
    """Axes (slice, row, column) or (slice, row, column, colour as RGB); NaN where the value is of no account."""
    affine: NDArray[np.float64] | None
    """As in `lucency.domain.volume.Volume`; None where the files do not tell."""
    unit: str = "HU"
    tolerance: float = 0.5
    """Largest difference of a value that is still right."""


@dataclass(frozen=True)
class Ramp:
    """A volume that may be resampled: its values are a linear function of the place, so that interpolation is exact."""

    grid: Grid
    slices: tuple[float, ...]
    """Which slices of the grid were imaged; need not be whole numbers."""

    def at(self, ras_mm: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return Hounsfield units at places in RAS, axes (…, xyz)."""
        return ras_mm @ np.array([7.0, -11.0, 13.0]) - 300

    @property
    def values(self) -> NDArray[np.float64]:
        """Hounsfield units of the imaged slices, axes (slice, row, column)."""
        k, i, j = np.meshgrid(self.slices, range(SHAPE[1]), range(SHAPE[2]), indexing="ij")
        places = np.stack([k, i, j, np.ones_like(k)], axis=-1) @ self.grid.affine.T
        return np.rint(self.at(places[..., :3]))


@dataclass(frozen=True)
class Person:
    """Who is imaged: invented words that stand nowhere else, so that a leak of any of them is found."""

    seed: str

    def word(self, what: str, n_letters: int = 9) -> str:
        """Return an invented word for one element of the header."""
        return "".join(
            chr(ord("A") + byte % 26) for byte in sha256(f"{self.seed}/{what}".encode()).digest()[:n_letters]
        )

    @property
    def name(self) -> str:
        return f"{self.word('family')}^{self.word('given')}"

    @property
    def patient_id(self) -> str:
        return self.word("id", 12)

    @property
    def words(self) -> list[str]:
        """Every word that must not appear in any message."""
        return [self.word(what) for what in ("family", "given", "accession", "institution")] + [self.patient_id]


def hounsfield(seed: int = 0, shape: tuple[int, ...] = SHAPE) -> NDArray[np.int16]:
    """Return values that are all over the range of CT and nowhere symmetric."""
    return np.random.default_rng(seed).integers(-1024, 1800, shape).astype(np.int16)


def image(person: Person, pixels: NDArray[Any], *, series: int = 1, number: int = 1, **elements: Any) -> Dataset:
    """Return the header of one image of stored values, axes (row, column) or (row, column, colour); elements override."""
    study = f"2.25.{int(sha256(person.seed.encode()).hexdigest()[:12], 16)}"
    header = Dataset()
    header.SOPClassUID, header.Modality = SECONDARY_CAPTURE, "OT"
    header.StudyInstanceUID, header.SeriesInstanceUID = f"{study}.1", f"{study}.1.{series}"
    header.SOPInstanceUID = f"{study}.1.{series}.{number}"
    header.PatientName, header.PatientID = person.name, person.patient_id
    header.PatientBirthDate, header.PatientSex = "19510417", "O"
    header.AccessionNumber, header.InstitutionName = person.word("accession"), person.word("institution")
    header.StudyDate, header.StudyTime = "20240229", "101112"
    header.SeriesNumber, header.InstanceNumber = series, number
    set_pixels(header, pixels)
    for keyword, value in elements.items():
        setattr(header, keyword, value)
    return header


def set_pixels(header: Dataset, pixels: NDArray[Any], bits_stored: int | None = None) -> None:
    """Put stored values into a header, uncompressed and little endian."""
    header.Rows, header.Columns = pixels.shape[:2]
    header.SamplesPerPixel = 3 if pixels.ndim == 3 else 1
    header.PhotometricInterpretation = "RGB" if pixels.ndim == 3 else "MONOCHROME2"
    if pixels.ndim == 3:
        header.PlanarConfiguration = 0
    header.BitsAllocated = 8 * pixels.dtype.itemsize
    header.BitsStored = bits_stored or header.BitsAllocated
    header.HighBit = header.BitsStored - 1
    header.PixelRepresentation = int(pixels.dtype.kind == "i")
    header.PixelData = pixels.tobytes() + b"\0" * (pixels.nbytes % 2)
    header["PixelData"].VR = "OB" if pixels.dtype.itemsize == 1 else "OW"


def ct_slice(person: Person, hu: NDArray[Any], grid: Grid, k: float, **elements: Any) -> Dataset:
    """Return the header of one CT slice of Hounsfield units, at slice k of a grid; elements override."""
    header = image(person, (hu + 1024).astype(np.int16), SOPClassUID=CT, Modality="CT")
    header.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    header.FrameOfReferenceUID = header.StudyInstanceUID + ".7"
    header.RescaleSlope, header.RescaleIntercept, header.RescaleType = "1", "-1024", "HU"
    header.SliceThickness = "2.5"
    header.ImagePositionPatient = grid.position(k)
    header.ImageOrientationPatient = [round(x, 9) for x in (*grid.along_row, *grid.along_column)]
    header.PixelSpacing = list(grid.spacing_mm)
    for keyword, value in elements.items():
        setattr(header, keyword, value)
    return header


def ct_series(
    person: Person, hu: NDArray[Any], grid: Grid = AXIAL, *, series: int = 1, slices: Iterable[float] | None = None
) -> list[Dataset]:
    """Return the headers of a CT series of Hounsfield units, axes (slice, row, column)."""
    headers = []
    for number, (k, plane) in enumerate(zip(slices or range(len(hu)), hu, strict=True), start=1):
        header = ct_slice(person, plane, grid, k, SeriesNumber=series, InstanceNumber=number)
        header.SeriesInstanceUID = f"{header.StudyInstanceUID}.{series}"
        header.SOPInstanceUID = f"{header.SeriesInstanceUID}.{number}"
        headers.append(header)
    return headers


def save(
    folder: Path, headers: Iterable[Dataset], name: str = "ct", encode: Callable[[Dataset], bytes] | None = None
) -> list[str]:
    """Write headers as files `<name>-<number>.dcm` in an order that tells nothing; return the names in given order."""
    folder.mkdir(parents=True, exist_ok=True)
    names = []
    for number, header in enumerate(headers):
        names.append(f"{name}-{sha256(f'{name}{number}'.encode()).hexdigest()[:6]}.dcm")
        (folder / names[-1]).write_bytes((encode or file_bytes)(header))
    return names


PREAMBLE = b"\0" * 128 + b"DICM"


def file_bytes(
    header: Dataset, syntax: str = ExplicitVRLittleEndian, claimed: str | None = None, preamble: bytes = PREAMBLE
) -> bytes:
    """Return the bytes of a file, encoded in one transfer syntax and claiming the same, or another."""
    return preamble + meta_bytes(header, claimed or syntax) + dataset_bytes(header, syntax)


def meta_bytes(header: Dataset, syntax: str) -> bytes:
    """Return the file meta group."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = header.SOPClassUID, header.SOPInstanceUID
    meta.TransferSyntaxUID, meta.ImplementationClassUID = UID(syntax), "2.25.4711"
    stream = DicomBytesIO()
    write_file_meta_info(stream, meta, enforce_standard=True)
    return stream.getvalue()


def dataset_bytes(header: Dataset, syntax: str = ExplicitVRLittleEndian) -> bytes:
    """Return the bytes of the dataset alone; pixel values must already have the byte order of the syntax."""
    stream = DicomBytesIO()
    stream.is_implicit_VR = syntax == ImplicitVRLittleEndian
    stream.is_little_endian = syntax != ExplicitVRBigEndian
    write_dataset(stream, header)
    content = stream.getvalue()
    return deflated(content) if syntax == DeflatedExplicitVRLittleEndian else content


def deflated(content: bytes) -> bytes:
    """Compress without zlib's header, as the deflated transfer syntax wants it."""
    compressor = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    compressed = compressor.compress(content) + compressor.flush()
    return compressed + b"\0" * (len(compressed) % 2)
